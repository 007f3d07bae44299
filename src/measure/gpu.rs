//! The portable kernel (`attention.wgsl`) on an adapter of the system, through wgpu.

use std::fmt;
use std::time::Instant;

use half::f16;
use wgpu::util::DeviceExt;

use super::adapter::Adapter;
use super::host;
use super::problem::Problem;
use super::{Error, Measured, Plan, Point};
use ceas_npu_model::gpu::{Format, Machine, Measurement};

/// Queries of a workgroup; the kernel says the same.
const ROWS: u64 = 32;
/// Shared memory of a workgroup in bytes: two chunks, a tile of probabilities, parts of row sums.
const SHARED: u32 = 2 * 288 * 16 + 1056 * 4 + 256 * 4;
/// Largest relative error that rounding explains, in f32, and with q, k, v and o stored in 16 bits.
const ALLOWED: [f64; 2] = [1e-5, 1e-3];
/// Shortest time that is measured at once, in seconds; shorter work is repeated within.
const SHORTEST: f64 = 2e-3;

const SOURCE: &str = include_str!("attention.wgsl");

/// A device with the kernel compiled for one head dimension and storage.
struct Kernel {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    timestamps: Option<Timestamps>,
    format: Format,
}

struct Timestamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readable: wgpu::Buffer,
    /// Nanoseconds of a tick.
    period: f64,
}

/// Buffers of one problem.
struct Bound {
    group: wgpu::BindGroup,
    output: wgpu::Buffer,
    tiles: (u32, u32),
}

fn failed(what: &str, error: impl fmt::Display) -> Error {
    Error::Failed(format!("{what}: {error}"))
}

/// Refuses what the adapter cannot hold, before anything is made.
fn fits(plan: &Plan, adapter: &Adapter) -> Result<(), Error> {
    let limits = adapter.handle.limits();
    let size = if plan.format == Format::Fp16 { 2 } else { 4 };
    let refuse = |reason: String| Err(Error::Impossible(format!("{}: {reason}", adapter.name)));
    if plan.format == Format::Fp16 && !adapter.f16 {
        return refuse("it does not offer f16: use --format f32".into());
    }
    if adapter.shared_memory < SHARED {
        return refuse(format!(
            "its workgroups share {} bytes, and the kernel needs {SHARED}",
            adapter.shared_memory
        ));
    }
    for &n in &plan.lengths {
        let bytes = plan.heads * n * plan.d * size;
        let largest = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        if bytes > largest {
            return refuse(format!(
                "n = {n} with {} heads of d = {} takes {bytes} bytes for q alone, and its largest buffer has {largest}",
                plan.heads, plan.d
            ));
        }
        let most = u64::from(limits.max_compute_workgroups_per_dimension);
        if n.div_ceil(ROWS) > most || plan.heads > most {
            return refuse(format!(
                "n = {n} with {} heads takes more than {most} workgroups in one dimension",
                plan.heads
            ));
        }
    }
    Ok(())
}

