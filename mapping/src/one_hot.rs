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

use crate::error::Error;
use crate::program::{Fidelity, Program};

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
    pub fn lower(spin: &PottsSpin, beta: Beta, penalty: Penalty) -> Result<Program<Self>, Error> {
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
        let hamiltonian = Hamiltonian::new(topology, Couplings::Uniform(-0.5 * a), Field::PerSite(fields))?;
        Ok(Program {
            hamiltonian,
            schedule: Schedule::Constant(beta),
            decoder: Self { labels },
            fidelity: Fidelity::ExactInLaw,
        })
    }
}

/// Bits up beyond which the law of their number is cut off: at one bit up on average, more have a probability below 1e-80.
const MOST_UP: usize = 64;

/// Largest βμ + ln Σw: a row that is all but one state would ask for a boundless offset.
const LARGEST_OFFSET: f64 = 16.0;

/// βμ such that ⟨Σ n⟩ = 1, from the logarithms of the weights e^(βs_j) and the strength of the penalty.
fn offset(ln_weights: &[f64], strength: f64) -> f64 {
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
