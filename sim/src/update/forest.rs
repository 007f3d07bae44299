//! Union–find over 32-bit labels: which labels belong to one cluster.

/// A forest whose trees are clusters; the root of a tree is its least label, so that every parent comes before its children.
///
/// Path halving: Tarjan and van Leeuwen, doi:10.1145/62.2160.
#[derive(Debug, Clone, Default)]
pub(super) struct Forest {
    parents: Vec<u32>,
}

impl Forest {
    /// No label yet.
    pub(super) fn clear(&mut self) {
        self.parents.clear();
    }

    /// Labels up to `count` − 1, the new ones each a tree of its own.
    pub(super) fn grow(&mut self, count: u32) {
        self.parents.extend(self.parents.len() as u32..count);
    }

    /// Number of labels.
    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    /// The root of a label's tree.
    #[inline(always)]
    pub(super) fn root(&mut self, mut label: u32) -> u32 {
        loop {
            let parent = self.parents[label as usize];
            if parent == label {
                return label;
            }
            let above = self.parents[parent as usize];
            if above == parent {
                return parent;
            }
            self.parents[label as usize] = above;
            label = above;
        }
    }

    /// Joins the trees of two labels.
    #[inline(always)]
    pub(super) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    /// Lets every label point at its root, and calls `see(label, root)` for each, in ascending order of labels: a root before
    /// the rest of its tree.
    #[inline(always)]
    pub(super) fn flatten(&mut self, mut see: impl FnMut(u32, u32)) {
        for label in 0..self.parents.len() {
            let root = self.parents[self.parents[label] as usize];
            self.parents[label] = root;
            see(label as u32, root);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Purpose, Stream};

    #[test]
    fn trees_are_the_connected_components() {
        for replica in 0..200 {
            let mut stream = Stream::new(0, Purpose::Test, replica, 0);
            let n = 1 + stream.below(40) as u32;
            let mut forest = Forest::default();
            forest.grow(n);
            let mut naive: Vec<u32> = (0..n).collect();
            for _ in 0..stream.below(50) {
                let (a, b) = (stream.below(n.into()) as u32, stream.below(n.into()) as u32);
                forest.join(a, b);
                let (x, y) = (naive[a as usize], naive[b as usize]);
                naive.iter_mut().filter(|root| **root == x.max(y)).for_each(|root| *root = x.min(y));
            }
            let mut roots = Vec::new();
            forest.flatten(|_, root| roots.push(root));
            assert_eq!(roots, naive);
        }
    }
}
