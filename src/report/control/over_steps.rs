//! The run step by step: H, β, N_eff, C and the gates over the heads, as published and corrected.

use std::fmt::Write;

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::control::{Moment, Variant};
use serde::Serialize;

use super::{Controlled, HeadLine};
use crate::report::table::{fixed, number, table};

/// All heads under one controller, before step `step`.
#[derive(Serialize)]
pub struct Instant {
    /// Steps taken.
    pub step: usize,
    /// H, in nats.
    pub entropy: Quantiles,
    /// H − H_t, in nats.
    pub over_target: Quantiles,
    /// β/β₀.
    pub over_textbook: Quantiles,
    /// e^H.
    pub n_eff: Quantiles,
    /// C.
    pub specific_heat: Quantiles,
    /// Share of queries that the published gate of this step keeps.
    pub kept: Quantiles,
    /// Share of heads with |H − H_t| within the tolerance.
    pub on_target: f64,
    /// Heads that the published rule has frozen.
    pub frozen: usize,
}

/// The controllers that are shown: the place of their trajectories, and their names.
pub const SHOWN: [(usize, &str); 2] = [(0, "published"), (Variant::CORRECTED, "corrected")];

impl Controlled {
    /// Every step of both controllers.
    pub fn over_steps(&self) -> [Vec<Instant>; 2] {
        [0, 1].map(|which| {
            let trace = |head: &HeadLine| head.control.traces[SHOWN[which].0].moments.len();
            let count = self.heads.iter().map(trace).min().unwrap_or(0);
            (0..count).map(|step| self.instant(which, step)).collect()
        })
    }

    fn instant(&self, which: usize, step: usize) -> Instant {
        let moments =
            || self.heads.iter().map(move |head| (head, &head.control.traces[SHOWN[which].0].moments[step]));
        let over = |f: fn(&HeadLine, &Moment) -> f64| Quantiles::of(moments().map(|(head, m)| f(head, m)));
        let near = |m: &Moment| (m.entropy - m.target).abs() <= self.tolerance;
        let heads = self.heads.len();
        Instant {
            step,
            entropy: over(|_, m| m.entropy),
            over_target: over(|_, m| m.entropy - m.target),
            over_textbook: over(|head, m| m.beta / head.control.textbook),
            n_eff: over(|_, m| m.entropy.exp()),
            specific_heat: over(|_, m| m.specific_heat),
            kept: Quantiles::of(self.heads.iter().map(|head| head.passing[which].kept[step])),
            on_target: moments().filter(|(_, m)| near(m)).count() as f64 / heads.max(1) as f64,
            frozen: self.heads.iter().filter(|head| head.passing[which].frozen[step]).count(),
        }
    }
}

/// Which of `count` steps are printed: the first ones, then pairs of neighbours ever farther apart, and the last two. Pairs, for in a cycle of two steps
/// every other moment looks at rest.
fn printed(count: usize) -> Vec<usize> {
    let pairs = (0..20).flat_map(|power| [(12usize << power) - 1, 12 << power]);
    let mut steps: Vec<usize> = (0..6).chain(pairs).take_while(|step| step + 2 < count).collect();
    steps.extend(count.saturating_sub(2)..count);
    steps
}

