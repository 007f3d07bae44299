//! Llama-3-8B asked for prefill or decode: the question that the tests of whole models share.

#![allow(dead_code, reason = "every test file asks some of it")]

use std::collections::BTreeMap;

use ceas_npu_model::choice::{Rows, Target};
use ceas_npu_model::comparison::InferenceQuestion;
use ceas_npu_model::device::{self, Device, Encoding};
use ceas_npu_model::workload::{Inference, Phase, Task, Transformer};

const CONFIG: &str = include_str!("../../../data/configs/llama3-8b.json");

pub fn rows() -> Rows {
    Rows {
        variance: 5.4,
        sigma: 0.9,
        one_hot_sweeps: 2.5,
        rounding: BTreeMap::from([(8, 0.022), (16, 0.0003)]),
    }
}

pub fn work(phase: Phase, context: u64, batch: u64) -> Inference {
    Inference::new(Transformer::from_json("llama", CONFIG).unwrap(), Task { phase, context, batch }).unwrap()
}

pub fn question(phase: Phase, context: u64, batch: u64) -> InferenceQuestion {
    let inference = work(phase, context, batch);
    InferenceQuestion { inference, rows: rows(), target: Target::OutputError(0.1), draws: 500, seed: 1 }
}

pub fn samplers() -> Vec<Device> {
    device::compared_with_models().into_iter().filter(|d| d.encoding != Encoding::Exact).collect()
}

pub fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a / b - 1.0).abs() <= tolerance, "{a:e} against {b:e}");
}
