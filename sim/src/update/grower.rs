//! Growing one cluster from one site.

use super::bernoulli;
use super::bonds::{BondThresholds, Thresholds};
use super::flood::Flood;
use crate::activity::Activity;
use crate::beta::Beta;
use crate::error::Error;
use crate::hamiltonian::{Couplings, Hamiltonian};
use crate::memory;
use crate::spins::Spins;
use crate::stream::Stream;
use crate::topology::{Rows, Topology};

/// Grows and flips one cluster at a time, breadth first, with space to work in; on the square lattice 64 sites at a time ([`Flood`]).
///
/// Elsewhere bonds are looked at in the order of [`crate::topology::Topology::links`] of the sites in the order of their joining. With one
/// |J| for all bonds each look uses up one of 64 decisions made at once, satisfied or not, so that nothing branches.
#[derive(Debug, Clone)]
pub(super) struct Grower {
    pub(super) n_sites: usize,
    thresholds: BondThresholds,
    /// The sites of the cluster; those from some place on have not been looked at.
    sites: Vec<u32>,
    /// Where a flipped site could look like one that does not belong: the number of the last cluster each site was in.
    marks: Option<Vec<u32>>,
    cluster: u32,
    /// Neighbours of an unmarked cluster, but on the square and the complete graph.
    links: Links,
    /// An unmarked cluster of the square lattice.
    flood: Option<Box<Flood>>,
}

/// Where the neighbours of a site are, in the order of [`crate::topology::Topology::links`].
#[derive(Debug, Clone)]
enum Links {
    /// They are asked of the topology.
    Asked,
    /// Of a lattice, by rows: see [`Rows::links_table`].
    Rows { rows: Rows, table: Vec<[(u32, i32); 8]> },
    /// Of any graph: where those of each site begin, and all of them.
    Listed { starts: Vec<u32>, neighbors: Vec<u32> },
}

/// Decisions made 64 at a time and handed out one by one.
struct Decisions<'s> {
    stream: &'s mut Stream,
    threshold: u64,
    word: u64,
    left: u32,
}

impl<'s> Decisions<'s> {
    fn new(threshold: u64, stream: &'s mut Stream) -> Self {
        Self { stream, threshold, word: 0, left: 0 }
    }

    /// The next `count` decisions, the first one lowest; `count` < 64.
    #[inline(always)]
    fn next_few(&mut self, count: u32) -> u64 {
        if self.left < count {
            let fresh = bernoulli::word(self.threshold, self.stream);
            let few = self.word | fresh << self.left;
            let used = count - self.left;
            (self.word, self.left) = (fresh >> used, 64 - used);
            return few;
        }
        let few = self.word;
        self.word >>= count;
        self.left -= count;
        few
    }

    #[inline]
    fn next(&mut self) -> bool {
        if self.left == 0 {
            (self.word, self.left) = (bernoulli::word(self.threshold, self.stream), 64);
        }
        let bit = self.word & 1 == 1;
        self.word >>= 1;
        self.left -= 1;
        bit
    }
}

impl Grower {
    pub(super) fn new(model: &Hamiltonian) -> Result<Self, Error> {
        let (topology, n_sites) = (model.topology(), model.n_sites());
        if n_sites > u32::MAX as usize {
            let violated = "clusters are grown on at most 2³² − 1 sites";
            return Err(Error::Topology { what: topology.name(), size: topology.size(), violated });
        }
        // In a uniform ferromagnet all spins of a cluster are equal, so that a flipped one is unsatisfied: nothing to mark.
        let ferromagnet = matches!(model.couplings(), Couplings::Uniform(j) if *j >= 0.0);
        let marked = !(ferromagnet && model.is_field_free());
        let listed = !marked && topology.square_size().is_none() && !topology.is_complete();
        let ends = if listed { 8 * topology.n_bonds() as u64 } else { 0 };
        let needed = topology.bytes_needed(if marked || listed { 8 } else { 4 }).saturating_add(ends);
        let needed = needed.saturating_add(BondThresholds::bytes(model));
        memory::check(topology.name(), topology.size(), needed)?;
        let mut grower = Self {
            n_sites,
            thresholds: BondThresholds::new(),
            sites: Vec::new(),
            marks: None,
            cluster: 0,
            links: if listed { Links::of(topology) } else { Links::Asked },
            flood: topology.square_size().filter(|_| !marked).map(|l| Box::new(Flood::new(l))),
        };
        if marked {
            grower.mark();
        }
        Ok(grower)
    }

