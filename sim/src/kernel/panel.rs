//! Decisions about many replicas at a time where local fields are cached: a block of sites of a dense graph, replicas in the lanes.
//!
//! Every attempt has one 32-bit draw d and flips if ΔE ≤ 0 or d < round(2³² e^(−βΔE)). The exponential is seldom needed: with
//! e = −ln(d/2³²), known here to within 6·10⁻⁵, a cost βΔE below e − 6·10⁻⁵ is accepted and one above e + 6·10⁻⁵ is not;
//! what lies between, and the sixteen bits' worth of smallest draws, is decided by the exponential itself. So the law is that of the
//! comparison with 2³² e^(−βΔE), to the last draw.
//!
//! No multiplication is fused into an addition, and those that meet one are exact, so that all instruction sets give the same bytes, and
//! so do all numbers of lanes: one lane is a loop over the sites that a flip passes on to, more are a loop over replicas.
// Loops over lanes index several arrays at once and become vector instructions; an iterator's closure would not.
#![allow(clippy::needless_range_loop)]

use super::multispin::Level;
use super::rows::{Rows, Turned};
use super::threshold;
use super::wide::{Loop, at};
use crate::couplings::Real;

/// Sites of a block.
pub const BLOCK: usize = 32;

/// How far [`minus_ln`] may be off −ln((d ± 1)/2³²) where d ≥ [`SURE`]: 2.6·10⁻⁶ for the series, 1.6·10⁻⁵ for d ± 1, and less than
/// 10⁻⁵ for the roundings of numbers up to 12, in the cost as well.
const DOUBT: f32 = 6e-5;

/// Draws below this are always compared with the exponential, unless βΔE is below 11 < −ln(2¹⁶/2³²).
const SURE: u32 = 1 << 16;

/// 1 where a lane flips: its cost βΔE is β·gain, its draw one of 32 bits, its bound the [`minus_ln`] of that.
#[inline(always)]
pub(super) fn accepted<T: Real, const L: usize>(
    betas: &[T; L],
    gains: &[T; L],
    draws: &[u32; L],
    bounds: &[f32; L],
) -> [u32; L] {
    let mut costs = [0.0f32; L];
    let mut accepted = [0u32; L];
    let mut doubtful = [0u32; L];
    for lane in 0..L {
        costs[lane] = (betas[lane] * gains[lane]).to_f64() as f32;
    }
    for lane in 0..L {
        let (x, e) = (costs[lane], bounds[lane]);
        let free = x <= 0.0;
        let low = (x < e - DOUBT) & ((draws[lane] >= SURE) | (x < 11.0));
        let high = (x > e + DOUBT) & (draws[lane] >= SURE);
        accepted[lane] = u32::from(free | low);
        doubtful[lane] = u32::from(!(free | low | high));
    }
    if doubtful.iter().fold(0, |any, doubt| any | doubt) != 0 {
        for lane in (0..L).filter(|&lane| doubtful[lane] != 0) {
            let x = (betas[lane] * gains[lane]).to_f64();
            accepted[lane] = u32::from(accepts_exactly(x, draws[lane]));
        }
    }
    accepted
}

/// A block of sites of up to `L` replicas, and what becomes of it.
#[derive(Debug, Clone)]
pub struct Panel<T, const L: usize> {
    /// By replica: bit k is set if the spin of site k is −1.
    pub down: [u32; L],
    /// By site and replica: h_i + Σ_j J_ij s_j, kept up to date within the block. Lanes that hold no replica have an infinite field that
    /// their spin likes.
    pub fields: [[T; L]; BLOCK],
    /// By site and replica: one draw for every attempt.
    pub draws: [[u32; L]; BLOCK],
    /// By replica: bit k is set if the spin of site k flipped.
    pub flipped: [u32; L],
    /// By replica: the energy gained.
    pub energy: [f64; L],
    /// By replica: flips that raised the energy.
    pub uphill: [u32; L],
}

impl<T: Real, const L: usize> Panel<T, L> {
    /// Spins that never flip.
    pub fn new() -> Self {
        Self {
            down: [0; L],
            fields: [[T::of(f64::INFINITY); L]; BLOCK],
            draws: [[u32::MAX; L]; BLOCK],
            flipped: [0; L],
            energy: [0.0; L],
            uphill: [0; L],
        }
    }

    /// Nothing gained yet, and no replica in the lanes from `there` on.
    #[inline(always)]
    pub(crate) fn clear(&mut self, there: usize) {
        (self.energy, self.uphill) = ([0.0; L], [0; L]);
        for lane in there..L {
            self.down[lane] = 0;
            for site in 0..BLOCK {
                self.fields[site][lane] = T::of(f64::INFINITY);
                self.draws[site][lane] = u32::MAX;
            }
        }
    }

    /// Puts a replica into a lane: spins, fields and draws of up to [`BLOCK`] sites.
    #[inline(always)]
    pub(crate) fn put(&mut self, lane: usize, spins: &[T], fields: &[T], draws: &[u32]) {
        let zero = T::of(0.0);
        self.down[lane] = spins.iter().enumerate().fold(0, |down, (k, &s)| down | u32::from(s < zero) << k);
        for (site, (&field, &draw)) in fields.iter().zip(draws).enumerate() {
            self.fields[site][lane] = field;
            self.draws[site][lane] = draw;
        }
    }

