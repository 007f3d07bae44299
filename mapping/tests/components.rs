//! Every translation run on spins and set beside its dense reference.
//!
//! Means are over 64 replicas, so that (mean − exact)/error is a t of 63 degrees of freedom: |t| > 7.2 has a probability of 9e-10. There are fewer than
//! 300 outputs in this file, so that a run of it fails by chance with a probability below 3e-7. Every law has a twin that must fail.

use std::num::NonZeroU32;

use ceas_mapping::attention::SoftmaxRow;
use ceas_mapping::attention::boltzmann::{BoltzmannRow, Synchronised};
use ceas_mapping::attention::hopfield::{Hopfield, HopfieldGibbs, VisibleHidden};
use ceas_mapping::attention::memory::{MemoryBits, MemoryRow};
use ceas_mapping::embedding::{FieldMode, SpinWords};
use ceas_mapping::encoding::domain_wall::DomainWallRow;
use ceas_mapping::encoding::tree::TreeRow;
use ceas_mapping::energy_transformer::{EnergyBlock, EnergyNorm, Factored};
use ceas_mapping::feed_forward::{Activation, Gates, Glu};
use ceas_mapping::norm::Norm;
use ceas_mapping::one_hot::{OneHotRow, Penalty};
use ceas_mapping::pbits::{Asynchronous, Noise, PBits};
use ceas_mapping::position::{Flow, PositionRow};
use ceas_mapping::program::{Component, Decoder, Fidelity, Outcome, Program, Reading};
use ceas_sim::Beta;
use ceas_sim::exact::enumeration;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::potts::PottsSpin;
use ceas_sim::schedule::Schedule;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream};
use ceas_sim::topology::Topology;
use ndarray::{Array1, Array2, Array3, array};

const BOUND: f64 = 7.2;

fn beta(b: f64) -> Beta {
    Beta::new(b).unwrap()
}

fn reading(reads: u32, thermalization: u64) -> Reading {
    let reads = NonZeroU32::new(reads).unwrap();
    Reading { thermalization, every: 1, reads, replicas: 64, seed: 1 }
}

fn outcome<C: Component>(component: &C, input: &C::Input, reads: u32, thermalization: u64) -> Outcome {
    component.lower(input).unwrap().run(&reading(reads, thermalization)).unwrap()
}

/// The component agrees with its own reference, and would not with that of `wrong`.
fn checked<C: Component>(
    name: &str,
    component: &C,
    wrong: &C,
    input: &C::Input,
    reads: u32,
    thermalization: u64,
) {
    let outcome = outcome(component, input, reads, thermalization);
    let right = outcome.worst(&component.reference(input).unwrap());
    assert!(right < BOUND, "{name} is off by {right} σ");
    let twin = outcome.worst(&wrong.reference(input).unwrap());
    assert!(twin > BOUND, "{name}: a wrong reference goes unnoticed, {twin} σ");
}

fn random(rows: usize, columns: usize, scale: f64, stream: &mut Stream) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |_| scale * stream.normal())
}

fn row() -> PottsSpin {
    PottsSpin::new(&[0.3, -1.0, 2.0, f64::NEG_INFINITY, 0.9, 1.4]).unwrap()
}

#[test]
fn an_attention_row_in_every_encoding() {
    let (b, hot) = (beta(0.7), beta(0.6));
    checked("Potts", &SoftmaxRow { beta: b }, &SoftmaxRow { beta: hot }, &row(), 1000, 0);
    checked("tree", &TreeRow { beta: b }, &TreeRow { beta: hot }, &row(), 1000, 0);
    for strength in [0.0, 1.5] {
        let one_hot = |beta| OneHotRow { beta, penalty: Penalty { strength } };
        checked("one-hot", &one_hot(b), &one_hot(hot), &row(), 3000, 100);
    }
    let wall = |beta| DomainWallRow { beta, stiffness: 1.0 };
    checked("domain wall", &wall(b), &wall(hot), &row(), 8000, 400);
    let strict = outcome(&SoftmaxRow { beta: b }, &row(), 10, 0);
    assert_eq!(strict.valid.mean, 1.0);
}

