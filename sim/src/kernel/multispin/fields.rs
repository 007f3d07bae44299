//! Counting the neighbours of four sites at once, in 512 replicas.
//!
//! Where all four are joined to the same site by one bond each, it belongs to one of sixteen groups, by the four signs. The set spins
//! U_g of each group are counted once, bit by bit, and site t has Σ_g ±U_g of them, with the sign that the group has for t: a third of
//! the work of counting four times. (M. Kronrod's idea, "the four Russians", Dokl. Akad. Nauk SSSR 194, 487, 1970.)
//! Bonds that do not fit a group, such as those among the four, are counted for each site by itself.

use super::replicas::ReplicaModel;
use super::vector::{Vector, Words};

/// Sites that are counted together.
pub(super) const SITES: usize = 4;

/// Groups of neighbours, by the signs of the bonds.
const GROUPS: usize = 1 << SITES;

/// Fewer neighbours than this in all groups are not worth the sums over groups.
const WORTH_IT: usize = 128;

/// Binary digits that a count may have.
pub(super) const PLANES: usize = 16;

/// Number after number, bit by bit: plane b holds digit b of every lane.
pub(super) type Number<V> = [V; PLANES];

/// Four consecutive sites and their neighbours.
#[derive(Debug, Clone)]
pub(super) struct Four {
    /// Group after group; each is filled up to a multiple of 8 with the ghost, which is always up.
    neighbors: Vec<u32>,
    /// Where each group ends; bit t of its number says that the bond with site t is negative.
    ends: [usize; GROUPS],
    sites: Vec<Site>,
}

/// One of the four.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// Bonds outside the groups.
    rest: Vec<u32>,
    bonds: usize,
    /// What is to be added to Σ_g ±U_g and the satisfied bonds of `rest`, such that the sum is c − ⌈D/2⌉.
    offset: isize,
}

impl Four {
    /// The sites from `first` on.
    pub(super) fn new(model: &ReplicaModel, first: usize) -> Self {
        let last = (first + SITES).min(model.n_sites());
        let ghost = model.n_sites() as u32;
        let mut bonds: Vec<Vec<u32>> = (first..last).map(|site| model.bonds(site).to_vec()).collect();
        bonds.iter_mut().for_each(|bonds| bonds.sort_unstable());
        let mut groups: [Vec<u32>; GROUPS] = Default::default();
        let mut rests: Vec<Vec<u32>> = vec![Vec::new(); bonds.len()];
        if bonds.len() == SITES {
            let mut at = [0; SITES];
            // The bonds of all four sites, merged by the site at the other end.
            while let Some(other) = (0..SITES).filter_map(|t| bonds[t].get(at[t])).map(|bond| bond / 2).min()
            {
                let ends_there = |t: usize| bonds[t].get(at[t]).is_some_and(|bond| bond / 2 == other);
                let inside = (first..last).contains(&(other as usize));
                if !inside && (0..SITES).all(ends_there) {
                    let group = (0..SITES).map(|t| (bonds[t][at[t]] as usize & 1) << t).sum::<usize>();
                    groups[group].push(other);
                    at.iter_mut().for_each(|at| *at += 1);
                } else {
                    for t in (0..SITES).filter(|&t| ends_there(t)).collect::<Vec<_>>() {
                        rests[t].push(bonds[t][at[t]]);
                        at[t] += 1;
                    }
                }
            }
        }
        if groups.iter().map(Vec::len).sum::<usize>() < WORTH_IT {
            groups = Default::default();
            rests.clone_from(&bonds);
        }
        let offset = |t: usize, bonds: usize| {
            let of_group = |(g, group): (usize, &Vec<u32>)| {
                let (n, ghosts) = (group.len(), group.len().next_multiple_of(8) - group.len());
                if g >> t & 1 == 1 { (n + ghosts) as isize } else { -(ghosts as isize) }
            };
            groups.iter().enumerate().map(of_group).sum::<isize>() - bonds.div_ceil(2) as isize
        };
        let site = |(t, rest): (usize, Vec<u32>)| {
            let bonds = bonds[t].len();
            Site { rest, bonds, offset: offset(t, bonds) }
        };
        let sites = rests.into_iter().enumerate().map(site).collect();
        let mut neighbors = Vec::new();
        let mut ends = [0; GROUPS];
        for (end, group) in ends.iter_mut().zip(groups) {
            neighbors.extend(group);
            neighbors.resize(neighbors.len().next_multiple_of(8), ghost);
            *end = neighbors.len();
        }
        Self { neighbors, ends, sites }
    }

    /// The sites, in their order.
    pub(super) fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Σ_g ±U_g of every site, modulo 2^`width`.
    #[inline(always)]
    pub(super) fn sums<V: Vector>(&self, planes: &[Words], width: usize, sums: &mut [Number<V>; SITES]) {
        if self.neighbors.is_empty() {
            return;
        }
        let mut counts = [[V::splat(0); PLANES]; GROUPS];
        let mut start = 0;
        for g in 0..GROUPS {
            count(planes, &self.neighbors[start..self.ends[g]], width, &mut counts[g]);
            start = self.ends[g];
        }
        // Groups that differ in the sign for site t alone: their difference belongs to t, their sum to the sites before it.
        let mut half = GROUPS / 2;
        for t in (0..SITES).rev() {
            let (low, high) = counts.split_at_mut(half);
            for g in 0..half {
                let mut difference = low[g];
                subtract(&mut difference, width, &high[g]);
                if g == 0 {
                    sums[t] = difference;
                } else {
                    add(&mut sums[t], width, &difference);
                }
                add(&mut low[g], width, &high[g]);
            }
            half /= 2;
        }
    }
}

