//! What a head of 256 queries and keys costs on the shipped devices beside an H100, at 10 % output error.

use ceas_npu::npu_model::comparison::{Comparison, Question, Target};
use ceas_npu::npu_model::device;
use ceas_npu::npu_model::gpu::Gpu;
use ceas_npu::study::{Gaussian, field_widths};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let devices = device::compared();
    let head = Gaussian { n: 256, d: 64, beta_sigma: 1.5, common: 0.1 };
    let run = head.run(&field_widths(&devices), 1, &|| ())?;
    let question = Question::new(head.workload()?, vec![run], Target::OutputError(0.1))?;
    let comparison = Comparison::new(&question, &devices, &[Gpu::h100()])?;
    for row in &comparison.rows {
        if let (Some(energy), Some(time)) = (row.energy_j, row.time_s) {
            println!(
                "{:<22} {:.2e} J  {:.2e} s  {:.3} error  {}",
                row.name,
                energy.mid.value(),
                time.mid.value(),
                row.output_error,
                row.evidence.name()
            );
        }
    }
    Ok(())
}
