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
use comparisons::workloads::{self, WORKLOADS, cold_start};

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
    let wanted = comparisons(&options, &grounds);
    if options.list {
        list(&wanted);
        return Ok(());
    }
    let report = measured(&options, &wanted);
    let table = if options.headline { report::headline(&report) } else { report::markdown(&report) };
    println!("{table}");
    write(options.html.as_deref(), || report::html(&report))?;
    write(options.json.as_deref(), || report.json())?;
    write(options.markdown.as_deref(), || table)
}

fn comparisons(options: &Options, grounds: &Grounds) -> Vec<Comparison> {
    let all = WORKLOADS.iter().flat_map(|workload| (workload.comparisons)(grounds));
    all.filter(|comparison| options.wants(&comparison.id())).collect()
}

fn list(comparisons: &[Comparison]) {
    for comparison in comparisons {
        let names: Vec<&str> = comparison.contenders().map(|contender| contender.name.as_str()).collect();
        println!("{:<20} {}, per {}: {}", comparison.id(), comparison.what, comparison.per, names.join(" · "));
    }
}

/// Measures everything in turns, pass by pass.
fn measured(options: &Options, comparisons: &[Comparison]) -> Report {
    let (machine, effort, start) = (Machine::here(), options.effort(), Instant::now());
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let mut samples: Vec<Option<Samples>> = comparisons.iter().map(|_| None).collect();
    let mut tell = progress(start);
    for pass in 1..=effort.passes {
        for (comparison, samples) in comparisons.iter().zip(&mut samples) {
            tell(&format!("pass {pass}/{}  {}", effort.passes, comparison.id()));
            let samples = samples.get_or_insert_with(|| Samples::prepare(comparison, effort));
            samples.pass(comparison, effort, &mut rng);
        }
    }
    let growth = if options.growth { growth::measure(options.scale(), tell) } else { Vec::new() };
    let rows = comparisons.iter().zip(samples.iter().flatten());
    Report {
        machine,
        method: Method {
            mode: if options.quick { "quick" } else { "full" },
            passes: effort.passes,
            seed: options.seed,
            seconds: start.elapsed().as_secs_f64(),
        },
        rows: rows.map(|(comparison, samples)| Row::of(comparison, samples)).collect(),
        growth,
    }
}

/// Tells what is being measured.
fn progress(start: Instant) -> impl FnMut(&str) {
    move |what| eprintln!("{:>5.0} s  {what}", start.elapsed().as_secs_f64())
}

fn write(path: Option<&Path>, text: impl FnOnce() -> String) -> std::io::Result<()> {
    path.map_or(Ok(()), |path| fs::write(path, text()))
}
