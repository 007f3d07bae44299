//! Houdayer's cluster move: two replicas exchange a cluster in which they disagree.

use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::Hamiltonian;
use crate::spins::Spins;
use crate::stream::{Stream, Streams};
use crate::update::Update;

/// Two replicas of one Hamiltonian at one β.
///
/// Groups are pairs and nothing else: a cluster move among three or more replicas breaks detailed balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair([Spins; 2]);

impl Pair {
    /// Two configurations.
    ///
    /// # Errors
    /// [`Error::Count`] if the second has not as many spins as the first.
    pub fn new(a: Spins, b: Spins) -> Result<Self, Error> {
        if a.len() == b.len() {
            Ok(Self([a, b]))
        } else {
            Err(Error::Count {
                what: "spins in the second replica",
                per: "site",
                expected: a.len(),
                got: b.len(),
            })
        }
    }

    /// Both configurations.
    pub fn both(&self) -> &[Spins; 2] {
        &self.0
    }

    /// q = (1/N) Σ_i s_i^a s_i^b, the overlap.
    pub fn overlap(&self) -> f64 {
        let [a, b] = [self.0[0].as_slice(), self.0[1].as_slice()];
        let sum: i64 = a.iter().zip(b).map(|(&a, &b)| i64::from(a * b)).sum();
        sum as f64 / a.len() as f64
    }

    pub(crate) fn both_mut(&mut self) -> &mut [Spins; 2] {
        &mut self.0
    }
}

/// Sweeps two replicas by an update `U`, then flips in both a connected cluster of sites on which their overlap q_i = s_i^a s_i^b is the
/// same (Houdayer, doi:10.1007/PL00011151; for any sparse graph: Zhu, Ochoa, Katzgraber, doi:10.1103/PhysRevLett.115.077201).
///
/// A site with q_i = −1 is chosen uniformly and its cluster is followed over all bonds with J ≠ 0: no probability is involved. E_a + E_b and the
/// number of sites with q_i = −1 do not change, so that the move and its reverse are equally likely and both replicas keep e^(−βH),
/// with any couplings and fields. Without a field the two signs of q are equivalent, and the rarer one is taken. The move alone is
/// not ergodic; `U` makes it so. It helps where clusters do not percolate: on sparse graphs, at low temperature.
///
/// What is counted, beside what `U` counts in both replicas: 2N *read-outs* (the cluster is found from both configurations); 2|C| *attempts*
/// and as many *flips* (the cluster is written back into both); 64 *random bits*.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, spins::Spins, topology::Topology};
/// use ceas_sim::{stream::{Purpose, Stream, Streams}, update::{HeatBath, Houdayer, Pair, Update}};
/// let model = Hamiltonian::ferromagnet(Topology::square(4).unwrap());
/// let mut update = Houdayer::new(&model, HeatBath::new(&model).unwrap()).unwrap();
/// let random = |replica| Spins::random(16, &mut Stream::new(1, Purpose::Initial, replica, 0));
/// let mut pair = Pair::new(random(0), random(1)).unwrap();
/// let streams = &mut Streams::new(1, Purpose::Update, 0, update.blocks());
/// let counted = update.sweep(&model, &mut pair, Beta::new(0.3).unwrap(), streams);
/// assert!(counted.attempts >= 32 && counted.read_outs == 32);
/// ```
#[derive(Debug, Clone)]
pub struct Houdayer<U> {
    inner: U,
    n_sites: usize,
    /// Streams lent to `inner` while it sweeps one of the replicas.
    lent: Streams,
    in_cluster: Vec<bool>,
    cluster: Vec<u32>,
}

