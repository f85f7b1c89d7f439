//! The report for the terminal.

use std::fmt::Write;

use clap::builder::styling::{AnsiColor, Style};

use super::{BackendRow, CaseRow, Counts, LawRow, Report, Status};

/// How wide the column of the laws' numbers is.
const NUMBER: usize = 5;

/// How wide a column is at least.
const CELL: usize = 7;

/// How much of a law's text is shown, in characters.
const TEXT: usize = 60;

/// How much of a transcript is shown, in lines.
const LINES: usize = 20;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// The matrix, what the broken cases said, and the sum.
pub(crate) fn render(report: &Report, coloured: bool) -> String {
    let paint = Paint(coloured);
    let mut page = String::new();
    matrix(&mut page, report, paint);
    for case in report.broken() {
        broken(&mut page, report, case, paint);
    }
    let verdict = if report.counts.broken() == 0 {
        paint.with(GOOD, "All laws hold.")
    } else {
        paint.with(BAD, "Some laws do not hold.")
    };
    let _ = writeln!(page, "{verdict} {}", report.sum());
    let _ = writeln!(page, "{}", paint.with(DIM, &format!("to run the same again: {}", report.arguments())));
    page
}

fn matrix(page: &mut String, report: &Report, paint: Paint) {
    for half in [0, 1] {
        let heads = report.backends.iter().map(|backend| format!("  {:>1$}", halves(backend)[half], width(backend)));
        let _ = writeln!(page, "{:NUMBER$}{}", "", paint.with(STRONG, &heads.collect::<String>()));
    }
    let mut family = "";
    for law in &report.laws {
        if law.family != family {
            family = law.family;
            let _ = writeln!(page, "{}", paint.with(DIM, family));
        }
        law_row(page, &report.backends, law, paint);
    }
    let times = report.backends.iter().map(|backend| format!("  {:>1$.1} s", backend.seconds, width(backend) - 2));
    let _ = writeln!(page, "{}\n", paint.with(DIM, &format!("{:NUMBER$}{}", "time", times.collect::<String>())));
}

/// The name in two lines: the runtime, and its form.
fn halves(backend: &BackendRow) -> [&str; 2] {
    let (runtime, form) = backend.name.split_once('-').unwrap_or(("", &backend.name));
    [runtime, form]
}

fn width(backend: &BackendRow) -> usize {
    halves(backend).iter().map(|half| half.len()).fold(CELL, usize::max)
}

fn law_row(page: &mut String, backends: &[BackendRow], law: &LawRow, paint: Paint) {
    let cells = backends.iter().zip(&law.cells).map(|(backend, counts)| cell(counts, width(backend), paint));
    let text = match law.built {
        true => shortened(law.text),
        false => format!("(to come) {}", shortened(law.text)),
    };
    let number = paint.with(STRONG, &format!("{:NUMBER$}", law.number));
    let _ = writeln!(page, "{number}{}  {}", cells.collect::<String>(), paint.with(DIM, &text));
}

fn cell(counts: &Counts, width: usize, paint: Paint) -> String {
    let (text, style) = match (counts.total(), counts.broken()) {
        (0, _) => ("·".to_owned(), DIM),
        (total, 0) => (format!("✓ {total}"), GOOD),
        (total, broken) => (format!("✗ {broken}/{total}"), BAD),
    };
    format!("  {}", paint.with(style, &format!("{text:>width$}")))
}

/// What the backends said to a case that does not hold on all of them.
fn broken(page: &mut String, report: &Report, case: &CaseRow, paint: Paint) {
    let _ = writeln!(page, "{} {}", paint.with(BAD, "✗"), paint.with(STRONG, case.name));
    let _ = writeln!(page, "  {}: {}", case.laws.join(", "), case.doc);
    for answer in report.answers(case) {
        let held = answer.verdict.status == Status::Held;
        let style = if held { GOOD } else { BAD };
        let status = paint.with(style, &answer.verdict.status.to_string());
        let _ = writeln!(page, "  {status} on {}", report.names(&answer));
        if !held {
            page.push_str(&quoted(&answer.verdict.words()));
        }
    }
    page.push('\n');
}

/// The first lines of what was said.
fn quoted(words: &str) -> String {
    let mut quoted: String = words.lines().take(LINES).map(|line| format!("    │ {line}\n")).collect();
    if let left @ 1.. = words.lines().count().saturating_sub(LINES) {
        let _ = writeln!(quoted, "    ┆ {left} more lines in the other forms of the report");
    }
    quoted
}

/// The first words of a text.
fn shortened(text: &str) -> String {
    if text.chars().count() <= TEXT {
        return text.to_owned();
    }
    let start: String = text.chars().take(TEXT - 2).collect();
    let words = start.rsplit_once(' ').map_or(&*start, |(words, _)| words);
    format!("{} …", words.trim_end_matches([',', ';', ':']))
}

/// Colours, if there are any.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::example;

    #[test]
    fn the_page_has_the_matrix_the_transcripts_and_the_sum() {
        let page = render(&example(), false);
        assert!(page.contains("   multi-thread   global"), "{page}");
        assert!(page.contains("✗ 1/1"), "{page}");
        assert!(page.contains("    │ panic in thread main:"), "{page}");
        assert!(page.contains("Some laws do not hold."), "{page}");
        assert!(page.contains("--seed 42"), "{page}");
        assert!(!page.contains('\u{1b}'), "{page}");
    }

    #[test]
    fn long_texts_end_at_a_word() {
        let text = "word ".repeat(40);
        assert!(shortened(&text).ends_with("word …"));
        assert_eq!(shortened("short"), "short");
    }
}
