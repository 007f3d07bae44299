//! Cliques on the chips of annealing machines, constructed.
//!
//! On all three, qubits are bars, and a vertical bar meets the horizontal bars that it crosses. A chain is an L: bars of one vertical line
//! and bars of one horizontal line that cross. In an order of the chains, the vertical part of each reaches the rows of all before it,
//! and its horizontal part the columns of all after it: so every two cross once.
//!
//! ```text
//! chain i    V: column c_i, rows of chains 0 … i        H: row r_i, columns of chains i … K−1
//! ```

use std::collections::HashSet;

use ceas_sim::topology::Topology;

use super::{Flaw, Placement};

/// The clique K of 4m spins on Chimera C(m, m, 4): every chain has m + 1 sites.
///
/// # Errors
/// [`Flaw::Size`] if m = 0.
pub fn chimera(m: usize) -> Result<Placement, Flaw> {
    if m == 0 {
        return Err(Flaw::Size { what: "Chimera graph", size: m, violated: "it has m ≥ 1" });
    }
    let site = |y: usize, x: usize, u: usize, k: usize| (((y * m + x) * 2 + u) * 4 + k) as u32;
    let chain = |block: usize, k: usize| {
        let down = (0..=block).map(|y| site(y, block, 0, k));
        down.chain((block..m).map(|x| site(block, x, 1, k))).collect()
    };
    Ok(Placement::new(
        (0..m).flat_map(|block| (0..4).map(move |k| (block, k))).map(|(b, k)| chain(b, k)).collect(),
    ))
}

/// The clique of 16m − 8 spins on Zephyr Z(m, 4): every chain has m + 1 sites.
///
/// Lines 1 … 2m−1 are used in both directions: all their bars reach all these lines.
///
/// # Errors
/// [`Flaw::Size`] if m = 0.
pub fn zephyr(m: usize) -> Result<Placement, Flaw> {
    if m == 0 {
        return Err(Flaw::Size { what: "Zephyr graph", size: m, violated: "it has m ≥ 1" });
    }
    let lines = 2 * m + 1;
    let number = |u: usize, w: usize, k: usize, j: usize, z: usize| {
        ((((u * lines + w) * 4 + k) * 2 + j) * m + z) as u32
    };
    let mut chains = Vec::with_capacity(16 * m - 8);
    for line in 1..2 * m {
        for (j, k) in (0..2).flat_map(|j| (0..4).map(move |k| (j, k))) {
            // Bar (j, z) lies across lines 2z + j and 2z + j + 1.
            let bar = |across: usize| (across - j) / 2;
            let down = (bar(1.max(j))..=bar(line)).map(|z| number(0, line, k, j, z));
            let right = (bar(line)..=bar(2 * m - 1)).map(|z| number(1, line, k, j, z));
            chains.push(down.chain(right).collect());
        }
    }
    Ok(Placement::new(chains))
}

/// Where the bars of each pair of neighbouring lines begin, in pairs of lines: vertical and horizontal.
const BEGIN: [[usize; 6]; 2] = [[1, 1, 5, 5, 3, 3], [3, 3, 1, 1, 5, 5]];

/// Bars of a line that cover the pairs `low` … `high` across it, if they do.
fn bars(m: usize, begin: usize, low: usize, high: usize) -> Option<std::ops::RangeInclusive<usize>> {
    (low >= begin && high < begin + 6 * (m - 1)).then(|| (low - begin) / 6..=(high - begin) / 6)
}

/// The clique of 12(m − 1) spins on Pegasus P(m), m ≥ 3: every chain has m or m + 1 sites.
///
/// The order of the chains is found by a search over intervals: at each step the rows used so far, which are an interval, grow by
/// one at either end, and the columns left, which are one too, shrink by one at either end. States seen in vain are not seen again, so
/// the search takes at most of the order of m³ steps.
///
/// # Errors
/// [`Flaw::Size`] if m < 3.
pub fn pegasus(m: usize) -> Result<Placement, Flaw> {
    let small = Flaw::Size { what: "Pegasus graph", size: m, violated: "the construction needs m ≥ 3" };
    if m < 3 {
        return Err(small);
    }
    let (pairs, lines) = (6 * (m - 1), 6 * m);
    for first in 0..=lines - pairs {
        let mut search = Search { m, seen: HashSet::new(), order: Vec::with_capacity(pairs) };
        for start in 0..lines {
            let columns = (first as isize, (first + pairs) as isize - 1);
            if search.from(columns, (start as isize, start as isize - 1)) {
                return Ok(search.placement());
            }
        }
    }
    Err(small)
}

/// An order of pairs of columns and rows, as far as it is found.
struct Search {
    m: usize,
    seen: HashSet<(isize, isize, isize, isize)>,
    order: Vec<Ell>,
}

/// One L of two neighbouring lines: column, row, and the bars of each.
#[derive(Clone)]
struct Ell {
    column: usize,
    row: usize,
    down: std::ops::RangeInclusive<usize>,
    right: std::ops::RangeInclusive<usize>,
}

impl Search {
    /// Whether an order exists from here: columns left and rows used, both ends included.
    fn from(&mut self, columns: (isize, isize), rows: (isize, isize)) -> bool {
        if columns.0 > columns.1 {
            return true;
        }
        if !self.seen.insert((columns.0, columns.1, rows.0, rows.1)) {
            return false;
        }
        let grown = [(rows.0 - 1, (rows.0 - 1, rows.1)), (rows.1 + 1, (rows.0, rows.1 + 1))];
        for (row, rows) in grown {
            for (column, left) in
                [(columns.0, (columns.0 + 1, columns.1)), (columns.1, (columns.0, columns.1 - 1))]
            {
                if let Some(ell) = self.ell(column, row, columns, rows) {
                    self.order.push(ell);
                    if self.from(left, rows) {
                        return true;
                    }
                    self.order.pop();
                }
            }
        }
        false
    }

    fn ell(&self, column: isize, row: isize, columns: (isize, isize), rows: (isize, isize)) -> Option<Ell> {
        if rows.0 < 0 || rows.1 >= 6 * self.m as isize {
            return None;
        }
        let [column, row] = [column as usize, row as usize];
        let down = bars(self.m, BEGIN[0][column % 6], rows.0 as usize, rows.1 as usize)?;
        let right = bars(self.m, BEGIN[1][row % 6], columns.0 as usize, columns.1 as usize)?;
        let length = down.end() - down.start() + right.end() - right.start() + 2;
        (length <= self.m + 1).then_some(Ell { column, row, down, right })
    }

    /// The chains, in the numbers of the sites without gaps.
    fn placement(&self) -> Placement {
        let m = self.m;
        let label = |u: usize, line: usize, z: usize| ((u * m + line / 12) * 12 + line % 12) * (m - 1) + z;
        let chip = Topology::pegasus(m).expect("a graph that was large enough to search");
        let labels = chip.labels().expect("Pegasus graphs carry the numbers of their maker");
        let site = |label: usize| {
            labels.binary_search(&(label as u32)).expect("bars of a chain cross others") as u32
        };
        let chain = |ell: &Ell, side: usize| {
            let down = ell.down.clone().map(|z| label(0, 2 * ell.column + side, z));
            down.chain(ell.right.clone().map(|z| label(1, 2 * ell.row + side, z))).map(site).collect()
        };
        Placement::new(self.order.iter().flat_map(|ell| [chain(ell, 0), chain(ell, 1)]).collect())
    }
}
