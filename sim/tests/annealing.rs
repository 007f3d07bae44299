//! Cached fields against their naive twin and against enumeration; annealing against brute force.

use std::ops::ControlFlow;

use ceas_sim::anneal::{Answer, Effort, Method, Range, Settings, anneal};
use ceas_sim::beta::Beta;
use ceas_sim::couplings::{CouplingRows, Real};
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::instance::{Format, Instance, Objective};
use ceas_sim::kernel::threshold;
use ceas_sim::plan::Plan;
use ceas_sim::run::Run;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{CachedField, CachedSpins, Update};

fn stream(replica: u64) -> Stream {
    Stream::new(0, Purpose::Test, replica, 0)
}

/// Random couplings and fields: small whole numbers, or normal ones.
fn glass(topology: Topology, whole: bool, seed: u64) -> Hamiltonian {
    let mut stream = stream(seed);
    let mut value = || if whole { stream.below(7) as f64 - 3.0 } else { stream.normal() };
    let j = (0..topology.n_bonds()).map(|_| value()).collect();
    let h = (0..topology.n_sites()).map(|_| value()).collect();
    Hamiltonian::new(topology, Couplings::PerBond(j), Field::PerSite(h)).unwrap()
}

/// What draws in a sweep.
#[derive(Clone, Copy, PartialEq)]
enum Drawing {
    /// Every attempt.
    All,
    /// Attempts that cost energy, unless e^(−βΔE) < 2⁻³³.
    Costly,
    /// Every attempt, from a generator that the stream seeds for this sweep.
    Seeded,
}

impl Drawing {
    fn of<T: Real>(rows: &CouplingRows<T>) -> Self {
        match (rows.is_dense(), rows.keeps_fields()) {
            (true, _) => Self::All,
            (false, true) => Self::Costly,
            (false, false) => Self::Seeded,
        }
    }
}

/// The finaliser of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The naive twin: energies through the Hamiltonian, an exponential for every draw.
fn naive_sweep(model: &Hamiltonian, spins: &mut Spins, beta: f64, (stream, drawing): (&mut Stream, Drawing)) {
    let mut seeded;
    let stream = match drawing {
        Drawing::Seeded => {
            seeded = Stream::at([0; 4].map(|_: u64| mix(stream.next_u64())), None).unwrap();
            &mut seeded
        }
        _ => stream,
    };
    for site in 0..model.n_sites() {
        let x = beta * model.delta_e(spins, site);
        let draws = drawing != Drawing::Costly || (x > 0.0 && x <= 22.9);
        let draw = if draws { stream.next_u32() } else { u32::MAX };
        if x <= 0.0 || u64::from(draw) < threshold((-x).exp()) {
            spins.flip(site);
        }
    }
}

fn follows_its_twin<T: Real>(model: &Hamiltonian, replicas: usize) {
    let rows = CouplingRows::<T>::new(model).unwrap();
    assert!(rows.is_exact());
    let n = model.n_sites();
    let starts: Vec<Spins> = (0..replicas).map(|r| Spins::random(n, &mut stream(r as u64))).collect();
    let mut states: Vec<_> = starts.iter().map(|spins| CachedSpins::new(&rows, spins)).collect();
    let mut streams = Streams::new(5, Purpose::Update, 0, replicas);
    let mut twins: Vec<_> = starts
        .into_iter()
        .enumerate()
        .map(|(r, s)| (s, Stream::new(5, Purpose::Update, 0, r as u64)))
        .collect();
    let mut update = CachedField::<T>::new();
    for t in 0..40 {
        // Halves and quarters, so that βΔE is exact too.
        let beta = Beta::new(0.25 * f64::from(t % 8)).unwrap();
        update.sweep(&rows, &mut states, beta, &mut streams);
        for (state, (spins, stream)) in states.iter().zip(&mut twins) {
            naive_sweep(model, spins, beta.value(), (stream, Drawing::of(&rows)));
            assert_eq!(&state.spins(), spins, "sweep {t}");
            assert_eq!(state.energy(), model.energy(spins), "sweep {t}");
        }
    }
}

