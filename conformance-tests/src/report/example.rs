//! A report to try the forms on: one case that fails on the second backend, one that hangs there.

use crate::flavours::Flavour;
use crate::report::{Conditions, Report, Status, Verdict};
use crate::selection::Selection;
use crate::surroundings::Surroundings;

/// Two cases on two backends.
pub(crate) fn example() -> Report {
    let mut selection = Selection::new(&[Flavour::TokioMultiThread, Flavour::SmolGlobal], &[]).unwrap();
    selection.cases.sort_by_key(|case| case.laws[0] != "C1");
    selection.cases.truncate(1);
    selection.cases.extend(selection.cases.clone());
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
