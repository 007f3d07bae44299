//! The machines that compute exactly: named baselines, files of one's own, and this processor, measured.

use anyhow::{Context, anyhow};
use ceas_npu::measure;
use ceas_npu::npu_model::device::{self, Device};
use ceas_npu::npu_model::gpu::{self, Gpu};
use ceas_npu::npu_model::workload::Shape;
use clap::Args;

use super::failure::{Blame, Failure};

/// Flags for baselines.
#[derive(Args, Debug)]
pub struct BaselineFlags {
    /// A GPU or baseline file to compare with, the first being the bar; may be repeated [default: h100_sxm]
    #[arg(long, value_name = "NAME|FILE.toml", help_heading = "Devices")]
    gpu: Vec<String>,
    /// Measure exact attention on this processor now, and add it as a row: differs from run to run
    #[arg(long, help_heading = "Devices")]
    measure_cpu: bool,
}

impl BaselineFlags {
    /// The baselines in order, this processor last, each with an id of its own that no device has;
    /// `named` are the devices as they were asked for.
    pub fn load(
        &self,
        named: &[String],
        devices: &[Device],
        shape: &Shape,
        seed: u64,
    ) -> Result<Vec<Gpu>, Failure> {
        let default = ["h100_sxm".to_owned()];
        let names = if self.gpu.is_empty() { &default[..] } else { &self.gpu[..] };
        let mut gpus: Vec<Gpu> = Vec::new();
        for name in names {
            let gpu = gpu::load(name).input()?;
            if gpus.iter().any(|g| g.id == gpu.id) {
                return Err(anyhow!("--gpu {name}: a baseline with the id {:?} is named twice", gpu.id))
                    .input();
            }
            gpus.push(gpu);
        }
        if self.measure_cpu {
            let cpu = measure::quick(shape, seed).context("--measure-cpu").run()?;
            if gpus.iter().any(|g| g.id == cpu.id) {
                return Err(anyhow!(
                    "--measure-cpu: a file of --gpu has the id {:?}, which is this processor's; give the file another",
                    cpu.id
                ))
                .input();
            }
            gpus.push(cpu);
        }
        for gpu in &gpus {
            let taken = |id: &str| id == gpu.id || id == format!("{}_alone", gpu.id);
            if taken(device::CONTROL) || devices.iter().any(|d| taken(&d.id)) {
                return Err(anyhow!(
                    "--device {}: the id {:?} is that of a baseline as well; give the file another",
                    named.join(", "),
                    gpu.id
                ))
                .input();
            }
        }
        Ok(gpus)
    }
}
