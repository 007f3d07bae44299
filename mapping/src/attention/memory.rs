//! K written as couplings once per context, the query as clamps: the memory is in the wires.
//!
//! ```text
//! E(x, n) = −Σ_(j,a) K_ja x_a n_j        x_a = q_a clamped,  Σ_j n_j = 1
//! ```
//!
//! Given the clamps, unit j feels Σ_a K_ja q_a = s_j, so that the law of n is the attention row: the same as with fields, for T·d_k couplings
//! written once per head and d_k clamps per query instead of T fields. (Couplings that hold weights only cannot do it: u·x_i cancels in
//! the softmax over j.) [`MemoryRow`] is this on a native Potts spin with analogue clamps, [`MemoryBits`] on p-bits, each
//! component of the query being a word of clamped spins; V stays where read-outs are added up.

use ceas_sim::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::potts::{HeatBath, PottsSpin};
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;
use ndarray::{Array2, ArrayView1};

use crate::embedding::SpinWords;
use crate::encoding::tree::Labels;
use crate::error::Error;
use crate::one_hot::{Penalty, offset};
use crate::pbits::{Noise, PBits};
use crate::program::{Clamp, Component, Decoder, Fidelity, Footprint, Program};

/// An attention row on a Potts spin coupled to clamped analogue units; the input is the query, the output the probability of every key.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryRow {
    /// K, `[keys, d]`: the couplings.
    pub keys: Array2<f64>,
    /// The inverse temperature.
    pub beta: Beta,
}

impl MemoryRow {
    /// What every unit feels under the clamps: K q.
    fn felt(&self, query: &[f64]) -> Result<Vec<f64>, Error> {
        if query.len() != self.keys.ncols() {
            let violated = "the query has one number per column of K";
            return Err(Error::Component { component: "memory", violated });
        }
        Ok(self.keys.dot(&ArrayView1::from(query)).to_vec())
    }
}

impl Component for MemoryRow {
    type Input = [f64];
    type Update = HeatBath;
    type Decoder = Labels;

    fn lower(&self, query: &[f64]) -> Result<Program<HeatBath, Labels>, Error> {
        Ok(Program {
            model: PottsSpin::new(&self.felt(query)?)?,
            clamps: query.iter().enumerate().map(|(unit, &value)| Clamp { unit, value }).collect(),
            start: 0,
            update: HeatBath::default(),
            schedule: Schedule::Constant(self.beta),
            decoder: Labels { labels: self.keys.nrows() },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    fn reference(&self, query: &[f64]) -> Result<Vec<f64>, Error> {
        Ok(PottsSpin::new(&self.felt(query)?)?.law(self.beta).probabilities().to_vec())
    }

    fn footprint(&self, query: &[f64]) -> Footprint {
        let n = self.keys.nrows() as u64;
        Footprint {
            spins: n,
            clamps: query.len() as u64,
            couplings: n * query.len() as u64,
            fields: 0,
            read_outs: n.next_power_of_two().trailing_zeros().into(),
        }
    }
}

/// The same on an Ising lattice: sites 0 … N−1 are the p-bits n_j = (1 + τ_j)/2, then come the words of the query, clamped.
///
/// J between τ_j and bit b of x_a is K_ja (Δ/2) 2^b / 2; given exactly one n_j up the law is the softmax of βK x with x the query as its
/// words say it. No penalty is needed ([`crate::one_hot`]): an offset puts one bit up on average.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryBits {
    /// K and β; not 0.
    pub memory: MemoryRow,
    /// How a component of the query becomes spins.
    pub words: SpinWords,
}

/// Reads which of the first bits is the only one up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstBits {
    /// N.
    pub bits: usize,
}

impl Decoder for FirstBits {
    type State = Spins;

    fn width(&self) -> usize {
        self.bits
    }

    fn read(&self, state: &Spins, sum: &mut [f64]) -> bool {
        let mut up = (0..self.bits).filter(|&j| state.get(j) == 1);
        match (up.next(), up.next()) {
            (Some(j), None) => {
                sum[j] += 1.0;
                true
            }
            _ => false,
        }
    }
}

impl MemoryBits {
    /// The query as its words say it.
    pub fn heard(&self, query: &[f64]) -> Vec<f64> {
        let word = |&x: &f64| self.words.decode(&self.words.encode(x).collect::<Vec<_>>());
        query.iter().map(word).collect()
    }
}

impl Component for MemoryBits {
    type Input = [f64];
    type Update = PBits;
    type Decoder = FirstBits;

    fn lower(&self, query: &[f64]) -> Result<Program<PBits, FirstBits>, Error> {
        self.words.check()?;
        let (n, bits) = (self.memory.keys.nrows(), self.words.bits);
        let spin = PottsSpin::new(&self.memory.felt(&self.heard(query))?)?;
        let b = self.memory.beta.value();
        if b == 0.0 {
            let violated = "β must be positive: the offset is a multiple of 1/β";
            return Err(Error::Component { component: "memory", violated });
        }
        let ln_weights: Vec<f64> = (0..n).map(|j| b * spin.gap(j)).collect();
        // The gaps leave the largest score out; the clamps put it back.
        let mu = offset(&ln_weights, Penalty::NONE.strength) / b - spin.highest();
        let (mut bonds, mut couplings) = (Vec::new(), Vec::new());
        for (j, key) in self.memory.keys.rows().into_iter().enumerate() {
            for (a, &k) in key.iter().enumerate() {
                for bit in 0..bits {
                    bonds.push((j as u32, (n + a * bits as usize) as u32 + bit));
                    couplings.push(0.5 * k * self.words.weight(bit));
                }
            }
        }
        let clamped: Vec<i8> = query.iter().flat_map(|&x| self.words.encode(x)).collect();
        let sites = n + clamped.len();
        let clamps = clamped.iter().enumerate();
        let clamps = clamps.map(|(i, &s)| Clamp { unit: n + i, value: f64::from(s) }).collect();
        let fields = (0..sites).map(|site| if site < n { 0.5 * mu } else { 0.0 }).collect();
        let topology = Topology::from_bonds(sites, &bonds)?;
        Ok(Program {
            model: Hamiltonian::new(topology, Couplings::PerBond(couplings), Field::PerSite(fields))?,
            clamps,
            start: Spins::from_values(std::iter::repeat_n(-1, n).chain(clamped).collect())?,
            update: PBits::new(Noise::Logistic).holding(sites, n..sites),
            schedule: Schedule::Constant(self.memory.beta),
            decoder: FirstBits { bits: n },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    /// The row of the query as its words say it.
    fn reference(&self, query: &[f64]) -> Result<Vec<f64>, Error> {
        self.memory.reference(&self.heard(query))
    }

    fn footprint(&self, query: &[f64]) -> Footprint {
        let n = self.memory.keys.nrows() as u64;
        let clamps = query.len() as u64 * u64::from(self.words.bits);
        Footprint { spins: n, clamps, couplings: n * clamps, fields: n, read_outs: n }
    }
}
