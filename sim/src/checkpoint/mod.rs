//! Checkpoints: a run that is written down and goes on later as if nothing had happened, bit for bit.
//!
//! A checkpoint holds the sweeps made, β(t), every stream where it stands, the configuration, what the update has learnt, the counted
//! events, and bytes of the caller's. It does not hold the model, only its fingerprint: the caller makes the model and the
//! update again, and a checkpoint of another model or another update is refused.
//!
//! ```text
//! "CEASCKPT"  version u32  kind of update  fingerprint u64  sweeps u64  activity 8 × u64  schedule
//! streams  state  update  attachment  checksum u64            all little-endian, lengths before bytes
//! ```

mod bytes;
mod fields;
mod lanes;
mod saved;
mod shelf;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::checksum;
pub use bytes::{Reader, Refusal, Writer};
pub use saved::{Recognizable, SavedState, SavedUpdate, stir};
pub(crate) use shelf::{Kept, Kind, Shelf, Work};

use crate::activity::Activity;
use crate::error::Error;
use crate::memory;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::stream::{Stream, Streams};

const MAGIC: [u8; 8] = *b"CEASCKPT";

/// The version written; all versions up to it are read.
pub const VERSION: u32 = 1;

/// A run that goes on, and the bytes that were kept with it.
pub struct Resumed<'m, U: SavedUpdate> {
    /// The run.
    pub run: Run<'m, U>,
    /// What was attached.
    pub attached: Vec<u8>,
}

/// Writes a run to `path`, with any bytes the caller wants to have back (a measured series, say).
///
/// The file is written beside `path` under another name, brought to the disk and then renamed: a kill at any moment leaves
/// either the file that was there or the new one.
///
/// ```
/// use ceas_sim::{beta::Beta, checkpoint, hamiltonian::Hamiltonian, plan::Plan, run::Run, schedule::Schedule};
/// use ceas_sim::{spins::Spins, stream::{Purpose, Streams}, topology::Topology, update::SwendsenWang};
/// use std::ops::ControlFlow;
/// let model = Hamiltonian::ferromagnet(Topology::square(8).unwrap());
/// let update = || SwendsenWang::new(&model).unwrap();
/// let begin = || {
///     let schedule = Schedule::Constant(Beta::new(0.44).unwrap());
///     Run::new(&model, Spins::up(64), update(), schedule, Streams::new(1, Purpose::Update, 0, 1))
/// };
/// let plan = Plan { thermalization: 0, sweeps: 20, every: 1 };
/// let (mut whole, mut half) = (begin(), begin());
/// whole.drive(&plan, |_| ControlFlow::Continue(()));
/// half.drive(&plan, |run| if run.sweeps() == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
///
/// let path = std::env::temp_dir().join(format!("ceas-example-{}.checkpoint", std::process::id()));
/// checkpoint::save(&half, b"seven", &path).unwrap();
/// let mut resumed = checkpoint::resume(&path, &model, update()).unwrap();
/// resumed.run.drive_from(resumed.run.sweeps(), &plan, |_| ControlFlow::Continue(()));
/// assert_eq!(resumed.attached, b"seven");
/// assert!(resumed.run.state() == whole.state() && resumed.run.streams() == whole.streams());
/// # std::fs::remove_file(path).unwrap();
/// ```
///
/// # Errors
/// [`Error::Archive`] if the file cannot be written; what was there before then stays.
pub fn save<U>(run: &Run<'_, U>, attached: &[u8], path: &Path) -> Result<(), Error>
where
    U: SavedUpdate,
    U::Model: Recognizable,
    U::State: SavedState<U::Model>,
{
    write_whole(path, &encode(run, attached))
}

/// The bytes of a file, if memory holds them `times` over.
fn read_whole(path: &Path, times: u64) -> Result<Vec<u8>, Error> {
    let archive = |cause: io::Error| Error::Archive {
        path: path.to_owned(),
        action: "reading checkpoint",
        cause: cause.to_string(),
    };
    let length = fs::metadata(path).map_err(archive)?.len();
    memory::check("checkpoint", 1, length.saturating_mul(times))?;
    fs::read(path).map_err(archive)
}

/// Writes a file that is under its name as a whole or not at all: for what holds several runs, each by [`encode`].
///
/// # Errors
/// [`Error::Archive`] if it cannot be written; what was there before then stays.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomically(path, bytes).map_err(|cause| Error::Archive {
        path: path.to_owned(),
        action: "writing checkpoint",
        cause: cause.to_string(),
    })
}

