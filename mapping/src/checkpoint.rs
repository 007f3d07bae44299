//! What the updates of this crate put into a checkpoint ([`ceas_sim::checkpoint`]), so that any run of theirs goes on after a kill.

use std::collections::VecDeque;

use ceas_sim::checkpoint::{Reader, Recognizable, Refusal, SavedState, SavedUpdate, Writer, stir};
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::spins::Spins;

use crate::attention::hopfield::{Hopfield, HopfieldGibbs, VisibleHidden};
use crate::encoding::tree::{Descent, Tree};
use crate::norm::{Relaxed, SphericalSpin};
use crate::pbits::{Asynchronous, PBits};
use crate::potts_network::{PottsGibbs, PottsNetwork};

/// A hash of numbers, their count included.
fn hash<'a>(seed: u64, numbers: impl IntoIterator<Item = &'a f64>) -> u64 {
    let mut count = 0;
    let all = numbers.into_iter().inspect(|_| count += 1).fold(seed, |hash, x| stir(hash, x.to_bits()));
    stir(all, count)
}

fn numbers(count: usize, from: &mut Reader<'_>) -> Result<Vec<f64>, Refusal> {
    // Eight bytes each: no more is set aside than the file holds.
    if from.left() / 8 < count {
        return Err(from.broken("fewer numbers than the model has components"));
    }
    (0..count).map(|_| from.f64()).collect()
}

fn below(limit: usize, violated: &'static str, from: &mut Reader<'_>) -> Result<usize, Refusal> {
    let number = from.u64()?;
    if number < limit as u64 { Ok(number as usize) } else { Err(from.broken(violated)) }
}

impl Recognizable for Hopfield {
    fn fingerprint(&self) -> u64 {
        stir(hash(20, &self.patterns), stir(self.patterns.ncols() as u64, self.beta.value().to_bits()))
    }
}

impl SavedState<Hopfield> for VisibleHidden {
    fn save(&self, out: &mut Writer) {
        self.visible.iter().for_each(|&x| out.f64(x));
        out.u64(self.hidden as u64);
    }

    fn load(model: &Hopfield, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let visible = numbers(model.patterns.ncols(), from)?;
        Ok(Self { visible, hidden: below(model.patterns.nrows(), "a pattern that does not exist", from)? })
    }
}

impl Recognizable for PottsNetwork {
    fn fingerprint(&self) -> u64 {
        let fields = stir(hash(21, &self.fields), self.fields.ncols() as u64);
        match &self.couplings {
            None => fields,
            Some((couplings, table)) => hash(hash(fields, couplings), table),
        }
    }
}

impl SavedState<PottsNetwork> for Vec<usize> {
    fn save(&self, out: &mut Writer) {
        self.iter().for_each(|&state| out.u64(state as u64));
    }

    fn load(model: &PottsNetwork, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let (sites, states) = model.size();
        (0..sites).map(|_| below(states, "a state that does not exist", from)).collect()
    }
}

impl Recognizable for SphericalSpin {
    fn fingerprint(&self) -> u64 {
        hash(hash(22, &self.field), &[self.lambda, self.mu, self.temperature])
    }
}

impl SavedState<SphericalSpin> for Vec<f64> {
    fn save(&self, out: &mut Writer) {
        self.iter().for_each(|&x| out.f64(x));
    }

    fn load(model: &SphericalSpin, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        numbers(model.field.len(), from)
    }
}

impl Recognizable for Tree {
    fn fingerprint(&self) -> u64 {
        self.labels.iter().fold(hash(23, &self.fields), |hash, &label| stir(hash, label as u64))
    }
}

impl SavedState<Tree> for usize {
    fn save(&self, out: &mut Writer) {
        out.u64(*self as u64);
    }

    fn load(model: &Tree, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let most = model.labels.iter().max().map_or(0, |&label| label + 1);
        below(most, "a label that no leaf has", from)
    }
}

/// Updates that learn nothing: kind alone.
macro_rules! stateless {
    ($update:ty, $self:ident => $kind:expr) => {
        impl SavedUpdate for $update {
            fn kind(&$self) -> String {
                $kind
            }

            fn save(&self, _: &Self::State, _: &mut Writer) {}

            fn restore(&mut self, _: &Self::State, _: &mut Reader<'_>) -> Result<(), Refusal> {
                Ok(())
            }
        }
    };
}

stateless!(HopfieldGibbs, self => match &self.held {
    None => "hopfield gibbs".into(),
    Some(held) => format!("hopfield gibbs, held {:016x}", hash(24, held)),
});
stateless!(PottsGibbs, self => "potts gibbs".into());
stateless!(Relaxed, self => "spherical langevin".into());
stateless!(Descent, self => "descent of a tree".into());
stateless!(PBits, self => {
    let held: Vec<usize> = (0..self.held.len()).filter(|&site| self.held[site]).collect();
    format!("p-bits, noise {:?}, held {held:?}", self.noise())
});

impl SavedUpdate for Asynchronous {
    fn kind(&self) -> String {
        format!("asynchronous p-bits, noise {:?}, latency {:e}", self.noise, self.clocks.latency)
    }

    fn save(&self, _: &Spins, out: &mut Writer) {
        out.f64(self.clocks.time);
        out.u8(u8::from(self.seen.is_some()));
        if let Some(seen) = &self.seen {
            out.u64(seen.len() as u64);
            SavedState::<Hamiltonian>::save(seen, out);
        }
        out.u64(self.clocks.under_way.len() as u64);
        for &(when, site) in &self.clocks.under_way {
            out.f64(when);
            out.u64(site as u64);
        }
    }

    fn restore(&mut self, spins: &Spins, from: &mut Reader<'_>) -> Result<(), Refusal> {
        self.clocks.time = from.f64()?;
        self.seen = None;
        if from.u8()? == 1 {
            below(spins.len() + 1, "a wire with another number of ends", from)?;
            let bytes = from.raw(spins.len().div_ceil(8))?;
            let value = |site: usize| if bytes[site / 8] >> (site % 8) & 1 == 1 { 1 } else { -1 };
            let values: Vec<i8> = (0..spins.len()).map(value).collect();
            self.seen = Some(Spins::from_values(values).map_err(|_| from.broken("spins that are not ±1"))?);
        }
        let count = from.count()?;
        self.clocks.under_way = VecDeque::new();
        for _ in 0..count {
            let when = from.f64()?;
            self.clocks
                .under_way
                .push_back((when, below(spins.len(), "a flip of a site that does not exist", from)?));
        }
        Ok(())
    }
}
