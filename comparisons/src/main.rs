//! anyio beside what users would pick instead.
//!
//! Contenders are interleaved in one process, and what counts are the ratios of their medians within one run: absolute
//! times drift with the machine. `cargo run --release -p comparisons` prints a table; `--quick` ends within a minute.

mod measure;
mod workloads;

use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::measure::Effort;
use crate::workloads::WORKLOADS;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// Measures anyio beside what users would pick instead.
#[derive(Parser)]
struct Options {
    /// Measures only workloads whose number starts with this, such as P1.
    #[arg(long)]
    workload: Option<String>,
    /// Takes few samples and ends within a minute.
    #[arg(long)]
    quick: bool,
}

fn main() {
    let options = Options::parse();
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let wanted = |number: &str| options.workload.as_deref().is_none_or(|start| number.starts_with(start));
    println!("| workload | per unit | ours, ns (p10–p90) | contender, ns (p10–p90) | ratio | allocations |");
    println!("|---|---|---|---|---|---|");
    for workload in WORKLOADS.iter().filter(|workload| wanted(workload.number)) {
        for pair in (workload.pairs)() {
            let (ours, theirs) = measure::interleaved(&pair, effort);
            println!(
                "| {} {} | {} vs {} | {ours} | {theirs} | {:.2} | {:.1} vs {:.1} |",
                workload.number,
                workload.what,
                pair.ours.name,
                pair.theirs.name,
                ours.median / theirs.median,
                ours.allocations,
                theirs.allocations,
            );
        }
    }
}
