//! Everything on the page but the matrix.

use std::fmt::Write;

use super::{Prose, Text, longest, time};
use crate::report::{BackendRow, CaseRow, Counts, Report, Status, Verdict, number};

/// How many of the slowest runs are shown.
const SLOWEST: usize = 12;

/// The verdict, large.
pub(super) fn hero(page: &mut String, report: &Report) {
    let counts = report.counts;
    let state = if counts.broken() == 0 { "good" } else { "bad" };
    let _ = write!(
        page,
        "<header class=\"hero {state}\">\n<div class=\"bar-top\"><span class=\"wordmark\">anyio<span>conformance</span></span>\
         <button type=\"button\" id=\"theme\" title=\"Light, dark, or as the system says\">auto</button></div>\n\
         <div class=\"headline\"><div>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n</div>{}</div>\n",
        headline(report),
        lead(report),
        ring(counts),
    );
    page.push_str("<ul class=\"tiles\">\n");
    let tiles = [
        (report.covered(), "laws", ""),
        (report.cases.len(), "cases", ""),
        (counts.total(), "runs", ""),
        (counts.held, "held", "held"),
        (counts.failed, "failed", "failed"),
        (counts.hung, "hung", "hung"),
        (counts.aborted, "aborted", "aborted"),
    ];
    for (count, what, class) in
        tiles.iter().filter(|(count, _, class)| *count > 0 || matches!(*class, "held" | "failed"))
    {
        let class = if *count > 0 { *class } else { "none" };
        let _ = writeln!(page, "<li class=\"{class}\"><b>{count}</b> {what}</li>");
    }
    let _ = writeln!(page, "<li><b>{}</b> in all</li>\n</ul>\n</header>", time(report.conditions.seconds));
}

fn headline(report: &Report) -> String {
    let broken = report.laws.iter().filter(|law| law.counts().broken() > 0).count();
    match broken {
        0 if report.conditions.filters.is_empty() => "Every law holds.".to_owned(),
        0 => "What was asked for holds.".to_owned(),
        1 => "One law does not hold.".to_owned(),
        _ => format!("{broken} laws do not hold."),
    }
}

fn lead(report: &Report) -> String {
    let (cases, laws) = (number(report.cases.len(), "case"), number(report.covered(), "law"));
    let backends = number(report.backends.len(), "backend");
    let (day, hour) = report.conditions.started.split_once('T').unwrap_or((&report.conditions.started, ""));
    let hour = hour.get(..5).unwrap_or(hour);
    format!(
        "{cases} of {laws} on {backends}, run on {day} at {hour} UTC, in the order of seed {}",
        report.conditions.seed
    )
}

/// How much held, as a ring.
fn ring(counts: Counts) -> String {
    let share = counts.held as f64 / counts.total().max(1) as f64;
    // Not all of it, not even rounded, unless it is.
    let percent = if counts.broken() > 0 { (share * 100.0).min(99.0).floor() } else { 100.0 };
    format!(
        "<svg class=\"ring\" viewBox=\"0 0 120 120\" role=\"img\" aria-label=\"{percent} % held\">\
         <circle cx=\"60\" cy=\"60\" r=\"52\" pathLength=\"100\"/>\
         <circle class=\"share\" cx=\"60\" cy=\"60\" r=\"52\" pathLength=\"100\" stroke-dasharray=\"{:.2} 100\"/>\
         <text x=\"60\" y=\"61\">{percent}<tspan>%</tspan></text></svg>",
        share * 100.0,
    )
}

/// A card for each backend.
pub(super) fn backends(page: &mut String, report: &Report) {
    let longest = report.backends.iter().map(|backend| backend.seconds).fold(1e-9, f64::max);
    page.push_str("<section aria-label=\"Backends\">\n<div class=\"cards\">\n");
    for backend in &report.backends {
        card(page, backend, longest);
    }
    page.push_str("</div>\n</section>\n");
}

fn card(page: &mut String, backend: &BackendRow, longest: f64) {
    let BackendRow { name, about, package, version, counts, seconds } = backend;
    let state = if counts.broken() == 0 { "good" } else { "bad" };
    let _ = writeln!(
        page,
        "<div class=\"card {state}\"><b>{}</b><p>{}</p>{}<p class=\"outcome\">{}</p>\
         <div class=\"card-foot\"><span>{} {}</span>\
         <span class=\"meter\" title=\"time, compared to the slowest\"><i style=\"width:{:.1}%\"></i></span><span>{}</span></div></div>",
        Text(name),
        Prose(about),
        shares(*counts),
        outcome(*counts),
        Text(package),
        Text(version),
        seconds / longest * 100.0,
        time(*seconds),
    );
}

fn outcome(counts: Counts) -> String {
    match counts.broken() {
        0 => format!("all {} held", counts.held),
        broken => format!("{broken} of {} did not hold", counts.total()),
    }
}

