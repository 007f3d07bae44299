//! The best mappings that a search over all of them found.

use ceas_npu::npu_model::choice::{Best, Construction};
use serde::Serialize;

use crate::report::number::{list, times};
use crate::report::table::si;

/// What a search found on every device, and how long it took.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Searched {
    /// The best mapping of each device, or why there is none.
    pub found: Vec<(String, Result<Best, String>)>,
    /// Seconds: told, not part of the document.
    #[serde(skip)]
    pub seconds: f64,
}

impl Searched {
    /// Whether nothing was searched.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Adds a line for every device, and how fast they were priced.
    pub fn list(&self, text: &mut String) {
        if self.is_empty() {
            return;
        }
        let mut lines: Vec<String> = self.found.iter().map(|(name, best)| line(name, best)).collect();
        let sum = |of: fn(&Best) -> u64| -> u64 {
            self.found.iter().filter_map(|(_, best)| best.as_ref().ok()).map(of).sum()
        };
        let (looked, priced) = (sum(|b| b.candidates), sum(|b| b.priced));
        lines.push(format!(
            "looked at {looked} mappings in all; {priced} were priced one by one in {:.2} s, {:.1e} a second",
            self.seconds,
            priced as f64 / self.seconds.max(1e-9)
        ));
        list(text, "\nBest mappings", &lines);
    }
}

/// One line of a search.
fn line(name: &str, best: &Result<Best, String>) -> String {
    let best = match best {
        Err(reason) => return format!("{name}: {reason}"),
        Ok(best) => best,
    };
    let c = &best.lowered.choice;
    let mut manner = vec![c.storage.name()];
    if c.construction != Construction::Exact {
        manner.push(c.write.name());
        manner.push(c.layout.name());
    }
    let own = best.least.get(c.construction.name()).copied().unwrap_or(f64::NAN);
    let others = best.least.iter().filter(|(other, _)| **other != c.construction.name());
    let others: Vec<String> =
        others.map(|(other, least)| format!("{other} {}", times(least / own))).collect();
    let mut text = format!(
        "{name}: {} ({}), {} chips: {}, {}; bound by {}; {} of {} mappings priced",
        c.construction.name(),
        manner.join(", "),
        best.lowered.extent.chips,
        si(best.energy_j, "J"),
        si(best.time_s, "s"),
        best.binds.replace('_', " "),
        best.priced,
        best.candidates
    );
    if !others.is_empty() {
        text += &format!("; beside it at best: {}", others.join(", "));
    }
    if c.construction == Construction::Gated || best.least.contains_key(Construction::Gated.name()) {
        text += "; gates are not softmax";
    }
    text
}
