//! Memory that can be had, asked before it is taken.

use std::fs;

use crate::error::Error;

/// Bytes that a program may still take, where the system says so: `MemAvailable` of Linux, or less in a control group
/// with a limit. `None` elsewhere.
pub fn available() -> Option<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let machine = kibibytes.saturating_mul(1024);
    let number = |name: &str| -> Option<u64> { fs::read_to_string(name).ok()?.trim().parse().ok() };
    let group = number("/sys/fs/cgroup/memory.max")
        .map(|limit| limit.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    Some(group.map_or(machine, |g| g.min(machine)))
}

/// Refuses what would not fit into memory. `what` and `size` are named in the error.
///
/// ```
/// use ceas_sim::memory;
/// assert!(memory::check("square lattice", 8, 64).is_ok());
/// let error = memory::check("square lattice", 4_000_000_000, 16_000_000_000_000_000_000).unwrap_err();
/// assert!(error.to_string().contains("4000000000"));
/// ```
///
/// # Errors
/// [`Error::Memory`] if `needed` exceeds [`available`], or half the address space where that is unknown.
pub fn check(what: &'static str, size: usize, needed: u64) -> Result<(), Error> {
    // Below this no machine that runs the program at all refuses, and asking the system costs more than the memory.
    const ALWAYS_THERE: u64 = 1 << 20;
    if needed <= ALWAYS_THERE {
        return Ok(());
    }
    let available = available().unwrap_or(u64::MAX).min(isize::MAX as u64);
    if needed > available { Err(Error::Memory { what, size, needed, available }) } else { Ok(()) }
}
