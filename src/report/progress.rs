//! Progress on standard error, only where standard error is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `steps` steps of `what`; it draws nothing when standard error is not a terminal.
pub fn bar(what: &str, steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>12} {bar:40.cyan/blue} {pos}/{len} [{elapsed} < {eta}]")
        .expect("the template is a constant");
    ProgressBar::new(steps).with_style(style).with_message(what.to_owned())
}
