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

use ceas_sim::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::potts::PottsSpin;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;

use crate::error::Error;
use crate::program::{Fidelity, Program};

/// How strongly a cluster is held to one bit up. Both numbers are in units of kT, that is, multiplied by β.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// βA ≥ 0.
    pub strength: f64,
    /// Whether μ balances the two ways to be invalid, none up and two up; otherwise μ makes Σ w_j = 1.
    ///
    /// Balance is at Σ w = √(2/(1 − Y₂)). It uses ln Z and Y₂ of the row, which a device would have to learn from its own share of
    /// valid read-outs.
    pub balanced: bool,
}

impl Penalty {
    /// The strength that costs the fewest sweeps per independent valid read-out on the bundled heads.
    ///
    /// Small penalties win because invalid read-outs are cheaper than slow ones; `validation/` keeps the scan.
    pub const CHEAPEST: Self = Self { strength: 1.0, balanced: true };
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
    /// let cluster = OneHot::lower(&spin, Beta::new(1.0).unwrap(), Penalty::CHEAPEST).unwrap();
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
        let law = spin.law(beta);
        // ln Σ e^(β gap), with the largest field subtracted.
        let ln_z = law.ln_z() - b * spin.highest();
        let ln_target = if penalty.balanced && labels.len() > 1 {
            // A row that is all but one state (Y₂ → 1) would ask for a boundless μ; e^4 is as good as any.
            (0.5 * (libm::log(2.0) - libm::log(1.0 - law.y2()))).min(4.0)
        } else {
            0.0
        };
        let mu = (ln_target - ln_z) / b;
        let a = penalty.strength / b;
        let fields = labels.iter().map(|&j| 0.5 * (spin.gap(j) + mu) - 0.5 * a * (n - 2.0)).collect();
        let topology =
            if labels.len() == 1 { Topology::open_chain(1)? } else { Topology::complete(labels.len())? };
        let hamiltonian = Hamiltonian::new(topology, Couplings::Uniform(-0.5 * a), Field::PerSite(fields))?;
        Ok(Program {
            hamiltonian,
            schedule: Schedule::Constant(beta),
            decoder: Self { labels },
            fidelity: Fidelity::ExactInLaw,
        })
    }
}
