//! The Ising chain by its transfer matrix (E. Ising, Z. Phys. 31, 253 (1925), doi:10.1007/BF02980577).

use super::jet::Jet;
use crate::beta::Beta;
use crate::error::Error;

/// How a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// The last spin is a neighbour of the first: N bonds.
    Ring,
    /// Two ends: N − 1 bonds.
    Open,
}

/// N spins in a row with the same coupling J and field h: H = −J Σ s_i s_(i+1) − h Σ s_i.
///
/// ```
/// use ceas_sim::{beta::Beta, exact::chain::{Chain, Ends}};
/// let chain = Chain::new(10, 1.0, 0.0, Ends::Open).unwrap();
/// let beta = Beta::new(0.5).unwrap();
/// assert!((chain.energy(beta) + 9.0 * 0.5f64.tanh()).abs() < 1e-12);
/// assert!((chain.correlation(beta, 2, 5).unwrap() - 0.5f64.tanh().powi(3)).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chain {
    sites: usize,
    coupling: f64,
    field: f64,
    ends: Ends,
}

impl Chain {
    /// A chain of `sites` spins.
    ///
    /// # Errors
    /// [`Error::SiteCount`] for a ring of fewer than 2 spins or an open chain of none;
    /// [`Error::NotFinite`] if J or h is not finite.
    pub fn new(sites: usize, coupling: f64, field: f64, ends: Ends) -> Result<Self, Error> {
        let (what, least) = match ends {
            Ends::Ring => ("a ring", 2),
            Ends::Open => ("an open chain", 1),
        };
        if sites < least {
            return Err(Error::SiteCount { what, got: sites, least, most: usize::MAX });
        }
        for (what, got) in [("coupling", coupling), ("field", field)] {
            if !got.is_finite() {
                return Err(Error::NotFinite { what, index: 0, got });
            }
        }
        Ok(Self { sites, coupling, field, ends })
    }

    /// ln Z.
    pub fn ln_partition(&self, beta: Beta) -> f64 {
        self.jet(beta).value
    }

    /// ⟨E⟩ = −∂ ln Z/∂β, total.
    pub fn energy(&self, beta: Beta) -> f64 {
        -self.jet(beta).first
    }

    /// C = β² ∂² ln Z/∂β² / N, per site.
    pub fn specific_heat(&self, beta: Beta) -> f64 {
        beta.value() * beta.value() * self.jet(beta).second / self.sites as f64
    }

    /// ⟨s_i⟩.
    ///
    /// # Errors
    /// [`Error::NoSuchSite`] if `site` is not on the chain.
    pub fn magnetization(&self, beta: Beta, site: usize) -> Result<f64, Error> {
        self.signed(beta, &[site])
    }

    /// ⟨s_i s_j⟩.
    ///
    /// # Errors
    /// [`Error::NoSuchSite`] if one of the sites is not on the chain.
    pub fn correlation(&self, beta: Beta, i: usize, j: usize) -> Result<f64, Error> {
        if i == j {
            return self.signed(beta, &[i]).map(|_| 1.0);
        }
        self.signed(beta, &[i.min(j), i.max(j)])
    }

    fn jet(&self, beta: Beta) -> Jet {
        let beta = Jet::variable(beta.value());
        let transfer = Matrix::transfer(beta * self.coupling, beta * self.field);
        match self.ends {
            Ends::Ring => transfer.power(self.sites).ln_trace(),
            Ends::Open => transfer.power(self.sites - 1).ln_between(self.ends_weight(beta)),
        }
    }

    /// Half of each end's field is missing from the product of N − 1 matrices: exp(±βh/2).
    fn ends_weight(&self, beta: Jet) -> [Jet; 2] {
        let half = beta * (self.field / 2.0);
        [half.exp(), (half * -1.0).exp()]
    }

