//! Metropolis with every local field kept up to date: for sparse and dense graphs with any couplings.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::couplings::{CouplingRows, Layout, Real};
use crate::error::Error;
use crate::kernel::multispin::Level;
use crate::kernel::panel::{self, BLOCK, LANES, Panel};
use crate::kernel::rows::{self, Rows};
use crate::kernel::threshold;
use crate::spins::Spins;
use crate::stream::{Stream, Streams};
use crate::update::Update;

/// Columns of those rows that are added at a time, for one replica after another: 32 × 256 numbers fit into a first-level cache.
const TILE: usize = 256;
/// Sweeps after which fields that round are summed anew.
const REFRESH: u64 = 128;

/// One configuration with its local fields h_i + Σ_j J_ij s_j and its energy.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedSpins<T> {
    spins: Vec<T>,
    fields: Vec<T>,
    energy: f64,
    uphill: u64,
}

impl<T: Real> CachedSpins<T> {
    /// A configuration of `rows`, its fields summed once.
    ///
    /// # Panics
    /// If `spins` has not one spin per site.
    pub fn new(rows: &CouplingRows<T>, spins: &Spins) -> Self {
        assert_eq!(spins.len(), rows.n(), "one spin per site");
        let spins = spins.as_slice().iter().map(|&s| T::of(f64::from(s))).collect();
        let mut state = Self { spins, fields: vec![T::of(0.0); rows.n()], energy: 0.0, uphill: 0 };
        state.refresh(rows);
        state
    }

    /// Fields and energy from the spins alone: −½ Σ s_i (field_i + h_i).
    fn refresh(&mut self, rows: &CouplingRows<T>) {
        rows.local_fields(&self.spins, &mut self.fields);
        let twice = self.spins.iter().zip(&self.fields).zip(&rows.fields);
        self.energy = -0.5 * twice.map(|((s, f), h)| s.to_f64() * (f.to_f64() + h.to_f64())).sum::<f64>();
    }

    /// H as it was followed from flip to flip; with couplings that round, to within the error of `T` times the flips since the
    /// last summing anew.
    pub fn energy(&self) -> f64 {
        self.energy
    }

    /// Flips so far that raised the energy.
    pub fn uphill(&self) -> u64 {
        self.uphill
    }

    /// Turns one spin and passes that on to the fields and the energy.
    pub(crate) fn turn(&mut self, rows: &CouplingRows<T>, site: usize) {
        let s = self.spins[site];
        self.energy += 2.0 * (s * self.fields[site]).to_f64();
        self.spins[site] = -s;
        match &rows.layout {
            Layout::Sparse { starts, entries } => {
                for &(j, twice) in &entries[starts[site]..starts[site + 1]] {
                    let field = &mut self.fields[j as usize];
                    *field = *field - s * twice;
                }
            }
            Layout::Dense(matrix) => {
                let row = &matrix.values()[site * matrix.row_stride()..];
                for (field, twice) in self.fields.iter_mut().zip(row) {
                    *field = *field - s * *twice;
                }
            }
        }
    }

    /// ±1 for each site.
    pub(crate) fn signs(&self) -> &[T] {
        &self.spins
    }

    /// Spins, fields, energy and uphill flips, to be written down.
    pub(crate) fn memory(&self) -> (&[T], &[T], f64, u64) {
        (&self.spins, &self.fields, self.energy, self.uphill)
    }

    /// A configuration as [`CachedSpins::memory`] told it.
    pub(crate) fn remembered(spins: Vec<T>, fields: Vec<T>, energy: f64, uphill: u64) -> Self {
        Self { spins, fields, energy, uphill }
    }

    /// The configuration into one of as many spins.
    pub(crate) fn copy_to(&self, spins: &mut Spins) {
        for (value, s) in spins.as_mut_slice().iter_mut().zip(&self.spins) {
            *value = if *s > T::of(0.0) { 1 } else { -1 };
        }
    }

