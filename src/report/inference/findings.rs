//! What a comparison of whole models comes to, in sentences.

use ceas_npu::npu_model::comparison::{InferenceComparison, InferenceRow};
use ceas_npu::npu_model::device::CONTROL;

use super::ModelReport;
use crate::report::number::times;
use crate::report::table::si;

/// Plain sentences, flattering or not.
pub fn findings(work: &ModelReport, comparison: &InferenceComparison) -> Vec<String> {
    let mut found = Vec::new();
    let find = |name: &str| comparison.rows.iter().find(|r| r.name == name && r.unreachable.is_none());
    let mid = |row: &InferenceRow| row.energy_j.map(|e| e.mid.value());
    let bar = find(&comparison.gpu).and_then(mid);
    if let (Some(gpu), Some(time)) = (bar, find(&comparison.gpu).and_then(|r| r.time_s)) {
        found.push(format!(
            "{} takes {} and {} for a token, {} for an attention output with its share of everything else.",
            comparison.gpu,
            si(time.mid.value() / work.tokens, "s"),
            si(gpu / work.tokens, "J"),
            si(gpu / work.attention_outputs, "J")
        ));
    }
    for row in &comparison.rows {
        if let Some(reason) = &row.unreachable {
            found.push(format!(
                "{} CANNOT do this: {}.",
                row.name,
                reason.trim_start_matches(&format!("{}: ", row.name))
            ));
        }
    }
    let control = find(CONTROL).and_then(mid);
    for row in comparison
        .rows
        .iter()
        .filter(|r| r.unreachable.is_none() && r.mapping.as_ref().is_some_and(|m| m.samples.is_some()))
    {
        let (Some(own), Some(bar), Some(control)) = (mid(row), bar, control) else { continue };
        let part = row.breakdown.energy_j.iter().max_by(|a, b| a.1.mid.value().total_cmp(&b.1.mid.value()));
        let most = part.map_or(String::new(), |(name, e)| {
            format!("; {:.0} % of it is {}", 100.0 * e.mid.value() / own, name.replace('_', " "))
        });
        let against = |other: f64, who: &str| match other / own {
            g if g >= 1.0 => format!("{} less energy than {who}", times(g)),
            g => format!("{} MORE energy than {who}", times(1.0 / g)),
        };
        found.push(format!(
            "{} (grade {}): {}, {}{most}.",
            row.name,
            row.evidence.name(),
            against(bar, "the GPU"),
            against(control, "the control without thermal physics")
        ));
    }
    if let (Some(resident), Some(streamed)) = (control, find("control_int8_streamed").and_then(mid)) {
        let digital = find("northpole_measured").and_then(mid).zip(bar);
        let real = digital.map_or(String::new(), |(e, bar)| match bar / e {
            g if g >= 1.0 => format!(" Measured silicon that does so gains {} over the GPU.", times(g)),
            g => format!(" Measured silicon that does so takes {} MORE energy than the GPU.", times(1.0 / g)),
        });
        found.push(format!(
            "Keeping weights, K and V on the chip is worth {} to the control, and needs no spin.{real}",
            times(streamed / resident)
        ));
    }
    let best = comparison
        .rows
        .iter()
        .filter(|r| r.unreachable.is_none() && r.mapping.is_some())
        .min_by(|a, b| mid(a).unwrap_or(f64::INFINITY).total_cmp(&mid(b).unwrap_or(f64::INFINITY)));
    if let Some(best) = best {
        let thermal = best.mapping.as_ref().is_some_and(|m| m.samples.is_some());
        found.push(format!(
            "Least energy at the middle of the ranges: {}, which {}.",
            best.name,
            if thermal { "samples" } else { "computes: no thermal physics" }
        ));
    }
    found
}
