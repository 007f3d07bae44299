//! Couplings laid out row by row, for updates that keep every local field up to date.

use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::neighbors::Neighbors;
use crate::kernel::wide::{Loop, widest};
use crate::memory;

/// Bonds of a site up to which fields are summed anew.
const FEW: usize = 64;

/// The floating-point numbers that fields may be kept in: `f32` or `f64`.
pub trait Real: private::Real {}
impl Real for f32 {}
impl Real for f64 {}

pub(crate) mod private {
    use std::ops::{Add, Mul, Neg, Sub};

    pub trait Real:
        Copy
        + Send
        + Sync
        + 'static
        + PartialEq
        + PartialOrd
        + std::fmt::Debug
        + Add<Output = Self>
        + Sub<Output = Self>
        + Mul<Output = Self>
        + Neg<Output = Self>
    {
        /// Whole numbers up to this are exact.
        const EXACT: f64;
        fn of(x: f64) -> Self;
        fn to_f64(self) -> f64;
    }

    impl Real for f32 {
        const EXACT: f64 = 16_777_216.0;
        #[inline(always)]
        fn of(x: f64) -> Self {
            x as f32
        }
        #[inline(always)]
        fn to_f64(self) -> f64 {
            f64::from(self)
        }
    }

    impl Real for f64 {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[inline(always)]
        fn of(x: f64) -> Self {
            x
        }
        #[inline(always)]
        fn to_f64(self) -> f64 {
            self
        }
    }
}

/// How the rows are stored.
#[derive(Debug, Clone)]
pub(crate) enum Layout<T> {
    /// Every row in full.
    Dense(Square<T>),
    /// For each row the run of its entries (j, 2J_ij).
    Sparse { starts: Vec<usize>, entries: Vec<(u32, T)> },
}

/// A square matrix whose rows begin on cache lines, an odd multiple of 16 lines apart where they are longer than that: then runs of 16
/// lines of 32 rows in a row fill a first-level cache evenly. Were it a multiple of 4096 bytes, as it is where N is a power of two,
/// all rows would compete for the same few lines of the cache.
#[derive(Debug, Clone)]
pub(crate) struct Square<T> {
    values: Vec<T>,
    lead: usize,
    stride: usize,
}

impl<T: Real> Square<T> {
    const LINE: usize = 64;

    fn stride(n: usize) -> usize {
        let size = std::mem::size_of::<T>();
        let lines = (n * size).div_ceil(Self::LINE);
        let apart = if lines <= 16 { lines | 1 } else { (lines.div_ceil(16) | 1) * 16 };
        apart * Self::LINE / size
    }

    fn zeros(n: usize) -> Self {
        let stride = Self::stride(n);
        let line = Self::LINE / std::mem::size_of::<T>();
        let values = vec![T::of(0.0); n * stride + line];
        let lead = values.as_ptr().align_offset(Self::LINE).min(line);
        Self { values, lead, stride }
    }

    /// The numbers, row after row.
    pub(crate) fn values(&self) -> &[T] {
        &self.values[self.lead..]
    }

    /// Numbers from the beginning of one row to that of the next.
    pub(crate) fn row_stride(&self) -> usize {
        self.stride
    }

    fn add(&mut self, i: usize, j: usize, x: T) {
        let at = self.lead + i * self.stride + j;
        self.values[at] = self.values[at] + x;
    }
}

/// The couplings and fields of a Hamiltonian as rows of 2J_ij, dense where an eighth or more of all pairs are bonds.
///
/// Numbers that `T` cannot hold are rounded to its nearest: a relative error of 6·10⁻⁸ for `f32`.
#[derive(Debug, Clone)]
pub struct CouplingRows<T: Real> {
    pub(crate) n: usize,
    pub(crate) layout: Layout<T>,
    pub(crate) fields: Vec<T>,
    exact: bool,
}

/// Whether all local fields that couplings and fields can make are exact in `T`, whatever the order of the sums: all are multiples
/// of one power of two, and none of the sums exceeds what `T` counts exactly.
fn sums_exactly<T: Real>(model: &Hamiltonian) -> bool {
    let bonds = (0..model.topology().n_bonds()).map(|bond| model.coupling_at(bond));
    let fields = (0..model.n_sites()).map(|site| model.field_at(site));
    // 2⁻¹⁰ is finer than anything a problem of whole numbers leads to.
    let unit = 1024.0;
    let largest = (0..model.n_sites())
        .map(|site| {
            let coupled: f64 =
                model.topology().links(site).map(|(_, bond)| model.coupling_at(bond).abs()).sum();
            2.0 * (coupled + model.field_at(site).abs())
        })
        .fold(0.0, f64::max);
    let mut finest: f64 = 1.0;
    for value in bonds.chain(fields) {
        while (value * finest).fract() != 0.0 {
            finest *= 2.0;
            if finest > unit {
                return false;
            }
        }
    }
    largest * finest < T::EXACT
}

