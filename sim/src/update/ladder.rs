//! The configurations of a ladder of replicas, and who has been where.

use crate::error::Error;
use crate::spins::Spins;
use crate::update::Pair;

/// What stands on one rung of a ladder: one configuration, or several that do not exchange with each other.
pub trait Rung: Clone + Send {
    /// The configurations, always equally many.
    fn copies(&self) -> &[Spins];

    /// The same, to be exchanged with those of another rung.
    fn copies_mut(&mut self) -> &mut [Spins];
}

impl Rung for Spins {
    fn copies(&self) -> &[Spins] {
        std::slice::from_ref(self)
    }

    fn copies_mut(&mut self) -> &mut [Spins] {
        std::slice::from_mut(self)
    }
}

impl Rung for Pair {
    fn copies(&self) -> &[Spins] {
        self.both()
    }

    fn copies_mut(&mut self) -> &mut [Spins] {
        self.both_mut()
    }
}

/// The end of the ladder that a walker has been to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum End {
    /// Neither.
    None = 0,
    /// Rung 0.
    Hot = 1,
    /// The last rung.
    Cold = 2,
}

/// Replicas on rungs 0 (hottest) to R − 1 (coldest). A *walker* is one configuration on its way along the ladder.
///
/// ```
/// use ceas_sim::{spins::Spins, update::Ladder};
/// let ladder = Ladder::new(vec![Spins::up(4); 3]).unwrap();
/// assert_eq!((ladder.rungs().len(), ladder.coldest().len()), (3, 4));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder<S = Spins> {
    pub(crate) rungs: Vec<S>,
    /// The walker on each rung, rung by rung, copy by copy.
    pub(crate) walkers: Vec<u32>,
    /// Where each walker has been last.
    pub(crate) ends: Vec<End>,
}

impl<S: Rung> Ladder<S> {
    /// The configurations of the rungs, hottest first; walker k begins on the k-th place.
    ///
    /// # Errors
    /// [`Error::Count`] unless there are at least two rungs, all with configurations of equally many spins.
    pub fn new(rungs: Vec<S>) -> Result<Self, Error> {
        let got = rungs.len();
        if got < 2 {
            return Err(Error::Count { what: "rungs", per: "β of the ladder", expected: 2, got });
        }
        let expected = rungs[0].copies()[0].len();
        if let Some(other) = rungs.iter().flat_map(S::copies).find(|spins| spins.len() != expected) {
            return Err(Error::Count { what: "spins on a rung", per: "site", expected, got: other.len() });
        }
        let places = got * rungs[0].copies().len();
        let mut ladder = Self { rungs, walkers: (0..places as u32).collect(), ends: vec![End::None; places] };
        ladder.note_ends();
        Ok(ladder)
    }

    /// What stands on the rungs, hottest first.
    pub fn rungs(&self) -> &[S] {
        &self.rungs
    }

    /// What stands on the coldest rung.
    pub fn coldest(&self) -> &S {
        &self.rungs[self.rungs.len() - 1]
    }

    /// The walker on each rung, rung by rung and copy by copy.
    pub fn walkers(&self) -> &[u32] {
        &self.walkers
    }

    /// Exchanges copy number `copy` of a rung with that of the next colder one.
    pub(crate) fn exchange(&mut self, rung: usize, copy: usize) {
        let (hot, cold) = self.rungs.split_at_mut(rung + 1);
        std::mem::swap(&mut hot[rung].copies_mut()[copy], &mut cold[0].copies_mut()[copy]);
        let copies = cold[0].copies().len();
        self.walkers.swap(rung * copies + copy, (rung + 1) * copies + copy);
    }

    /// Notes who is at an end. Returns how many walkers have arrived at the cold end from the hot one.
    pub(crate) fn note_ends(&mut self) -> u64 {
        let copies = self.rungs[0].copies().len();
        let last = self.walkers.len() - copies;
        let mut arrived = 0;
        for copy in 0..copies {
            self.ends[self.walkers[copy] as usize] = End::Hot;
            let end = &mut self.ends[self.walkers[last + copy] as usize];
            arrived += u64::from(*end == End::Hot);
            *end = End::Cold;
        }
        arrived
    }
}
