//! Counts the instructions of our own workloads with callgrind, and compares them with `instructions.json`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::Parser;
use comparisons::instructions::{COUNTED, COUNTED_FUNCTION, Counted, Counts, total};

/// Where the counts are kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// Counts the instructions of anyio's own workloads; fails where one needs 5 % more than before.
#[derive(Debug, Parser)]
struct Options {
    /// Writes the counts, in place of comparing them.
    #[arg(long)]
    bless: bool,
    /// Does one workload, for callgrind to count.
    #[arg(long, hide = true)]
    run: Option<String>,
}

fn main() -> ExitCode {
    run(Options::parse()).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

fn run(options: Options) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(number) = options.run {
        Counted::find(&number).ok_or("no such workload")?.run();
        return Ok(ExitCode::SUCCESS);
    }
    let counts = count_all()?;
    if options.bless {
        fs::write(FILE, serde_json::to_string_pretty(&counts)? + "\n")?;
        println!("{FILE} is written.");
        return Ok(ExitCode::SUCCESS);
    }
    let before = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}; write it with --bless"))?;
    let (text, all_good) = counts.compared_with(&serde_json::from_str(&before)?);
    print!("{text}");
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn count_all() -> Result<Counts, Box<dyn Error>> {
    let counted = COUNTED.iter().map(|counted| Ok((counted.number.to_owned(), rounded(count(*counted)?))));
    let instructions = counted.collect::<Result<_, Box<dyn Error>>>()?;
    Ok(Counts { rustc: env!("RUSTC_VERSION").to_owned(), instructions })
}

/// Runs this program under callgrind, which counts from the beginning of one function to its end.
fn count(counted: Counted) -> Result<f64, Box<dyn Error>> {
    let file = std::env::temp_dir().join(format!("anyio-instructions-{}-{}", std::process::id(), counted.number));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", &format!("--toggle-collect={COUNTED_FUNCTION}*")])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe()?)
        .args(["--run", counted.number])
        .output()
        .map_err(|error| {
            format!("valgrind cannot be run ({error}): install it, such as by `apt-get install valgrind`")
        })?;
    if !output.status.success() {
        return Err(format!("callgrind failed:\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let instructions = total_in(&file)?;
    Ok(counted.per_unit(instructions))
}

fn total_in(file: &Path) -> Result<u64, Box<dyn Error>> {
    let written = fs::read_to_string(file)?;
    fs::remove_file(file)?;
    let total = total(&written).filter(|total| *total > 0);
    total.ok_or_else(|| format!("callgrind has counted nothing in {COUNTED_FUNCTION}").into())
}

fn rounded(count: f64) -> f64 {
    (count * 10.0).round() / 10.0
}
