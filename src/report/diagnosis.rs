//! What `ceas control --diagnostics` shows.

use std::fmt::Write;

use ceas_npu::mapping::attention::Quantiles;
use ceas_npu::mapping::diagnostics::genuineness::{COLLAPSE_BITS, Quadrant, quadrant};
use ceas_npu::mapping::diagnostics::head::HeadDiagnosis;
use ceas_npu::mapping::heads::Origin;
use plotters::prelude::SeriesLabelPosition;
use serde::Serialize;
use serde_json::json;

use super::figure::{FAINT, SERIES};
use super::panels::{Mark, Panel, Panels, Series};
use super::present::{Answer, command_line};
use super::table::{fixed, number, table, wrapped};

/// Observables of a layer.
#[derive(Serialize)]
pub struct LayerDiagnosis {
    /// Number of the layer.
    pub layer: usize,
    /// Diffusion spectral entropy of its values at t = 1, in nats.
    pub diffusion: Option<f64>,
    /// Width of its kernel: the median distance.
    pub kernel_width: f64,
    /// Share of (head, query) whose H falls by 0.2 bits or more to the next layer.
    pub falls_to_next: Option<f64>,
}

/// All heads and layers.
pub struct Diagnosis {
    /// Where the heads come from.
    pub origin: Origin,
    /// The unigram model of X, if the tokens are known.
    pub unigram: Option<String>,
    /// S of η.
    pub samples: u64,
    /// Seed of the anneals.
    pub seed: u64,
    /// The heads.
    pub heads: Vec<HeadDiagnosis>,
    /// The layers.
    pub layers: Vec<LayerDiagnosis>,
}

impl Diagnosis {
    fn over(&self, f: impl Fn(&HeadDiagnosis) -> Option<f64>) -> Quantiles {
        Quantiles::of(self.heads.iter().filter_map(f))
    }

    /// Medians of X and Y: the borders of the quadrants.
    fn borders(&self) -> Option<(f64, f64)> {
        let (x, y) = (self.over(|h| h.token_cost).median, self.over(|h| h.genuineness).median);
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }

    fn quadrant(&self, head: &HeadDiagnosis) -> Option<Quadrant> {
        Some(quadrant(head.token_cost?, head.genuineness?, self.borders()?))
    }
}

fn name(quadrant: Quadrant) -> &'static str {
    match quadrant {
        Quadrant::GenuineDiffuse => "gen. diffuse",
        Quadrant::MechanicalCommitted => "mech. committed",
        Quadrant::MechanicalDiffuse => "mech. diffuse",
        Quadrant::GenuineCommitted => "gen. committed",
    }
}

/// The same in full, for legends.
fn full_name(quadrant: Quadrant) -> &'static str {
    match quadrant {
        Quadrant::GenuineDiffuse => "genuine, diffuse: high Y, low X",
        Quadrant::MechanicalCommitted => "mechanical, committed: low Y, high X",
        Quadrant::MechanicalDiffuse => "mechanical, diffuse: low Y, low X",
        Quadrant::GenuineCommitted => "genuine, committed: high Y, high X",
    }
}

/// Share of falls by more than the published threshold between independent Gaussian entropies of one bit's spread: Φ(−0.2/√2).
fn falls_if_independent() -> f64 {
    0.5 * libm::erfc(-COLLAPSE_BITS / 2.0)
}

impl Serialize for Diagnosis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "command": "control",
            "command_line": command_line(),
            "version": env!("CARGO_PKG_VERSION"),
            "model": self.origin.model,
            "text": self.origin.text,
            "samples": self.samples,
            "seed": self.seed,
            "unigram": self.unigram,
            "borders": self.borders(),
            "heads": self.heads,
            "quadrants": self.heads.iter().map(|h| self.quadrant(h)).collect::<Vec<_>>(),
            "layers": self.layers,
        })
        .serialize(serializer)
    }
}

impl Answer for Diagnosis {
    type Picture = Panels;

    fn title(&self) -> String {
        let model = if self.origin.model.is_empty() { "an unnamed model" } else { &self.origin.model };
        format!("Diagnostics of {} heads of {model}", self.heads.len())
    }