impl Site {
    /// Whether the number of bonds is odd.
    pub(super) fn is_odd(&self) -> bool {
        self.bonds % 2 == 1
    }

    /// What is still to be added.
    pub(super) fn offset(&self) -> isize {
        self.offset
    }

    /// Adds the bonds outside the groups that an up spin would find satisfied.
    #[inline(always)]
    pub(super) fn add_rest<V: Vector>(&self, planes: &[Words], width: usize, total: &mut Number<V>) {
        let mut eights = self.rest.chunks_exact(8);
        for bonds in eights.by_ref() {
            let mut low = [total[0], total[1], total[2]];
            let mut a = [V::splat(0); 8];
            for k in 0..8 {
                a[k] = satisfied(planes, bonds[k]);
            }
            let carry = add_eight(&mut low, &a);
            total[..3].copy_from_slice(&low);
            add_bit(total, 3, width, carry);
        }
        for &bond in eights.remainder() {
            add_bit(total, 0, width, satisfied(planes, bond));
        }
    }
}

/// Adds eight bits to a number of three digits; the carry has the weight 8.
#[inline(always)]
fn add_eight<V: Vector>(low: &mut [V; 3], a: &[V; 8]) -> V {
    let [ones, twos, fours] = low;
    let mut pairs = [V::splat(0); 4];
    for k in 0..4 {
        let (x, y) = (a[2 * k], a[2 * k + 1]);
        pairs[k] = ones.majority(x, y);
        *ones = ones.xor3(x, y);
    }
    let first = twos.majority(pairs[0], pairs[1]);
    *twos = twos.xor3(pairs[0], pairs[1]);
    let second = twos.majority(pairs[2], pairs[3]);
    *twos = twos.xor3(pairs[2], pairs[3]);
    let carry = fours.majority(first, second);
    *fours = fours.xor3(first, second);
    carry
}

/// Eight spins.
#[inline(always)]
fn load_eight<V: Vector>(planes: &[Words], sites: &[u32]) -> [V; 8] {
    let mut a = [V::splat(0); 8];
    for k in 0..8 {
        a[k] = V::load(&planes[sites[k] as usize]);
    }
    a
}

/// The lanes where an up spin would find a bond satisfied.
#[inline(always)]
fn satisfied<V: Vector>(planes: &[Words], bond: u32) -> V {
    const SIGNS: [Words; 2] = [Words::ZERO, Words::ONES];
    V::load(&planes[bond as usize / 2]).xor(V::load(&SIGNS[bond as usize & 1]))
}

/// How many of the listed spins are up, modulo 2^`width`; their number is a multiple of 8.
#[inline(always)]
fn count<V: Vector>(planes: &[Words], sites: &[u32], width: usize, total: &mut Number<V>) {
    let zero = V::splat(0);
    let mut low = [zero; 3];
    let mut eights = zero;
    // Above this digit a count of so many is 0.
    let top = ((usize::BITS - sites.len().leading_zeros()) as usize).min(width);
    let mut sixteens = sites.chunks_exact(16);
    for sites in sixteens.by_ref() {
        let first = add_eight(&mut low, &load_eight(planes, &sites[..8]));
        let second = add_eight(&mut low, &load_eight(planes, &sites[8..]));
        let carry = eights.majority(first, second);
        eights = eights.xor3(first, second);
        add_bit(total, 4, top, carry);
    }
    if sixteens.remainder().len() == 8 {
        let carry = add_eight(&mut low, &load_eight(planes, sixteens.remainder()));
        let both = eights.and(carry);
        eights = eights.xor(carry);
        add_bit(total, 4, top, both);
    }
    total[..3].copy_from_slice(&low);
    total[3] = eights;
}

/// Adds one bit at digit `at`, modulo 2^`width`.
#[inline(always)]
fn add_bit<V: Vector>(total: &mut Number<V>, at: usize, width: usize, mut carry: V) {
    for b in at..width {
        let plane = total[b];
        total[b] = plane.xor(carry);
        carry = plane.and(carry);
    }
}

#[inline(always)]
fn add<V: Vector>(a: &mut Number<V>, width: usize, b: &Number<V>) {
    let mut carry = V::splat(0);
    for k in 0..width {
        let (x, y) = (a[k], b[k]);
        a[k] = x.xor3(y, carry);
        carry = x.majority(y, carry);
    }
}

#[inline(always)]
fn subtract<V: Vector>(a: &mut Number<V>, width: usize, b: &Number<V>) {
    let mut borrow = V::splat(0);
    for k in 0..width {
        let (x, y) = (a[k], b[k]);
        a[k] = x.xor3(y, borrow);
        borrow = x.borrow(y, borrow);
    }
}

/// Adds a constant, modulo 2^`width`.
#[inline(always)]
pub(super) fn add_constant<V: Vector>(a: &mut Number<V>, width: usize, constant: isize) {
    let mut carry = V::splat(0);
    for k in 0..width {
        let digit = V::splat(((constant >> k & 1) as u64).wrapping_neg());
        let x = a[k];
        a[k] = x.xor3(digit, carry);
        carry = x.majority(digit, carry);
    }
}
