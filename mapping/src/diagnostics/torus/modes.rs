//! Fourier modes of the bonds of one configuration, and the triples of them that translations allow.

use std::f64::consts::PI;

use super::sampled::half_step;

type Complex = (f64, f64);

#[inline(always)]
fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// Modes a ≤ b ≤ c with a + b + c = 0, and for how many ordered ones they stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Triple {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) c: u32,
    /// Orders of a, b, c, twice that if −a, −b, −c are other modes.
    pub(super) weight: f64,
}

/// Every unordered triple once, and one of each with its negative.
pub(super) fn triples(side: usize) -> Vec<Triple> {
    let n = side * side;
    let negative = |k: usize| {
        let (r, c) = ((side - k / side) % side, (side - k % side) % side);
        r * side + c
    };
    let sum = |a: usize, b: usize| {
        let (r, c) = ((a / side + b / side) % side, (a % side + b % side) % side);
        r * side + c
    };
    let mut all = Vec::with_capacity(n * n / 12 + 2 * n);
    for a in 0..n {
        for b in a..n {
            let c = negative(sum(a, b));
            if c < b {
                continue;
            }
            let mut mirrored = [negative(a), negative(b), negative(c)];
            mirrored.sort_unstable();
            if mirrored < [a, b, c] {
                continue;
            }
            let orders = match (a == b, b == c) {
                (true, true) => 1.0,
                (true, false) | (false, true) => 3.0,
                (false, false) => 6.0,
            };
            let weight = if mirrored == [a, b, c] { orders } else { 2.0 * orders };
            all.push(Triple { a: a as u32, b: b as u32, c: c as u32, weight });
        }
    }
    all
}

/// φ_μ(k) = n^(−½) Σ_x (B_μ(x) − ⟨B⟩) e^(−ik·(x + ½ê_μ)), x + ½ê_μ the middle of a bond: inversion about a site then makes all their averages real.
pub(super) struct Modes {
    side: usize,
    mean: f64,
    /// e^(−2πi j/L).
    wave: Vec<Complex>,
    half: Vec<Complex>,
    rows: Vec<[Complex; 2]>,
    /// `[k][μ]`, μ = h, v.
    modes: Vec<[Complex; 2]>,
}

impl Modes {
    pub(super) fn new(side: usize, mean: f64) -> Self {
        let wave = |j: usize| {
            let angle = 2.0 * PI * j as f64 / side as f64;
            (libm::cos(angle), -libm::sin(angle))
        };
        Self {
            side,
            mean,
            wave: (0..side).map(wave).collect(),
            half: (0..side).map(|k| half_step(k, side)).collect(),
            rows: vec![[(0.0, 0.0); 2]; side * side],
            modes: vec![[(0.0, 0.0); 2]; side * side],
        }
    }

    /// Transforms a configuration, along rows and then along columns.
    pub(super) fn of(&mut self, spins: &[i8]) {
        let l = self.side;
        let scale = 1.0 / l as f64;
        for r in 0..l {
            let (here, below) = (&spins[r * l..(r + 1) * l], &spins[(r + 1) % l * l..((r + 1) % l + 1) * l]);
            for kc in 0..l {
                let mut sum = [(0.0, 0.0); 2];
                for c in 0..l {
                    let (cos, sin) = self.wave[kc * c % l];
                    let spin = f64::from(here[c]);
                    let bonds = [
                        spin * f64::from(here[(c + 1) % l]) - self.mean,
                        spin * f64::from(below[c]) - self.mean,
                    ];
                    for (sum, bond) in sum.iter_mut().zip(bonds) {
                        sum.0 += bond * cos;
                        sum.1 += bond * sin;
                    }
                }
                self.rows[r * l + kc] = sum;
            }
        }
        for kr in 0..l {
            for kc in 0..l {
                let mut sum = [(0.0, 0.0); 2];
                for r in 0..l {
                    let wave = self.wave[kr * r % l];
                    for (sum, row) in sum.iter_mut().zip(self.rows[r * l + kc]) {
                        let (re, im) = times(row, wave);
                        sum.0 += re;
                        sum.1 += im;
                    }
                }
                let halves = [self.half[kc], self.half[kr]];
                for ((mode, sum), half) in self.modes[kr * l + kc].iter_mut().zip(sum).zip(halves) {
                    let (re, im) = times(sum, half);
                    *mode = (scale * re, scale * im);
                }
            }
        }
    }

    /// Adds φ_λ(0), Re φ_μ(k)φ_ν(k)*, and their product.
    pub(super) fn add_pairs(&self, sum: &mut [f64; 2], metric: &mut [[f64; 3]], trace: &mut [[[f64; 3]; 2]]) {
        let zero = self.modes[0];
        sum.iter_mut().zip(zero).for_each(|(sum, zero)| *sum += zero.0);
        for ((&[h, v], metric), trace) in self.modes.iter().zip(metric).zip(trace) {
            let pairs = [h.0 * h.0 + h.1 * h.1, h.0 * v.0 + h.1 * v.1, v.0 * v.0 + v.1 * v.1];
            for i in 0..3 {
                metric[i] += pairs[i];
                trace[0][i] += zero[0].0 * pairs[i];
                trace[1][i] += zero[1].0 * pairs[i];
            }
        }
    }

    /// Adds Re φ_μ(a)φ_ν(b)φ_λ(c) of every triple.
    pub(super) fn add_triples(&self, kinds: &[Triple], third: &mut [[f64; 8]]) {
        let modes = &self.modes[..];
        for (kind, third) in kinds.iter().zip(third) {
            let [a, b, c] = [kind.a, kind.b, kind.c].map(|k| modes[k as usize]);
            for (nu, &b) in b.iter().enumerate() {
                for (lambda, &c) in c.iter().enumerate() {
                    let (re, im) = times(b, c);
                    for (mu, &a) in a.iter().enumerate() {
                        third[4 * mu + 2 * nu + lambda] += a.0 * re - a.1 * im;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::triples;

    #[test]
    fn triples_stand_for_all_pairs_of_modes() {
        for side in [3usize, 4, 5, 8] {
            let total: f64 = triples(side).iter().map(|t| t.weight).sum();
            assert_eq!(total, (side as f64).powi(4), "side {side}");
        }
    }
}
