//! How the law of annealed chains approaches the law that is meant.

use std::ops::ControlFlow;

use ceas_sim::beta::Beta;
use ceas_sim::plan::Plan;
use ceas_sim::potts::{Distribution, LawUnderMetropolis, Metropolis, uniform_state};
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::{Purpose, Stream, Streams};
use rayon::prelude::*;
use serde::Serialize;

use super::row::Row;
use super::sampler::Dynamics;
use crate::error::Error;
use crate::heads::Head;

/// Distance of annealed Metropolis chains from the law at β, along their schedule; means over the queries of one head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Relaxation {
    /// Sweeps made; the last entry is the end of the schedule.
    pub sweeps: Vec<u64>,
    /// β of the last sweep made.
    pub beta: Vec<f64>,
    /// Total variation ½ Σ|p_t − π_β| between the exact law of the chains and the law at the β that is meant.
    pub total_variation: Vec<f64>,
    /// The same distance in nats, KL(p_t ‖ π_β).
    pub divergence: Vec<f64>,
    /// Total variation between the exact law of the chains and the law at the β of that sweep: how far the chains lag.
    pub lag: Vec<f64>,
    /// Total variation measured from an ensemble of chains; empty if there is none.
    pub measured: Vec<f64>,
    /// A bound on its standard error, 1/(2√(chains·queries)): one chain more or less moves it by at most 1/chains (Efron–Stein).
    pub measured_error: f64,
    /// What an ensemble of the same size drawn from the law itself would show.
    pub floor: f64,
    /// Chains per query in the ensemble.
    pub chains: u16,
}

/// An ensemble of chains run only to measure a distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ensemble {
    /// Chains per query; 0 for none.
    pub chains: u16,
    /// Tells the heads of a set apart.
    pub index: u32,
    /// Seed of all streams.
    pub seed: u64,
}

impl Ensemble {
    /// The chains of one query.
    fn of_query(self, query: usize) -> Chains {
        Chains {
            first: (u64::from(self.index) << 40) | ((query as u64) << 16),
            count: self.chains,
            seed: self.seed,
        }
    }
}

/// The chains of one query: replicas `first` … `first + count − 1`.
#[derive(Clone, Copy)]
struct Chains {
    first: u64,
    count: u16,
    seed: u64,
}

impl Relaxation {
    /// Total variation left at the end of the schedule.
    pub fn residual(&self) -> f64 {
        self.total_variation.last().copied().unwrap_or(f64::NAN)
    }
}

/// Follows the law of Metropolis chains from the uniform law along their schedule to `beta`, exactly, for every query of a head.
///
/// With `chains` > 0 it also runs that many independent chains per query and measures the same distance from their empirical law,
/// which cannot fall below `floor`. These chains are a diagnostic: they are not part of any sample and cause no activity.
///
/// # Errors
/// [`Error::Sim`] if a score is not finite or the schedule cannot be followed.
pub fn relax_head(
    head: &Head<'_>,
    beta: Beta,
    dynamics: &Dynamics,
    ensemble: Ensemble,
) -> Result<Relaxation, Error> {
    let schedule = dynamics.schedule(beta)?;
    let looks = looks(dynamics.sweeps);
    let rows: Result<Vec<RowRelaxation>, Error> = (0..head.q.nrows())
        .into_par_iter()
        .map(|query| {
            let row = Row::new(head, query, beta)?;
            let mut relaxation = RowRelaxation::exact(&row, &schedule, &looks);
            if ensemble.chains > 0 {
                relaxation.measure(&row, &schedule, &looks, ensemble.of_query(query));
            }
            Ok(relaxation)
        })
        .collect();
    let rows = rows?;
    let count = rows.len() as f64;
    let mean = |pick: fn(&RowRelaxation) -> &Vec<f64>| -> Vec<f64> {
        let measured = if rows.iter().any(|row| pick(row).is_empty()) { 0 } else { looks.len() };
        (0..measured).map(|look| rows.iter().map(|row| pick(row)[look]).sum::<f64>() / count).collect()
    };
    let measured = mean(|row| &row.measured);
    Ok(Relaxation {
        beta: looks.iter().map(|&sweep| schedule.beta(sweep.saturating_sub(1)).value()).collect(),
        total_variation: mean(|row| &row.total_variation),
        divergence: mean(|row| &row.divergence),
        lag: mean(|row| &row.lag),
        measured,
        measured_error: 0.5 / (f64::from(ensemble.chains) * count).sqrt(),
        floor: rows.iter().map(|row| row.floor).sum::<f64>() / count,
        chains: ensemble.chains,
        sweeps: looks,
    })
}

