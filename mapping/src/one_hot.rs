//! An attention row on binary hardware: one Potts spin as a one-hot cluster of p-bits.
//!
//! ```text
//! E(n) = − Σ_j (s_j + μ) n_j + A (Σ_j n_j − 1)²      n_j ∈ {0, 1}
//! ```
//!
//! With n = (1 + σ)/2 this is an Ising model on the complete graph with J = −A/2 and h_j = (s_j + μ)/2 − A(N − 2)/2. *Given* that
//! exactly one bit is up, bit j is the one with probability e^(βs_j)/Z for every A and μ: the penalty only decides how often
//! a read-out is valid and how slowly the cluster moves. The number k of bits up has P(k) ∝ e^(−βA(k−1)²) e_k(w) with e_k the elementary
//! symmetric polynomials of w_j = e^(β(s_j+μ)).
//!
//! Without a penalty, A = 0, the bits are not coupled at all: N independent p-bits that are read out until exactly one is up. That
//! asks for no connectivity, costs no autocorrelation, and on real heads is valid about two times in five.

use ceas_sim::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::potts::PottsSpin;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;
use ceas_sim::update::HeatBath;

use crate::error::Error;
use crate::program::{Component, Decoder, Fidelity, Footprint, Program};

/// How strongly a cluster is held to one bit up.
///
/// The offset μ is always such that one bit is up on average, ⟨Σ n⟩ = 1. Under a strong penalty this makes the two ways to be
/// invalid, none up and two up, equally likely; without one it makes a valid read-out as likely as it can be. The lowering finds
/// it from the weights of the row; a device would find it by feedback on its mean number of bits up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// βA ≥ 0: the penalty in units of kT.
    pub strength: f64,
}

impl Penalty {
    /// Uncoupled bits.
    pub const NONE: Self = Self { strength: 0.0 };
}

/// Reads a cluster: the label of the one bit that is up.
#[derive(Debug, Clone, PartialEq)]
pub struct OneHot {
    labels: Vec<usize>,
    /// Number of labels of the spin, absent states included.
    width: usize,
}

impl OneHot {
    /// The label of the state, or `None` if not exactly one bit is up.
    ///
    /// ```
    /// use ceas_mapping::one_hot::{OneHot, Penalty};
    /// use ceas_sim::{Beta, potts::PottsSpin, spins::Spins};
    /// let spin = PottsSpin::new(&[0.0, 2.0, 1.0]).unwrap();
    /// let cluster = OneHot::lower(&spin, Beta::new(1.0).unwrap(), Penalty::NONE).unwrap();
    /// let read = |bits: [i8; 3]| cluster.decoder.read(&Spins::from_values(bits.to_vec()).unwrap());
    /// assert_eq!(read([-1, 1, -1]), Some(1));
    /// assert_eq!(read([1, 1, -1]), None);
    /// assert_eq!(read([-1, -1, -1]), None);
    /// ```
    pub fn read(&self, spins: &Spins) -> Option<usize> {
        let mut up =
            spins.as_slice().iter().zip(&self.labels).filter(|(s, _)| **s == 1).map(|(_, label)| *label);
        let first = up.next();
        if up.next().is_some() { None } else { first }
    }

    /// Number of p-bits of the cluster: one per state that is present.
    pub fn bits(&self) -> usize {
        self.labels.len()
    }

    /// The Ising program of `spin` at `beta`: exact in law, given that a read-out is valid.
    ///
    /// # Errors
    /// [`Error::OneHot`] if β = 0, where no finite penalty exists, or if the strength is negative or not finite;
    /// [`Error::Sim`] if the cluster cannot be built.
    pub fn lower(spin: &PottsSpin, beta: Beta, penalty: Penalty) -> Result<Program<HeatBath, Self>, Error> {
        let b = beta.value();
        if b == 0.0 {
            return Err(Error::OneHot { violated: "β must be positive: the penalty is a multiple of 1/β" });
        }
        if !(penalty.strength >= 0.0 && penalty.strength.is_finite()) {
            return Err(Error::OneHot {
                violated: "the strength βA of the penalty must be a finite number ≥ 0",
            });
        }
        let labels: Vec<usize> = (0..spin.labels()).filter(|&j| spin.gap(j).is_finite()).collect();
        let n = labels.len() as f64;
        let ln_weights: Vec<f64> = labels.iter().map(|&j| b * spin.gap(j)).collect();
        let mu = offset(&ln_weights, penalty.strength) / b;
        let a = penalty.strength / b;
        let fields = labels.iter().map(|&j| 0.5 * (spin.gap(j) + mu) - 0.5 * a * (n - 2.0)).collect();
        let coupled = a > 0.0 && labels.len() > 1;
        let topology = if coupled {
            Topology::complete(labels.len())?
        } else {
            Topology::from_bonds(labels.len(), &[])?
        };
        let model = Hamiltonian::new(topology, Couplings::Uniform(-0.5 * a), Field::PerSite(fields))?;
        Ok(Program {
            start: Spins::from_values(vec![-1; labels.len()])?,
            update: HeatBath::new(&model)?,
            model,
            clamps: Vec::new(),
            schedule: Schedule::Constant(beta),
            decoder: Self { labels, width: spin.labels() },
            fidelity: Fidelity::ExactInLaw,
        })
    }
}

