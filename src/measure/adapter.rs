//! The adapters of the system: what they are, and what they offer.

use std::fmt;

use serde::Serialize;

/// An adapter that the system offers.
#[derive(Debug, Clone, Serialize)]
pub struct Adapter {
    /// Its name.
    pub name: String,
    /// Whether it is a GPU, or a driver that runs on the processor.
    pub kind: &'static str,
    /// Interface it is reached through.
    pub backend: String,
    /// Driver and version.
    pub driver: String,
    /// Whether 16-bit storage is offered.
    pub f16: bool,
    /// Whether kernels can be timed by the adapter's own clock.
    pub timestamps: bool,
    /// Bytes of the largest buffer that a kernel can read.
    pub largest_buffer: u64,
    /// Bytes of memory that a workgroup shares.
    pub shared_memory: u32,
    #[serde(skip)]
    pub(super) handle: wgpu::Adapter,
}

impl Adapter {
    /// Whether it is a driver that runs on the processor.
    pub fn is_software(&self) -> bool {
        self.kind == SOFTWARE
    }

    /// Clocks and power limit, where `nvidia-smi` knows the adapter.
    pub(super) fn clocks(&self) -> Option<String> {
        let query = "--query-gpu=name,clocks.sm,clocks.max.sm,clocks.mem,power.limit";
        let output = std::process::Command::new("nvidia-smi").args([query, "--format=csv,noheader"]).output();
        let text = String::from_utf8(output.ok().filter(|o| o.status.success())?.stdout).ok()?;
        let line = text.lines().find(|line| {
            let name = line.split(',').next().unwrap_or("").trim();
            !name.is_empty() && self.name.contains(name)
        })?;
        let numbers: Vec<&str> = line.split(',').skip(1).map(str::trim).collect();
        let [sm, most, memory, limit] = numbers[..] else { return None };
        Some(format!("SM {sm} of {most}, memory {memory}, power limit {limit} (before the run)"))
    }
}

const SOFTWARE: &str = "software driver on a CPU, not a GPU";

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offers = |yes: bool, what: &str| if yes { what.to_owned() } else { format!("no {what}") };
        write!(
            f,
            "{} ({}): {}, {}; {}, {}; buffers to {} MiB, {} KiB shared",
            self.name,
            self.kind,
            self.backend,
            self.driver,
            offers(self.f16, "f16"),
            offers(self.timestamps, "timestamps"),
            self.largest_buffer >> 20,
            self.shared_memory >> 10
        )
    }
}

/// All adapters, GPUs before software drivers.
pub fn adapters() -> Vec<Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut adapters: Vec<Adapter> = found
        .into_iter()
        .map(|handle| {
            let (info, features, limits) = (handle.get_info(), handle.features(), handle.limits());
            Adapter {
                name: info.name,
                kind: match info.device_type {
                    wgpu::DeviceType::DiscreteGpu => "discrete GPU",
                    wgpu::DeviceType::IntegratedGpu => "integrated GPU",
                    wgpu::DeviceType::VirtualGpu => "virtual GPU",
                    wgpu::DeviceType::Cpu => SOFTWARE,
                    wgpu::DeviceType::Other => "unknown kind",
                },
                backend: format!("{:?}", info.backend),
                driver: [info.driver, info.driver_info].join(" ").trim().to_owned(),
                f16: features.contains(wgpu::Features::SHADER_F16),
                timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
                largest_buffer: limits.max_storage_buffer_binding_size,
                shared_memory: limits.max_compute_workgroup_storage_size,
                handle,
            }
        })
        .collect();
    let order = ["discrete GPU", "integrated GPU", "virtual GPU", "unknown kind"];
    adapters.sort_by_key(|a| order.iter().position(|k| *k == a.kind).unwrap_or(order.len()));
    adapters
}
