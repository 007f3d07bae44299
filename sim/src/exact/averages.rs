//! Thermal averages of a finite system as exact sums over weighted configurations.

use crate::beta::Beta;

/// Exact thermal averages of a system of `sites` Ising spins at one β.
///
/// Energies are totals; magnetisations m = Σ s / N are per site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Averages {
    /// Number of spins N.
    pub sites: usize,
    /// The inverse temperature β.
    pub beta: f64,
    /// ln Z.
    pub ln_partition: f64,
    /// ⟨E⟩, total.
    pub energy: f64,
    /// ⟨E²⟩ − ⟨E⟩², total.
    pub energy_variance: f64,
    /// ⟨m⟩.
    pub magnetization: f64,
    /// ⟨|m|⟩.
    pub abs_magnetization: f64,
    /// ⟨m²⟩.
    pub magnetization_2: f64,
    /// ⟨m⁴⟩.
    pub magnetization_4: f64,
}

impl Averages {
    /// ⟨E⟩/N.
    pub fn energy_per_site(&self) -> f64 {
        self.energy / self.sites as f64
    }

    /// C = β²(⟨E²⟩ − ⟨E⟩²)/N, per site.
    pub fn specific_heat(&self) -> f64 {
        self.beta * self.beta * self.energy_variance / self.sites as f64
    }

    /// χ = βN(⟨m²⟩ − ⟨|m|⟩²), per site.
    pub fn susceptibility(&self) -> f64 {
        let spread = self.magnetization_2 - self.abs_magnetization * self.abs_magnetization;
        self.beta * self.sites as f64 * spread
    }

    /// U₄ = 1 − ⟨m⁴⟩/3⟨m²⟩².
    pub fn binder(&self) -> f64 {
        1.0 - self.magnetization_4 / (3.0 * self.magnetization_2 * self.magnetization_2)
    }
}

/// Sums of e^(−βE) times something, kept relative to the largest weight met so far.
///
/// The energy's moments are taken about the energy of that largest weight, so the variance loses no digits.
#[derive(Debug, Clone)]
pub(super) struct WeightedSum {
    beta: f64,
    sites: usize,
    largest: f64,
    origin: f64,
    z: f64,
    energy: [f64; 2],
    m: [f64; 4],
}

impl WeightedSum {
    pub(super) fn new(sites: usize, beta: Beta) -> Self {
        let beta = beta.value();
        let largest = f64::NEG_INFINITY;
        Self { beta, sites, largest, origin: 0.0, z: 0.0, energy: [0.0; 2], m: [0.0; 4] }
    }

    /// Adds configurations of total energy `energy` and magnetisation `magnetization` (total), `ln_count` being the
    /// logarithm of their number.
    pub(super) fn add(&mut self, energy: f64, magnetization: f64, ln_count: f64) {
        let exponent = ln_count - self.beta * energy;
        if exponent > self.largest {
            self.shift_to(exponent, energy);
        }
        let weight = libm::exp(exponent - self.largest);
        let e = energy - self.origin;
        let m = magnetization / self.sites as f64;
        self.z += weight;
        self.energy[0] += weight * e;
        self.energy[1] += weight * e * e;
        for (sum, value) in self.m.iter_mut().zip([m, m.abs(), m * m, m * m * m * m]) {
            *sum += weight * value;
        }
    }

    fn shift_to(&mut self, exponent: f64, energy: f64) {
        let scale = if self.z > 0.0 { libm::exp(self.largest - exponent) } else { 0.0 };
        let shift = self.origin - energy;
        self.energy[1] += shift * (2.0 * self.energy[0] + shift * self.z);
        self.energy[0] += shift * self.z;
        for sum in self.energy.iter_mut().chain(&mut self.m).chain([&mut self.z]) {
            *sum *= scale;
        }
        self.largest = exponent;
        self.origin = energy;
    }

    pub(super) fn averages(&self) -> Averages {
        let mean = self.energy[0] / self.z;
        Averages {
            sites: self.sites,
            beta: self.beta,
            ln_partition: self.largest + libm::log(self.z),
            energy: self.origin + mean,
            energy_variance: (self.energy[1] / self.z - mean * mean).max(0.0),
            magnetization: self.m[0] / self.z,
            abs_magnetization: self.m[1] / self.z,
            magnetization_2: self.m[2] / self.z,
            magnetization_4: self.m[3] / self.z,
        }
    }
}
