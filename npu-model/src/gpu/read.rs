//! A GPU baseline from the text of its file: everything is checked, nothing is guessed.

use serde::Deserialize;

use super::{Gpu, Series};
use crate::device::{Place, RawNumber, Rule, toml_reason};
use crate::error::Error;
use crate::provenance::{Evidence, Fact, Provenance};
use crate::units::FlopsPerSecond;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGpu {
    schema: u32,
    id: String,
    name: String,
    #[serde(default)]
    notes: Vec<String>,
    peak_flops_per_s: RawNumber,
    bandwidth_bytes_per_s: RawNumber,
    l2_bytes: RawCount<f64>,
    multiprocessors: RawCount<u64>,
    tdp_w: RawNumber,
    idle_w: RawNumber,
    launch_s: RawNumber,
    flop_j: RawNumber,
    byte_j: RawNumber,
    series: Vec<RawSeries>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount<T> {
    value: T,
    provenance: Provenance,
    source: String,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Fit,
    HoldOut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeries {
    id: String,
    role: Role,
    d_head: u64,
    causal: bool,
    seq: Vec<u64>,
    tflops: Vec<f64>,
    t_inf_tflops: Option<f64>,
    n_half: Option<f64>,
    max_err: Option<f64>,
    #[serde(rename = "evidence")]
    _evidence: Evidence,
    provenance: Provenance,
    source: String,
}

pub(super) fn gpu(file: &str, text: &str) -> Result<Gpu, Error> {
    let raw: RawGpu =
        toml::from_str(text).map_err(|e| Error::Toml { file: file.into(), reason: toml_reason(text, &e) })?;
    let place = |key| Place { file, key };
    if raw.schema != 1 {
        return Err(place("schema").wrong(format!("is {}: this program reads schema 1", raw.schema)));
    }
    if raw.multiprocessors.value == 0 {
        return Err(place("multiprocessors").wrong("is 0: it must be at least 1"));
    }
    if !(raw.l2_bytes.value.is_finite() && raw.l2_bytes.value > 0.0) {
        return Err(place("l2_bytes").wrong("must be a finite number > 0"));
    }
    let series = raw.series.into_iter().map(|s| one(s, file)).collect::<Result<Vec<_>, _>>()?;
    if !series.iter().any(|s| s.fitted) {
        return Err(place("series").wrong("has no entry with role = \"fit\": at least one is needed"));
    }
    Ok(Gpu {
        id: raw.id,
        name: raw.name,
        peak: raw.peak_flops_per_s.known(Rule::Positive, place("peak_flops_per_s"))?,
        bandwidth: raw.bandwidth_bytes_per_s.known(Rule::Positive, place("bandwidth_bytes_per_s"))?,
        l2_bytes: Fact {
            value: raw.l2_bytes.value,
            provenance: raw.l2_bytes.provenance,
            source: raw.l2_bytes.source,
        },
        multiprocessors: Fact {
            value: raw.multiprocessors.value,
            provenance: raw.multiprocessors.provenance,
            source: raw.multiprocessors.source,
        },
        tdp: raw.tdp_w.known(Rule::Positive, place("tdp_w"))?,
        idle: raw.idle_w.known(Rule::Positive, place("idle_w"))?,
        launch: raw.launch_s.known(Rule::Positive, place("launch_s"))?,
        flop: raw.flop_j.known(Rule::Positive, place("flop_j"))?,
        byte: raw.byte_j.known(Rule::Positive, place("byte_j"))?,
        series,
        notes: raw.notes,
    })
}

fn one(raw: RawSeries, file: &str) -> Result<Series, Error> {
    let key = format!("series.{}", raw.id);
    let wrong = |reason: String| Err(Place { file, key: &key }.wrong(reason));
    let sensible = |x: f64| x.is_finite() && x > 0.0;
    if raw.seq.len() != raw.tflops.len() || raw.seq.is_empty() {
        return wrong(format!("has {} lengths and {} throughputs", raw.seq.len(), raw.tflops.len()));
    }
    if raw.seq.contains(&0) || raw.d_head == 0 || !raw.tflops.iter().all(|&t| sensible(t)) {
        return wrong("needs lengths ≥ 1, d_head ≥ 1 and finite throughputs > 0".into());
    }
    let fitted = raw.role == Role::Fit;
    let (t_inf, n_half, max_err) = match (raw.t_inf_tflops, raw.n_half, raw.max_err) {
        (Some(t), Some(n), Some(e)) if fitted && sensible(t) && n.is_finite() && n >= 0.0 && sensible(e) => {
            (t, n, e)
        }
        (None, None, None) if !fitted => (0.0, 0.0, 0.0),
        _ => {
            return wrong(
                "needs t_inf_tflops, n_half and max_err if it is a fit, and none of them if it is a hold-out"
                    .into(),
            );
        }
    };
    let tera = |t: f64| FlopsPerSecond::new(t * 1e12);
    let series = Series {
        id: raw.id,
        fitted,
        d_head: raw.d_head,
        causal: raw.causal,
        seq: raw.seq,
        achieved: raw.tflops.into_iter().map(tera).collect(),
        t_inf: tera(t_inf),
        n_half,
        max_err,
        provenance: raw.provenance,
        source: raw.source,
    };
    let deviation = if fitted { series.deviation_from(&series) } else { 0.0 };
    if deviation > max_err {
        return wrong(format!("misses its own points by {deviation:.4}, more than max_err = {max_err}"));
    }
    Ok(series)
}