impl<U: Update<Model = Hamiltonian, State = Spins>> Houdayer<U> {
    /// Sweeps by `inner`, one cluster after each.
    ///
    /// # Errors
    /// [`Error::Memory`] if the space to work in cannot be had, [`Error::Topology`] if the sites cannot be numbered in 32 bits.
    pub fn new(model: &Hamiltonian, inner: U) -> Result<Self, Error> {
        let (topology, n_sites) = (model.topology(), model.n_sites());
        if n_sites > u32::MAX as usize {
            let violated = "clusters are grown on at most 2³² − 1 sites";
            return Err(Error::Topology { what: topology.name(), size: topology.size(), violated });
        }
        topology.check_memory(5)?;
        let lent = super::empty_streams(inner.blocks());
        Ok(Self { inner, n_sites, lent, in_cluster: vec![false; n_sites], cluster: Vec::new() })
    }

    /// The update of the single replicas.
    pub fn inner(&self) -> &U {
        &self.inner
    }

    pub(crate) fn inner_mut(&mut self) -> &mut U {
        &mut self.inner
    }

    /// Flips one cluster in both replicas. Returns its size.
    fn exchange(&mut self, model: &Hamiltonian, pair: &mut Pair, stream: &mut Stream) -> u64 {
        let [a, b] = pair.both_mut();
        let (a, b) = (a.as_mut_slice(), b.as_mut_slice());
        let unequal = a.iter().zip(&*b).filter(|(a, b)| a != b).count();
        let swapped = model.is_field_free() && 2 * unequal > self.n_sites;
        let (side, candidates) = if swapped { (1, self.n_sites - unequal) } else { (-1, unequal) };
        // The draw is made also where it decides nothing, so that the draws do not depend on the configuration.
        let draw = stream.next_u64();
        if candidates == 0 {
            return 0;
        }
        let chosen = ((u128::from(draw) * candidates as u128) >> 64) as usize;
        let belongs = |site: usize, a: &[i8], b: &[i8]| a[site] * b[site] == side;
        let seed = (0..self.n_sites).filter(|&site| belongs(site, a, b)).nth(chosen);
        let seed = seed.expect("as many sites belong as were counted");
        self.cluster.clear();
        self.cluster.push(seed as u32);
        self.in_cluster[seed] = true;
        let mut looked = 0;
        while looked < self.cluster.len() {
            let site = self.cluster[looked] as usize;
            looked += 1;
            for (neighbor, bond) in model.topology().links(site) {
                let joined = model.coupling_at(bond) != 0.0 && belongs(neighbor, a, b);
                if joined && !self.in_cluster[neighbor] {
                    self.in_cluster[neighbor] = true;
                    self.cluster.push(neighbor as u32);
                }
            }
        }
        for &site in &self.cluster {
            let site = site as usize;
            self.in_cluster[site] = false;
            (a[site], b[site]) = (-a[site], -b[site]);
        }
        self.cluster.len() as u64
    }
}

impl<U: Update<Model = Hamiltonian, State = Spins>> Update for Houdayer<U> {
    type Model = Hamiltonian;
    type State = Pair;

    /// A sweep of both replicas, then one cluster.
    ///
    /// # Panics
    /// If the update was made for another number of sites, or there are fewer streams than [`Update::blocks`].
    fn sweep(&mut self, model: &Hamiltonian, pair: &mut Pair, beta: Beta, streams: &mut Streams) -> Activity {
        let each = self.inner.blocks();
        let streams = streams.blocks();
        assert!(streams.len() > 2 * each, "{} streams are needed, not {}", 2 * each + 1, streams.len());
        let mut total = Activity::default();
        for (replica, streams) in pair.both_mut().iter_mut().zip(streams.chunks_mut(each)) {
            super::check_sizes(self.n_sites, model, replica);
            self.lent.blocks().swap_with_slice(streams);
            total += self.inner.sweep(model, replica, beta, &mut self.lent);
            self.lent.blocks().swap_with_slice(streams);
        }
        let size = self.exchange(model, pair, &mut streams[2 * each]);
        total
            + Activity {
                attempts: 2 * size,
                flips: 2 * size,
                random_bits: 64,
                read_outs: 2 * self.n_sites as u64,
                ..Activity::default()
            }
    }

    /// Two times those of the inner update, and one.
    fn blocks(&self) -> usize {
        2 * self.inner.blocks() + 1
    }
}