/// Goes on with the run in `path`, given the model it ran on and an update made as its update was made.
///
/// # Errors
/// [`Error::Archive`] if the file cannot be read, [`Error::Memory`] if it is larger than memory, [`Error::Checkpoint`] if it is damaged or
/// false, [`Error::OtherCheckpoint`] if it is one of another model or update.
pub fn resume<'m, U>(path: &Path, model: &'m U::Model, update: U) -> Result<Resumed<'m, U>, Error>
where
    U: SavedUpdate,
    U::Model: Recognizable,
    U::State: SavedState<U::Model>,
{
    let bytes = read_whole(path, 9)?;
    decode(&bytes, model, update).map_err(|refusal| refusal.of(path))
}

impl Refusal {
    /// The error that names the file the bytes came from.
    pub fn of(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::Broken { at, violated } => Error::Checkpoint { path, at, violated },
            Self::Other { what, expected, got } => Error::OtherCheckpoint { path, what, expected, got },
        }
    }
}

/// A run as the bytes of a checkpoint.
pub fn encode<U>(run: &Run<'_, U>, attached: &[u8]) -> Vec<u8>
where
    U: SavedUpdate,
    U::Model: Recognizable,
    U::State: SavedState<U::Model>,
{
    let mut out = Writer::default();
    out.raw(MAGIC);
    out.u32(VERSION);
    out.bytes(run.update().kind().as_bytes());
    out.u64(run.model().fingerprint());
    out.u64(run.sweeps());
    write_activity(run.activity(), &mut out);
    write_schedule(run.schedule(), &mut out);
    let streams = run.streams().as_slice();
    out.u64(streams.len() as u64);
    for stream in streams {
        let (words, half) = stream.position();
        words.into_iter().for_each(|word| out.u64(word));
        out.u8(u8::from(half.is_some()));
        out.u32(half.unwrap_or(0));
    }
    run.state().save(&mut out);
    run.update().save(run.state(), &mut out);
    out.bytes(attached);
    out.seal()
}

/// The run that [`encode`] wrote.
///
/// # Errors
/// [`Refusal`] if the bytes are damaged, false, or those of another run.
pub fn decode<'m, U>(bytes: &[u8], model: &'m U::Model, mut update: U) -> Result<Resumed<'m, U>, Refusal>
where
    U: SavedUpdate,
    U::Model: Recognizable,
    U::State: SavedState<U::Model>,
{
    let mut from = Reader::new(bytes);
    if from.raw(8).ok() != Some(&MAGIC) {
        return Err(Refusal::Broken {
            at: 0,
            violated: "this is no checkpoint: it must begin with CEASCKPT",
        });
    }
    let version = from.u32()?;
    if version == 0 || version > VERSION {
        let expected = format!("1 to {VERSION}");
        return Err(Refusal::Other { what: "format version", expected, got: version.to_string() });
    }
    let body = bytes.len().saturating_sub(8);
    let mut sum = Reader::new(&bytes[body..]);
    if body < 12 || sum.u64()? != checksum(&bytes[..body]) {
        return Err(Refusal::Broken { at: body, violated: "the checksum does not fit: the file is damaged" });
    }
    let mut from = Reader::new(&bytes[..body]);
    from.raw(12)?;
    let kind = String::from_utf8_lossy(from.bytes()?).into_owned();
    if kind != update.kind() {
        return Err(Refusal::Other { what: "the update", expected: update.kind(), got: kind });
    }
    let (expected, got) = (model.fingerprint(), from.u64()?);
    if expected != got {
        let [expected, got] = [expected, got].map(|print| format!("{print:016x}"));
        return Err(Refusal::Other { what: "the model with fingerprint", expected, got });
    }
    let sweeps = from.count()?;
    let activity = read_activity(&mut from)?;
    let schedule = read_schedule(&mut from)?;
    let streams = read_streams(&mut from, update.blocks())?;
    let state = U::State::load(model, &mut from)?;
    update.restore(&state, &mut from)?;
    let attached = from.bytes()?.to_vec();
    from.end()?;
    let run = Run::new(model, state, update, schedule, streams);
    Ok(Resumed { run: Run::resumed(run, sweeps, activity), attached })
}