    /// Finds clusters by walking the graph also where it need not: on the square lattice along the bonds that were drawn.
    pub(super) fn mark(&mut self) {
        match &mut self.flood {
            Some(flood) => flood.walk(),
            None => self.marks = Some(vec![0; self.n_sites]),
        }
    }

    /// Makes ready for β and for clusters of these spins, up to [`Grower::end`].
    pub(super) fn begin(&mut self, model: &Hamiltonian, spins: &Spins, beta: Beta, stream: &mut Stream) {
        super::check_sizes(self.n_sites, model, spins);
        self.thresholds.at(model, beta);
        if let Some(flood) = &mut self.flood {
            flood.load(spins.as_slice(), stream);
        }
    }

    /// Hands the spins back.
    pub(super) fn end(&self, spins: &mut Spins) {
        if let Some(flood) = &self.flood {
            flood.store(spins.as_mut_slice());
        }
    }

    /// One cluster. Returns what it caused, and M_C²/|C| of it (0 if it was given up).
    pub(super) fn flip_one(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        stream: &mut Stream,
    ) -> (Activity, f64) {
        let seed = stream.below(self.n_sites as u64) as usize;
        let uniform = match self.thresholds.bonds {
            Thresholds::Same(threshold) => Some(threshold),
            Thresholds::Each(_) => None,
        };
        let listed = !matches!(self.links, Links::Asked);
        let (size, draws, reads, m) = match (&mut self.flood, uniform, &self.marks) {
            (Some(flood), Some(threshold), _) => {
                let turned = flood.turn_one(seed, threshold);
                (turned.size, turned.tested, 4 * turned.size, turned.size as i64)
            }
            (None, Some(threshold), None) if listed => {
                let (size, draws, reads) = self.spread_listed(spins, seed, Decisions::new(threshold, stream));
                (size, draws, reads, size as i64)
            }
            _ => self.walk(model, spins, seed, Decisions::new(uniform.unwrap_or(0), stream)),
        };
        let counted = Activity {
            attempts: 1 + draws,
            flips: size,
            coupler_reads: reads,
            random_bits: 64 + 32 * draws,
            ..Activity::default()
        };
        (counted, if size == 0 { 0.0 } else { (m * m) as f64 / size as f64 })
    }

    /// The unmarked cluster on any other graph. Returns its size, the number of satisfied bonds to sites outside it, and of links.
    fn spread_listed(&mut self, spins: &mut Spins, seed: usize, mut open: Decisions<'_>) -> (u64, u64, u64) {
        let s = spins.as_mut_slice();
        let old = s[seed];
        s[seed] = -old;
        // Every site joins once, and one more entry may be written behind the last without counting.
        if self.sites.len() <= self.n_sites {
            self.sites.resize(self.n_sites + 1, 0);
        }
        self.sites[0] = seed as u32;
        let mut seen = Spread { s, sites: &mut self.sites, joined: 1, old, draws: 0, reads: 0 };
        let mut looked = 0;
        match &self.links {
            Links::Rows { rows, table } => {
                // site div width by a multiplication (Lemire, Kaser and Kurz, doi:10.1002/spe.2689).
                let width = rows.width;
                let inverse = u64::MAX / width as u64 + 1;
                let degree = 2 * rows.directions.len();
                while looked < seen.joined {
                    let site = seen.sites[looked];
                    looked += 1;
                    let row = ((u128::from(inverse) * u128::from(site)) >> 64) as usize;
                    let x = site as usize - row * width;
                    let beside =
                        [if x == 0 { width - 1 } else { x - 1 }, x, if x + 1 == width { 0 } else { x + 1 }];
                    let mut few = open.next_few(degree as u32);
                    for &(start, dx) in &table[row][..degree] {
                        seen.look(start as usize + beside[(dx + 1) as usize], few & 1 == 1);
                        few >>= 1;
                    }
                }
            }
            Links::Listed { starts, neighbors } => {
                while looked < seen.joined {
                    let site = seen.sites[looked] as usize;
                    looked += 1;
                    for &neighbor in &neighbors[starts[site] as usize..starts[site + 1] as usize] {
                        seen.look(neighbor as usize, open.next());
                    }
                }
            }
            Links::Asked => {}
        }
        (seen.joined as u64, seen.draws, seen.reads)
    }

