//! The whole table.

use std::fmt::Write as _;

use super::{ContenderResult, Report, RivalResult, Row};

/// The whole report as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let (met, targets) = report.targets_met();
    let mut text = format!("{met} of {targets} targets met.\n\n{}\n{HEAD}", facts(report));
    for row in &report.rows {
        text.push_str(&lines(row));
    }
    text + &growth(report)
}

/// The head of the table of [`lines`].
const HEAD: &str = "\
| case | per | contender | value (p10–p90) | CPU, ns | allocations, bytes | left | ratio (p10–p90) | of medians | of CPU | target | |
|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|
";

/// The machine and the method, in a few lines.
#[must_use]
fn facts(report: &Report) -> String {
    let (machine, method) = (&report.machine, &report.method);
    format!(
        "{} mode, {} passes in {:.0} s, seed {}. {} cores of {}, {}, load {:.2}. {}. {}.\n",
        method.mode,
        method.passes,
        method.seconds,
        method.seed,
        machine.cores,
        machine.cpu,
        machine.kernel,
        machine.load,
        machine.rustc,
        machine.versions(),
    )
}

/// The slopes of what grows, if that was measured.
fn growth(report: &Report) -> String {
    let mut text = String::new();
    if !report.growth.is_empty() {
        text.push_str("\n| growth | contender | largest | per unit there | slope of the total | |\n|---|---|---:|---:|---:|---|\n");
    }
    for growth in &report.growth {
        for curve in &growth.curves {
            let (size, cost) = curve.points.last().copied().unwrap_or((0.0, f64::NAN));
            let word = if curve.is_super_linear() { "super-linear" } else { "" };
            let (each, slope) = (number(cost / size), number(curve.slope()));
            let (what, name, unit) = (growth.what, curve.name, growth.unit.symbol());
            let _ = writeln!(text, "| {what} | {name} | {} | {each} {unit} | {slope} | {word} |", number(size));
        }
    }
    text
}

/// The lines of one comparison: ours, then each rival.
fn lines(row: &Row) -> String {
    let mut text = String::new();
    if let Some(ours) = &row.ours {
        let [target, judged] = judged(row.judgement);
        let _ = writeln!(text, "{} | | | | {target} | {judged} |", start(row, ours));
    }
    for rival in &row.rivals {
        let [target, judged] = judged(rival.judgement);
        let _ = writeln!(text, "{} | {} | {target} | {judged} |", start(row, &rival.result), ratios(rival));
    }
    text
}

fn start(row: &Row, contender: &ContenderResult) -> String {
    let summary = contender.summary;
    let memory = contender.memory.map(|memory| format!("{:.2}, {:.0}", memory.allocations, memory.bytes));
    format!(
        "| {} | {} | {} | {} {} ({}–{}) | {} | {} | {}",
        row.id(),
        row.per,
        contender.name,
        number(summary.value),
        row.unit.symbol(),
        number(summary.p10),
        number(summary.p90),
        number(contender.cpu),
        memory.unwrap_or_default(),
        contender.left_behind,
    )
}

fn ratios(rival: &RivalResult) -> String {
    rival.ratio.map_or_else(
        || " | | ".to_owned(),
        |ratio| {
            let (low, high) = (ratio.paired_p10, ratio.paired_p90);
            format!("{:.2} ({low:.2}–{high:.2}) | {:.2} | {}", ratio.value, ratio.of_values, number(ratio.cpu))
        },
    )
}

fn judged(judgement: Option<super::Judgement>) -> [String; 2] {
    judgement.map_or_else(Default::default, |judgement| {
        [format!("≤ {}", judgement.goal.target), judgement.word().to_owned()]
    })
}

/// Three digits that count, whatever the size.
#[must_use]
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size.is_nan() => String::new(),
        size if size >= 1e6 => format!("{:.2} M", value / 1e6),
        size if size >= 1e4 => format!("{:.1} k", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
