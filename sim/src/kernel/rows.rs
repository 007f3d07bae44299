//! Adding rows of couplings to cached fields, with the widest vectors that the machine has.
//!
//! Every number is the sum of the same numbers in the same order on every instruction set, and no multiplication is fused into an addition, so
//! that the bytes are the same everywhere.

use super::multispin::Level;
use super::panel::BLOCK;
use super::wide::{Loop, at};
use crate::couplings::Real;

/// A square matrix of couplings, and a block of up to 32 of its rows.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    /// The matrix, row by row.
    pub matrix: &'a [T],
    /// From the beginning of one row to that of the next.
    pub stride: usize,
    /// The first row of the block.
    pub first: usize,
}

/// Which spins of a block flipped: bit k stands for row `first` + k.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turned {
    /// To +1: their rows are added.
    pub up: u32,
    /// To −1: their rows are subtracted.
    pub down: u32,
}

/// Bytes of those rows that are added at a time, for one replica after another: 32 of these fit into a first-level cache.
const TILE: usize = 1024;

/// Passes the flips of a block on to the fields of many replicas: of each, fields_j += Σ_(k in up) m_kj − Σ_(k in down) m_kj, for the
/// columns j that `fields` has entries for; with the instructions of `level`, or plain ones where the machine lacks them.
///
/// `fields` finds the fields of a replica by its number, which is its place in `turned`.
///
/// ```
/// use ceas_sim::kernel::multispin::Level;
/// use ceas_sim::kernel::rows::{Rows, Turned, pass_on};
/// let rows = Rows { matrix: &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0, 0.0, 0.0, 0.0], stride: 3, first: 0 };
/// let mut replicas = vec![vec![0.5f32; 3]; 2];
/// let turned = [Turned { up: 0b10, down: 0b01 }, Turned::default()];
/// pass_on(Level::Portable, rows, &turned, &mut replicas, |replica| replica);
/// assert_eq!(replicas, [[9.5, 18.5, 27.5], [0.5, 0.5, 0.5]]);
/// ```
///
/// # Panics
/// If the matrix has no such row or column, or there are not as many replicas as entries of `turned`.
pub fn pass_on<T: Real, S>(
    level: Level,
    rows: Rows<'_, T>,
    turned: &[Turned],
    replicas: &mut [S],
    fields: fn(&mut S) -> &mut [T],
) {
    assert_eq!(turned.len(), replicas.len(), "every replica says what turned");
    let small = std::mem::size_of::<T>() == 4;
    match level {
        Level::Avx512 if small => at(level, PassOn::<_, _, 256> { rows, turned, replicas, fields }),
        Level::Avx512 => at(level, PassOn::<_, _, 128> { rows, turned, replicas, fields }),
        Level::Avx2 => at(level, PassOn::<_, _, 64> { rows, turned, replicas, fields }),
        Level::Portable => at(level, PassOn::<_, _, 32> { rows, turned, replicas, fields }),
    }
}

/// [`pass_on`] for one replica, one number after another: the naive twin.
///
/// # Panics
/// If the matrix has no such row or column.
pub fn pass_on_naively<T: Real>(rows: Rows<'_, T>, turned: Turned, fields: &mut [T]) {
    let picked = |mask: u32| (0..BLOCK).filter(move |k| mask >> k & 1 == 1);
    for (column, field) in fields.iter_mut().enumerate() {
        let entry = |k: usize| rows.matrix[(rows.first + k) * rows.stride + column];
        *field = picked(turned.up).fold(*field, |sum, k| sum + entry(k));
        *field = picked(turned.down).fold(*field, |sum, k| sum - entry(k));
    }
}

/// The work of [`pass_on`], `SUMS` fields at a time in registers, then fewer. The result does not depend on how many are taken at a time.
struct PassOn<'a, T, S, const SUMS: usize> {
    rows: Rows<'a, T>,
    turned: &'a [Turned],
    replicas: &'a mut [S],
    fields: fn(&mut S) -> &mut [T],
}

impl<T: Real, S, const SUMS: usize> Loop for PassOn<'_, T, S, SUMS> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, turned, replicas, fields } = self;
        let width = replicas.iter_mut().map(|state| fields(state).len()).max().unwrap_or(0);
        let tile = TILE / std::mem::size_of::<T>();
        for from in (0..width).step_by(tile) {
            for (state, &turned) in replicas.iter_mut().zip(turned) {
                let fields = fields(state);
                let to = (from + tile).min(fields.len());
                if let Some(fields) = fields.get_mut(from..to) {
                    add::<T, SUMS>(rows, from, turned, fields);
                }
            }
        }
    }
}

/// Adds and subtracts rows, from column `from` on.
#[inline(always)]
fn add<T: Real, const SUMS: usize>(rows: Rows<'_, T>, from: usize, turned: Turned, fields: &mut [T]) {
    let rest = in_runs::<T, SUMS>(rows, from, turned, fields);
    let done = fields.len() - rest;
    let fields = &mut fields[done..];
    let last = in_runs::<T, 16>(rows, from + done, turned, fields);
    in_runs::<T, 1>(rows, from + done + rest - last, turned, &mut fields[rest - last..]);
}

/// `SUMS` fields at a time stay in registers while row after row is added to them. Returns the number of fields left over.
#[inline(always)]
fn in_runs<T: Real, const SUMS: usize>(
    rows: Rows<'_, T>,
    from: usize,
    turned: Turned,
    fields: &mut [T],
) -> usize {
    let (runs, rest) = fields.as_chunks_mut::<SUMS>();
    for (number, run) in runs.iter_mut().enumerate() {
        let start = rows.first * rows.stride + from + number * SUMS;
        let row = |mask: u32| &rows.matrix[start + mask.trailing_zeros() as usize * rows.stride..][..SUMS];
        let mut sums = *run;
        let Turned { mut up, mut down } = turned;
        while up != 0 {
            sums.iter_mut().zip(row(up)).for_each(|(sum, x)| *sum = *sum + *x);
            up &= up - 1;
        }
        while down != 0 {
            sums.iter_mut().zip(row(down)).for_each(|(sum, x)| *sum = *sum - *x);
            down &= down - 1;
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
        let rows = Rows { matrix: &matrix, stride, first: 7 };
        for width in [0, 1, 15, 16, 17, 63, 64, 100, 256, 257, 600, 700] {
            for replicas in [1, 2, 5] {
                let mut mask = || stream.next_u32() & stream.next_u32();
                let mut turned: Vec<_> = (0..replicas).map(|_| Turned { up: mask(), down: mask() }).collect();
                turned[0] = [Turned::default(), Turned { up: 1 << 31, down: 1 }][width % 2];
                let start: Vec<Vec<T>> =
                    (0..replicas).map(|_| (0..width).map(|_| T::of(stream.normal())).collect()).collect();
                let mut naive = start.clone();
                naive
                    .iter_mut()
                    .zip(&turned)
                    .for_each(|(fields, &turned)| pass_on_naively(rows, turned, fields));
                for level in Level::ALL {
                    let mut fields = start.clone();
                    pass_on(level, rows, &turned, &mut fields, |fields| fields);
                    assert_eq!(fields, naive, "{level}, {width} columns, {replicas} replicas");
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
