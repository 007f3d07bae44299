//! Numbers that one configuration has: energy, magnetization, structure factor.

use std::f64::consts::PI;

use crate::hamiltonian::Hamiltonian;
use crate::kernel::wide::{Loop, widest};
use crate::spins::Spins;

/// What is measured of one configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// e = H/N.
    pub energy: f64,
    /// m = M/N, signed.
    pub magnetization: f64,
    /// |M(k)|²/N with M(k) = Σ_x s_x e^(ik·x), averaged over the lattice axes, each with its smallest wave vector k = 2π/L, where x
    /// is the number of the cell along that axis. NaN on a graph that is no periodic lattice.
    ///
    /// With F its mean and χ₀ = N⟨m²⟩, the second-moment correlation length is ξ = √(χ₀/F − 1) / (2 sin(π/L))
    /// (Cooper, Freedman, Preston, doi:10.1016/0550-3213(82)90240-1), in units of the distance between lines of cells: where axes
    /// are not at right angles (triangular, honeycomb), that is √3/2 of the length of a cell's edge.
    pub structure_factor: f64,
}

/// Measures configurations of one Hamiltonian, with tables of cosines and sines made once.
///
/// ```
/// use ceas_sim::{hamiltonian::Hamiltonian, observable::Observer, spins::Spins, topology::Topology};
/// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
/// let seen = Observer::new(&model).observe(&Spins::up(64));
/// assert_eq!((seen.energy, seen.magnetization), (-2.0, 1.0));
/// assert!(seen.structure_factor < 1e-28);
/// ```
#[derive(Debug, Clone)]
pub struct Observer<'m> {
    model: &'m Hamiltonian,
    /// cos and sin of 2πx/L, for each axis.
    waves: Vec<Vec<(f64, f64)>>,
}

impl<'m> Observer<'m> {
    /// An observer of configurations of `model`.
    pub fn new(model: &'m Hamiltonian) -> Self {
        let topology = model.topology();
        let wave = |&l: &usize| {
            (0..l)
                .map(|x| {
                    let phase = 2.0 * PI * x as f64 / l as f64;
                    (libm::cos(phase), libm::sin(phase))
                })
                .collect()
        };
        let waves = topology.periodic_axes().iter().map(wave).collect();
        Self { model, waves }
    }

    /// Measures one configuration, in time O(N).
    ///
    /// # Panics
    /// If `spins` has not one spin per site.
    pub fn observe(&self, spins: &Spins) -> Observation {
        let n = self.model.n_sites() as f64;
        Observation {
            energy: self.model.energy(spins) / n,
            magnetization: spins.magnetization() as f64 / n,
            structure_factor: self.structure_factor(spins),
        }
    }

    fn structure_factor(&self, spins: &Spins) -> f64 {
        let s = spins.as_slice();
        // The sum of the spins at each place along each axis; two axes in one pass.
        let total: f64 = match self.waves.as_slice() {
            [] => return f64::NAN,
            [vertical, horizontal] if vertical.len() * horizontal.len() == s.len() => {
                let (mut rows, mut columns) = (vec![0; vertical.len()], vec![0; horizontal.len()]);
                widest(Lines { s, rows: &mut rows, columns: &mut columns });
                power(vertical, rows.into_iter().map(i64::from))
                    + power(horizontal, columns.into_iter().map(i64::from))
            }
            waves => {
                let mut below = s.len();
                let slice_powers = waves.iter().map(|wave| {
                    below /= wave.len();
                    let mut sums = vec![0i64; wave.len()];
                    for (number, slice) in s.chunks_exact(below).enumerate() {
                        sums[number % wave.len()] += slice.iter().map(|&s| i64::from(s)).sum::<i64>();
                    }
                    power(wave, sums.into_iter())
                });
                slice_powers.sum()
            }
        };
        total / (self.waves.len() as f64 * s.len() as f64)
    }
}

/// The sums of the spins of every row and of every column.
struct Lines<'a> {
    s: &'a [i8],
    rows: &'a mut [i32],
    columns: &'a mut [i32],
}

impl Loop for Lines<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, sum) in self.s.chunks_exact(self.columns.len()).zip(self.rows) {
            for (&s, column) in row.iter().zip(self.columns.iter_mut()) {
                *column += i32::from(s);
                *sum += i32::from(s);
            }
        }
    }
}

/// |Σ_x a_x e^(2πix/L)|².
fn power(wave: &[(f64, f64)], sums: impl Iterator<Item = i64>) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (&(cos, sin), a) in wave.iter().zip(sums) {
        re += cos * a as f64;
        im += sin * a as f64;
    }
    re * re + im * im
}
