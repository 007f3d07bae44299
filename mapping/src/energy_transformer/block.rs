//! One block of an energy transformer: its energy, its force, and the force as a read-out of spins.

use ceas_sim::Beta;
use ceas_sim::schedule::Schedule;
use ndarray::{Array1, Array2, Array3, ArrayView1, Axis};

use crate::error::Error;
use crate::potts_network::{PottsGibbs, PottsNetwork};
use crate::program::{Component, Decoder, Fidelity, Footprint, Program};

/// g = γ (x − mean)/√(var + ε) + δ, the gradient of a convex Lagrangian.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyNorm {
    /// γ > 0: one number for all components, as it must be for g to be a gradient.
    pub gain: f64,
    /// δ, `[d]`.
    pub shift: Array1<f64>,
    /// ε > 0.
    pub epsilon: f64,
}

impl EnergyNorm {
    fn root(&self, x: ArrayView1<'_, f64>) -> (f64, f64) {
        let d = x.len() as f64;
        let mean = x.sum() / d;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d;
        (mean, (variance + self.epsilon).sqrt())
    }

    /// L(x) = d γ √(var + ε) + δ·x of one token.
    pub fn lagrangian(&self, x: ArrayView1<'_, f64>) -> f64 {
        x.len() as f64 * self.gain * self.root(x).1 + self.shift.dot(&x)
    }

    /// g = ∂L/∂x of every token, `[tokens, d]`.
    pub fn apply(&self, x: &Array2<f64>) -> Array2<f64> {
        let mut g = x.clone();
        for mut row in g.rows_mut() {
            let (mean, root) = self.root(row.view());
            row.mapv_inplace(|x| self.gain * (x - mean) / root);
            row += &self.shift;
        }
        g
    }
}

/// Weights of a block. As a component: the input is g `[tokens, d]`, the output its force −∂E/∂g, one token after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct EnergyBlock {
    /// W_Q, `[heads, d_head, d]`.
    pub query: Array3<f64>,
    /// W_K, `[heads, d_head, d]`.
    pub key: Array3<f64>,
    /// Ξ, `[memories, d]`.
    pub memories: Array2<f64>,
    /// β > 0 of attention.
    pub beta: Beta,
    /// Whether a token may attend to itself.
    pub to_itself: bool,
    /// From x to g.
    pub norm: EnergyNorm,
}

/// Reads both thermal averages: for every query in a state, W_Qᵀk for the query's token and W_Kᵀq for the key's, on top of what needs no spin.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockReadout {
    tokens: usize,
    width: usize,
    /// W_Qᵀ k of every head and token, `[heads · tokens, d]`.
    pulls_of_keys: Array2<f64>,
    /// W_Kᵀ q of every head and token.
    pulls_of_queries: Array2<f64>,
    /// Ξᵀ relu(Ξ g), `[tokens, d]`.
    memory_force: Array2<f64>,
}

impl Decoder for BlockReadout {
    type State = Vec<usize>;

    fn width(&self) -> usize {
        self.tokens * self.width
    }

    fn read(&self, state: &Vec<usize>, sum: &mut [f64]) -> bool {
        let mut add = |token: usize, pull: ArrayView1<'_, f64>| {
            let sum = &mut sum[token * self.width..(token + 1) * self.width];
            sum.iter_mut().zip(pull).for_each(|(sum, x)| *sum += x);
        };
        for (cluster, &key) in state.iter().enumerate() {
            let head = cluster / self.tokens;
            add(cluster % self.tokens, self.pulls_of_keys.row(head * self.tokens + key));
            add(key, self.pulls_of_queries.row(cluster));
        }
        for (token, force) in self.memory_force.rows().into_iter().enumerate() {
            add(token, force);
        }
        true
    }
}

impl EnergyBlock {
    fn check(&self, g: &Array2<f64>) -> Result<(), Error> {
        let d = g.ncols();
        let fits =
            self.query.dim() == self.key.dim() && self.query.dim().2 == d && self.memories.ncols() == d;
        if !fits || g.nrows() < 2 || self.beta.value() == 0.0 || self.norm.shift.len() != d {
            return Err(Error::Component {
                component: "energy transformer",
                violated: "W_Q and W_K are [heads, d_head, d], Ξ is [memories, d], there are two tokens or more, and β > 0",
            });
        }
        Ok(())
    }

    /// Scores Q_q·K_k of all heads, `[heads · tokens, tokens]`, −∞ on the diagonal if tokens do not attend to themselves.
    fn scores(&self, g: &Array2<f64>) -> Array2<f64> {
        let n = g.nrows();
        let mut scores = Array2::zeros((self.query.dim().0 * n, n));
        for (head, (wq, wk)) in self.query.axis_iter(Axis(0)).zip(self.key.axis_iter(Axis(0))).enumerate() {
            let s = g.dot(&wq.t()).dot(&g.dot(&wk.t()).t());
            for ((q, k), s) in s.indexed_iter() {
                let absent = q == k && !self.to_itself;
                scores[[head * n + q, k]] = if absent { f64::NEG_INFINITY } else { *s };
            }
        }
        scores
    }

