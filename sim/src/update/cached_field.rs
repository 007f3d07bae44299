//! Metropolis with every local field kept up to date: for sparse and dense graphs with any couplings.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::couplings::{CouplingRows, Layout, Real};
use crate::error::Error;
use crate::kernel::multispin::Level;
use crate::kernel::panel::{BLOCK, Panel};
use crate::kernel::rows::{Rows, Turned, pass_on};
use crate::kernel::threshold;
use crate::kernel::wide::{Loop, at};
use crate::spins::Spins;
use crate::stream::{Stream, Streams};
use crate::update::Update;

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
    /// Scratch: for each replica the sites of the present block that flipped.
    turned: Vec<Turned>,
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
        Self { bounds, sweeps: 0, ratios: Vec::new(), level, turned: Vec::new() }
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

/// Replicas that are taken through a block of sites of a dense graph together.
struct Group<'a, T> {
    level: Level,
    rows: Rows<'a, T>,
    replicas: &'a mut [CachedSpins<T>],
    streams: &'a mut [Stream],
    turned: &'a mut [Turned],
}

impl<T: Real> Group<'_, T> {
    /// Visits the block in up to `L` replicas; the kept fields are left as they were.
    fn visit<const L: usize>(self, panel: &mut Panel<T, L>, two_beta: impl Fn(usize) -> T) -> Count {
        let there = self.replicas.len();
        let two_beta = std::array::from_fn(|lane| if lane < there { two_beta(lane) } else { T::of(1.0) });
        at(self.level, Visit { group: self, panel, two_beta })
    }
}

struct Visit<'a, T, const L: usize> {
    group: Group<'a, T>,
    panel: &'a mut Panel<T, L>,
    two_beta: [T; L],
}

impl<T: Real, const L: usize> Loop for Visit<'_, T, L> {
    type Output = Count;

    #[inline(always)]
    fn run(self) -> Count {
        let Self { group: Group { rows, replicas, streams, turned, .. }, panel, two_beta } = self;
        let (n, start) = (replicas[0].spins.len(), rows.first);
        let sites = (n - start).min(BLOCK);
        let range = start..start + sites;
        let mut draws = [0; BLOCK];
        panel.clear(replicas.len());
        for (lane, (state, stream)) in replicas.iter().zip(streams).enumerate() {
            stream.fill_u32(&mut draws[..sites]);
            panel.put(lane, &state.spins[range.clone()], &state.fields[range.clone()], &draws[..sites]);
        }
        panel.visit(rows, sites, &two_beta);
        let mut count = Count { draws: (sites * replicas.len()) as u64, ..Count::default() };
        for (lane, (state, turned)) in replicas.iter_mut().zip(turned).enumerate() {
            *turned = panel.take(lane, &mut state.spins[range.clone()]);
            state.energy += panel.energy[lane];
            state.uphill += u64::from(panel.uphill[lane]);
            count.flips += u64::from(panel.flipped[lane].count_ones());
        }
        count.reads = count.flips * (n as u64 - 1);
        count
    }
}

/// Room for blocks of one, sixteen and thirty-two replicas.
#[derive(Debug, Clone)]
struct Panels<T> {
    one: Panel<T, 1>,
    sixteen: Panel<T, 16>,
    thirty_two: Panel<T, 32>,
}

/// How many of `left` replicas are taken at a time: decisions about sixteen cost about as much as three alone.
fn group(left: usize) -> usize {
    match left {
        0..=2 => 1,
        3..=16 => 16,
        _ => 32,
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
                let mut turned = std::mem::take(&mut self.turned);
                turned.resize(replicas.len(), Turned::default());
                let mut panels =
                    Panels { one: Panel::new(), sixteen: Panel::new(), thirty_two: Panel::new() };
                for first in (0..n).step_by(BLOCK) {
                    let rows = Rows { matrix: matrix.values(), stride: matrix.row_stride(), first };
                    let mut done = 0;
                    while done < replicas.len() {
                        let width = group(replicas.len() - done);
                        let range = done..(done + width).min(replicas.len());
                        let group = Group {
                            level: self.level,
                            rows,
                            replicas: &mut replicas[range.clone()],
                            streams: &mut streams[range.clone()],
                            turned: &mut turned[range.clone()],
                        };
                        let two_beta = |lane: usize| two_beta(range.start + lane);
                        add(match width {
                            1 => group.visit(&mut panels.one, two_beta),
                            16 => group.visit(&mut panels.sixteen, two_beta),
                            _ => group.visit(&mut panels.thirty_two, two_beta),
                        });
                        done = range.end;
                    }
                    pass_on(self.level, rows, &turned, replicas, |state| &mut state.fields);
                }
                self.turned = turned;
            }
        }
        if !rows.is_exact() && self.sweeps.is_multiple_of(REFRESH) {
            replicas.iter_mut().for_each(|state| state.refresh(rows));
        }
        activity
    }
}
