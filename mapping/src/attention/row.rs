//! One attention row as a spin: its law, its exact output, and what programming it takes.

use ceas_sim::activity::Activity;
use ceas_sim::beta::Beta;
use ceas_sim::potts::{Law, PottsSpin};

use crate::error::Error;
use crate::heads::Head;

/// The spin of one (head, query) with everything that is exactly known about it.
#[derive(Debug, Clone)]
pub struct Row {
    /// The spin; its labels are the keys `[n_keys]`, masked keys being absent.
    pub spin: PottsSpin,
    /// The law at β: the attention row.
    pub law: Law,
    /// o = Σ_j p_j v_j, `[d_value]`.
    pub output: Vec<f64>,
    /// V = Σ_j p_j |v_j − o|²: variance of one draw of v, summed over components.
    pub variance: f64,
    /// |o|².
    pub signal: f64,
    /// Standard deviation of the scores over the visible keys (normalised by their number), in units of q·k.
    pub sigma: f64,
    /// Events of setting the row up: one field per visible key, each a sum of d_head couplings.
    pub programming: Activity,
}

impl Row {
    /// The row of query `query`. Scores are accumulated in f64, in the order of the dimensions.
    ///
    /// # Errors
    /// [`Error::NoKey`] if every key is masked, [`Error::Sim`] if a score is not finite.
    pub fn new(head: &Head<'_>, query: usize, beta: Beta) -> Result<Self, Error> {
        let mut fields = vec![f64::NEG_INFINITY; head.k.nrows()];
        let mut programming = Activity::default();
        let (mut sum, mut visible) = (0.0, 0u32);
        for key in head.keys(query) {
            let products = head.q.row(query).into_iter().zip(head.k.row(key));
            let score: f64 = products.map(|(&q, &k)| f64::from(q) * f64::from(k)).sum();
            fields[key] = score;
            programming.coupler_reads += head.q.ncols() as u64;
            programming.field_writes += 1;
            sum += score;
            visible += 1;
        }
        if visible == 0 {
            return Err(Error::NoKey { query });
        }
        let mean = sum / f64::from(visible);
        let squares: f64 = fields.iter().filter(|s| s.is_finite()).map(|s| (s - mean) * (s - mean)).sum();
        let spin = PottsSpin::new(&fields)?;
        let law = spin.law(beta);
        let output = mean_value(head, law.probabilities());
        let variance = law.probabilities().iter().enumerate().filter(|(_, p)| **p > 0.0);
        let variance = variance.map(|(key, p)| p * squared_distance(head, key, &output)).sum();
        Ok(Self {
            signal: output.iter().map(|x| x * x).sum(),
            sigma: (squares / f64::from(visible)).sqrt(),
            spin,
            law,
            output,
            variance,
            programming,
        })
    }
}

/// Σ_j p_j v_j over the keys, `[d_value]`.
fn mean_value(head: &Head<'_>, p: &[f64]) -> Vec<f64> {
    let mut output = vec![0.0; head.v.ncols()];
    for (value, &p) in head.v.rows().into_iter().zip(p) {
        if p > 0.0 {
            for (o, &v) in output.iter_mut().zip(value) {
                *o += p * f64::from(v);
            }
        }
    }
    output
}

/// |v_key − o|².
fn squared_distance(head: &Head<'_>, key: usize, output: &[f64]) -> f64 {
    head.v.row(key).iter().zip(output).map(|(&v, o)| (f64::from(v) - o).powi(2)).sum()
}
