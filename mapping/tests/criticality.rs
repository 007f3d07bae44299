//! Where rows cross over: Gaussian rows against the random energy model, planted keys, real and random heads, mean field.

use ceas_mapping::attention::textbook_beta;
use ceas_mapping::criticality::{
    Curve, FiniteSize, MeanField, Planted, PlantedSize, RandomEnergy, Rows, at_entropy, exponential_fit,
    fixed_point, gap_count, gaussian_rows, grid, null_heads,
};
use ceas_mapping::qkv;
use ceas_sim::beta::Beta;
use ceas_sim::topology::Topology;

/// The table of the finite random energy model: β_peak/β_c, C, H/ln N, Y₂, H(β_c), Y₂ at 1, 1.5, 2 β_c, fixed point. An independent program found
/// these with a grid of 0.05 β_c; it used at least 390 rows at N ≤ 256 and about 100 at N = 1024.
const REM: [(usize, usize, [f64; 9]); 4] = [
    (16, 2000, [0.90, 1.25, 0.564, 0.342, 1.433, 0.384, 0.544, 0.645, 0.80]),
    (64, 1500, [0.80, 2.09, 0.565, 0.211, 1.892, 0.306, 0.489, 0.603, 0.75]),
    (256, 600, [0.75, 3.07, 0.562, 0.138, 2.260, 0.264, 0.468, 0.596, 0.75]),
    (1024, 200, [0.75, 4.22, 0.535, 0.110, 2.551, 0.246, 0.467, 0.594, 0.75]),
];

/// Tolerances are those of the other table (its grid, its rows), not of this run.
#[test]
fn finite_gaussian_rows_are_those_of_an_independent_program() {
    for (keys, rows, expected) in REM {
        let found = FiniteSize::measure(keys, rows, 1).unwrap();
        let [peak, heat, share, y2, h, y1, y15, y20, fixed] = expected;
        let near = |name: &str, a: f64, b: f64, tolerance: f64| {
            assert!((a - b).abs() < tolerance, "N = {keys}, {name}: {a} for {b}");
        };
        near("peak", found.peak_over_beta_c.mean, peak, 0.05);
        near("C", found.specific_heat.mean, heat, 0.04 * heat);
        near("H/ln N", found.entropy_share.mean, share, 0.035);
        near("Y₂", found.participation.mean, y2, 0.04);
        // H of a single row at β_c scatters by about 0.9 nats: its mean over 100 rows by 0.09.
        near("H(β_c)", found.entropy_at_beta_c.mean, h, 0.3);
        for (found, expected) in found.participation_at.iter().zip([y1, y15, y20]) {
            near("Y₂ beyond", found.mean, expected, 0.05);
        }
        near("fixed point", found.fixed_point, fixed, 0.03);
        assert!(found.entropy_share.error > 0.0 && found.entropy_share.error < 0.02);
    }
}

#[test]
fn a_planted_key_takes_over_at_beta_1() {
    for prominence in [1.2, 1.5, 2.0] {
        let found = PlantedSize::measure(256, 200, prominence, 1).unwrap();
        let theory = found.planted.beta_1().unwrap();
        assert!(
            (found.half_weight / theory - 1.0).abs() < 0.01,
            "{prominence}: {} {theory}",
            found.half_weight
        );
        assert!(found.half_weight < 0.6 * RandomEnergy { keys: 256, sigma: 1.0 }.beta_c());
    }
    // As σ → 0 it is ln N/D, and a flat row has none.
    let flat = Planted::of_row(&[0.0, -2.0, -2.0, -2.0]).unwrap();
    assert!((flat.beta_1().unwrap() - 4f64.ln() / 2.0).abs() < 1e-12);
    assert!(Planted::of_row(&[0.0, 0.0, 0.0]).unwrap().beta_1().is_none());
    assert!(Planted::of_row(&[0.0]).is_none());
}

#[test]
fn ln_z_is_the_laplace_transform_of_the_gap_count() {
    let rows = gaussian_rows(64, 1, 4).unwrap();
    let gaps: Vec<f64> = rows.gaps(0).iter().map(|g| -g).collect();
    let counts = gap_count(&rows, &gaps);
    let beta = 1.3;
    // Σ over steps of N: each key adds one at its own gap.
    let mut z = 0.0;
    let mut before = 0.0;
    for count in &counts {
        z += (count.keys.mean - before) * (-beta * count.gap).exp();
        before = count.keys.mean;
    }
    let exact = rows.state(0, Beta::new(beta).unwrap()).ln_z_above;
    assert!((z.ln() - exact).abs() < 1e-12);
}

/// (β₀/β_peak of every head, H/ln N at the peak).
fn seats(set: &ceas_mapping::heads::HeadSet) -> Vec<(f64, f64)> {
    let places = (0..set.layers()).flat_map(|layer| (0..set.heads()).map(move |head| (layer, head)));
    places
        .map(|(layer, head)| {
            let rows = Rows::of_head(&set.head(layer, head), 2).unwrap();
            let beta_c = (2.0 * rows.mean_ln_n()).sqrt() / rows.typical_sigma().unwrap();
            let peak = Curve::new(&rows, &grid(beta_c, 40)).peak().unwrap();
            (textbook_beta(set.d_head()).value() / peak.beta.mean, peak.entropy_share.mean)
        })
        .collect()
}

