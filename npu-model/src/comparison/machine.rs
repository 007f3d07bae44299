//! GPUs and processors in a comparison of whole transformers.

use super::draws::of_machine;
use super::inference::{InferenceQuestion, InferenceRow, cannot, from_cost};
use crate::bill::Draws;
use crate::cost::Cost;
use crate::device::Kind;
use crate::error::Error;
use crate::gpu::{self, Format, Gpu};
use crate::interval::Interval;
use crate::units::Joules;
use crate::workload::{Inference, Phase, Shape, Workload};

/// A GPU's row, and its draws.
pub(super) struct GpuRow {
    pub(super) row: InferenceRow,
    pub(super) energy: Option<f64>,
    pub(super) draws: Draws,
}

impl InferenceQuestion {
    /// The row of a machine of which only attention is known: what it takes for that part stands in its notes.
    pub(super) fn attention_only(&self, gpu: &Gpu, reason: String) -> GpuRow {
        let t = &self.inference.transformer;
        let task = self.inference.task;
        let heads = t.heads.saturating_mul(task.batch);
        let work = Shape::square(task.context, t.d_head, true)
            .and_then(|shape| Workload::new(t.layers, heads, shape));
        let what = match (task.phase, work) {
            (Phase::Prefill, Ok(work)) => {
                let time = gpu.price_as(&work, Format::Fp32, gpu::Load::Filled).time;
                format!(
                    "attention of all layers by itself takes {:.3e} s ({:.1e} to {:.1e})",
                    time.mid.value(),
                    time.low.value(),
                    time.high.value()
                )
            }
            _ => "attention was measured with as many queries as keys, and a step of decode has one".into(),
        };
        let mut notes = vec![format!("{}: {what}", gpu.name)];
        notes.extend(gpu.notes.iter().cloned());
        let kind = if gpu.kind == gpu::Machine::Cpu { Kind::Cpu } else { Kind::Gpu };
        GpuRow { row: cannot(gpu.id.clone(), kind, reason, notes), energy: None, draws: Draws::default() }
    }

    pub(super) fn gpu_row(&self, gpu: &Gpu) -> Result<GpuRow, Error> {
        let priced = pass(gpu, &self.inference)?;
        let mut notes = gpu.notes.clone();
        notes.extend(priced.extrapolated.iter().map(|why| format!("throughput extrapolated: {why}")));
        let half = self.rows.rounding(16);
        let kind = if gpu.kind == gpu::Machine::Cpu { Kind::Cpu } else { Kind::Gpu };
        let shown = Cost {
            energy: priced.energy.unwrap_or(Interval::exactly(Joules::new(0.0))),
            time: priced.time,
            energy_by: priced.energy_by.clone(),
            time_by: priced.time_by.clone(),
            pipelined: false,
            binds: priced.binds,
            energy_evidence: priced.energy_evidence,
            time_evidence: priced.time_evidence,
        };
        let row = InferenceRow {
            energy_j: priced.energy,
            output_error: half,
            ..from_cost(gpu.id.clone(), kind, &shown, notes)
        };
        let draws = of_machine(&gpu.id, &priced, self.draws, self.seed);
        Ok(GpuRow { energy: priced.energy.map(|e| e.mid.value()), row, draws })
    }
}

/// One pass of a model on a GPU, in half precision.
pub(super) fn pass(gpu: &Gpu, work: &Inference) -> Result<gpu::GpuCost, Error> {
    let (fresh, cached) = match work.task.phase {
        Phase::Prefill => (work.task.context, 0),
        Phase::Decode => (1, work.task.context - 1),
    };
    gpu.price_pass(&work.transformer, work.task.batch, fresh, cached, Format::Fp16)
}
