//! Progress on standard error, only where standard error is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `steps` steps of `what`; it draws nothing when standard error is not a terminal.
pub fn bar(what: &str, steps: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:>12} {bar:40.cyan/blue} {pos}/{len} [{elapsed} < {eta}] {prefix}")
            .expect("the template is a constant");
    ProgressBar::new(steps).with_style(style).with_message(what.to_owned())
}

/// A bar for work whose stages become known one after another.
pub struct Stages {
    bar: ProgressBar,
}

/// No stage yet.
pub fn stages() -> Stages {
    Stages { bar: bar("", 0) }
}

impl Stages {
    /// A new stage of `steps` steps: the bar starts afresh.
    pub fn stage(&self, what: &str, steps: u64) {
        self.bar.set_message(what.to_owned());
        self.bar.set_length(steps);
        self.bar.reset();
    }

    /// What is known so far, beside the name of the stages to come.
    pub fn say(&self, what: &str) {
        self.bar.set_prefix(what.to_owned());
    }

    /// One step is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// All is done: the bar disappears.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