#[test]
fn cached_fields_follow_the_naive_twin_bit_for_bit() {
    for n in [2, 3, 31, 32, 33, 100, 150] {
        let dense = glass(Topology::complete(n).unwrap(), true, n as u64);
        follows_its_twin::<f32>(&dense, 3);
        // More than fill the lanes once, and not a multiple.
        follows_its_twin::<f64>(&dense, if n < 100 { 3 } else { 19 });
    }
    // Groups of 32 and 16, of 32 and one, and one alone.
    let dense = glass(Topology::complete(75).unwrap(), true, 5);
    for replicas in [1, 33, 35] {
        follows_its_twin::<f32>(&dense, replicas);
    }
    for model in [
        glass(Topology::square(2).unwrap(), true, 1),
        glass(Topology::square(9).unwrap(), true, 2),
        glass(Topology::random_regular(200, 5, &mut stream(3)).unwrap(), true, 3),
        glass(Topology::from_bonds(6, &[(0, 3)]).unwrap(), true, 4),
    ] {
        // One by one, in lanes that are not filled, and filled.
        for replicas in [2, 5, 33] {
            follows_its_twin::<f32>(&model, replicas);
            follows_its_twin::<f64>(&model, replicas);
        }
    }
    // So many bonds that fields are kept, and so few that rows are lists.
    let many = glass(Topology::random_regular(600, 66, &mut stream(3)).unwrap(), true, 7);
    let rows = CouplingRows::<f32>::new(&many).unwrap();
    assert!(rows.keeps_fields() && !rows.is_dense());
    follows_its_twin::<f32>(&many, 2);
    follows_its_twin::<f64>(&many, 2);
}

#[test]
fn a_replica_does_the_same_alone_as_in_company() {
    alone_as_in_company(Topology::complete(75).unwrap(), 0.05);
    alone_as_in_company(Topology::random_regular(75, 4, &mut stream(8)).unwrap(), 0.5);
}

fn alone_as_in_company(topology: Topology, beta: f64) {
    let model = glass(topology, false, 6);
    let rows = CouplingRows::<f32>::new(&model).unwrap();
    assert!(!rows.is_exact());
    let starts: Vec<_> =
        (0..35).map(|r| CachedSpins::new(&rows, &Spins::random(75, &mut stream(r)))).collect();
    let beta = Beta::new(beta).unwrap();
    let swept = |mut states: Vec<_>, mut streams: Streams| {
        let mut update = CachedField::new();
        for _ in 0..20 {
            update.sweep(&rows, &mut states, beta, &mut streams);
        }
        states
    };
    let together = swept(starts.clone(), Streams::new(5, Purpose::Update, 0, 35));
    for (r, start) in starts.into_iter().enumerate() {
        let stream = Stream::new(5, Purpose::Update, 0, r as u64);
        let alone = swept(vec![start], Streams::from_blocks(vec![stream]).unwrap());
        assert_eq!(alone[0], together[r], "replica {r}: spins, fields and energy to the last bit");
    }
    assert_ne!(together[0], together[1]);
}

#[test]
fn sums_that_round_are_summed_anew_and_stay_close() {
    let model = glass(Topology::complete(100).unwrap(), false, 1);
    let rows = CouplingRows::<f32>::new(&model).unwrap();
    assert!(rows.is_dense() && !rows.is_exact());
    let mut states = vec![CachedSpins::new(&rows, &Spins::random(100, &mut stream(1)))];
    let mut streams = Streams::new(5, Purpose::Update, 0, 1);
    let mut update = CachedField::new();
    for _ in 0..1_000 {
        update.sweep(&rows, &mut states, Beta::new(0.05).unwrap(), &mut streams);
        let exact = model.energy(&states[0].spins());
        // Σ|J| + Σ|h| is about 4000, of which 128 sweeps of roundings are 1e-6.
        assert!((states[0].energy() - exact).abs() < 4e-3, "{} against {exact}", states[0].energy());
    }
}

/// ⟨H⟩ by enumeration.
fn exact_energy(model: &Hamiltonian, beta: f64) -> f64 {
    let n = model.n_sites();
    let energies: Vec<f64> = (0..1u32 << n).map(|bits| model.energy(&spins(bits, n))).collect();
    let ground = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = energies.iter().map(|e| (-beta * (e - ground)).exp()).collect();
    energies.iter().zip(&weights).map(|(e, w)| e * w).sum::<f64>() / weights.iter().sum::<f64>()
}

fn spins(bits: u32, n: usize) -> Spins {
    Spins::from_values((0..n).map(|i| if bits >> i & 1 == 1 { 1 } else { -1 }).collect()).unwrap()
}

