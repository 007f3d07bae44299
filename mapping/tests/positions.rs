//! Möbius flows: identities to 1e-12, and what they become as attention.

use ceas_mapping::position::rotation::{boost, boosted_score, rotary, rotary_score};
use ceas_mapping::position::tiling::Tiling;
use ceas_mapping::position::{Flow, Point, PositionRow};
use ceas_mapping::program::Component;
use ceas_sim::Beta;
use ceas_sim::stream::{Purpose, Stream};

fn points(count: usize) -> Vec<Point> {
    let mut stream = Stream::new(0, Purpose::Instance, 88, 0);
    (0..count).map(|_| Point::polar(3.0 * stream.uniform(), 6.3 * stream.uniform()).unwrap()).collect()
}

#[test]
fn mobius_addition_is_a_motion() {
    let points = points(30);
    for &z in &points {
        for &w in &points {
            assert!(z.negated().plus(z.plus(w)).distance(w) < 1e-12, "left cancellation");
            // d = 2 artanh|(−z) ⊕ w|.
            let (x, y) = z.negated().plus(w).coordinates();
            assert!((2.0 * libm::atanh(libm::hypot(x, y)) - z.distance(w)).abs() < 1e-12);
            for &a in &points[..5] {
                assert!((a.plus(z).distance(a.plus(w)) - z.distance(w)).abs() < 1e-11);
            }
        }
    }
    let (z, w) = (points[0], points[1]);
    assert!(z.plus(w).distance(w.plus(z)) > 1e-3, "it does not commute");
}

#[test]
fn distances_along_the_three_flows_are_closed_forms() {
    for t in (0..200).step_by(7) {
        for u in (0..200).step_by(11) {
            let apart = f64::from(t - u).abs();
            for (flow, exact) in [
                (Flow::Hyperbolic { rapidity: 0.05 }, 0.05 * apart),
                (Flow::Parabolic { rate: 0.3 }, libm::acosh(1.0 + 0.045 * apart * apart)),
                (
                    Flow::Elliptic { angle: 0.1, radius: 1.4 },
                    2.0 * libm::asinh(libm::sinh(1.4) * libm::sin(0.05 * apart).abs()),
                ),
            ] {
                let (a, b) = (flow.orbit(f64::from(t)).unwrap(), flow.orbit(f64::from(u)).unwrap());
                assert!((flow.distance(apart) - exact).abs() < 1e-12, "{flow:?} {apart}");
                // Coordinates lose what 1 − |z| loses: 1e-16 e^(ℓt) relative.
                assert!((a.distance(b) - exact).abs() < 2e-11, "{flow:?} {t} {u}");
            }
        }
    }
}

#[test]
fn rapidities_do_not_saturate_where_coordinates_do() {
    let flow = Flow::Hyperbolic { rapidity: 1.0 };
    assert!(flow.orbit(34.0).is_some() && flow.orbit(40.0).is_none());
    assert_eq!(flow.distance(1e6), 1e6);
    // Near the rim a coordinate is all rounding: neighbours at 35 are not at distance 1.
    let near_rim = flow.orbit(35.0).unwrap().distance(flow.orbit(36.0).unwrap());
    assert!((near_rim - 1.0).abs() > 1e-3, "{near_rim}");
}

fn row(flow: Flow, slope: f64, curvature: f64) -> PositionRow {
    PositionRow { flow, slope, curvature, keys: (0..64).collect(), beta: Beta::new(1.0).unwrap() }
}

#[test]
fn the_hyperbolic_field_is_alibi_and_the_parabolic_one_a_power_law() {
    let alibi = row(Flow::Hyperbolic { rapidity: 0.25 }, 0.5, 1.0).reference(&40).unwrap();
    let weights: Vec<f64> = (0..64).map(|j: i64| (-0.125 * (40 - j).abs() as f64).exp()).collect();
    let z: f64 = weights.iter().sum();
    assert!(alibi.iter().zip(&weights).all(|(p, w)| (p - w / z).abs() < 1e-14));
    // e^(−m d) = ((√(1 + x²) + x)²)^(−m), x = aΔ/2, which is (aΔ)^(−2m) far out.
    let power = row(Flow::Parabolic { rate: 2.0 }, 0.75, 1.0);
    let ratio = |far: i64| (power.fields(far)[0]).exp() / (2.0 * far as f64).powf(-1.5);
    assert!((ratio(100_000) - 1.0).abs() < 1e-6, "{}", ratio(100_000));
    let elliptic = row(Flow::Elliptic { angle: std::f64::consts::TAU / 16.0, radius: 1.0 }, 1.0, 1.0);
    let fields = elliptic.fields(5);
    assert!((0..48).all(|j| (fields[j] - fields[j + 16]).abs() < 1e-12), "period 16");
}

#[test]
fn curvature_divides_distances_by_its_root() {
    let flat = row(Flow::Parabolic { rate: 1.0 }, 1.0, 1.0).fields(7);
    let curved = row(Flow::Parabolic { rate: 1.0 }, 1.0, 4.0).fields(7);
    assert!(flat.iter().zip(&curved).all(|(a, b)| (a / 2.0 - b).abs() < 1e-14));
    assert!(row(Flow::Parabolic { rate: 1.0 }, 1.0, 0.0).lower(&7).is_err());
}

#[test]
fn flows_turn_content() {
    let mut stream = Stream::new(0, Purpose::Instance, 89, 0);
    for _ in 0..20 {
        let mut draw = || (0..8).map(|_| stream.normal()).collect::<Vec<f64>>();
        let (q, k) = (draw(), draw());
        for (t, u) in [(0.0, 0.0), (3.0, 17.0), (1000.0, 1014.0)] {
            let (mut a, mut b) = (q.clone(), k.clone());
            rotary(&mut a, t, 1e4);
            rotary(&mut b, u, 1e4);
            let dot: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert!((dot - rotary_score(&q, &k, u - t, 1e4)).abs() < 1e-11, "{t} {u}");
            let (mut a, mut b) = (q.clone(), k.clone());
            boost(&mut a, t / 100.0, 0.2);
            boost(&mut b, u / 100.0, 0.2);
            let mut relative = k.clone();
            boost(&mut relative, (u - t) / 100.0, 0.2);
            let (both, one) = (boosted_score(&a, &b), boosted_score(&q, &relative));
            assert!((both - one).abs() < 1e-11 * (1.0 + one.abs()), "{both} {one}");
        }
    }
}

#[test]
fn a_tiling_closes() {
    for (p, q, layers) in [(5, 4, 4), (7, 3, 5), (3, 7, 4), (4, 5, 4), (6, 4, 3), (8, 3, 4)] {
        let tiling = Tiling::new(p, q, layers).unwrap();
        assert!(tiling.defect() < 1e-7, "{{{p}, {q}}}: {}", tiling.defect());
        // No two sites in one place: the closest are an edge apart, or the diagonal of a polygon.
        let points = tiling.points();
        for (i, &a) in points.iter().enumerate() {
            for &b in &points[..i] {
                assert!(a.distance(b) > 0.99 * tiling.edge().min(1.0), "{{{p}, {q}}}");
            }
        }
    }
    assert!(Tiling::new(4, 4, 2).is_err());
}
