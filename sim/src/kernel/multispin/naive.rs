//! The naive twins: one lane after another, energies through the Hamiltonian, the same random bits, the same bytes.

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::batch::{BATCH, BLIND, PRIVATE, TURNS};
use super::digits::{DIGITS, threshold};
use super::generator::Lanes;
use super::grid::Grid;
use super::replicas::{REPLICAS, ReplicaModel};
use super::sites::Decision;
use super::{dense, sparse};
use crate::beta::Beta;
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;
use crate::stream::Stream;

/// What decides about one spin.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Chance {
    /// It flips, and reads no random bit.
    Certain,
    /// It flips if random bits are below the threshold.
    Below(u64),
    /// It flips if they are not.
    NotBelow(u64),
}

/// Digit i of a threshold; there are 64.
fn digit(threshold: u64, i: usize) -> bool {
    i < DIGITS && threshold >> (DIGITS - 1 - i) & 1 == 1
}

/// Eight scalar generators: 512 bits a draw.
struct Tape([Xoshiro256PlusPlus; 8]);

impl Tape {
    fn new(stream: &mut Stream) -> Self {
        let state = Lanes::from_stream(stream).state();
        Self(std::array::from_fn(|w| {
            let mut seed = [0; 32];
            for (bytes, words) in seed.chunks_exact_mut(8).zip(state) {
                bytes.copy_from_slice(&words.0[w].to_le_bytes());
            }
            Xoshiro256PlusPlus::from_seed(seed)
        }))
    }

    /// One random bit per lane.
    fn draw(&mut self) -> Vec<bool> {
        let words: Vec<u64> = self.0.iter_mut().map(Rng::next_u64).collect();
        (0..512).map(|lane| words[lane / 64] >> (lane % 64) & 1 == 1).collect()
    }
}

/// One spin's comparison of its random number with its threshold.
#[derive(Debug, Clone, Copy)]
struct Comparison {
    threshold: u64,
    below: Option<bool>,
}

impl Comparison {
    fn read(&mut self, i: usize, r: bool) {
        let t = digit(self.threshold, i);
        if self.below.is_none() && r != t {
            self.below = Some(t);
        }
    }
}

/// Decides a batch: by slot and lane, whether the spin flips. Lanes that come second in a pool are moved on up to `turns` times.
fn decide(batch: &[Vec<Chance>], tape: &mut Tape, turns: usize) -> Vec<Vec<bool>> {
    let start = |chance: &Chance| match *chance {
        Chance::Certain => Comparison { threshold: 0, below: Some(true) },
        Chance::Below(threshold) | Chance::NotBelow(threshold) => Comparison { threshold, below: None },
    };
    let mut slots: Vec<Vec<Comparison>> = batch.iter().map(|slot| slot.iter().map(start).collect()).collect();
    for i in 0..PRIVATE {
        for slot in 0..BATCH {
            let bits = tape.draw();
            if let Some(comparisons) = slots.get_mut(slot) {
                comparisons.iter_mut().zip(bits).for_each(|(comparison, r)| comparison.read(i, r));
            }
        }
    }
    loop {
        let undecided = |slots: &[Vec<Comparison>], lane: usize| -> Vec<usize> {
            (0..slots.len()).filter(|&slot| slots[slot][lane].below.is_none()).collect()
        };
        let waiting: Vec<Vec<usize>> = (0..512).map(|lane| undecided(&slots, lane)).collect();
        // By lane of the pool: whose comparison it makes, as slot and lane.
        let mut owners: Vec<Option<(usize, usize)>> =
            waiting.iter().enumerate().map(|(lane, slots)| slots.first().map(|&slot| (slot, lane))).collect();
        let mut second: Vec<(usize, usize)> = waiting
            .iter()
            .enumerate()
            .filter_map(|(lane, slots)| slots.get(1).map(|&slot| (slot, lane)))
            .collect();
        for turn in 1..=turns {
            second.retain(|&(slot, lane)| {
                let room = &mut owners[(lane + 64 * turn) % 512];
                let taken = room.is_some();
                room.get_or_insert((slot, lane));
                taken
            });
        }
        let again = !second.is_empty() || waiting.iter().any(|slots| slots.len() > 2);
        let mut i = PRIVATE;
        let read = |slots: &mut [Vec<Comparison>], i: usize, bits: Vec<bool>| {
            for (owner, r) in owners.iter().zip(bits) {
                owner.iter().for_each(|&(slot, lane)| slots[slot][lane].read(i, r));
            }
        };
        let unfinished = |slots: &[Vec<Comparison>]| {
            owners.iter().flatten().any(|&(slot, lane)| slots[slot][lane].below.is_none())
        };
        for _ in 0..BLIND {
            read(&mut slots, i, tape.draw());
            i += 1;
        }
        while i < DIGITS && unfinished(&slots) {
            for _ in 0..2 {
                read(&mut slots, i, tape.draw());
                i += 1;
            }
        }
        for &(slot, lane) in owners.iter().flatten() {
            slots[slot][lane].below.get_or_insert(false);
        }
        if !again {
            break;
        }
    }
    let flips = |(chance, comparison): (&Chance, &Comparison)| {
        (comparison.below == Some(true)) != matches!(chance, Chance::NotBelow(_))
    };
    batch.iter().zip(&slots).map(|(chances, slot)| chances.iter().zip(slot).map(flips).collect()).collect()
}

