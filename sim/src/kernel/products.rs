//! Inner products of all rows of one matrix with a few rows of another, both as they lie: nothing is packed or turned.
//!
//! A matrix product packs both factors so that they stream through the registers, which pays where each is used often. A few rows of x use
//! every weight only a few times: here four rows of weights are read once, and up to six rows of x pass by them, the sums in registers.
//!
//! Each sum runs in sixteen interleaved parts, Σ_k a_{16k+l} b_{16k+l}, fused, then l and l + 2 within each quarter, its halves, quarters 0
//! and 2, 1 and 3, and these; what does not fill sixteen is added last, fused from 0. So the bits do not depend on how rows are shared out, and
//! are the same with 256 and 512 bits. Without fused instructions there is no quick kernel: [`level`] says so.
#![allow(unsafe_code)]

use super::multispin::Level;

/// Two matrices and what becomes of their products. Mark everything `#[inline(always)]`, so that it is compiled for the chosen instructions.
pub trait Products {
    /// Rows of weights.
    fn rows(&self) -> usize;
    /// Row `row` of the weights as it lies, to be fetched while the rows before it are at work.
    fn stored(&self, row: usize) -> &[u8];
    /// Writes row `row` of the weights.
    fn read(&self, row: usize, out: &mut [f32]);
    /// Takes the products of row `of` of x with the rows `first`, `first` + 1, … of the weights, at most four.
    fn take(&mut self, of: usize, first: usize, products: &[f32]);
}

/// The instructions for [`products`]: those of this run, if they have a fused multiply-add.
pub fn level() -> Option<Level> {
    Level::choose().ok().filter(|&level| has(level))
}

#[cfg(target_arch = "x86_64")]
fn has(level: Level) -> bool {
    level > Level::Portable && level.is_available() && is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has(_: Level) -> bool {
    false
}

/// The products of every row of `x` `[n, inputs]` with every row of weights.
///
/// ```
/// use ceas_sim::kernel::products::{Products, level, products};
/// struct Sums(Vec<f32>);
/// impl Products for Sums {
///     #[inline(always)]
///     fn rows(&self) -> usize {
///         1
///     }
///     #[inline(always)]
///     fn stored(&self, _: usize) -> &[u8] {
///         &[]
///     }
///     #[inline(always)]
///     fn read(&self, _: usize, out: &mut [f32]) {
///         out.fill(1.0);
///     }
///     #[inline(always)]
///     fn take(&mut self, _: usize, _: usize, products: &[f32]) {
///         self.0.extend(products);
///     }
/// }
/// let mut sums = Sums(Vec::new());
/// if let Some(level) = level() {
///     products(level, &[1.0, 2.0, 3.0, 4.0], 2, &mut sums);
///     assert_eq!(sums.0, [3.0, 7.0]);
/// }
/// ```
///
/// # Panics
/// If `level` is not one that [`level`] could name, or `x` is not made of whole rows.
pub fn products<P: Products>(level: Level, x: &[f32], inputs: usize, of: &mut P) {
    assert!(has(level), "{level} has no fused multiply-add on this machine");
    assert!(inputs > 0 && x.len().is_multiple_of(inputs), "x is made of whole rows");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the machine has just been found to have the instructions.
    unsafe {
        match level {
            Level::Avx512 => x86::avx512(x, inputs, of),
            _ => x86::avx2(x, inputs, of),
        }
    }
}

/// Sixteen f32, or half of them: what a register holds.
#[cfg(target_arch = "x86_64")]
trait Lanes: Copy {
    /// Registers for sixteen numbers: 1 or 2.
    const PARTS: usize;
    /// Rows of x whose sums with four rows of weights stay in registers.
    const COLUMNS: usize;
    fn zero() -> Self;
    fn load(from: &[f32; 16], part: usize) -> Self;
    /// self + a·b, rounded once.
    fn plus(self, a: Self, b: Self) -> Self;
    /// For every quarter q of the sixteen, of the four: (q₀ + q₂) + (q₁ + q₃).
    fn quarters(four: [Self; 4]) -> Self;
    /// The four sums, from the parts that `quarters` made.
    fn sums(parts: [Self; 2]) -> [f32; 4];
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn run<L: Lanes, P: Products>(x: &[f32], inputs: usize, of: &mut P) {
    let (n, rows) = (x.len() / inputs, of.rows());
    let mut weights = vec![0.0; 4 * inputs];
    for first in (0..rows).step_by(4) {
        for (row, out) in (first..rows).zip(weights.chunks_exact_mut(inputs)) {
            of.read(row, out);
        }
        for line in (first + 4..rows.min(first + 8)).flat_map(|row| of.stored(row).chunks(64)) {
            fetch(line);
        }
        let mut next = 0;
        while next < n {
            let x = &x[next * inputs..];
            let width = (rows - first).min(4);
            next += match (n - next).min(L::COLUMNS) {
                6 => tile::<L, P, 6>(&weights, x, inputs, of, [next, first, width]),
                5 => tile::<L, P, 5>(&weights, x, inputs, of, [next, first, width]),
                4 => tile::<L, P, 4>(&weights, x, inputs, of, [next, first, width]),
                3 => tile::<L, P, 3>(&weights, x, inputs, of, [next, first, width]),
                2 => tile::<L, P, 2>(&weights, x, inputs, of, [next, first, width]),
                _ => tile::<L, P, 1>(&weights, x, inputs, of, [next, first, width]),
            };
        }
    }
}

/// Asks for a line of memory.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn fetch(line: &[u8]) {
    // SAFETY: a hint, which reads nothing; every processor of this architecture has it.
    unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(line.as_ptr().cast()) };
}

