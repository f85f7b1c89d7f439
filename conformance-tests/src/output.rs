//! Writing the report to a file that is replaced as a whole, or not at all.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

/// A place for a report.
#[derive(Debug)]
pub(crate) struct Output {
    /// What the person asked for.
    path: PathBuf,
    /// The file itself, behind whatever links there are.
    file: PathBuf,
}

/// A report could not be written.
#[derive(Debug)]
pub(crate) struct OutputError {
    path: PathBuf,
    problem: String,
}

impl Output {
    /// Checks, before anything is run, that a report can be written to `path`.
    pub(crate) fn new(path: PathBuf) -> Result<Self, OutputError> {
        let file = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let output = Output { path, file };
        match fs::metadata(&output.file) {
            Ok(metadata) if !metadata.is_file() => return Err(output.error("not a regular file")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(output.error(error)),
        }
        if output.path.file_name().is_none() || !output.folder().is_dir() {
            return Err(output.error("there is no such folder"));
        }
        Ok(output)
    }

    /// The path that was asked for.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts `report` in the place of whatever was there: as a whole, or not at all.
    pub(crate) fn write(&self, report: &str) -> Result<(), OutputError> {
        let draft = Draft::beside(&self.file);
        let written = draft.fill(report).and_then(|()| fs::rename(&draft.0, &self.file));
        written.map_err(|error| self.error(error))?;
        // The rename should outlive a crash of the machine too; not every system can say so of a folder.
        let _ = File::open(self.folder()).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn folder(&self) -> &Path {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
    }

    fn error(&self, problem: impl ToString) -> OutputError {
        OutputError { path: self.path.clone(), problem: problem.to_string() }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the report cannot be written to '{}': {}", self.path.display(), self.problem)
    }
}

/// A file that is not finished; removed unless it was renamed.
struct Draft(PathBuf);

impl Draft {
    fn beside(file: &Path) -> Self {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Draft(file.with_file_name(format!(".{name}.{}.tmp", process::id())))
    }

    fn fill(&self, report: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&self.0)?;
        file.write_all(report.as_bytes())?;
        file.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
