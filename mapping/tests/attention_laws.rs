//! Identities and laws of attention rows and their encodings, without a sample.

use ceas_mapping::attention::boltzmann::{BoltzmannRow, Synchronised};
use ceas_mapping::attention::hopfield::Hopfield;
use ceas_mapping::attention::memory::{MemoryBits, MemoryRow};
use ceas_mapping::embedding::SpinWords;
use ceas_mapping::encoding::domain_wall::{DomainWallRow, walk_time};
use ceas_mapping::encoding::relaxation_time;
use ceas_mapping::encoding::tree::Tree;
use ceas_mapping::one_hot::{OneHot, Penalty, occupation};
use ceas_mapping::program::{Component, Decoder};
use ceas_sim::Beta;
use ceas_sim::exact::enumeration;
use ceas_sim::potts::PottsSpin;
use ceas_sim::stream::{Purpose, Stream};
use ndarray::Array2;

fn beta(b: f64) -> Beta {
    Beta::new(b).unwrap()
}

fn stream(block: u64) -> Stream {
    Stream::new(0, Purpose::Instance, 77, block)
}

fn scores(n: usize, sigma: f64) -> Vec<f64> {
    let mut instance = stream(3);
    (0..n).map(|_| sigma * instance.normal()).collect()
}

#[test]
fn leak_and_relaxation_are_the_same_barrier() {
    for sigma in [0.75, 1.5, 3.0] {
        let fields = scores(8, sigma);
        let spin = PottsSpin::new(&fields).unwrap();
        let law = spin.law(beta(1.0));
        let products: Vec<f64> = [4.0, 6.0, 8.0, 10.0]
            .into_iter()
            .map(|a| {
                let cluster = OneHot::lower(&spin, beta(1.0), Penalty { strength: a }).unwrap();
                let tau = relaxation_time(&cluster.model, beta(1.0)).unwrap();
                // The offset of the lowering, read back from the fields.
                let offset = 2.0 * cluster.model.field_at(0) + a * 6.0 - spin.gap(0);
                let shifted: Vec<f64> = (0..8).map(|j| spin.gap(j) + offset).collect();
                let leak = 1.0 - occupation(&shifted, a)[1];
                let least = (-a).exp() * (2.0 * (1.0 - law.y2())).sqrt();
                assert!((leak / least - 1.0).abs() < 4.0 * (-a).exp() * 8.0, "{leak} {least} at A = {a}");
                // First order in e^(−A) without an offset: 1/Z + Z(1 − Y₂)/2.
                let bare = 1.0 - occupation(&fields, a)[1];
                let z = law.ln_z().exp();
                let first = (-a).exp() * (1.0 / z + 0.5 * z * (1.0 - law.y2()));
                assert!(bare <= first && (a < 8.0 || bare > first * (1.0 - 3.0 * first) * 0.98));
                leak * tau
            })
            .collect();
        let last = products[3];
        assert!((products[2] / last - 1.0).abs() < 0.02, "leak·τ is not constant: {products:?}");
        assert!((products[0] / last - 1.0).abs() < 0.25, "{products:?}");
    }
}

#[test]
fn a_wall_walks_as_its_spectrum_says() {
    // Against the full spectrum of the chain, where κ leaves one wall only.
    for sigma in [0.0, 0.75, 1.5] {
        let fields = scores(8, sigma);
        let wall = DomainWallRow { beta: beta(1.0), stiffness: 6.0 };
        let program = wall.lower(&PottsSpin::new(&fields).unwrap()).unwrap();
        let full = relaxation_time(&program.model, beta(1.0)).unwrap();
        let walk = walk_time(&fields);
        assert!((full / walk - 1.0).abs() < 1e-3, "{full} {walk} at σ = {sigma}");
    }
    for n in [64usize, 256, 4096] {
        let law = 2.0 / std::f64::consts::PI.powi(2) * (n * n) as f64;
        assert!(
            (walk_time(&vec![0.0; n]) / law - 1.0).abs() < 1.0 / n as f64,
            "{}",
            walk_time(&vec![0.0; n])
        );
    }
    // Keys in the order of their scores make one valley: far faster than the raw profile.
    let mut fields = scores(128, 2.0);
    let raw = walk_time(&fields);
    fields.sort_by(f64::total_cmp);
    assert!(walk_time(&fields) < 0.1 * raw);
    // A barrier of height D costs about e^D.
    let barrier = |d: f64| walk_time(&[0.0, -d, 0.0]);
    assert!((barrier(20.0) / barrier(10.0) / 10f64.exp() - 1.0).abs() < 1e-3);
}

#[test]
fn a_tree_multiplies_up_to_softmax() {
    let spin = PottsSpin::new(&[0.3, -700.0, 2.0, f64::NEG_INFINITY, 0.9, 1.4, 0.0]).unwrap();
    let law = spin.law(beta(1.3));
    let leaves = Tree::new(&spin, beta(1.3)).leaf_probabilities();
    assert_eq!(leaves.len(), 6);
    for (label, p) in leaves {
        assert!((p - law.probabilities()[label]).abs() < 1e-14);
    }
    assert_eq!(Tree::new(&PottsSpin::new(&[5.0]).unwrap(), beta(1.0)).fields().len(), 0);
}

