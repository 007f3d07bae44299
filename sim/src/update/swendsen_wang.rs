//! Swendsen and Wang's cluster update: every cluster of the lattice turns or stays by a coin of its own.

use super::bernoulli;
use super::bonds::{BondThresholds, Thresholds};
use super::forest::Forest;
use super::improved::{BondCounts, Coins, ImprovedMoments, MomentSums};
use super::row_bonds::{self, RowBonds};
use super::square_clusters::{Opening, SquareClusters, pack_row};
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::{Couplings, Hamiltonian};
use crate::memory;
use crate::spins::Spins;
use crate::stream::{Stream, Streams};
use crate::topology::Rows;
use crate::update::Update;

/// Swendsen and Wang's update (doi:10.1103/PhysRevLett.58.86), in any field and for couplings of any sign.
///
/// A bond (i, j) with J s_i s_j > 0 is *open* with probability 1 − e^(−2βJ s_i s_j); a field h_i is a bond to a *ghost spin* that is always
/// up, open with probability 1 − e^(−2βh_i s_i) where h_i s_i > 0. Sites joined by open bonds form a cluster; a cluster joined to the
/// ghost is held, each other one turns with probability ½. Frustration and strong fields make it slow, not wrong: clusters then
/// join sites that are not correlated, or are held.
///
/// [`SwendsenWang::moments`] are the improved estimators of the last sweep: moments of m averaged over all ways to turn its clusters.
///
/// What is counted per sweep: N *attempts* (every site turns or stays, once); *flips* the sites that turned; *coupler reads* one
/// per bond; *random bits* 32 per satisfied bond and per satisfied field, and one per free cluster.
///
/// ```
/// use ceas_sim::{beta::Beta, hamiltonian::Hamiltonian, spins::Spins, topology::Topology};
/// use ceas_sim::{stream::{Purpose, Streams}, update::{SwendsenWang, Update}};
/// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
/// let mut spins = Spins::up(64);
/// let mut update = SwendsenWang::new(&model).unwrap();
/// let streams = &mut Streams::new(1, Purpose::Update, 0, update.blocks());
/// // At very low temperature one cluster is the lattice; at β = 0 each site is a cluster.
/// update.sweep(&model, &mut spins, Beta::new(50.0).unwrap(), streams);
/// assert_eq!((spins.magnetization().abs(), update.moments().clusters, update.moments().magnetization_2), (64, 1, 1.0));
/// update.sweep(&model, &mut spins, Beta::new(0.0).unwrap(), streams);
/// assert_eq!((update.moments().clusters, update.moments().magnetization_2), (64, 1.0 / 64.0));
/// ```
#[derive(Debug, Clone)]
pub struct SwendsenWang {
    n_sites: usize,
    generic: bool,
    thresholds: BondThresholds,
    square: SquareClusters,
    rows: RowBonds,
    forest: Forest,
    /// At the root of a cluster, its size, its magnetization, and the sign that its sites are multiplied with.
    clusters: Vec<(i64, i64, i8)>,
    moments: ImprovedMoments,
    bonds: BondCounts,
}

impl SwendsenWang {
    /// The update for `model`.
    ///
    /// # Errors
    /// [`Error::Memory`] if the space to work in cannot be had; [`Error::Topology`] if sites and ghost cannot be numbered in 32 bits.
    pub fn new(model: &Hamiltonian) -> Result<Self, Error> {
        let topology = model.topology();
        let n_sites = model.n_sites();
        if n_sites >= i32::MAX as usize {
            let violated = "clusters of at most 2³¹ − 2 sites are found";
            return Err(Error::Topology { what: topology.name(), size: topology.size(), violated });
        }
        let update = Self {
            n_sites,
            generic: false,
            thresholds: BondThresholds::new(),
            square: SquareClusters::default(),
            rows: RowBonds::default(),
            forest: Forest::default(),
            clusters: Vec::new(),
            moments: ImprovedMoments::default(),
            bonds: BondCounts::default(),
        };
        let per_site = if update.opening(model).is_some() { SquareClusters::BYTES_PER_SITE } else { 28 };
        let needed = topology.bytes_needed(per_site).saturating_add(BondThresholds::bytes(model));
        memory::check(topology.name(), topology.size(), needed)?;
        Ok(update)
    }

    /// The same update site by site and bond by bond, also on the square lattice: the same bytes, slower.
    #[must_use]
    pub fn with_generic_kernel(mut self) -> Self {
        self.generic = true;
        self
    }

