//! Replicas in the lanes on graphs with few bonds a site: sites of one colour are decided in batches.

use rayon::prelude::*;

use super::batch::{BATCH, Batch, Classes};
use super::classes::count;
use super::digits::{LaneDigits, threshold};
use super::generator::{Generator, Lanes};
use super::level::{Level, Task, dispatch};
use super::replicas::{ReplicaModel, ReplicaSpins};
use super::sites::Decision;
use super::tally::Tally;
use super::vector::{Vector, Words};
use crate::beta::Beta;
use crate::stream::Stream;

/// Most bonds of a site; beyond that see [`super::dense`].
pub const MOST: usize = 16;

/// Sites of one colour that have streams of their own.
const SITES_PER_BLOCK: usize = 2048;

/// A colour, by numbers of bonds; a batch never mixes them, since thresholds depend on them.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) bonds: usize,
    pub(super) sites: Vec<u32>,
    /// By site, then [`Plan::width`] of them; a site is joined to itself where it has fewer.
    pub(super) neighbors: Vec<u32>,
}

/// The order of a sweep: greedy colours of the graph, in a colour by number of bonds, there by index.
#[derive(Debug, Clone)]
pub struct Plan {
    width: usize,
    colors: Vec<Vec<Group>>,
    blocks: usize,
}

impl Plan {
    /// The plan for a model, unless a site has more than [`MOST`] bonds.
    pub fn new(model: &ReplicaModel) -> Option<Self> {
        let n = model.n_sites();
        let most = (0..n).map(|site| model.bonds(site).len()).max().unwrap_or(0);
        let width = [4, 6, MOST].into_iter().find(|&width| most <= width)?;
        let mut color = vec![usize::MAX; n + 1];
        let mut colors: Vec<Vec<Group>> = Vec::new();
        for site in 0..n {
            let bonds = model.bonds(site);
            let free = (0..).find(|&c| bonds.iter().all(|&bond| color[bond as usize / 2] != c));
            let own = free.expect("a site has finitely many neighbours");
            color[site] = own;
            if colors.len() == own {
                colors.push(Vec::new());
            }
            let groups = &mut colors[own];
            let at = groups.iter().position(|group| group.bonds == bonds.len()).unwrap_or_else(|| {
                groups.push(Group { bonds: bonds.len(), sites: Vec::new(), neighbors: Vec::new() });
                groups.len() - 1
            });
            groups[at].sites.push(site as u32);
            groups[at].neighbors.extend(bonds);
            groups[at].neighbors.extend(std::iter::repeat_n(2 * site as u32, width - bonds.len()));
        }
        colors.iter_mut().for_each(|groups| groups.sort_by_key(|group| group.bonds));
        let blocks = |groups: &Vec<Group>| {
            groups.iter().map(|group| group.sites.len().div_ceil(SITES_PER_BLOCK)).max().unwrap_or(1)
        };
        let blocks = colors.iter().map(blocks).max().unwrap_or(1);
        Some(Self { width, colors, blocks })
    }

    /// Number of blocks that draw from streams of their own.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Neighbours that every site has room for.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The groups in the order of a sweep.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.colors.iter().flatten()
    }

    /// The sites in the order of a sweep: batches of at most eight that are decided together, with the block they draw from.
    pub fn batches(&self) -> Vec<(usize, Vec<usize>)> {
        let mut batches = Vec::new();
        for group in self.colors.iter().flatten() {
            for (block, sites) in group.sites.chunks(SITES_PER_BLOCK).enumerate() {
                let sites = sites.chunks(BATCH).map(|batch| batch.iter().map(|&s| s as usize).collect());
                batches.extend(sites.map(|batch| (block, batch)));
            }
        }
        batches
    }
}

/// Thresholds of every lane, by number of bonds.
#[derive(Debug, Clone)]
struct Tables<const G: usize> {
    by_bonds: Vec<Option<LaneDigits<G>>>,
}

/// n ≥ `least` from the binary digits of n.
#[inline(always)]
pub(super) fn at_least<V: Vector>(digits: &[V; 5], least: usize) -> V {
    let mut result = V::splat(u64::MAX);
    for (bit, digit) in digits.iter().enumerate() {
        result = if least >> bit & 1 == 1 { result.and(*digit) } else { result.or(*digit) };
    }
    result
}

