//! Statements about hardware, and about the critical point of hyperbolic attention.

use ceas_mapping::control::slowing;
use ceas_mapping::criticality::{MeanField, RandomEnergy, exponential_fit, gaussian_rows};
use ceas_mapping::heads::HeadSet;
use ceas_npu_model::comparison::{Comparison, Question, Target};
use ceas_npu_model::device::{self, Kind};
use ceas_npu_model::gpu::Gpu;
use ceas_sim::beta::Beta;
use ceas_sim::topology::Topology;

use super::{Claim, Verdict, digits};
use crate::study;

/// Power of an H100 SXM by its data sheet, in watts; the page says 350–700 W.
const GPU_WATTS: f64 = 700.0;
/// "~5W".
const CLAIMED_WATTS: f64 = 5.0;

/// Every claim about substrates.
pub fn claims(heads: &HeadSet, seed: u64) -> Result<Vec<Claim>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(vec![
        slowing_down()?,
        hyperbolic()?,
        watts(heads, seed)?,
        growth(heads),
        quadratic(heads),
        memory(),
        training(),
    ])
}

/// τ of a sampler across β_c, from its spectrum.
fn slowing_down() -> Result<Claim, Box<dyn std::error::Error + Send + Sync>> {
    let rows = gaussian_rows(256, 60, 1)?;
    let beta_c = RandomEnergy { keys: 256, sigma: 1.0 }.beta_c();
    let betas: Result<Vec<Beta>, _> =
        [0.5, 0.94, 1.06, 2.0].map(|x| Beta::new(x * beta_c)).into_iter().collect();
    let tau: Vec<String> = slowing(&rows, &betas?).iter().map(|s| format!("{:.0}", s.tau_int)).collect();
    Ok(Claim {
        topic: "margin",
        claim: "τ ∼ ζ_CE^z peaks at β_c and is capped by u_min".into(),
        formula: "τ_int of Metropolis from its exact spectrum, Gaussian rows of 256 keys",
        ours: format!("τ = {} sweeps at 0.5, 0.94, 1.06, 2 β_c", tau.join(", ")),
        verdict: Verdict::Inconsistent,
        reason: "a row has no peak of τ at β_c; it depends on the sampler (a race has τ = ½ everywhere)"
            .into(),
    })
}

fn hyperbolic() -> Result<Claim, Box<dyn std::error::Error + Send + Sync>> {
    let tree = |depth: usize, a: f64| -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
        Ok(MeanField::of_distances(&Topology::cayley_tree(4, depth)?, a)?.beta_c())
    };
    let mut points = Vec::new();
    for a in [0.2, 0.4, 0.8, 1.2, 1.6] {
        points.push((a, tree(5, a)?));
    }
    let (slope, worst) = exponential_fit(&points).unwrap_or((f64::NAN, f64::NAN));
    Ok(Claim {
        topic: "hyperbolic attention",
        claim: "exact formula β_c ~ exp(C(κ) δ r_eff)/λ_max(T)".into(),
        formula: "1/λ_max(J), J = e^(−a d), tree of branching 3",
        ours: format!(
            "a = 0.4: {} → {} from depth 2 to 5; fit r = {}, off by × {}",
            digits(tree(2, 0.4)?, 3),
            digits(tree(5, 0.4)?, 2),
            digits(slope, 2),
            digits(worst.exp(), 2)
        ),
        verdict: Verdict::Inconsistent,
        reason: "shells grow as fast as couplings decay: β_c → 0 for a < ½ ln b; r_eff is then defined by the answer".into(),
    })
}

/// What 5 W would have to mean beside a GPU.
fn watts(heads: &HeadSet, seed: u64) -> Result<Claim, Box<dyn std::error::Error + Send + Sync>> {
    let devices = device::compared();
    let workload = study::workload(heads)?;
    let runs = study::head_runs(heads, &study::field_widths(&devices), seed, &|| {})?;
    let question = Question::new(workload, runs, Target::OutputError(0.1).checked()?)?;
    let comparison = Comparison::new(&question, &devices, &[Gpu::h100()])?;
    let energy = |name: &str| {
        comparison.rows.iter().find(|r| r.name == name).and_then(|r| r.energy_j).map(|e| e.mid.value())
    };
    let gpu = energy("h100_sxm").unwrap_or(f64::NAN);
    let ratios = comparison
        .rows
        .iter()
        .filter(|row| row.kind != Kind::Gpu)
        .filter_map(|row| Some((row.name.clone(), gpu / row.energy_j?.mid.value())));
    let mut list: Vec<(String, f64)> = ratios.collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1));
    let shown = |(name, ratio): &(String, f64)| format!("{name} {}×", digits(*ratio, 2));
    let needed = GPU_WATTS / CLAIMED_WATTS;
    Ok(Claim {
        topic: "hardware",
        claim: "~5 W per device instead of 350–700 W".into(),
        formula: "energy of an H100 over that of a device, same heads, 10 % output error (ceas compare)",
        ours: format!(
            "{needed:.0}× is needed at equal work; found: {}",
            list.iter().map(shown).collect::<Vec<_>>().join(", ")
        ),
        verdict: Verdict::Untestable,
        reason: "a power without a rate of work is no saving; no priced device reaches the ratio, and the digital control is not a spin device".into(),
    })
}

fn growth(heads: &HeadSet) -> Claim {
    let (n, d) = (heads.n_keys(), heads.d_head());
    Claim {
        topic: "hardware",
        claim: "dense model logic with sublinear hardware growth".into(),
        formula: "one coupling per weight; n·d couplings of K per head and context",
        ours: format!("{} couplings per head at n = {n}, d = {d}; doubling n doubles them", n * d),
        verdict: Verdict::Inconsistent,
        reason:
            "a weight that is not stored does not act: couplings grow in proportion to weights and context"
                .into(),
    }
}

fn quadratic(heads: &HeadSet) -> Claim {
    let n = heads.n_keys();
    Claim {
        topic: "hardware",
        claim: "O(n²) context attention replaced by global phase-locked coordination".into(),
        formula: "fields q·k of all pairs: n² per head",
        ours: format!("{} fields per head at n = {n} on our lattice", n * n),
        verdict: Verdict::Untestable,
        reason: "no formula for the replacement; static pairwise couplings alone cannot depend on content (the field u·x_i + w·x_j + b cancels in the softmax over j)".into(),
    }
}

fn memory() -> Claim {
    Claim {
        topic: "hardware",
        claim: "no repetitive DRAM fetches or backpropagation checkpoints".into(),
        formula: "none",
        ours: "–".into(),
        verdict: Verdict::Untestable,
        reason: "depends on a device; keeping data on the chip is what int8 arithmetic can do as well".into(),
    }
}

fn training() -> Claim {
    Claim {
        topic: "hardware",
        claim: "gradient-based training unnecessary: learning by physical relaxation".into(),
        formula: "none",
        ours: "–".into(),
        verdict: Verdict::Untestable,
        reason: "no rule or result is given".into(),
    }
}