    /// The configuration.
    pub fn spins(&self) -> Spins {
        let values = self.spins.iter().map(|s| if s.to_f64() > 0.0 { 1 } else { -1 }).collect();
        Spins::from_values(values).expect("every value is +1 or −1")
    }
}

/// Metropolis in the order of the sites, p(flip) = min(1, e^(−βΔE)), on replicas that share a graph: replica r draws from stream
/// number r, so that replicas are independent.
///
/// An attempt reads one cached field; a flip adds a row of couplings to the fields. Replicas of a dense graph are taken through a
/// block of sites 16 at a time ([`crate::kernel::panel`]), and the rows of the block are fetched once for all of them. The acceptance
/// compares 32 random bits with 2³² e^(−βΔE): exact to 2⁻³³, and to the rounding of ΔE in `T` (relative 10⁻⁷ for `f32`; none where
/// [`CouplingRows::is_exact`]). On dense graphs every attempt draws; on sparse ones those with ΔE ≤ 0, or with e^(−βΔE) < 2⁻³³,
/// draw nothing.
///
/// Replica r runs at β · ratio_r, all ratios 1 unless given.
///
/// Fixed order at β = 0 flips every spin in every sweep: use [`crate::update::HeatBath`] there.
///
/// ```
/// use ceas_sim::couplings::CouplingRows;
/// use ceas_sim::stream::{Purpose, Streams};
/// use ceas_sim::update::{CachedField, CachedSpins, Update};
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, spins::Spins, topology::Topology};
/// let model = Hamiltonian::ferromagnet(Topology::square(16).unwrap());
/// let rows = CouplingRows::<f32>::new(&model).unwrap();
/// let mut replicas = vec![CachedSpins::new(&rows, &Spins::up(256)); 2];
/// let mut streams = Streams::new(1, Purpose::Update, 0, 2);
/// CachedField::new().sweep(&rows, &mut replicas, Beta::new(0.3).unwrap(), &mut streams);
/// assert_eq!(replicas[0].energy(), model.energy(&replicas[0].spins()));
/// assert_ne!(replicas[0], replicas[1]);
/// ```
#[derive(Debug, Clone)]
pub struct CachedField<T> {
    /// For the upper ten bits of a draw: −ln of the largest and of the smallest number that they can stand for, so that most
    /// draws are decided without an exponential.
    bounds: Vec<(T, T)>,
    sweeps: u64,
    /// β of each replica over that of the sweep; empty if all are 1.
    ratios: Vec<f64>,
    level: Level,
    /// Scratch: for each replica the sites flipped up and down in the present block.
    flipped: Vec<Flipped>,
}

#[derive(Debug, Clone, Default)]
struct Flipped {
    up: Vec<u32>,
    down: Vec<u32>,
}

impl<T: Real> Default for CachedField<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> CachedField<T> {
    /// The update; it learns nothing from a model. Instructions are those of [`Level::choose`], plain ones if that is an error.
    pub fn new() -> Self {
        // Wider by more than logarithm and rounding to `T` can be off.
        let low = |k: u32| T::of(-libm::log(f64::from(k + 1) / 1024.0) * (1.0 - 1e-6) - 1e-7);
        let high = |k: u32| T::of(-libm::log(f64::from(k) / 1024.0) * (1.0 + 1e-6) + 1e-7);
        let bounds = (0..1024).map(|k| (low(k), high(k))).collect();
        let level = Level::choose().unwrap_or(Level::Portable);
        Self { bounds, sweeps: 0, ratios: Vec::new(), level, flipped: Vec::new() }
    }

    /// Replica r at β · `ratios[r]`.
    ///
    /// # Errors
    /// [`Error::Beta`] naming the first ratio that is negative or not finite.
    pub fn with_ratios(mut self, ratios: Vec<f64>) -> Result<Self, Error> {
        ratios.iter().try_for_each(|&ratio| Beta::new(ratio).map(|_| ()))?;
        self.ratios = ratios;
        Ok(self)
    }