/// How many ended how, as a bar.
fn shares(counts: Counts) -> String {
    let kinds = [("held", counts.held), ("failed", counts.failed), ("hung", counts.hung), ("aborted", counts.aborted)];
    let pieces = kinds.iter().filter(|(_, count)| *count > 0);
    let pieces = pieces
        .map(|(kind, count)| format!("<i class=\"{kind}\" style=\"flex-grow:{count}\" title=\"{count} {kind}\"></i>"));
    format!("<div class=\"shares\">{}</div>", pieces.collect::<String>())
}

/// What the cases said that do not hold.
pub(super) fn failures(page: &mut String, report: &Report) {
    let broken: Vec<_> = report.broken().collect();
    if broken.is_empty() {
        return;
    }
    let _ = writeln!(page, "<section id=\"failures\">\n<h2>What does not hold</h2>");
    broken.iter().for_each(|case| failure(page, report, case));
    page.push_str("</section>\n");
}

fn failure(page: &mut String, report: &Report, case: &CaseRow) {
    let (family, words) = case.words();
    let laws = case.laws.iter().map(|law| format!("<a class=\"law-link\" href=\"#{law}\">{law}</a>"));
    let _ = write!(
        page,
        "<details class=\"failure\" open>\n<summary>{}<b>{}</b><span class=\"family-name\">{}</span></summary>\n<p>{}</p>\n",
        laws.collect::<String>(),
        Text(&words),
        Text(family),
        Prose(case.doc),
    );
    for answer in report.answers(case) {
        let status = answer.verdict.status;
        let names = report.names(&answer);
        let _ = writeln!(
            page,
            "<div class=\"answer {status}\"><span class=\"badge\">{status}</span> on {}</div>",
            Text(&names),
        );
        if status != Status::Held {
            let _ = writeln!(page, "<pre class=\"{status}\">{}</pre>", Text(&answer.verdict.words()));
        }
    }
    page.push_str("</details>\n");
}

/// What took longest.
pub(super) fn slowest(page: &mut String, report: &Report) {
    let mut cases: Vec<_> = report.cases.iter().map(|case| (longest(&case.verdicts), case)).collect();
    cases.sort_by(|one, other| other.0.total_cmp(&one.0));
    let top = cases.first().map_or(1.0, |(seconds, _)| *seconds);
    page.push_str("<section>\n<h2>What took longest</h2>\n<div class=\"legend\">\n");
    for (column, backend) in report.backends.iter().enumerate() {
        let _ = writeln!(page, "<span><i class=\"b{column}\"></i>{}</span>", Text(&backend.name));
    }
    page.push_str("</div>\n<div class=\"slowest\">\n");
    for (_, case) in cases.iter().take(SLOWEST) {
        slow_case(page, report, case, top);
    }
    page.push_str("</div>\n</section>\n");
}

fn slow_case(page: &mut String, report: &Report, case: &CaseRow, top: f64) {
    let (_, words) = case.words();
    let law = case.laws.first().copied().unwrap_or_default();
    let _ = write!(
        page,
        "<a class=\"slow\" href=\"#{law}\"><span class=\"slow-name\">{}</span><span class=\"bars\">",
        Text(&words)
    );
    for (column, (backend, verdict)) in report.backends.iter().zip(&case.verdicts).enumerate() {
        let Verdict { seconds, status, .. } = verdict;
        let (width, took) = (seconds / top * 100.0, time(*seconds));
        let _ = write!(
            page,
            "<i class=\"b{column}\" style=\"width:{width:.2}%\" title=\"{}: {status} in {took}\"></i>",
            Text(&backend.name),
        );
    }
    let _ = writeln!(page, "</span><span class=\"slow-time\">{}</span></a>", time(longest(&case.verdicts)));
}

/// Where it was run, and how to run it again.
pub(super) fn surroundings(page: &mut String, report: &Report) {
    let conditions = &report.conditions;
    let here = &conditions.surroundings;
    let command = format!("cargo run --release -p conformance-tests -- {}", report.arguments());
    page.push_str("<section class=\"surroundings\">\n<h2>How this was run</h2>\n<dl>\n");
    let jobs = format!("{} at a time, at most {} each", number(conditions.jobs, "case"), time(conditions.limit));
    let machine = format!("{}, {}", here.processor, number(here.cores, "core"));
    let facts = [("machine", &*machine), ("system", &here.system), ("target", here.target), ("profile", here.profile)];
    for (what, fact) in facts.into_iter().chain([("pace", &*jobs)]) {
        let _ = writeln!(page, "<div><dt>{what}</dt><dd>{}</dd></div>", Text(fact));
    }
    for version in &here.versions {
        let _ = writeln!(page, "<div><dt>{}</dt><dd>{}</dd></div>", version.name, Text(version.version));
    }
    let _ = write!(
        page,
        "</dl>\n<p class=\"again\"><code id=\"command\">{}</code><button type=\"button\" id=\"copy\">copy</button></p>\n</section>\n",
        Text(&command),
    );
}