impl Decoder for OneHot {
    type State = Spins;

    fn width(&self) -> usize {
        self.width
    }

    fn read(&self, state: &Spins, sum: &mut [f64]) -> bool {
        let label = OneHot::read(self, state);
        if let Some(label) = label {
            sum[label] += 1.0;
        }
        label.is_some()
    }
}

/// An attention row on a one-hot cluster of p-bits: the input is its Potts spin, the output its probabilities by label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneHotRow {
    /// The inverse temperature of the row; not 0.
    pub beta: Beta,
    /// How the cluster is held to one bit.
    pub penalty: Penalty,
}

impl Component for OneHotRow {
    type Input = PottsSpin;
    type Update = HeatBath;
    type Decoder = OneHot;

    fn lower(&self, spin: &PottsSpin) -> Result<Program<HeatBath, OneHot>, Error> {
        OneHot::lower(spin, self.beta, self.penalty)
    }

    fn reference(&self, spin: &PottsSpin) -> Result<Vec<f64>, Error> {
        Ok(spin.law(self.beta).probabilities().to_vec())
    }

    fn footprint(&self, spin: &PottsSpin) -> Footprint {
        let n = spin.states() as u64;
        let couplings = if self.penalty.strength > 0.0 { n * (n - 1) / 2 } else { 0 };
        Footprint { spins: n, couplings, fields: n, read_outs: n, ..Footprint::default() }
    }
}

/// The number of bits up in a one-hot cluster: P(k) ∝ e^(−βA(k−1)²) e_k(w), `[N + 1]`, from ln w_j = β(s_j + μ) `[N]` and βA.
///
/// e_k are the elementary symmetric polynomials, computed as those of w/Σw, so that nothing overflows. 1 − P(1) is the *leak*: the share of
/// read-outs that are not valid. For a strong penalty it is e^(−βA)\[1/Z + Z(1 − Y₂)/2\] with Z = Σw, which is least,
/// e^(−βA)√(2(1 − Y₂)), at the offset where Z = √(2/(1 − Y₂)).
///
/// ```
/// use ceas_mapping::one_hot::occupation;
/// // Two free bits at w = 1: none, one or two up with probabilities ¼, ½, ¼.
/// let p = occupation(&[0.0, 0.0], 0.0);
/// assert!((p[0] - 0.25).abs() < 1e-15 && (p[1] - 0.5).abs() < 1e-15);
/// ```
pub fn occupation(ln_weights: &[f64], strength: f64) -> Vec<f64> {
    let highest = ln_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if highest == f64::NEG_INFINITY {
        return vec![1.0];
    }
    let weights: Vec<f64> = ln_weights.iter().map(|&x| libm::exp(x - highest)).collect();
    let total: f64 = weights.iter().sum();
    let mut e = vec![0.0; weights.len() + 1];
    e[0] = 1.0;
    for w in &weights {
        for k in (1..e.len()).rev() {
            e[k] += w / total * e[k - 1];
        }
    }
    let ln_total = highest + libm::log(total);
    let exponent =
        |k: usize, e: f64| libm::log(e) + k as f64 * ln_total - strength * (k as f64 - 1.0).powi(2);
    let ln_p: Vec<f64> = e.iter().enumerate().map(|(k, &e)| exponent(k, e)).collect();
    let top = ln_p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let z: f64 = ln_p.iter().map(|x| libm::exp(x - top)).sum();
    ln_p.iter().map(|x| libm::exp(x - top) / z).collect()
}

/// Bits up beyond which the law of their number is cut off: at one bit up on average, more have a probability below 1e-80.
const MOST_UP: usize = 64;

/// Largest βμ + ln Σw: a row that is all but one state would ask for a boundless offset.
const LARGEST_OFFSET: f64 = 16.0;

/// βμ such that ⟨Σ n⟩ = 1, from the logarithms of the weights e^(βs_j) and the strength of the penalty.
pub(crate) fn offset(ln_weights: &[f64], strength: f64) -> f64 {
    let weights: Vec<f64> = ln_weights.iter().map(|&x| libm::exp(x)).collect();
    let total: f64 = weights.iter().sum();
    // e_k of w/Σw: at most 1/k!, all terms positive.
    let mut e = vec![0.0; MOST_UP.min(weights.len()) + 1];
    e[0] = 1.0;
    for w in &weights {
        for k in (1..e.len()).rev() {
            e[k] += w / total * e[k - 1];
        }
    }
    // In a row that is nearly one state, e_k underflows while the factor beside it overflows: only their logarithms are safe.
    let ln_e: Vec<f64> = e.iter().map(|&e| libm::log(e)).collect();
    let too_many_up = |ln_sum: f64| {
        // Sign of Σ (k − 1) P(k).
        let tilt = |k: usize| {
            let from_one = k as f64 - 1.0;
            from_one * libm::exp(k as f64 * ln_sum - strength * from_one * from_one + ln_e[k])
        };
        (0..e.len()).map(tilt).sum::<f64>() > 0.0
    };
    let (mut low, mut high) = (-LARGEST_OFFSET, LARGEST_OFFSET);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if too_many_up(middle) { high = middle } else { low = middle }
    }
    0.5 * (low + high) - libm::log(total)
}
