//! Counts of many independent draws at once: a digital shortcut that touches no spin.

use crate::beta::Beta;
use crate::potts::heat_bath::invert;
use crate::potts::{Binomial, PottsSpin};
use crate::stream::Stream;

/// The law of the counts of S independent draws from a Potts spin, drawn state by state as conditional binomials.
///
/// c_1 ~ Bin(S, p_1), c_2 ~ Bin(S − c_1, p_2/(1 − p_1)), …: the same distribution as S heat-bath draws or races, at a cost that does
/// not grow with S. It is arithmetic on a host, not something a substrate of spins does, and so it has no
/// [`Activity`](crate::activity::Activity).
///
/// ```
/// use ceas_sim::{beta::Beta, potts::{Multinomial, PottsSpin}, stream::{Purpose, Stream}};
/// let spin = PottsSpin::new(&[0.0, 2.0, 1.0]).unwrap();
/// let mut counts = [0; 3];
/// let mut stream = Stream::new(1, Purpose::Update, 0, 0);
/// Multinomial::new(&spin, Beta::new(1.0).unwrap()).add(1_000, &mut counts, &mut stream);
/// assert_eq!(counts.iter().sum::<u32>(), 1_000);
/// ```
#[derive(Debug, Clone)]
pub struct Multinomial {
    labels: Vec<usize>,
    /// p of the state given that no state of lower rank was drawn; exactly 1 at the last state.
    conditional: Vec<f64>,
    /// Cumulative weights, for few draws.
    sums: Vec<f64>,
}

impl Multinomial {
    /// The law of the counts of `spin` at `beta`.
    pub fn new(spin: &PottsSpin, beta: Beta) -> Self {
        let mut conditional: Vec<f64> =
            spin.gaps().iter().map(|&gap| libm::exp(beta.value() * gap)).collect();
        let mut sum = 0.0;
        let sums = conditional.iter().map(|w| {
            sum += w;
            sum
        });
        let sums = sums.collect();
        let mut tail = 0.0;
        for w in conditional.iter_mut().rev() {
            tail += *w;
            // Beyond the last state of positive weight nothing is ever left to distribute.
            *w = if tail > 0.0 { *w / tail } else { 1.0 };
        }
        Self { labels: spin.ranked().collect(), conditional, sums }
    }

    /// Adds the counts of `draws` further draws to `counts`, by label.
    ///
    /// # Panics
    /// If `counts` has fewer entries than the spin has labels, or a count overflows.
    pub fn add(&self, draws: u32, counts: &mut [u32], stream: &mut Stream) {
        if (draws as usize) < self.labels.len() / 4 {
            for _ in 0..draws {
                counts[self.labels[invert(&self.sums, stream.uniform())]] += 1;
            }
            return;
        }
        let mut left = draws;
        for (&label, &p) in self.labels.iter().zip(&self.conditional) {
            if left == 0 {
                return;
            }
            let drawn = Binomial { n: left.into(), p }.draw(stream) as u32;
            counts[label] += drawn;
            left -= drawn;
        }
    }
}
