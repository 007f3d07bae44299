//! Plain loops over numbers, compiled for the widest registers of the running machine.
//!
//! The loop is ordinary safe code that the compiler vectorises; [`widest`] runs the copy of it that was compiled for the best
//! instructions there are. Additions and multiplications are never fused or reordered by it, so that every copy gives the same bits.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use super::multispin::Level;

/// A loop that is worth compiling more than once. Mark `run` and everything that it calls `#[inline(always)]`: what is not inlined
/// is compiled for the plainest machine.
pub trait Loop {
    /// What the loop computes.
    type Output;
    /// The loop itself.
    fn run(self) -> Self::Output;
}

/// Runs a loop with the best instructions of this machine.
///
/// ```
/// use ceas_sim::kernel::wide::{Loop, widest};
/// struct Sum<'a>(&'a [f32]);
/// impl Loop for Sum<'_> {
///     type Output = f32;
///     #[inline(always)]
///     fn run(self) -> f32 {
///         self.0.iter().sum()
///     }
/// }
/// assert_eq!(widest(Sum(&[1.0, 2.0, 3.0])), 6.0);
/// ```
#[inline]
pub fn widest<L: Loop>(work: L) -> L::Output {
    // Asked once: short loops would wait for the environment longer than they take.
    static CHOSEN: OnceLock<Level> = OnceLock::new();
    at(*CHOSEN.get_or_init(|| Level::choose().unwrap_or(Level::Portable)), work)
}

/// Runs a loop with the instructions of `level`, or plain ones where the machine lacks them.
#[inline]
pub fn at<L: Loop>(level: Level, work: L) -> L::Output {
    match level {
        // SAFETY: the machine has just been found to have the instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if level.is_available() => unsafe { avx512(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if level.is_available() => unsafe { avx2(work) },
        _ => work.run(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn avx2<L: Loop>(work: L) -> L::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt,avx512f,avx512bw,avx512dq,avx512vl")]
fn avx512<L: Loop>(work: L) -> L::Output {
    work.run()
}
