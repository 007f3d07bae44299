//! How many samples each row should get.

use crate::error::Error;

/// A budget of read-outs spread over rows of variance V_i whose read-outs cost c_i each.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// S_i, whole numbers of at least 1.
    pub samples: Vec<u64>,
    /// Σ V_i/S_i with them.
    pub noise: f64,
    /// Σ V_i/S with the same cost spread evenly.
    pub noise_evenly: f64,
}

impl Allocation {
    /// S_i ∝ √(V_i/c_i) at a total cost of Σ c_i S: `evenly` = S read-outs for every row on average. It minimises Σ V_i/S_i (Neyman 1934,
    /// doi:10.2307/2342192). Rows are rounded down, no row gets less than one, so that at least as much budget is left as rounding took.
    ///
    /// The gain is Σc·ΣV/(Σ√(cV))²: 1 where all rows are alike, large where few rows carry the noise.
    ///
    /// ```
    /// use ceas_mapping::diagnostics::allocation::Allocation;
    /// let plan = Allocation::new(&[1.0, 9.0], &[1.0, 1.0], 100).unwrap();
    /// assert_eq!(plan.samples, [50, 150]);
    /// assert!((plan.gain() - 1.25).abs() < 1e-12);
    /// ```
    ///
    /// # Errors
    /// [`Error::Rows`] if there is no row, if the lists differ in length, if a variance is negative or a cost not above 0, or for S = 0.
    pub fn new(variances: &[f64], costs: &[f64], evenly: u64) -> Result<Self, Error> {
        let sound = !variances.is_empty()
            && variances.len() == costs.len()
            && evenly > 0
            && variances.iter().all(|v| v.is_finite() && *v >= 0.0)
            && costs.iter().all(|c| c.is_finite() && *c > 0.0);
        if !sound {
            return Err(Error::Rows {
                what: "an allocation of samples",
                violated: format!(
                    "{} variances ≥ 0 and {} costs > 0 for {evenly} samples a row: equal numbers of both and at least one sample are needed",
                    variances.len(),
                    costs.len()
                ),
            });
        }
        let budget: f64 = costs.iter().sum::<f64>() * evenly as f64;
        let weight: f64 = variances.iter().zip(costs).map(|(v, c)| libm::sqrt(v * c)).sum();
        let share = |v: f64, c: f64| {
            if weight > 0.0 { budget * libm::sqrt(v / c) / weight } else { evenly as f64 }
        };
        // A relative 10⁻¹² forgives the rounding of a share that is a whole number.
        let whole = |(v, c): (&f64, &f64)| ((share(*v, *c) * (1.0 + 1e-12)).floor() as u64).max(1);
        let samples: Vec<u64> = variances.iter().zip(costs).map(whole).collect();
        let noise = variances.iter().zip(&samples).map(|(v, &s)| v / s as f64).sum();
        let noise_evenly = variances.iter().sum::<f64>() / evenly as f64;
        Ok(Self { samples, noise, noise_evenly })
    }

    /// How many times less noise than with the same cost spread evenly; 1 where there is no noise.
    pub fn gain(&self) -> f64 {
        if self.noise > 0.0 { self.noise_evenly / self.noise } else { 1.0 }
    }
}
