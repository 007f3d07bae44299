//! Tensors where they lie: mapped from a file or held, quantised or not, converted to f32 only where they are used.

use std::ops::Range;
use std::sync::Arc;

use ceas_sim::kernel::products::{self, Products, products};
use ceas_sim::kernel::wide::{Loop, widest};
use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, Axis};

use super::error::Error;
use super::format::Format;
use super::weights::{Bytes, index_of};

/// A tensor of a checkpoint, not yet read.
#[derive(Debug, Clone)]
pub struct Stored {
    pub(super) file: Arc<str>,
    pub(super) name: String,
    pub(super) format: Format,
    /// Row-major, the last axis contiguous; its bytes are as many as format and shape say.
    pub(super) shape: Vec<usize>,
    pub(super) bytes: Arc<Bytes>,
    pub(super) range: Range<usize>,
}

/// A matrix `[n_out, n_in]` as checkpoints store it, one row per output; rows are converted to f32 when they are used, so that it
/// takes no more memory than the file.
#[derive(Debug, Clone)]
pub struct Matrix {
    stored: Stored,
    n_out: usize,
    n_in: usize,
    row_bytes: usize,
}

/// Outputs that one task computes at least and at most. An output is a sum over the inputs in an order that no tile changes, so that
/// tasks may be as few as there are threads.
const OUTPUTS: [usize; 2] = [64, 512];

/// Inputs that are multiplied at a time: whole blocks of every format. A task holds so many of each of its outputs as f32.
const INPUTS: usize = 256;

/// Up to so many rows of x are multiplied one by one: a matrix product would pack more than it multiplies.
const FEW: usize = 4;

/// Up to so many rows of x pass by weights that are read once and packed nowhere ([`products()`]).
const SOME: usize = 48;

impl Stored {
    /// Rows, columns and so on.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How it is stored.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bytes in the file.
    pub fn size(&self) -> usize {
        self.range.len()
    }

    fn raw(&self) -> &[u8] {
        &self.bytes.all()[self.range.clone()]
    }

    fn expect(&self, shape: &[usize]) -> Result<(), Error> {
        if self.shape == shape {
            return Ok(());
        }
        Err(Error::Shape {
            file: self.file.to_string(),
            tensor: self.name.clone(),
            got: self.shape.clone(),
            expected: format!("{shape:?} from the configuration"),
        })
    }

    /// The whole tensor as a vector of `length` numbers, every one of them finite.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NotFinite`].
    pub fn vector(&self, length: usize) -> Result<Array1<f32>, Error> {
        self.expect(&[length])?;
        let mut numbers = vec![0.0; length];
        self.format.decode(self.raw(), &mut numbers);
        self.all_finite(0, &numbers)?;
        Ok(numbers.into())
    }

    /// The tensor as a matrix of `shape` [n_out, n_in], every number of it finite.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NotFinite`].
    pub fn matrix(&self, [n_out, n_in]: [usize; 2]) -> Result<Matrix, Error> {
        self.expect(&[n_out, n_in])?;
        let row_bytes = self.format.row_bytes(n_in).expect("whole blocks were checked with the header");
        let matrix = Matrix { stored: self.clone(), n_out, n_in, row_bytes };
        let mut row = vec![0.0; n_in];
        for output in 0..n_out {
            matrix.row(output, &mut row);
            self.all_finite(output * n_in, &row)?;
        }
        Ok(matrix)
    }

    fn all_finite(&self, first: usize, numbers: &[f32]) -> Result<(), Error> {
        // A sum of |x|·0 is NaN if any x is not finite, and vectorises.
        if numbers.iter().map(|x| x * 0.0).sum::<f32>() == 0.0 {
            return Ok(());
        }
        let Some(at) = numbers.iter().position(|x| !x.is_finite()) else { return Ok(()) };
        Err(Error::NotFinite {
            file: self.file.to_string(),
            tensor: self.name.clone(),
            index: index_of(first + at, &self.shape),
            got: numbers[at],
        })
    }
}

impl Matrix {
    /// A matrix `[n_out, n_in]` of numbers that were computed, not read.
    pub fn of(numbers: &Array2<f32>) -> Self {
        let (n_out, n_in) = numbers.dim();
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let stored = Stored {
            file: "memory".into(),
            name: String::new(),
            format: Format::F32,
            shape: vec![n_out, n_in],
            range: 0..bytes.len(),
            bytes: Arc::new(Bytes::Held(bytes.into())),
        };
        Self { stored, n_out, n_in, row_bytes: 4 * n_in }
    }

    /// Number of outputs.
    pub fn n_out(&self) -> usize {
        self.n_out
    }

    /// Number of inputs.
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// How the numbers are stored.
    pub fn format(&self) -> Format {
        self.stored.format
    }

    /// Bytes as stored.
    pub fn size(&self) -> usize {
        self.stored.size()
    }