impl Kernel {
    fn new(plan: &Plan, adapter: &Adapter) -> Result<Self, Error> {
        let mut features = wgpu::Features::empty();
        features.set(wgpu::Features::TIMESTAMP_QUERY, adapter.timestamps);
        features.set(wgpu::Features::SHADER_F16, plan.format == Format::Fp16);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("ceas bench gpu"),
            required_features: features,
            required_limits: adapter.handle.limits(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.handle.request_device(&descriptor))
            .map_err(|e| failed("opening the adapter", e))?;
        let (enable, stored) =
            if plan.format == Format::Fp16 { ("enable f16;\n", "f16") } else { ("", "f32") };
        let chunks = plan.d.div_ceil(ROWS);
        let source = format!(
            "{enable}alias Stored = {stored};\nconst WIDTH: u32 = {}u;\nconst ACC: u32 = {}u;\n{SOURCE}",
            plan.d / 4,
            4 * chunks
        );
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("attention"),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("attention"),
            layout: None,
            module: &module,
            entry_point: Some("attend"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(failed("compiling the kernel", error));
        }
        let timestamps = adapter.timestamps.then(|| Timestamps {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer(&device, 16, wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            readable: buffer(&device, 16, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ),
            period: f64::from(queue.get_timestamp_period()),
        });
        Ok(Self { device, queue, pipeline, timestamps, format: plan.format })
    }

    fn bind(&self, problem: &Problem) -> Bound {
        let bytes = |numbers: &[f32]| match self.format {
            Format::Fp16 => {
                let halves: Vec<u16> = numbers.iter().map(|&x| f16::from_f32(x).to_bits()).collect();
                bytemuck::cast_slice(&halves).to_vec()
            }
            _ => bytemuck::cast_slice(numbers).to_vec(),
        };
        let made = |contents: &[u8], usage| {
            let descriptor = wgpu::util::BufferInitDescriptor { label: None, contents, usage };
            self.device.create_buffer_init(&descriptor)
        };
        let inputs = [&problem.q, &problem.k, &problem.v]
            .map(|numbers| made(&bytes(numbers), wgpu::BufferUsages::STORAGE));
        let size = (problem.q.len() * if self.format == Format::Fp16 { 2 } else { 4 }) as u64;
        let output = buffer(&self.device, size, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC);
        let scale = 1.0 / (problem.d as f32).sqrt();
        let shape = [problem.n as u32, u32::from(problem.causal), scale.to_bits(), 0];
        let shape = made(bytemuck::cast_slice(&shape), wgpu::BufferUsages::UNIFORM);
        let bound = [&inputs[0], &inputs[1], &inputs[2], &output, &shape];
        let entries: Vec<wgpu::BindGroupEntry<'_>> = bound
            .iter()
            .enumerate()
            .map(|(i, b)| wgpu::BindGroupEntry { binding: i as u32, resource: b.as_entire_binding() })
            .collect();
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Bound { group, output, tiles: ((problem.n as u64).div_ceil(ROWS) as u32, problem.heads as u32) }
    }

    /// Seconds of one of `times` runs by the wall clock, and by the adapter's own where it has one that moves.
    fn run(&self, bound: &Bound, times: usize) -> Result<(f64, Option<f64>), Error> {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let writes = self.timestamps.as_ref().map(|t| wgpu::ComputePassTimestampWrites {
                query_set: &t.queries,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes: writes };
            let mut pass = encoder.begin_compute_pass(&descriptor);
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &bound.group, &[]);
            for _ in 0..times {
                pass.dispatch_workgroups(bound.tiles.0, bound.tiles.1, 1);
            }
        }
        if let Some(t) = &self.timestamps {
            encoder.resolve_query_set(&t.queries, 0..2, &t.resolved, 0);
            encoder.copy_buffer_to_buffer(&t.resolved, 0, &t.readable, 0, 16);
        }
        let begin = Instant::now();
        self.queue.submit([encoder.finish()]);
        self.wait()?;
        let wall = begin.elapsed().as_secs_f64().max(1e-9) / times as f64;
        let own = match &self.timestamps {
            Some(t) => {
                let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&self.read(&t.readable)?);
                let elapsed = ticks[1].saturating_sub(ticks[0]) as f64 * t.period * 1e-9;
                // A clock that stands still, or tells of more time than passed, is not used.
                (elapsed > 0.0 && elapsed / times as f64 <= 1.05 * wall).then_some(elapsed / times as f64)
            }
            None => None,
        };
        Ok((wall, own))
    }

    fn wait(&self) -> Result<(), Error> {
        let waited = self.device.poll(wgpu::PollType::wait_indefinitely());
        waited.map(|_| ()).map_err(|e| failed("waiting for the adapter", e))
    }

    /// The bytes of a buffer that can be mapped.
    fn read(&self, buffer: &wgpu::Buffer) -> Result<Vec<u8>, Error> {
        let (sender, receiver) = std::sync::mpsc::channel();
        buffer.map_async(wgpu::MapMode::Read, .., move |outcome| {
            // The receiver waits below; it cannot have gone.
            let _ = sender.send(outcome);
        });
        self.wait()?;
        let outcome = receiver.recv().map_err(|e| failed("reading from the adapter", e))?;
        outcome.map_err(|e| failed("reading from the adapter", e))?;
        let view = buffer.get_mapped_range(..).map_err(|e| failed("reading from the adapter", e))?;
        let bytes = view.to_vec();
        drop(view);
        buffer.unmap();
        Ok(bytes)
    }

    fn output(&self, bound: &Bound) -> Result<Vec<f32>, Error> {
        let size = bound.output.size();
        let readable =
            buffer(&self.device, size, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&bound.output, 0, &readable, 0, size);
        self.queue.submit([encoder.finish()]);
        let bytes = self.read(&readable)?;
        Ok(match self.format {
            Format::Fp16 => {
                let halves: Vec<u16> = bytemuck::pod_collect_to_vec(&bytes);
                halves.into_iter().map(|bits| f16::from_bits(bits).to_f32()).collect()
            }
            _ => bytemuck::pod_collect_to_vec(&bytes),
        })
    }
}

