//! Rates of many events, of which one is to be chosen.

/// One rate ≥ 0 per site in a binary tree of sums. Every sum is that of its two children, computed anew whenever one changes, so that
/// rounding cannot accumulate and the tree depends on the present rates alone.
#[derive(Debug, Clone)]
pub(super) struct Rates {
    /// Node k has children 2k and 2k + 1; the leaves begin at half the length.
    sums: Vec<f64>,
    n: usize,
}

impl Rates {
    /// At most: leaves are rounded up to a power of two.
    pub(super) const BYTES_PER_SITE: u64 = 32;

    pub(super) fn new(n: usize) -> Self {
        Self { sums: vec![0.0; 2 * n.next_power_of_two()], n }
    }

    /// Sets every rate.
    pub(super) fn set_all(&mut self, rate: impl Fn(usize) -> f64) {
        let leaves = self.sums.len() / 2;
        for site in 0..self.n {
            self.sums[leaves + site] = rate(site);
        }
        for node in (1..leaves).rev() {
            self.sums[node] = self.sums[2 * node] + self.sums[2 * node + 1];
        }
    }

    /// Sets the rate of one site.
    #[inline]
    pub(super) fn set(&mut self, site: usize, rate: f64) {
        let mut node = self.sums.len() / 2 + site;
        self.sums[node] = rate;
        while node > 1 {
            node /= 2;
            self.sums[node] = self.sums[2 * node] + self.sums[2 * node + 1];
        }
    }

    /// The sum of all rates.
    #[inline]
    pub(super) fn total(&self) -> f64 {
        // A single site is root and leaf at once.
        self.sums[1]
    }

    /// The site at a share `u` ∈ [0, 1) of the total; never one of rate 0 unless all are.
    #[inline]
    pub(super) fn find(&self, u: f64) -> usize {
        let leaves = self.sums.len() / 2;
        let mut target = u * self.sums[1];
        let mut node = 1;
        while node < leaves {
            let (left, right) = (self.sums[2 * node], self.sums[2 * node + 1]);
            // Rounding may leave the target at the very end of a node whose right half is empty.
            let go_right = target >= left && right > 0.0;
            target -= if go_right { left } else { 0.0 };
            node = 2 * node + usize::from(go_right);
        }
        node - leaves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, Stream};

    #[test]
    fn changed_rates_make_the_tree_of_fresh_rates_and_empty_sites_are_not_found() {
        for n in 1..40 {
            let mut stream = Stream::new(0, Purpose::Test, n as u64, 0);
            let mut values = vec![0.0; n];
            let mut rates = Rates::new(n);
            for _ in 0..100 {
                let site = stream.below(n as u64) as usize;
                values[site] = if stream.below(2) == 0 { 0.0 } else { stream.uniform() };
                rates.set(site, values[site]);
                let mut fresh = Rates::new(n);
                fresh.set_all(|site| values[site]);
                assert_eq!(rates.sums, fresh.sums);
                if rates.total() > 0.0 {
                    for u in [0.0, stream.uniform(), 1.0 - f64::EPSILON / 2.0] {
                        assert!(values[rates.find(u)] > 0.0);
                    }
                }
            }
        }
    }
}
