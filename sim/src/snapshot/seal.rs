//! A seal at the end of a file: whether any byte has changed since it was written.
//!
//! The HDF5 library trusts what it reads: one changed byte of its symbol tables can send it round for ever (seen with version 1.14). So a file that
//! is to be gone on with carries, behind what HDF5 knows of and where no reader looks,
//! ```text
//! "CEASSEAL"  length u64  sum u64        little-endian, of all bytes before
//! ```
//! and is not shown to the library before they fit. This tells damage, not malice: whoever forges a file can forge its seal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::checkpoint::stir;
use crate::error::Error;

const MAGIC: &[u8; 8] = b"CEASSEAL";
const LENGTH: u64 = 24;

/// The first `length` bytes as one number; each word changes it for good, since every step is one to one.
fn sum(file: &mut File, length: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut piece = vec![0; 1 << 16];
    let (mut left, mut hash) = (length, stir(13, length));
    while left > 0 {
        let piece = &mut piece[..left.min(1 << 16) as usize];
        file.read_exact(piece)?;
        for bytes in piece.chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            hash = stir(hash, u64::from_le_bytes(word));
        }
        left -= piece.len() as u64;
    }
    Ok(hash)
}

/// Seals a file that is complete.
pub(super) fn put(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let sum = sum(&mut file, length)?;
    file.seek(SeekFrom::Start(length))?;
    file.write_all(&[MAGIC.as_slice(), &length.to_le_bytes(), &sum.to_le_bytes()].concat())
}

/// Whether the seal is there and fits; why not, else.
fn fits(path: &Path) -> io::Result<Result<(), &'static str>> {
    let mut file = File::open(path)?;
    let whole = file.metadata()?.len();
    let none = "no seal of this program is at its end, so that nothing tells whether it is whole";
    let Some(length) = whole.checked_sub(LENGTH) else { return Ok(Err(none)) };
    let mut seal = [0; LENGTH as usize];
    file.seek(SeekFrom::Start(length))?;
    file.read_exact(&mut seal)?;
    if !seal.starts_with(MAGIC) {
        return Ok(Err(none));
    }
    let sum = sum(&mut file, length)?;
    let expected = [length.to_le_bytes(), sum.to_le_bytes()].concat();
    Ok(if seal[8..] == expected { Ok(()) } else { Err("it has changed since it was sealed: it is damaged") })
}

/// Refuses a file that has changed since it was sealed.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    let refused = |cause: String| Error::Archive { path: path.to_owned(), action: "reading", cause };
    match fits(path) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(refused(why.to_owned())),
        Err(error) => Err(refused(error.to_string())),
    }
}

/// Takes the seal off, if there is one.
pub(super) fn strip(path: &Path) -> io::Result<()> {
    if fits(path)?.is_ok() {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(file.metadata()?.len() - LENGTH)?;
    }
    Ok(())
}
