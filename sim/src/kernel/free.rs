//! Sites without bonds: what a site does depends on its own spin alone, so that its two thresholds are known before the sweep.

use super::threshold;
use crate::beta::Beta;
use crate::hamiltonian::Hamiltonian;
use crate::stream::Stream;

/// The thresholds of every site: draws below them flip it.
#[derive(Debug, Clone)]
pub(crate) struct Thresholds {
    beta: Beta,
    fields: Vec<f64>,
    /// By site: if its spin is −1, if it is +1.
    least: Vec<[u64; 2]>,
}

impl Thresholds {
    /// By the rule p(β, ΔE) with ΔE = 2 s h.
    pub(crate) fn new(rule: fn(Beta, f64) -> f64, model: &Hamiltonian, beta: Beta) -> Self {
        let fields: Vec<f64> = (0..model.n_sites()).map(|site| model.field_at(site)).collect();
        let least = fields.iter().map(|h| [-2.0, 2.0].map(|s| threshold(rule(beta, s * h))));
        Self { beta, least: least.collect(), fields }
    }

    /// Whether they are those of a model at β.
    pub(crate) fn are_of(&self, model: &Hamiltonian, beta: Beta) -> bool {
        self.beta == beta && self.fields.iter().enumerate().all(|(site, h)| *h == model.field_at(site))
    }

    /// Attempts to flip every site in index order, one draw each. Returns the number of flips.
    pub(crate) fn visit(&self, spins: &mut [i8], stream: &mut Stream) -> u64 {
        let mut flips = 0;
        for (spin, least) in spins.iter_mut().zip(&self.least) {
            let flip = u64::from(stream.next_u32()) < least[usize::from(*spin > 0)];
            *spin = if flip { -*spin } else { *spin };
            flips += u64::from(flip);
        }
        flips
    }
}

#[cfg(test)]
mod tests {
    use crate::beta::Beta;
    use crate::hamiltonian::{Couplings, Field, Hamiltonian};
    use crate::kernel::Kernel;
    use crate::spins::Spins;
    use crate::stream::{Purpose, Stream, Streams};
    use crate::topology::Topology;
    use crate::update::{HeatBath, Metropolis, Update};

    fn model(shift: f64) -> Hamiltonian {
        let fields = (0..37).map(|i| shift + f64::from(i % 7) - 3.0).collect();
        let alone = Topology::from_bonds(37, &[]).unwrap();
        Hamiltonian::new(alone, Couplings::Uniform(1.0), Field::PerSite(fields)).unwrap()
    }

    /// Spins after twelve sweeps, β and the fields moving on the way; the second model is not told to the update in advance.
    fn moved<U: Update<Model = Hamiltonian, State = Spins>>(mut update: U, shift: f64) -> (Spins, u64) {
        let mut spins = Spins::random(37, &mut Stream::new(1, Purpose::Initial, 0, 0));
        let mut streams = Streams::new(1, Purpose::Update, 0, update.blocks());
        let mut flips = 0;
        for sweep in 0..12 {
            let beta = Beta::new(0.1 * f64::from(sweep / 3)).unwrap();
            let model = model(if sweep < 6 { 0.0 } else { shift });
            flips += update.sweep(&model, &mut spins, beta, &mut streams).flips;
        }
        (spins, flips)
    }

    #[test]
    fn it_equals_the_naive_kernel_whatever_moves() {
        let fast = HeatBath::new(&model(0.0)).unwrap();
        assert_eq!(fast.kernel(), Kernel::Free);
        assert_eq!(moved(fast.clone(), 0.3), moved(fast.clone().with_generic_kernel(), 0.3));
        let metropolis = Metropolis::new(&model(0.0)).unwrap();
        assert_eq!(moved(metropolis.clone(), 0.3), moved(metropolis.with_generic_kernel(), 0.3));
        // What kept the old thresholds would be noticed.
        assert_ne!(moved(fast.clone(), 0.3), moved(fast, 0.0));
    }
}
