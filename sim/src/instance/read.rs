//! Reading.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::flaw::{Flaw, Malformed, ReadError};
use super::{Format, Instance, Objective, bqm, lines};
use crate::memory;

impl Instance {
    /// Reads a problem from text. `objective` says what to make of formats that leave it open: rudy files are cuts and edge lists are
    /// couplings J unless it says otherwise.
    ///
    /// # Errors
    /// [`Malformed`], naming the line.
    pub fn parse(text: &str, format: Format, objective: Option<Objective>) -> Result<Self, Malformed> {
        match format {
            Format::Rudy => lines::counted(text, format, objective.unwrap_or(Objective::MaxCut)),
            Format::Edges => lines::edges(text, objective.unwrap_or(Objective::Ising)),
            Format::Coo => lines::coo(text, objective),
            Format::Bqm => bqm::parse(text, objective),
            Format::Sparse => match objective {
                None | Some(Objective::Qubo) => lines::counted(text, format, Objective::Qubo),
                Some(asked) => {
                    let flaw = Flaw::Objective { file: Objective::Qubo.name(), asked: asked.name() };
                    Err(Malformed { line: 0, flaw })
                }
            },
        }
    }

    /// Reads a problem file: in the format given, or the one that the name ends in, or else the one that the text looks like.
    ///
    /// # Errors
    /// [`ReadError`], naming the file, the line and what would be right.
    pub fn read(
        path: &Path,
        format: Option<Format>,
        objective: Option<Objective>,
    ) -> Result<(Self, Format), ReadError> {
        let text = text(path)?;
        let format =
            format.or_else(|| Format::of_name(path)).unwrap_or_else(|| Format::of_text(&text, objective));
        let instance = Self::parse(&text, format, objective);
        instance
            .map(|instance| (instance, format))
            .map_err(|malformed| ReadError::Malformed { path: path.to_owned(), malformed })
    }

    /// Biases of spins are added to an energy that J and h are subtracted from; bits have no such sign.
    pub(super) fn flip_signs_of_spins(&mut self) {
        if self.objective == Objective::Ising {
            // 0 − x instead of −x, so that no zero becomes −0.
            self.quadratic.iter_mut().chain(&mut self.linear).for_each(|bias| *bias = 0.0 - *bias);
        }
    }
}

/// The whole of a text file that fits into memory several times over.
pub(crate) fn text(path: &Path) -> Result<String, ReadError> {
    const IF_UNKNOWN: u64 = 1 << 28;
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let limit = if metadata.is_file() { memory::available().map_or(1 << 32, |m| m / 8) } else { IF_UNKNOWN };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLong { path: path.to_owned(), limit });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|&&byte| byte == b'\n').count() + 1;
        ReadError::Malformed { path: path.to_owned(), malformed: Malformed { line, flaw: Flaw::NotText } }
    })
}
