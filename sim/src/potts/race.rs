//! The race: every state is a unit that flips at its own rate, and the first to flip wins.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::potts::PottsSpin;
use crate::potts::weights::{Weights, boltzmann};
use crate::stream::{Stream, Streams};
use crate::update::Update;

/// How many independent streams a race draws its clocks from: the unit of rank r uses stream r mod `RACE_LANES`.
///
/// Streams that advance independently overlap in the processor. [`Streams`] for a [`Race`] have this many blocks; with
/// fewer, all clocks are drawn from the first.
pub const RACE_LANES: usize = 2;

/// Units tested together against the earliest flip so far.
const CHUNK: usize = 8;

/// Unit j flips first after a time t_j ~ Exp(e^(βh_j)) (Arrhenius); the first flip wins and inhibits the rest.
///
/// The winner is drawn from the law p_j = e^(βh_j)/Z, and the winning time T₁ ~ Exp(Z) is independent of the winner, so that S
/// races estimate Z without bias by (S − 1)/ΣT₁ ([`Race::partition`]). All N clocks of a race are drawn.
///
/// Time is in units of e^(−β max h), in which the fastest unit has rate 1. A clock is t = −ln(u)/r with u a multiple of 2⁻⁵³ in
/// (0, 1]; since e^(−x) ≥ 1 − x, a u below 1 − r·t_min (less a margin for rounding) cannot win and is rejected without its
/// logarithm. Winner and time are bit for bit those of a race that takes every logarithm.
///
/// Activity of one sweep (one race): N attempts, 1 flip (each race begins with all units reset, and exactly one flips before the
/// rest are inhibited, whichever won before; the reset is not counted), 64 random bits per clock. State: the label of the winner.
///
/// ```
/// use ceas_sim::{beta::Beta, plan::Plan, potts::{PottsSpin, RACE_LANES, Race}, run::Run, schedule::Schedule};
/// use ceas_sim::stream::{Purpose, Streams};
/// let spin = PottsSpin::new(&[5.0, 6.0, 4.5]).unwrap();
/// let beta = Beta::new(0.7).unwrap();
/// let streams = Streams::new(1, Purpose::Update, 0, RACE_LANES);
/// let mut run = Run::new(&spin, 0, Race::default(), Schedule::Constant(beta), streams);
/// run.drive(&Plan { thermalization: 0, sweeps: 10_000, every: 1 }, |_| std::ops::ControlFlow::Continue(()));
/// let estimate = run.update().partition(&spin, beta).unwrap();
/// assert!((estimate.ln_z - spin.law(beta).ln_z()).abs() < 6.0 * estimate.error);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Race {
    rates: Weights,
    races: u64,
    total_time: f64,
    last_time: f64,
}

/// ln Z estimated from winning times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartitionEstimate {
    /// ψ(S) − ln ΣT₁, ψ the digamma function: ln Z without bias.
    pub ln_z: f64,
    /// Its standard deviation √ψ′(S), exactly: ΣT₁·Z is a Gamma(S) variable whatever the fields.
    pub error: f64,
    /// S: number of races.
    pub races: u64,
}

impl Race {
    /// Races, ΣT₁ and the last T₁.
    pub(crate) fn memory(&self) -> (u64, f64, f64) {
        (self.races, self.total_time, self.last_time)
    }

    /// Goes on from what [`Race::memory`] said.
    pub(crate) fn stand_at(&mut self, races: u64, total_time: f64, last_time: f64) {
        (self.races, self.total_time, self.last_time) = (races, total_time, last_time);
    }

    /// T₁ of the last race, in units of e^(−β max h).
    pub fn last_time(&self) -> f64 {
        self.last_time
    }

    /// ln Z from the winning times of all races so far, which must all have been run with `spin` at `beta`.
    ///
    /// Ẑ = (S − 1)/ΣT₁ has mean Z and relative error 1/√(S − 2), but its logarithm is biased by ln(S − 1) − ψ(S). The logarithm of
    /// a Gamma(S) variable has mean ψ(S) and variance ψ′(S), so that ψ(S) − ln ΣT₁ has mean ln Z at every S. `None` for fewer than
    /// three races, for which Ẑ has no error.
    pub fn partition(&self, spin: &PottsSpin, beta: Beta) -> Option<PartitionEstimate> {
        (self.races > 2).then(|| {
            let [digamma, trigamma] = polygamma(self.races as f64);
            PartitionEstimate {
                ln_z: digamma - libm::log(self.total_time) + beta.value() * spin.highest(),
                error: libm::sqrt(trigamma),
                races: self.races,
            }
        })
    }
}

impl Update for Race {
    type Model = PottsSpin;
    type State = usize;

    #[inline]
    fn sweep(&mut self, model: &PottsSpin, state: &mut usize, beta: Beta, streams: &mut Streams) -> Activity {
        let rates = self.rates.of(model, beta, boltzmann);
        let (rank, time) = match streams.blocks() {
            [even, odd, ..] => {
                // Local copies live in registers for the length of the race.
                let mut lanes = [even.clone(), odd.clone()];
                let first = first_flip(rates, &mut lanes);
                [*even, *odd] = lanes;
                first
            }
            blocks => first_flip(rates, std::array::from_mut(&mut blocks[0])),
        };
        *state = model.label(rank);
        self.races += 1;
        self.total_time += time;
        self.last_time = time;
        let clocks = rates.len() as u64;
        Activity { attempts: clocks, flips: 1, random_bits: 64 * clocks, ..Activity::default() }
    }
}

