//! Linear least squares.

/// The x that minimises |Ax − b|², where each row is a row of A with its b behind it; `None` if it is not determined.
///
/// Householder triangularisation: the condition number is not squared.
pub(crate) fn solve(rows: Vec<Vec<f64>>, terms: usize) -> Option<Vec<f64>> {
    solve_with_leverage(rows, terms).map(|(solution, _)| solution)
}

/// The same, and z = (AᵀA)⁻¹ e₁: a change δ of b in a row a of A changes the first unknown by δ a·z.
pub(crate) fn solve_with_leverage(mut rows: Vec<Vec<f64>>, terms: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    if rows.len() < terms {
        return None;
    }
    for k in 0..terms {
        let norm = libm::sqrt(rows[k..].iter().map(|r| r[k] * r[k]).sum());
        if !(norm.is_finite() && norm > 0.0) {
            return None;
        }
        let alpha = if rows[k][k] > 0.0 { -norm } else { norm };
        let mut reflector: Vec<f64> = rows[k..].iter().map(|r| r[k]).collect();
        reflector[0] -= alpha;
        let square: f64 = reflector.iter().map(|v| v * v).sum();
        if square == 0.0 {
            return None;
        }
        for column in k..=terms {
            let dot: f64 = reflector.iter().zip(&rows[k..]).map(|(v, r)| v * r[column]).sum();
            for (v, row) in reflector.iter().zip(&mut rows[k..]) {
                row[column] -= 2.0 * v * dot / square;
            }
        }
    }
    let mut solution = vec![0.0; terms];
    for k in (0..terms).rev() {
        let known: f64 = (k + 1..terms).map(|j| rows[k][j] * solution[j]).sum();
        solution[k] = (rows[k][terms] - known) / rows[k][k];
    }
    // Rᵀ y = e₁, then R z = y.
    let mut y = vec![0.0; terms];
    for k in 0..terms {
        let known: f64 = (0..k).map(|j| rows[j][k] * y[j]).sum();
        y[k] = (if k == 0 { 1.0 } else { 0.0 } - known) / rows[k][k];
    }
    let mut z = vec![0.0; terms];
    for k in (0..terms).rev() {
        let known: f64 = (k + 1..terms).map(|j| rows[k][j] * z[j]).sum();
        z[k] = (y[k] - known) / rows[k][k];
    }
    solution.iter().chain(&z).all(|c| c.is_finite()).then_some((solution, z))
}
