//! Which instructions a kernel is compiled for, chosen once and by the running machine.
#![allow(unsafe_code)]

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use super::vector::{Portable, Vector};
use crate::error::Error;

/// An instruction set. All give the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the compiler makes of plain words: SSE2 on x86-64, NEON on ARM64, for which no kernel is written by hand.
    Portable,
    /// Registers of 256 bits (x86-64).
    Avx2,
    /// Registers of 512 bits and three-input logic (x86-64: AVX-512 F, BW, DQ, VL).
    Avx512,
}

/// The environment variable that overrides the choice.
pub const VARIABLE: &str = "CEAS_SIMD";

impl Level {
    /// Every level, from the plainest.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// "portable", "avx2" or "avx512".
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine has the instructions.
    pub fn is_available(self) -> bool {
        static BEST: OnceLock<Level> = OnceLock::new();
        // Every level has what those before it have.
        self <= *BEST
            .get_or_init(|| Self::ALL.into_iter().rfind(|level| level.is_found()).unwrap_or(Self::Portable))
    }

    fn is_found(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_found()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The levels of this machine, from the plainest.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }

    /// The level for this run: what the environment variable `CEAS_SIMD` asks for, else the best there is.
    ///
    /// # Errors
    /// [`Error::InstructionSet`] if the variable names no level, or one that this machine lacks.
    pub fn choose() -> Result<Self, Error> {
        match std::env::var_os(VARIABLE) {
            None => Ok(Self::available().last().unwrap_or(Self::Portable)),
            Some(asked) => asked.to_string_lossy().parse(),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let refuse = |violated| Error::InstructionSet { got: name.to_owned(), violated };
        let level = Self::ALL
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or_else(|| refuse("it is none of portable, avx2, avx512"))?;
        if level.is_available() { Ok(level) } else { Err(refuse("this machine has no such instructions")) }
    }
}

/// Work that can be done at any level. `run` must be `#[inline(always)]`, down to the last method it calls on `V`.
pub(crate) trait Task {
    /// What comes out, the same at every level.
    type Output;
    /// Does the work with vectors of type `V`.
    fn run<V: Vector>(self) -> Self::Output;
}

/// Does the work with the instructions of `level`.
///
/// # Panics
/// If this machine lacks them.
pub(crate) fn dispatch<T: Task>(level: Level, task: T) -> T::Output {
    assert!(level.is_available(), "this machine has no {level} instructions");
    match level {
        Level::Portable => task.run::<Portable>(),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the assertion above found the feature.
        Level::Avx2 => unsafe { avx2(task) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the assertion above found the features.
        Level::Avx512 => unsafe { avx512(task) },
        #[cfg(not(target_arch = "x86_64"))]
        Level::Avx2 | Level::Avx512 => task.run::<Portable>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn avx2<T: Task>(task: T) -> T::Output {
    task.run::<super::x86::Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
fn avx512<T: Task>(task: T) -> T::Output {
    task.run::<super::x86::Avx512>()
}
