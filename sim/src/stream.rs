//! Randomness: every stream is a function of (seed, purpose, replica, block), so that the same seed gives the same
//! bytes on any number of threads and on every instruction set.

use std::convert::Infallible;

use rand::rand_core::TryRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// What a stream is used for. Streams of different purposes never meet, whatever else is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial configurations.
    Initial = 1,
    /// Updates of spins.
    Update = 2,
    /// Resampling of data (bootstrap).
    Resampling = 3,
    /// Building random instances (rows, couplings, graphs).
    Instance = 4,
    /// Everything a test draws.
    Test = 5,
    /// Chains run only to measure how far an ensemble is from its law.
    Ensemble = 16,
    /// Updates made before the first measurement, where they are a run of their own.
    Thermalization = 6,
    /// The last sweeps of an annealing, at a β of their own.
    Quench = 32,
    /// Flaws of a device that are frozen when it is made: mismatch, offsets, stuck units.
    Disorder = 64,
}

/// A portable random stream: xoshiro256++ seeded from (seed, purpose, replica, block).
///
/// The 256-bit state is a SplitMix64-style hash of the four numbers; two streams overlap within 2⁶⁴ draws with a probability
/// below 2⁻¹²⁰. Source: Blackman and Vigna, doi:10.1145/3460772.
///
/// ```
/// use ceas_sim::stream::{Purpose, Stream};
/// let mut a = Stream::new(7, Purpose::Update, 0, 0);
/// let mut b = Stream::new(7, Purpose::Update, 1, 0);
/// assert_ne!(a.next_u64(), b.next_u64());
/// assert_eq!(Stream::new(7, Purpose::Update, 0, 0).next_u64(), Stream::new(7, Purpose::Update, 0, 0).next_u64());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
    /// The upper half of a 64-bit draw whose lower half has been handed out.
    half: Option<u32>,
}

/// The finaliser of SplitMix64 (Stafford's mix 13): a bijection of 64-bit words.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Stream {
    /// The stream of one block of one replica.
    pub fn new(seed: u64, purpose: Purpose, replica: u64, block: u64) -> Self {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut bytes = [0u8; 32];
        let key = [seed, purpose as u64, replica, block];
        for (word, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            let mut z = mix(GOLDEN.wrapping_mul(word as u64 + 1));
            for part in key {
                z = mix(z.wrapping_add(GOLDEN) ^ mix(part.wrapping_add(GOLDEN)));
            }
            chunk.copy_from_slice(&z.to_le_bytes());
        }
        Self { generator: Xoshiro256PlusPlus::from_seed(bytes), half: None }
    }

    /// Where the stream stands: the four words of the generator, and the half of a draw that is still to be handed out.
    ///
    /// ```
    /// use ceas_sim::stream::{Purpose, Stream};
    /// let mut stream = Stream::new(7, Purpose::Update, 0, 0);
    /// stream.next_u32();
    /// let (words, half) = stream.position();
    /// assert_eq!(Stream::at(words, half).unwrap().next_u32(), stream.next_u32());
    /// ```
    pub fn position(&self) -> ([u64; 4], Option<u32>) {
        let words = serde_json::to_value(&self.generator).expect("four integers can be written");
        let word = |i: usize| words["s"][i].as_u64().expect("xoshiro256++ keeps four words named s");
        ([word(0), word(1), word(2), word(3)], self.half)
    }

    /// The stream that stands where [`Stream::position`] said. `None` if all words are zero, where no generator can stand.
    pub fn at(words: [u64; 4], half: Option<u32>) -> Option<Self> {
        let mut bytes = [0u8; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        (words != [0; 4]).then(|| Self { generator: Xoshiro256PlusPlus::from_seed(bytes), half })
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let Ok(bits) = self.generator.try_next_u64();
        bits
    }

    /// 32 random bits: the low half of a 64-bit draw, then its high half.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        match self.half.take() {
            Some(high) => high,
            None => {
                let bits = self.next_u64();
                self.half = Some((bits >> 32) as u32);
                bits as u32
            }
        }
    }

    /// Fills `draws` as that many calls of [`Stream::next_u32`] would, only faster.
    #[inline(always)]
    pub fn fill_u32(&mut self, mut draws: &mut [u32]) {
        if self.half.is_some() && !draws.is_empty() {
            draws[0] = self.next_u32();
            draws = &mut draws[1..];
        }
        let mut pairs = draws.chunks_exact_mut(2);
        for pair in &mut pairs {
            let bits = self.next_u64();
            pair[0] = bits as u32;
            pair[1] = (bits >> 32) as u32;
        }
        for draw in pairs.into_remainder() {
            *draw = self.next_u32();
        }
    }

    /// A uniform number in [0, 1) that is a multiple of 2⁻⁵³.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A uniform integer in 0 .. `n`, exactly (Lemire's multiply-and-reject, arXiv:1805.10941).
    ///
    /// # Panics
    /// If `n` is 0.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "no integer is below 0");
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(n);
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A standard normal number (Marsaglia's polar method, doi:10.1137/1006063; one of its pair is used).
    pub fn normal(&mut self) -> f64 {
        loop {
            let x = 2.0 * self.uniform() - 1.0;
            let y = 2.0 * self.uniform() - 1.0;
            let r = x * x + y * y;
            if r > 0.0 && r < 1.0 {
                return x * libm::sqrt(-2.0 * libm::log(r) / r);
            }
        }
    }
}

/// So that libraries which ask for a generator can be handed a stream.
impl TryRng for Stream {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_u64())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The streams of one replica, one per block of sites that is updated as a unit.
///
/// The number of blocks depends on the model alone, never on the number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Streams {
    blocks: Vec<Stream>,
}

impl Streams {
    /// Streams of `blocks` blocks of replica `replica`.
    pub fn new(seed: u64, purpose: Purpose, replica: u64, blocks: usize) -> Self {
        Self { blocks: (0..blocks.max(1)).map(|b| Stream::new(seed, purpose, replica, b as u64)).collect() }
    }

    /// The streams given, as blocks 0, 1, 2, …; `None` if there is none.
    pub fn from_blocks(blocks: Vec<Stream>) -> Option<Self> {
        (!blocks.is_empty()).then_some(Self { blocks })
    }

    /// The stream of block 0, for updates that work on one site or one cluster at a time.
    #[inline]
    pub fn first(&mut self) -> &mut Stream {
        &mut self.blocks[0]
    }

    /// All streams, in the order of the blocks, to look at.
    pub fn as_slice(&self) -> &[Stream] {
        &self.blocks
    }

    /// All streams, in the order of the blocks.
    pub fn blocks(&mut self) -> &mut [Stream] {
        &mut self.blocks
    }
}
