//! A row on a one-hot cluster of p-bits whose wires take time.

use std::ops::ControlFlow;

use ceas_sim::Beta;
use ceas_sim::activity::Activity;
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::stream::{Stream, Streams};
use ceas_sim::update::Update;

use crate::one_hot::offset;
use crate::pbits::{Clocks, Noise};

/// Sweeps tried for every read-out that is wanted, beyond which a row is read with what there is.
const PATIENCE: u64 = 64;

/// Read-outs that are thrown away first.
const WARM_UP: u64 = 8;

/// A one-hot cluster (see [`crate::one_hot`]): E(n) = −Σ_j x_j n_j + A(Σ_j n_j − 1)² in units of kT.
///
/// All that a bit hears of the others is how many are up, so that an attempt takes as long for any number of bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// x_j of every bit, the offset μ included.
    fields: Vec<f64>,
    /// βA.
    strength: f64,
}

/// Bits, and how many of them are up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    up: Vec<bool>,
    count: usize,
}

/// Poisson clocks of rate 1 and wires with a delay, as in [`crate::pbits::Asynchronous`], whose draws this makes in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    clocks: Clocks,
    seen: Bits,
}

impl Cluster {
    /// The cluster of a row with the fields `x` `[N]` in kT, relative to anything; one bit is up on average.
    ///
    /// # Panics
    /// If a field is not finite or there is none.
    pub fn new(x: &[f64], strength: f64) -> Self {
        assert!(!x.is_empty() && x.iter().all(|x| x.is_finite()), "finite fields");
        let high = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let gaps: Vec<f64> = x.iter().map(|x| x - high).collect();
        let mu = offset(&gaps, strength);
        Self { fields: gaps.iter().map(|x| x + mu).collect(), strength }
    }
}

impl Bits {
    /// `n` bits, all down.
    pub fn down(n: usize) -> Self {
        Self { up: vec![false; n], count: 0 }
    }

    /// Whether each is up.
    pub fn as_slice(&self) -> &[bool] {
        &self.up
    }

    fn flip(&mut self, j: usize) {
        self.up[j] = !self.up[j];
        if self.up[j] { self.count += 1 } else { self.count -= 1 }
    }

    /// The bit that is up, if it is the only one.
    fn one(&self) -> Option<usize> {
        if self.count == 1 { self.up.iter().position(|&up| up) } else { None }
    }
}

impl Late {
    /// Wires of delay `latency` ≥ 0 between `n` bits that are all down, in units of the time between two attempts of a bit.
    pub fn new(n: usize, latency: f64) -> Self {
        Self { clocks: Clocks::new(latency), seen: Bits::down(n) }
    }
}

impl Update for Late {
    type Model = Cluster;
    type State = Bits;

    fn sweep(&mut self, model: &Cluster, bits: &mut Bits, beta: Beta, streams: &mut Streams) -> Activity {
        let n = model.fields.len();
        let stream = streams.first();
        let Self { clocks, seen } = self;
        let end = clocks.end();
        let mut activity = Activity::default();
        while let Some(j) = clocks.ring(n, end, stream, |j| seen.flip(j)) {
            let others = (seen.count - usize::from(seen.up[j])) as f64;
            // E(0) − E(1) with that many others up.
            let x = model.fields[j] - model.strength * (2.0 * others - 1.0);
            let up = stream.uniform() < Noise::Logistic.up(beta.value() * x);
            activity.attempts += 1;
            activity.random_bits += 53;
            activity.coupler_reads += n as u64 - 1;
            if up != bits.up[j] {
                bits.flip(j);
                activity.flips += 1;
                clocks.send(j);
            }
        }
        activity
    }
}

