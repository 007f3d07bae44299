//! K as couplings and the query as clamps, on six kinds of hardware, for one row of a trained head: `cargo run --example attention_memory`.

use ceas_npu::mapping::attention::{Row, SoftmaxRow, memory::MemoryRow, textbook_beta};
use ceas_npu::mapping::encoding::{domain_wall::DomainWallRow, tree::TreeRow};
use ceas_npu::mapping::one_hot::{OneHotRow, Penalty};
use ceas_npu::mapping::program::{Component, Reading};
use ceas_npu::mapping::qkv;
use ceas_npu::sim::potts::PottsSpin;
use ndarray::s;

type Done = Result<(), Box<dyn std::error::Error>>;

/// Prints the most likely key and the worst deviation of all.
fn show<C: Component>(name: &str, row: &C, input: &C::Input, reading: &Reading) -> Done {
    let (read, exact) = (row.lower(input)?.run(reading)?, row.reference(input)?);
    let top = (0..exact.len()).max_by(|&a, &b| exact[a].total_cmp(&exact[b])).ok_or("no key")?;
    let (p, mean, sigma) = (exact[top], read.mean[top], read.deviations(&exact)[top]);
    print!(
        "{name:<22} key {top}: exact {p:.4}   sampled {:.4} ± {:.4}   {sigma:+.1} σ",
        mean.mean, mean.error
    );
    println!("   worst key {:.1} σ   valid {:.3}", read.worst(&exact), read.valid.mean);
    Ok(())
}

fn main() -> Done {
    let heads = qkv::read("data/minilm_maxwell.safetensors".as_ref())?;
    let (head, beta) = (heads.head(1, 10), textbook_beta(32));
    let row = Row::new(&head, 40, beta)?;
    // Twelve keys, so that every one of them is read often enough to have an error.
    let spin = PottsSpin::new(&(36..48).map(|key| row.spin.gap(key)).collect::<Vec<_>>())?;
    let keys = head.k.slice(s![36..48, ..]).mapv(f64::from);
    let query: Vec<f64> = head.q.row(40).iter().map(|&q| f64::from(q)).collect();

    let reading = Reading { thermalization: 200, ..Reading::new(5000.try_into()?, 1) };
    show("Potts spin", &SoftmaxRow { beta }, &spin, &reading)?;
    show("K in the couplings", &MemoryRow { keys, beta }, &query, &reading)?;
    show("tree of p-bits", &TreeRow { beta }, &spin, &reading)?;
    show("one-hot, free p-bits", &OneHotRow { beta, penalty: Penalty::NONE }, &spin, &reading)?;
    show("one-hot, βA = 3", &OneHotRow { beta, penalty: Penalty { strength: 3.0 } }, &spin, &reading)?;
    show("domain wall, βκ = 1.5", &DomainWallRow { beta, stiffness: 1.5 }, &spin, &reading)
}
