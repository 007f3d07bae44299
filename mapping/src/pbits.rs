//! Single-spin dynamics of p-bits as a device has it: a comparator with noise of some shape, and units that are held.

use std::collections::VecDeque;

use ceas_sim::activity::Activity;
use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Stream, Streams};
use ceas_sim::update::Update;

/// Distribution of the noise that a comparator adds to its input x = 2β(h_i + Σ_j J_ij s_j): the bit is up if x > noise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Noise {
    /// P(up) = 1/(1 + e^(−x)): the heat bath, the only shape that leaves e^(−βH) invariant.
    #[default]
    Logistic,
    /// P(up) = Φ(x/scale): a thermal voltage at the comparator ("probit p-bit").
    Gaussian {
        /// Standard deviation of the noise, in the units of x (logits).
        scale: f64,
    },
}

impl Noise {
    /// The Gaussian whose Φ is closest to the logistic function, largest deviation 0.00949: scale 1.702 (D. Camilli,
    /// doi:10.3102/10769986019003293).
    pub const NEAREST_GAUSSIAN: Self = Self::Gaussian { scale: 1.702 };

    /// P(up) at the input x.
    ///
    /// ```
    /// use ceas_mapping::pbits::Noise;
    /// assert_eq!(Noise::Logistic.up(0.0), 0.5);
    /// assert!((Noise::Gaussian { scale: 1.0 }.up(1.0) - 0.841_344_746_068_543).abs() < 1e-14);
    /// ```
    pub fn up(self, x: f64) -> f64 {
        match self {
            Self::Logistic => 1.0 / (1.0 + libm::exp(-x)),
            Self::Gaussian { scale } => normal_cdf(x / scale),
        }
    }
}

/// Φ(x) = erfc(−x/√2)/2.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// P-bits that decide one after another in index order, each by its comparator; held units stay as they are.
///
/// With [`Noise::Logistic`] and nothing held this is [`ceas_sim::update::HeatBath`] in index order with 53 instead of 32 random bits per
/// attempt. Held units are what clamps and stuck units are to the dynamics: they make no attempt.
///
/// ```
/// use ceas_mapping::pbits::{Noise, PBits};
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, plan::Plan, run::Run, schedule::Schedule, spins::Spins};
/// use ceas_sim::{stream::{Purpose, Streams}, topology::Topology};
/// let chain = Hamiltonian::ferromagnet(Topology::open_chain(3).unwrap());
/// let cold = Schedule::Constant(Beta::new(50.0).unwrap());
/// let start = Spins::from_values(vec![-1, 1, 1]).unwrap();
/// let update = PBits::new(Noise::Logistic).holding(3, [0]);
/// let mut run = Run::new(&chain, start, update, cold, Streams::new(1, Purpose::Update, 0, 1));
/// run.drive(&Plan { thermalization: 0, sweeps: 100, every: 1 }, |_| std::ops::ControlFlow::Continue(()));
/// assert_eq!(run.state().get(0), -1);
/// assert_eq!(run.activity().attempts, 200);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PBits {
    noise: Noise,
    /// One entry per site, or empty if none is held.
    pub(crate) held: Vec<bool>,
}

impl PBits {
    /// All units free.
    pub fn new(noise: Noise) -> Self {
        Self { noise, held: Vec::new() }
    }

    /// The same, with these of `sites` sites held.
    ///
    /// # Panics
    /// If a site does not exist.
    #[must_use]
    pub fn holding(mut self, sites: usize, held: impl IntoIterator<Item = usize>) -> Self {
        self.held.resize(sites, false);
        for site in held {
            self.held[site] = true;
        }
        self
    }

    /// The shape of the noise.
    pub fn noise(&self) -> Noise {
        self.noise
    }
}

impl Update for PBits {
    type Model = Hamiltonian;
    type State = Spins;

