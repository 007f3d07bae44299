//! A ladder of β for parallel tempering, found from measured swap rates.

use std::ops::ControlFlow;

use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::plan::Plan;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::spins::Spins;
use crate::stream::{Purpose, Stream, Streams};
use crate::update::{BetaGrid, Ladder, Tempering, Update};

/// What is to be calibrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// β of the hottest rung.
    pub hottest: Beta,
    /// β of the coldest rung.
    pub coldest: Beta,
    /// Number of rungs; `None` for twice the barrier plus one, which is where round trips per unit of work are most frequent.
    pub rungs: Option<usize>,
    /// Sweeps of the first round; each of the [`ROUNDS`] doubles them.
    pub sweeps: u64,
    /// Seed; streams are those of [`Purpose::Thermalization`].
    pub seed: u64,
}

/// A ladder and what was measured on it.
#[derive(Debug, Clone)]
pub struct Calibrated {
    /// The β.
    pub grid: BetaGrid,
    /// Rejection rate of each interval of the *last measured* ladder, hottest first.
    pub rejections: Vec<f64>,
    /// Λ, the sum of the rejection rates: the communication barrier, nearly independent of the number of rungs.
    pub barrier: f64,
    /// The ladder's configurations at the end, to go on from.
    pub ladder: Ladder,
}

/// Rounds of measuring and moving the β.
pub const ROUNDS: u32 = 5;

/// The most rungs chosen by themselves.
const MOST_RUNGS: usize = 256;

impl Calibration {
    /// Runs parallel tempering on evenly spaced β, moves the β so that every interval rejects equally often
    /// ([`BetaGrid::equalized`]), and so on for [`ROUNDS`] rounds (Syed, Bouchard-Côté, Deligiannidis, Doucet, doi:10.1111/rssb.12464, algorithm 3).
    ///
    /// Rejection rates are measured, not predicted, and nothing is fed back from the flow of replicas. The β depend on the
    /// configurations met, so nothing measured on the way may be used.
    ///
    /// ```
    /// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, ladder::Calibration, topology::Topology, update::HeatBath};
    /// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
    /// let (hottest, coldest) = (Beta::new(0.1).unwrap(), Beta::new(1.0).unwrap());
    /// let wanted = Calibration { hottest, coldest, rungs: None, sweeps: 50, seed: 1 };
    /// let found = wanted.run(&model, &HeatBath::new(&model).unwrap()).unwrap();
    /// assert!(found.rejections.iter().all(|r| *r < 0.8));
    /// ```
    ///
    /// # Errors
    /// [`Error::Schedule`] unless `hottest` < `coldest` and at least two rungs are asked for; [`Error::Memory`] if the replicas do not fit.
    pub fn run<U>(&self, model: &Hamiltonian, inner: &U) -> Result<Calibrated, Error>
    where
        U: Update<Model = Hamiltonian, State = Spins> + Clone + Send,
    {
        // Energies spread as √N, so that about as many rungs are needed.
        let guess = (model.n_sites() as f64).sqrt() as usize;
        let first = self.rungs.unwrap_or_else(|| guess.clamp(4, 32));
        let mut grid = BetaGrid::linear(self.hottest, self.coldest, first)?;
        let mut rungs: Vec<Spins> = Vec::new();
        let mut result = None;
        for round in 0..ROUNDS {
            model.topology().check_memory(2 * grid.rungs() as u64)?;
            let random = |rung: usize| {
                let block = u64::from(round) << 32 | rung as u64;
                Spins::random(model.n_sites(), &mut Stream::new(self.seed, Purpose::Initial, 0, block))
            };
            // New rungs begin with the configuration of the place that they take.
            let begin = |rung: usize| match rungs.len() {
                0 => random(rung),
                known => rungs[rung * known / grid.rungs()].clone(),
            };
            let ladder = Ladder::new((0..grid.rungs()).map(begin).collect())?;
            let update = Tempering::new(grid, inner.clone());
            let streams = Streams::new(self.seed, Purpose::Thermalization, u64::from(round), update.blocks());
            let schedule = Schedule::Constant(update.grid().coldest());
            let mut run = Run::new(model, ladder, update, schedule, streams);
            let plan = Plan { thermalization: self.sweeps.max(2) << round, sweeps: 0, every: 1 };
            run.drive(&plan, |_| ControlFlow::Continue(()));
            let rejections = run.update().rejections();
            let barrier: f64 = rejections.iter().sum();
            let wanted = (2.0 * barrier).ceil() as usize + 1;
            let next = self.rungs.unwrap_or_else(|| wanted.clamp(2, MOST_RUNGS));
            grid = run.update().grid().equalized(&rejections, next)?;
            let ladder = run.finish().0;
            rungs = ladder.rungs().to_vec();
            result = Some((rejections, barrier));
        }
        let (rejections, barrier) = result.expect("there is at least one round");
        let begin = |rung: usize| rungs[rung * rungs.len() / grid.rungs()].clone();
        let ladder = Ladder::new((0..grid.rungs()).map(begin).collect())?;
        Ok(Calibrated { grid, rejections, barrier, ladder })
    }
}
