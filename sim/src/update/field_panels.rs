//! A sweep of many replicas of a dense graph, whose local fields are kept: block by block, replicas side by side.

use crate::couplings::Real;
use crate::kernel::multispin::Level;
use crate::kernel::panel::{BLOCK, Panel};
use crate::kernel::rows::{Rows, Turned, pass_on};
use crate::kernel::wide::{Loop, at};
use crate::stream::Stream;
use crate::update::CachedSpins;

/// What one replica did in one sweep or block.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) flips: u64,
    pub(super) uphill: u64,
    pub(super) draws: u64,
    pub(super) reads: u64,
    pub(super) energy: f64,
}

/// The matrix of a dense graph, and how to go through it.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldPanels<'a, T> {
    pub(super) level: Level,
    /// 2J, row by row.
    pub(super) matrix: &'a [T],
    /// From the beginning of one row to that of the next.
    pub(super) stride: usize,
}

impl<T: Real> FieldPanels<'_, T> {
    /// One sweep of all replicas, each at its 2β; `turned` is space to work in, and `add` is told what was done.
    pub(super) fn sweep(
        self,
        replicas: &mut [CachedSpins<T>],
        two_beta: impl Fn(usize) -> T,
        streams: &mut [Stream],
        turned: &mut Vec<Turned>,
        mut add: impl FnMut(Count),
    ) {
        let n = replicas.first().map_or(0, |state| state.spins.len());
        turned.resize(replicas.len(), Turned::default());
        let mut panels = Panels { one: Panel::new(), sixteen: Panel::new(), thirty_two: Panel::new() };
        for first in (0..n).step_by(BLOCK) {
            let rows = Rows { matrix: self.matrix, stride: self.stride, first };
            let mut done = 0;
            while done < replicas.len() {
                let width = group(replicas.len() - done);
                let range = done..(done + width).min(replicas.len());
                let group = Group {
                    level: self.level,
                    rows,
                    replicas: &mut replicas[range.clone()],
                    streams: &mut streams[range.clone()],
                    turned: &mut turned[range.clone()],
                };
                let two_beta = |lane: usize| two_beta(range.start + lane);
                add(match width {
                    1 => group.visit(&mut panels.one, two_beta),
                    16 => group.visit(&mut panels.sixteen, two_beta),
                    _ => group.visit(&mut panels.thirty_two, two_beta),
                });
                done = range.end;
            }
            pass_on(self.level, rows, turned, replicas, |state| &mut state.fields);
        }
    }
}

/// Replicas that are taken through a block of sites of a dense graph together.
struct Group<'a, T> {
    level: Level,
    rows: Rows<'a, T>,
    replicas: &'a mut [CachedSpins<T>],
    streams: &'a mut [Stream],
    turned: &'a mut [Turned],
}

impl<T: Real> Group<'_, T> {
    /// Visits the block in up to `L` replicas; the kept fields are left as they were.
    fn visit<const L: usize>(self, panel: &mut Panel<T, L>, two_beta: impl Fn(usize) -> T) -> Count {
        let there = self.replicas.len();
        let two_beta = std::array::from_fn(|lane| if lane < there { two_beta(lane) } else { T::of(1.0) });
        at(self.level, Visit { group: self, panel, two_beta })
    }
}

struct Visit<'a, T, const L: usize> {
    group: Group<'a, T>,
    panel: &'a mut Panel<T, L>,
    two_beta: [T; L],
}

impl<T: Real, const L: usize> Loop for Visit<'_, T, L> {
    type Output = Count;

    #[inline(always)]
    fn run(self) -> Count {
        let Self { group: Group { rows, replicas, streams, turned, .. }, panel, two_beta } = self;
        let (n, start) = (replicas[0].spins.len(), rows.first);
        let sites = (n - start).min(BLOCK);
        let range = start..start + sites;
        let mut draws = [0; BLOCK];
        panel.clear(replicas.len());
        for (lane, (state, stream)) in replicas.iter().zip(streams).enumerate() {
            stream.fill_u32(&mut draws[..sites]);
            panel.put(lane, &state.spins[range.clone()], &state.fields[range.clone()], &draws[..sites]);
        }
        panel.visit(rows, sites, &two_beta);
        let mut count = Count { draws: (sites * replicas.len()) as u64, ..Count::default() };
        for (lane, (state, turned)) in replicas.iter_mut().zip(turned).enumerate() {
            *turned = panel.take(lane, &mut state.spins[range.clone()]);
            state.energy += panel.energy[lane];
            state.uphill += u64::from(panel.uphill[lane]);
            count.flips += u64::from(panel.flipped[lane].count_ones());
        }
        count.reads = count.flips * (n as u64 - 1);
        count
    }
}

/// Room for blocks of one, sixteen and thirty-two replicas.
#[derive(Debug, Clone)]
struct Panels<T> {
    one: Panel<T, 1>,
    sixteen: Panel<T, 16>,
    thirty_two: Panel<T, 32>,
}

/// How many of `left` replicas are taken at a time: decisions about sixteen cost about as much as three alone.
fn group(left: usize) -> usize {
    match left {
        0..=2 => 1,
        3..=16 => 16,
        _ => 32,
    }
}
