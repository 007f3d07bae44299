//! Small observables of heads, layers, models and runs: of each what it is, in which units, of what it is made, and where it comes from.
//!
//! "Published" is the description of CEAS by W. Chuang; where it leaves a quantity without a formula, the module says what was put in its place.
//!
//! | what | formula | units | from, to | source | module | memory |
//! |---|---|---|---|---|---|---|
//! | η of a read-out | I/(I + N) = 1/(1 + ε²), I = Σ\|o\|², N = ΣV/S | 1, in \[0, 1\] | two sums over a head, S → number | published, made definite | [`efficiency`] | O(1) |
//! | η as published, dC/dt | c/(c + w + 10⁻⁸); η dI/dt − dN/dt | 1; per time | counts of right and wrong → number | published | [`efficiency`] | O(1) |
//! | stop rule for S | S = ⌈√(V/tol)⌉ from −dN/dS = V/S² | read-outs | V, tolerance → number | own | [`efficiency`] | O(1) |
//! | Λ_d | Jensen–Shannon divergence of rows; η gained per nat | nats; 1/nat | `[rows][N]` of two models or β → number | name published, formula J. Lin, doi:10.1109/18.61115 | [`divergence`] | O(1) |
//! | token cost X | Σ_ij A_ij I(j), I = −log₂ P; X/T | bits | `[T][T]`, `[T]` → number | published; P: Laplace's unigram | [`token_cost`] | O(vocabulary) |
//! | Y | Var(H); share of falls below −0.2 bits; their sum | bits²; 1; mixed | `[T]` entropies → numbers | published | [`genuineness`] | O(1) |
//! | collapse by z-score | (H − mean)/deviation, in at −z₁, out at −z₀ | events | `[T]` entropies → count | own | [`genuineness`] | O(1) |
//! | phase-space quadrants | X and Y against their medians | – | two numbers, borders → name | published | [`genuineness`] | O(1) |
//! | Shannon, Rényi, Tsallis | −Σp ln p; ln Σp^q/(1 − q); (1 − Σp^q)/(q − 1) | nats; nats; 1 | `[N]` → number | C. Tsallis, doi:10.1007/BF01016429 | [`entropies`] | O(1) |
//! | Y₂ from coincidences | Σc(c − 1)/(S(S − 1)) | 1 | `[N]` counts → number | unbiased for Σp² | [`entropies`] | O(1) |
//! | diffusion spectral entropy | −Σα ln α, α ∝ \|λ\|^t | nats | `[points, features]` → number | arXiv:2312.04823 | [`diffusion`] | O(points²) |
//! | entropy production | Σ ln W(x → x′)/W(x′ → x) | k_B | a trajectory → number | doi:10.1088/0034-4885/75/12/126001 | [`production`] | O(1) |
//! | Fisher scalar curvature | R of g = ∂²ln Z | 1 | cumulants `[p]³` → number | doi:10.1103/PhysRevA.39.6515 | [`curvature`], [`torus`] | O(p³) |
//! | samples for each row | S_i ∝ √(V_i/c_i) | read-outs | `[rows]` → `[rows]` | Neyman 1934, doi:10.2307/2342192 | [`allocation`] | O(rows) |
//! | early stop, checkpoint | best value older than the patience | – | a stream of numbers → hint | published as an idea | [`hints`] | O(1) |

pub mod allocation;
pub mod curvature;
pub mod diffusion;
pub mod divergence;
pub mod efficiency;
pub mod entropies;
pub mod genuineness;
pub mod head;
pub mod hints;
pub mod production;
pub mod token_cost;
pub mod torus;
