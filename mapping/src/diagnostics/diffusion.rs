//! Diffusion spectral entropy: how many modes a cloud of activations has.

use nalgebra::DMatrix;
use ndarray::ArrayView2;

use crate::error::Error;

/// −Σ α ln α with α_i = λ_i^t/Σλ^t, λ the absolute eigenvalues of the diffusion operator of the rows of `x` `[points, features]`, in nats.
///
/// Gaussian kernel of width `sigma`, anisotropic normalisation K/(d dᵀ), then rows normalised to a transition matrix, whose eigenvalues are those of
/// the symmetric D^(−½) K D^(−½) (D. Liao et al., "Assessing neural network representations during training using data diffusion spectra",
/// arXiv:2312.04823). O(points³) time, O(points²) memory.
///
/// ```
/// use ceas_mapping::diagnostics::diffusion::spectral_entropy;
/// // Points that coincide are one mode; two far clusters are two.
/// let one = ndarray::Array2::zeros((4, 2));
/// assert!(spectral_entropy(one.view(), 1.0, 1).unwrap().abs() < 1e-9);
/// let two = ndarray::array![[0.0, 0.0], [0.0, 0.0], [99.0, 0.0], [99.0, 0.0]];
/// assert!((spectral_entropy(two.view(), 1.0, 1).unwrap() - 2f64.ln()).abs() < 1e-9);
/// ```
///
/// # Errors
/// [`Error::Rows`] without a point, with more than 4096, for a width that is not above 0, for t = 0, or if a number is not finite.
pub fn spectral_entropy(x: ArrayView2<'_, f64>, sigma: f64, t: u32) -> Result<f64, Error> {
    let n = x.nrows();
    let refuse = |violated: String| Error::Rows { what: "diffusion spectral entropy", violated };
    if n == 0 || n > 4096 {
        return Err(refuse(format!("{n} points: 1 to 4096 are diagonalised")));
    }
    if !(sigma.is_finite() && sigma > 0.0) || t == 0 {
        return Err(refuse(format!("a width of {sigma} and t = {t}: both must be above 0")));
    }
    if x.iter().any(|x| !x.is_finite()) {
        return Err(refuse("an activation is not a finite number".into()));
    }
    let mut kernel = DMatrix::from_fn(n, n, |i, j| {
        let square: f64 = x.row(i).iter().zip(x.row(j)).map(|(a, b)| (a - b) * (a - b)).sum();
        libm::exp(-square / (2.0 * sigma * sigma))
    });
    let scale = |k: &mut DMatrix<f64>, power: f64| {
        let degree: Vec<f64> = (0..n).map(|i| libm::pow(k.row(i).sum(), power)).collect();
        for i in 0..n {
            for j in 0..n {
                k[(i, j)] /= degree[i] * degree[j];
            }
        }
    };
    scale(&mut kernel, 1.0);
    scale(&mut kernel, 0.5);
    let powers: Vec<f64> =
        kernel.symmetric_eigenvalues().iter().map(|lambda| libm::pow(lambda.abs(), f64::from(t))).collect();
    let total: f64 = powers.iter().sum();
    Ok(super::entropies::shannon(&powers.iter().map(|p| p / total).collect::<Vec<_>>()))
}
