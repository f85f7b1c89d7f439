//! Negative controls: backends that are broken on purpose, and the cases that notice.
//!
//! A law that every backend keeps might be one that no backend could break. Each control is tokio with one fault, an
//! offence against one sentence of the contract in `anyio_core`; and each has a case of the suite that holds on tokio
//! wrapped in the same way without a fault, and does not hold with it.

mod broken;

use std::time::Duration;

use anyio_conformance::{CASES, Outcome, run_case};

use crate::broken::On::{OneThread, TwoThreads};
use crate::broken::blocking::*;
use crate::broken::entering::*;
use crate::broken::spawning::*;
use crate::broken::timing::*;
use crate::broken::waking::*;
use crate::broken::{Fault, Faultless, On, recipe};

/// How long a case that should hang is watched.
const LIMIT: Duration = Duration::from_secs(5);

/// How long a case that should end may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a case notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// An assertion of the case fails.
    Failing,
    /// The case does not end.
    Hanging,
}

macro_rules! controls {
    ($($name:ident: $fault:expr, $on:ident, $law:literal $case:literal $by:ident;)*) => {
        $(#[test]
        fn $name() {
            caught($law, $case, By::$by, $on, || $fault);
        })*
    };
}

fn caught<F: Fault>(law: &str, name: &str, by: By, on: On, fault: fn() -> F) {
    let case = CASES.iter().find(|case| case.name == name).expect("there is such a case");
    assert!(case.laws.contains(&law), "{name} is no case of {law}");
    let good = run_case(case, recipe(on, || Faultless), PATIENCE);
    assert!(matches!(good, Outcome::Held(_)), "{name} does not hold on a good backend: {good:?}");
    let limit = if by == By::Hanging { LIMIT } else { PATIENCE };
    let outcome = run_case(case, recipe(on, fault), limit);
    let noticed = match outcome {
        Outcome::Held(_) => None,
        Outcome::Failed(_) => Some(By::Failing),
        Outcome::Hung => Some(By::Hanging),
    };
    assert_eq!(noticed, Some(by), "{name} on a broken backend: {outcome:?}");
}

