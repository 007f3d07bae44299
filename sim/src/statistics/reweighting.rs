//! One run tells of other temperatures: histogram reweighting, of one β or of several together.
//!
//! What is measured at β_k is kept by an integer *key* K of the configuration, whose weight depends on β through one number alone,
//! ```text
//! weight(K; θ) = Ω(K) e^(θK)        θ = −βδ for K = E/δ;   θ = ln(e^(2βJ) − 1) for K = the open bonds of a cluster update
//! ```
//! so that averages at any θ follow from histograms of K with the sums of every observable (Ferrenberg and Swendsen,
//! doi:10.1103/PhysRevLett.61.2635; several θ: doi:10.1103/PhysRevLett.63.1195).

use crate::error::Error;

/// How often each key occurred, and the sums of K observables over those times.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram<const K: usize> {
    first: i64,
    counts: Vec<f64>,
    sums: Vec<[f64; K]>,
}

impl<const K: usize> Default for Histogram<K> {
    fn default() -> Self {
        Self { first: 0, counts: Vec::new(), sums: Vec::new() }
    }
}

impl<const K: usize> Histogram<K> {
    /// Adds one measurement.
    pub fn add(&mut self, key: i64, values: &[f64; K]) {
        let at = self.make_room(key, key);
        self.counts[at] += 1.0;
        self.sums[at].iter_mut().zip(values).for_each(|(sum, x)| *sum += x);
    }

    /// Adds another histogram `times` times; −1 takes it out again.
    pub fn merge(&mut self, other: &Self, times: f64) {
        if other.counts.is_empty() {
            return;
        }
        let at = self.make_room(other.first, other.first + other.counts.len() as i64 - 1);
        for (i, (count, sums)) in other.counts.iter().zip(&other.sums).enumerate() {
            self.counts[at + i] += times * count;
            self.sums[at + i].iter_mut().zip(sums).for_each(|(sum, x)| *sum += times * x);
        }
    }

    /// Number of measurements.
    pub fn count(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The first key, and for it and those after it how often each occurred, with the sums: for a checkpoint.
    pub(crate) fn parts(&self) -> (i64, &[f64], &[[f64; K]]) {
        (self.first, &self.counts, &self.sums)
    }

    /// What [`Histogram::parts`] told of.
    pub(crate) fn from_parts(first: i64, counts: Vec<f64>, sums: Vec<[f64; K]>) -> Self {
        Self { first, counts, sums }
    }

    /// Mean and standard deviation of the key; none of an empty histogram.
    pub fn keys(&self) -> Option<(f64, f64)> {
        let n = self.count();
        let moment = |f: &dyn Fn(f64) -> f64| {
            let keys = self.counts.iter().enumerate();
            keys.map(|(i, count)| count * f((self.first + i as i64) as f64)).sum::<f64>() / n
        };
        let mean = moment(&|k| k);
        (n > 0.0).then(|| (mean, libm::sqrt(moment(&|k| (k - mean) * (k - mean)))))
    }

    /// Extends the range to `low` … `high`; returns where `low` is kept.
    fn make_room(&mut self, low: i64, high: i64) -> usize {
        if self.counts.is_empty() {
            self.first = low;
        }
        if low < self.first {
            // Room is made in advance, so that a range that creeps downwards is not moved each time.
            let more = (self.first - low) as usize + self.counts.len() / 2;
            self.counts.splice(0..0, std::iter::repeat_n(0.0, more));
            self.sums.splice(0..0, std::iter::repeat_n([0.0; K], more));
            self.first -= more as i64;
        }
        let length = (high - self.first + 1) as usize;
        if length > self.counts.len() {
            self.counts.resize(length, 0.0);
            self.sums.resize(length, [0.0; K]);
        }
        (low - self.first) as usize
    }
}

/// Histograms of several θ put together, each configuration weighted as the mixture of all runs demands: p(K) ∝ Σ_k H_k(K)/Σ_k n_k
/// e^(θ_k K − f_k), where f_k = ln Z(θ_k) follow from the data themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiHistogram<const K: usize> {
    all: Histogram<K>,
    /// θ_k, n_k and f_k.
    runs: Vec<Component>,
    /// The key that exponents are relative to.
    origin: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Component {
    theta: f64,
    count: f64,
    free: f64,
}

/// Most iterations for the f_k, and the change at which they are known.
const ITERATIONS: usize = 10_000;
const SETTLED: f64 = 1e-11;

/// Least overlap of neighbouring runs: a distance of this many standard deviations of K.
const FARTHEST: f64 = 4.0;

impl<const K: usize> MultiHistogram<K> {
    /// Puts histograms together, each measured at the θ beside it.
    ///
    /// ```
    /// use ceas_sim::statistics::{Histogram, MultiHistogram};
    /// // One spin in a field: K = s = ±1, at θ = h₁ (up 3 times in 4) and at θ = 0; asked for at θ = h₂.
    /// let (mut cold, mut hot) = (Histogram::default(), Histogram::default());
    /// for s in [1, 1, 1, -1] {
    ///     cold.add(s, &[s as f64]);
    /// }
    /// for s in [1, -1] {
    ///     hot.add(s, &[s as f64]);
    /// }
    /// let h = |up: f64| 0.5 * (up / (1.0 - up)).ln();
    /// let both = MultiHistogram::new(&[(h(0.75), &cold), (0.0, &hot)]).unwrap();
    /// assert!((both.averages(h(0.6))[0] - 0.2).abs() < 1e-9);
    /// ```
    ///
    /// # Errors
    /// [`Error::Data`] if there is none, one is empty, a θ is not finite, or neighbouring runs are so far apart that they have no keys in
    /// common (their means differ by more than 4 standard deviations).
    pub fn new(runs: &[(f64, &Histogram<K>)]) -> Result<Self, Error> {
        let refuse = |violated| Error::Data { what: "reweighting", violated };
        if runs.is_empty() || runs.iter().any(|(theta, h)| h.count() <= 0.0 || !theta.is_finite()) {
            return Err(refuse("it takes at least one measurement at every β"));
        }
        let mut sorted: Vec<_> = runs.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let spreads: Vec<(f64, f64)> = sorted.iter().filter_map(|(_, h)| h.keys()).collect();
        if spreads.windows(2).any(|w| (w[1].0 - w[0].0).abs() > FARTHEST * w[0].1.max(w[1].1).max(1.0)) {
            return Err(refuse("neighbouring β are too far apart for their runs to overlap"));
        }
        let mut all = Histogram::default();
        sorted.iter().for_each(|(_, h)| all.merge(h, 1.0));
        let origin = all.keys().map_or(0.0, |keys| keys.0);
        // ∫⟨K⟩ dθ between neighbours is where the iteration starts.
        let mut free = 0.0;
        let mut components: Vec<Component> = Vec::new();
        for (i, (theta, histogram)) in sorted.iter().enumerate() {
            if i > 0 {
                let mean = 0.5 * (spreads[i - 1].0 + spreads[i].0) - origin;
                free += (theta - sorted[i - 1].0) * mean;
            }
            components.push(Component { theta: *theta, count: histogram.count(), free });
        }
        let mut multi = Self { all, runs: components, origin };
        multi.settle();
        Ok(multi)
    }

