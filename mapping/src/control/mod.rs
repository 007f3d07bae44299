//! The Critical Entropy Attention System's thermostat: one knob, β, moved so that the entropy of attention stays near a target.
//!
//! ```text
//! published   Δβ = κ(t) (H − H_t)/(β Var + ε),  κ(t) = κ_max e^(−t/τ) + κ_∞,  |Δβ| ≤ a constant
//! corrected   β² ← β² + 2(H − H_t)/(D Var),  D = 1 + (H − H_t)(dVar/dβ)/(2β Var²),  by at most a factor in β
//! ```
//!
//! Both rest on the identity dH/dβ = −β Var_p\[s\]. The published gain starts at κ(0) = κ_max + κ_∞ ≥ 2.5, and a Newton step of gain κ multiplies a
//! small error by 1 − κ: it is stable for 0 < κ < 2 only. The corrected step is Halley's in β², in which H of a Gaussian row is a straight line,
//! at gain 1; where that leads far, it starts from a random energy model's answer. Everything published is kept as published, beside it, so that both can be run on the same heads; every published default is in
//! [`defaults`].

mod counted;
pub mod defaults;
mod gate;
mod gate_trace;
mod head;
mod initial;
pub mod knobs;
mod live;
mod margin;
mod outcome;
mod reading;
mod slowing;
mod step;
mod stream;
mod tempered;
mod thermostat;

pub use counted::CountReader;
pub use gate::{BackOff, Freezing, GateRule, Gated, TokenScore, gate_head, threshold, top_share};
pub use gate_trace::GateTrace;
pub use head::{HeadControl, Moved, Variant};
pub use initial::{Initial, Rule, initial_betas};
pub use live::Live;
pub use margin::Margin;
pub use outcome::{Outcome, Tolerance, judge};
pub use reading::{Reading, Source, read};
pub use slowing::{Slowing, slowing};
pub use step::{Clip, Gain, Step, analytic_radius};
pub use stream::{Streamed, TokenStream, stream};
pub use tempered::Tempered;
pub use thermostat::{Control, Moment, Target, Thermostat, Trace, run};
