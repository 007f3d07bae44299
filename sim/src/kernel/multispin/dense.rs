//! Replicas in the lanes on graphs with many bonds a site: one site after another, Metropolis.
//!
//! Flipping a spin with x = D − 2n > 0 is accepted with probability e^(−2βux). Writing x = 2y + (D mod 2) and y in base 4, that is a
//! product over the digits of y: e^(−2βu(y_0·2 + D mod 2)) · Π_(p ≥ 1) (e^(−4βu))^(y_p 4^p). So a lane accepts if it passes one
//! independent trial for every digit that is not 0, from the highest on, where most lanes fail: a geometric law taken apart into
//! trials, exact for any field.
//!
//! The fields of four sites are counted together (its file `fields.rs`), and corrected for what the first of them do.

use super::digits::{DIGITS, Digits, LaneDigits, threshold};
use super::fields::{Four, PLANES, SITES, add_constant};
use super::generator::{Generator, Lanes};
use super::level::{Level, Task, dispatch};
use super::replicas::{REPLICAS, ReplicaModel, ReplicaSpins};
use super::vector::{Vector, Words};
use crate::beta::Beta;
use crate::stream::Stream;

/// Most bonds of a site.
pub const MOST: usize = (1 << (PLANES - 1)) - 1;

/// Digits of acceptance for every digit 0 … 3 and every replica; `None` if no replica ever passes.
type Trial = Option<LaneDigits<3>>;

/// Scratch space and choices of a sweep.
#[derive(Debug, Clone)]
pub struct DenseSweep {
    level: Level,
    blocks: Vec<Four>,
    /// Most bonds of a site.
    most: usize,
    tables: Option<(Vec<f64>, Trials)>,
}

/// The trials of one set of β.
#[derive(Debug, Clone)]
struct Trials {
    /// By digit of y.
    digits: Vec<Trial>,
    /// Of the lowest digit where D is odd.
    odd: Trial,
}

impl DenseSweep {
    /// Sweeps of `model` at `level`, unless a site has more than [`MOST`] bonds.
    pub fn new(model: &ReplicaModel, level: Level) -> Option<Self> {
        let most = (0..model.n_sites()).map(|site| model.bonds(site).len()).max().unwrap_or(0);
        let blocks = || (0..model.n_sites()).step_by(SITES).map(|first| Four::new(model, first)).collect();
        (most <= MOST).then(|| Self { level, blocks: blocks(), most, tables: None })
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
        assert_eq!(spins.n_sites(), model.n_sites(), "the replicas have the sites of the model");
        assert_eq!(betas.len(), REPLICAS, "one β per replica");
        let key: Vec<f64> = betas.iter().map(|beta| beta.value()).collect();
        let trials = match self.tables.take() {
            Some((known, trials)) if known == key => trials,
            _ => self.trials(model.unit(), betas),
        };
        let mut lanes = Lanes::from_stream(stream);
        let task = Visit {
            planes: &mut spins.planes,
            blocks: &self.blocks,
            width: width(self.most),
            trials: &trials,
            lanes: &mut lanes,
        };
        let flips = dispatch(self.level, task);
        self.tables = Some((key, trials));
        flips
    }

    fn trials(&self, unit: f64, betas: &[Beta]) -> Trials {
        let alike = betas.iter().all(|beta| *beta == betas[0]);
        // Class c costs 2u·power(c); the first class that is tried at all passes most easily.
        let trial = |tried: usize, power: &dyn Fn(usize) -> f64| -> Trial {
            let p = |class: usize, lane: usize| {
                threshold(libm::exp(-2.0 * betas[lane].value() * unit * power(class)))
            };
            if alike {
                return (p(tried, 0) > 0).then(|| LaneDigits::alike(|class| p(class, 0)));
            }
            (0..REPLICAS).any(|lane| p(tried, lane) > 0).then(|| LaneDigits::nested(p))
        };
        let digits = base_four_digits(self.most);
        let of_digit = |digit: u32| trial(1, &|class| 2.0 * class as f64 * f64::from(1u32 << (2 * digit)));
        Trials {
            digits: (0..digits).map(of_digit).collect(),
            odd: trial(0, &|class| 2.0 * class as f64 + 1.0),
        }
    }
}