    /// Takes one histogram of the run at θ out again, as a jackknife needs it; then call [`MultiHistogram::settle`].
    ///
    /// # Panics
    /// If there is no run at `theta`.
    pub fn take(&mut self, theta: f64, part: &Histogram<K>) {
        self.all.merge(part, -1.0);
        let run = self.runs.iter_mut().find(|run| run.theta == theta).expect("there is such a run");
        run.count -= part.count();
    }

    /// ln Σ_k n_k e^(θ_k K − f_k), K relative to the origin.
    fn ln_mixture(&self, key: f64) -> f64 {
        let exponent = |run: &Component| run.theta * key - run.free;
        let largest = self.runs.iter().map(exponent).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.runs.iter().map(|run| run.count * libm::exp(exponent(run) - largest)).sum();
        largest + libm::log(sum)
    }

    /// Finds the f_k anew, up to the f of the first, which stays.
    pub fn settle(&mut self) {
        if self.runs.len() < 2 {
            return;
        }
        let occupied: Vec<(f64, f64)> = self
            .all
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0.0)
            .map(|(i, &count)| ((self.all.first + i as i64) as f64 - self.origin, count))
            .collect();
        for _ in 0..ITERATIONS {
            let weights: Vec<f64> =
                occupied.iter().map(|&(key, count)| libm::log(count) - self.ln_mixture(key)).collect();
            let free: Vec<f64> = self
                .runs
                .iter()
                .map(|run| {
                    let exponents = occupied.iter().zip(&weights).map(|(&(key, _), w)| run.theta * key + w);
                    let largest = exponents.clone().fold(f64::NEG_INFINITY, f64::max);
                    largest + libm::log(exponents.map(|x| libm::exp(x - largest)).sum())
                })
                .collect();
            let mut change = 0.0f64;
            let start = free[0];
            for (run, free) in self.runs.iter_mut().zip(free) {
                change = change.max((free - start - run.free).abs());
                run.free = free - start;
            }
            if change < SETTLED {
                return;
            }
        }
    }

    /// Averages of all observables at θ.
    pub fn averages(&self, theta: f64) -> [f64; K] {
        self.weighted(theta).0
    }

    /// The share of the measurements that still counts at θ: (Σw)²/(n Σw²) with w the weight of each.
    pub fn efficiency(&self, theta: f64) -> f64 {
        self.weighted(theta).1
    }

    fn weighted(&self, theta: f64) -> ([f64; K], f64) {
        let occupied =
            || self.all.counts.iter().zip(&self.all.sums).enumerate().filter(|(_, (n, _))| **n > 0.0);
        let exponents: Vec<f64> = occupied()
            .map(|(i, _)| {
                let key = (self.all.first + i as i64) as f64 - self.origin;
                theta * key - self.ln_mixture(key)
            })
            .collect();
        let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut total, mut squares, mut count) = (0.0, 0.0, 0.0);
        let mut sums = [0.0; K];
        for ((_, (n, values)), exponent) in occupied().zip(exponents) {
            let weight = libm::exp(exponent - largest);
            total += n * weight;
            squares += n * weight * weight;
            count += n;
            sums.iter_mut().zip(values).for_each(|(sum, x)| *sum += weight * x);
        }
        (sums.map(|sum| sum / total), total * total / (squares * count))
    }

    /// The θ of the runs, ascending.
    pub fn thetas(&self) -> impl Iterator<Item = f64> {
        self.runs.iter().map(|run| run.theta)
    }
}
