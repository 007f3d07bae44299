//! How numbers are stored: floats, and the blocks of quantised checkpoints.
//!
//! A block holds some weights of one row with their common scale d (and, in some formats, an offset), so that w = d·q, w = d·q + m or
//! w = d·c·q − d_min·c′ with c, c′ scales of parts of the block. The layouts are those of GGML
//! (<https://github.com/ggml-org/ggml>, `ggml-common.h`).

use half::bf16;

/// A type of stored numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the formats")]
#[allow(non_camel_case_types)]
pub enum Format {
    F64,
    F32,
    F16,
    BF16,
    Q8_0,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q4_K,
    Q6_K,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 11] = [
        Self::F64,
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q8_0,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q4_K,
        Self::Q6_K,
    ];

    /// The format that GGUF numbers so.
    pub fn of_gguf(kind: u32) -> Option<Self> {
        Some(match kind {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4_K,
            14 => Self::Q6_K,
            28 => Self::F64,
            30 => Self::BF16,
            _ => return None,
        })
    }

    /// Weights in a block and bytes of it.
    pub fn block(self) -> [usize; 2] {
        match self {
            Self::F64 => [1, 8],
            Self::F32 => [1, 4],
            Self::F16 | Self::BF16 => [1, 2],
            Self::Q8_0 => [32, 34],
            Self::Q4_0 => [32, 18],
            Self::Q4_1 => [32, 20],
            Self::Q5_0 => [32, 22],
            Self::Q5_1 => [32, 24],
            Self::Q4_K => [256, 144],
            Self::Q6_K => [256, 210],
        }
    }

    /// Bytes of a row of `columns` weights; `None` if they do not fill whole blocks or cannot be counted.
    pub fn row_bytes(self, columns: usize) -> Option<usize> {
        let [weights, bytes] = self.block();
        if columns.is_multiple_of(weights) { (columns / weights).checked_mul(bytes) } else { None }
    }

    /// Whether weights are kept as small integers with common scales.
    pub fn is_quantised(self) -> bool {
        self.block()[0] > 1
    }

    /// Converts whole blocks to f32; `bytes` and `out` describe as many weights.
    #[inline(always)]
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) {
        match self {
            Self::F64 => each(bytes, out, |b| f64::from_le_bytes(b) as f32),
            Self::F32 => each(bytes, out, f32::from_le_bytes),
            Self::F16 => each(bytes, out, |b| half_to_f32(u16::from_le_bytes(b))),
            Self::BF16 => each(bytes, out, |b| bf16::from_le_bytes(b).to_f32()),
            Self::Q8_0 => blocks(bytes, out, |block: &[u8; 34], out: &mut [f32; 32]| {
                let d = scale(block, 0);
                for (w, &q) in out.iter_mut().zip(&block[2..]) {
                    *w = d * f32::from(q.cast_signed());
                }
            }),
            Self::Q4_0 => blocks(bytes, out, |block: &[u8; 18], out: &mut [f32; 32]| {
                let d = scale(block, 0);
                nibbles(&block[2..], out, |q| d * (q - 8.0));
            }),
            Self::Q4_1 => blocks(bytes, out, |block: &[u8; 20], out: &mut [f32; 32]| {
                let (d, m) = (scale(block, 0), scale(block, 2));
                nibbles(&block[4..], out, |q| d * q + m);
            }),
            Self::Q5_0 => blocks(bytes, out, |block: &[u8; 22], out: &mut [f32; 32]| {
                let d = scale(block, 0);
                nibbles(&block[6..], out, |q| q);
                fifth_bits(&block[2..6], out);
                out.iter_mut().for_each(|w| *w = d * (*w - 16.0));
            }),
            Self::Q5_1 => blocks(bytes, out, |block: &[u8; 24], out: &mut [f32; 32]| {
                let (d, m) = (scale(block, 0), scale(block, 2));
                nibbles(&block[8..], out, |q| q);
                fifth_bits(&block[4..8], out);
                out.iter_mut().for_each(|w| *w = d * *w + m);
            }),
            Self::Q4_K => blocks(bytes, out, four_bit_super),
            Self::Q6_K => blocks(bytes, out, six_bit_super),
        }
    }
}

#[inline(always)]
fn each<const N: usize>(bytes: &[u8], out: &mut [f32], number: impl Fn([u8; N]) -> f32) {
    for (x, chunk) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *x = number(*chunk);
    }
}

#[inline(always)]
fn blocks<const BYTES: usize, const WEIGHTS: usize>(
    bytes: &[u8],
    out: &mut [f32],
    block: impl Fn(&[u8; BYTES], &mut [f32; WEIGHTS]),
) {
    for (out, bytes) in out.as_chunks_mut::<WEIGHTS>().0.iter_mut().zip(bytes.as_chunks::<BYTES>().0) {
        block(bytes, out);
    }
}

