//! One configuration, its energy and, where they are kept, its local fields.

use crate::couplings::{CouplingRows, Layout, Real};
use crate::spins::Spins;

/// One configuration with its energy, and with its local fields h_i + Σ_j J_ij s_j where [`CouplingRows::keeps_fields`].
#[derive(Debug, Clone, PartialEq)]
pub struct CachedSpins<T> {
    pub(super) spins: Vec<T>,
    /// None where they are summed anew at every visit.
    pub(super) fields: Vec<T>,
    pub(super) energy: f64,
    pub(super) uphill: u64,
}

impl<T: Real> CachedSpins<T> {
    /// A configuration of `rows`, its fields summed once.
    ///
    /// # Panics
    /// If `spins` has not one spin per site.
    pub fn new(rows: &CouplingRows<T>, spins: &Spins) -> Self {
        assert_eq!(spins.len(), rows.n(), "one spin per site");
        let spins = spins.as_slice().iter().map(|&s| T::of(f64::from(s))).collect();
        let mut state = Self { spins, fields: Vec::new(), energy: 0.0, uphill: 0 };
        state.refresh(rows);
        state
    }

    /// Fields and energy from the spins alone: −½ Σ s_i (field_i + h_i).
    pub(super) fn refresh(&mut self, rows: &CouplingRows<T>) {
        self.fields.resize(rows.n(), T::of(0.0));
        rows.local_fields(&self.spins, &mut self.fields);
        let twice = self.spins.iter().zip(&self.fields).zip(&rows.fields);
        self.energy = -0.5 * twice.map(|((s, f), h)| s.to_f64() * (f.to_f64() + h.to_f64())).sum::<f64>();
        if !rows.keeps_fields() {
            self.fields = Vec::new();
        }
    }

    /// H as it was followed from flip to flip; with couplings that round, to within the error of `T` times the flips since the
    /// last summing anew.
    pub fn energy(&self) -> f64 {
        self.energy
    }

    /// Flips so far that raised the energy.
    pub fn uphill(&self) -> u64 {
        self.uphill
    }

    /// Turns one spin and passes that on to the fields and the energy.
    pub(crate) fn turn(&mut self, rows: &CouplingRows<T>, site: usize) {
        let s = self.spins[site];
        if let Some(neighbors) = rows.neighbors() {
            self.energy += (s * neighbors.twice_field(&self.spins, site)).to_f64();
            self.spins[site] = -s;
            return;
        }
        self.energy += 2.0 * (s * self.fields[site]).to_f64();
        self.spins[site] = -s;
        match &rows.layout {
            Layout::Sparse { starts, entries } => {
                for &(j, twice) in &entries[starts[site]..starts[site + 1]] {
                    let field = &mut self.fields[j as usize];
                    *field = *field - s * twice;
                }
            }
            Layout::Dense(matrix) => {
                let row = &matrix.values()[site * matrix.row_stride()..];
                for (field, twice) in self.fields.iter_mut().zip(row) {
                    *field = *field - s * *twice;
                }
            }
        }
    }

    /// ±1 for each site.
    pub(crate) fn signs(&self) -> &[T] {
        &self.spins
    }

    /// Spins, fields, energy and uphill flips, to be written down.
    pub(crate) fn memory(&self) -> (&[T], &[T], f64, u64) {
        (&self.spins, &self.fields, self.energy, self.uphill)
    }

    /// A configuration as [`CachedSpins::memory`] told it.
    pub(crate) fn remembered(spins: Vec<T>, fields: Vec<T>, energy: f64, uphill: u64) -> Self {
        Self { spins, fields, energy, uphill }
    }

    /// The configuration into one of as many spins.
    pub(crate) fn copy_to(&self, spins: &mut Spins) {
        for (value, s) in spins.as_mut_slice().iter_mut().zip(&self.spins) {
            *value = if *s > T::of(0.0) { 1 } else { -1 };
        }
    }

    /// The configuration.
    pub fn spins(&self) -> Spins {
        let values = self.spins.iter().map(|s| if s.to_f64() > 0.0 { 1 } else { -1 }).collect();
        Spins::from_values(values).expect("every value is +1 or −1")
    }
}
