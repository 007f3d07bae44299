//! The portable kernel on whatever adapter there is: with Debian's mesa-vulkan-drivers a software driver on the processor. Runs with
//! `cargo test --features gpu --test gpu_kernel`. Where no adapter is found the tests say so and pass, unless CEAS_REQUIRE_VULKAN is set.
#![cfg(feature = "gpu")]

use assert_cmd::Command;
use ceas_npu::measure::{self, Adapter, Plan};
use ceas_npu::npu_model::gpu::{self, Format, Machine};

fn adapter() -> Option<Adapter> {
    let found = measure::adapters().into_iter().next();
    if found.is_none() {
        assert!(std::env::var_os("CEAS_REQUIRE_VULKAN").is_none(), "no adapter was found");
        eprintln!("skipped: no adapter for Vulkan, Metal or Direct3D 12");
    }
    found
}

fn plan(lengths: &[u64], d: u64, heads: u64, causal: bool, format: Format) -> Plan {
    let plan = Plan { lengths: lengths.to_vec(), d, heads, causal, format, repeats: 2, seed: 1 };
    plan.checked().unwrap()
}

#[test]
fn the_kernel_computes_attention_whatever_the_shape() {
    let Some(adapter) = adapter() else { return };
    for (lengths, d, heads, causal) in [
        (&[1, 31, 32, 33, 100][..], 64, 2, false),
        (&[1, 31, 32, 65, 100][..], 64, 2, true),
        (&[70][..], 4, 3, true),
        (&[70][..], 20, 1, false),
        (&[40][..], 128, 1, true),
        (&[40][..], 256, 1, false),
    ] {
        // `on_gpu` itself refuses to time what is not attention.
        let measured =
            measure::on_gpu(&plan(lengths, d, heads, causal, Format::Fp32), &adapter, &|| {}).unwrap();
        for point in &measured.points {
            assert_eq!(point.accuracy.rows as u64, heads * point.n);
            assert!(point.accuracy.relative_error < 2e-6, "d = {d}: {point:?}");
            assert!(point.seconds > 0.0);
        }
    }
}

#[test]
fn sixteen_bits_cost_their_rounding_and_no_more() {
    let Some(adapter) = adapter() else { return };
    let plan = plan(&[65], 32, 2, true, Format::Fp16);
    if !adapter.f16 {
        let refused = measure::on_gpu(&plan, &adapter, &|| {}).unwrap_err().to_string();
        assert!(refused.contains("does not offer f16"), "{refused}");
        return;
    }
    let measured = measure::on_gpu(&plan, &adapter, &|| {}).unwrap();
    // The output is rounded to 11 bits: a relative error of 2⁻¹²/√3 to 2⁻¹¹/√3, uniform within a binade.
    let error = measured.points[0].accuracy.relative_error;
    assert!((1e-4..4e-4).contains(&error), "{error}");
}

#[test]
fn what_it_cannot_hold_is_refused_before_anything_is_made() {
    let Some(adapter) = adapter() else { return };
    let n = adapter.largest_buffer / 4 / 128 + 1;
    let Ok(plan) = (Plan {
        lengths: vec![n],
        d: 128,
        heads: 1,
        causal: false,
        format: Format::Fp32,
        repeats: 1,
        seed: 1,
    })
    .checked() else {
        return;
    };
    let refused = measure::on_gpu(&plan, &adapter, &|| {}).unwrap_err();
    assert!(matches!(refused, measure::Error::Impossible(_)), "{refused}");
    assert!(refused.to_string().contains("largest buffer"), "{refused}");
}

#[test]
fn the_command_saves_a_baseline_and_calls_a_software_driver_by_its_name() {
    let Some(adapter) = adapter() else { return };
    let folder = tempfile::tempdir().unwrap();
    let save = folder.path().join("gpu.toml");
    let shape = ["--n", "32,64", "--d", "16", "--heads", "2", "--repeats", "2"];
    let ceas = || Command::cargo_bin("ceas").unwrap();
    let output = ceas().args(["bench", "gpu", "--save"]).arg(&save).args(shape).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(text.contains("portable") && text.lines().all(|l| l.chars().count() <= 110), "{text}");
    let baseline = gpu::load(save.to_str().unwrap()).unwrap();
    assert!(baseline.power.is_none(), "nobody metered");
    if adapter.is_software() {
        assert!(text.contains("software Vulkan driver on a CPU, not a GPU"), "{text}");
        assert_eq!(baseline.kind, Machine::Cpu);
        assert!(baseline.name.contains("not a GPU"));
    }
    ceas().args(["bench", "gpu", "--list"]).assert().success();
    for (arguments, says) in [
        (["--adapter", "no such adapter"], "there is"),
        (["--n", "0"], "at least 1"),
        (["--d", "6"], "multiple of 4"),
        (["--format", "f8"], "f16"),
    ] {
        let output = ceas().args(["bench", "gpu"]).args(arguments).assert().code(2);
        let stderr = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(stderr.contains(says) && !stderr.contains("panicked"), "{stderr}");
    }
}