/// The twin of [`super::sites::SiteSweep::advance`]. Returns the number of flips.
///
/// # Panics
/// If there are fewer streams than blocks, or `spins` have another number of sites.
pub fn sweep_sites(
    model: &Hamiltonian,
    grid: &Grid,
    decision: Decision,
    (spins, beta): (&mut Spins, Beta),
    streams: &mut [Stream],
) -> u64 {
    let in_field = !model.is_field_free();
    let rule = decision.probability();
    let chance = |spins: &Spins, site: usize| {
        let cost = model.delta_e(spins, site);
        match decision {
            _ if in_field => Chance::Below(threshold(rule(beta, cost))),
            Decision::Metropolis if cost <= 0.0 => Chance::Certain,
            Decision::HeatBath if cost < 0.0 => Chance::NotBelow(threshold(rule(beta, -cost))),
            _ => Chance::Below(threshold(rule(beta, cost))),
        }
    };
    let mut tapes: Vec<Tape> = streams[..grid.blocks()].iter_mut().map(Tape::new).collect();
    let block = grid.planes_per_block() * grid.plane();
    let mut flips = 0;
    for color in 0..grid.lattice().colors() {
        for (number, tape) in tapes.iter_mut().enumerate() {
            let cells: Vec<usize> = (number * block..((number + 1) * block).min(grid.cells()))
                .filter(|&cell| grid.color(grid.place(cell)) == color)
                .collect();
            for batch in cells.chunks(BATCH) {
                let chances =
                    |&cell: &usize| (0..512).map(|lane| chance(spins, grid.site(cell, lane))).collect();
                let decided = decide(&batch.iter().map(chances).collect::<Vec<_>>(), tape, TURNS);
                for (&cell, decided) in batch.iter().zip(decided) {
                    for lane in (0..512).filter(|&lane| decided[lane]) {
                        spins.flip(grid.site(cell, lane));
                        flips += 1;
                    }
                }
            }
        }
    }
    flips
}

/// The twin of [`super::sparse::SparseSweep::advance`]. Returns the number of flips.
///
/// # Panics
/// If there are fewer streams than blocks, or other than 512 replicas and β.
pub fn sweep_sparse(
    model: &Hamiltonian,
    plan: &sparse::Plan,
    decision: Decision,
    (replicas, betas): (&mut [Spins], &[Beta]),
    streams: &mut [Stream],
) -> u64 {
    let rule = decision.probability();
    let mut tapes: Vec<Tape> = streams[..plan.blocks()].iter_mut().map(Tape::new).collect();
    let mut flips = 0;
    for (block, batch) in plan.batches() {
        let chance = |(spins, &beta): (&Spins, &Beta), site: usize| match model.delta_e(spins, site) {
            cost if cost <= 0.0 && decision == Decision::Metropolis => Chance::Certain,
            cost => Chance::Below(threshold(rule(beta, cost))),
        };
        let chances =
            |&site: &usize| replicas.iter().zip(betas).map(|replica| chance(replica, site)).collect();
        let decided = decide(&batch.iter().map(chances).collect::<Vec<_>>(), &mut tapes[block], 0);
        for (&site, decided) in batch.iter().zip(decided) {
            for (r, _) in decided.iter().enumerate().filter(|(_, flips)| **flips) {
                replicas[r].flip(site);
                flips += 1;
            }
        }
    }
    flips
}

/// The twin of [`super::dense::DenseSweep::advance`]. Returns the number of flips.
///
/// # Panics
/// If there are other than 512 replicas and β.
pub fn sweep_dense(
    model: &Hamiltonian,
    integers: &ReplicaModel,
    (replicas, betas): (&mut [Spins], &[Beta]),
    stream: &mut Stream,
) -> u64 {
    let mut tape = Tape::new(stream);
    let unit = integers.unit();
    let most = (0..model.n_sites()).map(|site| integers.bonds(site).len()).max().unwrap_or(0);
    let mut flips = 0;
    for site in 0..model.n_sites() {
        let odd = integers.bonds(site).len() % 2 == 1;
        // ΔE = 2ux, x = 2y + (D mod 2).
        let x = |spins: &Spins| (model.delta_e(spins, site) / (2.0 * unit)).round() as i64;
        let y: Vec<i64> = replicas.iter().map(|spins| (x(spins) - i64::from(odd)).div_euclid(2)).collect();
        let mut alive: Vec<bool> = y.iter().map(|&y| y >= 0).collect();
        for place in (0..dense::base_four_digits(most)).rev() {
            let digit = |lane: usize| y[lane] >> (2 * place) & 3;
            let last = odd && place == 0;
            let p = |lane: usize, digit: i64| {
                let power = 2 * (digit << (2 * place)) + i64::from(last);
                threshold(libm::exp(-2.0 * betas[lane].value() * unit * power as f64))
            };
            let possible = (0..REPLICAS).any(|lane| p(lane, i64::from(!last)) > 0);
            let mut lanes: Vec<(usize, Comparison)> = (0..REPLICAS)
                .filter(|&lane| alive[lane] && (last || digit(lane) > 0))
                .map(|lane| (lane, Comparison { threshold: p(lane, digit(lane)), below: None }))
                .collect();
            let mut i = 0;
            while possible && i < DIGITS && lanes.iter().any(|(_, c)| c.below.is_none()) {
                for _ in 0..2 {
                    let bits = tape.draw();
                    lanes.iter_mut().for_each(|(lane, comparison)| comparison.read(i, bits[*lane]));
                    i += 1;
                }
            }
            for (lane, comparison) in lanes {
                alive[lane] = comparison.below == Some(true);
            }
        }
        for r in (0..REPLICAS).filter(|&r| alive[r] || y[r] < 0) {
            replicas[r].flip(site);
            flips += 1;
        }
    }
    flips
}
