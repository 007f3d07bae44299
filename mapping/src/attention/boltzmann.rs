//! Attention whose choices feel each other: two models of their own, neither of them softmax.
//!
//! ```text
//! Boltzmann attention:   E(n) = −Σ_j s_j n_j − Σ_(j<k) J_jk n_j n_k,      n_j ∈ {0, 1},   o = Σ_j ⟨n_j⟩ v_j
//! synchronised queries:  E(s) = −Σ_i s_i(j_i) − Σ_(i<i') J_ii' [j_i = j_i']   one Potts spin j_i per query
//! ```
//!
//! The first couples the *keys* of one query: with J = 0 it is sigmoid attention ⟨n_j⟩ = σ(βs_j), and J is learned by the
//! gradient ∂⟨n_i⟩/∂J_jk = β Cov(n_i, n_j n_k), which is a read-out of the same spins ([`BoltzmannRow::gradient`]). G. Kim and D. K. Park,
//! arXiv:2606.12478. The second couples the *queries* ([`Synchronised`]): with J = 0 it is softmax attention; with J > 0 queries that are
//! coupled look at the same keys. It is a Potts ferromagnet in fields, and has that model's transitions.

use ceas_sim::Beta;
use ceas_sim::exact::enumeration;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;
use ceas_sim::update::HeatBath;
use ndarray::Array2;

use crate::error::Error;
use crate::potts_network::{Occupations, PottsGibbs, PottsNetwork};
use crate::program::{Component, Decoder, Fidelity, Footprint, Program};

/// One query of Boltzmann attention; the input is its scores, the output ⟨n_j⟩ of every key.
#[derive(Debug, Clone, PartialEq)]
pub struct BoltzmannRow {
    /// J `[keys, keys]`, symmetric; its diagonal is not looked at.
    pub couplings: Array2<f64>,
    /// The inverse temperature.
    pub beta: Beta,
}

/// Adds up n = (1 + s)/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitsUp {
    /// How many bits.
    pub bits: usize,
}

impl Decoder for BitsUp {
    type State = Spins;

    fn width(&self) -> usize {
        self.bits
    }

    fn read(&self, state: &Spins, sum: &mut [f64]) -> bool {
        sum.iter_mut().zip(state.as_slice()).for_each(|(sum, &s)| *sum += f64::from((1 + s) / 2));
        true
    }
}

impl BoltzmannRow {
    /// The row as an Ising model: J/4 between spins and s_j/2 + Σ_k J_jk/4 as fields.
    fn hamiltonian(&self, scores: &[f64]) -> Result<Hamiltonian, Error> {
        let n = scores.len();
        let j = &self.couplings;
        let symmetric = || j.indexed_iter().all(|((a, b), x)| x.is_finite() && j[[b, a]] == *x);
        if j.dim() != (n, n) || !symmetric() {
            let violated = "J is [keys, keys], symmetric and finite";
            return Err(Error::Component { component: "Boltzmann attention", violated });
        }
        let pairs =
            || (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).filter(|&(a, b)| j[[a, b]] != 0.0);
        let bonds: Vec<(u32, u32)> = pairs().map(|(a, b)| (a as u32, b as u32)).collect();
        let couplings = pairs().map(|(a, b)| 0.25 * j[[a, b]]).collect();
        let pulled = |a: usize| (0..n).filter(|&b| b != a).map(|b| j[[a, b]]).sum::<f64>();
        let fields = scores.iter().enumerate().map(|(a, s)| 0.5 * s + 0.25 * pulled(a)).collect();
        let topology = Topology::from_bonds(n, &bonds)?;
        Ok(Hamiltonian::new(topology, Couplings::PerBond(couplings), Field::PerSite(fields))?)
    }

    /// Calls `see(weight, bits)` for every configuration, weights relative to the largest.
    fn visit(&self, scores: &[f64], mut see: impl FnMut(f64, &[i8])) -> Result<(), Error> {
        let model = self.hamiltonian(scores)?;
        let mut lowest = f64::INFINITY;
        enumeration::visit(&model, |_, energy| lowest = lowest.min(energy))?;
        enumeration::visit(&model, |spins, energy| {
            see(libm::exp(-self.beta.value() * (energy - lowest)), spins.as_slice());
        })?;
        Ok(())
    }