/// Student's t of the mean energy of 64 independent replicas against a reference.
fn t_of_energy(model: &Hamiltonian, beta: f64, expected: f64) -> f64 {
    let rows = CouplingRows::<f32>::new(model).unwrap();
    let replicas = 64;
    let start = |r| CachedSpins::new(&rows, &Spins::random(model.n_sites(), &mut stream(100 + r)));
    let states = (0..replicas as u64).map(start).collect();
    let schedule = Schedule::Constant(Beta::new(beta).unwrap());
    let streams = Streams::new(9, Purpose::Update, 0, replicas);
    let mut run = Run::new(&rows, states, CachedField::new(), schedule, streams);
    let mut sums = vec![0.0; replicas];
    let plan = Plan { thermalization: 200, sweeps: 4_000, every: 1 };
    run.drive(&plan, |run| {
        run.state().iter().zip(&mut sums).for_each(|(state, sum)| *sum += state.energy());
        ControlFlow::Continue(())
    });
    let means: Vec<f64> = sums.iter().map(|sum| sum / plan.sweeps as f64).collect();
    let n = replicas as f64;
    let mean = means.iter().sum::<f64>() / n;
    let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean - expected) / (variance / n).sqrt()
}

#[test]
fn mean_energies_are_exact_and_a_wrong_beta_is_seen() {
    // Four of the at most 200 checks of the family budget: |t| < 6.8 with 63 degrees of freedom.
    for model in
        [glass(Topology::complete(9).unwrap(), false, 11), glass(Topology::square(3).unwrap(), false, 12)]
    {
        let beta = 0.4;
        let t = t_of_energy(&model, beta, exact_energy(&model, beta));
        assert!(t.abs() < 6.8, "t = {t}");
        // The power twin: the same check at a β 5 % off must fail.
        let t = t_of_energy(&model, beta, exact_energy(&model, 0.95 * beta));
        assert!(t.abs() > 6.8, "t = {t}");
    }
}

fn solve(instance: &Instance, sweeps: u64, reads: u64) -> Answer {
    anneal(instance, &Settings::new(Effort::Counted { sweeps, reads }, 1), &|| false).unwrap()
}

/// The best value over all configurations.
fn brute_force(instance: &Instance) -> f64 {
    let values = (0..1u32 << instance.n()).map(|bits| instance.value(&spins(bits, instance.n())).to_f64());
    if instance.objective().maximizes() {
        values.fold(f64::NEG_INFINITY, f64::max)
    } else {
        values.fold(f64::INFINITY, f64::min)
    }
}

#[test]
fn small_instances_are_solved_whatever_their_weights() {
    let mut stream = stream(1);
    for (number, scale) in [1.0, 1e5, 1e-7, 1e250, 1e-250].into_iter().enumerate() {
        for format in [Format::Rudy, Format::Sparse, Format::Coo, Format::Edges] {
            for whole in [true, false] {
                let n = 3 + stream.below(9) as usize;
                let base = usize::from(matches!(format, Format::Rudy | Format::Sparse));
                let diagonal = matches!(format, Format::Sparse | Format::Coo);
                let mut entries = Vec::new();
                for i in 0..n {
                    for j in (if diagonal { i } else { i + 1 })..n {
                        let weight = if whole { stream.below(9) as f64 - 4.0 } else { stream.normal() };
                        if stream.below(3) > 0 {
                            entries.push(format!("{} {} {:e}\n", i + base, j + base, weight * scale));
                        }
                    }
                }
                let head = match format {
                    Format::Coo => "# vartype=BINARY\n".to_owned() + &format!("{0} {0} 0\n", n - 1),
                    Format::Edges => format!("# sites {n}\n"),
                    _ => format!("{n} {}\n", entries.len()),
                };
                entries.retain(|entry| {
                    !(format == Format::Coo && entry.starts_with(&format!("{0} {0} ", n - 1)))
                });
                let instance = Instance::parse(&(head + &entries.concat()), format, None).unwrap();
                let best = brute_force(&instance);
                let answer = solve(&instance, 200, 20);
                let close = (answer.best.to_f64() - best).abs() <= 1e-12 * best.abs();
                assert!(close, "{format}, scale number {number}: {} instead of {best}", answer.best);
                assert_eq!(instance.value(&answer.found[0].spins), answer.best);
                assert!(answer.hits >= 1 && answer.reads == 20);
            }
        }
    }
}