/// Four rows of weights with C rows of x: C.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn tile<L: Lanes, P: Products, const C: usize>(
    weights: &[f32],
    x: &[f32],
    inputs: usize,
    of: &mut P,
    [next, first, width]: [usize; 3],
) -> usize {
    let steps = inputs / 16;
    let cut = |rows: &[f32], row: usize| -> [usize; 2] { [row * inputs, rows.len().min((row + 1) * inputs)] };
    let chunks = |rows: &'_ [f32], row: usize| -> *const [f32; 16] {
        let [from, to] = cut(rows, row);
        rows[from..to].as_chunks::<16>().0[..steps].as_ptr()
    };
    let w: [_; 4] = std::array::from_fn(|row| chunks(weights, row));
    let columns: [_; C] = std::array::from_fn(|column| chunks(x, column));
    let mut parts = [[L::zero(); 2]; C];
    for part in 0..L::PARTS {
        let mut sums = [[L::zero(); 4]; C];
        for step in 0..steps {
            // SAFETY: every pointer is that of a slice of `steps` chunks, which outlives the loop.
            let w = w.map(|w| L::load(unsafe { &*w.add(step) }, part));
            for (sums, column) in sums.iter_mut().zip(columns) {
                // SAFETY: as above.
                let x = L::load(unsafe { &*column.add(step) }, part);
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = sum.plus(w, x);
                }
            }
        }
        for (parts, sums) in parts.iter_mut().zip(sums) {
            parts[part] = L::quarters(sums);
        }
    }
    for (column, parts) in parts.into_iter().enumerate() {
        let mut sums = L::sums(parts);
        if inputs > 16 * steps {
            let x = &x[column * inputs..][16 * steps..inputs];
            for (row, sum) in sums.iter_mut().enumerate() {
                let w = &weights[row * inputs..][16 * steps..inputs];
                *sum += w.iter().zip(x).fold(0.0, |rest: f32, (w, x)| w.mul_add(*x, rest));
            }
        }
        of.take(next + column, first, &sums[..width]);
    }
    C
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Lanes, Products, run};

    #[target_feature(enable = "avx2,fma")]
    pub fn avx2<P: Products>(x: &[f32], inputs: usize, of: &mut P) {
        run::<Half, P>(x, inputs, of);
    }

    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
    pub fn avx512<P: Products>(x: &[f32], inputs: usize, of: &mut P) {
        run::<Whole, P>(x, inputs, of);
    }

    #[derive(Clone, Copy)]
    struct Half(__m256);

    #[derive(Clone, Copy)]
    struct Whole(__m512);

    // SAFETY, of every block below: these functions are inlined into `avx2` and `avx512` alone, which are called only where the machine has
    // the instructions; loads are of numbers that a reference to sixteen of them vouches for.
    impl Lanes for Half {
        const PARTS: usize = 2;
        const COLUMNS: usize = 3;

        #[inline(always)]
        fn zero() -> Self {
            unsafe { Self(_mm256_setzero_ps()) }
        }

        #[inline(always)]
        fn load(from: &[f32; 16], part: usize) -> Self {
            let half = &from.as_chunks::<8>().0[part];
            unsafe { Self(_mm256_loadu_ps(half.as_ptr())) }
        }

        #[inline(always)]
        fn plus(self, a: Self, b: Self) -> Self {
            unsafe { Self(_mm256_fmadd_ps(a.0, b.0, self.0)) }
        }

        #[inline(always)]
        fn quarters([a, b, c, d]: [Self; 4]) -> Self {
            unsafe {
                let ab = _mm256_add_ps(_mm256_unpacklo_ps(a.0, b.0), _mm256_unpackhi_ps(a.0, b.0));
                let cd = _mm256_add_ps(_mm256_unpacklo_ps(c.0, d.0), _mm256_unpackhi_ps(c.0, d.0));
                let (ab, cd) = (_mm256_castps_pd(ab), _mm256_castps_pd(cd));
                let (even, odd) = (_mm256_unpacklo_pd(ab, cd), _mm256_unpackhi_pd(ab, cd));
                Self(_mm256_add_ps(_mm256_castpd_ps(even), _mm256_castpd_ps(odd)))
            }
        }

        #[inline(always)]
        fn sums([low, high]: [Self; 2]) -> [f32; 4] {
            let mut sums = [0.0; 4];
            unsafe {
                let both = _mm256_add_ps(low.0, high.0);
                let sum = _mm_add_ps(_mm256_castps256_ps128(both), _mm256_extractf128_ps::<1>(both));
                _mm_storeu_ps(sums.as_mut_ptr(), sum);
            }
            sums
        }
    }

    impl Lanes for Whole {
        const PARTS: usize = 1;
        const COLUMNS: usize = 6;

        #[inline(always)]
        fn zero() -> Self {
            unsafe { Self(_mm512_setzero_ps()) }
        }

        #[inline(always)]
        fn load(from: &[f32; 16], _: usize) -> Self {
            unsafe { Self(_mm512_loadu_ps(from.as_ptr())) }
        }

        #[inline(always)]
        fn plus(self, a: Self, b: Self) -> Self {
            unsafe { Self(_mm512_fmadd_ps(a.0, b.0, self.0)) }
        }

        #[inline(always)]
        fn quarters([a, b, c, d]: [Self; 4]) -> Self {
            unsafe {
                let ab = _mm512_add_ps(_mm512_unpacklo_ps(a.0, b.0), _mm512_unpackhi_ps(a.0, b.0));
                let cd = _mm512_add_ps(_mm512_unpacklo_ps(c.0, d.0), _mm512_unpackhi_ps(c.0, d.0));
                let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
                let (even, odd) = (_mm512_unpacklo_pd(ab, cd), _mm512_unpackhi_pd(ab, cd));
                Self(_mm512_add_ps(_mm512_castpd_ps(even), _mm512_castpd_ps(odd)))
            }
        }

        #[inline(always)]
        fn sums([all, _]: [Self; 2]) -> [f32; 4] {
            unsafe {
                let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(all.0)));
                Half::sums([Half(_mm512_castps512_ps256(all.0)), Half(high)])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, Stream};

    /// The products as the documentation of the module words them.
    fn naive(a: &[f32], b: &[f32]) -> f32 {
        let whole = a.len() / 16 * 16;
        let mut parts = [0.0f32; 16];
        for i in 0..whole {
            parts[i % 16] = a[i].mul_add(b[i], parts[i % 16]);
        }
        let quarter = |q: usize| (parts[4 * q] + parts[4 * q + 2]) + (parts[4 * q + 1] + parts[4 * q + 3]);
        let sum = (quarter(0) + quarter(2)) + (quarter(1) + quarter(3));
        if whole == a.len() {
            return sum;
        }
        sum + (whole..a.len()).fold(0.0, |rest: f32, i| a[i].mul_add(b[i], rest))
    }

    struct Table<'a> {
        inputs: usize,
        weights: &'a [f32],
        out: Vec<f32>,
    }

    impl Products for Table<'_> {
        #[inline(always)]
        fn rows(&self) -> usize {
            self.weights.len() / self.inputs
        }
        #[inline(always)]
        fn stored(&self, row: usize) -> &[u8] {
            assert!(row < self.rows());
            &[0; 100]
        }
        #[inline(always)]
        fn read(&self, row: usize, out: &mut [f32]) {
            out.copy_from_slice(&self.weights[row * self.inputs..(row + 1) * self.inputs]);
        }
        #[inline(always)]
        fn take(&mut self, of: usize, first: usize, products: &[f32]) {
            let at = of * self.rows() + first;
            self.out[at..at + products.len()].copy_from_slice(products);
        }
    }

    #[test]
    fn every_level_gives_the_bits_of_the_naive_sum() {
        let mut stream = Stream::new(3, Purpose::Instance, 0, 0);
        for (n, rows, inputs) in [(1, 1, 1), (5, 3, 16), (6, 4, 17), (7, 9, 40), (16, 10, 384), (32, 6, 100)]
        {
            let mut numbers =
                |count: usize| -> Vec<f32> { (0..count).map(|_| stream.normal() as f32).collect() };
            let (x, weights) = (numbers(n * inputs), numbers(rows * inputs));
            for level in Level::ALL.into_iter().filter(|&level| has(level)) {
                let mut table = Table { inputs, weights: &weights, out: vec![f32::NAN; n * rows] };
                products(level, &x, inputs, &mut table);
                for (i, x) in x.chunks_exact(inputs).enumerate() {
                    for (j, w) in weights.chunks_exact(inputs).enumerate() {
                        let (ours, expected) = (table.out[i * rows + j], naive(w, x));
                        assert_eq!(
                            ours.to_bits(),
                            expected.to_bits(),
                            "{level}: {n}, {rows}, {inputs} at {i}, {j}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "no fused multiply-add")]
    fn plain_instructions_are_refused() {
        products(Level::Portable, &[1.0], 1, &mut Table { inputs: 1, weights: &[1.0], out: vec![0.0] });
    }
}
