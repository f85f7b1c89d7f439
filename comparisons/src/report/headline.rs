//! One line per target, to be pasted elsewhere.

use std::collections::BTreeMap;

use super::markdown::number;
use super::{Judgement, Report, Row};
use crate::comparison::GoalKind;

/// What one line is about: the place of its case in the table, the case in words, and whom ours is beside.
type Line = (usize, String, String);

const HEAD: &str = "| workload | beside | ct | mt | smol | target | met |\n|---|---|---:|---:|---:|---:|---|\n";

/// One line per case and rival that has a target, with the grounds as columns.
#[must_use]
pub fn headline(report: &Report) -> String {
    let mut lines: BTreeMap<Line, Vec<(&'static str, Judgement)>> = BTreeMap::new();
    for row in &report.rows {
        let place = report.rows.iter().position(|other| other.case == row.case).unwrap_or_default();
        for (name, judgement) in judged(row) {
            let line = (place, format!("{} {}", row.case, row.what), name);
            lines.entry(line).or_default().push((row.ground, judgement));
        }
    }
    lines.iter().fold(HEAD.to_owned(), |text, (line, judgements)| text + &told(line, judgements))
}

fn told((_, what, name): &Line, judgements: &[(&'static str, Judgement)]) -> String {
    let on = |ground: &str| {
        let found = judgements.iter().find(|(on, _)| *on == ground);
        found.map(|(_, judgement)| reached(judgement)).unwrap_or_default()
    };
    let targets = summed_up(judgements, |judgement| format!("≤ {}", judgement.goal.target));
    let met = summed_up(judgements, |judgement| judgement.word().to_owned());
    format!("| {what} | {name} | {} | {} | {} | {targets} | {met} |\n", on("ct"), on("mt"), on("smol"))
}

/// What has a target in a row, by the name of the rival.
fn judged(row: &Row) -> Vec<(String, Judgement)> {
    let alone = row.judgement.map(|judgement| (String::new(), judgement));
    let beside = row.rivals.iter().filter_map(|rival| Some((rival.result.name.clone(), rival.judgement?)));
    alone.into_iter().chain(beside).collect()
}

fn reached(judgement: &Judgement) -> String {
    match judgement.goal.kind {
        GoalKind::Ratio => format!("{:.2}", judgement.reached),
        GoalKind::Absolute => number(judgement.reached),
    }
}

/// What is the same on all grounds once, what differs ground by ground.
fn summed_up(judgements: &[(&'static str, Judgement)], tell: impl Fn(&Judgement) -> String) -> String {
    let told: Vec<String> = judgements.iter().map(|(_, judgement)| tell(judgement)).collect();
    if told.iter().all(|text| *text == told[0]) {
        return told[0].clone();
    }
    let named = judgements.iter().zip(&told).map(|((ground, _), text)| format!("{ground} {text}"));
    named.collect::<Vec<_>>().join(", ")
}