    /// The cluster on any graph. Returns the sites flipped, the attempts after the seed, the links read, and M of the cluster.
    fn walk(
        &mut self,
        model: &Hamiltonian,
        spins: &mut Spins,
        seed: usize,
        mut open: Decisions<'_>,
    ) -> (u64, u64, u64, i64) {
        self.cluster = self.cluster.wrapping_add(1);
        if self.cluster == 0 {
            self.marks.iter_mut().for_each(|marks| marks.fill(0));
            self.cluster = 1;
        }
        let marks = self.marks.get_or_insert_with(|| vec![0; self.n_sites]);
        self.sites.clear();
        self.sites.push(seed as u32);
        marks[seed] = self.cluster;
        let (mut looked, mut draws, mut reads, mut m) = (0, 0, 0, 0);
        while looked < self.sites.len() {
            let site = self.sites[looked] as usize;
            looked += 1;
            let s = spins.get(site);
            m += i64::from(s);
            if let Some(thresholds) = &self.thresholds.sites
                && model.field_at(site) * f64::from(s) > 0.0
            {
                draws += 1;
                let threshold = match thresholds {
                    Thresholds::Same(threshold) => *threshold,
                    Thresholds::Each(each) => each[site],
                };
                if u64::from(open.stream.next_u32()) < threshold {
                    return (0, draws, reads, 0);
                }
            }
            for (neighbor, bond) in model.topology().links(site) {
                reads += 1;
                let outside = marks[neighbor] != self.cluster;
                let satisfied = model.coupling_at(bond) * f64::from(s * spins.get(neighbor)) > 0.0;
                let tested = outside && satisfied;
                draws += u64::from(tested);
                let joins = match &self.thresholds.bonds {
                    Thresholds::Same(_) => open.next() && tested,
                    Thresholds::Each(each) => tested && u64::from(open.stream.next_u32()) < each[bond],
                };
                if joins {
                    marks[neighbor] = self.cluster;
                    self.sites.push(neighbor as u32);
                }
            }
        }
        for &site in &self.sites {
            spins.flip(site as usize);
        }
        (self.sites.len() as u64, draws, reads, m)
    }
}

/// An unmarked cluster while it grows.
struct Spread<'a> {
    s: &'a mut [i8],
    sites: &'a mut [u32],
    joined: usize,
    old: i8,
    draws: u64,
    reads: u64,
}

impl Spread<'_> {
    /// Nothing branches on whether the neighbour joins, which no processor could foresee.
    #[inline(always)]
    fn look(&mut self, neighbor: usize, open: bool) {
        let spin = self.s[neighbor];
        let satisfied = spin == self.old;
        let joins = satisfied & open;
        self.s[neighbor] = if joins { -spin } else { spin };
        self.sites[self.joined] = neighbor as u32;
        self.joined += usize::from(joins);
        self.draws += u64::from(satisfied);
        self.reads += 1;
    }
}

impl Links {
    fn of(topology: &Topology) -> Self {
        if let Some(rows) = Rows::of(topology).filter(Rows::is_bravais) {
            return Self::Rows { rows, table: rows.links_table() };
        }
        let mut starts = vec![0];
        let mut neighbors = Vec::with_capacity(2 * topology.n_bonds());
        for site in 0..topology.n_sites() {
            neighbors.extend(topology.neighbors(site).map(|neighbor| neighbor as u32));
            starts.push(neighbors.len() as u32);
        }
        Self::Listed { starts, neighbors }
    }
}
