//! The answer of `ceas snapshot`.

use std::fmt::Write as _;

use ceas_npu::sim::activity::Activity;
use ceas_npu::sim::spins::Spins;
use serde::Serialize;

use super::equilibrium::Equilibrium;
use super::lattice::LatticePicture;
use super::present::Answer;

/// What was recorded; its JSON form is what scripts rely on.
#[derive(Serialize)]
pub struct Recorded {
    pub command: &'static str,
    pub file: String,
    /// Frames in the file.
    pub frames: u64,
    /// Attempts per nanosecond of sweeping, over all threads.
    pub attempts_per_ns: f64,
    pub update: String,
    pub generator: String,
    pub threads: usize,
    /// Wall time from the first sweep to the last frame.
    pub seconds: f64,
    pub lattice: &'static str,
    pub size: usize,
    /// As it was asked for.
    pub spec: String,
    /// Lengths of the axes of a frame.
    pub shape: Vec<usize>,
    pub beta: f64,
    /// Sweeps at the last frame.
    pub sweeps: u64,
    /// e = H/N of the last frame.
    pub energy: f64,
    /// m = M/N of the last frame.
    pub magnetization: f64,
    /// The energy beside the exact one, where there is one.
    pub equilibrium: Option<Equilibrium>,
    pub activity: Activity,
    #[serde(skip)]
    pub spins: Spins,
}

impl Answer for Recorded {
    type Picture = LatticePicture;

    fn title(&self) -> String {
        let beta = match self.beta {
            huge if huge >= 1e6 => format!("{huge:e}"),
            beta => format!("{beta:.6}"),
        };
        let extent = if self.shape.len() > 1 { "L" } else { "N" };
        format!("{} {extent} = {}, β = {beta}", self.lattice, self.size)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let file = format!("{} frames in {}", self.frames, self.file);
        let speed = format!(
            "{:.3} attempts/ns on {} threads; {}",
            self.attempts_per_ns, self.threads, self.generator
        );
        let last =
            format!("sweep {}: m = {:+.4}, e = {:.4} per site", self.sweeps, self.magnetization, self.energy);
        let mut lines = vec![
            ("lattice", self.title()),
            ("update", self.update.clone()),
            ("written", file),
            ("last frame", last),
        ];
        if let Some(equilibrium) = &self.equilibrium {
            lines.extend(equilibrium.lines());
        }
        lines.extend([("speed", speed), ("time", format!("{:.2} s", self.seconds))]);
        for (name, value) in lines {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name:<11} {value}");
        }
        text
    }

    fn picture(&self) -> LatticePicture {
        // The first plane, where there are several.
        let [height, width] = plane(&self.shape).unwrap_or([1, self.spins.len()]);
        LatticePicture {
            name: self.lattice,
            size: self.size,
            width,
            is_slice: height * width < self.spins.len(),
            spins: self.spins.as_slice()[..height * width].to_vec(),
            beta: self.beta,
            sweep: self.sweeps,
            magnetization: self.magnetization,
            energy: self.energy,
            missed: self.equilibrium.filter(|found| found.is_missed).map(|found| found.exact.mean),
        }
    }
}

/// Rows and columns of a picture of a lattice: of three and more dimensions a plane of the last two, of a honeycomb both sites of a
/// cell side by side.
pub fn plane(shape: &[usize]) -> Option<[usize; 2]> {
    match shape {
        [] | [_] => None,
        [height, width] => Some([*height, *width]),
        [height, width, 2] if height == width && *width != 2 => Some([*height, 2 * width]),
        [.., height, width] => Some([*height, *width]),
    }
}
