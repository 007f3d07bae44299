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
//! Whole transformers are priced from their `config.json`: [`workload::Inference`] lists what they do, [`choice`] how a device
//! goes about it, [`bill`] what that costs, with the uncertainty of every number. What is not modelled is listed in
//! [`comparison::EXCLUDED`], and printed with every comparison.

pub mod bill;
pub mod choice;
pub mod comparison;
pub mod component;
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
