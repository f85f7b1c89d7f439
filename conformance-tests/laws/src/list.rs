//! Every case. Generated from the cases by `cargo test -p anyio-conformance --test tidy`: do not edit.

/// Hands the list of all cases to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_case {
    ($then:ident $args:tt) => {
        $crate::$then! { $args
            cancel {
                a_cancelled_scope_cuts_its_body_short_at_the_next_suspension ["C1"] "Once a scope is cancelled, every further suspension inside ends in cancellation."
            }
            foreign_drop {
                a_group_dropped_at_any_poll_leaves_no_task_behind ["F1", "F2"] "A group dropped at whatever poll leaves no task behind when the scope around it is over."
                a_scope_dropped_at_any_poll_leaves_no_task_behind ["F1", "F2"] "A scope dropped at whatever poll, with a timeout, a shield and a group inside, leaves no task behind when the scope around it is over."
                a_group_that_loses_a_foreign_select_cancels_its_tasks ["F1"] "The tasks of a group that loses a foreign select are cancelled, and say that their group was dropped."
                a_group_in_an_aborted_future_cancels_its_tasks ["F1", "F2"] "A foreign abort of the future around a group cancels its tasks."
                a_group_in_an_aborted_foreign_task_cancels_its_tasks ["F1", "F2"] "A group in a foreign task that is aborted cancels its tasks, which the implicit root has counted."
                a_group_dropped_on_another_thread_cancels_its_tasks ["F1", "F2"] "A group that is dropped on another thread cancels its tasks, and the scope around waits for them."
                a_group_dropped_before_its_first_poll_owes_nothing ["F1"] "A group that was never polled has started nothing, and dropping it does nothing."
                every_barrier_waits_for_the_orphans_inside_it ["F2"] "Every barrier waits for tasks that were orphaned inside it: a scope, a timeout, and a group whose body or task the orphan's group was dropped in."
                grandchildren_of_a_dropped_group_are_waited_for ["F2"] "Tasks of tasks of a dropped group are waited for as well."
                blocking_work_of_a_dropped_group_is_waited_for ["F2"] "Blocking work of a dropped group is waited for, since a thread cannot be stopped."
                a_shield_in_an_orphan_is_waited_for ["F2"] "A clean-up that a dropped group's task still does under a shield is waited for."
                a_forgotten_group_is_cancelled_and_waited_for_at_the_next_barrier ["F2"] "A forgotten group is waited for like a dropped one, whether its body was still running or not, by every barrier."
                a_group_forgotten_in_a_task_is_waited_for_by_the_group_of_the_task ["F2"] "A group forgotten inside a task is waited for by the task's group."
                what_is_forgotten_together_with_its_scope_is_waited_for ["F2"] "A forgotten scope, timeout or shield around a group does not hide the group's tasks from the next barrier."
                no_task_outlives_the_run ["F2"] "No task outlives the run: not those of groups that were dropped or forgotten in its main future, nor those of a forgotten owned group."
                no_task_outlives_a_run_that_panics ["F2"] "No task outlives the run that ends in a panic, or in a foreign drop of everything in its main future."
                outside_a_run_quiesce_waits_for_the_tasks_of_a_dropped_group ["F2"] "Outside any run the root of the runtime counts the tasks of a dropped group, and `quiesce` waits for them."
                outside_a_run_quiesce_sees_the_tasks_of_a_forgotten_group ["F2"] "Outside any run the root of the runtime counts the tasks of a forgotten group as well: they live on, since the root cannot be cancelled, and `quiesce` says so."
                quiesce_gives_up_after_its_timeout ["F2"] "`quiesce` gives up after its timeout, and works on a thread that no runtime is around."
                dropping_a_group_at_the_root_cancels_no_other ["F2"] "A group that is dropped outside any run leaves its neighbours alone: the root cannot be cancelled."
                the_error_of_an_orphan_reaches_the_hook ["F3"] "The error of a task whose group was dropped reaches the hook, with the task and the error."
                the_panic_of_an_orphan_reaches_the_hook ["F3"] "The panic of a task whose group was dropped reaches the hook."
                the_panic_of_an_orphans_destructor_reaches_the_hook ["F3"] "The panic of an orphan's destructor reaches the hook."
                the_hook_does_not_hear_of_orphans_that_end_well ["F3"] "An orphan that is cancelled, or ends well, is no news for the hook."
                the_errors_that_a_dropped_group_had_collected_reach_the_hook ["F3"] "What a group had collected when it was dropped reaches the hook: errors of tasks and of the body."
                the_errors_of_a_dropped_owned_group_reach_the_hook ["F3"] "What an owned group had collected when it was dropped, and what its tasks still come to, reaches the hook."
                the_errors_of_a_forgotten_group_reach_the_hook ["F3"] "The errors of a forgotten group reach the hook, at the latest when the barrier is passed that waits for it."
                a_forgotten_group_does_not_hold_the_scope_around ["F5"] "A forgotten group does not keep the scope around from being cancelled, whatever it was doing."
                a_forgotten_shield_for_holds_for_its_grace ["F5"] "A forgotten `shield_for` holds the scope around for its grace and no longer."
                a_graced_finally_forgotten_during_its_body_holds_for_its_grace ["F5"] "A graced `finally` that was forgotten during its body does not keep the scope around from being cancelled."
                a_graced_finally_forgotten_during_its_clean_up_holds_for_its_grace ["F5"] "A graced `finally` that was forgotten during its clean-up does not keep the scope around from being cancelled."
                a_graced_finally_detached_that_was_forgotten_holds_for_its_grace ["F5"] "A graced `finally_detached` that was forgotten does not keep the scope around from being cancelled, whatever it was doing."
                a_forgotten_start_does_not_hold_the_scope_around ["F5"] "A forgotten start does not keep the scope around from being cancelled: the task that it waited for is."
                the_hook_hears_once_of_a_scope_that_a_forgotten_shield_holds ["F5"] "A forgotten shield without a grace does keep the scope around from being cancelled, and the hook hears of that once."
                the_hook_hears_of_a_cancelled_scope_that_waits_too_long ["F5"] "The hook hears of a cancelled scope that waits too long for a clean-up, and the scope still waits for it."
                the_hook_does_not_hear_of_scopes_that_are_not_stalled ["F5"] "The hook does not hear of a scope that was not cancelled, however long it is shielded, nor of one that is over in time."
            }
        }
    };
}

