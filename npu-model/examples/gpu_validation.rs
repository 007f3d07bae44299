//! Prints the validation table of the GPU model, as it stands in `docs/gpu.md`:
//! `cargo run -p ceas-npu-model --example gpu_validation`.

use ceas_npu_model::gpu::{self, Batch, Format, Gpu, Load, Role};
use ceas_npu_model::workload::{Shape, Transformer, Workload};

fn main() {
    fits();
    hold_outs();
    lattice();
    models();
}

fn fits() {
    println!("V13, fitted on the source: yes");
    println!(
        "{:32} {:>6} {:>6} {:>5} {:>7} {:>13}",
        "series", "T_inf", "n_half", "γ", "worst", "leave-one-out"
    );
    for gpu in gpu::shipped() {
        for s in gpu.series.iter().filter(|s| s.role == Role::Fit && s.seq.len() >= 5) {
            let Some(law) = s.curve.filter(|_| gpu.id != "h200_sxm") else { continue };
            println!(
                "{:32} {:6.0} {:6.0} {:5.2} {:6.1} % {:11.1} %",
                format!("{} {}", gpu.id.split('_').next().unwrap_or(""), s.id),
                law.t_inf.value() * 1e-12,
                law.n_half,
                law.gamma,
                100.0 * law.max_err,
                100.0 * s.leave_one_out()
            );
        }
    }
}

fn hold_outs() {
    println!("\nV14, fitted on the source: no");
    for gpu in gpu::shipped() {
        for held in gpu.series.iter().filter(|s| s.role == Role::HoldOut) {
            for (&n, &achieved) in held.seq.iter().zip(&held.achieved) {
                let heads = (16_384 / n).max(1) * 2048 / held.d_head;
                let shape = Shape::square(n, held.d_head, held.causal).expect("small");
                let work = Workload::new(1, heads, shape).expect("small");
                let time = gpu.price(&work, Load::Filled).time;
                let flops = work.flops() as f64 * 1e-12;
                let [low, mid, high] = [time.high, time.mid, time.low].map(|t| flops / t.value());
                let measured = achieved.value() * 1e-12;
                println!(
                    "{:12} {:30} n = {n:6}  measured {measured:6.0}  model {mid:6.0} ({low:.0} to {high:.0})  {:+.1} %",
                    gpu.id,
                    held.id,
                    100.0 * (mid / measured - 1.0)
                );
            }
        }
    }
}

fn lattice() {
    println!("\nV15, fitted on the source: the V100 alone; flips/ns");
    for (part, published) in [("v100_sxm2", 383.1), ("a100_sxm_80", 517.0), ("h100_sxm", 892.7)] {
        let gpu = gpu::load(part).expect("shipped");
        let flips = gpu.ising_flips().expect("known").mid.value() * 1e-9;
        let memory = 0.9 * gpu.bandwidth.as_ref().expect("known").nominal().value() / 1.5e9;
        println!(
            "{part:12} published {published:6.1}  model {flips:6.1} {:+5.1} %   from memory {memory:6.0} {:+5.0} %",
            100.0 * (flips / published - 1.0),
            100.0 * (memory / published - 1.0)
        );
    }
}

fn models() {
    println!("\nV18, fitted on the source: no; output tokens/s of TensorRT-LLM on an A100 80 GB, fp16");
    let llama = Transformer {
        layers: 32,
        hidden: 4096,
        heads: 32,
        kv_heads: 32,
        d_head: 128,
        intermediate: 11_008,
        gated: true,
        vocabulary: 32_000,
        family: String::new(),
        tied: false,
        causal: true,
    };
    let gpt_j = Transformer {
        layers: 28,
        heads: 16,
        kv_heads: 16,
        d_head: 256,
        intermediate: 16_384,
        gated: false,
        vocabulary: 50_400,
        ..llama.clone()
    };
    let gpu: Gpu = gpu::load("a100_sxm_80").expect("shipped");
    let cases = [
        (
            "LLaMA-7B, release 0.7",
            llama.clone(),
            [
                (256, 128, 128, 5353.0),
                (32, 128, 2048, 1518.0),
                (32, 2048, 128, 547.0),
                (16, 2048, 2048, 613.0),
            ],
        ),
        (
            "LLaMA-7B, release 0.5",
            llama,
            [
                (64, 128, 128, 3486.0),
                (32, 128, 2048, 1459.0),
                (32, 2048, 128, 529.0),
                (16, 2048, 2048, 592.0),
            ],
        ),
        (
            "GPT-J 6B, release 0.5",
            gpt_j,
            [
                (64, 128, 128, 3679.0),
                (32, 128, 2048, 1558.0),
                (32, 2048, 128, 526.0),
                (16, 2048, 2048, 650.0),
            ],
        ),
    ];
    for (name, model, rows) in cases {
        for (sequences, prompt, generated, published) in rows {
            let batch = Batch { sequences, prompt, generated };
            let time = gpu.generation(&model, &batch, Format::Fp16).expect("possible");
            let [low, mid, high] =
                [time.high, time.mid, time.low].map(|t| (sequences * generated) as f64 / t.value());
            println!(
                "{name}  batch {sequences:3}  {prompt:4} + {generated:4}  published {published:5.0}  model {mid:5.0} ({low:.0} to {high:.0})  {:+.1} %",
                100.0 * (mid / published - 1.0)
            );
        }
    }
}