    /// Turns the spins of a lane's replica as they turned here, and says which did.
    #[inline(always)]
    pub(crate) fn take(&self, lane: usize, spins: &mut [T]) -> Turned {
        let (flipped, down) = (self.flipped[lane], self.down[lane]);
        for (k, s) in spins.iter_mut().enumerate() {
            *s = if flipped >> k & 1 == 1 { -*s } else { *s };
        }
        Turned { up: flipped & !down, down: flipped & down }
    }
}

impl<T: Real, const L: usize> Default for Panel<T, L> {
    fn default() -> Self {
        Self::new()
    }
}

/// Visits the first `sites` sites of the block that begins with site `rows.first`, one after another, each replica at its 2β =
/// `two_beta`, with the instructions of `level`, or plain ones where the machine lacks them. `rows` is read at the rows and columns of
/// the block.
///
/// # Panics
/// If there are more than [`BLOCK`] sites, or the matrix lacks them.
pub fn visit<T: Real, const L: usize>(
    level: Level,
    panel: &mut Panel<T, L>,
    rows: Rows<'_, T>,
    sites: usize,
    two_beta: &[T; L],
) {
    at(level, Visit { panel, rows, sites, two_beta });
}

struct Visit<'a, T, const L: usize> {
    panel: &'a mut Panel<T, L>,
    rows: Rows<'a, T>,
    sites: usize,
    two_beta: &'a [T; L],
}

impl<T: Real, const L: usize> Loop for Visit<'_, T, L> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.panel.visit(self.rows, self.sites, self.two_beta);
    }
}

/// −ln(d/2³²) to within 10⁻⁵ for d ≥ 1, and something larger than 22 for d = 0.
#[inline(always)]
pub(super) fn minus_ln(d: u32) -> f32 {
    // d = 2^k m with 1 ≤ m < 2 up to the rounding of the conversion; ln m = ln 1.5 + ln(1 + w), |w| ≤ 1/3, by its series.
    let bits = (d as f32).to_bits();
    let k = (bits >> 23) as i32 - 127;
    let m = f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000);
    let w = (m - 1.5) * (1.0 / 1.5);
    let mut sum = 1.0 / 9.0;
    sum = sum * w - 1.0 / 8.0;
    sum = sum * w + 1.0 / 7.0;
    sum = sum * w - 1.0 / 6.0;
    sum = sum * w + 1.0 / 5.0;
    sum = sum * w - 1.0 / 4.0;
    sum = sum * w + 1.0 / 3.0;
    sum = sum * w - 1.0 / 2.0;
    sum = sum * w + 1.0;
    (32 - k) as f32 * std::f32::consts::LN_2 - (sum * w + 0.405_465_1)
}

/// What the comparison is about: the naive twin.
#[inline]
pub(super) fn accepts_exactly(x: f64, draw: u32) -> bool {
    x <= 0.0 || u64::from(draw) < threshold(libm::exp(-x))
}

/// [`visit`] one replica and site after another, an exponential for every attempt that costs energy.
///
/// # Panics
/// If there are more than [`BLOCK`] sites, or the matrix lacks them.
pub fn visit_naively<T: Real, const L: usize>(
    panel: &mut Panel<T, L>,
    rows: Rows<'_, T>,
    sites: usize,
    two_beta: &[T; L],
) {
    panel.flipped = [0; L];
    for site in 0..sites {
        for lane in 0..L {
            let s = if panel.down[lane] >> site & 1 == 1 { T::of(-1.0) } else { T::of(1.0) };
            let field = panel.fields[site][lane];
            let x = two_beta[lane] * (s * field);
            if !accepts_exactly(x.to_f64(), panel.draws[site][lane]) {
                continue;
            }
            panel.flipped[lane] |= 1 << site;
            panel.down[lane] ^= 1 << site;
            panel.energy[lane] += 2.0 * (s * field).to_f64();
            panel.uphill[lane] += u32::from(x > T::of(0.0));
            for other in site + 1..sites {
                let twice = rows.matrix[(rows.first + site) * rows.stride + rows.first + other];
                panel.fields[other][lane] = panel.fields[other][lane] - s * twice;
            }
        }
    }
}

