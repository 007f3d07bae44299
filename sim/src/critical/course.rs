//! How far a survey has come: what it goes on from.

use super::cell::{Effort, Measured};
use super::family::Family;
use super::pilot::Pilot;
use crate::checkpoint::{self, Reader, Refusal, Writer};

/// Under which number a course is kept among the parts of its survey.
pub(super) const COURSE: u64 = 0;

/// What is known at the end of a stage; the stages after it follow from it alone.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    /// Of an automatic grid.
    pub(super) pilot: Option<Pilot>,
    /// Where the sizes so far meet, if they do.
    pub(super) centre: Option<f64>,
    /// Complete cells, by size and then β.
    pub(super) measured: Vec<Measured>,
    /// Once a precision is worked for.
    pub(super) refining: Option<Refining>,
}

/// What a survey that works for a precision bears in mind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refining {
    /// Work that may be done in all.
    pub(super) most: f64,
    /// The least size that cannot be had.
    pub(super) refused: usize,
}

impl Course {
    pub(super) fn save(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u8(u8::from(self.pilot.is_some()));
        if let Some(pilot) = &self.pilot {
            let [low, high] = pilot.interval;
            [pilot.crossing, low, high, pilot.width].into_iter().for_each(|x| out.f64(x));
            out.u64(pilot.sites as u64);
            checkpoint::write_activity(pilot.activity, &mut out);
        }
        out.u8(u8::from(self.centre.is_some()));
        self.centre.into_iter().for_each(|centre| out.f64(centre));
        out.u8(u8::from(self.refining.is_some()));
        if let Some(Refining { most, refused }) = self.refining {
            out.f64(most);
            out.u64(refused as u64);
        }
        out.u64(self.measured.len() as u64);
        self.measured.iter().for_each(|measured| measured.save(&mut out));
        out.finish()
    }

    /// One of a survey of `family`, each cell simulated by `effort`.
    ///
    /// # Errors
    /// [`Refusal`] if the bytes are no such thing.
    pub(super) fn load(bytes: &[u8], family: &Family, effort: Effort) -> Result<Self, Refusal> {
        let mut from = Reader::new(bytes);
        let pilot = (from.u8()? == 1).then(|| pilot(&mut from)).transpose()?;
        let centre = (from.u8()? == 1).then(|| from.f64()).transpose()?;
        let refining = match from.u8()? {
            1 => Some(Refining {
                most: from.f64()?,
                refused: usize::try_from(from.u64()?).unwrap_or(usize::MAX),
            }),
            _ => None,
        };
        let mut measured: Vec<Measured> = Vec::new();
        // Cells are made one by one as long as there are bytes for them.
        for _ in 0..from.u64()? {
            let next = Measured::load(family, effort, &mut from)?;
            let place = |m: &Measured| (m.cell.size, m.cell.beta.value().to_bits());
            if measured.last().is_some_and(|last| place(last) >= place(&next)) {
                return Err(from.broken("cells that are not in order"));
            }
            measured.push(next);
        }
        from.end()?;
        Ok(Self { pilot, centre, measured, refining })
    }
}

fn pilot(from: &mut Reader<'_>) -> Result<Pilot, Refusal> {
    let pilot = Pilot {
        crossing: from.f64()?,
        interval: [from.f64()?, from.f64()?],
        width: from.f64()?,
        sites: from.count()? as usize,
        activity: checkpoint::read_activity(from)?,
    };
    let events = pilot.activity.counts().into_iter().map(|(_, count)| count).max();
    if pilot.crossing <= 0.0 || pilot.width <= 0.0 || pilot.sites == 0 || events > Some(1 << 52) {
        return Err(from.broken("a pilot that found no transition"));
    }
    Ok(pilot)
}
