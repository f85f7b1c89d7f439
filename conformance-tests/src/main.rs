//! Runs the laws of anyio on every backend, and reports: a matrix of law × backend, and what the failing cases said.
//!
//! ```text
//! cargo run --release -p conformance-tests
//! cargo run --release -p conformance-tests -- --output report.html
//! ```
//!
//! The program exits with 0 if all laws hold, with 1 if some do not, and with 2 if it could not do what was asked for.
//!
//! Every case runs in a process of its own, so that one that hangs, overflows its stack or aborts is a line of the report
//! and not the end of it.

mod cli;
mod flavours;
mod isolated;
mod output;
mod progress;
mod report;
mod runner;
mod selection;
mod surroundings;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Mode};
use crate::output::Output;
use crate::report::{Format, Report};
use crate::runner::Plan;

/// Some laws do not hold.
const BROKEN: u8 = 1;

/// The program could not do what was asked for.
const UNABLE: u8 = 2;

fn main() -> ExitCode {
    match Cli::parse().into_mode() {
        Mode::Alone(alone) => alone.run(),
        Mode::List(selection) => {
            say(&selection.to_string());
            ExitCode::SUCCESS
        }
        Mode::Run { plan, format, output } => run(&plan, format, output.as_ref()),
    }
}

fn run(plan: &Plan, format: Format, output: Option<&Output>) -> ExitCode {
    let report = plan.run();
    match output {
        Some(output) => {
            if let Err(error) = output.write(&report.render(format)) {
                eprintln!("error: {error}");
                return ExitCode::from(UNABLE);
            }
            say(&summary(&report));
        }
        None if format == Format::Text => say(&summary(&report)),
        None => say(&report.render(format)),
    }
    ExitCode::from(if report.counts.broken() == 0 { 0 } else { BROKEN })
}

/// The report for the person at the terminal.
fn summary(report: &Report) -> String {
    let coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    report::text::render(report, coloured)
}

/// Prints to the standard output, where nobody may be listening any more.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
