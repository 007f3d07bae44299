//! The ledger: every kind of event that can be priced, and how often it happens.

use ceas_sim::activity::Activity;
use serde::{Deserialize, Serialize};

use crate::units::Events;

/// A kind of physical event. The first eight are the counts of [`Activity`]; the others are arithmetic, conversion and transport
/// beside the spins, and follow from the shape of the workload and from how it is mapped.
///
/// Idle time is no event: what a device draws whether it works or not is in `idle_w` of its file, and costs power × time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A unit decided whether to change.
    Attempts,
    /// A unit changed.
    Flips,
    /// A coupling was read to form a local field.
    CouplerReads,
    /// A coupling was programmed.
    CouplingWrites,
    /// A local field was programmed.
    FieldWrites,
    /// A random bit was drawn.
    RandomBits,
    /// A bit of state was read out.
    ReadOuts,
    /// A number was added while decoding read-outs.
    DecoderAdds,
    /// A multiply-accumulate on the way to a field q·k.
    FieldMacs,
    /// A multiply-accumulate of the exact average Σ_j p_j v_j.
    ValueMacs,
    /// An exponential of the exact softmax, with its part of the running maximum, sum and division.
    Exponentials,
    /// A multiply-accumulate with a weight of the model.
    WeightMacs,
    /// An arithmetic operation of a norm, an activation or a residual.
    PointwiseOps,
    /// A number turned into a voltage or current.
    DacConversions,
    /// A voltage or current turned into a number.
    AdcConversions,
    /// A comparator at the end of a line of an array decided once.
    Comparisons,
    /// A bit that came from or went to a memory beside the arithmetic: weights, keys and values that are not resident.
    MemoryBits,
    /// A bit that crossed a link between chips, or to the host.
    LinkBits,
}

impl Event {
    /// Every kind, in the order of the ledger.
    pub const ALL: [Self; 18] = [
        Self::Attempts,
        Self::Flips,
        Self::CouplerReads,
        Self::CouplingWrites,
        Self::FieldWrites,
        Self::RandomBits,
        Self::ReadOuts,
        Self::DecoderAdds,
        Self::FieldMacs,
        Self::ValueMacs,
        Self::Exponentials,
        Self::WeightMacs,
        Self::PointwiseOps,
        Self::DacConversions,
        Self::AdcConversions,
        Self::Comparisons,
        Self::MemoryBits,
        Self::LinkBits,
    ];

    /// The name used in device files and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Flips => "flips",
            Self::CouplerReads => "coupler_reads",
            Self::CouplingWrites => "coupling_writes",
            Self::FieldWrites => "field_writes",
            Self::RandomBits => "random_bits",
            Self::ReadOuts => "read_outs",
            Self::DecoderAdds => "decoder_adds",
            Self::FieldMacs => "field_macs",
            Self::ValueMacs => "value_macs",
            Self::Exponentials => "exponentials",
            Self::WeightMacs => "weight_macs",
            Self::PointwiseOps => "pointwise_ops",
            Self::DacConversions => "dac_conversions",
            Self::AdcConversions => "adc_conversions",
            Self::Comparisons => "comparisons",
            Self::MemoryBits => "memory_bits",
            Self::LinkBits => "link_bits",
        }
    }
}

/// How often every kind of event happens.
///
/// ```
/// use ceas_npu_model::ledger::{Event, Ledger};
/// use ceas_sim::activity::Activity;
/// let ledger = Ledger::from(&Activity { attempts: 64, ..Activity::default() });
/// assert_eq!(ledger.count(Event::Attempts).value(), 64.0);
/// assert_eq!(ledger.count(Event::FieldMacs).value(), 0.0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ledger {
    counts: [Events; Event::ALL.len()],
}

impl Ledger {
    /// How often an event happens.
    pub fn count(&self, event: Event) -> Events {
        self.counts[event as usize]
    }

    /// Counts further events of a kind.
    pub fn enter(&mut self, event: Event, count: u64) {
        self.add(event, count as f64);
    }

    /// Counts further events of a kind, of which there may be more than 2⁶⁴, or a fraction: an average over runs.
    pub fn add(&mut self, event: Event, count: f64) {
        self.counts[event as usize] = self.counts[event as usize] + Events::new(count);
    }

