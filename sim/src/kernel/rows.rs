//! Adding rows of couplings to cached fields, with the widest vectors that the machine has.
//!
//! Every number is the sum of the same numbers in the same order on every instruction set, and no multiplication is fused into an addition, so
//! that the bytes are the same everywhere.
#![allow(unsafe_code)]

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
/// has entries for.
///
/// ```
/// use ceas_sim::kernel::rows::{Rows, apply};
/// let mut fields = [0.5f32, 0.5];
/// apply(Rows { matrix: &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0, 0.0, 0.0, 0.0], stride: 3, from: 1, add: &[1], subtract: &[0] }, &mut fields);
/// assert_eq!(fields, [18.5, 27.5]);
/// ```
///
/// # Panics
/// If the matrix has no such row or column.
pub fn apply<T: Real>(rows: Rows<'_, T>, fields: &mut [T]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the machine has just been found to have AVX-512F.
            return unsafe { apply_avx512(rows, fields) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has just been found to have AVX2.
            return unsafe { apply_avx2(rows, fields) };
        }
    }
    apply_portable(rows, fields);
}

/// [`apply`] with 512-bit vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn apply_avx512<T: Real>(rows: Rows<'_, T>, fields: &mut [T]) {
    apply_portable(rows, fields);
}

/// [`apply`] with 256-bit vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn apply_avx2<T: Real>(rows: Rows<'_, T>, fields: &mut [T]) {
    apply_portable(rows, fields);
}

/// [`apply`] as the compiler makes it for every machine of its kind: the naive twin.
#[inline(always)]
pub fn apply_portable<T: Real>(rows: Rows<'_, T>, fields: &mut [T]) {
    // So many sums stay in registers while row after row is added to them.
    const SUMS: usize = 64;
    let row = |site: u32, column: usize| &rows.matrix[site as usize * rows.stride + rows.from + column..];
    let (runs, rest) = fields.as_chunks_mut::<SUMS>();
    let width = runs.len() * SUMS;
    for (number, run) in runs.iter_mut().enumerate() {
        let mut sums = *run;
        for &site in rows.add {
            let row = &row(site, number * SUMS)[..SUMS];
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum = *sum + *x;
            }
        }
        for &site in rows.subtract {
            let row = &row(site, number * SUMS)[..SUMS];
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum = *sum - *x;
            }
        }
        *run = sums;
    }
    for &site in rows.add {
        rest.iter_mut().zip(row(site, width)).for_each(|(f, x)| *f = *f + *x);
    }
    for &site in rows.subtract {
        rest.iter_mut().zip(row(site, width)).for_each(|(f, x)| *f = *f - *x);
    }
}
