//! Tables 1 to 3 of projected savings, the target mix, the warm-up product, the share of warm-up.

use super::{Claim, Verdict, digits};

/// W, "typ. 0.25–0.35".
const WARM_UP: [f64; 2] = [0.25, 0.35];
/// A claim in whole per cent may be off by its rounding.
const ROUNDING: f64 = 0.5;

/// Save = 1 − [(1 − χ_w)/s_w · W + (1 − χ_s)/s_s · (1 − W)], in per cent.
fn save(w: f64, s_warm: f64, chi_warm: f64, chi_steady: f64, s_steady: f64) -> f64 {
    100.0 * (1.0 - ((1.0 - chi_warm) / s_warm * w + (1.0 - chi_steady) / s_steady * (1.0 - w)))
}

/// One row of a table: ranges of the inputs, and the range claimed.
struct Row {
    scale: &'static str,
    s_warm: [f64; 2],
    chi_warm: [f64; 2],
    chi_steady: [f64; 2],
    s_steady: [f64; 2],
    claimed: [f64; 2],
}

const fn row(
    scale: &'static str,
    s_warm: [f64; 2],
    chi_warm: [f64; 2],
    chi_steady: [f64; 2],
    s_steady: [f64; 2],
    claimed: [f64; 2],
) -> Row {
    Row { scale, s_warm, chi_warm, chi_steady, s_steady, claimed }
}

const ONE: [f64; 2] = [1.0, 1.0];

const TABLE_1: [Row; 5] = [
    row("9k", [2.4, 3.2], [0.45, 0.55], [0.22, 0.30], ONE, [35.0, 52.0]),
    row("14.4M", [1.8, 2.4], [0.35, 0.45], [0.18, 0.26], ONE, [26.0, 40.0]),
    row("GPT-3", [1.5, 2.0], [0.28, 0.40], [0.15, 0.22], ONE, [28.0, 38.0]),
    row("GPT-4", [1.4, 1.8], [0.25, 0.35], [0.12, 0.20], ONE, [24.0, 34.0]),
    row("GPT-5", [1.3, 1.6], [0.22, 0.32], [0.10, 0.18], ONE, [20.0, 30.0]),
];

const TABLE_2: [Row; 5] = [
    row("9k", [2.6, 3.4], [0.45, 0.55], [0.22, 0.30], [1.20, 1.35], [45.0, 60.0]),
    row("14.4M", [2.1, 2.8], [0.38, 0.48], [0.18, 0.26], [1.20, 1.30], [38.0, 52.0]),
    row("GPT-3", [1.9, 2.5], [0.30, 0.42], [0.18, 0.24], [1.20, 1.30], [35.0, 50.0]),
    row("GPT-4", [1.8, 2.4], [0.28, 0.38], [0.16, 0.22], [1.18, 1.28], [32.0, 48.0]),
    row("GPT-5", [1.7, 2.2], [0.25, 0.35], [0.15, 0.20], [1.15, 1.25], [30.0, 45.0]),
];

/// Percentage points from structure, and the total claimed in table 3.
const TABLE_3: [(&str, [f64; 2], [f64; 2]); 5] = [
    ("9k", [8.0, 12.0], [52.0, 70.0]),
    ("14.4M", [5.0, 9.0], [43.0, 61.0]),
    ("GPT-3", [4.0, 8.0], [39.0, 58.0]),
    ("GPT-4", [3.0, 7.0], [35.0, 54.0]),
    ("GPT-5", [3.0, 6.0], [33.0, 51.0]),
];

impl Row {
    /// Savings with all inputs at their lower or upper ends (every input raises the savings), at a share W.
    fn at(&self, end: usize, w: f64) -> f64 {
        save(w, self.s_warm[end], self.chi_warm[end], self.chi_steady[end], self.s_steady[end])
    }

    /// Least and most over all corners with W in its stated range.
    fn range(&self) -> [f64; 2] {
        [
            self.at(0, WARM_UP[0]).min(self.at(0, WARM_UP[1])),
            self.at(1, WARM_UP[0]).max(self.at(1, WARM_UP[1])),
        ]
    }

    /// The W at which an end of the inputs gives the claimed end: the formula is linear in W.
    fn needed(&self, end: usize) -> f64 {
        let (none, all) = (self.at(end, 0.0), self.at(end, 1.0));
        (self.claimed[end] - none) / (all - none)
    }

    fn audit(&self, topic: &'static str, formula: &'static str) -> Claim {
        let [low, high] = self.range();
        let [from, to] = self.claimed;
        let middle =
            save(0.3, mid(self.s_warm), mid(self.chi_warm), mid(self.chi_steady), mid(self.s_steady));
        let ends = [0, 1].map(|end| self.needed(end));
        let fits = |end: usize| {
            let edge = if end == 0 { low } else { high };
            let claimed = self.claimed[end];
            // An end is reached if the formula gives it at a W inside the range, to rounding.
            (claimed - edge).abs() <= ROUNDING
                || (claimed > self.at(end, WARM_UP[0]).min(self.at(end, WARM_UP[1])) - ROUNDING
                    && claimed < self.at(end, WARM_UP[0]).max(self.at(end, WARM_UP[1])) + ROUNDING)
        };
        let say = |end: usize| {
            let name = if end == 0 { "low" } else { "high" };
            let w = ends[end];
            if fits(end) {
                format!("{name} end: W = {w:.2}")
            } else if w < 0.0 {
                format!("{name} end {:.0} % needs W = {w:.2} < 0", self.claimed[end])
            } else {
                format!("{name} end {:.0} % needs W = {w:.2}, outside 0.25–0.35", self.claimed[end])
            }
        };
        Claim {
            topic,
            claim: format!("{}: {from:.0}–{to:.0} %", self.scale),
            formula,
            ours: format!("{low:.1}–{high:.1} % (middle {middle:.1} %)"),
            verdict: Verdict::of(fits(0) && fits(1)),
            reason: format!("{}; {}", say(0), say(1)),
        }
    }
}