    /// ∂L/∂J_jk for an upstream gradient ∂L/∂⟨n_i⟩: β Cov(Σ_i g_i n_i, n_j n_k), by enumeration; symmetric, 0 on the diagonal.
    ///
    /// # Errors
    /// [`Error::Sim`] for more keys than are enumerated, [`Error::Component`] if J or `upstream` does not fit.
    pub fn gradient(&self, scores: &[f64], upstream: &[f64]) -> Result<Array2<f64>, Error> {
        let n = scores.len();
        if upstream.len() != n {
            let violated = "the upstream gradient has one number per key";
            return Err(Error::Component { component: "Boltzmann attention", violated });
        }
        let (mut z, mut loss) = (0.0, 0.0);
        let (mut pairs, mut with_loss) = (Array2::<f64>::zeros((n, n)), Array2::<f64>::zeros((n, n)));
        self.visit(scores, |weight, spins| {
            let value: f64 = upstream.iter().zip(spins).filter(|(_, s)| **s == 1).map(|(g, _)| g).sum();
            z += weight;
            loss += weight * value;
            for a in (0..n).filter(|&a| spins[a] == 1) {
                for b in (0..n).filter(|&b| b != a && spins[b] == 1) {
                    pairs[[a, b]] += weight;
                    with_loss[[a, b]] += weight * value;
                }
            }
        })?;
        Ok((with_loss / z - pairs * (loss / (z * z))) * self.beta.value())
    }
}

impl Component for BoltzmannRow {
    type Input = [f64];
    type Update = HeatBath;
    type Decoder = BitsUp;

    fn lower(&self, scores: &[f64]) -> Result<Program<HeatBath, BitsUp>, Error> {
        let model = self.hamiltonian(scores)?;
        Ok(Program {
            start: Spins::up(scores.len()),
            update: HeatBath::new(&model)?,
            model,
            clamps: Vec::new(),
            schedule: Schedule::Constant(self.beta),
            decoder: BitsUp { bits: scores.len() },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    /// By enumeration, for at most [`enumeration::MOST_SITES`] keys; σ(βs) for any number of keys if J = 0.
    fn reference(&self, scores: &[f64]) -> Result<Vec<f64>, Error> {
        if self.hamiltonian(scores)?.topology().n_bonds() == 0 {
            let b = self.beta.value();
            return Ok(scores.iter().map(|s| 1.0 / (1.0 + libm::exp(-b * s))).collect());
        }
        let (mut z, mut sum) = (0.0, vec![0.0; scores.len()]);
        self.visit(scores, |weight, spins| {
            z += weight;
            sum.iter_mut().zip(spins).filter(|(_, s)| **s == 1).for_each(|(sum, _)| *sum += weight);
        })?;
        Ok(sum.into_iter().map(|sum| sum / z).collect())
    }

    fn footprint(&self, scores: &[f64]) -> Footprint {
        let n = scores.len() as u64;
        let couplings =
            self.couplings.indexed_iter().filter(|((a, b), j)| a < b && **j != 0.0).count() as u64;
        Footprint { spins: n, couplings, fields: n, read_outs: n, ..Footprint::default() }
    }
}

/// Queries as Potts spins that feel each other; the input is their scores `[queries, keys]`, the output their rows, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Synchronised {
    /// J `[queries, queries]`, symmetric; its diagonal is not looked at.
    pub couplings: Array2<f64>,
    /// The inverse temperature.
    pub beta: Beta,
}

impl Component for Synchronised {
    type Input = Array2<f64>;
    type Update = PottsGibbs;
    type Decoder = Occupations;

    fn lower(&self, scores: &Array2<f64>) -> Result<Program<PottsGibbs, Occupations>, Error> {
        let (sites, states) = scores.dim();
        let model = PottsNetwork::independent(scores.clone())?;
        Ok(Program {
            model: model.coupled(self.couplings.clone(), Array2::eye(states))?,
            clamps: Vec::new(),
            start: scores.rows().into_iter().map(|row| first_present(row.iter())).collect(),
            update: PottsGibbs,
            schedule: Schedule::Constant(self.beta),
            decoder: Occupations { sites, states },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    /// By enumeration, for at most 2²⁰ configurations.
    fn reference(&self, scores: &Array2<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.lower(scores)?.model.marginals(self.beta)?.into_iter().collect())
    }

    fn footprint(&self, scores: &Array2<f64>) -> Footprint {
        let (queries, keys) = (scores.nrows() as u64, scores.ncols() as u64);
        let coupled = self.couplings.indexed_iter().filter(|((a, b), j)| a < b && **j != 0.0).count() as u64;
        let bits: u64 = keys.next_power_of_two().trailing_zeros().into();
        Footprint {
            spins: queries * keys,
            couplings: coupled * keys,
            fields: queries * keys,
            read_outs: queries * bits,
            clamps: 0,
        }
    }
}

/// The first state with a finite field.
fn first_present<'a>(mut fields: impl Iterator<Item = &'a f64>) -> usize {
    fields.position(|h| h.is_finite()).unwrap_or(0)
}
