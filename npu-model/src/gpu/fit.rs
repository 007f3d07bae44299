//! Which series stands for a piece of attention, and how far it may be trusted there.

use super::kernel::Attention;
use super::series::{Format, Role, Series};
use super::{Curve, Gpu};
use crate::provenance::Evidence;

/// By how much fits overstate other laboratories' measurements at worst, where a series states no spread of its own. The hold-outs
/// of the H100 lie up to 10 % below its fits.
const OTHER_LABORATORY: f64 = 0.12;
/// Widening where a fit is used outside its lengths: leaving out the first or last point moves it by up to 15 %.
const OUTSIDE: f64 = 0.85;
/// Causal over full throughput at equal length, where only the full one is known: 0.6 at n = 512 to 0.95 at 16k on an H100.
const CAUSAL: [f64; 3] = [0.6, 0.85, 1.0];

/// A series that stands for a piece of attention.
pub(super) struct Fit<'g> {
    pub series: &'g Series,
    pub curve: Curve,
    /// Factors low, mid, high on the curve.
    pub factors: [f64; 3],
    /// Why it does not quite apply; empty if it does.
    pub why: Vec<String>,
    pub evidence: Evidence,
}

impl Gpu {
    /// The fit that applies, or the one that stands in, with reasons.
    pub(super) fn fit_for(&self, attention: &Attention, format: Format) -> Fit<'_> {
        let shape = attention.shape;
        let d = shape.d_head.max(shape.d_value);
        let rank = |s: &&Series| {
            // The right numbers, the right kernel, the same mask; then the next larger head (kernels pad up), then the largest.
            (s.format != format, s.kernel != self.kernel, s.d_head < d, s.causal != shape.causal, {
                s.d_head.abs_diff(d)
            })
        };
        let series = self.series.iter().filter(|s| s.curve.is_some()).min_by_key(rank);
        let series = series.expect("a baseline without a curve is refused when it is read");
        let curve = series.curve.expect("it was chosen for having one");
        let mut why = Vec::new();
        let miss = 1.0 + curve.max_err;
        let mut factors = match series.spread {
            Some([low, mid, high]) => [low / miss, mid, high * miss],
            None => [1.0 / (1.0 + OTHER_LABORATORY).max(miss), 1.0, miss],
        };
        let mut evidence = series.evidence;
        if series.role == Role::Assumed {
            why.push(format!("no attention curve of this part was found: {}", series.source));
            evidence = evidence.min(Evidence::Projected);
        } else {
            if series.d_head != d {
                // Padding at worst costs the whole width; the softmax, whose cost does not shrink with d, costs part of it.
                let narrow = (d as f64 / series.d_head as f64).min(1.0);
                factors[0] *= narrow;
                factors[1] *= narrow.sqrt();
                if d > series.d_head {
                    factors[0] *= 0.7;
                }
                why.push(format!("head dimension {d} by the fit of {}", series.d_head));
            }
            if series.causal != shape.causal {
                let (wanted, by) =
                    if shape.causal { ("causal", CAUSAL) } else { ("full", [1.0, 1.0, 1.0 / CAUSAL[0]]) };
                why.push(format!("{wanted} attention by the fit of the other kind"));
                factors = [0, 1, 2].map(|i| factors[i] * by[i]);
            }
            let (first, last) = (series.seq.iter().min(), series.seq.iter().max());
            if let (Some(&first), Some(&last)) = (first, last)
                && !(first..=last).contains(&shape.n_keys)
            {
                why.push(format!("n = {} outside the measured {first} to {last}", shape.n_keys));
                factors[0] *= OUTSIDE;
            }
        }
        if series.format != format {
            why.push(format!("{format:?} by a series in {:?}", series.format).to_lowercase());
        }
        if series.kernel != self.kernel && series.role != Role::Assumed {
            why.push(format!("no series of {}: {} stands in", self.kernel, series.kernel));
        }
        if !why.is_empty() {
            evidence = evidence.min(Evidence::Derived);
        }
        Fit { series, curve, factors, why, evidence }
    }
}
