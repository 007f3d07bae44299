//! One replica of a cell, as far as it has come.

use super::cell::AVERAGES;
use crate::activity::Activity;
use crate::checkpoint::{self, Reader, Refusal, SavedState, Writer};
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;
use crate::statistics::Histogram;

/// Sweeps of each replica whose |m| is kept for its autocorrelation time.
const SERIES: usize = 20_000;

/// More often no replica is lengthened.
const MOST_ROUNDS: u64 = 1 << 16;

/// More events no replica counts; sums over all replicas are then far from overflowing.
const MOST_EVENTS: u64 = 1 << 52;

/// A configuration, and the sums of what was seen on the way to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replica {
    pub(super) spins: Spins,
    /// Clusters of a Wolff sweep, once learnt.
    pub(super) clusters: Option<u64>,
    /// How often it was run: once, and each time it was lengthened.
    pub(super) rounds: u64,
    pub(super) sums: [f64; AVERAGES],
    pub(super) count: u64,
    pub(super) histogram: Histogram<AVERAGES>,
    pub(super) series: Vec<f64>,
    pub(super) activity: Activity,
}

impl Replica {
    /// One that has seen nothing.
    pub(super) fn new(spins: Spins) -> Self {
        Self {
            spins,
            clusters: None,
            rounds: 0,
            sums: [0.0; AVERAGES],
            count: 0,
            histogram: Histogram::default(),
            series: Vec::new(),
            activity: Activity::default(),
        }
    }

    /// One more measurement.
    pub(super) fn see(&mut self, key: i64, seen: &[f64; AVERAGES]) {
        self.histogram.add(key, seen);
        self.sums.iter_mut().zip(seen).for_each(|(sum, x)| *sum += x);
        self.count += 1;
        if self.series.len() < SERIES {
            self.series.push(seen[2]);
        }
    }

    /// Averages over all its measurements.
    pub(super) fn averages(&self) -> [f64; AVERAGES] {
        self.sums.map(|sum| sum / self.count as f64)
    }

    pub(super) fn save(&self, out: &mut Writer) {
        self.spins.save(out);
        out.u64(self.clusters.unwrap_or(0));
        out.u64(self.rounds);
        self.sums.into_iter().for_each(|sum| out.f64(sum));
        out.u64(self.count);
        let (first, counts, sums) = self.histogram.parts();
        out.u64(first.cast_unsigned());
        out.u64(counts.len() as u64);
        for (count, sums) in counts.iter().zip(sums) {
            out.f64(*count);
            sums.iter().for_each(|&sum| out.f64(sum));
        }
        out.u64(self.series.len() as u64);
        self.series.iter().for_each(|&m| out.f64(m));
        checkpoint::write_activity(self.activity, out);
    }

    /// One of `model`.
    ///
    /// # Errors
    /// [`Refusal`] if no replica of it can be such.
    pub(super) fn load(model: &Hamiltonian, from: &mut Reader<'_>) -> Result<Self, Refusal> {
        let spins = Spins::load(model, from)?;
        let (clusters, rounds) = (from.u64()?, from.u64()?);
        if clusters > model.n_sites() as u64 || rounds > MOST_ROUNDS {
            return Err(from.broken("more clusters than sites, or rounds without end"));
        }
        let averages = |from: &mut Reader<'_>| -> Result<[f64; AVERAGES], Refusal> {
            let mut row = [0.0; AVERAGES];
            for x in &mut row {
                *x = from.f64()?;
            }
            Ok(row)
        };
        let sums = averages(from)?;
        let count = from.count()?;
        let first = from.u64()?.cast_signed();
        // Keys are no larger than the number of bonds and sites; what is kept in advance is of the same order.
        let most = 8 * (model.topology().n_bonds() + model.n_sites() + 1) as u64;
        let length = from.u64()?;
        if first.unsigned_abs() > most || length > most {
            return Err(from.broken("a histogram of energies that no configuration has"));
        }
        let (mut counts, mut kept) = (Vec::new(), Vec::new());
        for _ in 0..length {
            counts.push(from.f64()?);
            kept.push(averages(from)?);
        }
        if counts.iter().any(|&n| n < 0.0 || n.fract() != 0.0) || counts.iter().sum::<f64>() != count as f64 {
            return Err(from.broken("a histogram holds every measurement once"));
        }
        let histogram = Histogram::from_parts(first, counts, kept);
        if from.u64()? != count.min(SERIES as u64) {
            return Err(from.broken("a series begins with the first measurement and leaves none out"));
        }
        // Numbers are taken one by one as long as there are bytes for them.
        let series = (0..count.min(SERIES as u64)).map(|_| from.f64()).collect::<Result<_, _>>()?;
        let activity = checkpoint::read_activity(from)?;
        if activity.counts().into_iter().any(|(_, count)| count > MOST_EVENTS) {
            return Err(from.broken("more events than a century has"));
        }
        let clusters = (clusters > 0).then_some(clusters);
        Ok(Self { spins, clusters, rounds, sums, count, histogram, series, activity })
    }
}
