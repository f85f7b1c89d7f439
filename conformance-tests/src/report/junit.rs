//! The report for build servers.

use std::fmt::{self, Write};

use super::{BackendRow, CaseRow, Report, Status, Verdict};

/// A suite for each backend, a test case for each case.
pub(crate) fn render(report: &Report) -> String {
    let mut page = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (counts, time) = (report.counts, report.conditions.seconds);
    let (total, failed, errors) = (counts.total(), counts.failed, counts.hung + counts.aborted);
    let _ = writeln!(
        page,
        r#"<testsuites name="anyio" tests="{total}" failures="{failed}" errors="{errors}" time="{time:.3}">"#
    );
    for (column, backend) in report.backends.iter().enumerate() {
        suite(&mut page, report, column, backend);
    }
    page.push_str("</testsuites>\n");
    page
}

fn suite(page: &mut String, report: &Report, column: usize, backend: &BackendRow) {
    let BackendRow { name, counts, seconds, .. } = backend;
    let started = report.conditions.started.trim_end_matches('Z');
    let _ = writeln!(
        page,
        r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" time="{seconds:.3}" timestamp="{started}">"#,
        Escaped(name),
        counts.total(),
        counts.failed,
        counts.hung + counts.aborted,
    );
    let _ = writeln!(page, "    <properties>");
    let seed = report.conditions.seed.to_string();
    for (name, value) in [("seed", &*seed), ("runtime", backend.package), ("version", backend.version)] {
        let _ = writeln!(page, r#"      <property name="{name}" value="{}"/>"#, Escaped(value));
    }
    let _ = writeln!(page, "    </properties>");
    report.cases.iter().for_each(|case| test_case(page, name, case, &case.verdicts[column]));
    let _ = writeln!(page, "  </testsuite>");
}

fn test_case(page: &mut String, backend: &str, case: &CaseRow, verdict: &Verdict) {
    let (family, name) = case.name.split_once("::").unwrap_or(("", case.name));
    let Verdict { status, seconds, .. } = verdict;
    let _ = write!(page, r#"    <testcase classname="{backend}.{family}" name="{name}" time="{seconds:.6}""#);
    let element = match status {
        Status::Held => return page.push_str("/>\n"),
        Status::Failed => "failure",
        Status::Hung | Status::Aborted => "error",
    };
    let message = format!("{}: {}", case.laws.join(", "), case.doc);
    let _ = writeln!(page, ">");
    let _ = write!(page, r#"      <{element} type="{status}" message="{}">"#, Escaped(&message));
    let _ = writeln!(page, "{}</{element}>\n    </testcase>", Escaped(&verdict.words()));
}

/// Text that means itself in XML; characters that XML cannot have are replaced.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\n' | '\t' => f.write_char(char),
            _ if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => f.write_char('\u{fffd}'),
            _ => f.write_char(char),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::example;

    #[test]
    fn every_backend_is_a_suite_and_every_verdict_an_element() {
        let page = render(&example());
        assert_eq!(page.matches("<testsuite ").count(), 2);
        assert_eq!(page.matches("<testcase ").count(), 4);
        assert_eq!(page.matches("<failure ").count(), 1);
        assert_eq!(page.matches("<error ").count(), 1);
        assert_eq!(page.matches("</testcase>").count(), 2);
    }

    #[test]
    fn what_xml_cannot_have_is_replaced() {
        assert_eq!(Escaped("a<b>\"&\u{1b}\n").to_string(), "a&lt;b&gt;&quot;&amp;\u{fffd}\n");
    }
}