    /// # Panics
    /// If `spins` has not one spin per site.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        assert_eq!(spins.len(), model.n_sites(), "one spin per site");
        let mut activity = Activity::default();
        for site in 0..model.n_sites() {
            if self.held.get(site) == Some(&true) {
                continue;
            }
            let x = 2.0 * beta.value() * model.local_field(spins, site);
            let up = streams.first().uniform() < self.noise.up(x);
            activity.attempts += 1;
            activity.random_bits += 53;
            activity.coupler_reads += model.topology().links(site).count() as u64;
            if up != (spins.get(site) == 1) {
                spins.flip(site);
                activity.flips += 1;
            }
        }
        activity
    }
}

/// Poisson clocks of rate 1, one for each bit, and the flips that are under way on wires that take `latency`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clocks {
    pub(crate) latency: f64,
    /// When bits flipped, and which.
    pub(crate) under_way: VecDeque<(f64, usize)>,
    pub(crate) time: f64,
}

impl Clocks {
    /// A value below 0 counts as 0.
    pub(crate) fn new(latency: f64) -> Self {
        Self { latency: latency.max(0.0), under_way: VecDeque::new(), time: 0.0 }
    }

    /// The end of the unit of time that has begun.
    pub(crate) fn end(&self) -> f64 {
        self.time.floor() + 1.0
    }

    /// Which of `n` clocks rings next before `end`; flips that arrive until then are told in order.
    pub(crate) fn ring(
        &mut self,
        n: usize,
        end: f64,
        stream: &mut Stream,
        mut arrived: impl FnMut(usize),
    ) -> Option<usize> {
        let wait = -libm::log(1.0 - stream.uniform()) / n as f64;
        if self.time + wait >= end {
            // What is left of an exponential waiting time is exponential again.
            self.time = end;
            return None;
        }
        self.time += wait;
        while let Some(&(when, site)) = self.under_way.front() {
            if when + self.latency > self.time {
                break;
            }
            arrived(site);
            self.under_way.pop_front();
        }
        Some(stream.below(n as u64) as usize)
    }

    /// Sends the flip of a bit on its way.
    pub(crate) fn send(&mut self, site: usize) {
        self.under_way.push_back((self.time, site));
    }
}

/// P-bits with clocks of their own and a wire between them that takes time: a bit decides on what its neighbours were `latency` ago.
///
/// Each bit attempts at the rings of a Poisson clock of rate 1, so that a sweep is one unit of time and N attempts on average. With latency 0
/// it is random-order heat bath; uncoupled bits do not notice any latency; coupled ones have another law than e^(−βH), which there is
/// no formula for: it is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Asynchronous {
    pub(crate) noise: Noise,
    pub(crate) clocks: Clocks,
    /// What the neighbours see: the configuration `latency` ago.
    pub(crate) seen: Option<Spins>,
}

impl Asynchronous {
    /// Clocks of rate 1 and a delay of `latency` ≥ 0 in the same unit; a value below 0 counts as 0.
    pub fn new(noise: Noise, latency: f64) -> Self {
        Self { noise, clocks: Clocks::new(latency), seen: None }
    }
}

impl Update for Asynchronous {
    type Model = Hamiltonian;
    type State = Spins;

    /// # Panics
    /// If `spins` has not one spin per site.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        let n = model.n_sites();
        assert_eq!(spins.len(), n, "one spin per site");
        let stream = streams.first();
        let seen = self.seen.get_or_insert_with(|| spins.clone());
        let end = self.clocks.end();
        let mut activity = Activity::default();
        while let Some(site) = self.clocks.ring(n, end, stream, |site| seen.flip(site)) {
            let x = 2.0 * beta.value() * model.local_field(seen, site);
            let up = stream.uniform() < self.noise.up(x);
            activity.attempts += 1;
            activity.random_bits += 53;
            activity.coupler_reads += model.topology().links(site).count() as u64;
            if up != (spins.get(site) == 1) {
                spins.flip(site);
                activity.flips += 1;
                self.clocks.send(site);
            }
        }
        activity
    }
}
