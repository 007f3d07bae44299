//! Counted physical events priced in joules and seconds, beside a GPU, at equal output error.
//!
//! ```text
//! Activity of a real run ─┐
//! shape of the workload  ─┴→ Ledger ─ Device ─→ Cost {energy, time, breakdown}
//! ```
//!
//! An event without a price is an error that names it, never zero. Every number of a device has evidence, provenance and a
//! source; every result is an interval whose grade is that of the weakest number that matters.
//!
//! What this first version does not model is listed in [`comparison::EXCLUDED`], and printed with every comparison.

pub mod comparison;
pub mod cost;
pub mod device;
pub mod error;
pub mod gpu;
pub mod interval;
pub mod ledger;
pub mod precision;
pub mod provenance;
pub mod units;
pub mod workload;

pub use error::Error;