    /// β of each replica over that of the sweep; empty if all are 1.
    pub fn ratios(&self) -> &[f64] {
        &self.ratios
    }

    /// Sweeps made: fields that round are summed anew at certain ones.
    pub(crate) fn sweeps(&self) -> u64 {
        self.sweeps
    }

    /// Stands where another one stood after so many sweeps.
    pub(crate) fn stand_at(&mut self, sweeps: u64) {
        self.sweeps = sweeps;
    }

    /// Whether a flip that costs βΔE = `x` > 0 is accepted.
    #[inline(always)]
    fn accepts(&self, x: T, stream: &mut Stream) -> bool {
        let draw = stream.next_u32();
        let (low, high) = self.bounds[(draw >> 22) as usize];
        if x < low {
            return true;
        }
        if x > high {
            return false;
        }
        u64::from(draw) < threshold(libm::exp(-x.to_f64()))
    }
}

/// What one replica did in one sweep or block.
#[derive(Default)]
struct Count {
    flips: u64,
    uphill: u64,
    draws: u64,
    reads: u64,
    energy: f64,
}

/// From here on e^(−x) < 2⁻³³.
const NEVER: f64 = 22.9;

impl<T: Real> CachedField<T> {
    fn sweep_sparse(
        &self,
        starts: &[usize],
        entries: &[(u32, T)],
        state: &mut CachedSpins<T>,
        two_beta: T,
        stream: &mut Stream,
    ) -> Count {
        let mut count = Count::default();
        let (zero, never) = (T::of(0.0), T::of(NEVER));
        let mut local = stream.clone();
        for site in 0..state.spins.len() {
            let s = state.spins[site];
            let aligned = s * state.fields[site];
            let x = two_beta * aligned;
            let uphill = x > zero;
            if uphill {
                if x > never {
                    continue;
                }
                count.draws += 1;
                if !self.accepts(x, &mut local) {
                    continue;
                }
            }
            state.spins[site] = -s;
            count.uphill += u64::from(uphill);
            count.flips += 1;
            count.energy += 2.0 * aligned.to_f64();
            let row = &entries[starts[site]..starts[site + 1]];
            count.reads += row.len() as u64;
            for &(j, twice) in row {
                let field = &mut state.fields[j as usize];
                *field = *field - s * twice;
            }
        }
        *stream = local;
        count
    }
}

/// Visits a block of sites of a dense graph in up to 16 replicas; the kept fields are left as they were.
fn visit_block<T: Real>(
    level: Level,
    rows: Rows<'_, T>,
    replicas: &mut [CachedSpins<T>],
    two_beta: &[T; LANES],
    streams: &mut [Stream],
    flipped: &mut [Flipped],
) -> Count {
    let (n, start) = (replicas[0].spins.len(), rows.from);
    let sites = (n - start).min(BLOCK);
    let range = start..start + sites;
    let mut panel = Panel::<T>::new();
    let mut draws = [0; BLOCK];
    for (lane, (state, stream)) in replicas.iter().zip(streams).enumerate() {
        stream.fill_u32(&mut draws[..sites]);
        let values = state.spins[range.clone()].iter().zip(&state.fields[range.clone()]).zip(&draws);
        for (site, ((&spin, &field), &draw)) in values.enumerate() {
            panel.spins[site][lane] = spin;
            panel.fields[site][lane] = field;
            panel.draws[site][lane] = draw;
        }
    }
    panel::visit(level, &mut panel, rows, sites, two_beta);
    flipped.iter_mut().for_each(|Flipped { up, down }| {
        up.clear();
        down.clear();
    });
    let mut count = Count::default();
    for site in 0..sites {
        let mut lanes = panel.flipped[site];
        count.flips += u64::from(lanes.count_ones());
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize;
            lanes &= lanes - 1;
            let spin = panel.spins[site][lane];
            replicas[lane].spins[start + site] = spin;
            let Flipped { up, down } = &mut flipped[lane];
            if spin > T::of(0.0) { up.push((start + site) as u32) } else { down.push((start + site) as u32) }
        }
    }
    for (lane, state) in replicas.iter_mut().enumerate() {
        state.energy += panel.energy[lane];
        state.uphill += u64::from(panel.uphill[lane]);
    }
    count.draws = (sites * replicas.len()) as u64;
    count.reads = count.flips * (n as u64 - 1);
    count
}

