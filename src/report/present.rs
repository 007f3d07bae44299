//! From an answer to everything that was asked for: table or JSON, picture, page.

use serde::Serialize;

use super::figure::{self, Figure};
use super::output::print;
use super::page;
use crate::cli::common::{Common, Outputs};
use crate::cli::failure::{Blame, Failure};

/// The result of a verb. Its serialised form is the JSON that scripts rely on.
pub trait Answer: Serialize {
    /// What the picture shows.
    type Picture: Figure;
    /// One line for the head of a page.
    fn title(&self) -> String;
    /// The table for people, with a newline at its end.
    fn text(&self) -> String;
    /// The same with everything that a terminal is spared; for a page.
    fn full_text(&self) -> String {
        self.text()
    }
    /// The picture.
    fn picture(&self) -> Self::Picture;
}

/// Writes the picture and the page where they were asked for, then prints the table or the JSON document.
pub fn present(answer: &impl Answer, common: &Common, outputs: &Outputs) -> Result<(), Failure> {
    if let Some(file) = &outputs.plot {
        figure::save(&answer.picture(), file).run()?;
    }
    if let Some(file) = &outputs.report {
        let svg = figure::svg(&answer.picture()).run()?;
        file.write(page::html(&answer.title(), &command_line(), &answer.full_text(), &svg).as_bytes())
            .run()?;
    }
    if common.json {
        let document = serde_json::to_string_pretty(answer).run()?;
        print(&(document + "\n")).run()
    } else {
        print(&answer.text()).run()
    }
}

/// The command line as typed, for provenance.
pub fn command_line() -> String {
    // Arguments that are not Unicode are shown as well as they can be.
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
