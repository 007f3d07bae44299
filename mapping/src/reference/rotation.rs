//! Rotary positions (RoPE): pairs of components of queries and keys are turned by angles that grow with the position.
//!
//! ```text
//! (x_a, x_b) ← (x_a cos φ − x_b sin φ,  x_a sin φ + x_b cos φ)      φ = t·ω_i      ω_i = θ^(−2i/d)
//! ```
//!
//! Checkpoints of Hugging Face pair component i with i + d/2; GGUF files of the Llama family store rows permuted so that 2i and 2i + 1
//! are a pair. Source: Su et al., arXiv:2104.09864.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, Array3, Axis};

/// Which components form a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// 2i and 2i + 1 (GGUF, Llama as published by Meta).
    Neighbours,
    /// i and i + d/2 (Hugging Face).
    Halves,
}

/// Changes of the frequencies that stretch a model to longer contexts.
#[derive(Debug, Clone, PartialEq)]
pub enum Scaling {
    /// None.
    Unscaled,
    /// ω → ω/factor.
    Linear {
        /// By how much positions shrink.
        factor: f64,
    },
    /// As Llama 3: slow turns are divided by `factor`, fast ones kept, those between blended.
    Llama3 {
        /// By how much the slow ones shrink.
        factor: f64,
        /// Turns over the original context below which a frequency is slow.
        low: f64,
        /// Turns above which it is fast.
        high: f64,
        /// The context that the model was first trained on.
        original: f64,
    },
    /// ω_i → ω_i/f_i with the factors that a file carries.
    Factors(Vec<f32>),
}

/// The turns of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotation {
    /// Angle per position of every pair, `[d_head/2]`.
    pub frequencies: Vec<f64>,
    /// Which components form a pair.
    pub pairs: Pairs,
}

/// The angles of some positions that follow one another.
#[derive(Debug, Clone, PartialEq)]
pub struct Angles {
    /// The first position.
    pub first: usize,
    /// Angle of every position and pair, `[n, d_head/2]`.
    pub angles: Array2<f64>,
    /// Which components form a pair.
    pub pairs: Pairs,
    cosines: Array2<f32>,
    sines: Array2<f32>,
}

impl Rotation {
    /// The frequencies ω_i = θ^(−2i/d) of heads of dimension `d_head`, scaled.
    pub fn new(theta: f64, d_head: usize, scaling: &Scaling, pairs: Pairs) -> Self {
        let plain = (0..d_head / 2).map(|i| theta.powf(-2.0 * i as f64 / d_head as f64));
        let frequencies = plain.enumerate().map(|(i, w)| match scaling {
            Scaling::Unscaled => w,
            Scaling::Linear { factor } => w / factor,
            Scaling::Factors(factors) => w / factors.get(i).map_or(1.0, |&f| f64::from(f)),
            Scaling::Llama3 { factor, low, high, original } => {
                let turns = original * w / std::f64::consts::TAU;
                let smooth = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                (1.0 - smooth) * w / factor + smooth * w
            }
        });
        Self { frequencies: frequencies.collect(), pairs }
    }

    /// The angles of `n` positions from `first` on.
    pub fn angles(&self, first: usize, n: usize) -> Angles {
        let angle = |(t, i): (usize, usize)| (first + t) as f64 * self.frequencies[i];
        let angles = Array2::from_shape_fn((n, self.frequencies.len()), angle);
        Angles {
            first,
            cosines: angles.mapv(|a| libm::cos(a) as f32),
            sines: angles.mapv(|a| libm::sin(a) as f32),
            angles,
            pairs: self.pairs,
        }
    }
}

impl Angles {
    /// The two components of pair `i` in a head of dimension `d`.
    pub fn pair(&self, i: usize, d: usize) -> [usize; 2] {
        match self.pairs {
            Pairs::Neighbours => [2 * i, 2 * i + 1],
            Pairs::Halves => [i, i + d / 2],
        }
    }

    /// Turns `x` `[heads, n, d_head]` in place.
    ///
    /// # Panics
    /// If there are not as many positions as angles.
    pub fn turn(&self, x: &mut Array3<f32>) {
        let (_, n, d) = x.dim();
        assert_eq!((n, d / 2), self.angles.dim(), "an angle per position and pair");
        x.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut head| {
            for (t, mut row) in head.rows_mut().into_iter().enumerate() {
                for i in 0..d / 2 {
                    let [a, b] = self.pair(i, d);
                    let (cos, sin) = (self.cosines[[t, i]], self.sines[[t, i]]);
                    (row[a], row[b]) = (row[a] * cos - row[b] * sin, row[a] * sin + row[b] * cos);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_depend_on_the_distance_alone() {
        let rotation = Rotation::new(1e4, 8, &Scaling::Unscaled, Pairs::Halves);
        let x = Array3::from_shape_fn((2, 1, 8), |(h, _, i)| ((h * 5 + i * 3) % 7) as f32 - 3.0);
        let score = |t: usize, u: usize| {
            let at = |which: usize, position| {
                let mut x = x.slice(ndarray::s![which..=which, .., ..]).to_owned();
                rotation.angles(position, 1).turn(&mut x);
                x
            };
            (at(0, t) * at(1, u)).sum()
        };
        assert!((score(3, 1) - score(1003, 1001)).abs() < 1e-4 && (score(3, 1) - score(4, 1)).abs() > 1e-2);
    }

    #[test]
    fn the_two_ways_to_pair_are_one_permuted() {
        let x = Array3::from_shape_fn((1, 3, 6), |(_, t, i)| (t * 6 + i) as f32);
        let [mut halves, mut neighbours] = [x.clone(), x];
        for t in 0..3 {
            for i in 0..3 {
                neighbours[[0, t, 2 * i]] = halves[[0, t, i]];
                neighbours[[0, t, 2 * i + 1]] = halves[[0, t, i + 3]];
            }
        }
        let turn = |x: &mut Array3<f32>, pairs| {
            Rotation::new(100.0, 6, &Scaling::Unscaled, pairs).angles(5, 3).turn(x);
        };
        turn(&mut halves, Pairs::Halves);
        turn(&mut neighbours, Pairs::Neighbours);
        for t in 0..3 {
            for i in 0..3 {
                assert_eq!(neighbours[[0, t, 2 * i]], halves[[0, t, i]]);
                assert_eq!(neighbours[[0, t, 2 * i + 1]], halves[[0, t, i + 3]]);
            }
        }
    }

    #[test]
    fn stretched_frequencies() {
        let base = Rotation::new(1e4, 64, &Scaling::Unscaled, Pairs::Halves).frequencies;
        let with = |scaling| Rotation::new(1e4, 64, &scaling, Pairs::Halves).frequencies;
        assert!(
            with(Scaling::Linear { factor: 4.0 }).iter().zip(&base).all(|(a, b)| (a * 4.0 - b).abs() < 1e-15)
        );
        let llama3 = with(Scaling::Llama3 { factor: 8.0, low: 1.0, high: 4.0, original: 8192.0 });
        assert_eq!(llama3[0], base[0]);
        assert!((llama3[31] * 8.0 / base[31] - 1.0).abs() < 1e-12);
        assert!(llama3.iter().zip(&base).all(|(a, b)| a <= b && *a >= b / 8.0 - 1e-18));
    }
}
