//! What `ceas audit` shows: a table, a JSON document, a page, and a picture of projections beside their formula.

use std::fmt::Write;

use ceas_npu::audit::{Claim, Verdict};
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;
use serde_json::json;

use super::figure::{SAMPLED, THEORY};
use super::panels::{Mark, Panel, Panels, Series};
use super::present::{Answer, command_line};

/// All claims.
pub struct Audit {
    /// In the order of the page.
    pub claims: Vec<Claim>,
}

impl Audit {
    fn count(&self, verdict: Verdict) -> usize {
        self.claims.iter().filter(|claim| claim.verdict == verdict).count()
    }

    fn tally(&self) -> String {
        format!(
            "{} claims: {} hold, {} are inconsistent, {} are untestable here.",
            self.claims.len(),
            self.count(Verdict::Holds),
            self.count(Verdict::Inconsistent),
            self.count(Verdict::Untestable),
        )
    }

    /// The page of the documentation.
    pub fn markdown(&self) -> String {
        let mut page = String::from(
            "# Audit of the published description\n\nWritten by `ceas audit --markdown`; a test compares this page with what the program prints.\n\nThe quantitative claims \
             of the Critical Entropy Attention System, each recomputed from its own formula and inputs. *Holds*: the formula gives it, to the digits printed. \
             *Inconsistent*: it does not, or two statements exclude each other. *Untestable here*: no formula, or a training run or a device would be needed. Statements about \
             trained heads are held against the 72 bundled heads of all-MiniLM-L6-v2. W is the share of warm-up, χ a pruned fraction, s a speed-up, as on the page.\n\n",
        );
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{}", self.tally());
        let mut topic = "";
        for claim in &self.claims {
            if claim.topic != topic {
                topic = claim.topic;
                let _ = write!(
                    page,
                    "\n## {}\n\n| claim | formula | recomputed | verdict | reason |\n|---|---|---|---|---|\n",
                    capital(topic)
                );
            }
            let cell = |text: &str| text.replace('|', "\\|");
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                cell(&claim.claim),
                cell(claim.formula),
                cell(&claim.ours),
                claim.verdict.name(),
                cell(&claim.reason)
            );
        }
        page
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

impl Serialize for Audit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "command": "audit",
            "command_line": command_line(),
            "version": env!("CARGO_PKG_VERSION"),
            "claims": self.claims,
            "summary": {
                "claims": self.claims.len(),
                "holds": self.count(Verdict::Holds),
                "inconsistent": self.count(Verdict::Inconsistent),
                "untestable": self.count(Verdict::Untestable),
            },
        })
        .serialize(serializer)
    }
}

/// Lines of at most `width` characters, each after the first indented.
fn hang(label: &str, text: &str, width: usize) -> String {
    let indent = " ".repeat(18);
    let mut lines = format!("  {label:<16}");
    let mut length = 18;
    for (number, word) in text.split_whitespace().enumerate() {
        let size = word.chars().count();
        if number > 0 && length + 1 + size > width {
            lines.push('\n');
            lines.push_str(&indent);
            length = 18;
        } else if number > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += size;
    }
    lines.push('\n');
    lines
}

impl Answer for Audit {
    type Picture = Panels;

    fn title(&self) -> String {
        "Audit of the published description of CEAS".into()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut topic = "";
        for claim in &self.claims {
            if claim.topic != topic {
                topic = claim.topic;
                let _ = writeln!(text, "{}\n", topic.to_uppercase());
            }
            text.push_str(&hang(&claim.verdict.name().to_uppercase(), &claim.claim, 108));
            text.push_str(&hang("formula", claim.formula, 108));
            text.push_str(&hang("recomputed", &claim.ours, 108));
            text.push_str(&hang("reason", &claim.reason, 108));
            text.push('\n');
        }
        let _ = writeln!(text, "{}", self.tally());
        text
    }

    fn picture(&self) -> Panels {
        Panels {
            title: self.title(),
            subtitle: self.tally(),
            panels: [
                ("savings, table 1", "Table 1: gating and faster warm-up"),
                ("savings, table 2", "Table 2: several knobs"),
            ]
            .into_iter()
            .map(|(topic, caption)| self.panel(topic, caption))
            .collect(),
        }
    }
}

impl Audit {
    /// Claimed ranges beside those of the formula, row by row.
    fn panel(&self, topic: &str, caption: &str) -> Panel {
        /// A name, the claimed range, and that of the formula.
        type Row = (String, [f64; 2], [f64; 2]);
        let rows: Vec<Row> = self
            .claims
            .iter()
            .filter(|claim| claim.topic == topic)
            .filter_map(|claim| {
                let (scale, range) = claim.claim.split_once(": ")?;
                Some((scale.to_owned(), ends(range)?, ends(&claim.ours)?))
            })
            .collect();
        let bars = |name: &str, colour, shift: f64, pick: fn(&Row) -> [f64; 2]| Series {
            name: name.into(),
            points: rows
                .iter()
                .enumerate()
                .map(|(i, row)| {
                    let [low, high] = pick(row);
                    (i as f64 + 1.0 + shift, 0.5 * (low + high), 0.5 * (high - low))
                })
                .collect(),
            colour: (colour, 1.0),
            mark: Mark::Points,
        };
        let names: Vec<String> = rows.iter().enumerate().map(|(i, r)| format!("{} {}", i + 1, r.0)).collect();
        Panel {
            caption: caption.into(),
            axes: [names.join("    "), "projected savings  (%)".into()],
            log: [false, false],
            band: None,
            level: Some((50.0, "50 %".into())),
            legend: SeriesLabelPosition::LowerLeft,
            series: vec![
                bars("claimed", THEORY, -0.08, |r| r.1),
                bars("its formula, W = 0.25–0.35", SAMPLED, 0.08, |r| r.2),
            ],
        }
    }
}

/// The two numbers of `a–b %`.
fn ends(text: &str) -> Option<[f64; 2]> {
    let (low, rest) = text.split_once('–')?;
    let high = rest.split(' ').next()?;
    Some([low.trim().parse().ok()?, high.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_words_are_not() {
        assert_eq!(ends("35.8–49.6 % (middle)"), Some([35.8, 49.6]));
        assert_eq!(ends("W = 0.17"), None);
    }
}
