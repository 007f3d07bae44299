//! A baseline from the text of its file: everything is checked, nothing is guessed.

use serde::Deserialize;

use super::series::{Curve, Format, Role, Series};
use super::{Board, Gpu, Machine, Measurement, Power};
use crate::device::{Place, RawFact, RawNumber, Rule, papers, toml_reason};
use crate::error::Error;
use crate::provenance::{Evidence, Fact, Known, Provenance};
use crate::units::{FlopsPerSecond, Quantity, Share};

/// Points of a series, and series of a file, beyond which it is no baseline.
const MOST: usize = 256;
/// Longest sequence of a series.
const LONGEST: u64 = 1 << 32;
/// Most throughput that anything reaches, in TFLOP/s.
const FASTEST: f64 = 1e9;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGpu {
    schema: u32,
    id: String,
    name: String,
    kind: Machine,
    kernel: String,
    #[serde(default)]
    notes: Vec<String>,
    peak_flops_per_s: Option<RawNumber>,
    products_flops_per_s: Option<RawNumber>,
    bandwidth_bytes_per_s: Option<RawNumber>,
    reached_bandwidth_share: Option<RawNumber>,
    l2_bytes: Option<RawFact<f64>>,
    memory_bytes: Option<RawFact<f64>>,
    multiprocessors: Option<RawFact<u64>>,
    clock_hz: Option<RawFact<f64>>,
    tdp_w: Option<RawNumber>,
    idle_w: Option<RawNumber>,
    flop_j: Option<RawNumber>,
    byte_j: Option<RawNumber>,
    drawn_share_arithmetic: Option<RawNumber>,
    drawn_share_memory: Option<RawNumber>,
    metered_w: Option<RawNumber>,
    launch_s: Option<RawNumber>,
    replay_s: Option<RawNumber>,
    measurement: Option<Measurement>,
    series: Vec<RawSeries>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeries {
    id: String,
    role: Role,
    kernel: String,
    format: Format,
    d_head: u64,
    causal: bool,
    #[serde(default)]
    seq: Vec<u64>,
    #[serde(default)]
    tflops: Vec<f64>,
    n_half: Option<f64>,
    share_of_peak: Option<[f64; 3]>,
    spread: Option<[f64; 3]>,
    evidence: Evidence,
    provenance: Provenance,
    source: String,
    checked: Option<String>,
}

/// A file with its name, for messages.
struct Reader<'f> {
    file: &'f str,
}

