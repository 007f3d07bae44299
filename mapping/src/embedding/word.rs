//! An embedding as clamped words of spins.

use ceas_sim::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;

use crate::error::Error;
use crate::pbits::{Noise, PBits};
use crate::program::{Clamp, Component, Decoder, Fidelity, Footprint, Program};

/// x_a = (Δ/2) Σ_b 2^b σ_ab: `bits` spins per number, levels Δ apart, from −Δ(2^B − 1)/2 to Δ(2^B − 1)/2.
///
/// A coupling to x_a becomes `bits` couplings in the ratio 1 : 2 : 4 …. The error is at most Δ/2 within the range and Δ²/12 in mean square for
/// numbers spread over many levels. The input is x, the output what the word says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpinWords {
    /// B, 1 to 24.
    pub bits: u32,
    /// Δ > 0: the distance between two levels.
    pub step: f64,
}

/// Reads words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WordReadout {
    words: SpinWords,
    width: usize,
}

impl SpinWords {
    /// Words whose levels just reach ±`largest`.
    pub fn reaching(largest: f64, bits: u32) -> Self {
        Self { bits, step: 2.0 * largest / ((1u64 << bits) - 1) as f64 }
    }

    /// The spins of one number, least significant first; a number beyond the range gets the nearest level.
    pub fn encode(&self, x: f64) -> impl Iterator<Item = i8> {
        let highest = ((1u64 << self.bits) - 1) as f64;
        let level = libm::round(x / self.step + 0.5 * highest).clamp(0.0, highest) as u64;
        (0..self.bits).map(move |bit| if level >> bit & 1 == 1 { 1 } else { -1 })
    }

    /// (Δ/2) Σ_b 2^b σ_b.
    pub fn decode(&self, spins: &[i8]) -> f64 {
        0.5 * self.step
            * spins.iter().enumerate().map(|(bit, &s)| f64::from(s) * (1u64 << bit) as f64).sum::<f64>()
    }

    /// Weight (Δ/2) 2^b of bit b.
    pub fn weight(&self, bit: u32) -> f64 {
        0.5 * self.step * (1u64 << bit) as f64
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if (1..=24).contains(&self.bits) && self.step > 0.0 && self.step.is_finite() {
            return Ok(());
        }
        Err(Error::Component {
            component: "spin words",
            violated: "a word has 1 to 24 bits and a step Δ > 0",
        })
    }
}

impl Decoder for WordReadout {
    type State = Spins;

    fn width(&self) -> usize {
        self.width
    }

    fn read(&self, state: &Spins, sum: &mut [f64]) -> bool {
        let words = state.as_slice().chunks_exact(self.words.bits as usize);
        sum.iter_mut().zip(words).for_each(|(sum, word)| *sum += self.words.decode(word));
        true
    }
}

impl Component for SpinWords {
    type Input = [f64];
    type Update = PBits;
    type Decoder = WordReadout;

    fn lower(&self, x: &[f64]) -> Result<Program<PBits, WordReadout>, Error> {
        self.check()?;
        let spins: Vec<i8> = x.iter().flat_map(|&x| self.encode(x)).collect();
        let n = spins.len();
        let topology = Topology::from_bonds(n, &[])?;
        let clamps = spins.iter().enumerate().map(|(unit, &s)| Clamp { unit, value: f64::from(s) });
        Ok(Program {
            model: Hamiltonian::new(topology, Couplings::Uniform(0.0), Field::Zero)?,
            clamps: clamps.collect(),
            start: Spins::from_values(spins)?,
            update: PBits::new(Noise::Logistic).holding(n, 0..n),
            schedule: Schedule::Constant(Beta::new(1.0)?),
            decoder: WordReadout { words: *self, width: x.len() },
            fidelity: Fidelity::Controlled { bound: 0.5 * self.step },
        })
    }

    fn reference(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        Ok(x.to_vec())
    }

    fn footprint(&self, x: &[f64]) -> Footprint {
        let n = x.len() as u64 * u64::from(self.bits);
        Footprint { clamps: n, read_outs: n, ..Footprint::default() }
    }
}
