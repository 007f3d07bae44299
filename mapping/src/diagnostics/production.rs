//! Entropy production along a trajectory of any Markov sampler.

/// Σ ln [W(x → x′)/W(x′ → x)] over the steps of a trajectory, in units of k_B: the entropy handed to the bath. O(1) memory.
///
/// For an update in detailed balance at a constant β it telescopes to β(E_first − E_last), whatever the path: no entropy is produced on average in
/// equilibrium. Under an anneal it is Σ β_t (E_t − E_(t+1)), the heat over the temperature of its time (U. Seifert,
/// doi:10.1088/0034-4885/75/12/126001).
///
/// ```
/// use ceas_mapping::diagnostics::production::EntropyProduction;
/// let mut bath = EntropyProduction::default();
/// bath.step_of_energies(2.0, 1.0, 0.5); // at β = 2 from E = 1 to E = 0.5
/// bath.step_of_energies(2.0, 0.5, 1.0);
/// assert_eq!(bath.total(), 0.0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct EntropyProduction {
    total: f64,
    steps: u64,
    forbidden: u64,
}

impl EntropyProduction {
    /// A step with the rates given: forward, and back. A step that cannot be undone produces infinitely much; it is counted apart.
    pub fn step_of_rates(&mut self, forward: f64, backward: f64) {
        self.steps += 1;
        if forward > 0.0 && backward > 0.0 {
            self.total += libm::log(forward / backward);
        } else {
            self.forbidden += 1;
        }
    }

    /// A step of an update in detailed balance at `beta` from one energy to another.
    pub fn step_of_energies(&mut self, beta: f64, from: f64, to: f64) {
        self.steps += 1;
        self.total += beta * (from - to);
    }

    /// Σ so far, in k_B.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Mean per step; `None` without a step.
    pub fn per_step(&self) -> Option<f64> {
        (self.steps > 0).then(|| self.total / self.steps as f64)
    }

    /// Steps whose reverse has no rate.
    pub fn irreversible(&self) -> u64 {
        self.forbidden
    }
}
