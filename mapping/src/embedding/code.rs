//! Sign codes: a vector as the spins on the positive side of some planes.

use ceas_sim::Beta;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream};
use ceas_sim::topology::Topology;
use nalgebra::{DMatrix, DVector};

use crate::error::Error;
use crate::pbits::{Noise, PBits};
use crate::program::{Clamp, Component, Decoder, Fidelity, Footprint, Program};

/// m planes through a point of d dimensions; spin i of a vector is the side of plane i that it lies on.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    /// Normals of the planes, `[m, d]`.
    planes: DMatrix<f64>,
    /// What is taken off first.
    origin: DVector<f64>,
    random: bool,
}

impl Code {
    /// The signs of the components themselves: m = d.
    pub fn sign(d: usize) -> Self {
        Self { planes: DMatrix::identity(d, d), origin: DVector::zeros(d), random: false }
    }

    /// `m` planes with independent normal directions.
    pub fn sim_hash(d: usize, m: usize, seed: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Instance, d as u64, m as u64);
        let planes = DMatrix::from_fn(m, d, |_, _| stream.normal());
        Self { planes, origin: DVector::zeros(d), random: true }
    }

    /// Iterative quantisation: the `m` ≤ d principal directions of `data` (each row a vector), turned so that |sign(VR) − VR| is least.
    ///
    /// Starts from a random rotation and alternates B = sign(VR) and R from the singular vectors of BᵀV, `rounds` times. What it learns belongs to
    /// `data`: there is no law for other vectors. If `centred` is false nothing is taken off, so that angles about the origin are kept.
    ///
    /// # Errors
    /// [`Error::Component`] if there is no data, the rows differ in length, or m is not in 1 … d.
    pub fn itq(data: &[Vec<f64>], m: usize, rounds: u32, centred: bool, seed: u64) -> Result<Self, Error> {
        let refuse = |violated| Err(Error::Component { component: "ITQ", violated });
        let Some(d) = data.first().map(Vec::len) else { return refuse("it learns from at least one vector") };
        if data.iter().any(|row| row.len() != d) {
            return refuse("all vectors have one length");
        }
        if !(1..=d).contains(&m) {
            return refuse("there are 1 to d directions");
        }
        let x = DMatrix::from_fn(data.len(), d, |i, a| data[i][a]);
        let origin = if centred { x.row_mean().transpose() } else { DVector::zeros(d) };
        let x = DMatrix::from_fn(data.len(), d, |i, a| x[(i, a)] - origin[a]);
        let spread = (x.transpose() * &x).symmetric_eigen();
        let mut order: Vec<usize> = (0..d).collect();
        order.sort_by(|&a, &b| spread.eigenvalues[b].total_cmp(&spread.eigenvalues[a]));
        let axes = DMatrix::from_fn(d, m, |a, i| spread.eigenvectors[(a, order[i])]);
        let v = &x * &axes;
        let mut stream = Stream::new(seed, Purpose::Instance, d as u64, m as u64);
        let mut rotation = DMatrix::from_fn(m, m, |_, _| stream.normal()).qr().q();
        for _ in 0..rounds {
            let signs = (&v * &rotation).map(|x| if x >= 0.0 { 1.0 } else { -1.0 });
            // max tr(R Bᵀ V): R = U Wᵀ of Vᵀ B = U S Wᵀ.
            let svd = (v.transpose() * signs).svd(true, true);
            rotation = match (svd.u, svd.v_t) {
                (Some(u), Some(v_t)) => u * v_t,
                _ => return refuse("the decomposition did not converge"),
            };
        }
        Ok(Self { planes: (axes * rotation).transpose(), origin, random: false })
    }

    /// m: spins of a code.
    pub fn spins(&self) -> usize {
        self.planes.nrows()
    }

    /// The spins of `x`; a vector in a plane counts as on its positive side.
    ///
    /// # Panics
    /// If `x` has another dimension.
    pub fn encode(&self, x: &[f64]) -> Vec<i8> {
        let sides = &self.planes * (DVector::from_column_slice(x) - &self.origin);
        sides.iter().map(|&side| if side >= 0.0 { 1 } else { -1 }).collect()
    }

    /// Standard deviation of the score |q||k| cos θ̂ over the draws of m random planes, to first order in 1/√m: |q||k| sin θ √(θ(π − θ)/m).
    pub fn score_error(lengths: f64, angle: f64, m: usize) -> f64 {
        lengths * libm::sin(angle) * (angle * (std::f64::consts::PI - angle) / m as f64).sqrt()
    }
}

/// Reads |q||k| cos(π·disagreements/m) from two registers of m spins one after the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    lengths: f64,
}

impl Decoder for Overlap {
    type State = Spins;

    fn width(&self) -> usize {
        1
    }

    fn read(&self, state: &Spins, sum: &mut [f64]) -> bool {
        let (a, b) = state.as_slice().split_at(state.len() / 2);
        let apart = a.iter().zip(b).filter(|(a, b)| a != b).count();
        sum[0] += self.lengths * libm::cos(std::f64::consts::PI * apart as f64 / a.len() as f64);
        true
    }
}

/// The score q·k from the codes of both; the input is (q, k), the lengths are kept as numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct CodePair {
    /// The planes.
    pub code: Code,
}

impl Component for CodePair {
    type Input = (Vec<f64>, Vec<f64>);
    type Update = PBits;
    type Decoder = Overlap;

    /// 2m clamped spins with a bond of J = 1 between each pair.
    fn lower(&self, (q, k): &(Vec<f64>, Vec<f64>)) -> Result<Program<PBits, Overlap>, Error> {
        if q.len() != self.code.planes.ncols() || k.len() != q.len() {
            let violated = "q and k have the dimension of the planes";
            return Err(Error::Component { component: "code", violated });
        }
        let spins: Vec<i8> = [q, k].into_iter().flat_map(|x| self.code.encode(x)).collect();
        let m = self.code.spins() as u32;
        let bonds: Vec<(u32, u32)> = (0..m).map(|i| (i, i + m)).collect();
        let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let lengths = length(q) * length(k);
        let clamps = spins.iter().enumerate().map(|(unit, &s)| Clamp { unit, value: f64::from(s) }).collect();
        // The law holds over the draws of the planes: six standard deviations are missed once in 5e8.
        let fidelity = if self.code.random && lengths > 0.0 {
            let dot: f64 = q.iter().zip(k).map(|(q, k)| q * k).sum();
            let angle = libm::acos((dot / lengths).clamp(-1.0, 1.0));
            Fidelity::Controlled { bound: 6.0 * Code::score_error(lengths, angle, self.code.spins()) }
        } else {
            Fidelity::Heuristic
        };
        let n = spins.len();
        Ok(Program {
            model: Hamiltonian::ferromagnet(Topology::from_bonds(n, &bonds)?),
            clamps,
            start: Spins::from_values(spins)?,
            update: PBits::new(Noise::Logistic).holding(n, 0..n),
            schedule: Schedule::Constant(Beta::new(1.0)?),
            decoder: Overlap { lengths },
            fidelity,
        })
    }

    fn reference(&self, (q, k): &(Vec<f64>, Vec<f64>)) -> Result<Vec<f64>, Error> {
        Ok(vec![q.iter().zip(k).map(|(q, k)| q * k).sum()])
    }

    fn footprint(&self, _: &(Vec<f64>, Vec<f64>)) -> Footprint {
        let m = self.code.spins() as u64;
        Footprint { clamps: 2 * m, couplings: m, read_outs: 2 * m, ..Footprint::default() }
    }
}
