//! Output files that are never half-written, and printing that survives a closed pipe.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A file that a run will write: checked before the run, written under another name, renamed when complete.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
}

impl OutputFile {
    /// Checks that `path` can be written: its ending is one of `extensions`, its folder exists and takes files, and it is not
    /// there yet unless `force`.
    pub fn reserve(path: &Path, flag: &str, extensions: &[&str], force: bool) -> anyhow::Result<Self> {
        let shown = path.display();
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        if !ending.is_some_and(|e| extensions.contains(&e.as_str())) {
            bail!("{flag} {shown}: the name must end in .{}", extensions.join(" or ."));
        }
        if path.is_dir() {
            bail!("{flag} {shown} is a directory, not a file");
        }
        if path.exists() && !force {
            bail!("{flag} {shown} exists already: add --force to replace it, or choose another name");
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            bail!("{flag} {shown}: the folder {} does not exist", folder.display());
        }
        let file = Self { path: path.to_owned() };
        file.try_folder().with_context(|| format!("{flag} {shown} cannot be written"))?;
        Ok(file)
    }

    /// Makes and removes an empty file beside the final name, so that a folder which refuses it is known before the run.
    fn try_folder(&self) -> io::Result<()> {
        let trial = self.partial();
        match fs::OpenOptions::new().write(true).create_new(true).open(&trial) {
            Ok(_) => fs::remove_file(&trial),
            // A stale file of a killed run, or another run at work: the writer will tell.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The final name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the name ends in `.svg`.
    pub fn is_svg(&self) -> bool {
        self.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg"))
    }

    /// The name used until the file is complete.
    pub fn partial(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".partial");
        name.into()
    }

    /// Writes the whole file, or leaves nothing under either name.
    pub fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let partial = self.partial();
        let written = fs::File::create(&partial)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&partial, &self.path));
        if let Err(error) = written {
            let _ = fs::remove_file(&partial);
            return Err(error).with_context(|| format!("writing {}", self.path.display()));
        }
        Ok(())
    }
}

/// Prints to standard output. A reader that has gone away (`ceas … | head`) is not an error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("writing to standard output")
        }
        _ => Ok(()),
    }
}
