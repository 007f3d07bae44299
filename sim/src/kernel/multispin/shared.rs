//! Replicas in the lanes that **share** their random numbers: one draw for a site of all 512.
//!
//! Replica by replica this is Metropolis, as right as with a draw of its own. Jointly it is not: at one β the replicas coalesce, until
//! all are the same configuration or its mirror image, and 512 of them carry the information of one (independent-system coding: Bhanot,
//! Duke, Salvador, J. Stat. Phys. 44, 985, 1986; Rieger, arXiv:hep-lat/9208019).

use super::digits::threshold;
use super::level::{Level, Task, dispatch};
use super::replicas::{REPLICAS, ReplicaModel};
use super::sparse::{Group, Plan, at_least, digits_of_count};
use super::tally::Tally;
use super::vector::{Vector, Words};
use crate::beta::Beta;
use crate::stream::Stream;

/// Scratch space and choices of a sweep.
#[derive(Debug, Clone)]
pub struct SharedSweep {
    plan: Plan,
    level: Level,
    tables: Option<(Vec<f64>, Tables)>,
}

/// Who accepts which draws.
#[derive(Debug, Clone)]
struct Tables {
    /// The k hottest replicas, for k = 0 … 512.
    hottest: Vec<Words>,
    /// By number of bonds D and of unsatisfied ones n < D/2: the thresholds of the replicas, from the hottest.
    thresholds: Vec<Vec<Vec<u64>>>,
}

impl Tables {
    fn new(plan: &Plan, unit: f64, betas: &[Beta]) -> Self {
        let mut order: Vec<usize> = (0..REPLICAS).collect();
        order.sort_by(|&a, &b| betas[a].value().total_cmp(&betas[b].value()));
        let mut hottest = vec![Words::ZERO];
        for &lane in &order {
            let mut words = hottest[hottest.len() - 1];
            words.set(lane, true);
            hottest.push(words);
        }
        let mut thresholds = vec![Vec::new(); super::sparse::MOST + 1];
        for bonds in plan.groups().map(|group| group.bonds) {
            let cost = |n: usize| 2.0 * unit * (bonds as f64 - 2.0 * n as f64);
            let p = |n: usize, lane: usize| {
                threshold(crate::update::Metropolis::flip_probability(betas[lane], cost(n)))
            };
            let of = |n: usize| order.iter().map(|&lane| p(n, lane)).collect();
            thresholds[bonds] = (0..bonds.div_ceil(2)).map(of).collect();
        }
        Self { hottest, thresholds }
    }

    /// The replicas that accept `draw` with `n` of `bonds` bonds unsatisfied.
    #[inline(always)]
    fn accepting(&self, bonds: usize, n: usize, draw: u64) -> &Words {
        let thresholds = &self.thresholds[bonds][n];
        // With one β for all, one of the ends decides.
        let count = if draw >= thresholds[0] {
            0
        } else if draw < thresholds[REPLICAS - 1] {
            REPLICAS
        } else {
            thresholds.partition_point(|&threshold| draw < threshold)
        };
        &self.hottest[count]
    }
}

impl SharedSweep {
    /// Sweeps by `plan` at `level`.
    pub fn new(plan: Plan, level: Level) -> Self {
        Self { plan, level, tables: None }
    }

    /// The order of a sweep.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// One sweep of all replicas, replica r at `betas[r]`, colour by colour; a draw of 64 bits a site. Returns the number of flips.
    ///
    /// # Panics
    /// If there are other than 512 β, or `planes` are not one a site and the ghost.
    pub(crate) fn advance(
        &mut self,
        model: &ReplicaModel,
        planes: &mut [Words],
        betas: &[Beta],
        stream: &mut Stream,
    ) -> u64 {
        assert_eq!(planes.len(), model.n_sites() + 1, "the replicas have the sites of the model");
        assert_eq!(betas.len(), REPLICAS, "one β per replica");
        let key: Vec<f64> = betas.iter().map(|beta| beta.value()).collect();
        let tables = match self.tables.take() {
            Some((known, tables)) if known == key => tables,
            _ => Tables::new(&self.plan, model.unit(), betas),
        };
        let mut flips = 0;
        for group in self.plan.groups() {
            let stream = &mut *stream;
            let (planes, tables) = (&mut *planes, &tables);
            flips += match self.plan.width() {
                4 => dispatch(self.level, Visit::<4> { planes, group, tables, stream }),
                6 => dispatch(self.level, Visit::<6> { planes, group, tables, stream }),
                _ => dispatch(self.level, Visit::<16> { planes, group, tables, stream }),
            };
        }
        self.tables = Some((key, tables));
        flips
    }
}

/// The sites of one group, none of which are neighbours.
struct Visit<'a, const W: usize> {
    planes: &'a mut [Words],
    group: &'a Group,
    tables: &'a Tables,
    stream: &'a mut Stream,
}

impl<const W: usize> Task for Visit<'_, W> {
    type Output = u64;

    #[inline(always)]
    fn run<V: Vector>(self) -> u64 {
        const SIGNS: [Words; 2] = [Words::ZERO, Words::ONES];
        let Self { planes, group, tables, stream } = self;
        let zero = V::splat(0);
        let mut tally = Tally::<V>::new();
        let half = group.bonds.div_ceil(2);
        for (sites, neighbors) in group.sites.chunks(8).zip(group.neighbors.chunks(8 * W)) {
            let mut flips = [zero; 8];
            for slot in 0..sites.len() {
                let s = V::load(&planes[sites[slot] as usize]);
                let mut a = [s; W];
                for k in 0..W {
                    let bond = neighbors[slot * W + k] as usize;
                    a[k] = s.xor3(V::load(&planes[bond / 2]), V::load(&SIGNS[bond & 1]));
                }
                let n = digits_of_count(&a);
                let draw = stream.next_u64();
                let mut accepted = at_least(&n, half);
                // Who accepts at n accepts at n + 1 too.
                for class in 0..half {
                    let accepting = V::load(tables.accepting(group.bonds, class, draw));
                    accepted = accepted.or_and(at_least(&n, class), accepting);
                }
                flips[slot] = accepted;
            }
            for slot in 0..sites.len() {
                let words = &mut planes[sites[slot] as usize];
                V::load(words).xor(flips[slot]).store(words);
            }
            tally.add_eight(&flips);
        }
        tally.total()
    }
}
