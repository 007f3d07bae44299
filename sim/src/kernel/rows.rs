//! Adding rows of couplings to cached fields, with the widest vectors that the machine has.
//!
//! Every number is the sum of the same numbers in the same order on every instruction set, and no multiplication is fused into an addition, so
//! that the bytes are the same everywhere.
#![allow(unsafe_code)]

use super::multispin::Level;
use crate::couplings::Real;

/// Rows of a square matrix that are added to, or subtracted from, a run of columns.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    /// The matrix, row by row.
    pub matrix: &'a [T],
    /// From the beginning of one row to that of the next.
    pub stride: usize,
    /// The first of the columns.
    pub from: usize,
    /// The rows to add.
    pub add: &'a [u32],
    /// The rows to subtract.
    pub subtract: &'a [u32],
}

/// Adds and subtracts rows: fields_j += Σ_(i in add) m_ij − Σ_(i in subtract) m_ij, for the columns j from `from` on that `fields`
/// has entries for; with the instructions of `level`, or plain ones where the machine lacks them.
///
/// ```
/// use ceas_sim::kernel::multispin::Level;
/// use ceas_sim::kernel::rows::{Rows, apply};
/// let mut fields = [0.5f32, 0.5];
/// let rows = Rows { matrix: &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0, 0.0, 0.0, 0.0], stride: 3, from: 1, add: &[1], subtract: &[0] };
/// apply(Level::Portable, rows, &mut fields);
/// assert_eq!(fields, [18.5, 27.5]);
/// ```
///
/// # Panics
/// If the matrix has no such row or column.
pub fn apply<T: Real>(level: Level, rows: Rows<'_, T>, fields: &mut [T]) {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if level.is_available() => {
            // SAFETY: the machine has just been found to have AVX-512F.
            unsafe { apply_avx512(rows, fields) }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if level.is_available() => {
            // SAFETY: the machine has just been found to have AVX2.
            unsafe { apply_avx2(rows, fields) }
        }
        _ => apply_portable::<T, 32>(rows, fields),
    }
}

/// [`apply`] with 512-bit vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn apply_avx512<T: Real>(rows: Rows<'_, T>, fields: &mut [T]) {
    apply_portable::<T, 256>(rows, fields);
}

/// [`apply`] with 256-bit vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn apply_avx2<T: Real>(rows: Rows<'_, T>, fields: &mut [T]) {
    apply_portable::<T, 64>(rows, fields);
}

/// [`apply`] one number after another: the naive twin.
///
/// # Panics
/// If the matrix has no such row or column.
pub fn apply_naively<T: Real>(rows: Rows<'_, T>, fields: &mut [T]) {
    for (column, field) in fields.iter_mut().enumerate() {
        let entry = |site: u32| rows.matrix[site as usize * rows.stride + rows.from + column];
        *field = rows.add.iter().fold(*field, |sum, &site| sum + entry(site));
        *field = rows.subtract.iter().fold(*field, |sum, &site| sum - entry(site));
    }
}

/// [`apply`] as the compiler makes it for every machine of its kind: first `SUMS` fields at a time, then fewer. The result does not
/// depend on how many are taken at a time.
#[inline(always)]
fn apply_portable<T: Real, const SUMS: usize>(rows: Rows<'_, T>, fields: &mut [T]) {
    let rest = in_runs::<T, SUMS>(rows, fields);
    let rows = Rows { from: rows.from + fields.len() - rest, ..rows };
    let fields = last(fields, rest);
    let rest = in_runs::<T, 16>(rows, fields);
    let rows = Rows { from: rows.from + fields.len() - rest, ..rows };
    in_runs::<T, 1>(rows, last(fields, rest));
}

#[inline(always)]
fn last<T>(fields: &mut [T], count: usize) -> &mut [T] {
    let start = fields.len() - count;
    &mut fields[start..]
}

/// `SUMS` fields at a time stay in registers while row after row is added to them. Returns the number of fields left over.
#[inline(always)]
fn in_runs<T: Real, const SUMS: usize>(rows: Rows<'_, T>, fields: &mut [T]) -> usize {
    let row =
        |site: u32, column: usize| &rows.matrix[site as usize * rows.stride + rows.from + column..][..SUMS];
    let (runs, rest) = fields.as_chunks_mut::<SUMS>();
    for (number, run) in runs.iter_mut().enumerate() {
        let mut sums = *run;
        for &site in rows.add {
            sums.iter_mut().zip(row(site, number * SUMS)).for_each(|(sum, x)| *sum = *sum + *x);
        }
        for &site in rows.subtract {
            sums.iter_mut().zip(row(site, number * SUMS)).for_each(|(sum, x)| *sum = *sum - *x);
        }
        *run = sums;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, Stream};

    /// Every way of adding rows that this machine has, against the twin, to the last bit.
    fn all_equal<T: Real>() {
        let mut stream = Stream::new(0, Purpose::Test, 0, 0);
        let stride = 700;
        let matrix: Vec<T> = (0..40 * stride).map(|_| T::of(stream.normal())).collect();
        for width in [0, 1, 15, 16, 17, 63, 64, 100, 256, 257, 600] {
            for (adds, subtracts) in [(0, 0), (1, 0), (0, 1), (3, 7), (20, 12)] {
                let mut pick = |count| (0..count).map(|_| stream.below(40) as u32).collect::<Vec<_>>();
                let (add, subtract) = (pick(adds), pick(subtracts));
                let rows = Rows { matrix: &matrix, stride, from: 31, add: &add, subtract: &subtract };
                let start: Vec<T> = (0..width).map(|_| T::of(stream.normal())).collect();
                let run = |apply: &dyn Fn(Rows<'_, T>, &mut [T])| {
                    let mut fields = start.clone();
                    apply(rows, &mut fields);
                    fields
                };
                let naive = run(&apply_naively);
                for level in Level::ALL {
                    assert_eq!(run(&|rows, fields| apply(level, rows, fields)), naive, "{level}");
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_bytes_of_the_naive_twin() {
        all_equal::<f32>();
        all_equal::<f64>();
    }
}
