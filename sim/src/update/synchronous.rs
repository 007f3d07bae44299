//! All spins at once: what a device does that updates coupled spins in the same clock cycle, and why that is wrong.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::kernel::{generic, threshold};
use crate::spins::Spins;
use crate::stream::Streams;
use crate::update::{HeatBath, Update};

/// **Does not sample e^(−βH).** Every spin is drawn by the heat bath from the *old* values of its neighbours, all at the same time
/// (Little's parallel dynamics, doi:10.1016/0025-5564(74)90031-5). The only update here with a wrong law, kept to show it.
///
/// For symmetric couplings its stationary law is known (Peretto, doi:10.1007/BF00317939):
/// ```text
/// π(s) ∝ e^(βΣ_i h_i s_i) Π_i 2cosh(β l_i)        l_i = h_i + Σ_j J_ij s_j
/// ```
/// [`Synchronous::ln_weight`] is its logarithm. Where no two coupled spins are drawn together, as on one colour of a checkerboard, the heat bath
/// is right: that is [`HeatBath`]. On a bipartite graph without a field the synchronous chain is two independent chains that ignore each
/// other, and a pair of spins can blink for ever at low temperature.
///
/// Counted as for [`HeatBath`]: N attempts of 32 random bits; coupler reads are one per site and bond of it.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, spins::Spins, topology::Topology};
/// use ceas_sim::{stream::{Purpose, Streams}, update::{Synchronous, Update}};
/// // Two spins that want to be equal, started unequal, exchange their values in every sweep at low temperature.
/// let model = Hamiltonian::ferromagnet(Topology::open_chain(2).unwrap());
/// let mut spins = Spins::from_values(vec![1, -1]).unwrap();
/// let mut update = Synchronous::new(&model).unwrap();
/// let streams = &mut Streams::new(1, Purpose::Update, 0, update.blocks());
/// update.sweep(&model, &mut spins, Beta::new(30.0).unwrap(), streams);
/// assert_eq!(spins.as_slice(), [-1, 1]);
/// ```
#[derive(Debug, Clone)]
pub struct Synchronous {
    n_sites: usize,
    turns: Vec<bool>,
}

impl Synchronous {
    /// The update for `model`.
    ///
    /// # Errors
    /// [`Error::Memory`] if the space to work in cannot be had.
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        model.topology().check_memory(1)?;
        Ok(Self { n_sites: model.n_sites(), turns: Vec::new() })
    }

    /// ln of the weight that this update does sample: β Σ_i h_i s_i + Σ_i ln 2cosh(β l_i).
    ///
    /// # Panics
    /// If `spins` has not one spin per site.
    pub fn ln_weight(model: &Hamiltonian, spins: &Spins, beta: Beta) -> f64 {
        let beta = beta.value();
        let site = |i: usize| {
            let x = (beta * model.local_field(spins, i)).abs();
            // ln 2cosh x without overflow.
            beta * model.field_at(i) * f64::from(spins.get(i)) + x + libm::log1p(libm::exp(-2.0 * x))
        };
        (0..spins.len()).map(site).sum()
    }

    /// Number of streams it draws from, for [`Streams::new`]: one.
    pub fn blocks(&self) -> usize {
        1
    }
}

impl Update for Synchronous {
    type Model = Hamiltonian;
    type State = Spins;

    /// Every spin once, from the configuration before the sweep.
    ///
    /// # Panics
    /// If the update was made for another number of sites.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        super::check_sizes(self.n_sites, model, spins);
        let stream = streams.first();
        let mut probability = generic::remembered(HeatBath::flip_probability, beta);
        self.turns.clear();
        self.turns.extend(
            (0..self.n_sites).map(|site| {
                u64::from(stream.next_u32()) < threshold(probability(model.delta_e(spins, site)))
            }),
        );
        let mut flips = 0;
        for (s, &turns) in spins.as_mut_slice().iter_mut().zip(&self.turns) {
            *s = if turns { -*s } else { *s };
            flips += u64::from(turns);
        }
        super::one_attempt_each(model, flips)
    }
}