impl<T: Real> CouplingRows<T> {
    /// The rows of a Hamiltonian.
    ///
    /// # Errors
    /// [`Error::Memory`] if they do not fit into memory.
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        let topology = model.topology();
        let (n, bonds) = (model.n_sites(), topology.n_bonds());
        let dense = 16.0 * bonds as f64 >= n as f64 * n as f64;
        let size = std::mem::size_of::<T>() as u64;
        let entries = if dense { (n as u64).saturating_mul(n as u64 + 512) } else { 2 * bonds as u64 };
        let each = if dense { size } else { std::mem::size_of::<(u32, T)>() as u64 };
        let needed = entries.saturating_mul(each).saturating_add(n as u64 * 16);
        memory::check("couplings of a graph", n, needed)?;
        let layout = if dense {
            let mut rows = Square::zeros(n);
            for (bond, (a, b)) in topology.bonds().enumerate() {
                // Bonds that join the same two sites add up.
                let twice = T::of(2.0 * model.coupling_at(bond));
                rows.add(a, b, twice);
                rows.add(b, a, twice);
            }
            Layout::Dense(rows)
        } else {
            let mut starts = Vec::with_capacity(n + 1);
            let mut entries = Vec::with_capacity(2 * bonds);
            starts.push(0);
            for site in 0..n {
                let links = topology.links(site);
                entries.extend(links.map(|(j, bond)| (j as u32, T::of(2.0 * model.coupling_at(bond)))));
                starts.push(entries.len());
            }
            Layout::Sparse { starts, entries }
        };
        let fields = (0..n).map(|site| T::of(model.field_at(site))).collect();
        Ok(Self { n, layout, fields, exact: sums_exactly::<T>(model) })
    }

    /// Number of spins N.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Whether fields kept up to date never round, however long the run.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether rows are stored in full.
    pub fn is_dense(&self) -> bool {
        matches!(self.layout, Layout::Dense(_))
    }

    /// Whether updates keep local fields up to date, because to sum them anew would take longer: not where rows are stored as lists of at
    /// most 64 bonds on average.
    pub fn keeps_fields(&self) -> bool {
        self.neighbors().is_none()
    }

    /// The rows, where local fields are summed anew.
    #[inline(always)]
    pub(crate) fn neighbors(&self) -> Option<Neighbors<'_, T>> {
        match &self.layout {
            Layout::Sparse { starts, entries } if entries.len() <= FEW * self.n => {
                Some(Neighbors { starts, entries, fields: &self.fields })
            }
            _ => None,
        }
    }

    /// Couplings that a flip of a site passes on.
    pub(crate) fn row_length(&self, site: usize) -> u64 {
        match &self.layout {
            Layout::Dense(_) => self.n as u64 - 1,
            Layout::Sparse { starts, .. } => (starts[site + 1] - starts[site]) as u64,
        }
    }

    /// h_i + Σ_j J_ij s_j of every site, summed in `f64`.
    pub(crate) fn local_fields(&self, spins: &[T], fields: &mut [T]) {
        widest(LocalFields { rows: self, spins, fields });
    }
}

struct LocalFields<'a, T: Real> {
    rows: &'a CouplingRows<T>,
    spins: &'a [T],
    fields: &'a mut [T],
}

impl<T: Real> Loop for LocalFields<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows: CouplingRows { n, layout, fields: constant, .. }, spins, fields } = self;
        for (site, field) in fields.iter_mut().enumerate() {
            let coupled: f64 = match layout {
                Layout::Dense(rows) => {
                    let row = &rows.values()[site * rows.row_stride()..][..*n];
                    // Sums that do not wait for each other, in an order of their own on every machine.
                    let mut lanes = [0.0; 16];
                    let (couplings, rest) = row.as_chunks::<16>();
                    let (signs, rest_signs) = spins.as_chunks::<16>();
                    for (couplings, signs) in couplings.iter().zip(signs) {
                        for ((lane, j), s) in lanes.iter_mut().zip(couplings).zip(signs) {
                            *lane += (*j * *s).to_f64();
                        }
                    }
                    let rest: f64 = rest.iter().zip(rest_signs).map(|(j, s)| (*j * *s).to_f64()).sum();
                    lanes.iter().sum::<f64>() + rest
                }
                Layout::Sparse { starts, entries } => entries[starts[site]..starts[site + 1]]
                    .iter()
                    .map(|&(j, coupling)| (coupling * spins[j as usize]).to_f64())
                    .sum(),
            };
            *field = T::of(constant[site].to_f64() + 0.5 * coupled);
        }
    }
}