impl<T: Real, const L: usize> Panel<T, L> {
    /// [`visit`] for the machine that it is compiled for. Each loop over lanes becomes a few vector instructions.
    #[inline(always)]
    pub(crate) fn visit(&mut self, rows: Rows<'_, T>, sites: usize, two_beta: &[T; L]) {
        assert!(sites <= BLOCK, "a block has at most {BLOCK} sites");
        let (zero, one) = (T::of(0.0), T::of(1.0));
        // Draws do not depend on what is decided, so that no decision waits for these.
        let mut bounds = [[0.0f32; L]; BLOCK];
        for (bounds, draws) in bounds[..sites].iter_mut().zip(&self.draws) {
            for lane in 0..L {
                bounds[lane] = minus_ln(draws[lane]);
            }
        }
        let down = self.down;
        let (mut energy, mut uphill, mut flipped) = (self.energy, self.uphill, [0u32; L]);
        for site in 0..sites {
            let (fields, draws, bounds) = (self.fields[site], &self.draws[site], &bounds[site]);
            let mut aligned = [zero; L];
            for lane in 0..L {
                aligned[lane] = if down[lane] >> site & 1 == 1 { -fields[lane] } else { fields[lane] };
            }
            let accepted = accepted(two_beta, &aligned, draws, bounds);
            if accepted.iter().fold(0, |any, accepted| any | accepted) == 0 {
                continue;
            }
            // The spin where it flips, else nothing.
            let mut change = [zero; L];
            for lane in 0..L {
                let s = if down[lane] >> site & 1 == 1 { -one } else { one };
                change[lane] = if accepted[lane] != 0 { s } else { zero };
                flipped[lane] |= accepted[lane] << site;
            }
            let start = (rows.first + site) * rows.stride + rows.first;
            let row = &rows.matrix[start..start + sites];
            for (fields, &twice) in self.fields[..sites].iter_mut().zip(row).skip(site + 1) {
                for lane in 0..L {
                    fields[lane] = fields[lane] - change[lane] * twice;
                }
            }
            for lane in 0..L {
                let gained = if accepted[lane] != 0 { aligned[lane].to_f64() } else { 0.0 };
                energy[lane] += 2.0 * gained;
                uphill[lane] += u32::from(two_beta[lane] * aligned[lane] > zero) & accepted[lane];
            }
        }
        (self.energy, self.uphill, self.flipped) = (energy, uphill, flipped);
        for lane in 0..L {
            self.down[lane] ^= flipped[lane];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, Stream};

    #[test]
    fn the_logarithm_is_as_good_as_it_claims() {
        let mut stream = Stream::new(1, Purpose::Test, 0, 0);
        for k in 0..200_000u32 {
            let d = if k < 1000 { k + 1 } else { (stream.next_u32() >> (k % 17)).max(1) };
            let exact = -libm::log(f64::from(d) / 4_294_967_296.0);
            assert!((f64::from(minus_ln(d)) - exact).abs() < 1e-5, "d = {d}");
        }
        assert!(minus_ln(0) > 22.0);
        assert!(f64::from(minus_ln(u32::MAX)).abs() < 1e-5);
    }

    /// Every way of visiting a block that this machine has, against the twin; draws beside the thresholds among them.
    fn all_equal<T: Real, const L: usize>(whole: bool) {
        let mut stream = Stream::new(2, Purpose::Test, u64::from(whole), 0);
        let stride = 40;
        let scale = if whole { 1.0 } else { 0.3 };
        let matrix: Vec<T> = (0..40 * stride)
            .map(|_| T::of(if whole { stream.below(5) as f64 - 2.0 } else { scale * stream.normal() }))
            .collect();
        for sites in [0, 1, 7, BLOCK] {
            for two_beta in [0.0, 0.1, 1.0, 8.0, 1e30] {
                // Every replica at a β of its own.
                let betas: [T; L] = std::array::from_fn(|lane| T::of(two_beta * (1.0 + 0.125 * lane as f64)));
                let mut start = Panel::<T, L>::new();
                for lane in 0..L - L / 5 {
                    for site in 0..sites {
                        let s = T::of(if stream.next_u32() & 1 == 1 { 1.0 } else { -1.0 });
                        start.down[lane] |= u32::from(s < T::of(0.0)) << site;
                        start.fields[site][lane] =
                            T::of(if whole { stream.below(9) as f64 - 4.0 } else { 2.0 * stream.normal() });
                        // On the edge for the field as it stands, tiny, or anything.
                        let x = (betas[lane] * (s * start.fields[site][lane])).to_f64();
                        let edge = threshold(libm::exp(-x.max(0.0))) as i64 + stream.below(5) as i64 - 2;
                        start.draws[site][lane] = match stream.below(4) {
                            0 => edge.clamp(0, u32::MAX.into()) as u32,
                            1 => stream.next_u32() >> 16,
                            _ => stream.next_u32(),
                        };
                    }
                }
                let rows = Rows { matrix: &matrix, stride, first: 5 };
                let mut naive = start.clone();
                visit_naively(&mut naive, rows, sites, &betas);
                for level in Level::ALL {
                    let mut panel = start.clone();
                    visit(level, &mut panel, rows, sites, &betas);
                    assert_eq!(panel.flipped, naive.flipped, "{level} {sites} {two_beta}");
                    assert_eq!(panel.down, naive.down, "{level}");
                    assert_eq!(panel.fields, naive.fields, "{level}");
                    assert_eq!((panel.energy, panel.uphill), (naive.energy, naive.uphill), "{level}");
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_decides_as_the_naive_twin() {
        for whole in [true, false] {
            all_equal::<f32, 1>(whole);
            all_equal::<f32, 16>(whole);
            all_equal::<f32, 32>(whole);
            all_equal::<f64, 16>(whole);
        }
    }
}
