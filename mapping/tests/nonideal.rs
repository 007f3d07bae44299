//! Flaws: off by default, frozen by a seed, each with the law it has.

mod tiny;

use ceas_mapping::nonideal::{
    Chip, Codes, FIELD_RANGE, NonIdeal, Part, Reads, RowFlaws, rounded, rounded_below,
};
use ceas_mapping::pbits::Noise;
use ceas_sim::Beta;
use ceas_sim::potts::PottsSpin;

const SCORES: [f64; 5] = [0.4, -1.0, 2.5, f64::NEG_INFINITY, 1.1];

fn law(flaws: NonIdeal, row: &RowFlaws) -> Vec<f64> {
    let mut x = SCORES.to_vec();
    row.apply(&flaws, &mut x);
    x
}

fn softmax(fields: &[f64]) -> Vec<f64> {
    PottsSpin::new(fields).unwrap().law(Beta::new(1.0).unwrap()).probabilities().to_vec()
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn nothing_is_wrong_by_default() {
    let flaws = NonIdeal::default();
    assert!(flaws.is_none() && !NonIdeal { latency: 0.1, ..flaws }.is_none());
    assert!(NonIdeal { seed: 7, ..flaws }.is_none(), "a device without flaws is any device");
    assert!(apart(&law(flaws, &RowFlaws::default()), &softmax(&SCORES)) < 1e-14);
    assert_eq!((flaws.beta_factor(3, 4), flaws.stuck(1, 2, 3)), (1.0, None));
}

#[test]
fn every_flaw_of_a_row_has_its_law() {
    let (none, exact) = (NonIdeal::default(), softmax(&SCORES));
    let free = RowFlaws::default();
    // Offsets are fields.
    let offsets = RowFlaws { offsets: vec![0.1, -0.3, 0.2, 0.5, 0.0], ..RowFlaws::default() };
    assert!(apart(&law(none, &offsets), &softmax(&[0.5, -1.3, 2.7, f64::NEG_INFINITY, 1.1])) < 1e-14);
    // A stuck unit is absent, or wins always.
    let stuck = |stuck: [Option<bool>; 5]| RowFlaws { stuck: stuck.to_vec(), ..RowFlaws::default() };
    let without = softmax(&[0.4, -1.0, f64::NEG_INFINITY, f64::NEG_INFINITY, 1.1]);
    assert!(apart(&law(none, &stuck([None, None, Some(false), None, None])), &without) < 1e-14);
    assert_eq!(law(none, &stuck([Some(true), None, None, None, Some(true)])), [0.5, 0.0, 0.0, 0.0, 0.5]);
    assert_eq!(law(none, &stuck([Some(false); 5])), [0.0; 5], "a row of dead units reads nothing");
    // Fields on a grid of 2^B levels.
    let step = FIELD_RANGE / 15.0;
    let grid: Vec<f64> = SCORES.iter().map(|s| ((s - 2.5) / step).round() * step).collect();
    assert!(apart(&law(NonIdeal { field_bits: Some(4), ..none }, &free), &softmax(&grid)) < 1e-14);
    assert!(apart(&law(NonIdeal { field_bits: Some(24), ..none }, &free), &exact) < 1e-6);
    // A wrong read-out is any of the four states that are there.
    let wrong = law(NonIdeal { read_out_error: 0.2, ..none }, &free);
    let expected: Vec<f64> = exact.iter().map(|p| if *p > 0.0 { 0.8 * p + 0.05 } else { 0.0 }).collect();
    assert!(apart(&wrong, &expected) < 1e-14);
    // Drift averages over β from 1 to 1.4: the midpoint rule of 8 is good to 1e-4 here.
    let drift = law(NonIdeal { beta_drift: 0.4, ..none }, &free);
    let at =
        |beta: f64| PottsSpin::new(&SCORES).unwrap().law(Beta::new(beta).unwrap()).probabilities().to_vec();
    let mean: Vec<f64> = (0..5)
        .map(|j| (0..1000).map(|i| at(1.0 + 0.4 * (f64::from(i) + 0.5) / 1000.0)[j] / 1000.0).sum())
        .collect();
    assert!(apart(&drift, &mean) < 1e-4 && apart(&drift, &exact) > 0.01);
    // Free p-bits with logistic noise are softmax; with Gaussian noise their odds are not e^x.
    let logistic = law(NonIdeal { comparator: Some(Noise::Logistic), ..none }, &free);
    assert!(apart(&logistic, &exact) < 1e-14);
    let gaussian = law(NonIdeal { comparator: Some(Noise::Gaussian { scale: 1.0 }), ..none }, &free);
    assert!((gaussian.iter().sum::<f64>() - 1.0).abs() < 1e-12 && apart(&gaussian, &exact) > 0.1);
}

#[test]
fn frozen_numbers_are_those_of_the_device() {
    let device = NonIdeal { beta_error: 0.1, stuck_off: 0.3, stuck_on: 0.2, seed: 4, ..NonIdeal::default() };
    let other = NonIdeal { seed: 5, ..device };
    assert_eq!(device.beta_factor(1, 2), device.beta_factor(1, 2));
    assert_ne!(device.beta_factor(1, 2), other.beta_factor(1, 2));
    assert_ne!(device.beta_factor(1, 2), device.beta_factor(2, 1));
    assert_ne!(
        device.frozen(Part::Field, 0, 0, 0).next_u64(),
        device.frozen(Part::Coupling, 0, 0, 0).next_u64()
    );
    let share =
        |wanted| (0..20_000).filter(|&unit| device.stuck(0, 0, unit) == wanted).count() as f64 / 20_000.0;
    // Binomial errors below 0.0035, at 6σ.
    for (wanted, p) in [(Some(false), 0.3), (Some(true), 0.2), (None, 0.5)] {
        assert!((share(wanted) - p).abs() < 6.0 * 0.0036, "{wanted:?}: {}", share(wanted));
    }
}

#[test]
fn rounding_is_symmetric_and_keeps_the_ends() {
    assert_eq!((rounded(1.0, 1.0, 3), rounded(-1.0, 1.0, 3), rounded(0.1, 1.0, 3)), (1.0, -1.0, 0.0));
    assert_eq!(
        (rounded(0.3, 0.0, 3), rounded_below(0.0, 12.0, 2), rounded_below(-99.0, 12.0, 2)),
        (0.0, 0.0, -12.0)
    );
    for bits in [2, 4, 8] {
        let largest =
            (0..=1000).map(|i| f64::from(i) / 500.0 - 1.0).map(|x| (rounded(x, 1.0, bits) - x).abs());
        let half = 0.5 / ((1u64 << (bits - 1)) - 1) as f64;
        assert!(largest.fold(0.0, f64::max) <= half * (1.0 + 1e-12));
    }
}

#[test]
fn what_is_out_of_range_is_refused() {
    let none = NonIdeal::default();
    for (flaws, word) in [
        (NonIdeal { field_bits: Some(25), ..none }, "field"),
        (NonIdeal { coupling_bits: Some(1), ..none }, "coupling"),
        (NonIdeal { mismatch: -0.1, ..none }, "mismatch"),
        (NonIdeal { field_noise: f64::NAN, ..none }, "noise"),
        (NonIdeal { beta_drift: -1.0, ..none }, "drift"),
        (NonIdeal { stuck_off: 0.6, stuck_on: 0.6, ..none }, "stuck"),
        (NonIdeal { comparator: Some(Noise::Gaussian { scale: 0.0 }), ..none }, "comparator"),
    ] {
        assert!(flaws.check().unwrap_err().to_string().contains(word), "{flaws:?}");
    }
}

/// The last hidden state of the tiny encoder on a device.
fn hidden(tiny: &tiny::Tiny, chip: &Chip) -> ndarray::Array2<f32> {
    let model = ceas_mapping::reference::Model::open(tiny.path()).unwrap();
    let sequence = tiny::sequence(&[2, 4, 5, 6, 7, 8, 3]);
    model.encoder().forward(&sequence, &mut chip.clone()).unwrap().hidden
}

fn difference(a: &ndarray::Array2<f32>, b: &ndarray::Array2<f32>) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_device_without_flaws_is_the_model_and_one_with_any_is_not() {
    let tiny = tiny::Tiny::new();
    let exact = hidden(&tiny, &Chip::new(0));
    let ideal = Chip { attention: Reads::Infinite, feed_forward: Reads::Infinite, ..Chip::new(0) };
    let ideal = Chip { norm_temperature: Some(0.0), ..ideal };
    assert!(difference(&hidden(&tiny, &ideal), &exact) < 1e-4);
    let none = NonIdeal::default();
    for flaws in [
        NonIdeal { field_bits: Some(2), ..none },
        NonIdeal { coupling_bits: Some(2), ..none },
        NonIdeal { mismatch: 0.3, ..none },
        NonIdeal { field_noise: 0.5, ..none },
        NonIdeal { beta_error: 0.3, ..none },
        NonIdeal { beta_drift: 0.5, ..none },
        NonIdeal { stuck_off: 0.3, ..none },
        NonIdeal { stuck_on: 0.1, ..none },
        NonIdeal { read_out_error: 0.1, ..none },
        NonIdeal { comparator: Some(Noise::Gaussian { scale: 3.0 }), ..none },
    ] {
        let flawed = Chip { flaws, ..ideal.clone() };
        assert!(difference(&hidden(&tiny, &flawed), &exact) > 2e-3, "{flaws:?}");
        // The same device gives the same answer, whatever the pass; without read-outs nothing is drawn.
        assert_eq!(hidden(&tiny, &flawed), hidden(&tiny, &Chip { pass: 9, ..flawed.clone() }));
    }
    for codes in [Codes::Sign, Codes::Itq(5), Codes::SimHash(64)] {
        let rough = difference(&hidden(&tiny, &Chip { codes: Some(codes), ..ideal.clone() }), &exact);
        assert!(rough > 2e-3 && rough < 3.0, "{codes:?}: {rough}");
    }
    let many = Chip { codes: Some(Codes::SimHash(20_000)), ..ideal.clone() };
    assert!(difference(&hidden(&tiny, &many), &exact) < 0.1);
    assert!(difference(&hidden(&tiny, &Chip { norm_temperature: Some(0.5), ..ideal }), &exact) > 0.05);
}

/// Sampled: the mean of 400 passes at S = 4 of a layer that is read once, against the law, at 6σ for the largest of its numbers.
#[test]
fn read_outs_scatter_about_the_law() {
    use ceas_mapping::reference::substrate::{Projections, Substrate, softmax_attention};
    let mut stream = ceas_sim::stream::Stream::new(0, ceas_sim::stream::Purpose::Instance, 90, 0);
    let mut tensor = || ndarray::Array3::from_shape_fn((2, 5, 4), |_| stream.normal() as f32);
    let (q, k, v) = (tensor(), tensor(), tensor());
    let mask = [true, true, false, true, true];
    let projections =
        Projections { q: q.view(), k: k.view(), v: v.view(), mask: &mask, first: 0, causal: false };
    let exact = softmax_attention(0, &projections);
    for sweeps in [None, std::num::NonZeroU32::new(400)] {
        let flaws = NonIdeal { sweeps, ..NonIdeal::default() };
        let passes: Vec<_> = (0..400)
            .map(|pass| {
                let mut chip = Chip { attention: Reads::Times(4), flaws, pass, ..Chip::new(1) };
                chip.attention(0, &projections)
            })
            .collect();
        for (index, exact) in exact.indexed_iter() {
            let values: Vec<f64> = passes.iter().map(|pass| f64::from(pass[index])).collect();
            let mean = ceas_sim::statistics::Estimate::of_independent(&values);
            assert!(mean.sigmas_from((*exact).into()).abs() < 6.0, "{mean:?} {exact} {sweeps:?}");
            assert!(mean.error > 0.0 && mean.sigmas_from(f64::from(*exact) + 0.5).abs() > 6.0);
        }
    }
}
