//! Factored attention as the conditional law of a generalised Potts model.

use ceas_sim::Beta;
use ceas_sim::schedule::Schedule;
use ndarray::{Array2, s};

use crate::error::Error;
use crate::potts_network::{Occupations, PottsGibbs, PottsNetwork};
use crate::program::{Clamp, Component, Decoder, Fidelity, Footprint, Program};

/// E(s) = −Σ_(i<j) A_ij U(s_i, s_j): P(s_i = a | rest) = softmax_a β Σ_j A_ij U(a, s_j), which is one layer of attention whose weights A depend
/// on positions alone and whose values are the columns of U.
///
/// The input is a sentence with masked tokens, `None`; the others are clamped. The output is the law of every masked token, one after the
/// other, `[masked · colours]`, given the tokens that are there: a Gibbs sweep resamples what is masked.
#[derive(Debug, Clone, PartialEq)]
pub struct Factored {
    /// A `[positions, positions]`, symmetric: without symmetry there is no energy.
    pub attention: Array2<f64>,
    /// U `[colours, colours]`, symmetric.
    pub values: Array2<f64>,
    /// The inverse temperature.
    pub beta: Beta,
}

impl Factored {
    /// P(s_i = a | rest), the output of the attention layer at position i with all others known, `[colours]`.
    ///
    /// # Errors
    /// [`Error::Component`] if sizes or tokens do not fit.
    pub fn conditional(&self, tokens: &[usize], position: usize) -> Result<Vec<f64>, Error> {
        let mut masked: Vec<Option<usize>> = tokens.iter().map(|&token| Some(token)).collect();
        let Some(place) = masked.get_mut(position) else { return refuse("there is no such position") };
        *place = None;
        self.reference(&masked)
    }

    /// The masked tokens as a network of their own in the fields of those that are there.
    fn network(&self, tokens: &[Option<usize>]) -> Result<PottsNetwork, Error> {
        let (n, colours) = (tokens.len(), self.values.nrows());
        if self.attention.dim() != (n, n) {
            return refuse("the attention matrix is [positions, positions]");
        }
        if tokens.iter().flatten().any(|&token| token >= colours) {
            return refuse("a token is one of the colours");
        }
        let masked: Vec<usize> = (0..n).filter(|&i| tokens[i].is_none()).collect();
        if masked.is_empty() {
            return refuse("at least one token is masked");
        }
        let mut fields = Array2::zeros((masked.len(), colours));
        for (row, &i) in masked.iter().enumerate() {
            for (j, token) in tokens.iter().enumerate() {
                if let Some(token) = token {
                    fields
                        .row_mut(row)
                        .scaled_add(self.attention[[i, j]], &self.values.slice(s![.., *token]));
                }
            }
        }
        let between = Array2::from_shape_fn((masked.len(), masked.len()), |(a, b)| {
            self.attention[[masked[a], masked[b]]]
        });
        PottsNetwork::independent(fields)?.coupled(between, self.values.clone())
    }
}

fn refuse<T>(violated: &'static str) -> Result<T, Error> {
    Err(Error::Component { component: "factored attention", violated })
}

impl Component for Factored {
    type Input = [Option<usize>];
    type Update = PottsGibbs;
    type Decoder = Occupations;

    fn lower(&self, tokens: &[Option<usize>]) -> Result<Program<PottsGibbs, Occupations>, Error> {
        let model = self.network(tokens)?;
        let (sites, states) = model.size();
        let known = tokens.iter().enumerate().filter_map(|(unit, token)| Some((unit, (*token)?)));
        Ok(Program {
            model,
            clamps: known.map(|(unit, token)| Clamp { unit, value: token as f64 }).collect(),
            start: vec![0; sites],
            update: PottsGibbs,
            schedule: Schedule::Constant(self.beta),
            decoder: Occupations { sites, states },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    /// By enumeration of the masked tokens, for at most 2²⁰ ways to fill them.
    fn reference(&self, tokens: &[Option<usize>]) -> Result<Vec<f64>, Error> {
        Ok(self.network(tokens)?.marginals(self.beta)?.into_iter().collect())
    }

    fn footprint(&self, tokens: &[Option<usize>]) -> Footprint {
        let colours = self.values.nrows() as u64;
        let masked = tokens.iter().filter(|token| token.is_none()).count() as u64;
        let known = tokens.len() as u64 - masked;
        let decoder = Occupations { sites: masked as usize, states: colours as usize };
        debug_assert_eq!(decoder.width() as u64, masked * colours);
        Footprint {
            spins: masked * colours,
            clamps: known,
            couplings: (masked * masked.saturating_sub(1) / 2 + masked * known) * colours * colours,
            fields: 0,
            read_outs: masked * u64::from(colours.next_power_of_two().trailing_zeros()),
        }
    }
}
