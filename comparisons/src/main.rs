//! Measures anyio beside what users would pick instead: see `--help`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use comparisons::comparison::Comparison;
use comparisons::ground::{Grounds, Scale};
use comparisons::growth;
use comparisons::measure::{Effort, Samples};
use comparisons::report::{self, Machine, Method, Report, Row};
use comparisons::workloads::{self, WORKLOADS, Workload, cold_start};

/// Measures anyio beside what users would pick instead.
#[derive(Debug, Parser)]
struct Options {
    /// Measures only the cases whose name starts with this: P1, P1/100, "P1/100 ct".
    #[arg(long, value_name = "CASE")]
    workload: Vec<String>,
    /// Takes few samples and ends within a minute.
    #[arg(long)]
    quick: bool,
    /// Lists the workloads and measures nothing.
    #[arg(long)]
    list: bool,
    /// Prints one line per target at the end, in place of the table.
    #[arg(long)]
    headline: bool,
    /// Writes everything as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the table as Markdown; with --headline, one line per target.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Writes a page to look at.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Measures how cost grows with size as well, up to a million; takes some minutes more.
    #[arg(long)]
    growth: bool,
    /// Shuffles the order in which contenders take turns.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How often to go through the whole table.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    passes: Option<u16>,
    /// Is the fresh process in which the first use is measured.
    #[arg(long, hide = true)]
    cold_start: Option<String>,
}

impl Options {
    fn effort(&self) -> Effort {
        let effort = if self.quick { Effort::QUICK } else { Effort::FULL };
        Effort { passes: self.passes.map_or(effort.passes, usize::from), ..effort }
    }

    fn scale(&self) -> Scale {
        if self.quick { Scale::Quick } else { Scale::Full }
    }

    fn wants(&self, case: &str) -> bool {
        self.workload.is_empty() || self.workload.iter().any(|wanted| workloads::is_meant(case, wanted))
    }
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    if let Some(who) = &options.cold_start {
        cold_start::print_rounds(who);
        return Ok(());
    }
    let grounds = Grounds::new(options.scale());
    if options.list {
        list(&options, &grounds);
        return Ok(());
    }
    let report = measured(&options, &grounds);
    let table = if options.headline { report::headline(&report) } else { report::markdown(&report) };
    println!("{table}");
    write(options.html.as_deref(), || report::html(&report))?;
    write(options.json.as_deref(), || report.json())?;
    write(options.markdown.as_deref(), || table)
}

/// The comparisons of a workload that are wanted.
fn wanted(workload: &Workload, options: &Options, grounds: &Grounds) -> Vec<Comparison> {
    let all = (workload.comparisons)(grounds).into_iter();
    all.filter(|comparison| options.wants(&comparison.id())).collect()
}

fn list(options: &Options, grounds: &Grounds) {
    for workload in WORKLOADS {
        for (place, comparison) in wanted(workload, options, grounds).iter().enumerate() {
            if place == 0 {
                println!("{} {}", workload.number, workload.title);
            }
            let names: Vec<&str> = comparison.contenders().map(|contender| contender.name.as_str()).collect();
            println!("    {:<20} per {}: {}", comparison.id(), comparison.per, names.join(" · "));
        }
    }
}

fn measured(options: &Options, grounds: &Grounds) -> Report {
    let (machine, start) = (Machine::here(), Instant::now());
    let mut tell = progress(start);
    let rows = rows(options, grounds, &mut tell);
    let growth = if options.growth { growth::measure(options.scale(), tell) } else { Vec::new() };
    let method = Method {
        mode: if options.quick { "quick" } else { "full" },
        passes: options.effort().passes,
        seed: options.seed,
        seconds: start.elapsed().as_secs_f64(),
    };
    Report { machine, method, rows, growth }
}

/// Measures all that is wanted in turns, pass by pass.
fn rows(options: &Options, grounds: &Grounds, tell: &mut impl FnMut(&str)) -> Vec<Row> {
    let effort = options.effort();
    let comparisons: Vec<_> = WORKLOADS.iter().flat_map(|workload| wanted(workload, options, grounds)).collect();
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let mut samples: Vec<Option<Samples>> = comparisons.iter().map(|_| None).collect();
    for pass in 1..=effort.passes {
        for (comparison, samples) in comparisons.iter().zip(&mut samples) {
            tell(&format!("pass {pass}/{}  {}", effort.passes, comparison.id()));
            let samples = samples.get_or_insert_with(|| Samples::prepare(comparison, effort));
            samples.pass(comparison, effort, &mut rng);
        }
    }
    let sampled = comparisons.iter().zip(samples.iter().flatten());
    sampled.map(|(comparison, samples)| Row::of(comparison, samples)).collect()
}

/// Tells what is being measured.
fn progress(start: Instant) -> impl FnMut(&str) {
    move |what| eprintln!("{:>5.0} s  {what}", start.elapsed().as_secs_f64())
}

fn write(path: Option<&Path>, text: impl FnOnce() -> String) -> std::io::Result<()> {
    path.map_or(Ok(()), |path| fs::write(path, text()))
}
