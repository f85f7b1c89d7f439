//! One comparison, measured and judged.

use serde::Serialize;

use crate::comparison::{Comparison, Contender, Goal, Rival, Unit};
use crate::measure::{Memory, Samples, Series, Statistic, Summary, percentile, ratios};

/// What came out of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The job's number and size.
    pub case: String,
    /// What was done.
    pub what: String,
    /// On which runtime.
    pub ground: &'static str,
    /// What was read.
    pub unit: Unit,
    /// What it was divided by.
    pub per: &'static str,
    /// Ours, if the job has one.
    pub ours: Option<ContenderResult>,
    /// What ours should keep by itself, and whether it does.
    pub judgement: Option<Judgement>,
    /// The rivals.
    pub rivals: Vec<RivalResult>,
}

/// What came out for one contender, per unit.
#[derive(Clone, Debug, Serialize)]
pub struct ContenderResult {
    /// Its name.
    pub name: String,
    /// Where the readings lie.
    pub summary: Summary,
    /// The median of the processors' time, in nanoseconds.
    pub cpu: f64,
    /// What it takes from the heap, where that was counted.
    pub memory: Option<Memory>,
    /// The most tasks that lived when it was said that all were gone.
    pub left_behind: usize,
}

/// A result, and what it was made of.
type Measured<'a> = (&'a ContenderResult, &'a Series);

/// What came out for a rival, and beside it.
#[derive(Clone, Debug, Serialize)]
pub struct RivalResult {
    /// The rival's own.
    #[serde(flatten)]
    pub result: ContenderResult,
    /// Ours divided by the rival's.
    pub ratio: Option<Ratio>,
    /// Whether ours is as good beside it as it should be.
    pub judgement: Option<Judgement>,
}

/// Ours divided by a rival's.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ratio {
    /// What is judged: `paired`, which is steadier, or `of_values` where a percentile is compared.
    pub value: f64,
    /// That of the two values.
    pub of_values: f64,
    /// The median of the ratios in each repetition, in which the two ran one after the other.
    pub paired: f64,
    /// The 10th percentile of those.
    pub paired_p10: f64,
    /// The 90th percentile of those.
    pub paired_p90: f64,
    /// That of the processors' time.
    pub cpu: f64,
}

/// A goal, and whether it is reached.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Judgement {
    /// The goal.
    pub goal: Goal,
    /// What is measured against it.
    pub reached: f64,
    /// Whether that is within the target.
    pub met: bool,
    /// Whether it is within the moonshot.
    pub moonshot: bool,
}

impl Judgement {
    /// Judges what was reached.
    #[must_use]
    pub fn of(goal: Goal, reached: f64) -> Self {
        Judgement { goal, reached, met: reached <= goal.target, moonshot: reached <= goal.moonshot }
    }

    /// In one word and a sign.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Judgement { moonshot: true, .. } => "✓ moonshot",
            Judgement { met: true, .. } => "✓ met",
            _ => "✗ missed",
        }
    }
}

impl Row {
    /// Makes a row of what was read.
    #[must_use]
    pub fn of(comparison: &Comparison, samples: &Samples) -> Self {
        let results: Vec<ContenderResult> = comparison
            .contenders()
            .zip(&samples.series)
            .map(|(contender, series)| ContenderResult::of(comparison, contender, series))
            .collect();
        let ours = comparison.ours.as_ref().map(|_| (&results[0], &samples.series[0]));
        let first_rival = usize::from(ours.is_some());
        let beside = |(index, rival): (usize, &Rival)| {
            let theirs = (&results[index], &samples.series[index]);
            let comparable = !rival.is_floor && theirs.0.summary.value != 0.0;
            RivalResult::of(ours.filter(|_| comparable), theirs, rival, comparison.statistic)
        };
        Row {
            case: comparison.case.clone(),
            what: comparison.what.clone(),
            ground: comparison.ground.name(),
            unit: comparison.unit,
            per: comparison.per,
            ours: ours.map(|(result, _)| result.clone()),
            judgement: ours.zip(comparison.goal).map(|((ours, _), goal)| Judgement::of(goal, ours.summary.value)),
            rivals: (first_rival..).zip(&comparison.rivals).map(beside).collect(),
        }
    }

    /// Case and ground.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{} {}", self.case, self.ground)
    }

    /// All that was judged: ours by itself, and beside rivals.
    pub fn judgements(&self) -> impl Iterator<Item = Judgement> {
        self.judgement.into_iter().chain(self.rivals.iter().filter_map(|rival| rival.judgement))
    }
}

impl ContenderResult {
    fn of(comparison: &Comparison, contender: &Contender, series: &Series) -> Self {
        ContenderResult {
            name: contender.name.clone(),
            summary: Summary::of(&series.values, comparison.statistic),
            cpu: percentile(&series.cpu, 0.5),
            memory: series.memory,
            left_behind: series.left_behind,
        }
    }
}

impl RivalResult {
    fn of(ours: Option<Measured<'_>>, theirs: Measured<'_>, rival: &Rival, statistic: Statistic) -> Self {
        let ratio = ours.map(|ours| Ratio::of(ours, theirs, statistic));
        let judgement = ratio.zip(rival.goal).map(|(ratio, goal)| Judgement::of(goal, ratio.value));
        RivalResult { result: theirs.0.clone(), ratio, judgement }
    }
}

impl Ratio {
    fn of((ours, our_series): Measured<'_>, (theirs, their_series): Measured<'_>, statistic: Statistic) -> Self {
        let pairs = ratios(&our_series.means, &their_series.means);
        let of_values = ours.summary.value / theirs.summary.value;
        let [paired_p10, paired, paired_p90] = [0.1, 0.5, 0.9].map(|share| percentile(&pairs, share));
        let value = match statistic {
            Statistic::Median => paired,
            Statistic::P99 => of_values,
        };
        Ratio { value, of_values, paired, paired_p10, paired_p90, cpu: ours.cpu / theirs.cpu }
    }
}
