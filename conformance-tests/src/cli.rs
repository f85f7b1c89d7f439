//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};

use crate::flavours::Flavour;
use crate::isolated::Alone;
use crate::output::Output;
use crate::report::Format;
use crate::runner::Plan;
use crate::selection::Selection;

/// Runs the laws of anyio on every backend and reports
#[derive(Debug, Parser)]
#[command(
    name = "conformance",
    version,
    after_help = "Exit codes: 0 all laws hold, 1 some do not, 2 it could not be done as asked."
)]
pub(crate) struct Cli {
    /// Runs on this backend only; may be given again
    #[arg(long, value_name = "NAME", value_enum)]
    backend: Vec<Flavour>,

    /// Runs only the cases of this law (C4), or those with this in their name; may be given again
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,

    /// Shuffles the cases by this number; the report names it [default: a random one]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Lists the cases instead of running them
    #[arg(long)]
    list: bool,

    /// The form of the report [default: as the output's extension says, else text]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Writes the report to a file, which is replaced only by a complete one
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// How many cases run at a time [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// After how long a case counts as hung
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    limit: Duration,

    /// Runs one case in this process and says what became of it: how the program starts itself
    #[arg(long, hide = true, num_args = 2, value_names = ["BACKEND", "CASE"])]
    alone: Option<Vec<String>>,
}

/// What the program is asked to do.
pub(crate) enum Mode {
    /// Run one case, in this process.
    Alone(Alone),
    /// List the cases.
    List(Selection),
    /// Run the cases and report.
    Run {
        /// What to run, and how.
        plan: Plan,
        /// The form of the report.
        format: Format,
        /// Where it goes; the standard output if `None`.
        output: Option<Output>,
    },
}

impl Cli {
    /// What is asked for; ends the program with an explanation where that makes no sense.
    pub(crate) fn into_mode(self) -> Mode {
        if let Some([backend, case]) = self.alone.as_deref() {
            return Mode::Alone(Alone::new(backend, case, self.limit).unwrap_or_else(|error| refuse(error)));
        }
        let selection = Selection::new(&self.backend, &self.filter).unwrap_or_else(|error| refuse(error));
        if self.list {
            return Mode::List(selection);
        }
        let output = self.output.map(|path| Output::new(path).unwrap_or_else(|error| refuse(error)));
        let plan = Plan {
            selection,
            seed: self.seed.unwrap_or_else(|| fastrand::u64(..=999_999)),
            jobs: self.jobs.unwrap_or_else(|| thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)),
            limit: self.limit,
        };
        let format = self.format.or_else(|| Format::of_extension(output.as_ref()?.path()));
        Mode::Run { plan, format: format.unwrap_or(Format::Text), output }
    }
}

/// A backend by its name.
pub(crate) fn flavour(name: &str) -> Option<Flavour> {
    Flavour::from_str(name, false).ok()
}

fn refuse(error: impl std::fmt::Display) -> ! {
    Cli::command().error(ErrorKind::InvalidValue, error).exit()
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
