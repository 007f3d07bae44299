//! What models, configurations and updates put into a checkpoint.

use super::bytes::{Reader, Refusal, Writer};
use crate::beta::Beta;
use crate::hamiltonian::{Couplings, Field, Hamiltonian};
use crate::kernel::Order;
use crate::potts::{self, PottsSpin};
use crate::spins::Spins;
use crate::update::{
    End, HeatBath, Houdayer, ImprovedMoments, Kinetic, Ladder, Metropolis, Pair, Rule, Rung, SwapRate,
    SwendsenWang, Synchronous, Tempering, TimeIntegrals, Update, Wolff, WolffCalibration,
};

/// A model that a checkpoint can recognise.
pub trait Recognizable {
    /// 64 bits that depend on everything that a trajectory depends on. They tell models apart that differ by accident, not by malice.
    fn fingerprint(&self) -> u64;
}

/// A hash that each word changes entirely (SplitMix64's finaliser), to make fingerprints of.
pub fn stir(hash: u64, word: u64) -> u64 {
    let mut z = (hash ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Recognizable for Hamiltonian {
    fn fingerprint(&self) -> u64 {
        let topology = self.topology();
        let mut hash = topology.name().bytes().map(u64::from).fold(1, stir);
        hash = topology.shape().iter().map(|&axis| axis as u64).fold(hash, stir);
        hash = topology.bonds().map(|(a, b)| (a as u64) << 32 ^ b as u64).fold(hash, stir);
        let (tag, j) = match self.couplings() {
            Couplings::Uniform(j) => (1, std::slice::from_ref(j)),
            Couplings::PerBond(j) => (2, j.as_slice()),
        };
        hash = j.iter().map(|j| j.to_bits()).fold(stir(hash, tag), stir);
        let (tag, h) = match self.field() {
            Field::Zero => (3, &[][..]),
            Field::Uniform(h) => (4, std::slice::from_ref(h)),
            Field::PerSite(h) => (5, h.as_slice()),
        };
        h.iter().map(|h| h.to_bits()).fold(stir(hash, tag), stir)
    }
}

impl Recognizable for PottsSpin {
    fn fingerprint(&self) -> u64 {
        let gaps = (0..self.labels()).map(|label| self.gap(label).to_bits());
        gaps.fold(stir(6, self.highest().to_bits()), stir)
    }
}

/// A configuration of a model `M` that can be saved.
pub trait SavedState<M: ?Sized>: Sized {
    /// Writes it.
    fn save(&self, out: &mut Writer);

    /// Reads one of `model`.
    ///
    /// # Errors
    /// [`Refusal`] if the bytes are not a configuration of that model.
    fn load(model: &M, from: &mut Reader<'_>) -> Result<Self, Refusal>;
}

impl SavedState<Hamiltonian> for Spins {
    fn save(&self, out: &mut Writer) {
        let eight = |spins: &[i8]| spins.iter().rev().fold(0, |byte, &s| byte << 1 | u8::from(s > 0));
        out.raw(self.as_slice().chunks(8).map(eight));
    }

    fn load(model: &Hamiltonian, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let n = model.n_sites();
        let bits = from.raw(n.div_ceil(8))?;
        if !n.is_multiple_of(8) && bits[n / 8] >> (n % 8) != 0 {
            return Err(from.broken("there are spins behind the last site"));
        }
        let values = (0..n).map(|i| 2 * (bits[i / 8] >> (i % 8) & 1) as i8 - 1).collect();
        Ok(Self::from_values(values).expect("a bit is turned into +1 or −1"))
    }
}

impl SavedState<Hamiltonian> for Pair {
    fn save(&self, out: &mut Writer) {
        self.both().iter().for_each(|spins| spins.save(out));
    }

    fn load(model: &Hamiltonian, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let (a, b) = (Spins::load(model, from)?, Spins::load(model, from)?);
        Ok(Self::new(a, b).expect("both have the sites of one model"))
    }
}

impl<S: Rung + SavedState<Hamiltonian>> SavedState<Hamiltonian> for Ladder<S> {
    fn save(&self, out: &mut Writer) {
        out.u32(self.rungs.len() as u32);
        self.rungs.iter().for_each(|rung| rung.save(out));
        self.walkers.iter().for_each(|&walker| out.u32(walker));
        self.ends.iter().for_each(|&end| out.u8(end as u8));
    }

    fn load(model: &Hamiltonian, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let count = from.u32()?;
        // Rungs are made one by one as long as there are bytes for them.
        let rungs = (0..count).map(|_| S::load(model, from)).collect::<Result<Vec<_>, _>>()?;
        let mut ladder =
            Self::new(rungs).map_err(|_| from.broken("a ladder has at least two rungs of equal size"))?;
        let places = ladder.walkers.len();
        let mut seen = vec![false; places];
        for walker in &mut ladder.walkers {
            *walker = from.u32()?;
            match seen.get_mut(*walker as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(from.broken("every walker stands on one rung")),
            }
        }
        for end in &mut ladder.ends {
            *end = match from.u8()? {
                0 => End::None,
                1 => End::Hot,
                2 => End::Cold,
                _ => return Err(from.broken("a walker comes from the hot end, the cold end or neither")),
            };
        }
        Ok(ladder)
    }
}

impl SavedState<PottsSpin> for usize {
    fn save(&self, out: &mut Writer) {
        out.u64(*self as u64);
    }

    fn load(model: &PottsSpin, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let label = from.u64()?;
        let present = (label as usize) < model.labels() && model.gap(label as usize).is_finite();
        if label < model.labels() as u64 && present {
            Ok(label as usize)
        } else {
            Err(from.broken("a Potts state that is not present"))
        }
    }
}

impl SavedState<PottsSpin> for potts::Distribution {
    fn save(&self, out: &mut Writer) {
        self.by_rank().iter().for_each(|&p| out.f64(p));
    }

    fn load(model: &PottsSpin, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let p = (0..model.states()).map(|_| from.f64()).collect::<Result<Vec<_>, _>>()?;
        Self::from_ranks(p).ok_or_else(|| from.broken("a probability below 0"))
    }
}

/// An update that can be saved. What it was made with is its [`SavedUpdate::kind`]; what it has learnt on the way is written.
pub trait SavedUpdate: Update {
    /// Its name with everything that its trajectory depends on beside model, state, β and streams.
    fn kind(&self) -> String;

    /// Writes what cannot be found out from the state.
    fn save(&self, state: &Self::State, out: &mut Writer);

    /// Makes an update of the same kind stand where the saved one stood.
    ///
    /// # Errors
    /// [`Refusal`] if the bytes are not such.
    fn restore(&mut self, state: &Self::State, from: &mut Reader<'_>) -> Result<(), Refusal>;
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

fn ordered(name: &str, order: Order, blocks: usize) -> String {
    let order = match order {
        Order::Checkerboard => "checkerboard",
        Order::Index => "index",
    };
    format!("{name} in {order} order, {blocks} blocks")
}

stateless!(Metropolis, self => ordered("metropolis", self.order(), self.blocks()));
stateless!(HeatBath, self => ordered("heat-bath", self.order(), self.blocks()));
stateless!(Synchronous, self => "synchronous".into());
stateless!(potts::HeatBath, self => "potts heat-bath".into());
stateless!(potts::Metropolis, self => "potts metropolis".into());
stateless!(potts::LawUnderMetropolis, self => "potts law under metropolis".into());

impl SavedUpdate for potts::Race {
    fn kind(&self) -> String {
        "potts race".into()
    }

    fn save(&self, _: &usize, out: &mut Writer) {
        let (races, total, last) = self.memory();
        out.u64(races);
        out.f64(total);
        out.f64(last);
    }

    fn restore(&mut self, _: &usize, from: &mut Reader<'_>) -> Result<(), Refusal> {
        self.stand_at(from.count()?, from.f64()?, from.f64()?);
        Ok(())
    }
}

impl SavedUpdate for Wolff {
    fn kind(&self) -> String {
        format!("wolff, {} clusters a sweep", self.clusters_per_sweep())
    }

    fn save(&self, _: &Spins, out: &mut Writer) {
        let learnt = self.magnetization_2();
        out.u8(u8::from(learnt.is_some()));
        out.f64(learnt.unwrap_or(0.0));
    }

    fn restore(&mut self, _: &Spins, from: &mut Reader<'_>) -> Result<(), Refusal> {
        let known = from.u8()? == 1;
        let value = from.f64()?;
        self.restore(known.then_some(value));
        Ok(())
    }
}

impl SavedUpdate for WolffCalibration {
    fn kind(&self) -> String {
        "wolff calibration".into()
    }

    fn save(&self, _: &Spins, out: &mut Writer) {
        self.memory().into_iter().for_each(|count| out.u64(count));
    }

    fn restore(&mut self, _: &Spins, from: &mut Reader<'_>) -> Result<(), Refusal> {
        let mut counts = [0; 5];
        for count in &mut counts {
            *count = from.count()?;
        }
        self.restore(counts);
        Ok(())
    }
}

impl SavedUpdate for SwendsenWang {
    fn kind(&self) -> String {
        "swendsen-wang".into()
    }

    fn save(&self, _: &Spins, out: &mut Writer) {
        let m = self.moments();
        out.u64(m.clusters);
        [m.held, m.mean_cluster, m.magnetization, m.magnetization_2, m.magnetization_4]
            .into_iter()
            .for_each(|x| out.f64(x));
    }

    fn restore(&mut self, _: &Spins, from: &mut Reader<'_>) -> Result<(), Refusal> {
        self.restore(ImprovedMoments {
            clusters: from.count()?,
            held: from.f64()?,
            mean_cluster: from.f64()?,
            magnetization: from.f64()?,
            magnetization_2: from.f64()?,
            magnetization_4: from.f64()?,
        });
        Ok(())
    }
}

impl SavedUpdate for Kinetic<'_> {
    fn kind(&self) -> String {
        match self.rule() {
            Rule::Metropolis => "kinetic metropolis".into(),
            Rule::HeatBath => "kinetic heat-bath".into(),
        }
    }

    fn save(&self, state: &Spins, out: &mut Writer) {
        let (integrals, energy, followed) = self.memory();
        integrals.to_array().into_iter().for_each(|x| out.f64(x));
        // What belongs to a configuration that a swap has taken away is of no use.
        let seen = self.has_seen(state);
        out.u8(u8::from(seen));
        out.f64(if seen { energy } else { 0.0 });
        out.u64(if seen { followed } else { 0 });
    }

    fn restore(&mut self, state: &Spins, from: &mut Reader<'_>) -> Result<(), Refusal> {
        let mut numbers = [0.0; 7];
        for number in &mut numbers {
            *number = from.f64()?;
        }
        let seen = from.u8()? == 1;
        let (energy, followed) = (from.f64()?, from.count()?);
        if followed >= Kinetic::REFRESH {
            return Err(from.broken("the energy is summed afresh more often"));
        }
        self.restore(state, (TimeIntegrals::from_array(numbers), energy, followed), seen);
        Ok(())
    }
}

impl<U: SavedUpdate<Model = Hamiltonian, State = Spins>> SavedUpdate for Houdayer<U> {
    fn kind(&self) -> String {
        format!("houdayer ({})", self.inner().kind())
    }

    fn save(&self, state: &Pair, out: &mut Writer) {
        // One update has swept both replicas; the second was the last.
        self.inner().save(&state.both()[1], out);
    }

    fn restore(&mut self, state: &Pair, from: &mut Reader<'_>) -> Result<(), Refusal> {
        self.inner_mut().restore(&state.both()[1], from)
    }
}

impl<U> SavedUpdate for Tempering<U>
where
    U: SavedUpdate<Model = Hamiltonian> + Send,
    U::State: Rung,
{
    fn kind(&self) -> String {
        let betas = self.grid().betas().iter().map(|b| b.value().to_bits()).fold(7, stir);
        let inner = self.each_update().next().map(SavedUpdate::kind).unwrap_or_default();
        format!("tempering of {} rungs at β {betas:016x} ({inner})", self.grid().rungs())
    }

    fn save(&self, state: &Ladder<U::State>, out: &mut Writer) {
        let (swaps, sweeps, journeys) = self.memory();
        out.u64(sweeps);
        out.u64(journeys);
        for swap in swaps {
            out.u64(swap.attempts);
            out.u64(swap.accepted);
            out.f64(swap.rejection);
        }
        for (update, rung) in self.each_update().zip(state.rungs()) {
            update.save(rung, out);
        }
    }

    fn restore(&mut self, state: &Ladder<U::State>, from: &mut Reader<'_>) -> Result<(), Refusal> {
        let rungs = self.grid().rungs();
        if state.rungs().len() != rungs {
            return Err(from.broken("the ladder has as many rungs as the grid"));
        }
        let (sweeps, journeys) = (from.count()?, from.count()?);
        let swap =
            |_| Ok(SwapRate { attempts: from.count()?, accepted: from.count()?, rejection: from.f64()? });
        let swaps = (1..rungs).map(swap).collect::<Result<Vec<_>, Refusal>>()?;
        self.restore(swaps, sweeps, journeys);
        for (update, rung) in self.updates().zip(state.rungs()) {
            update.restore(rung, from)?;
        }
        Ok(())
    }
}

/// A β from a file.
pub(super) fn beta(from: &mut Reader<'_>) -> Result<Beta, Refusal> {
    let value = from.f64()?;
    Beta::new(value).map_err(|_| from.broken("an inverse temperature below 0"))
}