fn near_the_peak(seats: &[(f64, f64)]) -> f64 {
    seats.iter().filter(|s| s.0.ln().abs() < 1.5f64.ln()).count() as f64 / seats.len() as f64
}

#[test]
fn trained_heads_sit_near_their_peak_and_random_ones_do_not() {
    let trained = seats(&qkv::read("../data/minilm_maxwell.safetensors".as_ref()).unwrap());
    assert_eq!((72.0 * near_the_peak(&trained)).round(), 52.0);
    let mut shares: Vec<f64> = trained.iter().map(|s| s.1).collect();
    shares.sort_by(f64::total_cmp);
    assert!((shares[36] - 0.55).abs() < 0.02, "{}", shares[36]);
    let random = seats(&null_heads(12, 102, 32, 384, 0.02, 1).unwrap());
    assert_eq!(near_the_peak(&random), 0.0);
    // β₀σ = std²·hidden = 0.154 while the peak is at βσ ≈ 2.4.
    assert!(random.iter().all(|s| s.0 > 0.04 && s.0 < 0.1), "{random:?}");
}

#[test]
fn the_three_rules_agree_on_gaussian_rows_and_missing_answers_are_none() {
    let rows = gaussian_rows(256, 300, 9).unwrap();
    let curve = Curve::new(&rows, &grid(3.33, 80));
    let peak = curve.peak().unwrap();
    let by_entropy = curve.entropy_falls_to(peak.entropy_share.mean).unwrap();
    let by_participation = curve.participation_rises_to(peak.participation.mean).unwrap();
    assert!((by_entropy.mean / peak.beta.mean - 1.0).abs() < 0.01);
    assert!((by_participation.mean / peak.beta.mean - 1.0).abs() < 0.01);
    assert!(by_entropy.error < 0.05 && peak.beta.error < 0.2, "{by_entropy:?} {:?}", peak.beta);
    assert!(curve.entropy_falls_to(1.5).is_none() && curve.participation_rises_to(2.0).is_none());
    // ln Z = ln N + β²σ²/2 while β is small.
    let first = curve.levels()[0];
    let expected = 256f64.ln() + 0.5 * first.beta * first.beta;
    assert!((first.ln_z.mean - expected).abs() < 1e-3, "{} {expected}", first.ln_z.mean);
    // The fixed point is where βσ = √(2H).
    let fixed = fixed_point(&rows).unwrap();
    let h = rows.mean(fixed).entropy;
    assert!((fixed.value() * rows.typical_sigma().unwrap() - (2.0 * h).sqrt()).abs() < 1e-9);
    let flat = Rows::of_scores([[1.0, 1.0]]).unwrap();
    for refused in [fixed_point(&flat).unwrap_err(), at_entropy(&flat, 0.3).unwrap_err()] {
        assert!(refused.to_string().contains("equal"), "{refused}");
    }
    assert!(gaussian_rows(1, 5, 1).is_err() && gaussian_rows(5, 0, 1).is_err());
}

#[test]
fn mean_field_has_the_eigenvalues_that_are_known() {
    // A star of q leaves: √q. A complete graph: N − 1. A ring: 2.
    let star = MeanField::of_bonds(&Topology::cayley_tree(9, 1).unwrap()).unwrap();
    assert!((star.largest_eigenvalue - 3.0).abs() < 1e-9);
    let all = MeanField::of_distances(&Topology::complete(7).unwrap(), 0.0).unwrap();
    assert!((all.largest_eigenvalue - 6.0).abs() < 1e-9);
    let ring = MeanField::of_bonds(&Topology::ring(11).unwrap()).unwrap();
    assert!((ring.beta_c() - 0.5).abs() < 1e-9);
    // Trees of branching 3 and decaying couplings, as an independent program found them at depths 2 and 3.
    let tree = |depth: usize, a: f64| {
        MeanField::of_distances(&Topology::cayley_tree(4, depth).unwrap(), a).unwrap().beta_c()
    };
    for (a, shallow, deep) in
        [(0.4, 0.179, 0.034), (0.8, 0.407, 0.180), (1.2, 0.789, 0.481), (1.6, 1.387, 0.972)]
    {
        assert!((tree(2, a) - shallow).abs() < 6e-4, "{a}: {}", tree(2, a));
        if a < 1.0 {
            assert!((tree(5, a) - deep).abs() < 6e-4, "{a}: {}", tree(5, a));
        }
    }
    // One exponential through decays on both sides of ½ ln 3 misses by more than half.
    let points: Vec<(f64, f64)> = [0.2, 0.4, 0.8, 1.2, 1.6].map(|a| (a, tree(5, a))).into();
    let (slope, worst) = exponential_fit(&points).unwrap();
    assert!(slope > 2.0 && worst > 0.4, "{slope} {worst}");
    let two_parts = Topology::from_bonds(4, &[(0, 1), (2, 3)]).unwrap();
    assert!(MeanField::of_distances(&two_parts, 0.5).is_err());
    assert!(MeanField::of_bonds(&Topology::cayley_tree(3, 0).unwrap()).is_err());
}
