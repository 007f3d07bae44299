//! `benches/gpu/attention_sdpa.py`, the script that measures PyTorch on a machine with a GPU.
//!
//! What needs no PyTorch runs here always: the file it writes (read back by the model), its arguments, and the sampling of power, against
//! a program called nvidia-smi that the test puts in the way. Its CPU path needs PyTorch, which is half a gigabyte and not part of the
//! set-up: it runs where CEAS_TORCH_PYTHON names a Python that has it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ceas_npu::npu_model::gpu::{self, Format, Load, Machine, Power};
use ceas_npu::npu_model::workload::{Shape, Workload};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn python() -> Option<PathBuf> {
    let candidates = [root().join(".tools/bin/python3"), PathBuf::from("python3")];
    let found = candidates
        .into_iter()
        .find(|p| Command::new(p).arg("--version").output().is_ok_and(|o| o.status.success()));
    if found.is_none() {
        assert!(std::env::var_os("CEAS_REQUIRE_H5PY").is_none(), "no Python was found");
        eprintln!("skipped: no Python");
    }
    found
}

/// Runs Python code with the script as the module `sdpa`.
fn with_script(python: &Path, code: &str, path: Option<&Path>) -> Output {
    let script = format!(
        "import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {:?}); import attention_sdpa as sdpa\n{code}",
        root().join("benches/gpu")
    );
    let mut command = Command::new(python);
    command.args(["-c", &script]);
    if let Some(folder) = path {
        let old = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{old}", folder.display()));
    }
    command.output().unwrap()
}

#[test]
fn the_file_it_writes_is_a_baseline() {
    let Some(python) = python() else { return };
    // Two backends, one of them faster; rows are (n, median, shortest, longest, error, watts, heads).
    let code = r#"
options = sdpa.arguments(["--n", "1024,4096", "--d", "128", "--causal"])
rows = lambda slow: [(1024, 1e-3 * slow, 0.9e-3 * slow, 1.2e-3 * slow, 1e-4, 640.0, 256), (4096, 4e-3 * slow, 4e-3 * slow, 4e-3 * slow, 2e-4, 660.0, 64)]
results = {"SDPA flash": rows(1.0), "SDPA cuDNN": rows(0.5), "SDPA math": None}
print(sdpa.baseline(options, 'a "GPU"\n[x]', "driver", "PyTorch", results, 71.0, None, 8))
"#;
    let output = with_script(&python, code, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let read = gpu::Gpu::from_toml("measured.toml", &text).unwrap();
    assert_eq!((read.id.as_str(), read.kind, read.kernel.as_str()), ("this_gpu", Machine::Gpu, "SDPA cuDNN"));
    assert!(read.name.contains("a \"GPU\"\n[x]") && read.series.len() == 2);
    assert!(read.measurement.as_ref().unwrap().power.contains("71 W when idle"));
    let Some(Power::Metered(watts)) = &read.power else { panic!("power was sampled") };
    assert!((watts.nominal().value() - 650.0).abs() < 1e-9);
    // 64 heads of 4096 · 4097/2 pairs at 4·128 operations in 2 ms, by a fit whose two points differ by 0.07 %.
    let work = Workload::new(1, 64, Shape::square(4096, 128, true).unwrap()).unwrap();
    let cost = read.price_as(&work, Format::Fp16, Load::Alone);
    assert!((cost.time.mid.value() / 2e-3 - 1.0).abs() < 1e-3, "{:?}", cost.time);
    assert!((cost.energy.unwrap().mid.value() / 1.3 - 1.0).abs() < 1e-3);
}

#[test]
fn nothing_that_works_or_no_number_is_no_baseline() {
    let Some(python) = python() else { return };
    let nothing =
        "options = sdpa.arguments([]); sdpa.baseline(options, '', '', '', {'x': None}, None, None, 1)";
    let output = with_script(&python, nothing, None);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("no backend works"));
    let infinite = "options = sdpa.arguments([]); sdpa.baseline(options, '', '', '', {'x': [(8, 1e-300, 1e-300, 1e-300, float('nan'), None, 1)]}, None, None, 1)";
    let output = with_script(&python, infinite, None);
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be saved"));
    for wrong in ["['--n', '0']", "['--n', '8,4']", "['--d', '0']", "['--id', 'a b']", "['--format', 'fp4']"]
    {
        let output = with_script(&python, &format!("sdpa.arguments({wrong})"), None);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}

#[cfg(unix)]
#[test]
fn power_is_the_mean_of_the_second_half_of_the_samples() {
    use std::os::unix::fs::PermissionsExt;
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("nvidia-smi");
    // It stands in for the vendor's program: 500 W whenever power is asked for.
    std::fs::write(
        &tool,
        "#!/bin/sh\ncase \"$2\" in *power.draw*) echo 500.0;; *) echo '1500, 1980, 2619, 700';; esac\n",
    )
    .unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let code = "import time; p = sdpa.Power(); print(p.while_running(lambda: time.sleep(0.01), 0.4)); print(p.clocks())";
    let output = with_script(&python, code, Some(folder.path()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("500.0\n") && text.contains("SM 1500 of 1980 MHz"), "{text}");
    // A program that fails is no meter.
    std::fs::write(&tool, "#!/bin/sh\nexit 9\n").unwrap();
    let output = with_script(&python, code, Some(folder.path()));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "None\nNone\n");
}

#[test]
fn its_cpu_path_measures_where_there_is_pytorch() {
    let Some(python) = std::env::var_os("CEAS_TORCH_PYTHON") else {
        eprintln!("skipped: CEAS_TORCH_PYTHON names no Python with PyTorch");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let save = folder.path().join("torch.toml");
    let shape =
        ["--device", "cpu", "--n", "32,64", "--d", "16", "--heads", "2", "--batch", "1", "--repeats", "2"];
    let run = |extra: &[&str]| {
        Command::new(&python)
            .arg(root().join("benches/gpu/attention_sdpa.py"))
            .args(shape)
            .args(extra)
            .arg("--save")
            .arg(&save)
            .output()
            .unwrap()
    };
    let output = run(&["--causal"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = gpu::load(save.to_str().unwrap()).unwrap();
    assert_eq!((read.id.as_str(), read.kind), ("this_cpu_torch", Machine::Cpu));
    assert!(read.series.iter().any(|s| s.kernel == "SDPA math") && read.power.is_none());
    assert!(read.measurement.unwrap().relative_error < 1e-5);
    // An existing file is kept.
    assert!(!run(&[]).status.success());
}