/// All cases, family by family.
pub static CASES: &[crate::Case] = &[
    crate::Case {
        name: "cancel::a_cancelled_scope_cuts_its_body_short_at_the_next_suspension",
        laws: &["C1"],
        doc: "Once a scope is cancelled, every further suspension inside ends in cancellation.",
        body: || Box::pin(crate::cases::cancel::a_cancelled_scope_cuts_its_body_short_at_the_next_suspension()),
    },
    crate::Case {
        name: "foreign_drop::a_group_dropped_at_any_poll_leaves_no_task_behind",
        laws: &["F1", "F2"],
        doc: "A group dropped at whatever poll leaves no task behind when the scope around it is over.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_dropped_at_any_poll_leaves_no_task_behind()),
    },
    crate::Case {
        name: "foreign_drop::a_scope_dropped_at_any_poll_leaves_no_task_behind",
        laws: &["F1", "F2"],
        doc: "A scope dropped at whatever poll, with a timeout, a shield and a group inside, leaves no task behind when the scope around it is over.",
        body: || Box::pin(crate::cases::foreign_drop::a_scope_dropped_at_any_poll_leaves_no_task_behind()),
    },
    crate::Case {
        name: "foreign_drop::a_group_that_loses_a_foreign_select_cancels_its_tasks",
        laws: &["F1"],
        doc: "The tasks of a group that loses a foreign select are cancelled, and say that their group was dropped.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_that_loses_a_foreign_select_cancels_its_tasks()),
    },
    crate::Case {
        name: "foreign_drop::a_group_in_an_aborted_future_cancels_its_tasks",
        laws: &["F1", "F2"],
        doc: "A foreign abort of the future around a group cancels its tasks.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_in_an_aborted_future_cancels_its_tasks()),
    },
    crate::Case {
        name: "foreign_drop::a_group_in_an_aborted_foreign_task_cancels_its_tasks",
        laws: &["F1", "F2"],
        doc: "A group in a foreign task that is aborted cancels its tasks, which the implicit root has counted.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_in_an_aborted_foreign_task_cancels_its_tasks()),
    },
    crate::Case {
        name: "foreign_drop::a_group_dropped_on_another_thread_cancels_its_tasks",
        laws: &["F1", "F2"],
        doc: "A group that is dropped on another thread cancels its tasks, and the scope around waits for them.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_dropped_on_another_thread_cancels_its_tasks()),
    },
    crate::Case {
        name: "foreign_drop::a_group_dropped_before_its_first_poll_owes_nothing",
        laws: &["F1"],
        doc: "A group that was never polled has started nothing, and dropping it does nothing.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_dropped_before_its_first_poll_owes_nothing()),
    },
    crate::Case {
        name: "foreign_drop::every_barrier_waits_for_the_orphans_inside_it",
        laws: &["F2"],
        doc: "Every barrier waits for tasks that were orphaned inside it: a scope, a timeout, and a group whose body or task the orphan's group was dropped in.",
        body: || Box::pin(crate::cases::foreign_drop::every_barrier_waits_for_the_orphans_inside_it()),
    },
    crate::Case {
        name: "foreign_drop::grandchildren_of_a_dropped_group_are_waited_for",
        laws: &["F2"],
        doc: "Tasks of tasks of a dropped group are waited for as well.",
        body: || Box::pin(crate::cases::foreign_drop::grandchildren_of_a_dropped_group_are_waited_for()),
    },
    crate::Case {
        name: "foreign_drop::blocking_work_of_a_dropped_group_is_waited_for",
        laws: &["F2"],
        doc: "Blocking work of a dropped group is waited for, since a thread cannot be stopped.",
        body: || Box::pin(crate::cases::foreign_drop::blocking_work_of_a_dropped_group_is_waited_for()),
    },
    crate::Case {
        name: "foreign_drop::a_shield_in_an_orphan_is_waited_for",
        laws: &["F2"],
        doc: "A clean-up that a dropped group's task still does under a shield is waited for.",
        body: || Box::pin(crate::cases::foreign_drop::a_shield_in_an_orphan_is_waited_for()),
    },
    crate::Case {
        name: "foreign_drop::a_forgotten_group_is_cancelled_and_waited_for_at_the_next_barrier",
        laws: &["F2"],
        doc: "A forgotten group is waited for like a dropped one, whether its body was still running or not, by every barrier.",
        body: || Box::pin(crate::cases::foreign_drop::a_forgotten_group_is_cancelled_and_waited_for_at_the_next_barrier()),
    },
    crate::Case {
        name: "foreign_drop::a_group_forgotten_in_a_task_is_waited_for_by_the_group_of_the_task",
        laws: &["F2"],
        doc: "A group forgotten inside a task is waited for by the task's group.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_forgotten_in_a_task_is_waited_for_by_the_group_of_the_task()),
    },
    crate::Case {
        name: "foreign_drop::what_is_forgotten_together_with_its_scope_is_waited_for",
        laws: &["F2"],
        doc: "A forgotten scope, timeout or shield around a group does not hide the group's tasks from the next barrier.",
        body: || Box::pin(crate::cases::foreign_drop::what_is_forgotten_together_with_its_scope_is_waited_for()),
    },
    crate::Case {
        name: "foreign_drop::no_task_outlives_the_run",
        laws: &["F2"],
        doc: "No task outlives the run: not those of groups that were dropped or forgotten in its main future, nor those of a forgotten owned group.",
        body: || Box::pin(crate::cases::foreign_drop::no_task_outlives_the_run()),
    },
    crate::Case {
        name: "foreign_drop::no_task_outlives_a_run_that_panics",
        laws: &["F2"],
        doc: "No task outlives the run that ends in a panic, or in a foreign drop of everything in its main future.",
        body: || Box::pin(crate::cases::foreign_drop::no_task_outlives_a_run_that_panics()),
    },
    crate::Case {
        name: "foreign_drop::outside_a_run_quiesce_waits_for_the_tasks_of_a_dropped_group",
        laws: &["F2"],
        doc: "Outside any run the root of the runtime counts the tasks of a dropped group, and `quiesce` waits for them.",
        body: || Box::pin(crate::cases::foreign_drop::outside_a_run_quiesce_waits_for_the_tasks_of_a_dropped_group()),
    },
    crate::Case {
        name: "foreign_drop::outside_a_run_quiesce_sees_the_tasks_of_a_forgotten_group",
        laws: &["F2"],
        doc: "Outside any run the root of the runtime counts the tasks of a forgotten group as well: they live on, since the root cannot be cancelled, and `quiesce` says so.",
        body: || Box::pin(crate::cases::foreign_drop::outside_a_run_quiesce_sees_the_tasks_of_a_forgotten_group()),
    },
    crate::Case {
        name: "foreign_drop::quiesce_gives_up_after_its_timeout",
        laws: &["F2"],
        doc: "`quiesce` gives up after its timeout, and works on a thread that no runtime is around.",
        body: || Box::pin(crate::cases::foreign_drop::quiesce_gives_up_after_its_timeout()),
    },
    crate::Case {
        name: "foreign_drop::dropping_a_group_at_the_root_cancels_no_other",
        laws: &["F2"],
        doc: "A group that is dropped outside any run leaves its neighbours alone: the root cannot be cancelled.",
        body: || Box::pin(crate::cases::foreign_drop::dropping_a_group_at_the_root_cancels_no_other()),
    },
    crate::Case {
        name: "foreign_drop::the_error_of_an_orphan_reaches_the_hook",
        laws: &["F3"],
        doc: "The error of a task whose group was dropped reaches the hook, with the task and the error.",
        body: || Box::pin(crate::cases::foreign_drop::the_error_of_an_orphan_reaches_the_hook()),
    },
    crate::Case {
        name: "foreign_drop::the_panic_of_an_orphan_reaches_the_hook",
        laws: &["F3"],
        doc: "The panic of a task whose group was dropped reaches the hook.",
        body: || Box::pin(crate::cases::foreign_drop::the_panic_of_an_orphan_reaches_the_hook()),
    },
    crate::Case {
        name: "foreign_drop::the_panic_of_an_orphans_destructor_reaches_the_hook",
        laws: &["F3"],
        doc: "The panic of an orphan's destructor reaches the hook.",
        body: || Box::pin(crate::cases::foreign_drop::the_panic_of_an_orphans_destructor_reaches_the_hook()),
    },
    crate::Case {
        name: "foreign_drop::the_hook_does_not_hear_of_orphans_that_end_well",
        laws: &["F3"],
        doc: "An orphan that is cancelled, or ends well, is no news for the hook.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_does_not_hear_of_orphans_that_end_well()),
    },
    crate::Case {
        name: "foreign_drop::the_errors_that_a_dropped_group_had_collected_reach_the_hook",
        laws: &["F3"],
        doc: "What a group had collected when it was dropped reaches the hook: errors of tasks and of the body.",
        body: || Box::pin(crate::cases::foreign_drop::the_errors_that_a_dropped_group_had_collected_reach_the_hook()),
    },
    crate::Case {
        name: "foreign_drop::the_errors_of_a_dropped_owned_group_reach_the_hook",
        laws: &["F3"],
        doc: "What an owned group had collected when it was dropped, and what its tasks still come to, reaches the hook.",
        body: || Box::pin(crate::cases::foreign_drop::the_errors_of_a_dropped_owned_group_reach_the_hook()),
    },
    crate::Case {
        name: "foreign_drop::the_errors_of_a_forgotten_group_reach_the_hook",
        laws: &["F3"],
        doc: "The errors of a forgotten group reach the hook, at the latest when the barrier is passed that waits for it.",
        body: || Box::pin(crate::cases::foreign_drop::the_errors_of_a_forgotten_group_reach_the_hook()),
    },
    crate::Case {
        name: "foreign_drop::a_forgotten_group_does_not_hold_the_scope_around",
        laws: &["F5"],
        doc: "A forgotten group does not keep the scope around from being cancelled, whatever it was doing.",
        body: || Box::pin(crate::cases::foreign_drop::a_forgotten_group_does_not_hold_the_scope_around()),
    },
    crate::Case {
        name: "foreign_drop::a_forgotten_shield_for_holds_for_its_grace",
        laws: &["F5"],
        doc: "A forgotten `shield_for` holds the scope around for its grace and no longer.",
        body: || Box::pin(crate::cases::foreign_drop::a_forgotten_shield_for_holds_for_its_grace()),
    },
    crate::Case {
        name: "foreign_drop::a_graced_finally_forgotten_during_its_body_holds_for_its_grace",
        laws: &["F5"],
        doc: "A graced `finally` that was forgotten during its body does not keep the scope around from being cancelled.",
        body: || Box::pin(crate::cases::foreign_drop::a_graced_finally_forgotten_during_its_body_holds_for_its_grace()),
    },
    crate::Case {
        name: "foreign_drop::a_graced_finally_forgotten_during_its_clean_up_holds_for_its_grace",
        laws: &["F5"],
        doc: "A graced `finally` that was forgotten during its clean-up does not keep the scope around from being cancelled.",
        body: || Box::pin(crate::cases::foreign_drop::a_graced_finally_forgotten_during_its_clean_up_holds_for_its_grace()),
    },
    crate::Case {
        name: "foreign_drop::a_graced_finally_detached_that_was_forgotten_holds_for_its_grace",
        laws: &["F5"],
        doc: "A graced `finally_detached` that was forgotten does not keep the scope around from being cancelled, whatever it was doing.",
        body: || Box::pin(crate::cases::foreign_drop::a_graced_finally_detached_that_was_forgotten_holds_for_its_grace()),
    },
    crate::Case {
        name: "foreign_drop::a_forgotten_start_does_not_hold_the_scope_around",
        laws: &["F5"],
        doc: "A forgotten start does not keep the scope around from being cancelled: the task that it waited for is.",
        body: || Box::pin(crate::cases::foreign_drop::a_forgotten_start_does_not_hold_the_scope_around()),
    },
    crate::Case {
        name: "foreign_drop::the_hook_hears_once_of_a_scope_that_a_forgotten_shield_holds",
        laws: &["F5"],
        doc: "A forgotten shield without a grace does keep the scope around from being cancelled, and the hook hears of that once.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_hears_once_of_a_scope_that_a_forgotten_shield_holds()),
    },
    crate::Case {
        name: "foreign_drop::the_hook_hears_of_a_cancelled_scope_that_waits_too_long",
        laws: &["F5"],
        doc: "The hook hears of a cancelled scope that waits too long for a clean-up, and the scope still waits for it.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_hears_of_a_cancelled_scope_that_waits_too_long()),
    },
    crate::Case {
        name: "foreign_drop::the_hook_does_not_hear_of_scopes_that_are_not_stalled",
        laws: &["F5"],
        doc: "The hook does not hear of a scope that was not cancelled, however long it is shielded, nor of one that is over in time.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_does_not_hear_of_scopes_that_are_not_stalled()),
    },
];
