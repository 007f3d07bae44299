//! Replicas in the lanes on graphs with many bonds a site: one site after another, Metropolis.
//!
//! Flipping a spin with x = D − 2n > 0 is accepted with probability e^(−2βux). Writing x = 2y + (D mod 2) and y in binary, that is
//! a product over the set digits of y: e^(−2βu(D mod 2)) · Π_b (e^(−4βu))^(y_b 2^b). So a lane accepts if it passes one independent
//! trial for every set digit, from the highest on, where most lanes fail: a geometric law taken apart into Bernoulli trials, exact
//! for any field.

use super::digits::{DIGITS, Digits, LaneDigits, threshold};
use super::generator::{Generator, Lanes};
use super::level::{Level, Task, dispatch};
use super::replicas::{REPLICAS, ReplicaModel, ReplicaSpins};
use super::vector::{Vector, Words};
use crate::beta::Beta;
use crate::stream::Stream;

/// Binary digits that a count of bonds may have.
const PLANES: usize = 16;

/// Most bonds of a site.
pub const MOST: usize = (1 << (PLANES - 1)) - 1;

/// Digits of acceptance of one trial for every replica; `None` if no replica ever passes.
type Trial = Option<LaneDigits<0>>;

/// Scratch space and choices of a sweep.
#[derive(Debug, Clone)]
pub struct DenseSweep {
    level: Level,
    /// By site, bonds with J > 0 first: the sites at the other ends, and how many are positive.
    neighbors: Vec<(Vec<u32>, usize)>,
    tables: Option<(Vec<f64>, Trials)>,
}

/// The trials of one set of β.
#[derive(Debug, Clone)]
struct Trials {
    odd: Trial,
    digits: Vec<Trial>,
}

impl DenseSweep {
    /// Sweeps of `model` at `level`, unless a site has more than [`MOST`] bonds.
    pub fn new(model: &ReplicaModel, level: Level) -> Option<Self> {
        let of = |site: usize| {
            let bonds = model.bonds(site);
            let signed = |negative: u32| bonds.iter().filter(move |&&b| b & 1 == negative).map(|b| b / 2);
            let positive = signed(0).count();
            (bonds.len() <= MOST).then(|| (signed(0).chain(signed(1)).collect(), positive))
        };
        let neighbors = (0..model.n_sites()).map(of).collect::<Option<Vec<_>>>()?;
        Some(Self { level, neighbors, tables: None })
    }

    /// One sweep of all replicas in index order, replica r at `betas[r]`. Returns the number of flips.
    ///
    /// # Panics
    /// If there are other than 512 β, or `spins` have another number of sites.
    pub fn advance(
        &mut self,
        model: &ReplicaModel,
        spins: &mut ReplicaSpins,
        betas: &[Beta],
        stream: &mut Stream,
    ) -> u64 {
        assert_eq!(spins.n_sites(), self.neighbors.len(), "the replicas have the sites of the model");
        assert_eq!(betas.len(), REPLICAS, "one β per replica");
        let key: Vec<f64> = betas.iter().map(|beta| beta.value()).collect();
        let trials = match self.tables.take() {
            Some((known, trials)) if known == key => trials,
            _ => self.trials(model.unit(), betas),
        };
        let mut lanes = Lanes::from_stream(stream);
        let task = Visit {
            planes: &mut spins.planes,
            neighbors: &self.neighbors,
            trials: &trials,
            lanes: &mut lanes,
        };
        let flips = dispatch(self.level, task);
        self.tables = Some((key, trials));
        flips
    }

    fn trials(&self, unit: f64, betas: &[Beta]) -> Trials {
        let alike = betas.iter().all(|beta| *beta == betas[0]);
        let trial = |power: f64| -> Trial {
            if alike {
                let t = threshold(libm::exp(-2.0 * betas[0].value() * unit * power));
                return (t > 0).then(|| LaneDigits::alike(|_| t));
            }
            let p = |lane: usize| threshold(libm::exp(-2.0 * betas[lane].value() * unit * power));
            let thresholds: Vec<u64> = (0..REPLICAS).map(p).collect();
            thresholds.iter().any(|&t| t > 0).then(|| LaneDigits::nested(|_, lane| thresholds[lane]))
        };
        let most = self.neighbors.iter().map(|(bonds, _)| bonds.len()).max().unwrap_or(0);
        let digits = usize::BITS - (most / 2).leading_zeros();
        Trials { odd: trial(1.0), digits: (0..digits).map(|b| trial(2.0 * f64::from(1u32 << b))).collect() }
    }
}

/// A sweep in index order.
struct Visit<'a> {
    planes: &'a mut [Words],
    neighbors: &'a [(Vec<u32>, usize)],
    trials: &'a Trials,
    lanes: &'a mut Lanes,
}

