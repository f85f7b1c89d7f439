//! The report for a README.

use std::fmt::Write;

use super::{CaseRow, Counts, LawRow, Report, Status};

/// The matrix, and what the broken cases said.
pub(crate) fn render(report: &Report) -> String {
    let mut page = String::from("# Conformance\n\n");
    let _ = writeln!(page, "{}, on {}.\n", report.sum(), &report.conditions.started[..10]);
    let heads = report.backends.iter().map(|backend| format!(" {} |", backend.name));
    let _ = writeln!(page, "| law | says |{}", heads.collect::<String>());
    let _ = writeln!(page, "|:---|:---|{}", ":---:|".repeat(report.backends.len()));
    report.laws.iter().for_each(|law| row(&mut page, law));
    let versions = report.backends.iter().map(|backend| format!(" {} {} |", backend.package, backend.version));
    let _ = writeln!(page, "| | *runtime* |{}", versions.collect::<String>());
    let broken: Vec<_> = report.broken().collect();
    if !broken.is_empty() {
        page.push_str("\n## What does not hold\n");
        broken.iter().for_each(|case| section(&mut page, report, case));
    }
    let _ =
        writeln!(page, "\nTo run the same again: `cargo run --release -p conformance-tests -- {}`", report.arguments());
    page
}

fn row(page: &mut String, law: &LawRow) {
    let cells = law.cells.iter().map(|counts| format!(" {} |", cell(counts)));
    let text = law.text.replace('|', "\\|");
    let text = if law.built { text } else { format!("*To come.* {text}") };
    let _ = writeln!(page, "| **{}** | {text} |{}", law.number, cells.collect::<String>());
}

fn cell(counts: &Counts) -> String {
    match (counts.total(), counts.broken()) {
        (0, _) => String::new(),
        (total, 0) => format!("✅ {total}"),
        (total, broken) => format!("❌ {broken}/{total}"),
    }
}

fn section(page: &mut String, report: &Report, case: &CaseRow) {
    let _ = writeln!(page, "\n### `{}`\n\n**{}** {}", case.name, case.laws.join(", "), case.doc);
    for answer in report.answers(case) {
        let backends = report.names(&answer);
        let _ = writeln!(page, "\n*{}* on {backends}{}", answer.verdict.status, ending(answer.verdict.status));
        if answer.verdict.status != Status::Held {
            let words = answer.verdict.words();
            let fence = fence(&words);
            let _ = writeln!(page, "\n{fence}text\n{words}\n{fence}");
        }
    }
}

fn ending(status: Status) -> &'static str {
    if status == Status::Held { "." } else { ":" }
}

/// A fence that does not occur in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(3.max(longest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::example;

    #[test]
    fn the_matrix_is_a_table_and_the_transcripts_are_fenced() {
        let page = render(&example());
        assert!(page.contains("| law | says | tokio-multi-thread | smol-global |"), "{page}");
        assert!(page.contains("| ✅ 1 | ❌ 1/1 |"), "{page}");
        assert!(page.contains("```text\npanic in thread main:"), "{page}");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_surrounds() {
        assert_eq!(fence("none"), "```");
        assert_eq!(fence("a ```` b"), "`````");
    }
}
