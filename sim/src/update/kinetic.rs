//! Rejection-free dynamics in continuous time: the asynchronous device.

use super::rates::Rates;
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::memory;
use crate::spins::Spins;
use crate::stream::{Stream, Streams};
use crate::update::{HeatBath, Metropolis, TimeIntegrals, Update};

/// The probability with which an attempt flips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// min(1, e^(−βΔE)).
    Metropolis,
    /// 1/(1 + e^(βΔE)).
    HeatBath,
}

impl Rule {
    /// p(β, ΔE) of one attempt.
    pub fn flip_probability(self, beta: Beta, delta_e: f64) -> f64 {
        match self {
            Self::Metropolis => Metropolis::flip_probability(beta, delta_e),
            Self::HeatBath => HeatBath::flip_probability(beta, delta_e),
        }
    }
}

/// A flip and the time that passed before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Waiting time since the flip before, in units of the inverse attempt rate of one spin.
    pub waited: f64,
    /// The spin that flips.
    pub site: usize,
}

/// The asynchronous dynamics: every spin has a clock of its own that rings at rate 1, at each ring it attempts a flip.
///
/// Time is in units of the inverse attempt rate of one spin, so that N attempts happen per unit of time on average, and a *sweep* is exactly one
/// unit. Attempts that fail are not simulated: spin i flips at rate p(β, ΔE_i), the next flip of any comes after a time
/// −ln(u)/R, R = Σ_i p(β, ΔE_i), and is that of spin i with probability p_i/R (n-fold way: Bortz, Kalos, Lebowitz,
/// doi:10.1016/0021-9991(75)90060-1; Gillespie, doi:10.1016/0021-9991(76)90041-3). Both are exact to the 53 bits of a uniform number; rates are
/// kept in a tree of sums, so that a flip costs O(log N). Waiting times have no memory: the one that a sweep's end cuts off is drawn anew.
///
/// The continuous-time chain satisfies *detailed* balance, unlike a sweep in fixed order. Configurations seen at the ends of sweeps
/// are seen at equal distances in time; [`Kinetic::integrals`] are time integrals, in which each configuration counts for as long as it lasted.
///
/// What is counted is what the device does, per sweep: N *attempts* and 32N *random bits* and one *coupler read* per site and bond of it,
/// which are the means of a Poisson number that is not drawn; and the *flips* that happened.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, plan::Plan, run::Run, schedule::Schedule, spins::Spins};
/// use ceas_sim::{stream::{Purpose, Streams}, topology::Topology, update::{Kinetic, Rule}};
/// use std::ops::ControlFlow;
/// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
/// let update = Kinetic::new(&model, Rule::HeatBath).unwrap();
/// let cold = Schedule::Constant(Beta::new(1.0).unwrap());
/// let mut run = Run::new(&model, Spins::up(64), update, cold, Streams::new(1, Purpose::Update, 0, 1));
/// run.drive(&Plan { thermalization: 0, sweeps: 100, every: 1 }, |_| ControlFlow::Continue(()));
/// let seen = run.update().integrals();
/// assert!((seen.time - 100.0).abs() < 1e-9 && seen.magnetization / seen.time > 0.99);
/// ```
#[derive(Debug, Clone)]
pub struct Kinetic<'m> {
    model: &'m Hamiltonian,
    rule: Rule,
    rates: Rates,
    /// The β and the configuration that the rates belong to.
    beta: Option<Beta>,
    seen: Vec<i8>,
    /// H and M of that configuration, followed from flip to flip, and the flips since H was last summed afresh.
    energy: f64,
    magnetization: i64,
    followed: u64,
    integrals: TimeIntegrals,
    fresh: bool,
}

impl<'m> Kinetic<'m> {
    /// Flips after which the energy is summed afresh, so that rounding cannot accumulate.
    pub(crate) const REFRESH: u64 = 1 << 16;

    /// The dynamics of `model` with the given rule.
    ///
    /// # Errors
    /// [`Error::Memory`] if the space to work in cannot be had.
    pub fn new(model: &'m Hamiltonian, rule: Rule) -> Result<Self, Error> {
        let topology = model.topology();
        memory::check(topology.name(), topology.size(), topology.bytes_needed(1 + Rates::BYTES_PER_SITE))?;
        Ok(Self {
            model,
            rule,
            rates: Rates::new(model.n_sites()),
            beta: None,
            seen: Vec::new(),
            energy: 0.0,
            magnetization: 0,
            followed: 0,
            integrals: TimeIntegrals::default(),
            fresh: false,
        })
    }

    /// The same dynamics with every rate computed afresh before every flip: the same bytes, much slower.
    #[must_use]
    pub fn with_fresh_rates(mut self) -> Self {
        self.fresh = true;
        self
    }