/// An f16 as f32, exactly, without a branch that would keep the loop around it from being vectorised.
#[inline(always)]
fn half_to_f32(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7FFF);
    let sign = u32::from(bits & 0x8000) << 16;
    // 2¹¹² moves the exponent of an f16 to that of an f32; it is exact for subnormal numbers too.
    let finite = f32::from_bits(magnitude << 13) * f32::from_bits(0x7780_0000);
    let bits = if magnitude >= 0x7C00 { (magnitude << 13) | 0x7F80_0000 } else { finite.to_bits() };
    f32::from_bits(bits | sign)
}

/// The f16 at byte `at` of a block.
#[inline(always)]
fn scale(block: &[u8], at: usize) -> f32 {
    half_to_f32(u16::from_le_bytes([block[at], block[at + 1]]))
}

/// Low nibbles are the first half of the block, high nibbles the second.
#[inline(always)]
fn nibbles(packed: &[u8], out: &mut [f32; 32], weight: impl Fn(f32) -> f32) {
    let (low, high) = out.split_at_mut(16);
    for ((low, high), &byte) in low.iter_mut().zip(high).zip(packed) {
        *low = weight(f32::from(byte & 0x0F));
        *high = weight(f32::from(byte >> 4));
    }
}

/// Adds 16 where the bit of a weight is set.
#[inline(always)]
fn fifth_bits(bits: &[u8], out: &mut [f32; 32]) {
    let bits = u32::from_le_bytes([bits[0], bits[1], bits[2], bits[3]]);
    for (i, w) in out.iter_mut().enumerate() {
        *w += ((bits >> i) & 1) as f32 * 16.0;
    }
}

#[inline(always)]
fn four_bit_super(block: &[u8; 144], out: &mut [f32; 256]) {
    let (d, d_min) = (scale(block, 0), scale(block, 2));
    let (packed, quarters) = (&block[4..16], &block[16..]);
    let part = |j: usize| -> [f32; 2] {
        let [scale, offset] = match j {
            0..4 => [packed[j] & 63, packed[j + 4] & 63],
            _ => [
                (packed[j + 4] & 15) | ((packed[j - 4] >> 6) << 4),
                (packed[j + 4] >> 4) | ((packed[j] >> 6) << 4),
            ],
        };
        [d * f32::from(scale), d_min * f32::from(offset)]
    };
    for (pair, (out, quarter)) in out.chunks_exact_mut(64).zip(quarters.chunks_exact(32)).enumerate() {
        let ([d_low, m_low], [d_high, m_high]) = (part(2 * pair), part(2 * pair + 1));
        let (low, high) = out.split_at_mut(32);
        for ((low, high), &byte) in low.iter_mut().zip(high).zip(quarter) {
            *low = d_low * f32::from(byte & 15) - m_low;
            *high = d_high * f32::from(byte >> 4) - m_high;
        }
    }
}

#[inline(always)]
fn six_bit_super(block: &[u8; 210], out: &mut [f32; 256]) {
    let d = scale(block, 208);
    for half in 0..2 {
        let low = &block[64 * half..64 * half + 64];
        let high = &block[128 + 32 * half..160 + 32 * half];
        let scales = &block[192 + 8 * half..200 + 8 * half];
        let out = &mut out[128 * half..128 * half + 128];
        for i in 0..32 {
            for part in 0..4 {
                let nibble = (low[i + 32 * (part % 2)] >> (4 * (part / 2))) & 15;
                let q = f32::from(nibble | (((high[i] >> (2 * part)) & 3) << 4)) - 32.0;
                out[32 * part + i] = d * f32::from(scales[2 * part + i / 16].cast_signed()) * q;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn halves_are_converted_exactly() {
        for bits in 0..=u16::MAX {
            let (ours, theirs) = (half_to_f32(bits), f16::from_bits(bits).to_f32());
            assert!(ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan()), "{bits:04x}");
        }
    }

    #[test]
    fn sizes_are_those_of_the_formats() {
        assert_eq!(Format::Q4_1.row_bytes(576), Some(360));
        assert_eq!(Format::Q4_1.row_bytes(577), None);
        assert_eq!(Format::F64.row_bytes(usize::MAX), None);
        for format in Format::ALL {
            assert_eq!(format.is_quantised(), format.block()[0] > 1);
        }
    }

    /// Blocks and weights by the reference program: gguf 0.19.0 (PyPI), `gguf.quants.dequantize`.
    #[test]
    fn blocks_mean_what_another_program_reads() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/quantised_blocks.json")).unwrap();
        let mut seen = 0;
        for format in Format::ALL.into_iter().filter(|format| format.is_quantised()) {
            let entry = &golden[format!("{format:?}")];
            let list = |key: &str| entry[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap());
            let bytes: Vec<u8> = list("bytes").map(|x| x as u8).collect();
            let weights: Vec<f32> = list("weights").map(|x| x as f32).collect();
            let mut ours = vec![0.0; weights.len()];
            format.decode(&bytes, &mut ours);
            assert_eq!(ours, weights, "{format:?}");
            seen += weights.len();
        }
        assert!(seen > 1_000);
    }
}