    /// Moments of m averaged over all ways to turn the clusters of the last sweep; all zero before the first.
    pub fn moments(&self) -> ImprovedMoments {
        self.moments
    }

    /// The bonds of the last sweep; none before the first, also of a run that was resumed.
    pub fn bonds(&self) -> BondCounts {
        self.bonds
    }

    /// Number of streams it draws from, for [`Streams::new`]: one.
    pub fn blocks(&self) -> usize {
        1
    }

    pub(crate) fn restore(&mut self, moments: ImprovedMoments) {
        self.moments = moments;
    }

    /// What the fast kernel needs to know, on a square lattice with uniform J and no field; the threshold is still to be filled in.
    fn opening(&self, model: &Hamiltonian) -> Option<Opening> {
        match (model.topology().square_size(), model.couplings()) {
            (Some(l), &Couplings::Uniform(j)) if j != 0.0 && model.is_field_free() => {
                Some(Opening { l, unlike: j < 0.0, threshold: 0 })
            }
            _ => None,
        }
    }

    /// Joins the ends of open bonds, site N being the ghost. Returns the numbers of bonds, and of satisfied fields.
    fn join(
        &mut self,
        model: &Hamiltonian,
        spins: &Spins,
        beta: Beta,
        stream: &mut Stream,
    ) -> (BondCounts, u64) {
        let s = spins.as_slice();
        self.forest.clear();
        self.forest.grow(self.n_sites as u32 + 1);
        if let Some(opening) = self.opening(model) {
            return (self.join_rows(opening, spins, stream), 0);
        }
        if let (Couplings::Uniform(j), Thresholds::Same(threshold), true) =
            (model.couplings(), &self.thresholds.bonds, model.is_field_free())
        {
            let how = (*j < 0.0, *threshold);
            if let Some(rows) = Rows::of(model.topology()) {
                let counts = match self.generic {
                    true => row_bonds::join_naively(&rows, how, s, &mut self.forest, stream),
                    false => self.rows.join(&rows, how, s, &mut self.forest, stream),
                };
                return (counts, 0);
            }
            if model.topology().is_complete() {
                return (self.join_complete(2.0 * beta.value() * j.abs(), *j < 0.0, spins, stream), 0);
            }
        }
        let (mut counts, mut satisfied_fields) = (BondCounts::default(), 0);
        let mut open = Drawn { thresholds: &self.thresholds.bonds, word: 0, stream };
        for (bond, (a, b)) in model.topology().bonds().enumerate() {
            let wanted = model.coupling_at(bond) * f64::from(s[a] * s[b]) > 0.0;
            counts.satisfied += u64::from(wanted);
            if open.next(bond, wanted) {
                counts.open += 1;
                self.forest.join(a as u32, b as u32);
            }
        }
        if let Some(thresholds) = &self.thresholds.sites {
            let mut open = Drawn { thresholds, word: 0, stream: open.stream };
            for (site, &s) in s.iter().enumerate() {
                let wanted = model.field_at(site) * f64::from(s) > 0.0;
                satisfied_fields += u64::from(wanted);
                if open.next(site, wanted) {
                    self.forest.join(site as u32, self.n_sites as u32);
                }
            }
        }
        (counts, satisfied_fields)
    }

    /// The same on a complete graph, where bonds are many and few are open: from one bond that would be open if satisfied to the next are
    /// ⌊−ln u / 2β|J|⌋ others, u uniform. `strength` is 2β|J|. Takes time in proportion to sites and open bonds.
    fn join_complete(
        &mut self,
        strength: f64,
        unlike: bool,
        spins: &Spins,
        stream: &mut Stream,
    ) -> BondCounts {
        let (s, n) = (spins.as_slice(), self.n_sites);
        let up = ((n as i64 + spins.magnetization()) / 2) as u64;
        let down = n as u64 - up;
        let unlike_pairs = up * down;
        let all = n as u64 * (n as u64 - 1) / 2;
        let satisfied = if unlike { unlike_pairs } else { all - unlike_pairs };
        let mut counts = BondCounts { satisfied, open: 0 };
        if strength <= 0.0 {
            return counts;
        }
        // The bonds of site i to the sites after it begin at j = i + 1.
        let (mut i, mut j) = (0, 0usize);
        loop {
            let gap = libm::floor(-libm::log(1.0 - stream.uniform()) / strength);
            if gap >= all as f64 {
                return counts;
            }
            j += 1 + gap as usize;
            while j >= n {
                i += 1;
                if i + 1 >= n {
                    return counts;
                }
                j = j - n + i + 1;
            }
            if (s[i] != s[j]) == unlike {
                counts.open += 1;
                self.forest.join(i as u32, j as u32);
            }
        }
    }

