//! Fisher curvature of the Ising model on a square torus with a coupling of its own on every bond: by exact transfer matrices, and by Monte Carlo.
//!
//! All 2L² couplings are coordinates. Restricted to two, (β, h), the metric is another one, and so is its curvature, which grows as n at β_c
//! (G. Ruppeiner, doi:10.1103/RevModPhys.67.605).

mod modes;
mod sampled;

use ceas_sim::beta::Beta;
use nalgebra::{DMatrix, DVector};

use super::curvature::scalar_curvature;
use crate::error::Error;

pub use sampled::{Effort, Sampled, sampled};

/// Sides that are done: below 3 bonds coincide, above 8 the matrices take minutes.
const SIDES: std::ops::RangeInclusive<usize> = 3..=8;

/// Curvature R of the L × L torus at equal couplings J = 1 and h = 0, at `beta`: the family has 2L² natural coordinates βJ_b, one per bond.
///
/// Cumulants of up to three bonds come from products of transfer matrices with the spins of the bonds inserted; translations and the
/// exchange of rows with columns give all others. Enumeration agrees to rounding (3 × 3: −105.642 and 4 × 4: −265.312 at β_c). Near β_c,
/// |R| grows as n^((dν+2η)/(dν+η)) = n^(10/9) with n = L² sites for large L.
///
/// # Errors
/// [`Error::Rows`] for a side that is not 3 to 8, or where β is so large that covariances vanish.
pub fn curvature(side: usize, beta: Beta) -> Result<f64, Error> {
    if !SIDES.contains(&side) {
        return Err(Error::Rows {
            what: "the curvature of a torus",
            violated: format!("side {side}: 3 to 8 can be done exactly"),
        });
    }
    let torus = Torus::new(side, beta.value());
    let bonds = 2 * side * side;
    let one = torus.mean();
    // ⟨B_a B_b⟩ and ⟨B_a B_b B_c⟩ with a the horizontal bond at the origin.
    let triples: Vec<Vec<f64>> = (0..bonds).map(|b| torus.row(&[0, b])).collect();
    let two: Vec<f64> = torus.row(&[0]);
    let from = |a: usize, b: usize| torus.seen_from(a, b);
    let metric = DMatrix::from_fn(bonds, bonds, |a, b| two[from(a, b)] - one * one);
    let third: Vec<DMatrix<f64>> = (0..bonds)
        .map(|a| {
            DMatrix::from_fn(bonds, bonds, |b, c| {
                let (b, c) = (from(a, b), from(a, c));
                let bc = two[torus.seen_from(b, c)];
                triples[b][c] - one * (two[b] + two[c] + bc) + 2.0 * one * one * one
            })
        })
        .collect();
    scalar_curvature(&metric, &third)
}

/// The torus cut into rows. Bond 2(L·r + c) is the horizontal one from (r, c) to (r, c + 1), the next number the vertical one to (r + 1, c).
struct Torus {
    side: usize,
    /// W^0 … W^L, W(s, s′) = e^(K(Σ s_c s_(c+1) + Σ s_c s′_c)), scaled.
    powers: Vec<DMatrix<f64>>,
    /// s_c for every state of a row.
    spins: Vec<DVector<f64>>,
    z: f64,
}

impl Torus {
    fn new(side: usize, k: f64) -> Self {
        let states = 1 << side;
        let spin = |state: usize, c: usize| if state >> (c % side) & 1 == 1 { 1.0 } else { -1.0 };
        let exponent = |s: usize, t: usize| -> f64 {
            (0..side).map(|c| spin(s, c) * spin(s, c + 1) + spin(s, c) * spin(t, c)).sum()
        };
        // The aligned row has the largest exponent, 2L: nothing overflows.
        let top = 2.0 * side as f64;
        let w = DMatrix::from_fn(states, states, |s, t| libm::exp(k * (exponent(s, t) - top)));
        let mut powers = vec![DMatrix::identity(states, states), w];
        for power in 2..=side {
            powers.push(&powers[power - 1] * &powers[1]);
        }
        let spins = (0..side).map(|c| DVector::from_fn(states, |s, _| spin(s, c))).collect();
        let z = powers[side].trace();
        Self { side, powers, spins, z }
    }

    fn place(&self, bond: usize) -> (usize, usize, bool) {
        let cell = bond / 2;
        (cell / self.side, cell % self.side, bond % 2 == 1)
    }

    /// The number of bond `b` when the torus is moved, and turned over if need be, so that bond `a` is bond 0.
    fn seen_from(&self, a: usize, b: usize) -> usize {
        let ((ra, ca, vertical), (rb, cb, other)) = (self.place(a), self.place(b));
        let l = self.side;
        let (r, c) = ((rb + l - ra) % l, (cb + l - ca) % l);
        // Turning over exchanges rows with columns, and horizontal with vertical.
        let (r, c, other) = if vertical { (c, r, !other) } else { (r, c, other) };
        2 * (l * r + c) + usize::from(other)
    }

    /// ⟨B⟩, the same for every bond.
    fn mean(&self) -> f64 {
        self.row(&[])[0]
    }

    /// ⟨Π_(given) B · B_c⟩ for every bond c.
    fn row(&self, given: &[usize]) -> Vec<f64> {
        let l = self.side;
        let states = self.powers[0].nrows();
        // What is inserted at every row; `None` where nothing is.
        let mut inserted: Vec<Option<DVector<f64>>> = vec![None; l];
        let mut insert = |row: usize, c: usize| {
            let spin = &self.spins[c % l];
            let at = &mut inserted[row % l];
            *at = Some(at.take().map_or_else(|| spin.clone(), |old| old.component_mul(spin)));
        };
        for &bond in given {
            let (r, c, vertical) = self.place(bond);
            insert(r, c);
            if vertical { insert(r + 1, c) } else { insert(r, c + 1) }
        }
        let mut correlations = vec![0.0; 2 * l * l];
        for r in 0..l {
            // From row r + 1 around to row r, with what is inserted on the way.
            let mut around: Option<DMatrix<f64>> = None;
            let mut steps = 0;
            for row in r + 1..r + l {
                steps += 1;
                let next = (row + 1) % l;
                if next != r
                    && let Some(vector) = &inserted[next]
                {
                    let mut piece = match &around {
                        Some(left) => left * &self.powers[steps],
                        None => self.powers[steps].clone(),
                    };
                    piece.column_iter_mut().zip(vector.iter()).for_each(|(mut column, s)| column *= *s);
                    around = Some(piece);
                    steps = 0;
                }
            }
            let around = match around {
                Some(left) => left * &self.powers[steps],
                None => self.powers[steps].clone(),
            };
            // Weight of the pair (state of row r, state of row r + 1).
            let mut pair = self.powers[1].component_mul(&around.transpose());
            if let Some(vector) = &inserted[r] {
                pair.row_iter_mut().zip(vector.iter()).for_each(|(mut row, s)| row *= *s);
            }
            if let Some(vector) = &inserted[(r + 1) % l] {
                pair.column_iter_mut().zip(vector.iter()).for_each(|(mut column, s)| column *= *s);
            }
            let single = &pair * DVector::from_element(states, 1.0);
            for c in 0..l {
                let (spin, right) = (&self.spins[c], &self.spins[(c + 1) % l]);
                let bond = 2 * (l * r + c);
                correlations[bond] = single.dot(&spin.component_mul(right)) / self.z;
                correlations[bond + 1] = (&pair * spin).dot(spin) / self.z;
            }
        }
        correlations
    }
}
