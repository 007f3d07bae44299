//! How long a small cluster takes to forget: the spectral gap of its single-spin dynamics.

use ceas_sim::Beta;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::spins::Spins;
use ceas_sim::update::HeatBath;
use nalgebra::DMatrix;

/// The largest cluster whose spectrum is computed: a matrix of 2¹⁰ × 2¹⁰.
pub const MOST_BITS: usize = 10;

/// Relaxation time, in sweeps, of heat-bath dynamics in random order (every spin attempts at rate 1 per sweep): 1/λ with λ the smallest
/// non-zero eigenvalue of the generator. An autocorrelation function decays no slower than e^(−t/τ); for a function that is all in this mode
/// τ_int = τ (for τ ≫ 1). This is [`ceas_sim::update::Kinetic`] under [`ceas_sim::update::Rule::HeatBath`].
///
/// `None` for more than [`MOST_BITS`] spins.
///
/// ```
/// use ceas_mapping::encoding::relaxation_time;
/// use ceas_sim::{Beta, hamiltonian::Hamiltonian, topology::Topology};
/// // Uncoupled spins forget at each attempt.
/// let free = Hamiltonian::ferromagnet(Topology::from_bonds(3, &[]).unwrap());
/// assert!((relaxation_time(&free, Beta::new(1.0).unwrap()).unwrap() - 1.0).abs() < 1e-12);
/// // Two spins joined by J: λ = 1 − tanh(βJ).
/// let pair = Hamiltonian::ferromagnet(Topology::open_chain(2).unwrap());
/// let tau = relaxation_time(&pair, Beta::new(1.0).unwrap()).unwrap();
/// assert!((tau * (1.0 - 1f64.tanh()) - 1.0).abs() < 1e-12);
/// ```
pub fn relaxation_time(model: &Hamiltonian, beta: Beta) -> Option<f64> {
    let n = model.n_sites();
    if n > MOST_BITS {
        return None;
    }
    let states = 1usize << n;
    // The generator made symmetric by √π: off the diagonal √(rate out · rate back), on it minus the rates out.
    let mut generator = DMatrix::<f64>::zeros(states, states);
    for state in 0..states {
        let values = (0..n).map(|site| if state >> site & 1 == 1 { 1 } else { -1 }).collect();
        let spins = Spins::from_values(values).expect("values are ±1");
        for site in 0..n {
            let change = model.delta_e(&spins, site);
            let out = HeatBath::flip_probability(beta, change);
            let back = HeatBath::flip_probability(beta, -change);
            generator[(state, state)] -= out;
            generator[(state, state ^ 1 << site)] = libm::sqrt(out * back);
        }
    }
    let mut eigenvalues: Vec<f64> = generator.symmetric_eigenvalues().iter().map(|x| -x).collect();
    eigenvalues.sort_by(f64::total_cmp);
    Some(eigenvalues.get(1).map_or(1.0, |gap| 1.0 / gap))
}