    /// The same on a square lattice, with the bonds drawn as the fast kernel draws them.
    fn join_rows(&mut self, opening: Opening, spins: &Spins, stream: &mut Stream) -> BondCounts {
        let l = opening.l;
        let mut counts = BondCounts::default();
        let Thresholds::Same(threshold) = self.thresholds.bonds else { return counts };
        let opening = Opening { threshold, ..opening };
        let (mut here, mut below, mut right, mut down) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for y in 0..l {
            let next = (y + 1) % l;
            pack_row(&spins.as_slice()[y * l..(y + 1) * l], &mut here);
            pack_row(&spins.as_slice()[next * l..(next + 1) * l], &mut below);
            opening.draw(&here, &below, &mut right, &mut down, stream, &mut counts);
            for x in 0..l {
                for (open, other) in [(&right, y * l + (x + 1) % l), (&down, next * l + x)] {
                    if open[x / 64] >> (x % 64) & 1 == 1 {
                        self.forest.join((y * l + x) as u32, other as u32);
                    }
                }
            }
        }
        counts
    }

    /// A coin for each cluster that is not held by the ghost, in the order of their first sites. Returns the number of flips.
    fn turn(&mut self, spins: &mut Spins, stream: &mut Stream) -> (u64, MomentSums) {
        let ghost = self.n_sites as u32;
        let held = self.forest.root(ghost);
        let (clusters, s) = (&mut self.clusters, spins.as_mut_slice());
        let mut coins = Coins::new(stream);
        clusters.clear();
        self.forest.flatten(|site, root| {
            if site == ghost {
                return;
            }
            let spin = &mut s[site as usize];
            let (size, m) = (1, i64::from(*spin));
            if site == root {
                clusters.push((size, m, if root == held { 1 } else { coins.sign() }));
            } else {
                clusters.push((0, 0, 0));
                let cluster = &mut clusters[root as usize];
                *cluster = (cluster.0 + size, cluster.1 + m, cluster.2);
            }
            *spin *= clusters[root as usize].2;
        });
        let mut sums = MomentSums::default();
        let mut flips = 0;
        for (root, &(size, m, sign)) in clusters.iter().enumerate().filter(|(_, cluster)| cluster.0 > 0) {
            sums.add(size, m, root as u32 == held);
            flips += if sign < 0 { size as u64 } else { 0 };
        }
        (flips, sums)
    }
}

/// Decisions on bonds or sites in the order of their numbers: 64 at a time where all have one threshold, else one by one where one is
/// wanted.
struct Drawn<'t, 's> {
    thresholds: &'t Thresholds,
    word: u64,
    stream: &'s mut Stream,
}

impl Drawn<'_, '_> {
    #[inline]
    fn next(&mut self, number: usize, wanted: bool) -> bool {
        match self.thresholds {
            Thresholds::Same(threshold) => {
                if number.is_multiple_of(64) {
                    self.word = bernoulli::word(*threshold, self.stream);
                }
                wanted && self.word >> (number % 64) & 1 == 1
            }
            Thresholds::Each(thresholds) => wanted && u64::from(self.stream.next_u32()) < thresholds[number],
        }
    }
}

impl Update for SwendsenWang {
    type Model = Hamiltonian;
    type State = Spins;

    /// All clusters once.
    ///
    /// # Panics
    /// If the update was made for another number of sites.
    fn sweep(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        beta: Beta,
        streams: &mut Streams,
    ) -> Activity {
        super::check_sizes(self.n_sites, model, spins);
        self.thresholds.at(model, beta);
        let stream = streams.first();
        let (bonds, fields, flips, sums) = match (self.opening(model), &self.thresholds.bonds) {
            (Some(opening), &Thresholds::Same(threshold)) if !self.generic => {
                let opening = Opening { threshold, ..opening };
                let (bonds, flips, sums) = self.square.sweep(opening, spins.as_mut_slice(), stream);
                (bonds, 0, flips, sums)
            }
            _ => {
                let (bonds, fields) = self.join(model, spins, beta, stream);
                let (flips, sums) = self.turn(spins, stream);
                (bonds, fields, flips, sums)
            }
        };
        self.moments = sums.moments(self.n_sites);
        self.bonds = bonds;
        Activity {
            attempts: self.n_sites as u64,
            flips,
            coupler_reads: model.topology().n_bonds() as u64,
            random_bits: 32 * (bonds.satisfied + fields) + self.moments.clusters,
            ..Activity::default()
        }
    }
}
