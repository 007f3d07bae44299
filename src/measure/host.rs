//! What the host says of itself.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the processor calls itself, and how many of it there are.
pub(super) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} logical cores", name.unwrap_or(std::env::consts::ARCH))
}

/// Clock of the first core, where the system tells.
pub(super) fn clock() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let mhz = text.lines().find_map(|line| line.strip_prefix("cpu MHz")?.split(": ").nth(1))?;
    Some(format!("{mhz} MHz (first core, at the start)"))
}

/// Processes that want a processor, averaged over a minute, where the system says so.
pub(super) fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// Today in UTC, as year-month-day (days to date: Hinnant, chrono-compatible low-level date algorithms).
pub(super) fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Program and version.
pub(super) fn program() -> String {
    format!("ceas {}", env!("CARGO_PKG_VERSION"))
}

/// The command line as typed.
pub(super) fn command() -> String {
    let words: Vec<String> = std::env::args_os().map(|w| w.to_string_lossy().into_owned()).collect();
    words.join(" ")
}
