//! Where on its own temperature scale a head sits.

use ceas_sim::potts::PottsSpin;

/// The peak of the specific heat of a head: its crossover between many keys and few.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpecificHeatPeak {
    /// β at the peak, in units of 1/(q·k).
    pub beta: f64,
    /// The specific heat there, averaged over the rows.
    pub specific_heat: f64,
}

/// Points of the grid of β, each a factor `STEP` above the one before.
const POINTS: i32 = 28;
const STEP: f64 = 1.1;
/// First point of the grid, in units of the freezing point of the random energy model.
const FIRST: f64 = 0.15;

/// Finds the peak over β of the specific heat C = β² Var_p\[s\] averaged over `rows`.
///
/// β runs over 28 points from 0.15 to 2 β_c, `beta_c` being √(2 ln N)/σ; the peak is that of a parabola in ln β through the
/// highest point and its neighbours, which places it to about 1 %. `None` if the highest point is the first or the last, or if `beta_c` is
/// not finite: there is no peak inside the range. A finite row has no transition; the peak is a crossover.
pub fn specific_heat_peak<'a>(
    rows: impl Iterator<Item = &'a PottsSpin> + Clone,
    beta_c: f64,
) -> Option<SpecificHeatPeak> {
    if !beta_c.is_finite() || beta_c <= 0.0 {
        return None;
    }
    let mut betas = vec![FIRST * beta_c];
    for point in 1..POINTS as usize {
        betas.push(betas[point - 1] * STEP);
    }
    let mut heat = vec![0.0; betas.len()];
    let mut count = 0.0;
    for spin in rows {
        for (sum, &beta) in heat.iter_mut().zip(&betas) {
            *sum += specific_heat(spin, beta);
        }
        count += 1.0;
    }
    let top = (0..heat.len()).max_by(|&a, &b| heat[a].total_cmp(&heat[b]))?;
    if top == 0 || top + 1 == heat.len() {
        return None;
    }
    let (left, mid, right) = (heat[top - 1], heat[top], heat[top + 1]);
    let bend = left - 2.0 * mid + right;
    let shift = if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
    Some(SpecificHeatPeak {
        beta: betas[top] * libm::pow(STEP, shift),
        specific_heat: (mid - 0.25 * (left - right) * shift) / count,
    })
}

/// β² Var_p\[s\] of one row, without building its law.
fn specific_heat(spin: &PottsSpin, beta: f64) -> f64 {
    // States this far below the highest weigh less than 1e-17 each.
    const NEGLIGIBLE: f64 = -40.0;
    let (mut z, mut first, mut second) = (0.0, 0.0, 0.0);
    for label in spin.ranked() {
        let x = beta * spin.gap(label);
        if x < NEGLIGIBLE {
            break;
        }
        let w = libm::exp(x);
        z += w;
        first += w * x;
        second += w * x * x;
    }
    let mean = first / z;
    second / z - mean * mean
}

/// √(2 ln N)/σ: the freezing point of a random energy model with N levels of standard deviation σ (B. Derrida, Phys. Rev. B 24,
/// 2613 (1981), doi:10.1103/PhysRevB.24.2613). With `nats` = ln N it is β_c, with the entropy of the row the seed's β*.
pub(super) fn freezing_point(nats: f64, sigma: f64) -> f64 {
    (2.0 * nats).sqrt() / sigma
}
