//! One-hot clusters: the law before the sample.

use ceas_mapping::one_hot::{OneHot, Penalty};
use ceas_sim::Beta;
use ceas_sim::potts::PottsSpin;
use ceas_sim::spins::Spins;

const FIELDS: [f64; 6] = [0.3, -1.0, 2.0, f64::NEG_INFINITY, 0.9, 1.4];

/// Weight e^(−βH) of every configuration of the cluster, with its read-out and the number of bits up.
fn weights(penalty: Penalty, run_at: f64) -> Vec<(f64, Option<usize>, usize)> {
    let spin = PottsSpin::new(&FIELDS).unwrap();
    let cluster = OneHot::lower(&spin, Beta::new(0.7).unwrap(), penalty).unwrap();
    let n = cluster.decoder.bits();
    (0..1u32 << n)
        .map(|bits| {
            let values = (0..n).map(|i| if bits >> i & 1 == 1 { 1 } else { -1 }).collect();
            let spins = Spins::from_values(values).unwrap();
            let weight = (-run_at * cluster.model.energy(&spins)).exp();
            (weight, cluster.decoder.read(&spins), bits.count_ones() as usize)
        })
        .collect()
}

fn penalties() -> impl Iterator<Item = Penalty> {
    [0.0, 0.5, 1.0, 4.0, 8.0].into_iter().map(|strength| Penalty { strength })
}

/// Largest deviation of the law of valid read-outs at inverse temperature `run_at` from softmax at 0.7.
fn deviation(run_at: f64) -> f64 {
    let law = PottsSpin::new(&FIELDS).unwrap().law(Beta::new(0.7).unwrap());
    let mut worst = 0.0f64;
    for penalty in penalties() {
        let mut by_label = [0.0; FIELDS.len()];
        for (weight, label, _) in weights(penalty, run_at) {
            if let Some(label) = label {
                by_label[label] += weight;
            }
        }
        let valid: f64 = by_label.iter().sum();
        for (got, exact) in by_label.iter().zip(law.probabilities()) {
            worst = worst.max((got / valid - exact).abs());
        }
    }
    worst
}

#[test]
fn a_valid_readout_has_exactly_the_softmax_law_whatever_the_penalty() {
    assert!(deviation(0.7) < 1e-14);
}

#[test]
fn and_not_at_another_temperature() {
    assert!(deviation(0.72) > 1e-3, "the test above could not fail");
}

#[test]
fn occupation_follows_the_elementary_symmetric_polynomials() {
    for penalty in penalties() {
        let all = weights(penalty, 0.7);
        let total: f64 = all.iter().map(|(w, ..)| w).sum();
        // w_j: the weight of bit j alone over that of no bit, without the penalty's part.
        let lone = |label| all.iter().find(|(_, read, _)| *read == Some(label)).unwrap().0;
        let empty = all.iter().find(|(.., k)| *k == 0).unwrap().0;
        let mut e = vec![1.0];
        for label in [0, 1, 2, 4, 5] {
            let w = lone(label) / empty * (-penalty.strength).exp();
            e.push(0.0);
            for k in (1..e.len()).rev() {
                e[k] += w * e[k - 1];
            }
        }
        let penalised = |k: usize| e[k] * (-penalty.strength * (k as f64 - 1.0).powi(2)).exp();
        let z: f64 = (0..e.len()).map(penalised).sum();
        for k in 0..e.len() {
            let got: f64 = all.iter().filter(|(.., up)| *up == k).map(|(w, ..)| w).sum();
            assert!((got / total - penalised(k) / z).abs() < 1e-13, "P({k} up) at {penalty:?}");
        }
    }
}

#[test]
fn one_bit_is_up_on_average() {
    for penalty in penalties() {
        let all = weights(penalty, 0.7);
        let total: f64 = all.iter().map(|(w, ..)| w).sum();
        let mean: f64 = all.iter().map(|(w, _, k)| w * *k as f64).sum::<f64>() / total;
        assert!((mean - 1.0).abs() < 1e-12, "{mean} bits up at {penalty:?}");
    }
}

/// Also where one state outweighs a hundred others by so much that products of their weights underflow.
#[test]
fn one_bit_is_up_on_average_in_a_row_that_is_nearly_one_state() {
    for gap in [12.0, 18.0, 23.0, 26.0] {
        let mut fields = [0.0; 102];
        fields[7] = gap;
        let spin = PottsSpin::new(&fields).unwrap();
        let cluster = OneHot::lower(&spin, Beta::new(1.0).unwrap(), Penalty::NONE).unwrap();
        // Uncoupled bits: each is up with probability 1/(1 + e^(−2βh)).
        let up = |site| 1.0 / (1.0 + (-2.0 * cluster.model.field_at(site)).exp());
        let mean: f64 = (0..102).map(up).sum();
        assert!((mean - 1.0).abs() < 1e-9, "{mean} bits up at a gap of {gap}");
    }
}

#[test]
fn a_strong_penalty_leaks_as_its_barrier_says() {
    let all = weights(Penalty { strength: 6.0 }, 0.7);
    let total: f64 = all.iter().map(|(w, ..)| w).sum();
    let leak = all.iter().filter(|(_, read, _)| read.is_none()).map(|(w, ..)| w).sum::<f64>() / total;
    let y2 = PottsSpin::new(&FIELDS).unwrap().law(Beta::new(0.7).unwrap()).y2();
    let predicted = (-6f64).exp() * (2.0 * (1.0 - y2)).sqrt();
    assert!((leak / predicted - 1.0).abs() < 0.01, "{leak} against e^(−βA)√(2(1−Y₂)) = {predicted}");
}

#[test]
fn without_a_penalty_no_bit_is_coupled() {
    let spin = PottsSpin::new(&FIELDS).unwrap();
    let cluster = OneHot::lower(&spin, Beta::new(0.7).unwrap(), Penalty::NONE).unwrap();
    assert_eq!(cluster.model.topology().n_bonds(), 0);
}

#[test]
fn what_cannot_be_built_is_refused() {
    let spin = PottsSpin::new(&FIELDS).unwrap();
    let refused = |beta: f64, strength| {
        OneHot::lower(&spin, Beta::new(beta).unwrap(), Penalty { strength }).unwrap_err().to_string()
    };
    assert!(refused(0.0, 1.0).contains('β'));
    assert!(refused(1.0, f64::NAN).contains("strength"));
    assert!(refused(1.0, -1.0).contains("strength"));
}

#[test]
fn a_row_with_one_key_is_one_bit() {
    let spin = PottsSpin::new(&[f64::NEG_INFINITY, 3.0]).unwrap();
    let cluster = OneHot::lower(&spin, Beta::new(1.0).unwrap(), Penalty::NONE).unwrap();
    assert_eq!(cluster.decoder.read(&Spins::up(1)), Some(1));
}
