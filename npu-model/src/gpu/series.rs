//! Achieved throughput of a kernel over the length of its sequences, and the law fitted to it.

use serde::{Deserialize, Serialize};

use crate::provenance::{Evidence, Provenance};
use crate::units::FlopsPerSecond;

/// How numbers are stored and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Sixteen bits, fp16 or bf16, accumulated in 32.
    Fp16,
    /// Eight bits.
    Fp8,
    /// Thirty-two bits.
    Fp32,
}

impl Format {
    /// Bytes of one number.
    pub fn bytes(self) -> f64 {
        match self {
            Self::Fp16 => 2.0,
            Self::Fp8 => 1.0,
            Self::Fp32 => 4.0,
        }
    }
}

/// What a series is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Measured, and the model is fitted to it.
    Fit,
    /// Measured by somebody else, and never fitted: it tests a fit.
    HoldOut,
    /// Nobody published a measurement: a share of the peak, assumed.
    Assumed,
}

/// T(n) = T_inf / (1 + (n_half/n)^γ): throughput rises to T_inf, and is half of it at n_half.
///
/// γ = 1 is what a fixed cost for each tile of queries gives. A kernel that overlaps it with work (FlashAttention-3) rises faster:
/// γ is fitted where there are five points or more, and 1 otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Curve {
    /// Throughput of an infinite sequence.
    pub t_inf: FlopsPerSecond,
    /// Length at which half of it is reached.
    pub n_half: f64,
    /// How steep the rise is.
    pub gamma: f64,
    /// Largest relative deviation from the points it was fitted to; 0 for an assumed curve.
    pub max_err: f64,
}

/// Points below which γ stays 1.
const POINTS_FOR_GAMMA: usize = 5;
/// Largest half length that is tried, in units of the longest sequence.
const LONGEST_HALF: f64 = 16.0;

impl Curve {
    /// Throughput at length n.
    pub fn throughput(&self, n: u64) -> FlopsPerSecond {
        FlopsPerSecond::new(self.t_inf.value() / (1.0 + (self.n_half / n as f64).powf(self.gamma)))
    }

    /// The curve whose largest relative deviation from the points is least.
    ///
    /// For given n_half and γ the best T_inf is closed: with a_i = 1/((1 + (n_half/n_i)^γ) T_i) it is 2/(a_min + a_max), and the
    /// deviation (a_max − a_min)/(a_max + a_min). n_half is found by golden section in its logarithm, γ on a grid of 0.05. A single
    /// point leaves n_half open: it has to be given.
    pub(crate) fn fitted(points: &[(u64, f64)], n_half: Option<f64>) -> Self {
        let at = |half: f64, gamma: f64| {
            let scale = points.iter().map(|&(n, t)| 1.0 / ((1.0 + (half / n as f64).powf(gamma)) * t));
            let (low, high) = scale.fold((f64::INFINITY, 0.0f64), |(low, high), a| (low.min(a), high.max(a)));
            let t_inf = FlopsPerSecond::new(2.0 / (low + high));
            Self { t_inf, n_half: half, gamma, max_err: (high - low) / (high + low) }
        };
        if let Some(half) = n_half {
            return at(half, 1.0);
        }
        let longest = points.iter().map(|p| p.0).max().unwrap_or(1) as f64;
        let gammas = if points.len() >= POINTS_FOR_GAMMA { 10..=50 } else { 20..=20 };
        let curves = gammas.map(|g| {
            let gamma = f64::from(g) * 0.05;
            let flat = at(0.0, gamma);
            let rising =
                golden((0.01f64).ln(), (longest * LONGEST_HALF).ln(), |x| at(x.exp(), gamma).max_err);
            let rising = at(rising.exp(), gamma);
            if flat.max_err <= rising.max_err { flat } else { rising }
        });
        curves.min_by(|a, b| a.max_err.total_cmp(&b.max_err)).expect("at least one γ is tried")
    }
}

