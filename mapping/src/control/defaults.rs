//! Every default of the published controller, in one table, and ours beside them.
//!
//! Source: "Critical Entropy Attention System" (CEAS), W. Chuang, sections "Retuned β-Thermostat + Entropy Gating" and "Drop-In Defaults". Where
//! the page gives a range, both ends stand here and the middle is used.

use serde::Serialize;

/// What the page gives for one scale of model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scale {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is on the page.
    pub published_name: &'static str,
    /// κ_max: gain beyond κ_∞ at the start.
    pub kappa_max: f64,
    /// κ_∞: gain at the end.
    pub kappa_infinity: f64,
    /// τ_κ in steps, from and to.
    pub tau_kappa: [f64; 2],
    /// Largest |Δβ| of a step.
    pub clip: f64,
    /// u_min: least |β − β_c|/β_c.
    pub u_min: f64,
    /// T_max: gate at the start.
    pub gate_first: f64,
    /// T_∞: gate at the end.
    pub gate_last: f64,
    /// τ_T in steps, from and to.
    pub tau_gate: [f64; 2],
    /// w: steps below H_freeze before a head is frozen.
    pub freeze_after: u32,
}

/// The three scales of the page.
pub const SCALES: [Scale; 3] = [
    Scale {
        name: "9k",
        published_name: "9k parameters",
        kappa_max: 2.2,
        kappa_infinity: 1.0,
        tau_kappa: [500.0, 1000.0],
        clip: 0.75,
        u_min: 0.06,
        gate_first: 1.8,
        gate_last: 1.05,
        tau_gate: [600.0, 600.0],
        freeze_after: 50,
    },
    Scale {
        name: "14m",
        published_name: "14.4M parameters",
        kappa_max: 1.8,
        kappa_infinity: 1.0,
        tau_kappa: [1000.0, 2000.0],
        clip: 0.5,
        u_min: 0.05,
        gate_first: 1.6,
        gate_last: 1.02,
        tau_gate: [1200.0, 1200.0],
        freeze_after: 100,
    },
    Scale {
        name: "gpt",
        published_name: "GPT-3/4/5 scale",
        kappa_max: 1.5,
        kappa_infinity: 1.0,
        tau_kappa: [2000.0, 5000.0],
        clip: 0.3,
        u_min: 0.04,
        gate_first: 1.5,
        gate_last: 1.00,
        tau_gate: [2000.0, 4000.0],
        freeze_after: 200,
    },
];

/// The scale of a name; the page's own names are not accepted, because they hold blanks.
pub fn scale(name: &str) -> Option<&'static Scale> {
    SCALES.iter().find(|scale| scale.name == name)
}

/// H_target = ln N_eff − this.
pub const TARGET_BELOW: f64 = 1.1;
/// "Tighten to −1.3 if stable".
pub const TARGET_BELOW_TIGHT: f64 = 1.3;
/// H_freeze = ln N_eff − this.
pub const FREEZE_BELOW: f64 = 0.9;
/// Window of the moving average of H, in steps.
pub const ENTROPY_WINDOW: f64 = 64.0;
/// Window of the moving average of σ, in steps.
pub const SIGMA_WINDOW: f64 = 128.0;
/// ν of the correlation-length proxy, from and to.
pub const NU: [f64; 2] = [0.5, 1.0];
/// Share of tokens kept by rank at the start (9k; the page gives no other scale).
pub const KEEP_FIRST: f64 = 0.55;
/// … and from [`KEEP_STEPS`] on.
pub const KEEP_LAST: f64 = 0.75;
/// Steps from the first share to the last.
pub const KEEP_STEPS: f64 = 2000.0;
/// m_min: tokens kept per sequence at least, from and to.
pub const LEAST_TOKENS: [usize; 2] = [16, 32];
/// h_min: heads kept per layer at least, from and to.
pub const LEAST_HEADS: [usize; 2] = [2, 4];
/// Back-off: a rise of the validation loss by so many of its standard deviations …
pub const BACK_OFF_SIGMAS: f64 = 0.2;
/// … lowers T_gate by this …
pub const BACK_OFF_GATE: f64 = 0.05;
/// … and multiplies κ by this …
pub const BACK_OFF_KAPPA: f64 = 0.5;
/// … for so many steps.
pub const BACK_OFF_STEPS: u32 = 200;

// What the page leaves open, and what we set instead of what is unstable.

/// ε of the published step: "a small ε > 0"; the value is ours.
pub const EPSILON: f64 = 1e-6;
/// Least β of the published step, which has no guard against β ≤ 0; the value is ours.
pub const LEAST_BETA: f64 = 1e-4;
/// Corrected step: β changes by at most this factor.
pub const FACTOR: f64 = 2.0;
/// Corrected critical target: H_target = this · ln N. C of a random energy model peaks at 0.565 ln N for N = 16, 0.554 for 256, 0.523 for 4096.
pub const CRITICAL_SHARE: f64 = 0.55;
/// Corrected gate: rows below this β/β_c are diffuse. The same share of rows is judged by a quantity that is 1 at the crossover.
pub const GATE_OVER_BETA_C: f64 = 0.25;
