//! An exact binomial sampler with portable arithmetic.

use crate::stream::Stream;

/// The law of the number of successes in `n` trials of probability `p`.
///
/// Drawn by inversion where n·min(p, 1−p) < 10, otherwise by transformed rejection (BTRS; W. Hörmann, J. Stat. Comput. Simul. 46,
/// 101 (1993), doi:10.1080/00949659308811496) in O(1) uniform numbers. The law is exact up to the rounding of f64 (relative
/// error of a probability below 1e-9) for n < 2⁵³.
///
/// ```
/// use ceas_sim::{potts::Binomial, stream::{Purpose, Stream}};
/// let mut stream = Stream::new(1, Purpose::Update, 0, 0);
/// assert_eq!(Binomial { n: 7, p: 1.0 }.draw(&mut stream), 7);
/// assert!(Binomial { n: 1_000_000, p: 0.3 }.draw(&mut stream).abs_diff(300_000) < 5_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binomial {
    /// Number of trials.
    pub n: u64,
    /// Probability of success; a value outside \[0, 1\] counts as the nearer end, NaN as 0.
    pub p: f64,
}

/// Below this n·p the inversion is cheaper, and the rejection is not valid.
const INVERSION: f64 = 10.0;

impl Binomial {
    /// One draw.
    pub fn draw(self, stream: &mut Stream) -> u64 {
        let Self { n, p } = self;
        if n == 0 || p.is_nan() || p <= 0.0 {
            0
        } else if p >= 1.0 {
            n
        } else if p > 0.5 {
            n - small(n, 1.0 - p, stream)
        } else {
            small(n, p, stream)
        }
    }
}

/// A draw for 0 < p ≤ ½.
fn small(n: u64, p: f64, stream: &mut Stream) -> u64 {
    if n as f64 * p < INVERSION { invert(n, p, stream) } else { reject(n, p, stream) }
}

/// Inversion from 0 upward: about n·p + 1 steps.
fn invert(n: u64, p: f64, stream: &mut Stream) -> u64 {
    let odds = p / (1.0 - p);
    let none = libm::exp(n as f64 * libm::log1p(-p));
    loop {
        let mut left = stream.uniform();
        let mut mass = none;
        for k in 0..=n {
            if left < mass {
                return k;
            }
            left -= mass;
            mass *= odds * (n - k) as f64 / (k + 1) as f64;
            if mass == 0.0 {
                // Rounding has left a remainder of order 1e-16 beyond the whole law: draw again.
                break;
            }
        }
    }
}

/// ln k! − [(k + ½) ln(k + 1) − (k + 1) + ½ ln 2π].
fn stirling(k: f64) -> f64 {
    const SMALL: [f64; 10] = [
        0.081_061_466_795_327_26,
        0.041_340_695_955_409_29,
        0.027_677_925_684_998_34,
        0.020_790_672_103_765_09,
        0.016_644_691_189_821_19,
        0.013_876_128_823_070_75,
        0.011_896_709_945_891_77,
        0.010_411_265_261_972_09,
        0.009_255_462_182_712_733,
        0.008_330_563_433_362_87,
    ];
    SMALL.get(k as usize).copied().unwrap_or_else(|| {
        let x = k + 1.0;
        let square = x * x;
        (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / x
    })
}

/// Transformed rejection with a squeeze, for n·p ≥ 10 and p ≤ ½. The constants are Hörmann's.
fn reject(n: u64, p: f64, stream: &mut Stream) -> u64 {
    let size = n as f64;
    let odds = p / (1.0 - p);
    let spread = libm::sqrt(size * p * (1.0 - p));
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let centre = size * p + 0.5;
    let alpha = (2.83 + 5.1 / b) * spread;
    let squeeze = 0.92 - 4.2 / b;
    let mode = libm::floor((size + 1.0) * p);
    loop {
        let u = stream.uniform() - 0.5;
        let v = 1.0 - stream.uniform();
        let us = 0.5 - u.abs();
        let k = libm::floor((2.0 * a / us + b) * u + centre);
        if !(0.0..=size).contains(&k) {
            continue;
        }
        if us >= 0.07 && v <= squeeze {
            return k as u64;
        }
        let height = libm::log(v * alpha / (a / (us * us) + b));
        let ratio = (mode + 0.5) * libm::log((mode + 1.0) / (odds * (size - mode + 1.0)))
            + (size + 1.0) * libm::log((size - mode + 1.0) / (size - k + 1.0))
            + (k + 0.5) * libm::log(odds * (size - k + 1.0) / (k + 1.0))
            + stirling(mode)
            + stirling(size - mode)
            - stirling(k)
            - stirling(size - k);
        if height <= ratio {
            return k as u64;
        }
    }
}