    /// Integrals over all time that sweeps and [`Kinetic::next_event`] have passed.
    pub fn integrals(&self) -> TimeIntegrals {
        self.integrals
    }

    /// p(β, ΔE) in use.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Number of streams it draws from, for [`Streams::new`]: one.
    pub fn blocks(&self) -> usize {
        1
    }

    /// The next flip, made: one step of the chain that is embedded in continuous time. `None` if no spin can flip for ever.
    ///
    /// # Panics
    /// If `spins` has not one spin per site.
    pub fn next_event(&mut self, spins: &mut Spins, beta: Beta, stream: &mut Stream) -> Option<Event> {
        self.prepare(spins, beta);
        let waited = self.wait(stream)?;
        self.pass(waited);
        Some(Event { waited, site: self.flip(spins, beta, stream) })
    }

    /// Makes rates, energy and magnetization those of `spins` at `beta`.
    fn prepare(&mut self, spins: &Spins, beta: Beta) {
        super::check_sizes(self.model.n_sites(), self.model, spins);
        let known = self.seen == spins.as_slice();
        if !known {
            self.seen.clear();
            self.seen.extend_from_slice(spins.as_slice());
            self.energy = self.model.energy(spins);
            self.magnetization = spins.magnetization();
            self.followed = 0;
        }
        if !known || self.beta != Some(beta) {
            self.beta = Some(beta);
            self.all_rates(spins, beta);
        }
    }

    fn all_rates(&mut self, spins: &Spins, beta: Beta) {
        let (model, rule) = (self.model, self.rule);
        self.rates.set_all(|site| rule.flip_probability(beta, model.delta_e(spins, site)));
    }

    /// The time until the next flip.
    fn wait(&self, stream: &mut Stream) -> Option<f64> {
        let total = self.rates.total();
        let u = 1.0 - stream.uniform();
        (total > 0.0).then(|| -libm::log(u) / total)
    }

    /// Lets time pass without a flip.
    fn pass(&mut self, time: f64) {
        self.integrals.add(time, self.energy, self.magnetization as f64 / self.seen.len() as f64);
    }

    /// Chooses a spin by the rates and flips it.
    fn flip(&mut self, spins: &mut Spins, beta: Beta, stream: &mut Stream) -> usize {
        let model = self.model;
        let site = self.rates.find(stream.uniform());
        self.energy += model.delta_e(spins, site);
        spins.flip(site);
        self.seen[site] = spins.get(site);
        self.magnetization += 2 * i64::from(spins.get(site));
        self.followed += 1;
        if self.followed == Self::REFRESH {
            self.followed = 0;
            self.energy = model.energy(spins);
        }
        if self.fresh {
            self.all_rates(spins, beta);
        } else {
            let rate = |site| self.rule.flip_probability(beta, model.delta_e(spins, site));
            self.rates.set(site, rate(site));
            for neighbor in model.topology().neighbors(site) {
                self.rates.set(neighbor, rate(neighbor));
            }
        }
        site
    }

    /// What a sweep cannot find out from the configuration: integrals, and H with the flips since it was summed.
    pub(crate) fn memory(&self) -> (TimeIntegrals, f64, u64) {
        (self.integrals, self.energy, self.followed)
    }

    /// Makes the dynamics stand where it stood with `spins`; `None` of its sweeps has been made if `seen` is false.
    pub(crate) fn restore(&mut self, spins: &Spins, memory: (TimeIntegrals, f64, u64), seen: bool) {
        let (integrals, energy, followed) = memory;
        self.integrals = integrals;
        if seen {
            self.seen = spins.as_slice().to_vec();
            self.magnetization = spins.magnetization();
            (self.energy, self.followed, self.beta) = (energy, followed, None);
        }
    }

    pub(crate) fn has_seen(&self, spins: &Spins) -> bool {
        self.seen == spins.as_slice()
    }
}

impl Update for Kinetic<'_> {
    type Model = Hamiltonian;
    type State = Spins;

    /// One unit of time.
    ///
    /// # Panics
    /// If `model` is not the very Hamiltonian that the update was made for.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        assert!(std::ptr::eq(model, self.model), "the dynamics was made for another Hamiltonian");
        self.prepare(spins, beta);
        let stream = streams.first();
        let (mut left, mut flips) = (1.0, 0);
        while let Some(waited) = self.wait(stream).filter(|&waited| waited < left) {
            self.pass(waited);
            left -= waited;
            self.flip(spins, beta, stream);
            flips += 1;
        }
        self.pass(left);
        super::one_attempt_each(model, flips)
    }
}
