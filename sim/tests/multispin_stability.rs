//! Same seed, same bytes, for good, with many spins in the lanes too. Changing a value here belongs into the CHANGELOG under *Streams*.

use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::{Couplings, Field, Hamiltonian};
use ceas_sim::kernel::multispin::{PackedSpins, ReplicaSpins, Words};
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{MultiSpin, Replicas, Update};

/// 64-bit FNV-1a of all vectors.
fn hash<'a>(words: impl Iterator<Item = &'a Words>) -> u64 {
    let bytes = words.flat_map(|words| words.0).flat_map(u64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn sites(mut update: MultiSpin, model: &Hamiltonian) -> u64 {
    let mut spins = PackedSpins::random(*update.grid(), &mut Stream::new(3, Purpose::Initial, 0, 0)).unwrap();
    let mut streams = Streams::new(3, Purpose::Update, 0, update.blocks());
    for _ in 0..20 {
        update.sweep(model, &mut spins, Beta::new(0.44).unwrap(), &mut streams);
    }
    hash(spins.cells().iter())
}

fn replicas(mut update: Replicas, model: &Hamiltonian, beta: f64) -> u64 {
    let n = model.n_sites();
    let mut spins = ReplicaSpins::random(n, &mut Stream::new(3, Purpose::Initial, 0, 0)).unwrap();
    let mut streams = Streams::new(3, Purpose::Update, 0, update.blocks());
    for _ in 0..20 {
        update.sweep(model, &mut spins, Beta::new(beta).unwrap(), &mut streams);
    }
    hash((0..n).map(|i| spins.site(i)))
}

const METROPOLIS: u64 = 10_544_757_945_736_374_507;
const HEAT_BATH: u64 = 10_090_633_456_057_835_801;
const SPARSE: u64 = 3_140_487_126_542_100_736;
const DENSE: u64 = 9_374_561_304_828_008_409;

#[test]
fn trajectories_are_frozen() {
    // Two blocks.
    let square = Hamiltonian::ferromagnet(Topology::square(1024).unwrap());
    let small = Hamiltonian::ferromagnet(Topology::square(10).unwrap());
    let t = Topology::complete(20).unwrap();
    let j = (0..t.n_bonds()).map(|bond| if bond % 3 == 0 { -1.0 } else { 1.0 }).collect();
    let dense = Hamiltonian::new(t, Couplings::PerBond(j), Field::Zero).unwrap();
    let now = [
        sites(MultiSpin::metropolis(&square).unwrap(), &square),
        sites(MultiSpin::heat_bath(&square).unwrap(), &square),
        replicas(Replicas::metropolis(&small).unwrap(), &small, 0.44),
        replicas(Replicas::metropolis(&dense).unwrap(), &dense, 0.1),
    ];
    assert_eq!(now, [METROPOLIS, HEAT_BATH, SPARSE, DENSE], "Metropolis, heat bath, sparse, dense replicas");
}