#[test]
fn planted_ground_states_are_found() {
    // A gauge-transformed ferromagnet: no frustration, so that the ground energy is −Σ|J|.
    let n = 200;
    let planted = Spins::random(n, &mut stream(2));
    let topology = Topology::random_regular(n, 4, &mut stream(3)).unwrap();
    let mut text = format!("# sites {n}\n");
    for (a, b) in topology.bonds() {
        text += &format!("{a} {b} {}\n", 1e5 * f64::from(planted.get(a) * planted.get(b)));
    }
    let instance = Instance::parse(&text, Format::Edges, None).unwrap();
    let answer = solve(&instance, 300, 16);
    assert_eq!(answer.best.to_f64(), -1e5 * topology.n_bonds() as f64);
    // The state and its mirror image are one.
    assert_eq!(answer.found.iter().filter(|found| found.value == answer.best).count(), 1);
    assert_eq!(answer.best_energy, answer.best.to_f64());
}

#[test]
fn a_bipartite_graph_is_cut_entirely() {
    let topology = Topology::square(8).unwrap();
    let mut text = format!("64 {}\n", topology.n_bonds());
    for (a, b) in topology.bonds() {
        text += &format!("{} {} 1\n", a + 1, b + 1);
    }
    let answer = solve(&Instance::parse(&text, Format::Rudy, None).unwrap(), 400, 16);
    assert_eq!(answer.best.to_f64(), 128.0);
}

/// Everything but the clock.
fn timeless(mut answer: Answer) -> Answer {
    (answer.seconds, answer.setting_up) = (0.0, 0.0);
    answer.time_to_solution = None;
    answer
}

#[test]
fn one_thread_equals_many() {
    let dense = Instance::of(&glass(Topology::complete(80).unwrap(), false, 5));
    let sparse = Instance::of(&glass(Topology::square(10).unwrap(), false, 6));
    let whole = Instance::of(&glass(Topology::square(6).unwrap(), true, 7));
    for (instance, reads, method) in [
        (&dense, 21, Method::Annealing),
        (&sparse, 21, Method::Annealing),
        (&whole, 600, Method::Annealing),
        (&dense, 3, Method::Tempering),
        (&sparse, 3, Method::ClusterTempering),
    ] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let settings = Settings::new(Effort::Counted { sweeps: 60, reads }, 1).by(method);
            timeless(pool.install(|| anneal(instance, &settings, &|| false).unwrap()))
        };
        let alone = run(1);
        assert_eq!(alone.reads, reads);
        assert_eq!(run(2), alone);
        assert_eq!(run(5), alone);
    }
}

#[test]
fn reads_are_independent() {
    // A glass of 400 spins cooled badly: reads that shared a stream would end alike.
    let instance = Instance::of(&glass(Topology::complete(100).unwrap(), false, 7));
    let answer = solve(&instance, 2, 32);
    let mut values: Vec<f64> = answer.values.iter().map(|value| value.to_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    assert!(values.len() > 28, "{} distinct values in 32 reads", values.len());
}

#[test]
fn instances_without_any_coupling_are_no_trouble() {
    let free = Instance::parse("3 0\n", Format::Rudy, None).unwrap();
    assert_eq!(solve(&free, 10, 4).best.to_f64(), 0.0);
    let zero = Instance::parse("3 1\n1 2 0\n", Format::Rudy, None).unwrap();
    assert_eq!(solve(&zero, 10, 4).best.to_f64(), 0.0);
    let one = Instance::parse("# vartype=BINARY\n0 0 -3\n", Format::Coo, None).unwrap();
    assert_eq!(solve(&one, 1, 1).best.to_f64(), -3.0);
    assert_eq!(one.objective(), Objective::Qubo);
}

#[test]
fn a_search_can_be_broken_off_and_limited_in_time() {
    let instance = Instance::of(&glass(Topology::square(10).unwrap(), true, 8));
    let settings = Settings::new(Effort::Counted { sweeps: 1_000, reads: 4 }, 1);
    let answer = anneal(&instance, &settings, &|| true).unwrap();
    assert_eq!((answer.reads, answer.broken_off), (0, 4));
    assert_eq!(instance.value(&answer.found[0].spins), answer.best);
    let limit = std::time::Duration::from_millis(200);
    let answer = anneal(&instance, &Settings::new(Effort::Timed(limit), 1), &|| false).unwrap();
    assert!(answer.reads + answer.broken_off > 0);
    assert_eq!(instance.value(&answer.found[0].spins), answer.best);
    let range = Some(Range { hot: 0.1, cold: 2.0 });
    let given = Settings { range, ..settings };
    assert_eq!(anneal(&instance, &given, &|| false).unwrap().range, Range { hot: 0.1, cold: 2.0 });
}