/// Medians and 10–90 % over the heads; for one head its own numbers.
pub fn write(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    if answer.heads.len() == 1 || answer.chosen.is_some() {
        one_head(answer, text)?;
    }
    if answer.heads.len() == 1 {
        return Ok(());
    }
    let range = |q: &Quantiles, digits: i32| {
        format!("{} ({}–{})", number(q.median, digits), number(q.q10, digits), number(q.q90, digits))
    };
    let places = |q: &Quantiles, times: f64, places: usize| {
        let [median, low, high] = [q.median, q.q10, q.q90].map(|x| fixed(times * x, places));
        format!("{median} ({low}–{high})")
    };
    let columns = ["step", "", "H", "β/β₀", "N_eff", "C", "gate keeps %", "at H_t"];
    let mut rows = table(&columns, 2);
    for column in rows.column_iter_mut() {
        column.set_padding((0, 1));
    }
    let both = answer.over_steps();
    let longest = both.iter().map(Vec::len).max().unwrap_or(0);
    for step in printed(longest) {
        let mut label = step.to_string();
        for ((_, name), instants) in SHOWN.iter().zip(&both) {
            let Some(now) = instants.get(step) else { continue };
            rows.add_row([
                std::mem::take(&mut label),
                (*name).to_owned(),
                places(&now.entropy, 1.0, 2),
                range(&now.over_textbook, 2),
                range(&now.n_eff, 2),
                places(&now.specific_heat, 1.0, 2),
                places(&now.kept, 100.0, 0),
                format!("{:.0} %", 100.0 * now.on_target),
            ]);
        }
    }
    let frozen = both.iter().map(|instants| instants.last().map_or(0, |now| now.frozen));
    let frozen: Vec<String> = frozen.map(|count| count.to_string()).collect();
    writeln!(
        text,
        "{rows}\nMedian over the heads (10–90 %), before every step: H in nats, N_eff = e^H, C = β²Var; gate keeps: share of a head's queries that \
         pass the published gate of that step, T = βσ√(2 ln N_eff) ≥ T_gate(t) or among the top q(t); at H_t: heads with |H − H_t| ≤ {}. The corrected controller \
         is given {} steps. A head is frozen after {} steps below ln N − 0.9: at the end {} as published, {} corrected.\n",
        answer.tolerance,
        both[1].len().saturating_sub(1),
        answer.scale.freeze_after,
        frozen[0],
        frozen[1],
    )
}

/// The head that is shown, both controllers side by side.
fn one_head(answer: &Controlled, text: &mut String) -> std::fmt::Result {
    let head = &answer.heads[answer.shown()];
    let mut columns = vec!["step"];
    let each = ["H", "H − H_t", "β/β₀", "N_eff", "C", "gate"];
    columns.extend(SHOWN.iter().flat_map(|_| each));
    let mut rows = table(&columns, 0);
    for column in rows.column_iter_mut() {
        column.set_padding((0, 1));
    }
    let traces = SHOWN.map(|(place, _)| &head.control.traces[place].moments);
    let longest = traces.iter().map(|moments| moments.len()).max().unwrap_or(0);
    for step in printed(longest) {
        let mut row = vec![step.to_string()];
        for (moments, passing) in traces.iter().zip(&head.passing) {
            let Some(m) = moments.get(step) else {
                row.extend(each.map(|_| String::new()));
                continue;
            };
            row.extend([
                fixed(m.entropy, 3),
                format!("{:+.3}", m.entropy - m.target),
                number(m.beta / head.control.textbook, 4),
                number(m.entropy.exp(), 4),
                number(m.specific_heat, 3),
                format!("{:.0} %", 100.0 * passing.kept[step]),
            ]);
        }
        rows.add_row(row);
    }
    writeln!(
        text,
        "{rows}\nHead {}.{}: as published in the first six columns, corrected in the last six; H in nats, N_eff = e^H, C = β²Var, gate: share of its \
         {} queries that pass the published gate of that step. H_t is {:.3} at the start.\n",
        head.control.layer, head.control.head, head.control.rows, traces[0][0].target,
    )
}

#[cfg(test)]
mod tests {
    use super::printed;

    #[test]
    fn the_first_steps_and_the_last_are_printed() {
        assert_eq!(printed(61), [0, 1, 2, 3, 4, 5, 11, 12, 23, 24, 47, 48, 59, 60]);
        assert_eq!(printed(13), [0, 1, 2, 3, 4, 5, 11, 12]);
        assert_eq!((printed(0), printed(1), printed(3)), (vec![], vec![0], vec![0, 1, 2]));
        let most = printed(100_001);
        assert!(most.len() < 45 && most.is_sorted() && most.last() == Some(&100_000), "{most:?}");
    }
}
