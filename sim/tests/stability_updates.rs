//! Same seed, same bytes, for good: trajectories of the cluster, kinetic and composed updates are frozen. A changed value here belongs into
//! the CHANGELOG under *Streams*.

mod chains;

use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::ladder::Calibration;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{
    BetaGrid, HeatBath, Houdayer, Kinetic, Ladder, Pair, Rule, Rung, SwendsenWang, Synchronous, Tempering,
    Update, Wolff,
};
use chains::{beta, random_model, uniform};

/// 64-bit FNV-1a.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn hot(n: usize, replica: u64) -> Spins {
    Spins::random(n, &mut Stream::new(3, Purpose::Initial, replica, 0))
}

/// All configurations of 20 sweeps at β = 0.44, in which `spins` finds the spins.
fn trajectory<U: Update<Model = Hamiltonian>>(
    model: &Hamiltonian,
    mut update: U,
    mut state: U::State,
    spins: impl Fn(&U::State) -> Vec<&Spins>,
) -> u64 {
    let mut streams = Streams::new(3, Purpose::Update, 0, update.blocks());
    let mut bytes = Vec::new();
    for _ in 0..20 {
        update.sweep(model, &mut state, beta(0.44), &mut streams);
        bytes.extend(spins(&state).iter().flat_map(|spins| spins.as_slice()).map(|&s| s as u8));
    }
    hash(bytes.into_iter())
}

fn single(spins: &Spins) -> Vec<&Spins> {
    vec![spins]
}

fn ladder<S: Rung>(ladder: &Ladder<S>) -> Vec<&Spins> {
    ladder.rungs().iter().flat_map(Rung::copies).collect()
}

#[test]
fn trajectories_are_frozen() {
    let square = uniform(Topology::square(70).unwrap(), 1.0, 0.0);
    let in_field = uniform(Topology::square(12).unwrap(), 1.0, 0.02);
    let glass = random_model(Topology::ring(30).unwrap(), 40, true);
    let one = |model: &Hamiltonian| hot(model.n_sites(), 0);
    let grid = || BetaGrid::linear(beta(0.3), beta(0.44), 3).unwrap();
    let heat_bath = |model: &Hamiltonian| HeatBath::new(model).unwrap();
    let houdayer = Houdayer::new(&glass, heat_bath(&glass)).unwrap();
    let pair = |replica| Pair::new(hot(30, replica), hot(30, replica + 9)).unwrap();
    let wolff = |model: &Hamiltonian| trajectory(model, Wolff::new(model, 20).unwrap(), one(model), single);
    let sw = |model: &Hamiltonian| trajectory(model, SwendsenWang::new(model).unwrap(), one(model), single);
    let kinetic = |rule| trajectory(&glass, Kinetic::new(&glass, rule).unwrap(), one(&glass), single);
    let spins = Ladder::new((0..3).map(|r| hot(30, r)).collect()).unwrap();
    let pairs = Ladder::new((0..3).map(pair).collect()).unwrap();
    let got = [
        ("Wolff in a field", wolff(&in_field)),
        ("Wolff on a glass", wolff(&glass)),
        ("Swendsen-Wang", sw(&square)),
        ("Swendsen-Wang in a field", sw(&in_field)),
        ("Swendsen-Wang on a glass", sw(&glass)),
        ("kinetic Metropolis", kinetic(Rule::Metropolis)),
        ("kinetic heat bath", kinetic(Rule::HeatBath)),
        ("synchronous", trajectory(&glass, Synchronous::new(&glass).unwrap(), one(&glass), single)),
        ("Houdayer", trajectory(&glass, houdayer.clone(), pair(0), |pair| pair.both().iter().collect())),
        ("tempering", trajectory(&glass, Tempering::new(grid(), heat_bath(&glass)), spins, ladder)),
        ("tempering with Houdayer", trajectory(&glass, Tempering::new(grid(), houdayer), pairs, ladder)),
    ];
    for ((name, got), expected) in got.into_iter().zip(FROZEN) {
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn a_calibrated_ladder_is_frozen() {
    let model = uniform(Topology::square(8).unwrap(), 1.0, 0.0);
    let wanted = Calibration { hottest: beta(0.1), coldest: beta(0.9), rungs: None, sweeps: 20, seed: 3 };
    let found = wanted.run(&model, &HeatBath::new(&model).unwrap()).unwrap();
    let bytes = found.grid.betas().iter().flat_map(|b| b.value().to_bits().to_le_bytes());
    assert_eq!(hash(bytes), LADDER);
}

const FROZEN: [u64; 11] = [
    16_417_946_325_912_736_793,
    8_578_729_261_619_138_159,
    1_707_282_278_504_497_955,
    3_395_019_842_571_867_937,
    12_521_274_176_829_026_835,
    9_917_254_169_521_209_825,
    4_254_732_337_383_585_399,
    5_754_637_306_900_184_175,
    17_741_164_650_596_132_307,
    15_522_999_020_264_977_147,
    11_100_893_897_332_705_989,
];
const LADDER: u64 = 11_275_548_769_735_214_081;
