//! A configuration with one bit per spin, laid out for 512 sites at a time.

use super::grid::Grid;
use super::vector::Words;
use crate::error::Error;
use crate::memory;
use crate::spins::Spins;
use crate::stream::Stream;

/// Spins s_i = ±1 (a set lane is up), 512 a vector; which site is where, [`Grid::site`] says.
///
/// ```
/// use ceas_sim::kernel::multispin::{Grid, Lattice, PackedSpins};
/// use ceas_sim::{spins::Spins, stream::{Purpose, Stream}};
/// let grid = Grid::new(Lattice::Square, 64).unwrap();
/// let spins = Spins::random(64 * 64, &mut Stream::new(1, Purpose::Initial, 0, 0));
/// let packed = PackedSpins::from_spins(grid, &spins).unwrap();
/// assert_eq!(packed.magnetization(), spins.magnetization());
/// assert_eq!(packed.to_spins(), spins);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedSpins {
    grid: Grid,
    cells: Vec<Words>,
}

impl PackedSpins {
    /// All spins up.
    ///
    /// # Errors
    /// [`Error::Memory`] if one bit per spin cannot be had.
    pub fn up(grid: Grid) -> Result<Self, Error> {
        memory::check(grid.lattice().name(), grid.size(), 64 * grid.cells() as u64)?;
        Ok(Self { grid, cells: vec![Words::ONES; grid.cells()] })
    }

    /// Independent spins, up or down with probability ½ each (β = 0): one draw of 64 bits for 64 spins.
    ///
    /// Not the configuration that [`Spins::random`] draws from the same stream, since the spins are in another order.
    ///
    /// # Errors
    /// [`Error::Memory`] if one bit per spin cannot be had.
    pub fn random(grid: Grid, stream: &mut Stream) -> Result<Self, Error> {
        let mut packed = Self::up(grid)?;
        for word in packed.cells.iter_mut().flat_map(|words| &mut words.0) {
            *word = stream.next_u64();
        }
        Ok(packed)
    }

    /// The same configuration, packed.
    ///
    /// # Errors
    /// [`Error::Count`] if there is not one spin per site, [`Error::Memory`] if one bit per spin cannot be had.
    pub fn from_spins(grid: Grid, spins: &Spins) -> Result<Self, Error> {
        if spins.len() != grid.n_sites() {
            return Err(Error::Count {
                what: "spins",
                per: "site",
                expected: grid.n_sites(),
                got: spins.len(),
            });
        }
        let mut packed = Self::up(grid)?;
        for (cell, words) in packed.cells.iter_mut().enumerate() {
            for lane in 0..512 {
                words.set(lane, spins.get(grid.site(cell, lane)) > 0);
            }
        }
        Ok(packed)
    }

    /// The spins of cell 0, 1, …, as many vectors as `grid` has cells.
    pub(crate) fn from_cells(grid: Grid, cells: Vec<Words>) -> Self {
        assert_eq!(cells.len(), grid.cells(), "one vector per cell");
        Self { grid, cells }
    }

    /// The same configuration, one byte per spin in the order of the sites.
    pub fn to_spins(&self) -> Spins {
        let mut spins = Spins::up(self.grid.n_sites());
        let values = spins.as_mut_slice();
        for (cell, words) in self.cells.iter().enumerate() {
            for lane in 0..512 {
                if !words.get(lane) {
                    values[self.grid.site(cell, lane)] = -1;
                }
            }
        }
        spins
    }

    /// How the spins are laid out.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The vectors, one per cell.
    pub fn cells(&self) -> &[Words] {
        &self.cells
    }

    /// For kernels.
    pub(super) fn cells_mut(&mut self) -> &mut [Words] {
        &mut self.cells
    }

    /// M = Σ_i s_i, total over the sites.
    pub fn magnetization(&self) -> i64 {
        let up: u64 = self.cells.iter().map(Words::count).sum();
        2 * up as i64 - self.grid.n_sites() as i64
    }
}