/// Binary digits of how many of the listed spins are up, in each lane.
#[inline(always)]
fn count_up<V: Vector>(planes: &[Words], sites: &[u32]) -> [V; PLANES] {
    let zero = V::splat(0);
    let mut total = [zero; PLANES];
    let (mut ones, mut twos, mut fours) = (zero, zero, zero);
    let mut chunks = sites.chunks_exact(8);
    let up = |site: u32| V::load(&planes[site as usize]);
    for eight in chunks.by_ref() {
        let mut pair = [zero; 4];
        for k in 0..4 {
            let (x, y) = (up(eight[2 * k]), up(eight[2 * k + 1]));
            pair[k] = ones.majority(x, y);
            ones = ones.xor3(x, y);
        }
        let first = twos.majority(pair[0], pair[1]);
        twos = twos.xor3(pair[0], pair[1]);
        let second = twos.majority(pair[2], pair[3]);
        twos = twos.xor3(pair[2], pair[3]);
        let carry = fours.majority(first, second);
        fours = fours.xor3(first, second);
        add_from(&mut total, 3, carry);
    }
    total[0] = ones;
    total[1] = twos;
    total[2] = fours;
    for &site in chunks.remainder() {
        add_from(&mut total, 0, up(site));
    }
    total
}

/// Adds one bit to a number, at digit `at`.
#[inline(always)]
fn add_from<V: Vector>(total: &mut [V; PLANES], at: usize, mut carry: V) {
    for plane in &mut total[at..] {
        let both = plane.and(carry);
        *plane = plane.xor(carry);
        carry = both;
        if carry.is_zero() {
            break;
        }
    }
}

impl Task for Visit<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector>(self) -> u64 {
        let Self { planes, neighbors, trials, lanes } = self;
        let mut rng = Generator::<V>::load(lanes);
        let mut flips = 0;
        for (site, (bonds, positive)) in neighbors.iter().enumerate() {
            let (plus, minus) = bonds.split_at(*positive);
            let (plus, down_count) = (count_up::<V>(planes, plus), count_up::<V>(planes, minus));
            let s = V::load(&planes[site]);
            // c = up neighbours of positive bonds + down neighbours of negative ones. A spin that is down has n = c unsatisfied
            // bonds, y = ⌊D/2⌋ − c; one that is up has n = D − c, y = c − ⌈D/2⌉. Two's complement: the last plane is the sign.
            let degree = bonds.len();
            let offset = minus.len().wrapping_sub(degree.div_ceil(2));
            let mut y = [s; PLANES];
            let (mut borrow, mut carry) = (V::splat(0), V::splat(0));
            for b in 0..PLANES {
                let (p, m) = (plus[b], down_count[b]);
                let difference = p.xor3(m, borrow);
                borrow = p.not().majority(m, borrow);
                let k = V::splat(((offset >> b & 1) as u64).wrapping_neg());
                y[b] = difference.xor3(k, carry);
                carry = difference.majority(k, carry);
            }
            // Now y = c − ⌈D/2⌉. For a spin that is down, −y = ¬y + 1, and one less where D is odd: ¬y.
            let down = s.not();
            let mut carry = if degree % 2 == 0 { down } else { V::splat(0) };
            for digit in &mut y {
                let flipped = digit.xor(down);
                *digit = flipped.xor(carry);
                carry = flipped.and(carry);
            }
            let costly = y[PLANES - 1].not();
            let mut alive = costly;
            for (b, trial) in trials.digits.iter().enumerate().rev() {
                let tried = alive.and(y[b]);
                alive = alive.and_not(tried.and_not(pass(trial, tried, &mut rng)));
            }
            if degree % 2 == 1 {
                alive = pass(&trials.odd, alive, &mut rng);
            }
            let accepted = alive.or(costly.not());
            s.xor(accepted).store(&mut planes[site]);
            let mut words = Words::ZERO;
            accepted.store(&mut words);
            flips += words.count();
        }
        rng.store(lanes);
        flips
    }
}

/// The lanes among `tried` that pass. Digits are drawn two at a time until none is undecided.
#[inline(always)]
fn pass<V: Vector>(trial: &Trial, tried: V, rng: &mut Generator<V>) -> V {
    let mut lanes = (tried, V::splat(0));
    if let Some(digits) = trial {
        let mut i = 0;
        while i < DIGITS && !lanes.0.is_zero() {
            for _ in 0..2 {
                let r = rng.next();
                lanes = digits.compare(i, &[], lanes, r);
                i += 1;
            }
        }
    }
    lanes.1.and_not(lanes.0)
}
