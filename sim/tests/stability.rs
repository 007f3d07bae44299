//! Same seed, same bytes, for good. Changing a value here changes what every stored seed means: it belongs into the CHANGELOG under
//! *Streams*.

use ceas_sim::beta::Beta;
use ceas_sim::hamiltonian::Hamiltonian;
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream, Streams};
use ceas_sim::topology::Topology;
use ceas_sim::update::{HeatBath, Metropolis, Update, Wolff};
use rand::rand_core::{SeedableRng, TryRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The first outputs of the reference implementation in C from the state 1, 2, 3, 4.
#[test]
fn the_generator_is_xoshiro256_plus_plus() {
    let mut state = [0u8; 32];
    for (word, chunk) in (1u64..).zip(state.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    let mut generator = Xoshiro256PlusPlus::from_seed(state);
    for expected in [
        41_943_041,
        58_720_359,
        3_588_806_011_781_223,
        3_591_011_842_654_386,
        9_228_616_714_210_784_205,
        9_973_669_472_204_895_162,
        14_011_001_112_246_962_877,
        12_406_186_145_184_390_807,
        15_849_039_046_786_891_736,
        10_450_023_813_501_588_000,
    ] {
        assert_eq!(generator.try_next_u64(), Ok(expected));
    }
}

/// Values from a second implementation of the seeding and of the generator, written in another language.
#[test]
fn streams_are_frozen() {
    let max = u64::MAX;
    for (mut stream, expected) in [
        (
            Stream::new(0, Purpose::Update, 0, 0),
            [0xb913_d6f7_f592_500c, 0x01dd_b764_3056_b9ae, 0x24b4_28b1_433d_1842, 0x2606_843b_2239_d2ccu64],
        ),
        (
            Stream::new(1, Purpose::Update, 3, 4),
            [0x734a_70aa_8c37_f12a, 0x84cc_d445_dfcf_6ba8, 0x5852_30c1_f9fc_b849, 0x2314_da1e_ffa6_35ad],
        ),
        (
            Stream::new(max, Purpose::Thermalization, max, max),
            [0xbf28_e78d_d9ec_5d9d, 0x0722_0b82_ec6d_03f6, 0xef2f_8858_3814_d9f2, 0x6b72_2717_5cf2_b2e6],
        ),
    ] {
        assert_eq!([(); 4].map(|()| stream.next_u64()), expected);
    }
    let mut halves = Stream::new(0, Purpose::Update, 0, 0);
    assert_eq!([(); 3].map(|()| halves.next_u32()), [0xf592_500c, 0xb913_d6f7, 0x3056_b9ae]);
    let fresh = || Stream::new(0, Purpose::Update, 0, 0);
    assert_eq!(fresh().uniform(), (0xb913_d6f7_f592_500cu64 >> 11) as f64 / (1u64 << 53) as f64);
    assert_eq!(fresh().below(1000), 722);
    assert_eq!(fresh().normal().to_bits(), NORMAL);
}

/// 64-bit FNV-1a.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The configurations of 20 sweeps of L = 160 (two blocks) at β = 0.44 from a hot start.
fn trajectory<U: Update<Model = Hamiltonian, State = Spins>>(
    model: &Hamiltonian,
    mut update: U,
    blocks: usize,
) -> u64 {
    let mut spins = Spins::random(model.n_sites(), &mut Stream::new(3, Purpose::Initial, 0, 0));
    let mut streams = Streams::new(3, Purpose::Update, 0, blocks);
    let mut bytes = Vec::new();
    for _ in 0..20 {
        update.sweep(model, &mut spins, Beta::new(0.44).unwrap(), &mut streams);
        bytes.extend(spins.as_slice().iter().map(|&s| s as u8));
    }
    hash(bytes.into_iter())
}

/// The bits of the first normal number.
const NORMAL: u64 = 4_602_685_702_988_814_478;
const METROPOLIS: u64 = 5_711_120_400_755_221_719;
const HEAT_BATH: u64 = 4_974_936_009_893_994_203;
const WOLFF: u64 = 0xb43c25f5d4368dc7;

#[test]
fn trajectories_are_frozen() {
    let model = Hamiltonian::ferromagnet(Topology::square(160).unwrap());
    let metropolis = Metropolis::new(&model).unwrap();
    let blocks = metropolis.blocks();
    assert_eq!(trajectory(&model, metropolis, blocks), METROPOLIS, "Metropolis");
    assert_eq!(trajectory(&model, HeatBath::new(&model).unwrap(), blocks), HEAT_BATH, "heat bath");
    assert_eq!(trajectory(&model, Wolff::new(&model, 50).unwrap(), 1), WOLFF, "Wolff");
}