    /// Every kind that happens at all, with its count.
    pub fn entries(&self) -> impl Iterator<Item = (Event, Events)> + '_ {
        Event::ALL.into_iter().map(|e| (e, self.count(e))).filter(|(_, count)| count.value() > 0.0)
    }
}

impl From<&Activity> for Ledger {
    fn from(activity: &Activity) -> Self {
        let mut ledger = Self::default();
        // By name, so that a count added to `Activity` without an event here is noticed (see the test).
        for (name, count) in activity.counts() {
            let event = Event::ALL.into_iter().find(|e| e.name() == name);
            ledger.enter(event.expect("every count of an activity is an event of the ledger"), count);
        }
        ledger
    }
}

/// Events of a run as a line in the number of samples S: `fixed` + S · `per_sample`.
///
/// Programming happens once per query or per context; competing, reading and adding happen for every sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Linear {
    /// Events that do not depend on S.
    pub fixed: Activity,
    /// Events of every further sample.
    pub per_sample: Activity,
}

impl Linear {
    /// The line through two runs with `few` and `many` samples; `None` if no count grows or the counts are not on a
    /// line through whole numbers (a sampler whose work per sample is random must be averaged by its caller).
    pub fn through(few: (u64, &Activity), many: (u64, &Activity)) -> Option<Self> {
        let steps = many.0.checked_sub(few.0).filter(|&s| s > 0)?;
        let line = |a: u64, b: u64| {
            let grown = b.checked_sub(a)?;
            let slope = (grown % steps == 0).then_some(grown / steps)?;
            Some((a.checked_sub(slope.checked_mul(few.0)?)?, slope))
        };
        let mut fixed = Activity::default();
        let mut per_sample = Activity::default();
        for i in 0..fixed.counts().len() {
            let (offset, slope) = line(few.1.counts()[i].1, many.1.counts()[i].1)?;
            *count_mut(&mut fixed, i) = offset;
            *count_mut(&mut per_sample, i) = slope;
        }
        Some(Self { fixed, per_sample })
    }

    /// The events of `samples` samples.
    ///
    /// # Errors
    /// [`crate::Error::TooManyEvents`] if a count leaves 64 bits.
    pub fn at(&self, samples: u64) -> Result<Activity, crate::Error> {
        let mut total = self.fixed;
        for (i, (event, slope)) in self.per_sample.counts().into_iter().enumerate() {
            let count = count_mut(&mut total, i);
            *count = slope
                .checked_mul(samples)
                .and_then(|grown| count.checked_add(grown))
                .ok_or(crate::Error::TooManyEvents { event, samples })?;
        }
        Ok(total)
    }
}

/// The count at a position of [`Activity::counts`].
fn count_mut(activity: &mut Activity, position: usize) -> &mut u64 {
    match position {
        0 => &mut activity.attempts,
        1 => &mut activity.flips,
        2 => &mut activity.coupler_reads,
        3 => &mut activity.coupling_writes,
        4 => &mut activity.field_writes,
        5 => &mut activity.random_bits,
        6 => &mut activity.read_outs,
        _ => &mut activity.decoder_adds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_of_an_activity_reaches_its_event() {
        let mut activity = Activity::default();
        for i in 0..activity.counts().len() {
            *count_mut(&mut activity, i) = i as u64 + 1;
        }
        let ledger = Ledger::from(&activity);
        for (name, count) in activity.counts() {
            let event = Event::ALL.into_iter().find(|e| e.name() == name).unwrap();
            assert_eq!(ledger.count(event).value(), count as f64, "{name}");
        }
        assert_eq!(ledger.entries().count(), 8);
    }

    #[test]
    fn two_runs_give_the_line_and_a_crooked_pair_none() {
        let few = Activity { attempts: 17, field_writes: 7, ..Activity::default() };
        let many = Activity { attempts: 37, field_writes: 7, ..Activity::default() };
        let line = Linear::through((1, &few), (3, &many)).unwrap();
        assert_eq!((line.fixed.attempts, line.per_sample.attempts), (7, 10));
        assert_eq!(line.at(5).unwrap().attempts, 57);
        assert_eq!(line.at(5).unwrap().field_writes, 7);
        assert!(matches!(line.at(u64::MAX), Err(crate::Error::TooManyEvents { event: "attempts", .. })));
        let crooked = Activity { attempts: 38, ..many };
        assert_eq!(Linear::through((1, &few), (3, &crooked)), None);
        assert_eq!(Linear::through((3, &few), (3, &many)), None);
    }
}