/// Passes the flips of a block on to all fields, tile by tile, all replicas for each tile.
fn pass_on<T: Real>(level: Level, rows: Rows<'_, T>, replicas: &mut [CachedSpins<T>], flipped: &[Flipped]) {
    let n = replicas.first().map_or(0, |state| state.spins.len());
    for from in (0..n).step_by(TILE) {
        let to = (from + TILE).min(n);
        for (state, Flipped { up, down }) in replicas.iter_mut().zip(flipped) {
            rows::apply(level, Rows { from, add: up, subtract: down, ..rows }, &mut state.fields[from..to]);
        }
    }
}

impl<T: Real> Update for CachedField<T> {
    type Model = CouplingRows<T>;
    type State = Vec<CachedSpins<T>>;

    /// N attempts for every replica; coupler reads are one per bond of every spin that flipped.
    ///
    /// # Panics
    /// If a replica was made for another number of sites, there are fewer streams than replicas, or ratios were given for another
    /// number of replicas.
    fn sweep(
        &mut self,
        rows: &CouplingRows<T>,
        replicas: &mut Vec<CachedSpins<T>>,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        let streams = streams.blocks();
        let n = rows.n();
        assert!(streams.len() >= replicas.len(), "{} replicas need a stream each", replicas.len());
        assert!(replicas.iter().all(|r| r.spins.len() == n), "every replica has {n} spins");
        self.sweeps += 1;
        let given = self.ratios.is_empty() || self.ratios.len() == replicas.len();
        assert!(given, "{} ratios of β for {} replicas", self.ratios.len(), replicas.len());
        let ratio = |replica: usize| self.ratios.get(replica).copied().unwrap_or(1.0);
        let two_beta = |replica: usize| T::of(2.0 * ratio(replica) * beta.value());
        let mut activity = Activity { attempts: (n * replicas.len()) as u64, ..Activity::default() };
        let mut add = |count: Count| {
            activity.flips += count.flips;
            activity.coupler_reads += count.reads;
            activity.random_bits += 32 * count.draws;
        };
        match &rows.layout {
            Layout::Sparse { starts, entries } => {
                for (r, (state, stream)) in replicas.iter_mut().zip(streams).enumerate() {
                    let count = self.sweep_sparse(starts, entries, state, two_beta(r), stream);
                    state.energy += count.energy;
                    state.uphill += count.uphill;
                    add(count);
                }
            }
            Layout::Dense(matrix) => {
                let mut flipped = std::mem::take(&mut self.flipped);
                flipped.resize_with(replicas.len(), Flipped::default);
                for from in (0..n).step_by(BLOCK) {
                    let stride = matrix.row_stride();
                    let rows = Rows { matrix: matrix.values(), stride, from, add: &[], subtract: &[] };
                    let work = replicas.chunks_mut(LANES).zip(streams.chunks_mut(LANES));
                    for (group, ((replicas, streams), flipped)) in
                        work.zip(flipped.chunks_mut(LANES)).enumerate()
                    {
                        let betas = std::array::from_fn(|lane| two_beta(group * LANES + lane));
                        add(visit_block(self.level, rows, replicas, &betas, streams, flipped));
                    }
                    pass_on(self.level, rows, replicas, &flipped);
                }
                self.flipped = flipped;
            }
        }
        if !rows.is_exact() && self.sweeps.is_multiple_of(REFRESH) {
            replicas.iter_mut().for_each(|state| state.refresh(rows));
        }
        activity
    }
}
