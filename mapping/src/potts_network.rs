//! Several Potts spins that feel each other: the model behind everything in which one choice depends on another.
//!
//! ```text
//! E(s) = −Σ_i h_i(s_i) − Σ_(i<j) A_ij U(s_i, s_j)        P(s_i = a | rest) = softmax_a β(h_i(a) + Σ_j A_ij U(a, s_j))
//! ```

use ceas_sim::activity::Activity;
use ceas_sim::beta::Beta;
use ceas_sim::stream::Streams;
use ceas_sim::update::Update;
use ndarray::{Array1, Array2, ArrayView1};

use crate::error::Error;
use crate::program::Decoder;

/// Potts spins with fields `[sites, states]`, −∞ for an absent state, couplings A `[sites, sites]` and a table U `[states, states]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PottsNetwork {
    pub(crate) fields: Array2<f64>,
    /// A, with a diagonal that is not looked at; `None` if no spin feels another.
    pub(crate) couplings: Option<(Array2<f64>, Array2<f64>)>,
}

/// The most configurations that are enumerated.
const MOST_CONFIGURATIONS: usize = 1 << 20;

impl PottsNetwork {
    /// Spins that do not feel each other: the clusters of attention, one per (head, query).
    ///
    /// # Errors
    /// [`Error::Component`] if a field is NaN or +∞, or a spin has no state.
    pub fn independent(fields: Array2<f64>) -> Result<Self, Error> {
        let wrong = |row: ArrayView1<'_, f64>| {
            row.iter().any(|h| h.is_nan() || *h == f64::INFINITY) || row.iter().all(|h| !h.is_finite())
        };
        if fields.rows().into_iter().any(wrong) || fields.is_empty() {
            return refuse("fields are finite or −∞ for an absent state, and every spin has a state");
        }
        Ok(Self { fields, couplings: None })
    }

    /// The same spins, coupled.
    ///
    /// # Errors
    /// [`Error::Component`] unless A and U are square, symmetric and finite, of the sizes of the fields: without symmetry there is no energy.
    pub fn coupled(self, couplings: Array2<f64>, table: Array2<f64>) -> Result<Self, Error> {
        let (sites, states) = self.fields.dim();
        if couplings.dim() != (sites, sites) || table.dim() != (states, states) {
            return refuse("couplings are [sites, sites] and their table is [states, states]");
        }
        for matrix in [&couplings, &table] {
            if matrix.indexed_iter().any(|((i, j), x)| !x.is_finite() || matrix[[j, i]] != *x) {
                return refuse("couplings and their table are finite and symmetric");
            }
        }
        Ok(Self { couplings: Some((couplings, table)), ..self })
    }

    /// Number of spins and of states of each.
    pub fn size(&self) -> (usize, usize) {
        self.fields.dim()
    }

    /// h_i(a) + Σ_j A_ij U(a, s_j) for every state a of spin i: what it feels.
    pub fn local_fields(&self, state: &[usize], site: usize) -> Array1<f64> {
        let mut h = self.fields.row(site).to_owned();
        if let Some((couplings, table)) = &self.couplings {
            for (other, &s) in state.iter().enumerate().filter(|(other, _)| *other != site) {
                h.scaled_add(couplings[[site, other]], &table.column(s));
            }
        }
        h
    }

    /// E(s), total.
    ///
    /// # Panics
    /// If `state` has not one entry per spin.
    pub fn energy(&self, state: &[usize]) -> f64 {
        assert_eq!(state.len(), self.fields.nrows(), "one state per spin");
        let mut energy = 0.0;
        for (i, &s) in state.iter().enumerate() {
            energy -= self.fields[[i, s]];
            if let Some((couplings, table)) = &self.couplings {
                for (j, &t) in state.iter().enumerate().skip(i + 1) {
                    energy -= couplings[[i, j]] * table[[s, t]];
                }
            }
        }
        energy
    }

    /// P(s_i = a) of every spin and state, by a sum over all configurations; of independent spins, by softmax.
    ///
    /// # Errors
    /// [`Error::Component`] if there are more than 2²⁰ configurations.
    pub fn marginals(&self, beta: Beta) -> Result<Array2<f64>, Error> {
        let (sites, states) = self.fields.dim();
        if self.couplings.is_none() {
            let mut p = self.fields.clone();
            for mut row in p.rows_mut() {
                let high = row.fold(f64::NEG_INFINITY, |high, &h| high.max(h));
                row.mapv_inplace(|h| libm::exp(beta.value() * (h - high)));
                let z = row.sum();
                row /= z;
            }
            return Ok(p);
        }
        let count = states.checked_pow(sites as u32).filter(|count| *count <= MOST_CONFIGURATIONS);
        let Some(count) = count else {
            return refuse("more than 2²⁰ configurations cannot be enumerated");
        };
        let weigh = |number: usize, state: &mut Vec<usize>| {
            let mut rest = number;
            for s in state.iter_mut() {
                (*s, rest) = (rest % states, rest / states);
            }
            -beta.value() * self.energy(state)
        };
        let mut state = vec![0; sites];
        let top = (0..count).map(|number| weigh(number, &mut state)).fold(f64::NEG_INFINITY, f64::max);
        let mut p = Array2::zeros((sites, states));
        let mut z = 0.0;
        for number in 0..count {
            let weight = libm::exp(weigh(number, &mut state) - top);
            z += weight;
            for (i, &s) in state.iter().enumerate() {
                p[[i, s]] += weight;
            }
        }
        Ok(p / z)
    }
}

fn refuse<T>(violated: &'static str) -> Result<T, Error> {
    Err(Error::Component { component: "Potts network", violated })
}

/// Gibbs sampling: every spin in turn is drawn from its law given the others. A sweep satisfies balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PottsGibbs;

impl Update for PottsGibbs {
    type Model = PottsNetwork;
    type State = Vec<usize>;

    /// One attempt per state of every spin, 53 random bits per spin, one coupler read per other spin.
    fn sweep(
        &mut self,
        model: &PottsNetwork,
        state: &mut Vec<usize>,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        let (sites, states) = model.size();
        let mut activity = Activity {
            attempts: (sites * states) as u64,
            random_bits: 53 * sites as u64,
            ..Activity::default()
        };
        if model.couplings.is_some() {
            activity.coupler_reads = (sites * (sites - 1)) as u64;
        }
        for site in 0..sites {
            let mut weights = model.local_fields(state, site);
            let high = weights.fold(f64::NEG_INFINITY, |high, &h| high.max(h));
            weights.mapv_inplace(|h| libm::exp(beta.value() * (h - high)));
            let mut left = streams.first().uniform() * weights.sum();
            let mut drawn = 0;
            for (a, w) in weights.iter().enumerate().filter(|(_, w)| **w > 0.0) {
                drawn = a;
                left -= w;
                if left < 0.0 {
                    break;
                }
            }
            activity.flips += u64::from(drawn != state[site]);
            state[site] = drawn;
        }
        activity
    }
}

/// Counts the states of every spin: output i·states + a is how often spin i was in state a.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupations {
    /// Number of spins.
    pub sites: usize,
    /// States of each.
    pub states: usize,
}

impl Decoder for Occupations {
    type State = Vec<usize>;

    fn width(&self) -> usize {
        self.sites * self.states
    }

    fn read(&self, state: &Vec<usize>, sum: &mut [f64]) -> bool {
        for (i, &s) in state.iter().enumerate() {
            sum[i * self.states + s] += 1.0;
        }
        true
    }
}
