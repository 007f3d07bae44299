//! Heads of any size with iid Gaussian q, k and v: for studies of size, never to be taken for trained heads.

use ceas_mapping::Error;
use ceas_mapping::attention::{Quantiles, Row, textbook_beta};
use ceas_mapping::heads::{HeadSet, Origin};
use ceas_npu_model::comparison::HeadRun;
use ceas_npu_model::workload::{Shape, Workload};
use ceas_sim::activity::Activity;
use ceas_sim::stream::{Purpose, Stream};
use ndarray::Array4;

use std::collections::BTreeSet;

/// Queries that are actually run; the others of the head follow the same law.
const QUERIES: usize = 8;

/// A head of n queries and n keys of dimension d. Scores have the standard deviation `beta_sigma`/β₀ over the keys; a value
/// row is a common part plus an iid Gaussian part, with |common|² = `common`·E|rest|².
///
/// ```text
/// q, k ~ N(0, β₀σ)        β₀ s_j has standard deviation β₀σ
/// v_j = √common·u + ξ_j    |u| = 1, ξ ~ N(0, 1/d)
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    /// Queries and keys.
    pub n: u64,
    /// Dimension of q, k and v.
    pub d: u64,
    /// β₀σ.
    pub beta_sigma: f64,
    /// |common|²/E|rest|².
    pub common: f64,
}

/// Median over the heads of a set of β₀σ and of |v̄|²/E|v − v̄|²: what [`Gaussian`] heads are made to resemble.
///
/// # Errors
/// [`Error::Sim`] if a score is not finite.
pub fn statistics(set: &HeadSet) -> Result<(f64, f64), Error> {
    let (mut spreads, mut commons) = (Vec::new(), Vec::new());
    let beta = textbook_beta(set.d_head());
    for layer in 0..set.layers() {
        for head in 0..set.heads() {
            let head = set.head(layer, head);
            let rows = (0..set.n_queries()).map(|query| Row::new(&head, query, beta).map(|row| row.sigma));
            spreads.push(beta.value() * Quantiles::of(rows.collect::<Result<Vec<_>, _>>()?).median);
            let keys: Vec<usize> = head.keys(set.n_queries() - 1).collect();
            let mean =
                |a: usize| keys.iter().map(|&j| f64::from(head.v[[j, a]])).sum::<f64>() / keys.len() as f64;
            let means: Vec<f64> = (0..set.d_value()).map(mean).collect();
            let squares = |j: &usize| {
                means.iter().enumerate().map(|(a, m)| (f64::from(head.v[[*j, a]]) - m).powi(2)).sum::<f64>()
            };
            let spread = keys.iter().map(squares).sum::<f64>() / keys.len() as f64;
            commons.push(means.iter().map(|m| m * m).sum::<f64>() / spread);
        }
    }
    Ok((Quantiles::of(spreads).median, Quantiles::of(commons).median))
}

impl Gaussian {
    /// Steps of a run: queries and keys, values, and what [`super::head_runs`] does with a head.
    pub const STEPS: u64 = 2 + super::STEPS;

    /// The workload of one such head.
    ///
    /// # Errors
    /// [`ceas_npu_model::Error::Workload`] if the size is 0 or too large to count.
    pub fn workload(&self) -> Result<Workload, ceas_npu_model::Error> {
        Shape::square(self.n, self.d, false).map(Workload::one)
    }

    /// Runs eight queries of the head (all, if it has fewer) against all n keys, and scales the events to n queries: what is
    /// programmed once per context stays, everything else is the same for every query.
    ///
    /// `progress` is called after each of [`Self::STEPS`].
    ///
    /// # Errors
    /// [`Error::Sim`] if q, k and v do not fit into memory.
    pub fn run(
        &self,
        widths: &BTreeSet<u32>,
        seed: u64,
        progress: &(dyn Fn() + Sync),
    ) -> Result<HeadRun, Error> {
        let (n, d) = (self.n as usize, self.d as usize);
        let queries = n.min(QUERIES);
        // k and v in single precision and, for the measurement of rounding, twice in double; v once more to sample; and what every
        // row that is run keeps of its fields, law and counts.
        let numbers = (n as u64).saturating_mul(self.d).saturating_mul(2 * 4 + 4 * 8 + 8);
        let rows = (n as u64).saturating_mul(queries as u64 * 64);
        ceas_sim::memory::check("Gaussian head", n, numbers.saturating_add(rows))?;
        let mut stream = Stream::new(seed, Purpose::Instance, 0, 0);
        let scale = self.beta_sigma.sqrt();
        let mut normal = |rows: usize, scale: f64| {
            Array4::from_shape_simple_fn((1, 1, rows, d), || (scale * stream.normal()) as f32)
        };
        let (q, k) = (normal(queries, scale), normal(n, scale));
        progress();
        let mut v = normal(n, 1.0 / (d as f64).sqrt());
        // Along the diagonal: no direction is special for Gaussian noise.
        let common = (self.common / d as f64).sqrt() as f32;
        v.mapv_inplace(|x| x + common);
        let set = HeadSet::new([q, k, v], vec![true; n], false, Origin::default())?;
        progress();
        let mut run = super::head_run(&set.head(0, 0), 0, widths, seed, progress)?;
        let [native, one_hot] = [Some(&mut run.native), run.one_hot.as_mut()];
        for sampled in [native, one_hot].into_iter().flatten() {
            sampled.events.fixed = self.all_queries(sampled.events.fixed, queries as u64);
            sampled.events.per_sample = self.all_queries(sampled.events.per_sample, queries as u64);
        }
        Ok(run)
    }

    /// Events of n queries from those of `queries`.
    fn all_queries(&self, events: Activity, queries: u64) -> Activity {
        let context = Activity { coupling_writes: events.coupling_writes, ..Activity::default() };
        let scale = |count: u64| (u128::from(count) * u128::from(self.n) / u128::from(queries)) as u64;
        Activity {
            attempts: scale(events.attempts),
            flips: scale(events.flips),
            coupler_reads: scale(events.coupler_reads),
            coupling_writes: 0,
            field_writes: scale(events.field_writes),
            random_bits: scale(events.random_bits),
            read_outs: scale(events.read_outs),
            decoder_adds: scale(events.decoder_adds),
        } + context
    }
}