    fn text(&self) -> String {
        let columns = [
            "head", "H", "Rényi 2", "∞", "η", "enough S", "gain", "X/T", "Var(H)", "collapse", "Y",
            "z-events", "produced", "quadrant",
        ];
        let mut rows = table(&columns, 1);
        for column in rows.column_iter_mut() {
            column.set_padding((0, 1));
        }
        let some = |x: Option<f64>, digits: i32| number(x.unwrap_or(f64::NAN), digits);
        for h in &self.heads {
            rows.add_row([
                format!("{}.{}", h.layer, h.head),
                fixed(h.shannon, 2),
                fixed(h.renyi_2, 2),
                fixed(h.renyi_infinity, 2),
                fixed(h.efficiency, 4),
                h.enough.map_or("–".into(), |s| s.to_string()),
                format!("× {}", fixed(h.allocation_gain, 2)),
                some(h.token_cost, 3),
                some(h.variance, 3),
                some(h.collapse_rate, 2),
                some(h.genuineness, 3),
                h.z_collapses.to_string(),
                number(h.production, 3),
                self.quadrant(h).map_or("–", name).to_owned(),
            ]);
        }
        let mut layers = table(&["layer", "diffusion entropy", "H falls to the next layer"], 1);
        for l in &self.layers {
            layers.add_row([
                l.layer.to_string(),
                number(l.diffusion.unwrap_or(f64::NAN), 3),
                l.falls_to_next.map_or("–".into(), |x| format!("{:.0} %", 100.0 * x)),
            ]);
        }
        format!("{rows}\n\n{layers}\n\n{}", wrapped(&self.words()))
    }

    fn picture(&self) -> Panels {
        let scatter = |f: &dyn Fn(&HeadDiagnosis) -> Option<(f64, f64)>, which: Quadrant, colour| Series {
            name: full_name(which).into(),
            points: self
                .heads
                .iter()
                .filter(|h| self.quadrant(h) == Some(which))
                .filter_map(|h| f(h).map(|(x, y)| (x, y, 0.0)))
                .collect(),
            colour: (colour, 0.9),
            mark: Mark::Points,
        };
        let all = [
            Quadrant::GenuineDiffuse,
            Quadrant::MechanicalCommitted,
            Quadrant::MechanicalDiffuse,
            Quadrant::GenuineCommitted,
        ];
        let quadrants = |f: &dyn Fn(&HeadDiagnosis) -> Option<(f64, f64)>| {
            all.into_iter().zip(SERIES).map(|(q, colour)| scatter(f, q, colour)).collect::<Vec<_>>()
        };
        let axes = |x: &str, y: &str| [x.to_owned(), y.to_owned()];
        let level = self.borders().map(|b| (b.1, "median Y".to_owned()));
        let mut phase_space = quadrants(&|h| Some((h.token_cost?, h.genuineness?)));
        if let Some((x, _)) = self.borders() {
            let top = self.over(|h| h.genuineness).max;
            let points = vec![(x, 0.0, 0.0), (x, top, 0.0)];
            phase_space.insert(
                0,
                Series { name: "median X/T".into(), points, colour: (FAINT, 1.0), mark: Mark::Dashed },
            );
        }
        Panels {
            title: self.title(),
            subtitle: "quadrants: above or below the median of the heads of this model in X and Y; the published page gives no borders".into(),
            panels: vec![
                Panel {
                    caption: "Published phase space".into(),
                    axes: axes("X/T, mean surprisal of attended tokens  (bits)", "Y = Var(H)/bits² + collapse rate  (as published)"),
                    log: [false, false],
                    band: None,
                    level,
                    legend: SeriesLabelPosition::UpperLeft,
                    series: phase_space,
                },
                Panel {
                    caption: "Its two terms, kept apart".into(),
                    axes: axes("Var(H)  (bits²)", "share of tokens with ΔH < −0.2 bits"),
                    log: [false, false],
                    band: None,
                    level: Some((falls_if_independent(), "independent entropies of σ = 1 bit".into())),
                    legend: SeriesLabelPosition::LowerRight,
                    series: quadrants(&|h| Some((h.variance?, h.collapse_rate?))),
                },
            ],
        }
    }
}

impl Diagnosis {
    fn words(&self) -> String {
        let mut text = String::new();
        let q = |q: Quantiles| {
            format!("{} (10–90 % {}–{})", number(q.median, 3), number(q.q10, 3), number(q.q90, 3))
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "H and Rényi's entropies in nats; η = 1/(1 + ε²) at S = {}; enough S: one more lowers ε² by less than 10⁻⁵; gain: noise saved by \
             S_i ∝ √(V_i/N_i) over equal S at equal cost; X/T in bits under {}; Var(H) in bits²; collapse: share of token-to-token changes below −0.2 bits; \
             Y: their sum, as published; z-events: falls below −2 standard deviations of the last 16 tokens; produced: entropy given to the bath in an \
             anneal from β₀/10, in k_B per query.\n",
            self.samples,
            self.unigram.as_deref().unwrap_or("no unigram model: the tokens are not known"),
        );
        let _ = writeln!(
            text,
            "Medians over the heads: η {}; gain {}; X/T {}; Var(H) {}; collapse rate {}.\n\
             A collapse by the published rule is not rare: independent entropies of one bit's spread fall by 0.2 bits or more in {:.0} % of all steps.",
            q(self.over(|h| Some(h.efficiency))),
            q(self.over(|h| Some(h.allocation_gain))),
            q(self.over(|h| h.token_cost)),
            q(self.over(|h| h.variance)),
            q(self.over(|h| h.collapse_rate)),
            100.0 * falls_if_independent(),
        );
        text
    }
}
