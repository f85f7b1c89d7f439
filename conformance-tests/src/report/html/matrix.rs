//! The matrix of law × backend, whose rows open to show their cases.

use std::fmt::Write;

use super::{Prose, Text, longest, time};
use crate::report::{CaseRow, Counts, LawRow, Report, Status, Verdict, number};

/// The tools above it, and the table.
pub(super) fn matrix(page: &mut String, report: &Report) {
    page.push_str("<section id=\"laws\">\n");
    toolbar(page, report);
    page.push_str("<div class=\"frame\">\n<table>\n<thead><tr><th class=\"says\">law</th>");
    for (column, backend) in report.backends.iter().enumerate() {
        let _ = write!(page, "<th class=\"c{column}\">{}</th>", Text(&backend.name));
    }
    page.push_str("</tr></thead>\n");
    let slowest = longest(report.cases.iter().flat_map(|case| &case.verdicts));
    let mut family = "";
    for law in &report.laws {
        if law.family != family {
            family = law.family;
            family_row(page, report, law);
        }
        law_rows(page, report, law, slowest);
    }
    page.push_str("</table>\n<p id=\"nothing\" hidden>Nothing matches.</p>\n</div>\n</section>\n");
}

fn toolbar(page: &mut String, report: &Report) {
    page.push_str(
        "<div class=\"toolbar\" role=\"search\">\n\
         <input id=\"search\" type=\"search\" placeholder=\"Search laws and cases  ( / )\" aria-label=\"Search laws and cases\">\n\
         <div class=\"choice\" id=\"status\" role=\"group\" aria-label=\"Status\">",
    );
    for (value, label) in [("all", "all"), ("broken", "broken"), ("held", "held"), ("none", "to come")] {
        let pressed = value == "all";
        let _ =
            write!(page, "<button type=\"button\" data-value=\"{value}\" aria-pressed=\"{pressed}\">{label}</button>");
    }
    page.push_str("</div>\n<div class=\"choice\" id=\"columns\" role=\"group\" aria-label=\"Backends\">");
    for (column, backend) in report.backends.iter().enumerate() {
        let name = Text(&backend.name);
        let _ = write!(page, "<button type=\"button\" data-column=\"{column}\" aria-pressed=\"true\">{name}</button>");
    }
    page.push_str(
        "</div>\n<button type=\"button\" id=\"unfold\" aria-pressed=\"false\">show all cases</button>\n</div>\n",
    );
}

fn family_row(page: &mut String, report: &Report, law: &LawRow) {
    let letter = law.number.get(..1).unwrap_or_default();
    let laws = report.laws.iter().filter(|other| other.family == law.family).count();
    let _ = writeln!(
        page,
        "<tbody class=\"family\" data-family=\"{letter}\"><tr><th colspan=\"{}\"><span class=\"letter\">{letter}</span>{}\
         <small>{}</small></th></tr></tbody>",
        report.backends.len() + 1,
        Text(&capitalized(law.family)),
        number(laws, "law"),
    );
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn law_rows(page: &mut String, report: &Report, law: &LawRow, slowest: f64) {
    let letter = law.number.get(..1).unwrap_or_default();
    let cases: Vec<_> = law.cases(&report.cases).collect();
    let come = if law.built { "" } else { "<span class=\"chip\">to come</span> " };
    let _ = write!(
        page,
        "<tbody class=\"law\" id=\"{}\" data-family=\"{letter}\"><tr class=\"law-row\"><th scope=\"row\" class=\"says\" title=\"{}\">\
         <button type=\"button\" aria-expanded=\"false\"><span class=\"number\">{}</span><span class=\"law-text\">{come}{}</span>\
         </button></th>",
        law.number,
        Text(law.text),
        law.number,
        Prose(law.text),
    );
    law.cells.iter().enumerate().for_each(|(column, counts)| law_cell(page, column, counts));
    page.push_str("</tr>\n");
    cases.iter().for_each(|case| case_row(page, law, case, slowest));
    page.push_str("</tbody>\n");
}

fn law_cell(page: &mut String, column: usize, counts: &Counts) {
    let (state, text, says) = match (counts.total(), counts.broken()) {
        (0, _) => ("none", "·".to_owned(), "no case".to_owned()),
        (total, 0) => ("held", format!("<i>✓</i>{total}"), format!("{} held", number(total, "case"))),
        (total, broken) => {
            ("broken", format!("<i>✗</i>{broken}<small>/{total}</small>"), format!("{broken} of {total} do not hold"))
        }
    };
    let _ = write!(
        page,
        "<td class=\"c{column} cell {state}\" data-state=\"{state}\" title=\"{says}\"><span>{text}</span></td>"
    );
}

fn case_row(page: &mut String, law: &LawRow, case: &CaseRow, slowest: f64) {
    let (_, words) = case.words();
    let also = case.laws.iter().filter(|other| **other != law.number);
    let also = also.map(|other| format!("<a class=\"law-link\" href=\"#{other}\">{other}</a>")).collect::<String>();
    let _ = write!(
        page,
        "<tr class=\"case\"><td class=\"says\"><span class=\"case-name\" title=\"{}\">{}</span> {also}\
         <span class=\"doc\">{}</span></td>",
        case.name,
        Text(&words),
        Prose(case.doc),
    );
    case.verdicts.iter().enumerate().for_each(|(column, verdict)| case_cell(page, column, verdict, slowest));
    page.push_str("</tr>\n");
}

fn case_cell(page: &mut String, column: usize, verdict: &Verdict, slowest: f64) {
    let Verdict { status, seconds, .. } = verdict;
    let state = if *status == Status::Held { "held" } else { "broken" };
    let sign = match status {
        Status::Held => "✓",
        Status::Failed => "✗",
        Status::Hung => "◔",
        Status::Aborted => "!",
    };
    // Most are short: by the square root they can be told apart.
    let width = (seconds / slowest).sqrt() * 100.0;
    let _ = write!(
        page,
        "<td class=\"c{column} run {status}\" data-state=\"{state}\" title=\"{status} in {}\"><span><i>{sign}</i>{}</span>\
         <span class=\"meter\"><i style=\"width:{width:.1}%\"></i></span></td>",
        time(*seconds),
        time(*seconds),
    );
}
