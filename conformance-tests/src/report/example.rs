//! A report to try the forms on: one case that fails on the second backend, one that hangs there.

use anyio_conformance::Case;

use crate::flavours::Flavour;
use crate::report::{Conditions, Report, Status, Verdict};
use crate::selection::Selection;
use crate::surroundings::Surroundings;

static CASES: [Case; 2] = [
    Case { name: "first::this_one_fails", laws: &["C1"], doc: "It <fails>.", body: || Box::pin(async {}) },
    Case { name: "second::this_one_hangs", laws: &["D1", "D2"], doc: "It `hangs`.", body: || Box::pin(async {}) },
];

/// Two cases on two backends.
pub(crate) fn example() -> Report {
    let selection = Selection {
        backends: vec![Flavour::TokioMultiThread, Flavour::SmolGlobal],
        cases: CASES.iter().collect(),
        filters: Vec::new(),
    };
    let failed = Verdict {
        status: Status::Failed,
        seconds: 0.25,
        said: Some("left <is> not right".to_owned()),
        transcript: "panic in thread main:\n  left <is> not right\n".to_owned(),
    };
    let hung = Verdict { status: Status::Hung, seconds: 5.0, said: None, transcript: String::new() };
    let verdicts = vec![vec![Verdict::held(0.002), failed], vec![Verdict::held(0.001), hung]];
    Report::new(conditions(), &selection, verdicts)
}

fn conditions() -> Conditions {
    Conditions {
        started: "2026-11-22T09:34:16Z".to_owned(),
        seconds: 5.3,
        seed: 42,
        jobs: 2,
        limit: 5.0,
        filters: Vec::new(),
        surroundings: Surroundings::here(),
    }
}
