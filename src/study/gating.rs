//! What gating saves on a device: the events of the queries that are kept, priced beside those of all.

use ceas_mapping::control::Gated;
use ceas_npu_model::Error;
use ceas_npu_model::device::{Device, Encoding};
use ceas_npu_model::interval::Interval;
use ceas_npu_model::ledger::{Event, Ledger};
use ceas_npu_model::units::Joules;
use ceas_npu_model::workload::Workload;
use ceas_sim::activity::Activity;
use serde::Serialize;

/// Energy of all heads on one device, without and with gating.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateCost {
    /// Id of the device.
    pub device: String,
    /// Without gating.
    pub full_j: Interval<Joules>,
    /// With it. What decides whether a query is pruned, its scores, is paid for every query.
    pub gated_j: Interval<Joules>,
}

impl GateCost {
    /// 1 − gated/full at the middle of the ranges.
    pub fn saved(&self) -> f64 {
        1.0 - self.gated_j.mid.value() / self.full_j.mid.value()
    }
}

/// Prices gated heads, one workload each, on the devices whose events the runs counted: native samplers, and those that compute the rows exactly
/// (there, a pruned query spares its exponentials and its average, not its scores). One-hot devices need a run of their own and are left out.
///
/// # Errors
/// Those of [`Device::price`].
pub fn gate_costs(devices: &[Device], heads: &[(Workload, &Gated, u64)]) -> Result<Vec<GateCost>, Error> {
    let mut costs = Vec::new();
    for device in devices.iter().filter(|device| device.encoding != Encoding::OneHot) {
        let mut cost = GateCost { device: device.id.clone(), full_j: nothing(), gated_j: nothing() };
        for &(workload, gated, kept_pairs) in heads {
            if device.encoding == Encoding::Exact {
                cost.full_j = cost.full_j + device.price(&Activity::default(), &workload)?.energy;
                cost.gated_j = cost.gated_j + device.price_ledger(&computed(&workload, kept_pairs))?.energy;
            } else {
                cost.full_j = cost.full_j + device.price(&gated.full, &workload)?.energy;
                cost.gated_j = cost.gated_j + device.price(&gated.activity, &workload)?.energy;
            }
        }
        costs.push(cost);
    }
    Ok(costs)
}

fn nothing() -> Interval<Joules> {
    Interval::exactly(Joules::new(0.0))
}

/// All scores, and the softmax and averages of the pairs that are kept.
fn computed(workload: &Workload, kept_pairs: u64) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.enter(Event::FieldMacs, workload.field_macs());
    ledger.enter(Event::ValueMacs, kept_pairs * workload.shape.d_value);
    ledger.enter(Event::Exponentials, kept_pairs);
    ledger
}
