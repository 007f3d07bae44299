//! Ctrl-C: the first one asks the run to stop at the next good moment, the second one ends the program.

use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::{Blame, Failure};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From here on, Ctrl-C (or SIGTERM, SIGHUP) asks the run to stop. A second one ends the program at once with exit code 130;
/// files under their final names are whole at every moment.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .run()
}

/// Whether the run has been asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