#[test]
fn keys_as_couplings_and_the_query_as_clamps() {
    let mut stream = Stream::new(0, Purpose::Instance, 0, 0);
    let memory =
        |beta| MemoryRow { keys: random(6, 4, 1.0, &mut Stream::new(0, Purpose::Instance, 1, 0)), beta };
    let query: Vec<f64> = (0..4).map(|_| stream.normal()).collect();
    checked("memory", &memory(beta(0.6)), &memory(beta(0.5)), &query, 1000, 0);
    let bits = |beta| MemoryBits { memory: memory(beta), words: SpinWords::reaching(3.0, 4) };
    checked("memory in bits", &bits(beta(0.6)), &bits(beta(0.5)), &query, 3000, 20);
}

#[test]
fn activations_are_means_of_bits() {
    let x = [-2.5, -1.0, -0.3, 0.2, 0.8, 1.7];
    let cases = [Activation::Silu, Activation::Gelu, Activation::Tanh];
    for (activation, wrong) in cases.into_iter().zip([Activation::Gelu, Activation::Silu, Activation::Silu]) {
        let gates = |activation| Gates { activation };
        checked("activation", &gates(activation), &gates(wrong), &x, 2000, 0);
    }
    // 4.7e-4 from GELU: no twin can tell them apart here.
    let tanh_gelu = Gates { activation: Activation::GeluTanh };
    assert!(outcome(&tanh_gelu, &x, 2000, 0).worst(&tanh_gelu.reference(&x).unwrap()) < BOUND);
    let swiglu = |activation| Glu { activation };
    let input = (x.to_vec(), vec![1.0, -2.0, 0.5, 3.0, -1.5, 0.7]);
    checked("GLU", &swiglu(Activation::Silu), &swiglu(Activation::Gelu), &input, 2000, 0);
    let relu = Gates { activation: Activation::Relu };
    assert_eq!(outcome(&relu, &x, 10, 0).worst(&relu.reference(&x).unwrap()), 0.0);
}

#[test]
fn a_surrogate_is_off_by_what_its_bound_says() {
    let x = [2.27];
    let gates = Gates { activation: Activation::Surrogate { b: Activation::SIGMOID_GELU } };
    let program = gates.lower(&x).unwrap();
    let Fidelity::Controlled { bound } = program.fidelity else { panic!("a surrogate has a bound") };
    let outcome = program.run(&reading(20_000, 0)).unwrap();
    let bias = outcome.mean[0].mean - gates.reference(&x).unwrap()[0];
    assert!((bias.abs() - bound).abs() < BOUND * outcome.mean[0].error, "{bias} against {bound}");
    assert!(outcome.worst(&gates.reference(&x).unwrap()) > BOUND, "the bias goes unnoticed");
}

#[test]
fn the_variance_of_a_gate_is_x_squared_p_1_minus_p() {
    for activation in [Activation::Silu, Activation::Gelu, Activation::Tanh] {
        let x = 0.8;
        let outcome = outcome(&Gates { activation }, &[x], 500, 0);
        // Of 64 independent means the variance has a relative standard error of √(2/63).
        let ratio = 64.0 * outcome.mean[0].error.powi(2) * 500.0 / activation.variance(x);
        assert!((ratio - 1.0).abs() < 6.0 * (2f64 / 63.0).sqrt(), "{ratio}");
    }
}

#[test]
fn a_norm_is_the_magnetisation_of_a_spherical_spin() {
    let x = [0.3, -1.2, 2.0, 0.1, 0.8, -0.4, 1.5, -0.9];
    for centred in [true, false] {
        let warm = Norm { centred, temperature: 0.3 };
        let program = warm.lower(&x).unwrap();
        let outcome = program.run(&reading(3000, 5)).unwrap();
        assert!(outcome.worst(&program.model.mean()) < BOUND);
        assert!(outcome.worst(&warm.reference(&x).unwrap()) > BOUND, "the shrink at T > 0 goes unnoticed");
        let Fidelity::Controlled { bound } = program.fidelity else { panic!("at T > 0 there is a bound") };
        let exact = warm.reference(&x).unwrap();
        let off = program.model.mean().iter().zip(&exact).map(|(m, e)| (m - e).abs()).fold(0.0, f64::max);
        assert!(off <= bound && off > 0.1 * bound, "{off} {bound}");
        let cold = Norm { centred, temperature: 0.0 };
        assert_eq!(cold.lower(&x).unwrap().run(&reading(3, 0)).unwrap().worst(&exact), 0.0);
    }
}