pub(crate) fn write_activity(activity: Activity, out: &mut Writer) {
    activity.counts().into_iter().for_each(|(_, count)| out.u64(count));
}

pub(crate) fn read_activity(from: &mut Reader<'_>) -> Result<Activity, Refusal> {
    Ok(Activity {
        attempts: from.count()?,
        flips: from.count()?,
        coupler_reads: from.count()?,
        coupling_writes: from.count()?,
        field_writes: from.count()?,
        random_bits: from.count()?,
        read_outs: from.count()?,
        decoder_adds: from.count()?,
    })
}

fn write_schedule(schedule: &Schedule, out: &mut Writer) {
    let mut ramp = |tag, from: f64, to: f64, sweeps| {
        out.u8(tag);
        out.f64(from);
        out.f64(to);
        out.u64(sweeps);
    };
    match schedule {
        Schedule::Constant(beta) => ramp(0, beta.value(), beta.value(), 0),
        Schedule::Linear { from, to, sweeps } => ramp(1, from.value(), to.value(), *sweeps),
        Schedule::Geometric { from, to, sweeps } => ramp(2, from.value(), to.value(), *sweeps),
    }
}

fn read_schedule(from: &mut Reader<'_>) -> Result<Schedule, Refusal> {
    let tag = from.u8()?;
    let (a, b, sweeps) = (saved::beta(from)?, saved::beta(from)?, from.count()?);
    let schedule = match tag {
        0 => Ok(Schedule::Constant(a)),
        1 => Schedule::linear(a, b, sweeps),
        2 => Schedule::geometric(a, b, sweeps),
        _ => return Err(from.broken("a schedule is constant, linear or geometric")),
    };
    schedule.map_err(|_| from.broken("a ramp that cannot be followed"))
}

fn read_streams(from: &mut Reader<'_>, needed: usize) -> Result<Streams, Refusal> {
    let count = from.u64()?;
    if count < needed as u64 {
        return Err(from.broken("there are fewer streams than the update draws from"));
    }
    let mut blocks = Vec::new();
    // Streams are made one by one as long as there are bytes for them.
    for _ in 0..count {
        let words = [from.u64()?, from.u64()?, from.u64()?, from.u64()?];
        let (has_half, half) = (from.u8()? == 1, from.u32()?);
        let stream = Stream::at(words, has_half.then_some(half));
        blocks.push(stream.ok_or_else(|| from.broken("a generator cannot stand at zero"))?);
    }
    Streams::from_blocks(blocks).ok_or_else(|| from.broken("there is no stream"))
}

/// The whole file under its name, or no change.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    let mut part = name.to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
    let part = folder.join(part);
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    });
    if written.is_err() {
        // The first error is the one to tell; a part that cannot be removed is named after this process.
        let _ = fs::remove_file(&part);
        return written;
    }
    // So that the new name survives a loss of power. Not every system lets a folder be opened; the file itself is safe.
    if let Ok(folder) = File::open(&folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