/// Turns the law p of a row into the frequencies of `reads` valid read-outs of its cluster, one every `interval` sweeps, from all bits down.
///
/// Fewer where hardly any is valid: at most [`PATIENCE`] are tried for each. A row without a valid read-out reads nothing.
pub(super) fn read(
    reads: u32,
    interval: u32,
    [strength, latency]: [f64; 2],
    p: &mut [f64],
    stream: &mut Stream,
) {
    let there: Vec<usize> = (0..p.len()).filter(|&j| p[j] > 0.0).collect();
    let x: Vec<f64> = there.iter().map(|&j| libm::log(p[j])).collect();
    p.fill(0.0);
    if there.is_empty() {
        return;
    }
    let (cluster, n) = (Cluster::new(&x, strength), there.len());
    let beta = Schedule::Constant(Beta::new(1.0).expect("1 is a β"));
    let streams = Streams::from_blocks(vec![stream.clone()]).expect("one stream is given");
    let mut run = Run::new(&cluster, Bits::down(n), Late::new(n, latency), beta, streams);
    let (interval, mut valid) = (u64::from(interval), 0u32);
    let plan = Plan {
        thermalization: WARM_UP * interval,
        sweeps: PATIENCE * u64::from(reads) * interval,
        every: interval,
    };
    run.drive(&plan, |run| {
        if let Some(j) = run.state().one() {
            p[there[j]] += 1.0;
            valid += 1;
        }
        if valid == reads { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    p.iter_mut().for_each(|p| *p /= f64::from(valid.max(1)));
}

#[cfg(test)]
mod tests {
    use ceas_sim::potts::PottsSpin;
    use ceas_sim::stream::Purpose;

    use super::*;
    use crate::one_hot::{OneHot, Penalty};
    use crate::pbits::Asynchronous;

    /// The same cluster by the Hamiltonian on the complete graph and its general dynamics: the same draws, the same bits.
    #[test]
    fn it_moves_as_the_general_p_bits_do() {
        let scores = [0.3, -0.7, 1.9, 0.0, 0.8, -1.4];
        let beta = Beta::new(1.0).unwrap();
        let mut tried = 0;
        for strength in [1.0, 2.5] {
            for latency in [0.0, 0.4, 1.7] {
                let spin = PottsSpin::new(&scores).unwrap();
                let program = OneHot::lower(&spin, beta, Penalty { strength }).unwrap();
                let streams = || Streams::new(9, Purpose::Test, 0, 1);
                let schedule = || Schedule::Constant(beta);
                let general = Asynchronous::new(Noise::Logistic, latency);
                let mut general =
                    Run::new(&program.model, program.start.clone(), general, schedule(), streams());
                let cluster = Cluster::new(&scores, strength);
                let late = Late::new(6, latency);
                let mut ours = Run::new(&cluster, Bits::down(6), late, schedule(), streams());
                let plan = Plan { thermalization: 0, sweeps: 400, every: 1 };
                let mut expected = Vec::new();
                general.drive(&plan, |run| {
                    expected.push(run.state().as_slice().iter().map(|&s| s == 1).collect::<Vec<_>>());
                    ControlFlow::Continue(())
                });
                let mut at = 0;
                ours.drive(&plan, |run| {
                    assert_eq!(
                        run.state().as_slice(),
                        expected[at],
                        "βA = {strength}, latency {latency}, sweep {at}"
                    );
                    at += 1;
                    ControlFlow::Continue(())
                });
                assert_eq!((at, ours.activity()), (400, general.activity()));
                tried += at;
            }
        }
        assert_eq!(tried, 2400);
    }

    #[test]
    fn a_row_that_cannot_be_read_reads_nothing_and_absent_keys_stay_absent() {
        let mut stream = Stream::new(1, Purpose::Test, 0, 0);
        let mut p = [0.0; 3];
        read(8, 1, [2.0, 0.0], &mut p, &mut stream);
        assert_eq!(p, [0.0; 3]);
        let mut p = [0.6, 0.0, 0.4];
        read(32, 4, [2.0, 0.5], &mut p, &mut stream);
        assert!(p[1] == 0.0 && (p[0] + p[2] - 1.0).abs() < 1e-12, "{p:?}");
    }
}
