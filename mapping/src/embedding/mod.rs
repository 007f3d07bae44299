//! Embeddings as fields and as spins.
//!
//! | mode | spins per number | error | fidelity |
//! |---|---|---|---|
//! | field ([`FieldMode`]) | 1, the number is its field | none | exact |
//! | word ([`SpinWords`]) | B, x = (Δ/2) Σ_b 2^b σ_b | at most Δ/2, mean square Δ²/12 | controlled |
//! | simHash ([`Code::sim_hash`]) | m random planes | θ to √(θ(π − θ)/m) | exact in law over the planes |
//! | sign ([`Code::sign`]) | 1 per component | none known | heuristic |
//! | ITQ ([`Code::itq`]) | 1 per principal direction | measured on data | heuristic |
//!
//! Two codes are compared by the energy of ferromagnetic bonds between them, H = −Σ_i a_i b_i = −m(1 − 2·disagreements/m), from which
//! the angle θ = π·disagreements/m follows: P(agree) = 1 − θ/π for random planes (M. X. Goemans and D. P. Williamson,
//! doi:10.1145/227683.227684; M. S. Charikar, doi:10.1145/509907.509965). ITQ: Y. Gong and S. Lazebnik, doi:10.1109/CVPR.2011.5995432.

mod code;
mod field;
mod word;

pub use code::{Code, CodePair, Overlap};
pub use field::{FieldMode, Magnetization};
pub use word::{SpinWords, WordReadout};