/// Where a function with one minimum has it.
fn golden(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let inverse = 0.618_033_988_749_894_9;
    let (mut a, mut b) = (high - inverse * (high - low), low + inverse * (high - low));
    let (mut fa, mut fb) = (f(a), f(b));
    for _ in 0..60 {
        if fa < fb {
            (high, b, fb) = (b, a, fa);
            a = high - inverse * (high - low);
            fa = f(a);
        } else {
            (low, a, fa) = (a, b, fb);
            b = low + inverse * (high - low);
            fb = f(b);
        }
    }
    0.5 * (low + high)
}

/// A series of achieved throughput.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Its name.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// The kernel that ran.
    pub kernel: String,
    /// How it computed.
    pub format: Format,
    /// Head dimension.
    pub d_head: u64,
    /// Whether masked pairs were left out.
    pub causal: bool,
    /// Lengths n; none if it is assumed.
    pub seq: Vec<u64>,
    /// Achieved throughput at these lengths.
    pub achieved: Vec<FlopsPerSecond>,
    /// The law; a hold-out has none.
    pub curve: Option<Curve>,
    /// Factors low, mid, high on the curve that its file states: other machines, clocks and laboratories.
    pub spread: Option<[f64; 3]>,
    /// What the numbers are worth: what the file claims, less if the source was not read ([`Evidence::worth`]).
    pub evidence: Evidence,
    /// How this project came by them.
    pub provenance: Provenance,
    /// Where they stand.
    pub source: String,
    /// When, and against what text, this project read them, and what stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<String>,
}

impl Series {
    /// Relative deviations of a curve from the points of this series: (n, T(n)/T − 1).
    pub fn deviations_of(&self, curve: &Curve) -> Vec<(u64, f64)> {
        let deviation = |(&n, &t): (&u64, &FlopsPerSecond)| (n, curve.throughput(n) / t - 1.0);
        self.seq.iter().zip(&self.achieved).map(deviation).collect()
    }

    /// Largest of them, without sign.
    pub fn deviation_of(&self, curve: &Curve) -> f64 {
        self.deviations_of(curve).into_iter().map(|(_, d)| d.abs()).fold(0.0, f64::max)
    }

    /// What every point but one says of that one: the largest relative deviation over the points between the first and the last.
    /// It tests the shape of the law, which a fit to all points cannot.
    pub fn leave_one_out(&self) -> f64 {
        let points: Vec<(u64, f64)> =
            self.seq.iter().zip(&self.achieved).map(|(&n, t)| (n, t.value())).collect();
        let inner = 1..points.len().saturating_sub(1);
        let without = |i: usize| {
            let others: Vec<_> =
                points.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| *p).collect();
            let (n, t) = points[i];
            (Curve::fitted(&others, None).throughput(n).value() / t - 1.0).abs()
        };
        inner.map(without).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_is_recovered_from_its_own_points() {
        let law = Curve { t_inf: FlopsPerSecond::new(6e14), n_half: 250.0, gamma: 1.3, max_err: 0.0 };
        let points: Vec<(u64, f64)> =
            [512, 1024, 2048, 4096, 8192, 16384].map(|n| (n, law.throughput(n).value())).to_vec();
        let found = Curve::fitted(&points, None);
        assert!((found.t_inf / law.t_inf - 1.0).abs() < 1e-4 && (found.gamma - 1.3).abs() < 1e-9);
        assert!((found.n_half / 250.0 - 1.0).abs() < 1e-3 && found.max_err < 1e-5, "{found:?}");
        // Few points leave γ = 1, one point leaves n_half as given.
        assert_eq!(Curve::fitted(&points[..3], None).gamma, 1.0);
        let one = Curve::fitted(&points[2..3], Some(100.0));
        assert!((one.throughput(2048).value() / points[2].1 - 1.0).abs() < 1e-12);
        // A constant has no rise.
        let flat: Vec<(u64, f64)> = [512, 1024, 2048].map(|n| (n, 1e12)).to_vec();
        assert_eq!(Curve::fitted(&flat, None).max_err, 0.0);
    }
}