/// Binary digits of the number of set lanes among `W` vectors.
#[inline(always)]
pub(super) fn digits_of_count<V: Vector, const W: usize>(a: &[V; W]) -> [V; 5] {
    let zero = V::splat(0);
    if W <= 6 {
        let [one, two, four] = count(a);
        return [one, two, four, zero, zero];
    }
    let mut total = [zero; 5];
    let mut carries = *a;
    let mut len = W;
    for plane in &mut total {
        // Pairs and the running sum make a full adder each; its carries are the pairs of the next digit.
        let mut next = 0;
        let mut i = 0;
        while i < len {
            let (x, y) = (carries[i], if i + 1 < len { carries[i + 1] } else { zero });
            let carry = plane.majority(x, y);
            *plane = plane.xor3(x, y);
            carries[next] = carry;
            next += 1;
            i += 2;
        }
        len = next;
    }
    total
}

/// Of a block: its sites, their neighbours, room for flips, and its generators.
type Share<'a> = (((&'a [u32], &'a [u32]), &'a mut [Words]), &'a mut Lanes);

/// A run of sites of one group.
struct Visit<'a, const W: usize, const G: usize> {
    spins: &'a [Words],
    sites: &'a [u32],
    neighbors: &'a [u32],
    bonds: usize,
    decision: Decision,
    digits: &'a LaneDigits<G>,
    lanes: &'a mut Lanes,
    flips: &'a mut [Words],
}

impl<const W: usize, const G: usize> Task for Visit<'_, W, G> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector>(self) -> u64 {
        const SIGNS: [Words; 2] = [Words::ZERO, Words::ONES];
        let Self { spins, sites, neighbors, bonds, decision, digits, lanes, flips } = self;
        let mut rng = Generator::<V>::load(lanes);
        let mut tally = Tally::<V>::new();
        let mut batch = Batch::<V, G>::new();
        let half = bonds.div_ceil(2);
        let batches = sites.chunks(BATCH).zip(neighbors.chunks(BATCH * W)).zip(flips.chunks_mut(BATCH));
        for ((sites, neighbors), flips) in batches {
            for slot in 0..sites.len() {
                let s = V::load(&spins[sites[slot] as usize]);
                let mut a = [s; W];
                for k in 0..W {
                    let bond = neighbors[slot * W + k] as usize;
                    a[k] = s.xor3(V::load(&spins[bond / 2]), V::load(&SIGNS[bond & 1]));
                }
                let n = digits_of_count(&a);
                let mut masks = [s; G];
                for g in 0..G {
                    masks[g] = at_least(&n, g + 1);
                }
                let free = match decision {
                    Decision::HeatBath => V::splat(0),
                    Decision::Metropolis if half == 0 => V::splat(u64::MAX),
                    Decision::Metropolis if half <= G => masks[half - 1],
                    Decision::Metropolis => at_least(&n, half),
                };
                batch.set(slot, Classes { masks, undecided: free.not(), accepted: free });
            }
            batch.fill_to(sites.len());
            let accepted = batch.decide(digits, &mut rng);
            tally.add_eight(&accepted);
            for slot in 0..sites.len() {
                accepted[slot].store(&mut flips[slot]);
            }
        }
        rng.store(lanes);
        tally.total()
    }
}

/// Scratch space and choices of a sweep.
#[derive(Debug, Clone)]
pub struct SparseSweep {
    plan: Plan,
    level: Level,
    flips: Vec<Words>,
    tables: Option<(Key, AnyTables)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Key {
    decision: Decision,
    betas: Vec<f64>,
}

/// By most bonds of a site and by masks.
#[derive(Debug, Clone)]
enum AnyTables {
    Four1(Tables<1>),
    Four4(Tables<4>),
    Six2(Tables<2>),
    Six6(Tables<6>),
    Sixteen7(Tables<7>),
    Sixteen16(Tables<16>),
}

impl SparseSweep {
    /// Sweeps by `plan` at `level`.
    pub fn new(plan: Plan, level: Level) -> Self {
        Self { plan, level, flips: Vec::new(), tables: None }
    }

