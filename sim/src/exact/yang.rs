//! The spontaneous magnetisation of the infinite square lattice (C. N. Yang, Phys. Rev. 85, 808 (1952),
//! doi:10.1103/PhysRev.85.808).

use crate::beta::Beta;

/// m(β) = (1 − sinh⁻⁴ 2β)^(1/8) above β_c, 0 below, for J = 1 and a field that vanishes from above.
///
/// ```
/// use ceas_sim::{beta::Beta, exact::yang};
/// assert_eq!(yang::magnetization(Beta::new(0.44).unwrap()), 0.0);
/// assert!((yang::magnetization(Beta::new(0.5).unwrap()) - 0.911_319).abs() < 1e-6);
/// ```
pub fn magnetization(beta: Beta) -> f64 {
    let s = libm::sinh(2.0 * beta.value());
    if s <= 1.0 {
        return 0.0;
    }
    let s2 = s * s;
    libm::pow(1.0 - 1.0 / (s2 * s2), 0.125)
}
