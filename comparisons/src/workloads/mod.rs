//! The workloads: jobs that are done by ours and by rivals. One file each, so that a sceptic can see whether it is fair.

pub mod all_fail;
pub mod bodies;
pub mod cancel;
pub mod channels;
pub mod cold_start;
pub mod first_failure;
pub mod instrumentation;
pub mod last_drop;
pub mod locks;
pub mod memory;
pub mod nested_cancel;
pub mod scheduler_delay;
pub mod scope_tax;
pub mod simulator;
pub mod spawn_join;
pub mod threads;
pub mod timeout;
pub mod timers;
pub mod yields;

use crate::comparison::Comparison;
use crate::ground::Grounds;

/// A job, with its number in the list of targets.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// The number.
    pub number: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// The job in its sizes, on the grounds where it is done.
    pub comparisons: fn(&Grounds) -> Vec<Comparison>,
}

/// All of them.
pub static WORKLOADS: &[Workload] = &[
    workload("P1", "spawn and join tasks that do nothing", spawn_join::many),
    workload("P1", "allocations per task", spawn_join::allocations),
    workload("P1a", "spawn and join one task", spawn_join::one),
    workload("P2", "spawn and join tasks that yield", yields::ten),
    workload("P3", "cancel sleeping tasks", cancel::sleeping),
    workload("P3a", "cancel sleeping tasks: the last drop", last_drop::of_sleeping),
    workload("P4", "one task of many fails", first_failure::of_many),
    workload("P5", "a timeout around one yield", timeout::around_a_yield),
    workload("P5a", "a timeout around what is ready", timeout::around_nothing),
    workload("P5b", "nested timeouts", timeout::nested),
    workload("P6", "cancel nested groups", nested_cancel::nested),
    workload("P7", "a bounded channel", channels::bounded),
    workload("P8", "to a thread and back", threads::round_trip),
    workload("P9", "many tasks sleep and wake", timers::many),
    workload("P11", "heap of idle tasks", memory::idle),
    workload("P11", "heap after finished tasks", memory::finished),
    workload("P12", "one more scope, per poll", scope_tax::per_poll),
    workload("C1", "cold start", cold_start::fresh_process),
    workload("D1", "scheduler delay beside work", scheduler_delay::beside_work),
    workload("E1", "many tasks fail at once", all_fail::at_once),
    workload("I1", "instrumentation", instrumentation::listening),
    workload("L1", "mutexes", locks::mutexes),
    workload("L2", "semaphores", locks::semaphores),
    workload("S1", "the simulator: polls", simulator::polls),
    workload("S2", "the simulator: schedules", simulator::schedules),
];

const fn workload(number: &'static str, title: &'static str, comparisons: fn(&Grounds) -> Vec<Comparison>) -> Workload {
    Workload { number, title, comparisons }
}

/// Whether `case` is what somebody means who writes `wanted`: `P1` means P1/100 and P1a, but not P12.
#[must_use]
pub fn is_meant(case: &str, wanted: &str) -> bool {
    case.strip_prefix(wanted).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_does_not_mean_longer_numbers() {
        assert!(is_meant("P1", "P1") && is_meant("P1/100", "P1") && is_meant("P1a", "P1"));
        assert!(!is_meant("P12", "P1") && !is_meant("P5", "P1"));
        assert!(is_meant("P1/100 ct", "P1/100") && !is_meant("P1/100000", "P1/100"));
    }
}