controls! {
    // `Spawn`: a task is never polled inside the call.
    a_task_is_polled_inside_spawn: PollsInline, OneThread,
        "G7" "groups::spawning_never_polls_inline" Failing;
    // Calls are accepted from every thread, also from one that the runtime does not know.
    what_is_spawned_outside_is_dropped: SpawnsInsideOnly, OneThread,
        "G7" "groups::spawning_works_outside_the_runtime" Failing;
    spawning_outside_panics: PanicsOutside, OneThread,
        "G7" "groups::spawning_works_outside_the_runtime" Failing;
    spawning_panics: Panics, OneThread,
        "G1" "groups::a_task_is_dropped_to_its_end_before_its_group_returns" Failing;
    // A task is polled to completion.
    tasks_are_leaked: LosesTasks, OneThread,
        "G1" "groups::a_task_is_dropped_to_its_end_before_its_group_returns" Hanging;
    every_third_task_is_dropped: DropsEveryThird::default(), OneThread,
        "G6" "groups::tasks_spawn_siblings_after_the_body_has_ended" Failing;
    a_task_starts_when_the_next_is_spawned: StartsLate::default(), OneThread,
        "H1" "handles::a_handle_has_the_value" Hanging;
    a_task_is_dropped_at_its_second_poll: DropsRunningTasks, OneThread,
        "D8" "deadlines::sleeping_for_no_time_yields_exactly_once" Failing;
    // One poll at a time, and never again after it was ready.
    a_task_is_polled_after_it_was_ready: PollsAfterReady, OneThread,
        "G1" "groups::a_task_is_dropped_to_its_end_before_its_group_returns" Failing;
    a_task_runs_twice: RunsTwice, OneThread,
        "G1" "groups::a_task_is_dropped_to_its_end_before_its_group_returns" Failing;
    // Then it is dropped.
    an_ended_task_is_leaked: LeaksEndedTasks, OneThread,
        "G8" "groups::the_runtime_drops_what_has_ended" Hanging;
    // It is polled again after every wake, whichever thread woke it.
    wakes_of_tasks_from_other_threads_are_lost: LosesWakesAcrossThreads, OneThread,
        "S6" "shields::lowering_the_shield_of_a_group_reaches_its_tasks" Hanging;
    wakes_of_the_main_future_from_other_threads_are_lost: LosesWakesOfTheMain, OneThread,
        "D3" "deadlines::an_earlier_deadline_from_another_thread_acts_on_a_sleeper" Hanging;
    wakes_during_a_poll_are_lost: LosesWakesDuringPolls, OneThread,
        "D8" "deadlines::sleeping_for_no_time_yields_exactly_once" Hanging;
    // When the runtime is going down, tasks are dropped.
    tasks_are_leaked_when_the_runtime_goes_down: LeaksAtTheEnd, TwoThreads,
        "X4" "context::a_draining_group_ends_when_its_runtime_shuts_down" Hanging;
    the_runtime_never_goes_down: NeverShutsDown, OneThread,
        "X4" "context::a_draining_group_ends_when_its_runtime_shuts_down" Hanging;

    // `Checkpoint`: the waker is woken, also inside a foreign `block_on`.
    who_steps_aside_is_never_woken: NeverComesBack, OneThread,
        "D8" "deadlines::sleeping_for_no_time_yields_exactly_once" Hanging;
    who_steps_aside_is_woken_when_the_task_has_returned: ComesBackWhenTheTaskHasReturned, TwoThreads,
        "X1" "context::a_cancellation_reaches_what_a_nested_executor_runs" Hanging;
    // Until the poll that follows the runtime goes on with its other tasks.
    who_steps_aside_is_polled_again_at_once: Greedy, OneThread,
        "X5" "context::loops_of_checkpoints_yield" Hanging;

    // `Clock`: it never runs backwards, on any thread.
    the_clock_runs_backwards: RunsBackwards::default(), OneThread,
        "D2" "deadlines::the_clock_does_not_run_backwards" Failing;
    every_thread_has_a_clock_of_its_own: HasAClockPerThread::default(), OneThread,
        "D2" "deadlines::the_clock_does_not_run_backwards" Failing;
    // `Timer`: it is never early.
    timers_fire_early: FiresEarly, OneThread,
        "D2" "deadlines::nothing_is_ever_early" Failing;
    far_deadlines_fire_at_once: HasASmallWheel, OneThread,
        "D7" "deadlines::the_longest_duration_is_no_limit" Failing;
    // It wakes the waker of the latest poll.
    timers_never_wake: NeverWakes, OneThread,
        "D1" "deadlines::a_deadline_that_passes_cancels_its_scope" Hanging;
    timers_wake_who_polled_first: WakesTheFirst, OneThread,
        "D5" "deadlines::a_sleeper_may_move_to_another_task" Hanging;
    // It keeps answering `Ready` until it is reset.
    timers_are_ready_once: IsReadyOnce, OneThread,
        "D2" "deadlines::a_timer_that_has_fired_says_so_until_it_is_moved" Hanging;
    // It is moved in either direction.
    resets_are_ignored: Resets::AreIgnored, OneThread,
        "D3" "deadlines::a_timer_that_has_fired_says_so_until_it_is_moved" Failing;
    resets_are_the_end: Resets::AreTheEnd, OneThread,
        "D3" "deadlines::a_deadline_that_is_moved_later_acts_at_its_new_time" Hanging;
    resets_only_work_forward: Resets::WorkForwardOnly, OneThread,
        "D3" "deadlines::a_timer_that_has_fired_says_so_until_it_is_moved" Failing;
    resets_only_work_backward: Resets::WorkBackwardOnly, OneThread,
        "D3" "deadlines::an_earlier_deadline_from_another_thread_acts_on_a_sleeper" Hanging;
    // It keeps working when other timers are dropped.
    timers_die_with_others: DiesWithOthers::default(), OneThread,
        "D5" "deadlines::timeouts_that_end_do_not_stop_others" Hanging;
    // It wakes without holding a lock that any method needs.
    timers_wake_under_a_lock: WakesUnderItsLock::default(), TwoThreads,
        "D1" "deadlines::a_deadline_that_passes_cancels_its_scope" Hanging;

    // `Blocking`: every accepted job runs, whether or not anybody waits for it.
    jobs_are_cancelled_with_their_handles: CancelsJobs, OneThread,
        "G1" "groups::a_blocking_job_is_waited_for" Failing;
    jobs_are_leaked: LosesJobs, OneThread,
        "G1" "groups::a_blocking_job_is_waited_for" Hanging;
    // Never inside the call, and on a thread that no task is polled on.
    jobs_run_inside_the_call: RunsJobsInline, OneThread,
        "F2" "foreign_drop::blocking_work_of_a_dropped_group_is_waited_for" Hanging;
    jobs_run_where_tasks_are_polled: RunsJobsAmongTasks, OneThread,
        "X3" "context::a_run_on_a_blocking_thread_works" Failing;

    // `BlockOn`: the future is polled until it is ready.
    the_run_returns_before_its_future: ReturnsEarly, OneThread,
        "C1" "cancel::a_scope_that_is_cancelled_while_it_sleeps_ends" Failing;
}
