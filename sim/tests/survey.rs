//! A survey that is broken off and resumed, at any moment and on other threads, finds bit for bit what the uninterrupted one finds; false
//! checkpoints are refused.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ceas_sim::Error;
use ceas_sim::beta::Beta;
use ceas_sim::critical::{Dynamics, Effort, Findings, Grid, Precision, Survey, Watch};
use ceas_sim::stream::{Purpose, Stream};

fn survey(lattice: &str, sizes: &[usize], dynamics: Dynamics, betas: &[f64]) -> Survey {
    let grid = match betas {
        [] => Grid::Automatic,
        betas => Grid::Fixed(betas.iter().map(|&b| Beta::new(b).unwrap()).collect()),
    };
    Survey {
        family: lattice.parse().unwrap(),
        sizes: sizes.to_vec(),
        grid,
        effort: Effort { dynamics, replicas: 16, first: 0, thermalization: 8, sweeps: 24, seed: 3 },
        precision: None,
    }
}

/// Every dynamics on a grid, and searches for β_c with longer runs and a larger size.
fn cases() -> Vec<Survey> {
    let square = |dynamics| survey("square", &[4, 8], dynamics, &[0.42, 0.45]);
    let precise = |lattice, sizes: &[usize], dynamics, target| Survey {
        precision: Some(Precision { target, most: 12 }),
        ..survey(lattice, sizes, dynamics, &[])
    };
    vec![
        square(Dynamics::HeatBath),
        square(Dynamics::Metropolis),
        square(Dynamics::SwendsenWang),
        square(Dynamics::Wolff),
        precise("square", &[4, 8, 16], Dynamics::Wolff, 5e-4),
    ]
}

/// Everything but the clock.
fn timeless(mut findings: Findings) -> String {
    findings.spent = Duration::ZERO;
    format!("{findings:?}")
}

/// One leg of a survey: broken off after so many questions, on so many threads.
fn leg(
    survey: &Survey,
    path: &Path,
    resume: bool,
    questions: u64,
    threads: usize,
) -> Result<Findings, Error> {
    let asked = AtomicU64::new(0);
    let interrupted = || asked.fetch_add(1, Ordering::Relaxed) >= questions;
    let watch = Watch {
        interrupted: &interrupted,
        // Written at the end of the leg, whatever the disk.
        keep: Some((path.to_owned(), Duration::from_secs(3600))),
        resume: resume.then(|| path.to_owned()),
        ..Watch::new(&|_| ())
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| survey.run_watched(&watch))
}

#[test]
fn a_survey_resumed_equals_the_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    for (number, case) in cases().iter().enumerate() {
        let whole = case.run(&|_| ()).unwrap();
        let whole = timeless(whole);
        let path = folder.path().join(format!("{number}.checkpoint"));
        let mut legs = 0;
        let found = loop {
            // Within a thermalization, within measured sweeps, between replicas and stages: wherever it comes to.
            let questions = 7 * (legs + 1) * (legs + 1) * (legs + 1);
            match leg(case, &path, path.exists(), questions, 1 + legs as usize % 2) {
                Err(Error::Interrupted) => legs += 1,
                found => break found.unwrap(),
            }
            assert!(legs < 100, "no progress");
        };
        assert!(legs > 3, "case {number} was broken off {legs} times");
        assert_eq!(timeless(found), whole, "case {number}");
        // A finished survey is read, not made again: nobody is asked.
        assert_eq!(timeless(leg(case, &path, true, 0, 2).unwrap()), whole);
        // Twin: another seed finds something else.
        let other = Survey { effort: Effort { seed: 4, ..case.effort }, ..case.clone() };
        assert_ne!(timeless(other.run(&|_| ()).unwrap()), whole);
    }
}

/// What cannot be resumed is refused in a sentence that says what differs.
#[test]
fn checkpoints_of_other_surveys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.checkpoint");
    let case = survey("square", &[4, 8], Dynamics::Wolff, &[0.42, 0.45]);
    assert!(matches!(leg(&case, &path, false, 200, 1), Err(Error::Interrupted)));
    let effort = |effort: Effort| Survey { effort, ..case.clone() };
    let grid = survey("square", &[4, 8], Dynamics::Wolff, &[0.42, 0.46]).grid;
    let precision = Some(Precision { target: 1e-3, most: 3 });
    for (other, expected) in [
        (effort(Effort { seed: 4, ..case.effort }), "seed 4"),
        (effort(Effort { sweeps: 25, ..case.effort }), "25 sweeps"),
        (effort(Effort { replicas: 17, ..case.effort }), "17 replicas"),
        (effort(Effort { dynamics: Dynamics::HeatBath, ..case.effort }), "heat-bath"),
        (Survey { sizes: vec![4, 6], ..case.clone() }, "sizes 4,6"),
        (Survey { family: "triangular".parse().unwrap(), ..case.clone() }, "triangular"),
        (Survey { family: "square,couplings=2".parse().unwrap(), ..case.clone() }, "couplings=2"),
        (Survey { grid, ..case.clone() }, "from 0.42 to 0.46"),
        (Survey { precision, ..case.clone() }, "precision 1e-3"),
    ] {
        let error = leg(&other, &path, true, 1 << 40, 1).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, Error::OtherCheckpoint { .. }), "{message}");
        assert!(message.contains(expected) && message.contains("square, sizes 4,8"), "{message}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(leg(&case, &path, true, 1 << 40, 1), Err(Error::Archive { .. })));
}

/// Cut short, one bit changed, or a lie under a checksum that fits it: refused, or a survey that can be made.
#[test]
fn false_checkpoints_of_surveys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.checkpoint");
    let sum = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    let mut stream = Stream::new(0, Purpose::Test, 60, 1);
    let mut refused = 0;
    // Within the first stage of a grid, and where a precision is worked for: replicas underway, done, and in a course.
    for (case, questions) in [(cases()[3].clone(), 900), (cases()[4].clone(), 30_000)] {
        fs::remove_file(&path).ok();
        assert!(matches!(leg(&case, &path, false, questions, 1), Err(Error::Interrupted)));
        let good = fs::read(&path).unwrap();
        for round in 0..240 {
            let mut bytes = good.clone();
            let at = stream.below(bytes.len() as u64) as usize;
            match round % 4 {
                0 => bytes.truncate(at),
                1 => bytes[at] ^= 1 << (round % 8),
                lie => {
                    let value = [0, 1, 0x7F, 0xFF, 0x40][round / 4 % 5];
                    let until = (at + if lie == 2 { 8 } else { 1 }).min(bytes.len() - 8);
                    bytes[at.min(until)..until].fill(value);
                    let body = bytes.len() - 8;
                    let sum = sum(&bytes[..body]);
                    bytes[body..].copy_from_slice(&sum.to_le_bytes());
                }
            }
            fs::write(&path, &bytes).unwrap();
            // As far as it can be read: what is made of a harmless lie takes no more than a few sweeps.
            let result = leg(&case, &path, true, 50, 1);
            if round % 4 < 2 && bytes != good {
                assert!(matches!(result, Err(Error::Checkpoint { .. })), "{:?}", result.map(|_| ()));
            }
            refused += u32::from(matches!(result, Err(Error::Checkpoint { .. })));
        }
        fs::write(&path, &good).unwrap();
        assert!(leg(&case, &path, true, 1 << 40, 1).is_ok());
    }
    assert!(refused > 240, "{refused} of 480 refused");
}
