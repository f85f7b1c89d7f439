//! The program does what it says: every workload can be run, and reports hold what they promise. Nothing is timed.

use comparisons::comparison::Comparison;
use comparisons::ground::{Grounds, Scale};
use comparisons::growth;
use comparisons::instructions::{COUNTED, Counted};
use comparisons::measure::{Effort, Samples};
use comparisons::report::{self, Machine, Method, Report, Row};
use comparisons::workloads::WORKLOADS;
use fastrand::Rng;

/// Measures as little as can be. What is counted must not depend on the other tests, which is why there is one test.
fn measured(comparison: &Comparison) -> Row {
    let mut samples = Samples::prepare(comparison, Effort::ONCE);
    samples.pass(comparison, Effort::ONCE, &mut Rng::with_seed(0));
    Row::of(comparison, &samples)
}

/// The workloads, but for the one that starts this program anew.
fn all_once() -> Vec<Row> {
    let grounds = Grounds::new(Scale::Tiny);
    let here = WORKLOADS.iter().filter(|workload| workload.number != "C1");
    here.flat_map(|workload| (workload.comparisons)(&grounds)).map(|comparison| measured(&comparison)).collect()
}

#[test]
fn every_workload_is_done_by_all_and_reported() {
    let report = Report {
        machine: Machine::here(),
        method: Method { mode: "tiny", passes: 1, seed: 0, seconds: 0.0 },
        rows: all_once(),
        growth: growth::measure(Scale::Tiny, |_| {}),
    };
    for row in &report.rows {
        let values = row.ours.iter().chain(row.rivals.iter().map(|rival| &rival.result)).map(|one| one.summary.value);
        assert!(values.clone().all(f64::is_finite), "{}: {:?}", row.id(), values.collect::<Vec<_>>());
        assert_eq!(row.ours.as_ref().map(|ours| ours.left_behind), Some(0), "{}", row.id());
    }
    what_is_counted_is_right(&report);
    json_can_be_read(&report);
    the_page_needs_nothing_else(&report);
    each_target_has_its_line(&report);
}

fn row<'a>(report: &'a Report, id: &str) -> &'a Row {
    report.rows.iter().find(|row| row.id() == id).unwrap_or_else(|| panic!("there is no {id}"))
}

/// Known figures of tokio, so that those of ours can be believed.
fn what_is_counted_is_right(report: &Report) {
    let join_set = &row(report, "P1/20 ct").rivals[0].result;
    let allocations = join_set.memory.expect("it is counted on one thread").allocations;
    assert!((2.0..2.2).contains(&allocations), "a task and its entry in the set: {allocations}");
    let sleeping = &row(report, "P11/sleeping ct").rivals[0].result;
    let weight = sleeping.summary.value;
    assert!((184.0..2_000.0).contains(&weight), "a task that sleeps weighs something: {weight}");
    let nested =
        row(report, "P6/10 ct").rivals.iter().find(|rival| rival.result.name == "JoinSet").expect("it is there");
    assert!(nested.result.left_behind > 0, "nested JoinSets return before their tasks are gone");
}

fn json_can_be_read(report: &Report) {
    let read: serde_json::Value = serde_json::from_str(&report.json()).expect("it is JSON");
    assert_eq!(read["rows"].as_array().map(Vec::len), Some(report.rows.len()));
    assert!(read["rows"][0]["rivals"][0]["ratio"]["value"].is_f64());
    assert!(read["machine"]["cores"].is_u64());
}

fn the_page_needs_nothing_else(report: &Report) {
    let page = report::html(report);
    for outside in ["http:", "https:", "src=", "url(", "<script", "@import", "<link"] {
        assert!(!page.contains(outside), "the page refers to something outside: {outside}");
    }
    assert!(page.contains("prefers-color-scheme") || page.contains("light-dark("), "it is for light and dark");
    assert_eq!(page.matches("<svg").count(), 1 + report.growth.len());
    assert!(!page.contains("NaN") && !page.contains("inf"), "a place in a plot is not a number");
}

/// The compact table holds each case that has a target, once for each rival.
fn each_target_has_its_line(report: &Report) {
    let table = report::headline(report);
    for row in report.rows.iter().filter(|row| row.judgements().next().is_some()) {
        assert!(table.contains(&row.what), "{} is missing:\n{table}", row.id());
    }
    assert!(report::markdown(report).contains("targets met"));
}

/// What callgrind would count.
#[test]
fn workloads_whose_instructions_are_counted_can_be_run() {
    for counted in COUNTED {
        Counted::find(counted.number).expect("it is there").run();
    }
}

/// The program as a whole, with the workload that needs fresh processes.
#[test]
fn the_program_starts_fresh_processes_and_writes_files() {
    let folder = std::env::temp_dir().join(format!("anyio-comparisons-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is a place for files");
    let file = |name: &str| folder.join(name).into_os_string();
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_comparisons"));
    program.args(["--quick", "--workload", "C1", "--seed", "7", "--json"]).arg(file("all.json"));
    program.arg("--html").arg(file("page.html")).arg("--markdown").arg(file("table.md"));
    let output = program.output().expect("the program can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("it was written");
    let json: serde_json::Value = serde_json::from_str(&read("all.json")).expect("it is JSON");
    assert_eq!(json["method"]["seed"], 7);
    assert_eq!(json["rows"][0]["case"], "C1/first");
    assert!(read("page.html").starts_with("<!DOCTYPE html>") && read("table.md").contains("| C1/first"));
    std::fs::remove_dir_all(folder).expect("it can be removed");
}