fn mid(range: [f64; 2]) -> f64 {
    0.5 * (range[0] + range[1])
}

/// Every claim about savings.
pub fn claims() -> Vec<Claim> {
    let mut all = Vec::new();
    let first = "1 − [(1−χ_w)/s · W + (1−χ_s)(1−W)], W = 0.25–0.35";
    all.extend(TABLE_1.iter().map(|row| row.audit("savings, table 1", first)));
    // The page's own table of training times gives another W for the two small scales.
    let w = 150.0 / 900.0;
    let small = &TABLE_1[1];
    all.push(Claim {
        topic: "savings, table 1",
        claim: "14.4M with the page's own times: best β after 150 min of 15 h".into(),
        formula: first,
        ours: format!("W = {w:.3}: {:.1}–{:.1} %", small.at(0, w), small.at(1, w)),
        verdict: Verdict::Inconsistent,
        reason: "gives the low end of table 1 but not its high end, and is not in 0.25–0.35".into(),
    });
    let floor = TABLE_1[0].at(0, 0.0);
    all.push(Claim {
        topic: "savings, table 1",
        claim: "9k: ≥ 30 % floor".into(),
        formula: first,
        ours: format!("least in 0.25–0.35: {:.1} %; at W = 0: {floor:.1} %", TABLE_1[0].range()[0]),
        verdict: Verdict::of(TABLE_1[0].range()[0] >= 30.0),
        reason: format!("true for every W above {:.2}", {
            let all = TABLE_1[0].at(0, 1.0);
            (30.0 - floor) / (all - floor)
        }),
    });
    let second = "1 − [(1−χ_w)/s_w · W + (1−χ_s)/s_s · (1−W)], W = 0.25–0.35";
    all.extend(TABLE_2.iter().map(|row| row.audit("savings, table 2", second)));
    let mix = save(0.30, 2.3, 0.30, 0.20, 1.25);
    all.push(Claim {
        topic: "savings, target mix",
        claim: "W = 0.30, χ_w = 0.30, χ_s = 0.20, s_w = 2.3, s_s = 1.25 clear 50 %".into(),
        formula: second,
        ours: format!("{mix:.1} %"),
        verdict: Verdict::of(mix >= 50.0),
        reason: format!(
            "50 % would need s_s = {} with the other four as stated",
            digits(0.8 * 0.7 / (0.5 - 0.7 / 2.3 * 0.3), 3)
        ),
    });
    let factors = [[1.5, 1.8], [1.2, 1.4], [1.1, 1.2], [1.05, 1.15]];
    let product = [0, 1].map(|end| factors.iter().map(|f| f[end]).product::<f64>());
    all.push(Claim {
        topic: "savings, warm-up product",
        claim: "factors 1.5–1.8, 1.2–1.4, 1.1–1.2, 1.05–1.15: product ≈ 2.2–3.0 is common".into(),
        formula: "product of the lower and of the upper ends",
        ours: format!("{:.2}–{:.2}", product[0], product[1]),
        verdict: Verdict::Holds,
        reason: "2.2–3.0 lies inside; that the factors multiply is assumed, not shown".into(),
    });
    for ((scale, points, claimed), row) in TABLE_3.iter().zip(&TABLE_2) {
        let sum = [row.claimed[0] + points[0], row.claimed[1] + points[1]];
        let holds = sum == *claimed;
        all.push(Claim {
            topic: "savings, table 3",
            claim: format!("{scale}: {:.0}–{:.0} %", claimed[0], claimed[1]),
            formula: "table 2 + percentage points from structure",
            ours: format!("{:.0}–{:.0} %", sum[0], sum[1]),
            verdict: Verdict::of(holds),
            reason: if holds { "the sum".into() } else { "not the sum of its parts".into() },
        });
    }
    all.push(Claim {
        topic: "savings",
        claim: "all rows are projected end-to-end savings".into(),
        formula: "none: s and χ are inputs",
        ours: "c(β) cancels out of the boxed formula".into(),
        verdict: Verdict::Untestable,
        reason: "no row is a measurement; s and χ would have to be measured in training, against a fixed β with its scale tuned".into(),
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_that_were_worked_out_by_hand() {
        let [low, high] = TABLE_1[0].range();
        assert!((low - 35.8).abs() < 0.05 && (high - 49.6).abs() < 0.05, "{low} {high}");
        assert!((TABLE_1[0].needed(1) - 0.39).abs() < 0.01);
        assert!((TABLE_1[2].needed(0) - 0.352).abs() < 0.002);
        let [low, high] = TABLE_2[4].range();
        assert!((low - 33.5).abs() < 0.05 && (high - 48.1).abs() < 0.05, "{low} {high}");
        assert!((save(0.3, 2.3, 0.3, 0.2, 1.25) - 46.1).abs() < 0.05);
    }
}