    /// Converts row `row` to f32, `[n_in]`.
    ///
    /// # Panics
    /// If there is no such row or `out` has another length.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.n_out && out.len() == self.n_in, "row {row} of {} outputs", self.n_out);
        let bytes = &self.stored.raw()[row * self.row_bytes..(row + 1) * self.row_bytes];
        widest(Decode { format: self.stored.format, bytes, out });
    }

    /// y = x·Wᵀ for rows `x` `[n, n_in]`: `[n, n_out]`.
    ///
    /// Blocks of outputs run in parallel; the number of threads changes no bit. For up to 4 rows, sums run in sixteen interleaved
    /// parts without fused multiply-add, and the bits are those of any processor. Up to 48 rows go by the weights as they are read, four
    /// outputs at a time ([`products()`]), more to the `matrixmultiply` kernels; both fuse where the processor can, so that two processors
    /// may differ in the last bits. No copy of the weights is kept.
    pub fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut y = Array2::zeros((x.nrows(), self.n_out));
        self.add_to(x, &mut y);
        y
    }

    /// Adds x·Wᵀ to `y` `[n, n_out]`.
    ///
    /// # Panics
    /// If shapes do not fit.
    pub fn add_to(&self, x: ArrayView2<'_, f32>, y: &mut Array2<f32>) {
        assert_eq!((x.ncols(), y.dim()), (self.n_in, (x.nrows(), self.n_out)), "shapes fit");
        let x = x.as_standard_layout();
        let outputs = self.outputs_of_a_task(x.nrows());
        let quick = if x.nrows() <= SOME { products::level() } else { None };
        let tasks = y.axis_chunks_iter_mut(Axis(1), outputs).into_par_iter().enumerate();
        tasks.for_each_init(Vec::new, |numbers, (task, y)| {
            let first = task * outputs;
            let bytes = &self.stored.raw()[first * self.row_bytes..(first + y.ncols()) * self.row_bytes];
            let (format, row_bytes) = (self.stored.format, self.row_bytes);
            let rows = x.as_slice().expect("standard layout");
            match quick {
                _ if x.nrows() <= FEW => widest(Rows { format, bytes, row_bytes, x: rows, y }),
                Some(level) if row_bytes > 0 => {
                    products(level, rows, self.n_in, &mut Streamed { format, bytes, row_bytes, y });
                }
                _ => self.tile(bytes, x.view(), y, numbers),
            }
        });
    }

    /// Every task packs x anew, so that few large ones are quick; but every thread should have one.
    fn outputs_of_a_task(&self, rows: usize) -> usize {
        let [least, most] = OUTPUTS;
        if rows <= FEW {
            return least;
        }
        self.n_out.div_ceil(rayon::current_num_threads()).next_multiple_of(16).clamp(least, most)
    }

    fn tile(
        &self,
        bytes: &[u8],
        x: ArrayView2<'_, f32>,
        mut y: ArrayViewMut2<'_, f32>,
        numbers: &mut Vec<f32>,
    ) {
        let format = self.stored.format;
        for (part, x) in x.axis_chunks_iter(Axis(1), INPUTS).enumerate() {
            let shape = (y.ncols(), x.ncols());
            numbers.resize(shape.0 * shape.1, 0.0);
            let [begin, size] =
                [part * INPUTS, shape.1].map(|n| format.row_bytes(n).expect("whole blocks of every format"));
            widest(Part { format, bytes, row_bytes: self.row_bytes, part: begin..begin + size, numbers });
            let rows = ArrayView2::from_shape(shape, numbers).expect("as long as it was made");
            general_mat_mul(1.0, &x, &rows.t(), 1.0, &mut y);
        }
    }
}

impl PartialEq for Matrix {
    fn eq(&self, other: &Self) -> bool {
        let alike = (self.n_out, self.n_in, self.format()) == (other.n_out, other.n_in, other.format());
        alike && self.stored.raw() == other.stored.raw()
    }
}

struct Decode<'a> {
    format: Format,
    bytes: &'a [u8],
    out: &'a mut [f32],
}

impl Loop for Decode<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.format.decode(self.bytes, self.out);
    }
}

/// The same part of several rows, converted one behind the other.
struct Part<'a> {
    format: Format,
    bytes: &'a [u8],
    row_bytes: usize,
    part: Range<usize>,
    numbers: &'a mut [f32],
}

impl Loop for Part<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.bytes.chunks_exact(self.row_bytes);
        let columns = self.numbers.len() / rows.len();
        for (bytes, out) in rows.zip(self.numbers.chunks_exact_mut(columns)) {
            self.format.decode(&bytes[self.part.clone()], out);
        }
    }
}

/// Some outputs of a few rows of x.
struct Rows<'a> {
    format: Format,
    bytes: &'a [u8],
    row_bytes: usize,
    x: &'a [f32],
    y: ArrayViewMut2<'a, f32>,
}

impl Loop for Rows<'_> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        if self.row_bytes == 0 {
            return;
        }
        let n_in = self.x.len() / self.y.nrows();
        let mut row = vec![0.0; n_in];
        for (mut y, bytes) in self.y.columns_mut().into_iter().zip(self.bytes.chunks_exact(self.row_bytes)) {
            self.format.decode(bytes, &mut row);
            for (y, x) in y.iter_mut().zip(self.x.chunks_exact(n_in)) {
                *y += dot(&row, x);
            }
        }
    }
}

/// Some outputs of more rows of x.
struct Streamed<'a> {
    format: Format,
    bytes: &'a [u8],
    row_bytes: usize,
    y: ArrayViewMut2<'a, f32>,
}

impl Products for Streamed<'_> {
    #[inline(always)]
    fn rows(&self) -> usize {
        self.y.ncols()
    }

    #[inline(always)]
    fn stored(&self, row: usize) -> &[u8] {
        &self.bytes[row * self.row_bytes..(row + 1) * self.row_bytes]
    }

    #[inline(always)]
    fn read(&self, row: usize, out: &mut [f32]) {
        self.format.decode(self.stored(row), out);
    }

    #[inline(always)]
    fn take(&mut self, of: usize, first: usize, products: &[f32]) {
        for (y, product) in self.y.row_mut(of).iter_mut().skip(first).zip(products) {
            *y += product;
        }
    }
}

/// Σ a·b in sixteen interleaved parts.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut parts = [0.0f32; 16];
    for (a, b) in a.iter().zip(b) {
        for ((part, a), b) in parts.iter_mut().zip(a).zip(b) {
            *part += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            parts[i] += parts[i + width];
        }
    }
    parts[0] + rest
}
