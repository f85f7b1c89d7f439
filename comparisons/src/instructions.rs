//! Instructions per unit of our own workloads, which do not depend on what else the machine does.
//!
//! Nothing is compared here but ours with what it was before: see the program `instructions`.

use std::collections::BTreeMap;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::comparison::Contender;
use crate::ground::Ground;
use crate::measure::timed;
use crate::workloads::{scope_tax, spawn_join, timeout};

/// By how much a count may rise.
const TOLERANCE: f64 = 0.05;

/// How often a workload is done before instructions are counted.
const ROUNDS_BEFORE: usize = 2;

/// How often it is done while they are.
const ROUNDS: usize = 10;

/// The function whose instructions are counted, and those of all that it calls.
pub const COUNTED_FUNCTION: &str = "comparisons::instructions::counted_rounds";

/// A workload of ours whose instructions are counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Its number, as in the table of workloads.
    pub number: &'static str,
    /// How many units are in a round.
    units: usize,
    contender: fn(&Ground) -> Contender,
}

/// All of them.
pub static COUNTED: &[Counted] = &[
    Counted { number: "P1", units: 1_000, contender: |ct| ct.ours("", || timed(1, || spawn_join::ours(1_000))) },
    Counted { number: "P5", units: 1_000, contender: |ct| ct.ours("", || timed(1_000, || timeout::ours(1))) },
    Counted { number: "P5a", units: 1_000, contender: |ct| ct.ours("", || timed(1_000, || timeout::ours(0))) },
    Counted { number: "P12", units: scope_tax::POLLS, contender: |ct| ct.ours("", scope_tax::through_scopes) },
];

impl Counted {
    /// The workload of this number.
    #[must_use]
    pub fn find(number: &str) -> Option<Self> {
        COUNTED.iter().copied().find(|counted| counted.number == number)
    }

    /// Does the work: some rounds to warm up, then those that count.
    pub fn run(&self) {
        let contender = (self.contender)(&Ground::tokio_ct());
        black_box((contender.run)(ROUNDS_BEFORE));
        counted_rounds(&contender);
    }

    /// Instructions per unit, of all that were counted.
    #[must_use]
    pub fn per_unit(&self, instructions: u64) -> f64 {
        instructions as f64 / (ROUNDS * self.units) as f64
    }
}

#[inline(never)]
fn counted_rounds(contender: &Contender) {
    black_box((contender.run)(ROUNDS));
}

/// The sum of what was counted, as callgrind writes it.
#[must_use]
pub fn total(callgrind: &str) -> Option<u64> {
    callgrind.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

/// Instructions per unit, by the number of the workload, and the compiler that made them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// The compiler.
    pub rustc: String,
    /// The counts.
    pub instructions: BTreeMap<String, f64>,
}

impl Counts {
    /// What has become of each workload since `before`, and whether all are as good.
    #[must_use]
    pub fn compared_with(&self, before: &Counts) -> (String, bool) {
        let mut text = String::new();
        let mut all_good = true;
        for (number, now) in &self.instructions {
            let Some(then) = before.instructions.get(number) else {
                text += &format!("{number:<4} {now:>8.1}, not counted before: run with --bless\n");
                all_good = false;
                continue;
            };
            let good = *now <= then * (1.0 + TOLERANCE);
            let word = if good { "ok" } else { "WORSE by more than 5 %" };
            text += &format!("{number:<4} {then:>8.1} → {now:>8.1} ({:+.1} %) {word}\n", (now / then - 1.0) * 100.0);
            all_good &= good;
        }
        if self.rustc != before.rustc {
            text += &format!("the compiler has changed: {}, before {}\n", self.rustc, before.rustc);
        }
        (text, all_good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, f64)]) -> Counts {
        let instructions = of.iter().map(|(number, count)| ((*number).to_owned(), *count)).collect();
        Counts { rustc: "rustc".to_owned(), instructions }
    }

    #[test]
    fn a_rise_of_more_than_a_twentieth_is_worse() {
        let before = counts(&[("P1", 100.0), ("P5", 100.0)]);
        assert!(counts(&[("P1", 105.0), ("P5", 50.0)]).compared_with(&before).1);
        let (text, good) = counts(&[("P1", 106.0)]).compared_with(&before);
        assert!(!good && text.contains("WORSE"), "{text}");
        assert!(!counts(&[("P12", 1.0)]).compared_with(&before).1, "it has to be blessed");
    }

    #[test]
    fn the_total_is_read_from_what_callgrind_writes() {
        assert_eq!(total("events: Ir\nfn=(1)\n\ntotals: 1234\n"), Some(1234));
        assert_eq!(total("events: Ir\n"), None);
    }
}