impl<'f> Reader<'f> {
    fn place(&self, key: &'f str) -> Place<'f> {
        Place { file: self.file, key }
    }

    fn positive<Q: Quantity>(&self, raw: Option<RawNumber>, key: &'f str) -> Result<Option<Known<Q>>, Error> {
        raw.map(|n| n.known(Rule::Positive, self.place(key))).transpose()
    }

    /// A share of something: more than 0, at most 1.
    fn share(&self, raw: Option<RawNumber>, key: &'f str) -> Result<Option<Known<Share>>, Error> {
        let known = self.positive::<Share>(raw, key)?;
        if let Some(share) = &known
            && share.range.high.value() > 1.0
        {
            let high = share.range.high.value();
            return Err(self.place(key).wrong(format!("reaches {high}: a share is at most 1")));
        }
        Ok(known)
    }

    fn count<T: Copy + PartialOrd + From<u8>>(
        &self,
        raw: Option<RawFact<T>>,
        key: &'f str,
        finite: impl Fn(T) -> bool,
    ) -> Result<Option<Fact<T>>, Error> {
        let Some(raw) = raw else { return Ok(None) };
        if !(finite(raw.value) && raw.value >= T::from(1)) {
            return Err(self.place(key).wrong("must be a finite number of at least 1"));
        }
        raw.fact(self.place(key)).map(Some)
    }
}

pub(super) fn gpu(file: &str, text: &str) -> Result<Gpu, Error> {
    let raw: RawGpu =
        toml::from_str(text).map_err(|e| Error::Toml { file: file.into(), reason: toml_reason(text, &e) })?;
    let r = Reader { file };
    if raw.schema != 2 {
        return Err(r.place("schema").wrong(format!("is {}: this program reads schema 2", raw.schema)));
    }
    let plain = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !plain(&raw.id) {
        return Err(r.place("id").wrong("must consist of letters, digits and underscores"));
    }
    let peak = r.positive::<FlopsPerSecond>(raw.peak_flops_per_s, "peak_flops_per_s")?;
    let power = {
        let metered = r.positive(raw.metered_w, "metered_w")?;
        let tdp = r.positive(raw.tdp_w, "tdp_w")?;
        let idle = r.positive(raw.idle_w, "idle_w")?;
        let flop = r.positive(raw.flop_j, "flop_j")?;
        let byte = r.positive(raw.byte_j, "byte_j")?;
        let arithmetic = r.share(raw.drawn_share_arithmetic, "drawn_share_arithmetic")?;
        let memory = r.share(raw.drawn_share_memory, "drawn_share_memory")?;
        match (metered, tdp, idle, flop, byte, arithmetic, memory) {
            (Some(metered), None, None, None, None, None, None) => Some(Power::Metered(metered)),
            (None, Some(tdp), Some(idle), Some(flop), Some(byte), Some(arithmetic), Some(memory)) => {
                Some(Power::Modelled(Box::new(Board { tdp, idle, flop, byte, arithmetic, memory })))
            }
            (None, None, None, None, None, None, None) => None,
            _ => {
                return Err(r.place("tdp_w").wrong(
                    "comes with idle_w, flop_j, byte_j, drawn_share_arithmetic and drawn_share_memory, or none of them is \
                     there; metered_w stands alone",
                ));
            }
        }
    };
    let bandwidth = r.positive(raw.bandwidth_bytes_per_s, "bandwidth_bytes_per_s")?;
    let reached = r.share(raw.reached_bandwidth_share, "reached_bandwidth_share")?;
    if bandwidth.is_some() != reached.is_some() {
        return Err(r
            .place("bandwidth_bytes_per_s")
            .wrong("and reached_bandwidth_share come together, or neither is there"));
    }
    if raw.series.len() > MOST {
        return Err(r
            .place("series")
            .wrong(format!("has {} entries: a baseline has at most {MOST}", raw.series.len())));
    }
    let series = raw.series.into_iter().map(|s| one(s, peak.as_ref(), &r)).collect::<Result<Vec<_>, _>>()?;
    if !series.iter().any(|s| s.curve.is_some()) {
        return Err(r
            .place("series")
            .wrong("has no entry with role = \"fit\" or \"assumed\": at least one is needed"));
    }
    if let Some((i, twice)) =
        series.iter().enumerate().find(|(i, s)| series[..*i].iter().any(|o| o.id == s.id))
    {
        return Err(r.place("series").wrong(format!(
            "number {} has the id {:?} of an earlier one",
            i + 1,
            twice.id
        )));
    }
    let finite = |x: f64| x.is_finite();
    Ok(Gpu {
        id: raw.id,
        name: raw.name,
        kind: raw.kind,
        kernel: raw.kernel,
        peak,
        products: r.positive(raw.products_flops_per_s, "products_flops_per_s")?,
        bandwidth,
        reached,
        l2_bytes: r.count(raw.l2_bytes, "l2_bytes", finite)?,
        memory_bytes: r.count(raw.memory_bytes, "memory_bytes", finite)?,
        multiprocessors: r.count(raw.multiprocessors, "multiprocessors", |_| true)?,
        clock_hz: r.count(raw.clock_hz, "clock_hz", finite)?,
        power,
        launch: r.positive(raw.launch_s, "launch_s")?,
        replay: r.positive(raw.replay_s, "replay_s")?,
        series,
        measurement: raw.measurement,
        notes: raw.notes,
    })
}

fn one(raw: RawSeries, peak: Option<&Known<FlopsPerSecond>>, r: &Reader<'_>) -> Result<Series, Error> {
    let key = format!("series.{}", raw.id);
    let wrong = |reason: String| Err(Place { file: r.file, key: &key }.wrong(reason));
    papers(&raw.source, raw.checked.as_deref(), Place { file: r.file, key: &key })?;
    let sensible = |x: f64| x.is_finite() && x > 0.0;
    let rising = |x: [f64; 3]| x.iter().all(|&x| sensible(x)) && x[0] <= x[1] && x[1] <= x[2];
    if !(1..=65_536).contains(&raw.d_head) {
        return wrong(format!("has d_head = {}: it must be 1 to 65536", raw.d_head));
    }
    if let Some(spread) = raw.spread
        && (!rising(spread) || spread[2] > 100.0)
    {
        return wrong(format!(
            "has spread {spread:?}: three factors > 0 that rise are expected, at most 100"
        ));
    }
    if raw.n_half.is_some_and(|n| !(n.is_finite() && (0.0..=LONGEST as f64).contains(&n))) {
        return wrong("has an n_half that is no length".into());
    }
    let tera = |t: f64| FlopsPerSecond::new(t * 1e12);
    let (curve, spread) = if raw.role == Role::Assumed {
        let (Some(share), Some(n_half), Some(peak), None) = (raw.share_of_peak, raw.n_half, peak, raw.spread)
        else {
            return wrong(
                "is assumed: it needs share_of_peak and n_half, the file needs peak_flops_per_s, and the spread follows"
                    .into(),
            );
        };
        if !rising(share) || share[2] > 1.0 || !(raw.seq.is_empty() && raw.tflops.is_empty()) {
            return wrong(
                "is assumed: share_of_peak is three rising shares of at most 1, and there are no points"
                    .into(),
            );
        }
        let t_inf = FlopsPerSecond::new(peak.nominal().value() * share[1]);
        let curve = Curve { t_inf, n_half, gamma: 1.0, max_err: 0.0 };
        (Some(curve), Some(share.map(|s| s / share[1])))
    } else {
        if raw.seq.len() != raw.tflops.len() || raw.seq.is_empty() || raw.seq.len() > MOST {
            return wrong(format!("has {} lengths and {} throughputs", raw.seq.len(), raw.tflops.len()));
        }
        if raw.seq[0] == 0 || raw.seq.windows(2).any(|w| w[0] >= w[1]) || raw.seq.iter().any(|&n| n > LONGEST)
        {
            return wrong("needs lengths that rise from at least 1 to at most 2³²".into());
        }
        if !raw.tflops.iter().all(|&t| sensible(t) && t <= FASTEST) {
            return wrong("needs finite throughputs > 0".into());
        }
        if raw.share_of_peak.is_some() {
            return wrong("was measured: share_of_peak belongs to an assumed series".into());
        }
        let single = raw.seq.len() == 1;
        if raw.n_half.is_some() != (single && raw.role == Role::Fit) {
            return wrong("needs n_half exactly if it is a fit to a single point".into());
        }
        let points: Vec<(u64, f64)> =
            raw.seq.iter().copied().zip(raw.tflops.iter().map(|t| t * 1e12)).collect();
        let curve = (raw.role == Role::Fit).then(|| Curve::fitted(&points, raw.n_half));
        (curve, raw.spread)
    };
    Ok(Series {
        id: raw.id,
        role: raw.role,
        kernel: raw.kernel,
        format: raw.format,
        d_head: raw.d_head,
        causal: raw.causal,
        seq: raw.seq,
        achieved: raw.tflops.into_iter().map(tera).collect(),
        curve,
        spread,
        evidence: raw.evidence.worth(raw.provenance, raw.checked.is_some()),
        provenance: raw.provenance,
        source: raw.source,
        checked: raw.checked,
    })
}
