//! The `conformance` program, from the outside.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyio_conformance::{CASES, LAWS};

/// A case that holds, and is done at once.
const CASE: &str = "a_cancelled_scope_cuts_its_body_short_at_the_next_suspension";

const BACKENDS: [&str; 6] =
    ["tokio-multi-thread", "tokio-current-thread", "smol-global", "smol-owned", "async-std", "sim"];

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// An empty folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("program-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn laws_that_hold_are_success() {
    let (code, text, errors) = run(&["--filter", CASE, "--seed", "7"]);
    assert_eq!(code, Some(0), "{text}{errors}");
    assert!(text.contains("All laws hold. 1 law, 1 case, 6 backends: 6 held"), "{text}");
    assert!(text.contains("--seed 7"), "{text}");
    assert_eq!(errors, "");
}

#[test]
fn a_law_that_does_not_hold_is_an_exit_code_and_a_transcript() {
    // No time at all: whatever ends is late.
    let (code, text, _) = run(&["--filter", CASE, "--backend", "smol-owned", "--limit", "0"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("Some laws do not hold. 1 law, 1 case, 1 backend: 1 hung"), "{text}");
    assert!(text.contains("hung on smol-owned"), "{text}");
}

#[test]
fn an_unknown_backend_is_an_error_that_lists_the_backends() {
    let (code, _, errors) = run(&["--backend", "glommio"]);
    assert_eq!(code, Some(2));
    BACKENDS.iter().for_each(|name| assert!(errors.contains(name), "{errors}"));
}

#[test]
fn a_filter_that_matches_nothing_is_an_error_that_lists_laws_and_cases() {
    let (code, _, errors) = run(&["--filter", CASE, "--filter", "no_such_case"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("no_such_case") && errors.contains(CASE) && errors.contains("C1 "), "{errors}");
}

#[test]
fn a_law_that_is_to_come_is_an_error_that_says_so() {
    let law = LAWS.iter().find(|law| CASES.iter().all(|case| !case.laws.contains(&law.number)));
    let Some(law) = law else { return };
    let (code, _, errors) = run(&["--filter", law.number]);
    assert_eq!(code, Some(2));
    assert!(errors.contains(&format!("law {} has no case yet", law.number)), "{errors}");
}

#[test]
fn what_makes_no_sense_is_bad_usage() {
    for arguments in
        [&["--jobs", "0"], &["--limit", "soon"], &["--limit", "-1"], &["--seed", "x"], &["--format", "pdf"]]
    {
        assert_eq!(run(arguments).0, Some(2), "{arguments:?}");
    }
}

#[test]
fn the_number_of_a_law_is_no_part_of_another_number() {
    let (code, list, _) = run(&["--list", "--filter", "c1"]);
    assert_eq!(code, Some(0));
    let laws: Vec<Vec<&str>> = list.lines().filter(|line| line.contains("::")).map(laws_of).collect();
    assert!(!laws.is_empty());
    laws.iter().for_each(|laws| assert!(laws.contains(&"C1"), "{laws:?}"));
}

fn laws_of(line: &str) -> Vec<&str> {
    line.rsplit_once(' ').unwrap().0.split(',').map(str::trim).collect()
}

#[test]
fn the_list_has_every_case_and_runs_none() {
    let (code, list, _) = run(&["--list"]);
    assert_eq!(code, Some(0));
    assert_eq!(list.lines().filter(|line| line.contains("::")).count(), CASES.len());
    CASES.iter().for_each(|case| assert!(list.contains(case.name), "{}", case.name));
}

#[test]
fn json_is_the_whole_report() {
    let (code, text, _) = run(&["--filter", CASE, "--format", "json", "--seed", "11", "--jobs", "1"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &report["seed"], &report["jobs"]), (Some(0), &11.into(), &1.into()));
    let names: Vec<_> = report["backends"].as_array().unwrap().iter().map(|backend| &backend["name"]).collect();
    assert_eq!(names, BACKENDS);
    assert_eq!(report["cases"][0]["verdicts"].as_array().unwrap().len(), BACKENDS.len());
    assert_eq!(report["counts"]["held"], 6);
}

#[test]
fn every_form_begins_as_it_should() {
    let forms = [("junit", "<?xml "), ("markdown", "# Conformance"), ("html", "<!doctype html>"), ("json", "{")];
    for (form, beginning) in forms {
        let (code, text, _) = run(&["--filter", CASE, "--backend", "async-std", "--format", form]);
        assert_eq!(code, Some(0));
        assert!(text.starts_with(beginning), "{form}: {text}");
    }
}

#[test]
fn the_name_of_the_file_says_the_form() {
    let folder = Folder::new();
    for (name, beginning) in [("report.xml", "<?xml "), ("report.html", "<!doctype html>"), ("report.md", "# ")] {
        let file = folder.file(name);
        let (code, text, _) = run(&["--filter", CASE, "--backend", "smol-global", "--output", &file]);
        assert_eq!(code, Some(0));
        assert!(text.contains("All laws hold."), "the terminal has the text as well: {text}");
        assert!(fs::read_to_string(&file).unwrap().starts_with(beginning), "{name}");
    }
    assert_eq!(folder.names().len(), 3);
}

#[test]
fn a_report_replaces_the_one_before() {
    let folder = Folder::new();
    let file = folder.file("report.json");
    fs::write(&file, "before").unwrap();
    let (code, ..) = run(&["--filter", CASE, "--backend", "smol-owned", "--limit", "0", "--output", &file]);
    assert_eq!(code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(report["counts"]["hung"], 1);
    assert_eq!(folder.names(), ["report.json"]);
}

#[test]
fn a_place_where_no_report_can_be_is_known_before_anything_is_run() {
    let folder = Folder::new();
    let nowhere = folder.file("no/such/folder/report.json");
    let (code, text, errors) = run(&["--output", &nowhere]);
    assert_eq!((code, &*text), (Some(2), ""), "{errors}");
    let (code, _, errors) = run(&["--output", folder.0.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("not a regular file"), "{errors}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_the_old_report() {
    use std::os::unix::process::ExitStatusExt;

    let folder = Folder::new();
    let file = folder.file("report.html");
    fs::write(&file, "before").unwrap();
    // It cannot be done in time: each of its cases takes a process, one after the other.
    let mut child = program(&["--jobs", "1", "--output", &file]).stdout(Stdio::null()).spawn().unwrap();
    // Not SIGINT: shells have what runs in the background ignore that one.
    let interrupted = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    assert_eq!(folder.names(), ["report.html"]);
}

#[cfg(unix)]
#[test]
fn a_report_is_written_through_a_link() {
    let folder = Folder::new();
    let (file, link) = (folder.file("real.md"), folder.file("link.md"));
    fs::write(&file, "before").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(run(&["--filter", CASE, "--backend", "smol-owned", "--output", &link]).0, Some(0));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&file).unwrap().starts_with("# Conformance"));
}

#[test]
fn one_case_alone_says_what_became_of_it_in_one_line() {
    let name = format!("cancel::{CASE}");
    let (code, told, said) = run(&["--alone", "tokio-current-thread", &name]);
    assert_eq!((code, &*said), (Some(0), ""));
    let message: serde_json::Value = serde_json::from_str(told.trim()).unwrap();
    assert_eq!(message["status"], "held");
}
