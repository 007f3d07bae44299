//! Critical points that are known, with their sources.

use super::graph::Family;
use super::grid::{Grid, Lattice};
use super::{Kind, Topology};

/// The critical inverse temperature of the ferromagnet with J = 1 on every bond and no field, of an infinite lattice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticalPoint {
    /// β_c; for another J > 0 it is β_c/J.
    pub beta: f64,
    /// Its error, one standard deviation; 0 where β_c is known exactly.
    pub error: f64,
    /// Where it is from.
    pub source: &'static str,
}

impl Topology {
    /// β_c of the uniform ferromagnet, where it is known, for the infinite lattice of this kind:
    ///
    /// | lattice | β_c J | source |
    /// |---|---|---|
    /// | square | ln(1+√2)/2 = 0.440687 | Onsager 1944, doi:10.1103/PhysRev.65.117 |
    /// | triangular | ln(3)/4 = 0.274653 | Houtappel 1950, doi:10.1016/0031-8914(50)90130-3 |
    /// | honeycomb | ln(2+√3)/2 = 0.658479 | the same |
    /// | cubic | 0.221654626(5) | Ferrenberg, Xu, Landau 2018, arXiv:1806.03558 |
    /// | complete graph | 1/N | mean field: J = 1/N has β_c = 1 |
    /// | random q-regular graph, q ≥ 3 | artanh(1/(q−1)) | Bethe lattice; Dembo and Montanari, doi:10.1214/09-AAP627 |
    ///
    /// Free ends do not move the critical point of a lattice in two or more dimensions. There is none for chains (β_c = ∞), and
    /// none is given where the literature was not checked or a boundary is a finite share of the sites.
    ///
    /// ```
    /// use ceas_sim::topology::Topology;
    /// let square = Topology::square(8).unwrap().critical_point().unwrap();
    /// assert!((f64::sinh(2.0 * square.beta) - 1.0).abs() < 1e-15);
    /// assert!(Topology::ring(8).unwrap().critical_point().is_none());
    /// ```
    pub fn critical_point(&self) -> Option<CriticalPoint> {
        let exact = |beta, source| Some(CriticalPoint { beta, error: 0.0, source });
        match &self.kind {
            Kind::Grid(Grid { lattice, .. }) => match lattice {
                Lattice::Square => exact(
                    libm::log1p(std::f64::consts::SQRT_2) / 2.0,
                    "Onsager 1944, doi:10.1103/PhysRev.65.117",
                ),
                Lattice::Triangular => {
                    exact(libm::log(3.0) / 4.0, "Houtappel 1950, doi:10.1016/0031-8914(50)90130-3")
                }
                Lattice::Honeycomb => {
                    let beta = libm::log(2.0 + libm::sqrt(3.0)) / 2.0;
                    exact(beta, "Houtappel 1950, doi:10.1016/0031-8914(50)90130-3")
                }
                Lattice::Cubic => Some(CriticalPoint {
                    beta: 0.221_654_626,
                    error: 5e-9,
                    source: "Ferrenberg, Xu, Landau 2018, arXiv:1806.03558",
                }),
                Lattice::Chain | Lattice::King | Lattice::Hypercubic => None,
            },
            Kind::Complete(n) => exact(1.0 / *n as f64, "mean field, exact for N → ∞"),
            Kind::Graph(graph) => match graph.family {
                Family::Regular { q } if q >= 3 => {
                    let source = "Bethe lattice; Dembo and Montanari 2010, doi:10.1214/09-AAP627";
                    exact(libm::atanh(1.0 / (q - 1) as f64), source)
                }
                _ => None,
            },
        }
    }
}
