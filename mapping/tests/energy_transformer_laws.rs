//! Energy transformers: the force is a gradient, the energy falls, and a masked token has the law of factored attention.

use ceas_mapping::energy_transformer::{EnergyBlock, EnergyNorm, Factored};
use ceas_mapping::program::Component;
use ceas_sim::Beta;
use ceas_sim::potts::PottsSpin;
use ceas_sim::stream::{Purpose, Stream};
use ndarray::{Array1, Array2, Array3};

fn beta(b: f64) -> Beta {
    Beta::new(b).unwrap()
}

fn stream(block: u64) -> Stream {
    Stream::new(0, Purpose::Instance, 77, block)
}

fn block(to_itself: bool) -> (EnergyBlock, Array2<f64>) {
    let mut instance = stream(8);
    let mut tensor = || Array3::from_shape_fn((2, 3, 6), |_| 0.4 * instance.normal());
    let (query, key) = (tensor(), tensor());
    let memories = Array2::from_shape_fn((10, 6), |_| 0.3 * instance.normal());
    let x = Array2::from_shape_fn((5, 6), |_| instance.normal());
    let shift = Array1::from_shape_fn(6, |_| 0.2 * instance.normal());
    let norm = EnergyNorm { gain: 1.3, shift, epsilon: 1e-5 };
    (EnergyBlock { query, key, memories, beta: beta(0.8), to_itself, norm }, x)
}

#[test]
fn the_force_is_minus_the_gradient_and_needs_both_averages() {
    for to_itself in [true, false] {
        let (block, x) = block(to_itself);
        let g = block.norm.apply(&x);
        let force = block.force(&g).unwrap();
        // The force without the second average: what an ordinary transformer would keep.
        let one_sided = EnergyBlock { key: Array3::zeros((2, 3, 6)), ..block.clone() };
        let mut largest = 0.0f64;
        for t in 0..5 {
            for a in 0..6 {
                let at = |by: f64| {
                    let mut moved = g.clone();
                    moved[[t, a]] += by;
                    block.energy(&moved).unwrap()
                };
                let slope = -(at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((slope - force[[t, a]]).abs() < 1e-7, "{slope} {}", force[[t, a]]);
                largest = largest.max((one_sided.force(&g).unwrap()[[t, a]] - force[[t, a]]).abs());
            }
        }
        assert!(largest > 0.1, "the check could not fail");
        for (t, x) in x.rows().into_iter().enumerate() {
            let mut moved = x.to_owned();
            moved[2] += 1e-6;
            let slope = (block.norm.lagrangian(moved.view()) - block.norm.lagrangian(x)) / 1e-6;
            assert!((slope - g[[t, 2]]).abs() < 1e-5);
        }
    }
}

#[test]
fn energy_does_not_rise_along_the_relaxation() {
    let (block, mut x) = block(false);
    let energy = |x: &Array2<f64>| block.energy(&block.norm.apply(x)).unwrap();
    let first = energy(&x);
    for _ in 0..300 {
        let next = block.step(&x, 0.05).unwrap();
        assert!(energy(&next) <= energy(&x) + 1e-12);
        x = next;
    }
    assert!(energy(&x) < first - 0.5, "{first} to {}", energy(&x));
    // Up the gradient it rises.
    let up = block.step(&x, -0.5).unwrap();
    assert!(energy(&up) > energy(&x));
}

#[test]
fn a_masked_token_has_the_law_of_factored_attention() {
    let mut instance = stream(9);
    let half = |n: usize, instance: &mut Stream| Array2::from_shape_fn((n, n), |_| instance.normal());
    let (a, u) = (half(6, &mut instance), half(4, &mut instance));
    let model = Factored { attention: &a + &a.t(), values: &u + &u.t(), beta: beta(0.3) };
    let tokens = [0, 3, 1, 2, 2, 0];
    let p = model.conditional(&tokens, 2).unwrap();
    // softmax_a β Σ_j A_2j U(a, s_j)
    let scores: Vec<f64> = (0..4)
        .map(|c| {
            (0..6).filter(|&j| j != 2).map(|j| model.attention[[2, j]] * model.values[[c, tokens[j]]]).sum()
        })
        .collect();
    let law = PottsSpin::new(&scores).unwrap().law(beta(0.3));
    assert!(p.iter().zip(law.probabilities()).all(|(a, b)| (a - b).abs() < 1e-13));
    let lopsided = Factored { attention: a, ..model.clone() };
    assert!(lopsided.reference(&[Some(0), None, None, Some(1), Some(1), Some(2)]).is_err());
}