#[test]
fn positions_and_embeddings_as_fields() {
    let keys: Vec<i64> = (0..8).collect();
    let row = |slope| PositionRow {
        flow: Flow::Hyperbolic { rapidity: 0.5 },
        slope,
        curvature: 1.0,
        keys: keys.clone(),
        beta: beta(1.0),
    };
    checked("ALiBi", &row(0.8), &row(0.9), &5, 3000, 0);
    let x = [0.4, -1.3, 0.0, 2.0];
    checked("field", &FieldMode { beta: beta(0.5) }, &FieldMode { beta: beta(0.6) }, &x, 2000, 0);
    let words = SpinWords::reaching(2.0, 6);
    let read = outcome(&words, &x, 2, 0);
    let off = read.mean.iter().zip(&x).map(|(m, x)| (m.mean - x).abs()).fold(0.0, f64::max);
    assert!(off <= 0.5 * words.step * (1.0 + 1e-12) && off > 0.0, "{off}");
    assert_eq!(read.activity.attempts, 0, "clamped words do not move");
}

#[test]
fn a_step_of_the_hopfield_twin_is_the_hopfield_update() {
    let net = |b| Hopfield {
        patterns: random(5, 3, 1.0, &mut Stream::new(0, Purpose::Instance, 2, 0)),
        beta: beta(b),
    };
    checked("Hopfield", &net(1.5), &net(0.8), &[0.5, -0.2, 1.0], 3000, 0);
    // The free machine is in pattern j with the weight e^(β|x_j|²/2).
    struct Hidden(usize);
    impl Decoder for Hidden {
        type State = VisibleHidden;
        fn width(&self) -> usize {
            self.0
        }
        fn read(&self, state: &VisibleHidden, sum: &mut [f64]) -> bool {
            sum[state.hidden] += 1.0;
            true
        }
    }
    let model = net(0.7);
    let program = Program {
        clamps: Vec::new(),
        start: VisibleHidden { visible: vec![0.0; 3], hidden: 0 },
        update: HopfieldGibbs::free(),
        schedule: Schedule::Constant(model.beta),
        decoder: Hidden(5),
        fidelity: Fidelity::ExactInLaw,
        model,
    };
    let outcome = program.run(&reading(4000, 200)).unwrap();
    let exact = program.model.pattern_weights().unwrap();
    assert!(outcome.worst(&exact) < BOUND, "{} σ", outcome.worst(&exact));
    assert!(outcome.worst(&[0.2; 5]) > BOUND, "equal weights go unnoticed");
}

#[test]
fn choices_that_feel_each_other() {
    let mut stream = Stream::new(0, Purpose::Instance, 3, 0);
    let scores: Vec<f64> = (0..8).map(|_| stream.normal()).collect();
    let half = random(8, 8, 0.6, &mut stream);
    let couplings = &half + &half.t();
    let row = |couplings| BoltzmannRow { couplings, beta: beta(0.8) };
    checked("Boltzmann attention", &row(couplings), &row(Array2::zeros((8, 8))), &scores, 3000, 100);
    let scores = random(3, 4, 1.0, &mut stream);
    let synchronised = |j: f64| Synchronised {
        couplings: Array2::from_shape_fn((3, 3), |(a, b)| if a == b { 0.0 } else { j }),
        beta: beta(0.7),
    };
    checked("synchronised queries", &synchronised(1.0), &synchronised(0.0), &scores, 3000, 100);
}

#[test]
fn masked_tokens_are_resampled_from_their_joint_law() {
    let mut stream = Stream::new(0, Purpose::Instance, 4, 0);
    let (a, u) = (random(5, 5, 0.5, &mut stream), random(3, 3, 1.0, &mut stream));
    let factored = |b| Factored { attention: &a + &a.t(), values: &u + &u.t(), beta: beta(b) };
    let tokens = [Some(1), None, Some(0), None, None];
    checked("factored", &factored(0.6), &factored(0.4), &tokens, 4000, 100);
}

