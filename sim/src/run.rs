//! A run, and with it the only loop over sweeps in the workspace.

use std::ops::ControlFlow;

use crate::activity::Activity;
use crate::beta::Beta;
use crate::plan::Plan;
use crate::schedule::Schedule;
use crate::stream::Streams;
use crate::update::Update;

/// One replica on its way: a model, its configuration, the update that moves it, β(t), and its randomness.
pub struct Run<'m, U: Update> {
    model: &'m U::Model,
    state: U::State,
    update: U,
    schedule: Schedule,
    streams: Streams,
    sweeps: u64,
    activity: Activity,
}

/// Whether a run made all its sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All sweeps of the plan were made.
    Completed,
    /// The observer asked to stop.
    Stopped,
}

impl<'m, U: Update> Run<'m, U> {
    /// A run that has made no sweep yet.
    pub fn new(
        model: &'m U::Model,
        state: U::State,
        update: U,
        schedule: Schedule,
        streams: Streams,
    ) -> Self {
        Self { model, state, update, schedule, streams, sweeps: 0, activity: Activity::default() }
    }

    /// One sweep: N attempted single-spin updates at β(t).
    #[inline]
    pub fn step(&mut self) {
        let beta = self.schedule.beta(self.sweeps);
        self.activity += self.update.sweep(self.model, &mut self.state, beta, &mut self.streams);
        self.sweeps += 1;
    }

    /// The loop: sweep, and after every sweep that the plan measures, let `observe` look. It may break off the run.
    pub fn drive(&mut self, plan: &Plan, observe: impl FnMut(&Self) -> ControlFlow<()>) -> Ending {
        self.drive_from(0, plan, observe)
    }

    /// The loop from where an interrupted one stopped: `done` sweeps of `plan` have been made already.
    pub fn drive_from(
        &mut self,
        done: u64,
        plan: &Plan,
        mut observe: impl FnMut(&Self) -> ControlFlow<()>,
    ) -> Ending {
        for done in done + 1..=plan.total() {
            self.step();
            if plan.measures(done) && observe(self).is_break() {
                return Ending::Stopped;
            }
        }
        Ending::Completed
    }

    /// The model being run.
    pub fn model(&self) -> &'m U::Model {
        self.model
    }

    /// A run that stands where another one stood.
    pub(crate) fn resumed(start: Self, sweeps: u64, activity: Activity) -> Self {
        Self { sweeps, activity, ..start }
    }

    /// β(t).
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Its randomness, as far as it has been drawn.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The present configuration.
    pub fn state(&self) -> &U::State {
        &self.state
    }

    /// The update, with whatever it has learnt on the way.
    pub fn update(&self) -> &U {
        &self.update
    }

    /// Sweeps made since the run began.
    pub fn sweeps(&self) -> u64 {
        self.sweeps
    }

    /// β of the last sweep made (of the first one, if none has been made).
    pub fn beta(&self) -> Beta {
        self.schedule.beta(self.sweeps.saturating_sub(1))
    }

    /// Events counted so far.
    pub fn activity(&self) -> Activity {
        self.activity
    }

    /// The configuration and the counted events, when the run is over.
    pub fn finish(self) -> (U::State, Activity) {
        (self.state, self.activity)
    }
}