    /// ⟨∏ s over `sites`⟩, the sites in ascending order.
    fn signed(&self, beta: Beta, sites: &[usize]) -> Result<f64, Error> {
        if let Some(&site) = sites.iter().find(|&&s| s >= self.sites) {
            return Err(Error::NoSuchSite { site, sites: self.sites });
        }
        let beta = Jet::constant(beta.value());
        let transfer = Matrix::transfer(beta * self.coupling, beta * self.field);
        let mut product = Matrix::identity();
        let mut at = 0;
        for &site in sites {
            product = product.times(&transfer.power(site - at)).signed();
            at = site;
        }
        Ok(match self.ends {
            Ends::Ring => {
                let product = product.times(&transfer.power(self.sites - at));
                let trace = product.entries[0][0].value + product.entries[1][1].value;
                trace * libm::exp(product.log_scale.value - transfer.power(self.sites).ln_trace().value)
            }
            Ends::Open => {
                let product = product.times(&transfer.power(self.sites - 1 - at));
                let ends = self.ends_weight(beta);
                let plain = transfer.power(self.sites - 1).ln_between(ends).value;
                product.between(ends).value * libm::exp(product.log_scale.value - plain)
            }
        })
    }
}

/// e^(log_scale) times a 2 × 2 matrix, so that no power overflows.
#[derive(Debug, Clone, Copy)]
struct Matrix {
    entries: [[Jet; 2]; 2],
    log_scale: Jet,
}

impl Matrix {
    fn identity() -> Self {
        let (one, zero) = (Jet::constant(1.0), Jet::constant(0.0));
        Self { entries: [[one, zero], [zero, one]], log_scale: zero }
    }

    /// T(s, s′) = exp(βJ s s′ + βh (s + s′)/2), s = +1 first.
    fn transfer(bond: Jet, field: Jet) -> Self {
        let exponents = [[bond + field, bond * -1.0], [bond * -1.0, bond - field]];
        let log_scale = exponents
            .as_flattened()
            .iter()
            .copied()
            .fold(bond, |top, e| if e.value > top.value { e } else { top });
        Self { entries: exponents.map(|row| row.map(|e| (e - log_scale).exp())), log_scale }
    }

    fn times(&self, other: &Self) -> Self {
        let (a, b) = (&self.entries, &other.entries);
        let cell = |i: usize, j: usize| a[i][0] * b[0][j] + a[i][1] * b[1][j];
        let product = Self {
            entries: [[cell(0, 0), cell(0, 1)], [cell(1, 0), cell(1, 1)]],
            log_scale: self.log_scale + other.log_scale,
        };
        product.rescaled()
    }

    /// Divides by the largest entry's value: a constant, so the derivatives stay right.
    fn rescaled(self) -> Self {
        let top = self.entries.as_flattened().iter().fold(0.0f64, |top, e| top.max(e.value.abs()));
        if top == 0.0 {
            return self;
        }
        Self {
            entries: self.entries.map(|row| row.map(|e| e * (1.0 / top))),
            log_scale: self.log_scale + Jet::constant(libm::log(top)),
        }
    }

    fn power(&self, mut exponent: usize) -> Self {
        let (mut result, mut square) = (Self::identity(), *self);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result.times(&square);
            }
            exponent >>= 1;
            if exponent > 0 {
                square = square.times(&square);
            }
        }
        result
    }

    /// Multiplied from the right by diag(+1, −1): one factor s.
    fn signed(mut self) -> Self {
        for row in &mut self.entries {
            row[1] = row[1] * -1.0;
        }
        self
    }

    fn ln_trace(&self) -> Jet {
        (self.entries[0][0] + self.entries[1][1]).ln() + self.log_scale
    }

    /// vᵀ A v without the scale.
    fn between(&self, v: [Jet; 2]) -> Jet {
        let a = &self.entries;
        v[0] * (a[0][0] * v[0] + a[0][1] * v[1]) + v[1] * (a[1][0] * v[0] + a[1][1] * v[1])
    }

    /// ln of vᵀ A v with the scale.
    fn ln_between(&self, v: [Jet; 2]) -> Jet {
        self.between(v).ln() + self.log_scale
    }
}