/// ψ(x) and ψ′(x) for x ≥ 1: the asymptotic series (Abramowitz and Stegun 6.3.18 and 6.4.12) at x ≥ 10, reached by recurrence.
fn polygamma(mut x: f64) -> [f64; 2] {
    let (mut below, mut below_slope) = (0.0, 0.0);
    while x < 10.0 {
        below += 1.0 / x;
        below_slope += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let digamma =
        libm::log(x) - 0.5 / x - y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y / 240.0)));
    let trigamma = (1.0
        + 0.5 / x
        + y * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y * (1.0 / 30.0 - y * 5.0 / 66.0)))))
        / x;
    [digamma - below, trigamma + below_slope]
}

/// The time at which a clock of rate `rate` rings, from 64 random bits.
#[inline]
fn ring(bits: u64, rate: f64) -> f64 {
    let u = ((bits >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64);
    -libm::log(u) / rate
}

/// The bits as a number in [1, 2), rounded down to a multiple of 2⁻⁵².
#[inline]
fn one_to_two(bits: u64) -> f64 {
    f64::from_bits((bits >> 12) | 0x3FF0_0000_0000_0000)
}

/// Rank and time of the first flip among units of descending rates, the first rate being 1.
#[inline]
fn first_flip<const LANES: usize>(rates: &[f64], lanes: &mut [Stream; LANES]) -> (usize, f64) {
    // 2 less a margin of 32 units of rounding: it covers the bits dropped by `one_to_two` (1), the sum (2), and the errors of the
    // logarithm and of the quotient in `ring` (3).
    const CERTAIN: f64 = 2.0 - 32.0 * f64::EPSILON;
    let mut winner = 0;
    let mut earliest = f64::INFINITY;
    let mut compete = |rank: usize, bits: u64, rate: f64, earliest: &mut f64| {
        let time = ring(bits, rate);
        if time < *earliest {
            *earliest = time;
            winner = rank;
        }
    };
    let mut chunks = rates.chunks_exact(CHUNK);
    let mut base = 0;
    for chunk in &mut chunks {
        let mut words = [0u64; CHUNK];
        for (i, word) in words.iter_mut().enumerate() {
            *word = lanes[i % LANES].next_u64();
        }
        if base == 0 {
            compete(0, words[0], chunk[0], &mut earliest);
        }
        let mut candidate = false;
        for (word, rate) in words.iter().zip(chunk) {
            candidate |= one_to_two(*word) + rate * earliest > CERTAIN;
        }
        if candidate {
            for (i, (&word, &rate)) in words.iter().zip(chunk).enumerate() {
                if one_to_two(word) + rate * earliest > CERTAIN {
                    compete(base + i, word, rate, &mut earliest);
                }
            }
        }
        base += CHUNK;
    }
    for (i, &rate) in chunks.remainder().iter().enumerate() {
        let word = lanes[i % LANES].next_u64();
        if base + i == 0 || one_to_two(word) + rate * earliest > CERTAIN {
            compete(base + i, word, rate, &mut earliest);
        }
    }
    (winner, earliest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Purpose;

    /// The race as it is defined: every clock takes its logarithm.
    fn by_logarithms<const LANES: usize>(rates: &[f64], lanes: &mut [Stream; LANES]) -> (usize, f64) {
        let mut first = (0, f64::INFINITY);
        for (rank, &rate) in rates.iter().enumerate() {
            let time = ring(lanes[rank % LANES].next_u64(), rate);
            if time < first.1 {
                first = (rank, time);
            }
        }
        first
    }

    #[test]
    fn digamma_and_trigamma_are_the_sums_they_are() {
        // ψ(n) = −γ + Σ_(k<n) 1/k and ψ′(n) = π²/6 − Σ_(k<n) 1/k².
        const EULER: f64 = 0.577_215_664_901_532_9;
        let (mut psi, mut slope) = (-EULER, std::f64::consts::PI.powi(2) / 6.0);
        for n in 1..200 {
            let [digamma, trigamma] = polygamma(f64::from(n));
            assert!((digamma - psi).abs() < 1e-12 && (trigamma - slope).abs() < 1e-12, "n = {n}");
            psi += 1.0 / f64::from(n);
            slope -= 1.0 / f64::from(n).powi(2);
        }
    }

    #[test]
    fn skipping_logarithms_changes_no_bit() {
        let mut instance = Stream::new(0, Purpose::Test, 0, 0);
        for n in [1, 2, 7, 8, 9, 64, 65, 200] {
            for beta in [0.0, 0.1, 1.0, 10.0, 1e4] {
                let fields: Vec<f64> = (0..n).map(|_| instance.normal()).collect();
                let mut rates = Vec::new();
                boltzmann(beta, PottsSpin::new(&fields).unwrap().gaps(), &mut rates);
                let mut fast: [Stream; 2] =
                    std::array::from_fn(|lane| Stream::new(1, Purpose::Test, n, lane as u64));
                let mut plain = fast.clone();
                for _ in 0..2_000 {
                    let (a, b) = (first_flip(&rates, &mut fast), by_logarithms(&rates, &mut plain));
                    assert_eq!((a.0, a.1.to_bits()), (b.0, b.1.to_bits()));
                }
                assert_eq!(fast, plain, "the same clocks were drawn");
            }
        }
    }

    #[test]
    fn the_rejection_is_safe_where_it_is_tightest() {
        // u just below 1 − r·t: the smallest times, where 1 − x and e^(−x) agree to the last bits.
        for rate in [1.0, 0.3, 1e-5] {
            for exponent in 0..50 {
                let bits = u64::MAX - (1u64 << (exponent + 11));
                let time = ring(bits, rate);
                // A unit whose time equals the record must not be skipped when it would win by one unit of rounding.
                let later = f64::from_bits(time.to_bits() + 1);
                assert!(one_to_two(bits) + rate * later > 2.0 - 32.0 * f64::EPSILON);
            }
        }
    }
}