/// Digits to the base 4 that y ≤ ⌊`most`/2⌋ may have, at least one.
pub(super) fn base_four_digits(most: usize) -> u32 {
    (usize::BITS - (most / 2).leading_zeros()).div_ceil(2).max(1)
}

/// Binary digits in which −⌈`most`/2⌉ … ⌊`most`/2⌋ can be told apart, as two's complement.
fn width(most: usize) -> usize {
    ((usize::BITS - most.leading_zeros()) as usize).max(1)
}

/// A sweep in index order.
struct Visit<'a> {
    planes: &'a mut [Words],
    blocks: &'a [Four],
    width: usize,
    trials: &'a Trials,
    lanes: &'a mut Lanes,
}

impl Task for Visit<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector>(self) -> u64 {
        let Self { planes, blocks, width, trials, lanes } = self;
        let zero = V::splat(0);
        let mut rng = Generator::<V>::load(lanes);
        let mut flips = 0;
        for (number, block) in blocks.iter().enumerate() {
            let mut sums = [[zero; PLANES]; SITES];
            block.sums(planes, width, &mut sums);
            for (k, site) in block.sites().iter().enumerate() {
                let y = &mut sums[k];
                site.add_rest(planes, width, y);
                // c counts the satisfied bonds of a spin that is up. A spin that is down has n = c unsatisfied bonds and
                // y = ⌊D/2⌋ − c; one that is up has n = D − c and y = c − ⌈D/2⌉. The last plane is the sign.
                add_constant(y, width, site.offset());
                let s = V::load(&planes[SITES * number + k]);
                // Now y = c − ⌈D/2⌉. For a spin that is down, −y = ¬y + 1, and one less where D is odd: ¬y.
                let down = s.not();
                let odd = site.is_odd();
                let mut carry = if odd { zero } else { down };
                for digit in &mut y[..width] {
                    let flipped = digit.xor(down);
                    *digit = flipped.xor(carry);
                    carry = flipped.and(carry);
                }
                let costly = y[width - 1].not();
                let mut alive = costly;
                for (digit, trial) in trials.digits.iter().enumerate().rev() {
                    // Beyond the width and at the sign there is nothing left of a y that is not negative.
                    let one = if 2 * digit + 1 < width { y[2 * digit] } else { zero };
                    let two = if 2 * digit + 2 < width { y[2 * digit + 1] } else { zero };
                    let masks = [one.or(two), two, one.and(two)];
                    if digit == 0 && odd {
                        alive = pass(&trials.odd, &masks, alive, &mut rng);
                    } else {
                        let tried = alive.and(masks[0]);
                        alive = alive.and_not(tried).or(pass(trial, &masks, tried, &mut rng));
                    }
                }
                let accepted = alive.or(costly.not());
                s.xor(accepted).store(&mut planes[SITES * number + k]);
                let mut words = Words::ZERO;
                accepted.store(&mut words);
                flips += words.count();
            }
        }
        rng.store(lanes);
        flips
    }
}

/// The lanes among `tried` that pass. Digits are drawn two at a time until none is undecided.
#[inline(always)]
fn pass<V: Vector>(trial: &Trial, masks: &[V; 3], tried: V, rng: &mut Generator<V>) -> V {
    let mut lanes = (tried, V::splat(0));
    if let Some(digits) = trial {
        let mut i = 0;
        while i < DIGITS && !lanes.0.is_zero() {
            for _ in 0..2 {
                let r = rng.next();
                lanes = digits.compare(i, masks, lanes, r);
                i += 1;
            }
        }
    }
    lanes.1.and_not(lanes.0)
}
