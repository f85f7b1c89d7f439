//! A page that a person would rather look at than a table.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::markdown::number;
use super::plots::{growth_plot, ratios_plot};
use super::{ContenderResult, Judgement, Report, RivalResult, Row};

/// The whole report as one page that needs nothing else.
#[must_use]
pub fn html(report: &Report) -> String {
    let (met, targets) = report.targets_met();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "anyio beside its rivals: " (met) " of " (targets) " targets met" }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { main {
                (headline(report))
                (ratios(report))
                (growth(report))
                (table(report))
                (facts(report))
            } }
        }
    };
    page.into_string()
}

/// The class of what is judged, which is its colour.
pub(super) fn class(judgement: &Judgement) -> &'static str {
    match judgement {
        Judgement { moonshot: true, .. } => "best",
        Judgement { met: true, .. } => "good",
        _ => "bad",
    }
}

fn headline(report: &Report) -> Markup {
    let (met, targets) = report.targets_met();
    let judgements: Vec<Judgement> = report.rows.iter().flat_map(Row::judgements).collect();
    let part = |wanted: &str| judgements.iter().filter(|judgement| class(judgement) == wanted).count();
    html! {
        h1 { "anyio beside what users would pick instead" }
        div.score { (met) " of " (targets) " targets met" }
        div.tally {
            @for name in ["best", "good", "bad"] { span class=(name) style=(format!("flex:{}", part(name))) {} }
        }
        ul.key {
            li { i.best {} (part("best")) " as good as we can think of" }
            li { i.good {} (part("good")) " within the target" }
            li { i.bad {} (part("bad")) " missed" }
        }
    }
}

fn ratios(report: &Report) -> Markup {
    html! {
        h2 { "Ratios" }
        p {
            "anyio's cost divided by the rival's, for the same job on the same runtime in the same process. Further left is better; "
            "on the line they are even. The thin line is where the middle eight of ten repetitions lie."
        }
        ul.key { li { i.mark {} "target" } li { "┊ as good as we can think of" } }
        div.card { (ratios_plot(&report.rows)) }
        (alone(report))
    }
}

/// What ours should keep by itself, whatever others do.
fn alone(report: &Report) -> Markup {
    let judged = report.rows.iter().filter_map(|row| Some((row, row.judgement?)));
    html! {
        div.card { table {
            thead { tr { th { "by itself" } th {} th.number { "value" } th.number { "target" } th {} } }
            tbody { @for (row, judgement) in judged { tr {
                td { (row.id()) }
                td { (row.what) }
                td.number { (number(judgement.reached)) " " (row.unit.symbol()) " per " (row.per) }
                (judged_cells(judgement))
            } } }
        } }
    }
}

fn growth(report: &Report) -> Markup {
    html! {
        @if !report.growth.is_empty() {
            h2 { "Growth" }
            p { "Cost per unit at growing sizes, on tokio's current-thread runtime; heap in all. A level line is what one wants." }
            div.plots {
                @for growth in &report.growth { div.card.plot {
                    h3 { (growth.what) }
                    @for curve in &growth.curves {
                        p {
                            (curve.name) ": total as size to the power of " (number(curve.slope()))
                            @if curve.is_super_linear() { " " span.bad { "super-linear" } }
                        }
                    }
                    (growth_plot(growth))
                } }
            }
        }
    }
}

fn table(report: &Report) -> Markup {
    html! {
        h2 { "Everything" }
        p { "Medians, or the 99th percentile where it says so. Allocations are counted where all happens on one thread." }
        div.card { table {
            thead { tr {
                th { "contender" } th.number { "value" } th.number { "p10–p90" } th.number { "CPU, ns" }
                th.number { "allocations" } th.number { "left behind" } th.number { "ratio" } th.number { "p10–p90" }
                th.number { "target" } th { "" }
            } }
            tbody { @for row in &report.rows { (rows(row)) } }
        } }
    }
}

fn rows(row: &Row) -> Markup {
    html! {
        tr.case { td colspan="10" { (row.id()) " · " (row.what) ", " (row.unit.symbol()) " per " (row.per) } }
        @if let Some(ours) = &row.ours {
            tr.ours { (measured(ours)) td {} td {} (judged(row.judgement)) }
        }
        @for rival in &row.rivals { tr { (measured(&rival.result)) (beside(rival)) (judged(rival.judgement)) } }
    }
}

fn measured(contender: &ContenderResult) -> Markup {
    let summary = contender.summary;
    html! {
        td { (contender.name) }
        td.number { (number(summary.value)) }
        td.number { (number(summary.p10)) "–" (number(summary.p90)) }
        td.number { (number(contender.cpu)) }
        td.number { @if let Some(memory) = contender.memory { (number(memory.allocations)) } }
        td.number { @if contender.left_behind > 0 { (contender.left_behind) } }
    }
}

fn beside(rival: &RivalResult) -> Markup {
    html! {
        td.number { @if let Some(ratio) = rival.ratio { (number(ratio.value)) } }
        td.number { @if let Some(ratio) = rival.ratio { (number(ratio.paired_p10)) "–" (number(ratio.paired_p90)) } }
    }
}

fn judged(judgement: Option<Judgement>) -> Markup {
    html! {
        @if let Some(judgement) = judgement { (judged_cells(judgement)) } @else { td {} td {} }
    }
}

fn judged_cells(judgement: Judgement) -> Markup {
    html! {
        td.number { "≤ " (judgement.goal.target) }
        td class=(class(&judgement)) { (judgement.word()) }
    }
}

fn facts(report: &Report) -> Markup {
    let (machine, method) = (&report.machine, &report.method);
    html! {
        h2 { "Where and how" }
        div.card { dl {
            dt { "processor" } dd { (machine.cores) " cores of " (machine.cpu) }
            dt { "system" } dd { (machine.kernel) }
            dt { "load before" } dd { (number(machine.load)) }
            dt { "compiler" } dd { (machine.rustc) }
            dt { "contenders" } dd { (machine.versions()) }
            dt { "method" } dd {
                (method.mode) " mode, " (method.passes) " passes in " (number(method.seconds)) " s, order shuffled by seed " (method.seed)
            }
        } }
    }
}
