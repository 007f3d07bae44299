//! Configurations come back as they were written, and an unfinished file leaves its last commit.
#![cfg(feature = "hdf5")]

use std::fs;
use std::path::Path;

use ceas_sim::Error;
use ceas_sim::snapshot::archive::Archive;
use ceas_sim::snapshot::{Frame, Header, SnapshotFile, SnapshotReader, SnapshotWriter};
use ceas_sim::spins::Spins;
use ceas_sim::stream::{Purpose, Stream};

fn header(shape: &[usize]) -> Header {
    Header {
        seed: u64::MAX,
        hamiltonian: "H = −Σ s s".to_owned(),
        update: "heat-bath".to_owned(),
        lattice: "square".to_owned(),
        shape: shape.to_vec(),
        program_version: "test 0".to_owned(),
        command_line: "ceas snapshot --out β.h5".to_owned(),
    }
}

fn frame(sites: usize, number: u64) -> Frame {
    let spins = Spins::random(sites, &mut Stream::new(0, Purpose::Test, number, 0));
    Frame { spins, sweep: 10 * number, beta: 0.5, energy: -(number as f64) }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.collect();
    names.sort();
    names
}

#[test]
fn frames_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    for shape in [vec![6, 6], vec![11]] {
        let path = folder.path().join("a.h5");
        let sites = shape.iter().product();
        let writer = &mut SnapshotWriter::start(SnapshotFile::create(&path, &header(&shape)).unwrap());
        for number in 0..300 {
            assert!(writer.push(frame(sites, number)));
        }
        assert_eq!(writer.finish().unwrap(), 300);
        assert_eq!(writer.committed(), 300);
        let reader = SnapshotReader::open(&path).unwrap();
        assert_eq!((reader.frames(), reader.header()), (300, &header(&shape)));
        for number in [0, 1, 255, 256, 299] {
            assert_eq!(reader.frame(number as usize).unwrap(), frame(sites, number));
        }
        assert!(reader.frame(300).unwrap_err().to_string().contains("no frame 300"));
        assert_eq!(names(folder.path()), ["a.h5"]);
    }
}

#[test]
fn the_final_name_holds_the_old_file_or_a_readable_one_at_every_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    fs::write(&path, "old").unwrap();
    let mut file = SnapshotFile::create(&path, &header(&[4, 4])).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    file.append(&frame(16, 0)).unwrap();
    // The first frame is committed at once; the second within the same second is not.
    file.append(&frame(16, 1)).unwrap();
    let reader = SnapshotReader::open(&path).unwrap();
    assert_eq!((reader.frames(), reader.frame(0).unwrap()), (1, frame(16, 0)));
    drop(reader);
    drop(file);
    assert_eq!(SnapshotReader::open(&path).unwrap().frames(), 1);
    assert_eq!(names(folder.path()), ["a.h5"]);
}

#[test]
fn a_file_without_frames_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let file = SnapshotFile::create(&path, &header(&[4, 4])).unwrap();
    assert_eq!(file.finish().unwrap(), 0);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_partial_file_of_a_killed_run_is_replaced_but_not_one_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    fs::write(folder.path().join("a.h5.partial"), "left over").unwrap();
    let archive = Archive::create(&path).unwrap();
    let error = Archive::create(&path).unwrap_err();
    assert!(error.to_string().contains("another run"), "{error}");
    archive.finish().unwrap();
    assert_eq!(names(folder.path()), ["a.h5"]);
}

#[test]
fn what_is_no_snapshot_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let refused = || SnapshotReader::open(&path).unwrap_err().to_string();
    assert!(refused().contains("No such file"), "{}", refused());
    fs::write(&path, "no HDF5").unwrap();
    assert!(refused().contains("a.h5"), "{}", refused());
    Archive::create(&path).unwrap().finish().unwrap();
    assert!(refused().contains("schema_version"), "{}", refused());
    let missing = folder.path().join("none").join("a.h5");
    assert!(Archive::create(&missing).unwrap_err().to_string().contains("No such file"));
    let file = &mut SnapshotFile::create(&path, &header(&[4, 4])).unwrap();
    assert!(matches!(file.append(&frame(15, 0)), Err(Error::Count { expected: 16, got: 15, .. })));
}

/// One byte changed anywhere, or some cut off, and the file is not gone on with, nor shown to the HDF5 library, which can run for ever on it.
#[test]
fn a_changed_byte_is_found_before_the_library_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.h5");
    let writer = &mut SnapshotWriter::start(SnapshotFile::create(&path, &header(&[6, 6])).unwrap());
    for number in 0..3 {
        assert!(writer.push_with(frame(36, number), vec![1, 2, 3]));
    }
    writer.finish().unwrap();
    let good = fs::read(&path).unwrap();
    assert_eq!(SnapshotReader::open_whole(&path).unwrap().energies().unwrap(), [0.0, -1.0, -2.0]);
    let refuses = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let errors = [SnapshotReader::open_whole(&path).err(), SnapshotFile::reopen(&path).err()];
        errors.map(|error| error.expect("it is taken").to_string())
    };
    let written = good.iter().enumerate().filter(|(_, byte)| **byte != 0).map(|(at, _)| at);
    for at in written.step_by(3).chain((0..good.len()).step_by(997)) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(refuses(&bytes).iter().all(|e| e.contains("seal")), "byte {at}");
    }
    for length in [0, 7, 24, 25, good.len() / 2, good.len() - 24, good.len() - 1] {
        assert!(refuses(&good[..length]).iter().all(|e| e.contains("seal")), "{length} bytes");
    }
    // The twin: the file as it was is taken, and goes on under a new seal.
    fs::write(&path, &good).unwrap();
    let mut file = SnapshotFile::reopen(&path).unwrap();
    file.append(&frame(36, 3)).unwrap();
    assert_eq!(file.finish().unwrap(), 4);
    assert_eq!(SnapshotReader::open_whole(&path).unwrap().frame(3).unwrap(), frame(36, 3));
}
