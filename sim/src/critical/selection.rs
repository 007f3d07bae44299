//! Which sizes β_c is taken from, and which comes next.

use super::curve::SizeCurves;
use super::family::Correction;
use super::meeting::{self, Critical};

/// A chain of doublings goes on doubling; one with halves between goes on so.
pub(super) fn next_size(second: usize, last: usize) -> usize {
    if 2 * second > last { 2 * second } else { 2 * last }
}

/// Whether χ² is no larger than chance makes it once in some hundred times.
fn fits(found: &Critical) -> bool {
    let dof = found.freedom as f64;
    found.freedom == 0 || found.chi_squared < dof + 3.0 * libm::sqrt(2.0 * dof)
}

/// β_c from those of the largest sizes whose whole error is least; all sizes, or as few as the three largest.
pub(super) fn best(sizes: &[SizeCurves], correction: Correction, start: f64) -> Option<Critical> {
    let least = sizes.len().min(3);
    let found: Vec<Critical> = (0..=sizes.len() - least)
        .filter_map(|from| meeting::critical(&sizes[from..].iter().collect::<Vec<_>>(), correction, start))
        .collect();
    let error = |c: &&Critical| c.beta.error;
    let fitting = found.iter().filter(|c| fits(c)).min_by(|a, b| error(a).total_cmp(&error(b)));
    fitting.or(found.last()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_sizes_goes_on_as_it_began() {
        let chain = |mut sizes: [usize; 2]| {
            let mut next = || {
                sizes = [sizes[1], next_size(sizes[0], sizes[1])];
                sizes[1]
            };
            [next(), next(), next()]
        };
        assert_eq!(chain([32, 64]), [128, 256, 512]);
        assert_eq!(chain([24, 32]), [48, 64, 96]);
    }
}
