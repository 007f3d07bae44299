//! From a ledger and a device to joules and seconds.
//!
//! ```text
//! E = Σ_event count · price
//! t = max_stage count / rate   (pipelined)   or   Σ_stage count / rate   (one after the other),   and t ≥ E / P_cap
//! ```
//!
//! The arithmetic itself is in [`crate::bill`].

use std::collections::BTreeMap;

use ceas_sim::activity::Activity;
use serde::Serialize;

use crate::bill::{Bill, Extent};
use crate::device::{Device, Encoding, Keys};
use crate::error::Error;
use crate::interval::Interval;
use crate::ledger::{Event, Ledger};
use crate::provenance::Evidence;
use crate::units::{Joules, Seconds};
use crate::workload::Workload;

/// The name of the stage that waits for power.
pub const POWER_CAP: &str = "power_cap";

/// Share of a total above which a number's evidence decides the grade of the result.
pub const MATTERS: f64 = 0.05;

/// What a piece of work costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Energy: the sum of `energy_by`.
    pub energy: Interval<Joules>,
    /// Time: the largest of `time_by` if `pipelined`, otherwise their sum, in both cases at least the stage
    /// [`POWER_CAP`].
    pub time: Interval<Seconds>,
    /// Energy of every part; for a device the parts are events.
    pub energy_by: BTreeMap<&'static str, Interval<Joules>>,
    /// Time of every stage.
    pub time_by: BTreeMap<&'static str, Interval<Seconds>>,
    /// Whether stages overlap.
    pub pipelined: bool,
    /// The stage that sets the time at the middle of the ranges.
    pub binds: &'static str,
    /// Grade of the energy: the weakest evidence of a part with more than [`MATTERS`] of it.
    pub energy_evidence: Evidence,
    /// Grade of the time: the evidence of the binding stage.
    pub time_evidence: Evidence,
}

impl Cost {
    /// The grade of the whole: the weaker of energy and time.
    pub fn evidence(&self) -> Evidence {
        self.energy_evidence.min(self.time_evidence)
    }
}

impl Device {
    /// The events of a piece of work on this device: those of the run, and the arithmetic that happens beside the spins.
    ///
    /// `activity` is what a run of the whole workload caused (nothing, if the device computes). A run counts every product of
    /// a field q·k as a coupler read and every number of K as a coupling write, as a device does that holds K in its array.
    /// The n_q·n_k·d products become field MACs, priced by what makes the fields; only the reads beyond them stay coupler
    /// reads. A device that makes the fields beside its spins writes no K, so those n_k·d writes fall away. The exact
    /// average and the exponentials happen only on a device that computes.
    ///
    /// # Errors
    /// [`Error::Workload`] if the run formed fewer products or wrote fewer couplings than the workload has: then it is a run of
    /// something else.
    pub fn ledger(&self, activity: &Activity, workload: &Workload) -> Result<Ledger, Error> {
        let products = workload.field_macs();
        let mut run = *activity;
        if self.encoding != Encoding::Exact {
            run.coupler_reads = beyond("read", activity.coupler_reads, products)?;
            let beside = beyond("wrote", activity.coupling_writes, workload.key_numbers())?;
            if self.keys == Keys::Beside {
                run.coupling_writes = beside;
            }
        }
        let mut ledger = Ledger::from(&run);
        ledger.enter(Event::FieldMacs, products);
        if self.keys == Keys::InArray {
            // Queries drive the rows of an array through converters; its lines end in comparators.
            ledger.enter(
                Event::DacConversions,
                workload.all_heads() * workload.shape.n_queries * workload.shape.d_head,
            );
            if self.encoding != Encoding::Exact {
                ledger.enter(Event::Comparisons, workload.pairs());
            }
        }
        if self.encoding == Encoding::Exact && self.keys == Keys::InArray {
            // K and V are programmed; scores are read, their exponentials drive the second array, and its columns are read.
            let outputs = workload.all_heads() * workload.shape.n_queries * workload.shape.d_value;
            ledger.enter(Event::CouplingWrites, workload.key_numbers() + workload.value_numbers());
            ledger.enter(Event::AdcConversions, workload.pairs() + outputs);
            ledger.enter(Event::DacConversions, workload.pairs());
        }
        if self.encoding == Encoding::Exact {
            ledger.enter(Event::ValueMacs, workload.value_macs());
            ledger.enter(Event::Exponentials, workload.pairs());
        }
        Ok(ledger)
    }

    /// Prices a piece of work.
    ///
    /// ```
    /// use ceas_npu_model::device;
    /// use ceas_npu_model::workload::{Shape, Workload};
    /// use ceas_sim::activity::Activity;
    ///
    /// let control = device::load("control_int8_digital").unwrap();
    /// let head = Workload::one(Shape::square(4096, 128, false).unwrap());
    /// let cost = control.price(&Activity::default(), &head).unwrap();
    /// assert!((cost.energy.mid.value() / 0.868e-3 - 1.0).abs() < 0.01); // joules: 51.7 pJ a pair
    /// ```
    ///
    /// # Errors
    /// [`Error::NoPrice`] and [`Error::NoRate`] if something happens that the device's file does not price or time;
    /// otherwise as [`Self::ledger`].
    pub fn price(&self, activity: &Activity, workload: &Workload) -> Result<Cost, Error> {
        self.price_ledger(&self.ledger(activity, workload)?)
    }

    /// Prices a ledger.
    ///
    /// # Errors
    /// [`Error::NoPrice`] and [`Error::NoRate`].
    pub fn price_ledger(&self, ledger: &Ledger) -> Result<Cost, Error> {
        Ok(Bill::new(self, ledger, Extent::ONE)?.cost())
    }
}

/// What a run did beyond what the fields of the workload take.
fn beyond(did: &str, run: u64, fields: u64) -> Result<u64, Error> {
    run.checked_sub(fields).ok_or_else(|| Error::Workload {
        reason: format!(
            "the run {did} {run} couplings, but the fields of the workload alone take {fields}: it is a run of another \
             workload"
        ),
    })
}
