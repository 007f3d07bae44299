//! Energy of the processor, where the system lets it be read: RAPL counters of the packages (Linux, `/sys/class/powercap`).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where Linux keeps the counters.
const COUNTERS: &str = "/sys/class/powercap";

/// Counters of all packages.
#[derive(Debug)]
pub struct Meter {
    packages: Vec<Package>,
}

#[derive(Debug)]
struct Package {
    counter: PathBuf,
    /// Microjoules at which the counter starts again from 0.
    range: u64,
}

/// A reading of all counters.
#[derive(Debug)]
pub struct Reading {
    microjoules: Vec<u64>,
    at: Instant,
}

impl Meter {
    /// The counters of this machine, or why they cannot be read.
    ///
    /// # Errors
    /// One sentence.
    pub fn open() -> Result<Self, String> {
        Self::open_in(Path::new(COUNTERS))
    }

    fn open_in(folder: &Path) -> Result<Self, String> {
        let shown = folder.display();
        let entries = fs::read_dir(folder).map_err(|e| format!("no energy counters: {shown}: {e}"))?;
        let mut packages = Vec::new();
        for entry in entries.flatten() {
            let zone = entry.path();
            let name = fs::read_to_string(zone.join("name")).unwrap_or_default();
            if !name.trim().starts_with("package-") {
                continue;
            }
            let counter = zone.join("energy_uj");
            let range = number(&zone.join("max_energy_range_uj")).unwrap_or(u64::MAX);
            if let Err(e) = fs::read_to_string(&counter) {
                return Err(format!("{}: {e} (the counters are for root)", counter.display()));
            }
            packages.push(Package { counter, range });
        }
        if packages.is_empty() {
            return Err(format!("no energy counters: {shown} lists no package"));
        }
        Ok(Self { packages })
    }

    /// All counters now; `None` if one cannot be read any more.
    pub fn read(&self) -> Option<Reading> {
        let microjoules = self.packages.iter().map(|p| number(&p.counter)).collect::<Option<Vec<u64>>>()?;
        Some(Reading { microjoules, at: Instant::now() })
    }

    /// Mean watts between two readings, idle power included; `None` if no time has passed.
    pub fn watts(&self, from: &Reading, to: &Reading) -> Option<f64> {
        let spent: u64 = self
            .packages
            .iter()
            .zip(from.microjoules.iter().zip(&to.microjoules))
            .map(|(p, (&a, &b))| if b >= a { b - a } else { p.range.saturating_sub(a).saturating_add(b) })
            .sum();
        let seconds = to.at.duration_since(from.at).as_secs_f64();
        (seconds > 0.0 && spent > 0).then(|| spent as f64 * 1e-6 / seconds)
    }
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn packages_are_summed_and_a_counter_may_start_again() {
        let folder = tempfile::tempdir().unwrap();
        let zone = |i: usize, name: &str, energy: u64| {
            let zone = folder.path().join(format!("intel-rapl:{i}"));
            fs::create_dir_all(&zone).unwrap();
            fs::write(zone.join("name"), name).unwrap();
            fs::write(zone.join("energy_uj"), energy.to_string()).unwrap();
            fs::write(zone.join("max_energy_range_uj"), "1000000").unwrap();
        };
        assert!(Meter::open_in(folder.path()).unwrap_err().contains("lists no package"));
        zone(0, "package-0\n", 900_000);
        zone(1, "package-1\n", 100);
        zone(2, "dram\n", 5);
        let meter = Meter::open_in(folder.path()).unwrap();
        let before = meter.read().unwrap();
        zone(0, "package-0\n", 400_000);
        zone(1, "package-1\n", 500_100);
        let after = Reading { at: before.at + Duration::from_millis(500), ..meter.read().unwrap() };
        // 0.5 J across the start of the first counter and 0.5 J on the second, in half a second.
        assert!((meter.watts(&before, &after).unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(meter.watts(&before, &before), None);
        fs::remove_file(folder.path().join("intel-rapl:1/energy_uj")).unwrap();
        assert!(meter.read().is_none());
        assert!(Meter::open_in(&folder.path().join("nowhere")).unwrap_err().contains("no energy counters"));
    }
}
