//! Taking samples: contenders in turns, in an order that is shuffled anew for each repetition.

use std::hint::black_box;
use std::time::Instant;

use fastrand::Rng;
use serde::Serialize;

use super::{Effort, Reading, Statistic};
use crate::comparison::{Comparison, Contender, Unit};

/// What was read from one contender, per unit.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// What counts: one per repetition, or one per round for the statistics of single readings.
    pub values: Vec<f64>,
    /// The means over the rounds of each repetition.
    pub means: Vec<f64>,
    /// The processors' time, one per repetition.
    pub cpu: Vec<f64>,
    /// The most tasks that were left behind in a round.
    pub left_behind: usize,
    /// What it takes from the heap, where that is counted.
    pub memory: Option<Memory>,
}

/// What is taken from the heap, per unit.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// How often.
    pub allocations: f64,
    /// How much in all.
    pub bytes: f64,
}

/// What was read from all contenders of a comparison, ours first.
#[derive(Clone, Debug)]
pub struct Samples {
    /// One series per contender.
    pub series: Vec<Series>,
    /// How many rounds make a turn, found at the first pass while warming up.
    rounds: Vec<usize>,
}

impl Samples {
    /// Warms up, and takes no sample yet.
    #[must_use]
    pub fn prepare(comparison: &Comparison, effort: Effort) -> Self {
        let rounds = |contender: &Contender| {
            if comparison.exact {
                (contender.run)(1);
                return 1;
            }
            rounds_for(contender, effort)
        };
        let prepared = |contender| {
            let rounds = rounds(contender);
            (rounds, Series { memory: memory(comparison, contender), ..Series::default() })
        };
        let (rounds, series) = comparison.contenders().map(prepared).unzip();
        Samples { series, rounds }
    }

    /// Takes the samples of one pass.
    pub fn pass(&mut self, comparison: &Comparison, effort: Effort, rng: &mut Rng) {
        if comparison.exact && self.series.iter().all(|series| !series.values.is_empty()) {
            return; // another pass would tell the same
        }
        let contenders: Vec<&Contender> = comparison.contenders().collect();
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        let repetitions = if comparison.exact { 1 } else { effort.repetitions };
        let start = Instant::now();
        for repetition in 0..repetitions {
            if repetition >= effort.at_least && start.elapsed() > effort.patience {
                break;
            }
            rng.shuffle(&mut order);
            for &index in &order {
                let readings = (contenders[index].run)(self.rounds[index]);
                self.series[index].add(comparison, &readings);
            }
        }
    }
}

impl Series {
    fn add(&mut self, comparison: &Comparison, readings: &[Reading]) {
        let units = comparison.units as f64;
        let mean = |field: fn(&Reading) -> f64| readings.iter().map(field).sum::<f64>() / readings.len() as f64 / units;
        let value = mean(|reading| reading.value);
        match comparison.statistic {
            Statistic::Median => self.values.push(value),
            Statistic::P99 => self.values.extend(readings.iter().map(|reading| reading.value / units)),
        }
        self.means.push(value);
        self.cpu.push(mean(|reading| reading.cpu));
        let left = readings.iter().map(|reading| reading.left_behind).max();
        self.left_behind = self.left_behind.max(left.unwrap_or_default());
    }
}

/// How many rounds make a turn, found while warming up.
fn rounds_for(contender: &Contender, effort: Effort) -> usize {
    let mut rounds = 1;
    loop {
        let start = Instant::now();
        black_box((contender.run)(rounds));
        if start.elapsed() * 2 >= effort.turn {
            return rounds;
        }
        rounds *= 2;
    }
}

/// What one round takes from the heap, where all happens on this thread.
fn memory(comparison: &Comparison, contender: &Contender) -> Option<Memory> {
    if comparison.exact || comparison.unit != Unit::Nanoseconds || !comparison.ground.is_one_thread() {
        return None;
    }
    let (allocations, bytes) = of_one_round(contender);
    let units = comparison.units as f64;
    Some(Memory { allocations: allocations / units, bytes: bytes / units })
}

/// The contender, whose readings are how often it allocates on this thread in a round.
#[must_use]
pub fn counting_allocations(contender: Contender) -> Contender {
    let name = contender.name.clone();
    let run = move |_| vec![Reading::of(of_one_round(&contender).0)];
    Contender { name, run: Box::new(run) }
}

/// How often one round allocates beyond what none does, and how many bytes.
fn of_one_round(contender: &Contender) -> (f64, f64) {
    let counted = |rounds| {
        allocation_counter::measure(|| {
            black_box((contender.run)(rounds));
        })
    };
    let (one, none) = (counted(1), counted(0));
    let beyond = |one: u64, none: u64| one.saturating_sub(none) as f64;
    (beyond(one.count_total, none.count_total), beyond(one.bytes_total, none.bytes_total))
}