fn buffer(device: &wgpu::Device, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

/// Measures an adapter: every length is compared with f64 first, then timed; the median of the repeats stands.
///
/// `step` is called after every measurement.
///
/// # Errors
/// [`Error::Impossible`] if the adapter cannot hold the problem or lacks the format; [`Error::Wrong`] if its output is not attention;
/// [`Error::Failed`] if it breaks.
pub fn measure(plan: &Plan, adapter: &Adapter, step: &dyn Fn()) -> Result<Measured, Error> {
    fits(plan, adapter)?;
    let half = plan.format == Format::Fp16;
    let kernel_name = if half {
        "portable WGSL, tiled online softmax, f16 storage, f32 arithmetic, no matrix units"
    } else {
        "portable WGSL, tiled online softmax, f32, no matrix units"
    };
    let allowed = ALLOWED[usize::from(half)];
    let (load, clocks) = (host::load(), adapter.clocks());
    let kernel = Kernel::new(plan, adapter)?;
    let mut points = Vec::new();
    let mut own_clock = adapter.timestamps;
    for &n in &plan.lengths {
        let mut problem = Problem::new(plan, n);
        if half {
            // The adapter is judged on the numbers that it was given.
            for numbers in [&mut problem.q, &mut problem.k, &mut problem.v] {
                numbers.iter_mut().for_each(|x| *x = f16::from_f32(*x).to_f32());
            }
        }
        let bound = kernel.bind(&problem);
        let (once, _) = kernel.run(&bound, 1)?;
        let accuracy = problem.accuracy(&kernel.output(&bound)?);
        // NaN is wrong as well.
        if !matches!(accuracy.relative_error.partial_cmp(&allowed), Some(std::cmp::Ordering::Less)) {
            let (kernel, machine) = (kernel_name.to_owned(), adapter.name.clone());
            return Err(Error::Wrong { kernel, machine, found: accuracy.relative_error, allowed });
        }
        let inner = (SHORTEST / once).ceil().clamp(1.0, 1000.0) as usize;
        let mut times = Vec::new();
        for _ in 0..plan.repeats {
            times.push(kernel.run(&bound, inner)?);
            step();
        }
        let own: Option<Vec<f64>> = times.iter().map(|(_, own)| *own).collect();
        own_clock &= own.is_some();
        let times = own.unwrap_or_else(|| times.iter().map(|(wall, _)| *wall).collect());
        points.push(Point::of(n, times, plan.flops(n)?, accuracy));
    }
    let worst = points.iter().map(|p| p.accuracy.relative_error).fold(0.0, f64::max);
    let software = adapter.is_software();
    let name = if software {
        format!("software Vulkan driver on a CPU, not a GPU: {}", adapter.name)
    } else {
        format!("{}, portable kernel, measured", adapter.name)
    };
    let mut notes =
        vec!["a portable kernel without matrix units: a lower bound on what the part can do".to_owned()];
    if software {
        notes
            .push("software Vulkan driver on a CPU, not a GPU: it tests the kernel and prices no GPU".into());
    }
    Ok(Measured {
        plan: plan.clone(),
        kind: if software { Machine::Cpu } else { Machine::Gpu },
        id: if software { "software_vulkan".into() } else { "this_gpu".into() },
        name,
        kernel: kernel_name.into(),
        points,
        watts: None,
        notes,
        measurement: Measurement {
            program: host::program(),
            command: host::command(),
            date: host::date(),
            machine: format!("{} ({})", adapter.name, adapter.kind),
            driver: Some(adapter.driver.clone()).filter(|d| !d.is_empty()),
            backend: Some(adapter.backend.clone()),
            clocks,
            timer: if own_clock {
                "timestamps of the adapter"
            } else {
                "wall clock, launch and wait included (the adapter's timestamps are missing or do not move)"
            }
            .into(),
            repeats: plan.repeats as u64,
            heads: plan.heads,
            threads: None,
            load,
            relative_error: worst,
            power: "not metered by this program; `benches/gpu/attention_sdpa.py` samples it on NVIDIA parts"
                .into(),
        },
    })
}