#[test]
fn the_force_of_a_block_is_two_thermal_averages() {
    let mut stream = Stream::new(0, Purpose::Instance, 5, 0);
    let tensor = |stream: &mut Stream| Array3::from_shape_fn((2, 3, 4), |_| 0.5 * stream.normal());
    let block = EnergyBlock {
        query: tensor(&mut stream),
        key: tensor(&mut stream),
        memories: random(6, 4, 0.3, &mut stream),
        beta: beta(1.0),
        to_itself: false,
        norm: EnergyNorm { gain: 1.0, shift: Array1::zeros(4), epsilon: 1e-5 },
    };
    let g = block.norm.apply(&random(4, 4, 1.0, &mut stream));
    let hot = EnergyBlock { beta: beta(0.7), ..block.clone() };
    checked("energy transformer", &block, &hot, &g, 2000, 0);
}

/// Four bits, frustrated, in fields.
fn frustrated() -> Hamiltonian {
    let bonds = [(0, 1), (1, 2), (2, 3), (0, 3), (0, 2)];
    let couplings = Couplings::PerBond(vec![1.0, -0.7, 0.5, -0.9, 0.8]);
    let field = Field::PerSite(vec![0.3, -0.2, 0.5, 0.1]);
    Hamiltonian::new(Topology::from_bonds(4, &bonds).unwrap(), couplings, field).unwrap()
}

fn magnetisations(model: &Hamiltonian, b: f64) -> Vec<f64> {
    let (mut z, mut sum) = (0.0, vec![0.0; model.n_sites()]);
    enumeration::visit(model, |spins, energy| {
        let weight = (-b * energy).exp();
        z += weight;
        sum.iter_mut().zip(spins.as_slice()).for_each(|(sum, &s)| *sum += weight * f64::from(s));
    })
    .unwrap();
    sum.into_iter().map(|sum| sum / z).collect()
}

fn run_bits<U>(update: U) -> Outcome
where
    U: ceas_sim::update::Update<Model = Hamiltonian, State = Spins> + Clone + Send + Sync,
{
    let program = Program {
        model: frustrated(),
        clamps: Vec::new(),
        start: Spins::up(4),
        update,
        schedule: Schedule::Constant(beta(0.8)),
        decoder: ceas_mapping::embedding::Magnetization { spins: 4 },
        fidelity: Fidelity::ExactInLaw,
    };
    program.run(&reading(6000, 50)).unwrap()
}

#[test]
fn only_a_logistic_comparator_without_latency_keeps_the_law() {
    let exact = magnetisations(&frustrated(), 0.8);
    assert!(run_bits(PBits::new(Noise::Logistic)).worst(&exact) < BOUND);
    assert!(run_bits(Asynchronous::new(Noise::Logistic, 0.0)).worst(&exact) < BOUND);
    for wrong in [
        run_bits(PBits::new(Noise::Gaussian { scale: 1.0 })),
        run_bits(PBits::new(Noise::Logistic).holding(4, [0])),
    ] {
        assert!(wrong.worst(&exact) > BOUND, "{}", wrong.worst(&exact));
    }
    let late = run_bits(Asynchronous::new(Noise::Logistic, 1.0));
    assert!(late.worst(&exact) > BOUND, "{}", late.worst(&exact));
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    let spin = PottsSpin::new(&[0.0]).unwrap();
    let wall = DomainWallRow { beta: beta(1.0), stiffness: 1.0 };
    assert!(wall.lower(&spin).unwrap_err().to_string().contains("two states"));
    let memory = MemoryRow { keys: array![[1.0, 2.0]], beta: beta(1.0) };
    assert!(memory.lower(&[1.0]).unwrap_err().to_string().contains("column of K"));
    let words = SpinWords { bits: 0, step: 1.0 };
    assert!(words.lower(&[1.0]).unwrap_err().to_string().contains("1 to 24 bits"));
    let norm = Norm { centred: true, temperature: 0.0 };
    assert!(norm.lower(&[2.0, 2.0]).unwrap_err().to_string().contains("temperature"));
    let lopsided = Synchronised { couplings: array![[0.0, 1.0], [2.0, 0.0]], beta: beta(1.0) };
    assert!(lopsided.lower(&array![[0.0, 1.0], [1.0, 0.0]]).unwrap_err().to_string().contains("symmetric"));
    let many = Reading { reads: NonZeroU32::MAX, every: u64::MAX, ..reading(1, 0) };
    assert!(SoftmaxRow { beta: beta(1.0) }.lower(&row()).unwrap().run(&many).is_err());
}
