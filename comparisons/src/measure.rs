//! Interleaved sampling, medians and allocation counts.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use stats_alloc::Region;

use crate::ALLOCATOR;

/// How much to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    repetitions: usize,
    /// How long one sample should take.
    sample: Duration,
}

impl Effort {
    pub(crate) const QUICK: Effort = Effort { repetitions: 15, sample: Duration::from_millis(20) };
    pub(crate) const FULL: Effort = Effort { repetitions: 45, sample: Duration::from_millis(80) };
}

/// One way to do something: `run(n)` does it `n` times and tells how long the part that counts took.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) run: Box<dyn Fn(usize) -> Duration>,
    /// How many units one round is.
    pub(crate) units: usize,
}

/// Two ways to do the same.
pub(crate) struct Pair {
    pub(crate) ours: Contender,
    pub(crate) theirs: Contender,
}

/// What came out, per unit.
pub(crate) struct Summary {
    pub(crate) median: f64,
    p10: f64,
    p90: f64,
    pub(crate) allocations: f64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} ({:.0}–{:.0})", self.median, self.p10, self.p90)
    }
}

/// Measures both in turn: one sample of the one, one of the other.
pub(crate) fn interleaved(pair: &Pair, effort: Effort) -> (Summary, Summary) {
    let rounds = [rounds_for(&pair.ours, effort), rounds_for(&pair.theirs, effort)];
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..effort.repetitions {
        for (index, contender) in [&pair.ours, &pair.theirs].into_iter().enumerate() {
            samples[index].push(sample(contender, rounds[index]));
        }
    }
    let [ours, theirs] = samples;
    (summary(ours, &pair.ours), summary(theirs, &pair.theirs))
}

/// How many rounds make a sample, found while warming up.
fn rounds_for(contender: &Contender, effort: Effort) -> usize {
    let mut rounds = 1;
    loop {
        let start = Instant::now();
        black_box((contender.run)(rounds));
        if start.elapsed() * 2 >= effort.sample {
            return rounds;
        }
        rounds *= 2;
    }
}

fn sample(contender: &Contender, rounds: usize) -> f64 {
    (contender.run)(rounds).as_nanos() as f64 / (rounds * contender.units) as f64
}

fn summary(mut samples: Vec<f64>, contender: &Contender) -> Summary {
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| samples[((samples.len() - 1) as f64 * share).round() as usize];
    Summary { median: at(0.5), p10: at(0.1), p90: at(0.9), allocations: allocations(contender) }
}

/// Allocations per unit, beyond what a run with no rounds needs.
fn allocations(contender: &Contender) -> f64 {
    let count = |rounds| {
        let region = Region::new(ALLOCATOR);
        (contender.run)(rounds);
        region.change().allocations as f64
    };
    let idle = count(0);
    (count(4) - idle) / (4 * contender.units) as f64
}