    /// What a key in the state adds to its query, and a query to its key: W_QᵀW_K g and W_KᵀW_Q g, each `[heads · tokens, d]`.
    fn pulls(&self, g: &Array2<f64>) -> [Array2<f64>; 2] {
        let n = g.nrows();
        let stack = |outer: &Array3<f64>, inner: &Array3<f64>| {
            let mut pulls = Array2::zeros((outer.dim().0 * n, g.ncols()));
            for (head, (o, i)) in outer.axis_iter(Axis(0)).zip(inner.axis_iter(Axis(0))).enumerate() {
                pulls.slice_mut(ndarray::s![head * n..(head + 1) * n, ..]).assign(&g.dot(&i.t()).dot(&o));
            }
            pulls
        };
        [stack(&self.query, &self.key), stack(&self.key, &self.query)]
    }

    fn memory_force(&self, g: &Array2<f64>) -> Array2<f64> {
        g.dot(&self.memories.t()).mapv(|x| x.max(0.0)).dot(&self.memories)
    }

    /// E(g), dimensionless.
    ///
    /// # Errors
    /// [`Error::Component`] if shapes do not fit.
    pub fn energy(&self, g: &Array2<f64>) -> Result<f64, Error> {
        self.check(g)?;
        let b = self.beta.value();
        let free = |row: ArrayView1<'_, f64>| {
            let high = row.fold(f64::NEG_INFINITY, |high, &s| high.max(s));
            high + libm::log(row.iter().map(|s| libm::exp(b * (s - high))).sum::<f64>()) / b
        };
        let attention: f64 = self.scores(g).rows().into_iter().map(free).sum();
        let hidden = g.dot(&self.memories.t());
        let memory: f64 = hidden.iter().map(|x| 0.5 * x.max(0.0).powi(2)).sum();
        Ok(-attention - memory)
    }

    /// −∂E/∂g, exactly, `[tokens, d]`.
    ///
    /// # Errors
    /// [`Error::Component`] if shapes do not fit.
    pub fn force(&self, g: &Array2<f64>) -> Result<Array2<f64>, Error> {
        self.check(g)?;
        let n = g.nrows();
        let p = PottsNetwork::independent(self.scores(g))?.marginals(self.beta)?;
        let [of_keys, of_queries] = self.pulls(g);
        let mut force = self.memory_force(g);
        for head in 0..self.query.dim().0 {
            let rows = ndarray::s![head * n..(head + 1) * n, ..];
            force += &p.slice(rows).dot(&of_keys.slice(rows));
            force += &p.slice(rows).t().dot(&of_queries.slice(rows));
        }
        Ok(force)
    }

    /// One layer: x + α·(−∂E/∂g) at g = norm(x).
    ///
    /// # Errors
    /// [`Error::Component`] if shapes do not fit.
    pub fn step(&self, x: &Array2<f64>, alpha: f64) -> Result<Array2<f64>, Error> {
        Ok(x + &(self.force(&self.norm.apply(x))? * alpha))
    }
}

impl Component for EnergyBlock {
    type Input = Array2<f64>;
    type Update = PottsGibbs;
    type Decoder = BlockReadout;

    fn lower(&self, g: &Array2<f64>) -> Result<Program<PottsGibbs, BlockReadout>, Error> {
        self.check(g)?;
        let n = g.nrows();
        let [pulls_of_keys, pulls_of_queries] = self.pulls(g);
        Ok(Program {
            model: PottsNetwork::independent(self.scores(g))?,
            clamps: Vec::new(),
            // A key that is present for every query: the other of the first two tokens.
            start: (0..self.query.dim().0 * n).map(|cluster| usize::from(cluster % n == 0)).collect(),
            update: PottsGibbs,
            schedule: Schedule::Constant(self.beta),
            decoder: BlockReadout {
                tokens: n,
                width: g.ncols(),
                pulls_of_keys,
                pulls_of_queries,
                memory_force: self.memory_force(g),
            },
            fidelity: Fidelity::ExactInLaw,
        })
    }

    fn reference(&self, g: &Array2<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.force(g)?.into_iter().collect())
    }

    fn footprint(&self, g: &Array2<f64>) -> Footprint {
        let (n, heads) = (g.nrows() as u64, self.query.dim().0 as u64);
        let bits: u64 = n.next_power_of_two().trailing_zeros().into();
        let states = heads * n * (n - u64::from(!self.to_itself));
        Footprint { spins: states, fields: states, read_outs: heads * n * bits, ..Footprint::default() }
    }
}