    /// The order of a sweep.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// One sweep of all replicas, replica r at `betas[r]`. Returns the number of flips.
    ///
    /// # Panics
    /// If there are fewer streams than blocks, other than 512 β, or `spins` have another number of sites.
    pub fn advance(
        &mut self,
        model: &ReplicaModel,
        decision: Decision,
        spins: &mut ReplicaSpins,
        betas: &[Beta],
        streams: &mut [Stream],
    ) -> u64 {
        assert_eq!(spins.n_sites(), model.n_sites(), "the replicas have the sites of the model");
        let blocks = self.plan.blocks;
        assert!(streams.len() >= blocks, "{blocks} blocks need {blocks} streams, not {}", streams.len());
        let mut lanes: Vec<Lanes> = streams.iter_mut().take(blocks).map(Lanes::from_stream).collect();
        let key = Key { decision, betas: betas.iter().map(|beta| beta.value()).collect() };
        let tables = match self.tables.take() {
            Some((known, tables)) if known == key => tables,
            _ => match (self.plan.width, decision) {
                (4, Decision::Metropolis) => AnyTables::Four1(self.tables_for(model, decision, betas)),
                (4, Decision::HeatBath) => AnyTables::Four4(self.tables_for(model, decision, betas)),
                (6, Decision::Metropolis) => AnyTables::Six2(self.tables_for(model, decision, betas)),
                (6, Decision::HeatBath) => AnyTables::Six6(self.tables_for(model, decision, betas)),
                (_, Decision::Metropolis) => AnyTables::Sixteen7(self.tables_for(model, decision, betas)),
                (_, Decision::HeatBath) => AnyTables::Sixteen16(self.tables_for(model, decision, betas)),
            },
        };
        let planes = &mut spins.planes;
        let flips = match &tables {
            AnyTables::Four1(tables) => self.visit::<4, 1>(planes, decision, tables, &mut lanes),
            AnyTables::Four4(tables) => self.visit::<4, 4>(planes, decision, tables, &mut lanes),
            AnyTables::Six2(tables) => self.visit::<6, 2>(planes, decision, tables, &mut lanes),
            AnyTables::Six6(tables) => self.visit::<6, 6>(planes, decision, tables, &mut lanes),
            AnyTables::Sixteen7(tables) => self.visit::<16, 7>(planes, decision, tables, &mut lanes),
            AnyTables::Sixteen16(tables) => self.visit::<16, 16>(planes, decision, tables, &mut lanes),
        };
        self.tables = Some((key, tables));
        flips
    }

    fn tables_for<const G: usize>(
        &self,
        model: &ReplicaModel,
        decision: Decision,
        betas: &[Beta],
    ) -> Tables<G> {
        assert_eq!(betas.len(), super::replicas::REPLICAS, "one β per replica");
        let rule = decision.probability();
        let alike = betas.iter().all(|beta| *beta == betas[0]);
        let mut by_bonds = vec![None; MOST + 1];
        for group in self.plan.colors.iter().flatten() {
            let (bonds, unit) = (group.bonds, model.unit());
            let of = |n: usize, beta| threshold(rule(beta, 2.0 * unit * (bonds as f64 - 2.0 * n as f64)));
            by_bonds[bonds].get_or_insert_with(|| match alike {
                true => LaneDigits::alike(|n| of(n, betas[0])),
                false => LaneDigits::nested(|n, lane| of(n, betas[lane])),
            });
        }
        Tables { by_bonds }
    }

    fn visit<const W: usize, const G: usize>(
        &mut self,
        planes: &mut [Words],
        decision: Decision,
        tables: &Tables<G>,
        lanes: &mut [Lanes],
    ) -> u64 {
        let mut total = 0;
        let level = self.level;
        for group in self.plan.colors.iter().flatten() {
            let digits = tables.by_bonds[group.bonds].as_ref().expect("a table was made for every group");
            self.flips.resize(group.sites.len(), Words::ZERO);
            let spins = &*planes;
            let visit = |(((sites, neighbors), flips), lanes): Share<'_>| {
                let bonds = group.bonds;
                dispatch(
                    level,
                    Visit::<W, G> { spins, sites, neighbors, bonds, decision, digits, lanes, flips },
                )
            };
            total += if rayon::current_num_threads() > 1 && group.sites.len() > SITES_PER_BLOCK {
                let sites = group.sites.par_chunks(SITES_PER_BLOCK);
                let neighbors = group.neighbors.par_chunks(SITES_PER_BLOCK * W);
                let flips = self.flips.par_chunks_mut(SITES_PER_BLOCK);
                sites.zip(neighbors).zip(flips).zip(lanes.par_iter_mut()).map(visit).sum::<u64>()
            } else {
                let sites = group.sites.chunks(SITES_PER_BLOCK);
                let neighbors = group.neighbors.chunks(SITES_PER_BLOCK * W);
                let flips = self.flips.chunks_mut(SITES_PER_BLOCK);
                sites.zip(neighbors).zip(flips).zip(lanes.iter_mut()).map(visit).sum()
            };
            for (&site, flips) in group.sites.iter().zip(&self.flips) {
                let words = &mut planes[site as usize].0;
                words.iter_mut().zip(flips.0).for_each(|(word, flip)| *word ^= flip);
            }
        }
        total
    }
}