#[test]
fn clamped_words_and_written_keys_have_the_law_of_the_row() {
    let mut instance = stream(4);
    let keys = Array2::from_shape_fn((4, 2), |_| instance.normal());
    let memory = MemoryRow { keys, beta: beta(0.9) };
    let bits = MemoryBits { memory, words: SpinWords::reaching(2.0, 3) };
    let query = [0.7, -1.1];
    let program = bits.lower(&query).unwrap();
    assert_eq!((program.model.n_sites(), program.clamps.len()), (10, 6));
    let (mut sum, mut z) = (vec![0.0; 4], 0.0);
    enumeration::visit(&program.model, |spins, energy| {
        let held = program.clamps.iter().all(|clamp| f64::from(spins.get(clamp.unit)) == clamp.value);
        let mut one = vec![0.0; 4];
        if held && program.decoder.read(spins, &mut one) {
            let weight = (-0.9 * energy).exp();
            z += weight;
            sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += weight * one);
        }
    })
    .unwrap();
    for (sum, exact) in sum.iter().zip(bits.reference(&query).unwrap()) {
        assert!((sum / z - exact).abs() < 1e-14, "{} {exact}", sum / z);
    }
    // Not the row of the query itself: three bits round it.
    let unrounded = bits.memory.reference(&query).unwrap();
    assert!((sum[0] / z - unrounded[0]).abs() > 1e-3);
    let written = bits.footprint(&query);
    assert_eq!((written.couplings, written.clamps), (24, 6));
}

#[test]
fn the_hopfield_force_is_the_update_less_the_state() {
    let mut instance = stream(5);
    let net = Hopfield { patterns: Array2::from_shape_fn((6, 4), |_| instance.normal()), beta: beta(2.0) };
    let xi = [0.3, -0.5, 1.1, 0.2];
    let next = net.reference(&xi).unwrap();
    for a in 0..4 {
        let at = |by: f64| {
            let mut moved = xi;
            moved[a] += by;
            net.energy(&moved).unwrap()
        };
        let force = -(at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((force - (next[a] - xi[a])).abs() < 1e-8, "{force}");
    }
    assert!(net.energy(&next).unwrap() < net.energy(&xi).unwrap());
}

#[test]
fn without_couplings_boltzmann_attention_is_sigmoid_and_synchronised_queries_are_softmax() {
    let mut instance = stream(6);
    let fields: Vec<f64> = (0..7).map(|_| instance.normal()).collect();
    let free = BoltzmannRow { couplings: Array2::zeros((7, 7)), beta: beta(1.7) };
    for (n, s) in free.reference(&fields).unwrap().iter().zip(&fields) {
        assert!((n - 1.0 / (1.0 + (-1.7 * s).exp())).abs() < 1e-14);
    }
    // The enumeration agrees with it where a coupling is there but vanishes in effect.
    let mut almost = Array2::zeros((7, 7));
    (almost[[0, 1]], almost[[1, 0]]) = (1e-13, 1e-13);
    let almost = BoltzmannRow { couplings: almost, ..free.clone() }.reference(&fields).unwrap();
    assert!(almost.iter().zip(free.reference(&fields).unwrap()).all(|(a, b)| (a - b).abs() < 1e-12));
    let rows = Array2::from_shape_fn((3, 4), |_| instance.normal());
    let queries =
        Synchronised { couplings: Array2::zeros((3, 3)), beta: beta(0.8) }.reference(&rows).unwrap();
    for (i, row) in rows.rows().into_iter().enumerate() {
        let law = PottsSpin::new(&row.to_vec()).unwrap().law(beta(0.8));
        for (a, p) in law.probabilities().iter().enumerate() {
            assert!((queries[4 * i + a] - p).abs() < 1e-14);
        }
    }
}

#[test]
fn couplings_are_learned_by_a_covariance() {
    let mut instance = stream(7);
    let fields: Vec<f64> = (0..5).map(|_| instance.normal()).collect();
    let upstream: Vec<f64> = (0..5).map(|_| instance.normal()).collect();
    let half = Array2::from_shape_fn((5, 5), |_| 0.4 * instance.normal());
    let row = BoltzmannRow { couplings: &half + &half.t(), beta: beta(1.2) };
    let loss = |row: &BoltzmannRow| -> f64 {
        row.reference(&fields).unwrap().iter().zip(&upstream).map(|(n, g)| n * g).sum()
    };
    let gradient = row.gradient(&fields, &upstream).unwrap();
    for (a, b) in [(0, 1), (2, 4), (1, 3)] {
        let at = |by: f64| {
            let mut moved = row.clone();
            moved.couplings[[a, b]] += by;
            moved.couplings[[b, a]] += by;
            loss(&moved)
        };
        let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((slope - gradient[[a, b]]).abs() < 1e-8, "{slope} {}", gradient[[a, b]]);
    }
    // A step against the gradient learns.
    let learned = BoltzmannRow { couplings: &row.couplings - &(&gradient * 0.1), ..row.clone() };
    assert!(loss(&learned) < loss(&row));
}