/// Sweeps after which the distance is looked at: 0, 1, 2, 4, 8, … and 24 evenly spaced ones, the last included.
fn looks(sweeps: u64) -> Vec<u64> {
    const EVEN: u64 = 24;
    let even = (0..=EVEN).map(|part| (u128::from(sweeps) * u128::from(part) / u128::from(EVEN)) as u64);
    let early = (0..63).map(|power| 1 << power).take_while(|&look| look < sweeps / EVEN);
    let mut looks: Vec<u64> = even.chain(early).collect();
    looks.sort_unstable();
    looks.dedup();
    looks
}

/// One query on its way; one entry per look.
#[derive(Default)]
struct RowRelaxation {
    total_variation: Vec<f64>,
    divergence: Vec<f64>,
    lag: Vec<f64>,
    measured: Vec<f64>,
    floor: f64,
}

impl RowRelaxation {
    /// The exact law of the chains along the schedule.
    fn exact(row: &Row, schedule: &Schedule, looks: &[u64]) -> Self {
        let spin = &row.spin;
        let mut relaxation = Self::default();
        let mut look = |p: &Distribution, beta: Beta| {
            relaxation.total_variation.push(p.total_variation(spin, &row.law));
            relaxation.divergence.push(p.kullback_leibler(spin, &row.law));
            relaxation.lag.push(p.total_variation(spin, &spin.law(beta)));
        };
        let start = Distribution::uniform(spin);
        look(&start, schedule.beta(0));
        // The dynamics of the law draws nothing.
        let nothing = Streams::new(0, Purpose::Ensemble, 0, 1);
        let mut run = Run::new(spin, start, LawUnderMetropolis::default(), schedule.clone(), nothing);
        let mut due = looks[1..].iter().copied().peekable();
        run.drive(&plan(looks), |run| {
            if due.next_if_eq(&run.sweeps()).is_some() {
                look(run.state(), run.beta());
            }
            ControlFlow::Continue(())
        });
        relaxation
    }

    /// The empirical law of an ensemble of chains along the schedule.
    fn measure(&mut self, row: &Row, schedule: &Schedule, looks: &[u64], chains: Chains) {
        let spin = &row.spin;
        let mut counts = vec![0u32; looks.len() * spin.labels()];
        let mut count = |look: usize, label: usize| counts[look * spin.labels() + label] += 1;
        for replica in chains.first..chains.first + u64::from(chains.count) {
            // Block 0 moves the chain, block 1 starts it.
            let start = uniform_state(spin, &mut Stream::new(chains.seed, Purpose::Ensemble, replica, 1));
            count(0, start);
            let streams = Streams::new(chains.seed, Purpose::Ensemble, replica, 1);
            let mut run = Run::new(spin, start, Metropolis, schedule.clone(), streams);
            let mut look = 1;
            run.drive(&plan(looks), |run| {
                if looks[look] == run.sweeps() {
                    count(look, *run.state());
                    look += 1;
                }
                ControlFlow::Continue(())
            });
        }
        let chains = f64::from(chains.count);
        let exact = row.law.probabilities();
        let distance = |counts: &[u32]| {
            0.5 * counts.iter().zip(exact).map(|(&c, p)| (f64::from(c) / chains - p).abs()).sum::<f64>()
        };
        self.measured = counts.chunks_exact(spin.labels()).map(distance).collect();
        self.floor = exact.iter().map(|&p| 0.5 * mean_deviation(chains, p) / chains).sum();
    }
}

/// All sweeps up to the last look.
fn plan(looks: &[u64]) -> Plan {
    Plan { thermalization: 0, sweeps: looks.last().copied().unwrap_or(0), every: 1 }
}

/// E|X − np| of a binomial variable: 2 k C(n, k) p^k (1−p)^(n−k+1) with k = ⌊np⌋ + 1 (de Moivre).
fn mean_deviation(n: f64, p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return 0.0;
    }
    let k = (n * p).floor() + 1.0;
    if k > n {
        return 2.0 * n * (1.0 - p);
    }
    let choose = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    2.0 * k * libm::exp(choose + k * libm::log(p) + (n - k + 1.0) * libm::log1p(-p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_deviation_is_that_of_the_binomial_law() {
        for (n, p) in [(1u32, 0.3f64), (7, 0.5), (40, 0.03), (40, 0.9)] {
            let mut mass = (1.0 - p).powi(n as i32);
            let mut direct = 0.0;
            for k in 0..=n {
                direct += mass * (f64::from(k) - f64::from(n) * p).abs();
                mass *= f64::from(n - k) / f64::from(k + 1) * p / (1.0 - p);
            }
            assert!((mean_deviation(n.into(), p) - direct).abs() < 1e-12, "{n} {p}");
        }
    }
}
