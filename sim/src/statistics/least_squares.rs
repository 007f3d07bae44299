//! Linear least squares.

/// The x that minimises |Ax − b|², where each row is a row of A with its b behind it; `None` if it is not determined.
///
/// Householder triangularisation: the condition number is not squared.
pub(crate) fn solve(mut rows: Vec<Vec<f64>>, terms: usize) -> Option<Vec<f64>> {
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
    solution.iter().all(|c| c.is_finite()).then_some(solution)
}
