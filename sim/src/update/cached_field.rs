//! Metropolis on sparse and dense graphs with any couplings, in real numbers.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::couplings::{CouplingRows, Layout, Real};
use crate::error::Error;
use crate::kernel::multispin::Level;
use crate::kernel::neighbors::{self, Crew, LANES, Neighbors};
use crate::kernel::rows::Turned;
use crate::kernel::threshold;
use crate::kernel::wide::{Loop, at};
use crate::stream::{Stream, Streams};
use crate::update::field_panels::{Count, FieldPanels};
use crate::update::{CachedSpins, Update};

/// Sweeps after which fields that round are summed anew.
const REFRESH: u64 = 128;

/// Metropolis in the order of the sites, p(flip) = min(1, e^(−βΔE)), on replicas that share a graph: replica r draws from stream
/// number r, so that replicas are independent.
///
/// | graph | an attempt | replicas at a time |
/// |---|---|---|
/// | dense | reads a kept field; a flip adds a row of couplings to the fields ([`crate::kernel::panel`]) | 32, 16 or 1 |
/// | up to 64 bonds a site on average | sums its field anew ([`crate::kernel::neighbors`]) | 16 or 1 |
/// | other | reads a kept field; a flip adds its row | 1 |
///
/// The acceptance compares 32 random bits with 2³² e^(−βΔE): exact to 2⁻³³, and to the rounding of ΔE in `T` (relative 10⁻⁷ for
/// `f32`; none where [`CouplingRows::is_exact`]). Every attempt draws, but on graphs of the third kind those with ΔE ≤ 0, or with
/// e^(−βΔE) < 2⁻³³. What a replica does does not depend on how many there are.
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
    /// Scratch: for each site the replicas whose spin is −1.
    down: Vec<u16>,
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
        Self { bounds, sweeps: 0, ratios: Vec::new(), level, turned: Vec::new(), down: Vec::new() }
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

/// Fewer replicas than this are swept one by one.
const WORTH_LANES: usize = 3;

/// Bits of spins, 1 = down, from replicas side by side; and back.
struct Pack<'a, T> {
    states: &'a [CachedSpins<T>],
    down: &'a mut Vec<u16>,
}

struct Unpack<'a, T> {
    states: &'a mut [CachedSpins<T>],
    down: &'a [u16],
}

impl<T: Real> Loop for Pack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.down.clear();
        self.down.resize(self.states[0].spins.len(), 0);
        for (lane, state) in self.states.iter().enumerate() {
            for (down, &s) in self.down.iter_mut().zip(&state.spins) {
                *down |= u16::from(s < T::of(0.0)) << lane;
            }
        }
    }
}

impl<T: Real> Loop for Unpack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (up, under) = (T::of(1.0), T::of(-1.0));
        for (lane, state) in self.states.iter_mut().enumerate() {
            for (&down, s) in self.down.iter().zip(&mut state.spins) {
                *s = if down >> lane & 1 == 1 { under } else { up };
            }
        }
    }
}

/// From here on e^(−x) < 2⁻³³.
const NEVER: f64 = 22.9;

impl<T: Real> CachedField<T> {
    /// Some replicas of a graph whose fields are summed anew.
    fn sweep_anew(
        (level, down): (Level, &mut Vec<u16>),
        rows: Neighbors<'_, T>,
        replicas: &mut [CachedSpins<T>],
        beta: impl Fn(usize) -> T,
        streams: &mut [Stream],
    ) -> Count {
        let (n, bonds) = (rows.fields.len(), rows.entries.len());
        let mut count = Count::default();
        let mut done = |state: &mut CachedSpins<T>, (energy, uphill, flips): (f64, u32, u32)| {
            state.energy += energy;
            state.uphill += u64::from(uphill);
            count.flips += u64::from(flips);
            count.draws += n as u64;
            count.reads += bonds as u64;
        };
        let mut first = 0;
        while first < replicas.len() {
            let left = replicas.len() - first;
            let width = if left < WORTH_LANES { 1 } else { LANES.min(left) };
            let (states, streams) = (&mut replicas[first..first + width], &mut streams[first..first + width]);
            let beta = |lane: usize| beta(first + lane);
            if width == 1 {
                let mut crew = Crew::<T, 1>::new(beta, streams);
                neighbors::sweep_alone(rows, &mut states[0].spins, &mut crew);
                done(&mut states[0], (crew.energy[0], crew.uphill[0], crew.flips[0]));
            } else {
                let mut crew = Crew::<T, LANES>::new(beta, streams);
                at(level, Pack { states, down });
                neighbors::sweep(level, rows, down, &mut crew);
                at(level, Unpack { states, down });
                for (lane, state) in states.iter_mut().enumerate() {
                    done(state, (crew.energy[lane], crew.uphill[lane], crew.flips[lane]));
                }
            }
            first += width;
        }
        count
    }

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

impl<T: Real> Update for CachedField<T> {
    type Model = CouplingRows<T>;
    type State = Vec<CachedSpins<T>>;

    /// N attempts for every replica; coupler reads are one per bond of every spin that flipped, or of every attempt where fields are summed
    /// anew.
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
        if let Some(neighbors) = rows.neighbors() {
            let beta = |replica: usize| T::of(ratio(replica) * beta.value());
            add(Self::sweep_anew((self.level, &mut self.down), neighbors, replicas, beta, streams));
        } else {
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
                    let panels = FieldPanels {
                        level: self.level,
                        matrix: matrix.values(),
                        stride: matrix.row_stride(),
                    };
                    panels.sweep(replicas, two_beta, streams, &mut self.turned, add);
                }
            }
        }
        if !rows.is_exact() && self.sweeps.is_multiple_of(REFRESH) {
            replicas.iter_mut().for_each(|state| state.refresh(rows));
        }
        activity
    }
}
