//! An N-state choice as the place of one domain wall on an open chain with its ends held.
//!
//! ```text
//! c_0 = −1, c_1 … c_(N−1) free, c_N = +1        state j: the wall between c_j and c_(j+1)
//! E(c) = −κ Σ_j c_j c_(j+1) − Σ_j s_j (c_(j+1) − c_j)/2        field on c_j: (s_(j−1) − s_j)/2
//! ```
//!
//! A read-out with exactly one wall has probability e^(βs_j)/Z of wall j, whatever κ; others (three walls or more) leak ∝ e^(−4βκ).
//! There is no penalty barrier, but the wall walks over the raw profile of scores step by step: [`walk_time`].
//! Source: N. Chancellor, doi:10.1088/2058-9565/ab33c2, for optimisation; what sampling costs is ours.

use ceas_sim::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::potts::PottsSpin;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::topology::Topology;
use ceas_sim::update::HeatBath;

use crate::error::Error;
use crate::program::{Clamp, Component, Decoder, Fidelity, Footprint, Program};

/// An attention row on a chain with a domain wall: the input is its Potts spin, the output its probabilities by label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DomainWallRow {
    /// The inverse temperature of the row; not 0.
    pub beta: Beta,
    /// βκ ≥ 0: the ferromagnetic coupling in units of kT.
    pub stiffness: f64,
}

/// Reads the place of the wall.
#[derive(Debug, Clone, PartialEq)]
pub struct Wall {
    /// Labels of the present states in the order of the chain.
    labels: Vec<usize>,
    width: usize,
}

impl Wall {
    /// The label of the state, or `None` if there is not exactly one wall. `spins` are c_1 … c_(N−1).
    pub fn read(&self, spins: &Spins) -> Option<usize> {
        let inner = spins.as_slice().iter().copied();
        let chain: Vec<i8> = std::iter::once(-1).chain(inner).chain([1]).collect();
        let mut walls = (0..self.labels.len()).filter(|&j| chain[j] != chain[j + 1]);
        let first = walls.next();
        if walls.next().is_some() { None } else { first.map(|j| self.labels[j]) }
    }
}

impl Decoder for Wall {
    type State = Spins;

    fn width(&self) -> usize {
        self.width
    }

    fn read(&self, state: &Spins, sum: &mut [f64]) -> bool {
        let label = Wall::read(self, state);
        if let Some(label) = label {
            sum[label] += 1.0;
        }
        label.is_some()
    }
}

impl Component for DomainWallRow {
    type Input = PottsSpin;
    type Update = HeatBath;
    type Decoder = Wall;

    fn lower(&self, spin: &PottsSpin) -> Result<Program<HeatBath, Wall>, Error> {
        let b = self.beta.value();
        let refuse = |violated| Err(Error::Component { component: "domain wall", violated });
        if b == 0.0 {
            return refuse("β must be positive: the coupling is a multiple of 1/β");
        }
        if !(self.stiffness >= 0.0 && self.stiffness.is_finite()) {
            return refuse("the coupling βκ must be a finite number ≥ 0");
        }
        let labels: Vec<usize> = (0..spin.labels()).filter(|&j| spin.gap(j).is_finite()).collect();
        let n = labels.len();
        if n < 2 {
            return refuse("a wall needs at least two states to choose from");
        }
        let kappa = self.stiffness / b;
        let score = |j: usize| spin.gap(labels[j]);
        let mut fields: Vec<f64> = (1..n).map(|j| 0.5 * (score(j - 1) - score(j))).collect();
        // The ends that are held act on their neighbours as fields.
        fields[0] -= kappa;
        fields[n - 2] += kappa;
        let chain = Topology::open_chain(n - 1)?;
        let model = Hamiltonian::new(chain, Couplings::Uniform(kappa), Field::PerSite(fields))?;
        Ok(Program {
            start: Spins::up(n - 1),
            update: HeatBath::new(&model)?,
            model,
            clamps: vec![Clamp { unit: 0, value: -1.0 }, Clamp { unit: n, value: 1.0 }],
            schedule: Schedule::Constant(self.beta),
            decoder: Wall { labels, width: spin.labels() },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    fn reference(&self, spin: &PottsSpin) -> Result<Vec<f64>, Error> {
        Ok(spin.law(self.beta).probabilities().to_vec())
    }

    fn footprint(&self, spin: &PottsSpin) -> Footprint {
        let n = spin.states() as u64;
        Footprint { spins: n - 1, clamps: 2, couplings: n, fields: n - 1, read_outs: n - 1 }
    }
}

/// Relaxation time of the wall, in sweeps, where it is the only one (βκ → ∞): the birth–death chain that steps from j to j ± 1 at rate
/// 1/(1 + e^(x_j − x_(j±1))), x_j = βs_j, each bit attempting once per sweep.
///
/// Exact: the smallest eigenvalue of the dual chain, a tridiagonal matrix of N − 1 rows without the eigenvalue 0, by bisection on
/// its Sturm sequence in O(N) per step. Without scores it is 1/(1 − cos(π/N)) → 2N²/π² = 0.2026 N². 0 for a single state.
///
/// ```
/// use ceas_mapping::encoding::domain_wall::walk_time;
/// let flat = walk_time(&[0.0; 64]);
/// assert!((flat - 1.0 / (1.0 - (std::f64::consts::PI / 64.0).cos())).abs() < 1e-6 * flat);
/// ```
pub fn walk_time(x: &[f64]) -> f64 {
    let n = x.len();
    if n < 2 {
        return 0.0;
    }
    // Rates over the edge (j, j+1), up and down. The generator is −BᵀB with B bidiagonal; BBᵀ, with up + down on the diagonal and
    // −√(down_j · up_(j+1)) beside it, has the same eigenvalues less the 0.
    let rate = |from: f64, to: f64| 1.0 / (1.0 + libm::exp(from - to));
    let edges: Vec<(f64, f64)> =
        x.windows(2).map(|pair| (rate(pair[0], pair[1]), rate(pair[1], pair[0]))).collect();
    // Whether every eigenvalue is above `shift`: all pivots of BBᵀ − shift are positive. `rest` is the pivot less `down`, which keeps
    // small eigenvalues accurate (the stationary qd recurrence: B. N. Parlett, doi:10.1017/S0962492900002580).
    let all_above = |shift: f64| {
        let mut ratio = 1.0;
        edges.iter().all(|&(up, down)| {
            let rest = up * ratio - shift;
            let pivot = rest + down;
            ratio = rest / pivot;
            pivot > 0.0
        })
    };
    let (mut low, mut high) = (0.0f64, 2.0f64);
    // First down by factors until something lies below, then by halves; an eigenvalue that underflows counts as 1e-300.
    while high > 1e-300 {
        let middle = if low == 0.0 { high * 1e-3 } else { 0.5 * (low + high) };
        if middle <= low || middle >= high {
            break;
        }
        if all_above(middle) { low = middle } else { high = middle }
    }
    2.0 / (low + high)
}
