//! What came out, and how it is told.

mod headline;
mod html;
mod machine;
mod markdown;
mod plots;
mod rows;
mod svg;

use serde::Serialize;

pub use headline::headline;
pub use html::html;
pub use machine::Machine;
pub use markdown::markdown;
pub use rows::{ContenderResult, Judgement, Ratio, RivalResult, Row};

use crate::growth::Growth;

/// All that came out of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where and by what it was measured.
    pub machine: Machine,
    /// How it was measured.
    pub method: Method,
    /// One row per comparison.
    pub rows: Vec<Row>,
    /// How cost grows with size, if that was asked for.
    pub growth: Vec<Growth>,
}

/// How a report was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Method {
    /// `quick` or `full`.
    pub mode: &'static str,
    /// How often the whole table was gone through.
    pub passes: usize,
    /// What the order of contenders was shuffled by.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    /// How many of the targets that were looked at are met, and how many there are.
    #[must_use]
    pub fn targets_met(&self) -> (usize, usize) {
        let judgements: Vec<Judgement> = self.rows.iter().flat_map(Row::judgements).collect();
        (judgements.iter().filter(|judgement| judgement.met).count(), judgements.len())
    }

    /// The report as JSON.
    ///
    /// # Panics
    ///
    /// Never: all of it can be written.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("all of it can be written")
    }
}
