//! Every case. Generated from the cases by `cargo test -p anyio-conformance --test tidy`: do not edit.

/// Hands the list of all cases to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_case {
    ($then:ident $args:tt) => {
        $crate::$then! { $args
            cancel {
                a_cancelled_scope_cuts_its_body_short_at_the_next_suspension ["C1"] "Once a scope is cancelled, every further suspension inside ends in cancellation."
                a_cancelled_scope_cuts_short_whatever_is_tried_again_inside ["C1"] "Cancellation is level-triggered: whatever is cut short and started anew inside is cut short again."
                a_scope_that_is_cancelled_while_it_sleeps_ends ["C1"] "A scope that is cancelled while its body sleeps wakes it and ends."
                a_cancelled_scope_never_becomes_uncancelled ["C1"] "Neither a deadline nor a shield takes a cancellation back."
                a_cancellation_ends_with_its_scope ["C1"] "A cancellation ends with its scope: the code behind it, and other scopes, go on."
                a_value_wins ["C2"] "A body that returns keeps its value, whatever was requested."
                a_value_wins_at_the_poll_after_the_cancellation ["C2"] "A value that comes with the poll after the cancellation wins as well."
                a_body_always_gets_its_first_poll ["C2", "G7"] "A body gets its first poll, also where everything is cancelled already."
                a_timeout_of_zero_around_a_ready_future_is_ok ["C2", "D7"] "No time at all is enough for a future that is ready."
                a_body_runs_on_to_its_next_suspension ["C2"] "Cancellation is never delivered in mid-poll: code runs on across awaits that are ready."
                request_and_outcome_are_different_questions ["C3"] "That a scope was cancelled, that code here is cancelled, and what came of it, are different questions."
                whether_code_is_cancelled_depends_on_where_it_stands ["C3", "S1"] "Whether code is cancelled is asked here and now: not behind a shield, nor outside the scope."
                the_cancellation_can_be_waited_for ["C3", "C5"] "Waiting for the cancellation ends with it, and tells its reason."
                the_outermost_unit_drops_everything_inside ["C4"] "The outermost cancelled unit drops everything inside it; code behind an inner one does not run."
                no_unit_in_a_foreign_join_ends_before_its_scope ["C4"] "A unit in a foreign `join!` does not end before the scope around could drop it."
                no_unit_in_a_foreign_select_ends_before_its_scope ["C4"] "A unit in a foreign `select!` does not end before the scope around could drop it."
                no_unit_in_a_foreign_stream_ends_before_its_scope ["C4"] "A unit alone in a `FuturesUnordered`, which may poll it twice in one poll, does not end before its scope."
                no_unit_among_idle_siblings_ends_before_its_scope ["C4"] "Nor does one among idle siblings, where it is polled a second time at once."
                no_unit_ends_before_its_scope_however_often_it_is_polled ["C4"] "Nor does one that is polled many times in one poll, because its siblings complete or the streams are nested."
                in_a_nested_block_on_a_unit_ends_by_itself ["C4"] "A unit in an executor of its own, where nothing can drop it, ends by itself after a bounded number of polls."
                in_a_nested_block_on_a_group_ends ["C4", "X1"] "In an executor of its own a group ends as well; the cancellation is delivered behind it."
                a_unit_is_never_parked_for_ever ["C4"] "While something else holds the scope around, a unit ends by itself: the two may wait for each other."
                a_unit_beside_a_shield_in_a_foreign_stream_ends_by_itself ["C4"] "Among a shield and idle siblings in a foreign stream, a unit ends by itself too."
                a_unit_that_was_cancelled_first_reports_the_scope_around ["C4", "C5"] "A unit that was cancelled itself, and then with the scope around, reports the scope around."
                an_inner_unit_that_completes_is_heard ["C4", "G3"] "An inner await that completes, with a value or with an error of its own, goes on to the next suspension."
                timeouts_are_transparent_to_the_cancellation_around ["C4", "D7"] "To a cause from outside a timeout is transparent: it neither ends nor drops what is held inside."
                the_first_reason_counts ["C5"] "A request is remembered once: the first reason counts."
                a_deadline_that_comes_first_is_the_reason ["C5"] "A deadline that comes first counts, too."
                a_reason_has_the_place_of_the_request ["C5"] "The reason has what the caller said, and where it was said."
                requests_to_groups_and_tasks_have_their_place ["C5", "H2"] "So do the requests of groups and of handles to tasks, which say nothing."
                the_outermost_reason_is_reported_in_any_order ["C5"] "What was cancelled inside reports the outermost scope that was, in whatever order they were."
                a_failed_sibling_is_named ["C5", "G2"] "A task that is cancelled for its sibling hears which one failed; the body counts as none."
                a_dropped_group_is_a_reason ["C5", "F1"] "What is cancelled because the future around it was dropped says so."
                a_scope_can_be_cancelled_from_tasks_and_threads ["C5"] "A scope can be cancelled by a task, by a task inside it, and by a thread that no runtime knows."
                a_destructor_can_cancel ["C5"] "A destructor can cancel: the scope that it is in, one around, and one elsewhere."
                a_waker_can_cancel ["C5"] "A waker can cancel, also the scope that wakes it."
                eight_threads_may_cancel_at_once ["C5"] "Eight threads may cancel at once: one of them is the first, for everybody and for good."
                a_request_that_races_with_the_beginning_is_not_lost ["C5"] "A request that races with the beginning of a scope, or with the spawning inside it, is never lost."
                a_doomed_operation_does_nothing_at_its_first_poll ["C6"] "An operation that would be cut off at once does nothing at its first poll, though it were ready: it wakes itself."
                a_doomed_operation_acts_at_its_second_poll_when_it_is_held ["C6"] "Polled again while its scope is held, an operation acts: the shield may be waiting for it."
                an_operation_that_is_held_from_the_start_acts_at_once ["C6"] "An operation that is first polled while its scope is held acts at once."
                a_doomed_operation_among_idle_siblings_does_not_begin ["C6"] "Nor does an operation begin because a foreign stream, whose other futures are idle, polls it again at once."
                an_operation_is_doomed_by_its_nearest_unit ["C6"] "What dooms an operation is the nearest unit: not a scope behind a shield, and not one that was left."
                a_completion_before_the_cancellation_is_returned ["C7"] "A completion that was committed before the cancellation is returned."
                no_completed_body_is_lost_to_a_race ["C7"] "Whether a body completed and whether its scope says so is never in doubt, whenever a thread cancels it."
                no_completed_task_is_lost_to_a_race ["C7", "H2"] "Nor whether a task completed, whenever it is cancelled."
                no_started_value_is_lost_to_a_race ["C7", "R4"] "A started value arrives once or comes back: it is never in two hands, and never in none."
                a_cancellation_before_the_entry_is_remembered ["C8"] "A cancellation before the scope runs is remembered, by every handle."
                a_cancellation_after_the_exit_does_nothing ["C8"] "After the exit nothing happens any more, nor where the scope never ran."
                a_loop_of_units_that_are_cut_short_does_not_spin ["C9"] "A loop of units that are cut short ends at the first of them."
                a_loop_of_units_that_are_ready_ends ["C9", "X5"] "A loop of units that are ready at once ends by the budget."
                a_loop_beside_a_shield_yields_at_each_turn ["C9"] "While a foreign sibling's shield holds the scope, a loop of units goes on, and yields at each turn."
                a_request_wakes_each_unit_once ["C9"] "A request wakes each unit once, however often it is repeated; a unit inside adds one offer."
                poll_counts_stay_bounded_while_a_shield_outlives_the_cancellation ["C9"] "While a shield inside outlives the cancellation nobody is polled in vain."
                a_hundred_thousand_nested_tasks_are_cancelled ["C10"] "A hundred thousand nested tasks are cancelled, in linear time and on an ordinary stack."
                a_hundred_thousand_nested_tasks_are_dropped ["C10", "F1"] "A hundred thousand nested tasks are dropped."
                a_hundred_thousand_siblings_are_cancelled ["C10"] "A hundred thousand siblings are cancelled."
                a_hundred_thousand_siblings_are_dropped ["C10", "F1"] "A hundred thousand siblings are dropped."
                a_hundred_thousand_nested_owned_groups_are_cancelled ["C10", "G12"] "A hundred thousand groups that are held by values, each in the one before, are used and cancelled."
                a_hundred_thousand_nested_scopes_are_cancelled ["C10", "C12"] "A hundred thousand scopes that stand in one another and are polled side by side are held and cancelled."
                a_panicking_destructor_in_a_body_is_resumed_by_the_scope ["C11"] "A panic in a destructor of the body that is dropped is resumed where the scope is awaited."
                a_panicking_destructor_in_a_task_is_the_panic_of_its_group ["C11", "G2"] "One in a task, cut short or not, is the task's panic; the siblings are drained first."
                a_panicking_value_that_nobody_awaits_is_the_panic_of_its_group ["C11", "G8"] "One in a value that nobody receives is the panic of its group as well."
                a_value_that_is_not_returned_is_dropped_before_the_group_returns ["C11", "G3"] "The value of a body is dropped before a group that failed returns, and its panic is the group's."
                a_panicking_destructor_of_an_orphan_goes_to_the_hook ["C11", "F3"] "One in a task whose group was dropped goes to the hook; the task is counted out all the same."
                a_destructor_that_panics_after_its_body_goes_to_the_hook ["C11", "G9"] "When a body panics and then its destructor does, the first is resumed and the hook hears of the second."
                a_panic_that_carries_a_bomb_is_survived ["C11"] "A panic that carries something whose destructor panics keeps nobody waiting."
                a_started_value_that_nobody_saw_is_dropped_with_the_caller ["C11", "R4"] "A started value that its caller never saw goes with the caller."
                every_destructor_has_run_when_a_barrier_is_passed ["C11", "F2"] "When a scope, a timeout, a group or a run is over, every destructor inside has run, orphans' too."
                a_panic_that_nobody_is_left_to_resume_goes_to_the_hook ["C11", "F3"] "A scope that is dropped while it waits for what its panicked body left hands the panic to the hook."
                a_timeout_covers_the_tasks_of_the_group_it_is_given ["C12"] "A group belongs to where it is first polled, not to where it was built: a timeout around it covers its tasks."
                a_scope_belongs_to_where_it_is_first_polled ["C12"] "A scope that was built in one scope and first polled in another belongs to the other alone."
                a_scope_never_moves ["C12"] "Once linked a scope never moves: another one that polls it by reference cannot cancel it, its own can."
                a_bound_future_is_not_cut_short_by_those_who_poll_it ["C12"] "A bound future belongs to where it was bound, though it is polled by reference elsewhere."
                a_bound_group_in_a_stream_belongs_to_its_scope ["C12"] "A group kept in a stream, bound in a scope, is covered by that scope and by none that looks at the stream."
                polling_by_reference_is_told ["C12"] "A barrier that finds a live unit below it that it cannot drop tells the hook, once."
                the_tasks_of_a_group_polled_by_reference_end_with_its_scope ["C12", "C11"] "The tasks of a group that was first polled by reference in a timeout end with that timeout."
                a_future_can_be_dropped_after_any_number_of_polls ["C11", "F1"] "Dropped after any number of polls, a future leaves nothing behind when the scope around is over."
                a_future_can_be_cancelled_after_any_number_of_turns ["C11", "C2"] "Cancelled after any number of turns, it leaves nothing behind either."
                a_scope_that_moves_to_another_task_is_cancelled_there ["C12", "C1"] "A scope that moves to another task half-way is cancelled there."
                a_group_that_moves_half_way_is_drained_there ["C12", "G1"] "A group that moves to another task, and to a thread, is drained there."
                a_scope_that_was_never_polled_stands_nowhere ["C12", "C8"] "A scope that was never polled stands nowhere: destructors inside belong to what is around."
                no_request_is_lost_in_a_storm ["C1", "S6"] "No request is lost in a storm of requests and shields from other threads."
            }
            clean_up {
                the_clean_up_runs_after_a_body_that_completes ["L1"] "The clean-up runs after a body that completed, and the body's value comes out."
                the_clean_up_runs_after_a_body_that_fails ["L1"] "The clean-up runs after a body that failed, and the body's error comes out."
                the_clean_up_runs_after_a_body_that_is_cancelled ["L1"] "The clean-up runs after a body that was cancelled, to its end, and the scope waits for it."
                the_clean_up_runs_after_a_body_that_panics ["L1"] "The clean-up runs after a body that panicked; then the panic goes on."
                body_and_clean_up_may_borrow ["L1"] "Body and clean-up may borrow, from the same place too, and the body is destroyed before the clean-up begins."
                the_clean_up_is_shielded ["L1"] "In the clean-up nothing is seen of the cancellation that led to it: it may wait, and open groups of its own."
                scopes_inside_the_clean_up_act ["L1"] "A clean-up's own scopes and timeouts act as ever."
                a_body_in_a_cancelled_scope_is_polled_once_and_cleaned_up ["L1"] "A body in a scope that was cancelled before still gets its first poll, and its clean-up runs."
                nested_clean_ups_run_from_the_inside_out ["L1"] "Nested clean-ups run from the inside out, each once."
                a_clean_up_may_have_a_clean_up ["L1"] "A clean-up may have a clean-up."
                a_cancellation_during_the_clean_up_does_not_take_the_value ["L1"] "A scope that is cancelled during the clean-up of a body that had completed still returns the body's value, if nothing suspends after it."
                a_timeout_waits_for_the_clean_up ["L1"] "A timeout around waits for the clean-up, and then says that it timed out."
                a_clean_up_in_a_foreign_join_holds_the_units_around ["L1"] "All enclosing units in the task wait for the clean-up, also when it runs in a branch of a foreign combinator."
                a_group_waits_for_the_clean_ups_of_its_tasks ["L1"] "A group does not return before the clean-ups of its cancelled tasks are done."
                a_failing_sibling_leads_to_clean_ups ["L1"] "A failing sibling cancels a task, whose clean-up runs to its end; what fails in its group is in the result."
                a_panic_of_the_body_beats_that_of_the_clean_up ["L1"] "A panic of the body beats that of the clean-up, which goes to the hook."
                a_panic_of_the_clean_up_comes_out ["L1"] "A panic of the clean-up comes out if the body did not panic, whether it completed or was cancelled."
                a_clean_up_runs_after_a_destructor_that_panics ["L1"] "A panic of the body's destructor is a panic of the body."
                a_clean_up_is_cut_short_when_its_grace_is_over ["L1"] "A clean-up that takes longer than its grace is cancelled, the hook hears of it once, and the value is kept."
                a_grace_ends_the_clean_up_of_a_cancelled_body ["L1"] "The same in a scope that was cancelled, which ends then."
                a_grace_keeps_the_value_in_a_cancelled_scope ["L1"] "A value that the body had is kept when the clean-up is cut short, also in a scope that was cancelled meanwhile."
                a_clean_up_within_its_grace_is_not_cut_short ["L1"] "A clean-up in time is not cut short, and the hook hears nothing."
                the_grace_counts_from_the_start_of_the_clean_up ["L1"] "The grace counts from the start of the clean-up, not from the cancellation."
                a_grace_does_not_cut_a_shield_in_the_body_short ["L1", "S1"] "A grace does not cut the body short, which may take longer than that to end, under a shield."
                a_grace_does_not_cut_a_group_in_the_body_short ["L1", "G1"] "The same for a body that takes long to end because it waits for the tasks of its group."
                a_grace_does_not_break_a_shield_inside_the_clean_up ["L1", "S1"] "When the grace is over, a shield inside the clean-up still keeps what is in it."
                a_finally_dropped_during_its_body_tells_the_hook ["L1"] "Dropped by foreign code during the body, the clean-up cannot run: the hook hears of it once."
                a_finally_dropped_during_its_clean_up_tells_the_hook ["L1"] "Dropped by foreign code during the clean-up, it cannot end: the hook hears of it once."
                a_finally_that_was_never_polled_or_is_done_owes_nothing ["L1"] "What was never polled, and what is done, owes nothing when it is dropped."
                a_detached_clean_up_runs_whenever_it_is_dropped ["L2"] "Dropped by foreign code at whatever poll, a detached clean-up runs once if the body had begun; the group around waits for it."
                a_detached_clean_up_does_not_run_if_the_body_never_began ["L2"] "A detached clean-up whose body never began does not run."
                the_run_waits_for_a_detached_clean_up ["L2"] "Outside every group the run waits for a detached clean-up."
                a_detached_clean_up_in_a_dropped_group_runs ["L2"] "Dropped together with the group that it is in, a detached clean-up still runs, and the next group waits for it."
                a_detached_clean_up_is_awaited_in_place ["L2"] "Without a foreign drop the clean-up is awaited in place: the value comes after it, and so does the cancellation."
                nothing_cancels_a_detached_clean_up ["L2"] "No cancellation reaches a detached clean-up, not even that of the group that waits for it."
                the_panic_of_a_detached_clean_up_is_not_lost ["L2"] "The panic of a detached clean-up comes out where it is awaited, and goes to the hook after a foreign drop."
                a_panic_of_the_body_beats_that_of_a_detached_clean_up ["L1", "L2"] "The panic of a body beats that of a detached clean-up, too."
                a_detached_clean_up_is_cut_short_when_its_grace_is_over ["L1", "L2"] "A grace cuts a detached clean-up short as well, awaited or not."
                a_detached_clean_up_without_a_runtime_tells_the_hook ["L2", "X4"] "A detached clean-up whose runtime has shut down cannot run: the hook hears of it."
                a_bracket_lends_the_resource_and_gives_it_to_the_clean_up ["L3"] "The body is lent the resource, and the clean-up gets it by value with what the body has done to it; the body's value comes out."
                a_bracket_that_is_cancelled_gives_the_resource_to_the_clean_up ["L3"] "The clean-up gets the resource also when the body is cancelled, in the middle of a change."
                a_bracket_that_panics_gives_the_resource_to_the_clean_up ["L3"] "The clean-up gets the resource also when the body panics, at an `await` or before the first."
                a_bracket_that_is_dropped_drops_its_resource ["L3"] "A bracket that foreign code drops drops its resource, without its clean-up: the hook hears of it."
                a_bracket_runs_in_a_task ["L3"] "A bracket is `Send` where its parts are: it runs in tasks, and a cancelled group waits for its clean-up."
            }
            context {
                the_context_is_restored_after_every_poll_and_drop ["X3"] "The context is that of the innermost scope in its polls and its destructors, and outside it is that of the outside again."
                the_context_is_restored_after_a_panic ["X3"] "The context is restored after a panic, whatever was around it."
                a_foreign_task_sees_no_context ["X3"] "A task that the runtime itself polls sees nothing of scopes elsewhere, although it is polled on the same thread."
                a_task_sees_the_scopes_of_its_group ["X3"] "A task sees the scopes around its group, and not those around the code that has spawned it."
                another_thread_sees_no_context ["X3"] "Other threads see no context, nor do executors that run there."
                an_executor_inside_a_poll_inherits_the_context ["X3"] "An executor that is driven inside a poll inherits the context: its tasks are in the scope."
                an_entered_runtime_is_current_inside ["X3"] "What was entered explicitly is current inside, and what was current before is so again outside."
                nothing_keeps_a_runtime_alive_when_all_is_over ["G8"] "Once all is over in a runtime, nothing of it is kept alive: not by scopes, groups, starts, shields or clean-ups, whether they have ended well or were cut short."
                a_run_inside_a_poll_is_a_clear_error ["X3"] "`run` inside a poll of ours is a clear error, wherever that is, and leaves the context as it was."
                run_and_block_on_inside_a_poll_say_what_to_do_instead ["X3"] "The panics of `run` and `block_on` inside a poll of ours say what to do instead."
                a_run_inside_a_destructor_is_a_clear_error ["X3"] "`run` inside a destructor that runs in a poll is a clear error too."
                a_run_inside_a_foreign_task_works_or_is_a_clear_error ["X3"] "In a task of the runtime's own a `run` either works or says that it cannot: the runtime's own panic never comes out."
                a_run_on_a_blocking_thread_works ["X3"] "`run` works on threads where blocking is allowed, and on plain threads, while another run goes on."
                a_cancellation_reaches_what_a_nested_executor_runs ["X1"] "In a foreign `block_on` inside a task a requested cancellation reaches the scopes, groups and waits in there."
                a_task_that_spawn_drops_ends_by_shutdown ["X4"] "Where the runtime drops a task inside the call of spawn, its handle and its group say that it has shut down, and the hook hears of it."
                a_cancelled_task_that_never_ran_reaches_the_hook ["X4"] "The hook hears of a task that the runtime dropped before it began also when the task was cancelled already."
                a_start_whose_task_spawn_drops_ends_by_shutdown ["X4"] "Where the runtime drops the task of a start, the start says that it has shut down."
                protected_work_that_spawn_drops_cancels_who_waits_for_it ["X4"] "Where the runtime drops protected work, the code that waits for it is cancelled for that reason."
                protected_work_that_spawn_drops_may_be_polled_on ["X4"] "The same where something holds the code that waits for it, so that it is polled on until it can be dropped."
                a_destructor_inside_spawn_may_do_what_it_likes ["X4"] "No lock is held while the backend's spawn runs: a destructor that runs in there may do whatever it likes."
                the_hook_may_spawn_and_cancel ["X4"] "The hook may use anyio: it is called with no lock held."
                a_group_elsewhere_ends_when_its_runtime_shuts_down ["X4"] "A runtime that shuts down under a live group ends its tasks, and the group that is awaited elsewhere ends with that reason, whatever its body waits for. (One that never shuts down goes on.)"
                a_draining_group_ends_when_its_runtime_shuts_down ["X4"] "A group that waits at its end for tasks of a runtime that shuts down ends as well, with the destructors of its tasks run."
                deadlines_act_after_the_runtime_has_shut_down ["X4"] "A scope around a group of a runtime that shuts down does not take it for its own cancellation, and its own deadline still acts."
                a_group_elsewhere_ends_with_the_run_that_it_is_in ["X4"] "A group that another thread awaits in a run ends with the run, for that reason; nothing of it is left."
                handles_and_groups_that_leave_the_run_are_at_their_end ["X4"] "Handles that leave the run tell why their tasks have ended, and groups that leave it have closed."
                spawning_after_the_runtime_has_shut_down_tells_the_hook ["X4"] "Spawning on a runtime that has shut down ends the task at once and tells the hook. (One that never shuts down runs it.)"
                loops_of_checkpoints_yield ["X5"] "Loops of checkpoints are cancellable and let others run."
                loops_of_sleeps_without_length_yield ["X5"] "Loops of sleeps that are over before they begin are cancellable and let others run."
                loops_of_waits_for_a_set_event_yield ["X5"] "Loops of waits for an event that has happened are cancellable and let others run."
                loops_of_ready_scopes_and_timeouts_yield ["X5"] "Loops of scopes and timeouts around ready futures are cancellable and let others run."
                loops_of_ready_groups_yield ["X5"] "Loops of groups that are done at once are cancellable and let others run."
                loops_of_ready_shields_and_clean_ups_yield ["X5"] "Loops of shields and clean-ups around ready futures are cancellable and let others run."
                loops_of_shields_are_cancellable_however_long_a_turn_is ["X5"] "A loop is cancellable between its shields however much is done under each of them: it does not matter where in a turn it happens to step aside."
                loops_of_overdue_ticks_yield ["X5"] "Loops of ticks that are overdue are cancellable and let others run."
                awaiting_many_finished_handles_yields ["X5"] "Awaiting many handles of tasks that have finished yields from time to time."
            }
            deadlines {
                a_deadline_that_passes_cancels_its_scope ["D1"] "A deadline that passes cancels its scope, for that reason."
                the_deadline_of_a_group_cancels_its_tasks ["D1"] "The deadline of a group's scope cancels its tasks and its body."
                a_relative_limit_counts_from_the_first_poll ["D1"] "A relative limit counts from the first poll, not from where the future was built."
                the_limit_counts_from_before_the_first_poll ["D1"] "The time is read before the first poll, so a body that takes long over it has that much less left."
                nothing_is_ever_early ["D2"] "No sleeper and no timeout is early on the clock of the runtime, however many there are."
                a_body_that_finishes_late_without_suspending_has_finished ["D2"] "A body that finishes late, without suspending, has finished: with its value, in whatever kind of scope."
                a_group_that_ends_late_by_itself_is_cut_short_but_waited_for ["D2"] "The value is kept although the time runs out while a group inside is still waiting for its tasks."
                a_passed_deadline_is_noticed_at_the_next_suspension ["D3"] "A deadline that has passed while the thread was busy is noticed by the poll, at the next suspension."
                a_passed_deadline_is_noticed_by_asking ["D3"] "A deadline that has passed is noticed by whoever asks, and then it is there for all inside."
                a_deadline_that_is_moved_before_it_is_noticed_never_fired ["D3"] "A deadline that was moved to the future before anybody noticed it never fired."
                a_deadline_that_is_moved_later_or_removed_does_not_act_at_its_old_time ["D3"] "A deadline that is moved later, or removed, while the scope runs does not act at its old time."
                a_deadline_that_is_moved_later_acts_at_its_new_time ["D3"] "A deadline that is moved later acts at its new time."
                an_earlier_deadline_from_another_thread_acts_on_a_sleeper ["D3"] "An earlier deadline that is set from another thread acts at once, also while the body is asleep."
                a_deadline_that_has_fired_cannot_be_revived ["D3"] "A deadline that has fired cannot be revived, neither by moving it nor by removing it."
                of_several_edits_at_once_the_one_that_counts_acts ["D3"] "Whatever several threads set at the same time, the deadline that the scope then has is the one that acts."
                a_deadline_means_nothing_once_the_scope_is_over ["D3"] "Once a scope is over its deadline means nothing any more."
                the_deadline_in_effect_is_the_earliest_around ["D4"] "The deadline in effect is the earliest of all scopes around, also of those around the group of a task."
                the_deadline_in_effect_ends_at_the_nearest_shield ["D4"] "A shield ends the look outward; if it is a scope with a deadline of its own, that one counts."
                already_cancelled_is_an_answer_of_its_own ["D4"] "\"Already cancelled\" is an answer of its own, and hidden by a shield like any other."
                a_deadline_acts_on_a_body_that_is_woken_without_pause ["D5"] "A deadline acts on a body that wakes itself without pause, in the body of a scope as in a task."
                a_deadline_acts_although_its_future_is_not_polled ["D5"] "A deadline cancels the tasks inside on time, although the future around them is not being polled."
                a_deadline_acts_although_its_future_has_moved_to_another_task ["D5"] "A deadline acts although its future has moved to another task since it was armed."
                a_sleeper_may_move_to_another_task ["D5"] "A sleeper may move to another task as well."
                ten_thousand_timeouts_run_out_at_once ["D5"] "Ten thousand timeouts of one task that run out at once all do."
                timeouts_that_end_do_not_stop_others ["D5"] "A timeout that is done, and one that is dropped, do not stop others from running out."
                of_nested_timeouts_the_one_that_was_the_cause_reports ["D6"] "Of nested timeouts the one whose time was up reports, and code between them runs accordingly."
                of_equal_deadlines_the_outermost_reports ["D6"] "Of equal deadlines the outermost reports."
                of_equal_deadlines_the_one_around_the_group_reports ["D6"] "Of equal deadlines around a group and in its task the one around the group reports."
                of_deadlines_noticed_by_a_task_the_one_around_the_group_reports ["D6"] "The same if the task notices that the time is up before any timer does."
                a_shield_keeps_equal_deadlines_apart ["D6", "S1"] "Of equal deadlines with a shield between them the inner one reports, and the outer one after the shield."
                of_deadlines_noticed_in_one_poll_the_outermost_reports ["D6"] "Of deadlines that are noticed in one poll the outermost reports, although the inner one was earlier."
                an_outer_deadline_comes_first_until_the_inner_scope_reports ["D6"] "The outer deadline comes first also if it passes later, as long as the inner scope could not report yet."
                a_cancellation_outside_beats_a_timeout_inside ["D6"] "A cancellation outside beats a timeout inside that runs out in the same poll."
                a_timeout_does_not_report_the_deadline_of_another ["D7"] "A scope inside a timeout that runs out by its own deadline is no timeout of the outer one."
                a_timeout_does_not_report_a_cancellation ["D7"] "A timeout does not report a cancellation: it is dropped with the code around it."
                a_timeout_that_was_carried_out_of_its_group_does_not_report_that ["D7"] "A timeout that outlives the group it was first polled in does not report the end of that group."
                a_timeout_under_a_held_scope_runs_out ["D7"] "A timeout under a cancelled scope that a foreign sibling's shield holds runs out, and the shield may wait for it."
                timeouts_in_a_stream_under_a_held_scope_run_out ["D7"] "The same under a stream that polls a woken branch again within one poll."
                zero_and_past_leave_one_poll ["D7"] "Limits of zero and deadlines in the past leave one poll: what is ready has its value, all else times out."
                the_longest_duration_is_no_limit ["D7"] "`Duration::MAX` is no limit."
                sleeping_for_no_time_yields_exactly_once ["D8"] "Sleeping for no time, or until a time that is past, yields exactly once, and so does a checkpoint."
                sleeping_for_no_time_yields_once_however_busy_the_task_was ["D8", "X5"] "It yields exactly once as well if the task has done so much before that it was about to step aside anyway."
                the_first_tick_is_at_once ["D8"] "The first tick is at once, and the others are a period apart."
                missed_ticks_come_in_a_burst ["D8"] "Ticks that were missed are made up for by a burst."
                after_missed_ticks_the_pace_may_be_counted_anew ["D8"] "With `Delay` the period after a tick that was missed counts from when that tick was taken."
                missed_ticks_may_be_left_out ["D8"] "With `Skip` missed ticks are left out, and the next one is the first in the future that fits the old schedule."
                a_tick_that_was_dropped_comes_again ["D8"] "A tick that was dropped half-way comes again."
                the_longest_interval_ticks_once ["D7", "D8"] "The ticks of an interval of `Duration::MAX` are one."
                loops_that_yield_give_way ["X5"] "A loop of checkpoints, or of sleeps for no time, lets timers fire and can be cancelled."
                a_loop_of_overdue_ticks_gives_way ["X5"] "A loop of ticks that are all overdue lets timers fire and can be cancelled."
                a_loop_of_timeouts_that_are_ready_gives_way ["X5"] "A loop of timeouts and shields around what is ready at once lets timers fire and can be cancelled."
                the_clock_does_not_run_backwards ["D2"] "The clock does not run backwards, whichever thread it is asked on."
                a_timer_that_has_fired_says_so_until_it_is_moved ["D2", "D3"] "A timer of the runtime's that has fired says so until it is moved, and then it is not early."
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
                a_shield_in_an_orphan_is_waited_for ["F2"] "What a dropped group's task still does under a shield is waited for."
                a_forgotten_group_is_cancelled_and_waited_for_at_the_next_barrier ["F2"] "A forgotten group is waited for like a dropped one, whether its body was still running or not, by every barrier."
                a_group_forgotten_in_a_task_is_waited_for_by_the_group_of_the_task ["F2"] "A group forgotten inside a task is waited for by the task's group."
                a_group_forgotten_together_with_its_scope_is_waited_for ["F2"] "A forgotten scope or timeout around a group does not hide the group's tasks from the next barrier."
                no_task_outlives_the_run ["F2"] "No task outlives the run: not those of groups that were dropped or forgotten in its main future, nor those of a forgotten owned group."
                no_task_outlives_a_run_that_panics ["F2"] "No task outlives the run that ends in a panic, or in a foreign drop of everything in its main future."
                outside_a_run_quiesce_waits_for_the_tasks_of_a_dropped_group ["F2"] "Outside any run the root of the runtime counts the tasks of a dropped group, and `quiesce` waits for them."
                outside_a_run_quiesce_sees_the_tasks_of_a_forgotten_group ["F2"] "Outside any run the root of the runtime counts the tasks of a forgotten group as well: they live on, since the root cannot be cancelled, and `quiesce` says so."
                quiesce_gives_up_after_its_timeout ["F2"] "`quiesce` gives up after its timeout, and works on a thread that no runtime is around."
                dropping_a_group_at_the_root_cancels_no_other ["F2"] "A group that is dropped outside any run leaves its neighbours alone: the root cannot be cancelled."
                no_tree_of_futures_leaves_a_task_behind ["F1", "F2"] "Whatever a tree of groups, scopes, timeouts, shields, starts and clean-ups looks like, and wherever parts of it are dropped, forgotten or cancelled, no task is left behind when the scope around is over."
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
                a_graced_finally_forgotten_in_a_cancelled_scope_holds_for_its_grace ["F5"] "The same when the scope was cancelled before."
                a_graced_finally_forgotten_during_its_clean_up_holds_for_its_grace ["F5"] "A graced `finally` that was forgotten during its clean-up does not keep the scope around from being cancelled."
                a_graced_finally_detached_that_was_forgotten_holds_for_its_grace ["F5"] "A graced `finally_detached` that was forgotten does not keep the scope around from being cancelled, whatever it was doing."
                a_forgotten_start_does_not_hold_the_scope_around ["F5"] "A forgotten start does not keep the scope around from being cancelled: the task that it waited for is."
                the_hook_hears_once_of_a_scope_that_a_forgotten_shield_holds ["F5"] "A forgotten shield without a grace does keep the scope around from being cancelled, and the hook hears of that once."
                the_hook_hears_once_of_a_barrier_that_a_forgotten_shield_holds ["F2", "F5"] "The end of a scope waits for a task that a forgotten shield keeps from being cancelled, and the hook hears of that once."
                the_hook_hears_of_a_cancelled_scope_that_waits_too_long ["F5"] "The hook hears of a cancelled scope that waits too long for a clean-up, and the scope still waits for it."
                the_hook_hears_once_of_nested_scopes_that_wait_too_long ["F5"] "Of a cancelled scope that waits too long the hook hears once, however many scopes, timeouts and groups are inside it around what it waits for."
                the_hook_hears_once_of_a_task_and_once_of_the_scope_around ["F5"] "The hook hears of a task that was cancelled and waits too long, and of the scope around its group, once each."
                a_group_dropped_by_its_own_task_leaves_nothing_behind ["F1", "F2"] "A group whose future is dropped by one of its own tasks cancels them all, that one as well."
                a_group_dropped_by_a_thread_local_destructor_cancels_its_tasks ["F1", "F2"] "A group that a thread leaves to its thread-local destructors cancels its tasks."
                the_hook_does_not_hear_of_scopes_that_are_not_stalled ["F5"] "The hook does not hear of a scope that was not cancelled, however long it is shielded, nor of one that is over before its patience is."
            }
            groups {
                nothing_of_a_random_tree_is_alive_when_it_returns ["G1", "G2"] "A thousand random trees of groups fail, are cancelled and are dropped half-way, and nothing of them is alive when they return."
                a_task_is_dropped_to_its_end_before_its_group_returns ["G1"] "A task counts until its last destructor has run."
                orphans_below_a_task_are_gone_when_the_group_returns ["G1"] "The tasks of a group that foreign code dropped inside a task are waited for by the group of that task."
                a_blocking_job_is_waited_for ["G1"] "A blocking job runs to its end although its group is cancelled, and the group waits for it."
                a_blocking_job_that_never_ran_is_dropped_before_it_is_counted_out ["G1", "W4"] "A blocking job that its runtime drops unrun counts until what it has captured is dropped; the hook hears of it, and of a destructor that panics then."
                a_blocking_job_fails_like_a_task ["G2"] "The failure of a blocking job, and its panic, are those of a task."
                the_first_failure_cancels_the_rest ["G2"] "The first failure cancels the other tasks and the body, and they are told which task it was."
                of_many_failures_one_is_the_first ["G2", "C5"] "Of many tasks that fail at the same time one is the first: it alone is not secondary, and it is the one that the others were cancelled for."
                errors_come_in_the_order_of_completion_with_name_and_place ["G2"] "Errors come in the order in which the tasks ended, with their names and where they were spawned."
                what_fails_after_the_first_failure_is_secondary ["G2"] "What fails after the first failure is secondary, the body too."
                what_fails_after_the_groups_cancellation_is_secondary ["G2"] "What fails after the group was cancelled is secondary, even if it is the first to fail."
                what_fails_after_an_outer_cancellation_is_secondary ["G2", "G3"] "What fails after a scope around was cancelled is secondary, whether it is a task or the body."
                the_error_of_the_body_cancels_the_tasks ["G2"] "The error of the body cancels the tasks, which are told so."
                a_group_that_failed_waits_for_all ["G2"] "The group waits for all, also after a failure."
                cancelled_tasks_are_no_errors ["G2"] "Tasks that are cut short are no errors, however many there are and whatever the cause."
                a_panic_in_a_destructor_is_its_tasks ["G2", "G9"] "A destructor that panics is its task's panic, when the task completes and when it is cut short."
                a_panic_in_the_destructor_of_an_unwanted_value_is_its_tasks ["G2", "G8"] "A panic in the destructor of a value that nobody wants is the panic of its task."
                a_second_panic_of_a_task_goes_to_the_hook ["G2", "G9"] "A future that panics, and panics again as it is dropped, loses neither: the second goes to the hook."
                many_tasks_fail_as_fast_as_few ["G2"] "A group of more than thirty tasks fails at once: it does not matter how many are waited for."
                a_group_in_which_nothing_went_wrong_returns_the_value ["G3"] "The value of the body is returned when nothing failed and nothing was cut short from outside."
                a_task_cut_short_from_outside_means_no_value ["G3"] "A task that was cut short by a cause from outside takes the place of the value, although the body completed."
                the_outer_reason_beats_the_groups_own ["G3", "C4"] "Without errors the outer reason is told, also if the group's own cancellation came first."
                a_group_cut_short_from_outside_offers_itself_first ["G3", "C4"] "A group that was cut short from outside, without errors, is dropped there: code after it does not run."
                errors_beat_an_outer_cancellation_and_split_gives_both ["G3"] "Errors beat an outer cancellation; the code after the group gets them, and both can be told apart."
                errors_beat_a_timeout ["G3", "D7"] "Errors beat a timeout around the group too: a value is a value."
                split_gives_what_there_is ["G3"] "Errors alone, and a cancellation alone, are split into what there is."
                tasks_that_end_by_themselves_leave_the_value ["G3", "G5"] "Tasks that end by themselves under an outer cancellation do not take the value away."
                the_groups_own_cancellation_cuts_tasks_and_body_short ["G4"] "The group's own cancellation cuts tasks and body short, and is told with its text."
                a_completed_body_survives_the_groups_own_cancellation ["G4"] "When the body has completed, its value survives the group's own cancellation, before and after."
                waiting_at_the_exit_is_no_point_of_cancellation ["G5"] "A group that waits at its exit while a scope around is cancelled returns normally if all tasks end by themselves; the code after it runs to its next suspension."
                what_ends_in_the_midst_of_a_poll_is_collected ["G5", "G3"] "A group whose last task ends on another thread, in the midst of a poll of the cancelled scope around, has its outcome collected, not dropped."
                a_group_that_drains_under_a_busy_host_returns ["G5"] "The same with tasks of the runtime, thousands of times: a task ends while the scope around is being cancelled and polled without pause."
                the_end_of_a_group_cancels_nothing_around ["G5", "C3"] "A group that ends does not cancel the scope around it."
                tasks_spawn_siblings_after_the_body_has_ended ["G6"] "Tasks may spawn siblings after the body has ended, as long as they are alive themselves."
                a_pending_start_keeps_the_group_open ["G6", "R1"] "A pending start keeps the group open, although the body and all tasks have ended."
                spawning_into_a_closed_group_says_so ["G6"] "Where the group has closed, `spawn` drops the future, the handle says so, and the hook hears of it."
                try_spawn_gives_the_future_back ["G6"] "Where the group has closed, `try_spawn` gives the future back, untouched."
                a_group_that_has_returned_has_closed ["G6"] "A group is closed, to all who look, as soon as it has returned."
                spawning_from_eight_threads_races_with_the_exit ["G6", "G1"] "Eight threads that spawn race with the exit of the group: what was accepted has run when it returns, what was refused never runs."
                spawning_from_eight_threads_races_with_the_exit_of_nested_groups ["G6", "G1"] "The same with a group deep inside others, all of which are about to close."
                an_accept_loop_may_outlive_its_group ["G6"] "An accept loop that goes on after its group is over does not panic: the hook hears of every connection that was refused, and the others are served."
                a_task_spawned_into_a_cancelled_group_gets_one_poll ["G7", "C2"] "A task that is spawned into a cancelled, still open group gets exactly one poll."
                spawning_works_outside_the_runtime ["G7"] "Spawning works from a thread that knows no runtime; the task runs on the group's."
                destructors_may_spawn ["G7"] "Destructors may spawn: of the body and of a task, when they complete and when they are cut short."
                the_destructor_of_an_unwanted_value_may_spawn ["G6", "G8"] "The destructor of the value of the last task may spawn: the task is not counted out yet."
                spawning_never_polls_inline ["G7"] "`spawn` never polls inside the call, nor does cancelling, from a task, the body or a thread."
                the_hook_may_use_groups ["G7"] "The hook, told of a refused task, may spawn elsewhere and cancel: no lock is held while it runs."
                finished_tasks_retain_nothing ["G8"] "A finished task retains nothing: neither its value, nor its name, nor what it has captured."
                a_value_lives_as_long_as_its_handle ["G8"] "A value lives as long as its handle, and no longer; one whose handle goes first is dropped in the task."
                the_first_panic_is_resumed_after_the_drain ["G9"] "A panic cancels the siblings; the group drains; all other errors and panics go to the hook; then the first panic is resumed in the host."
                a_panic_of_the_body_is_resumed ["G9"] "A panic of the body, also while it is made, and a panic after an error, are resumed as well."
                a_panic_beats_errors_and_cancellation ["G9"] "A panic beats the errors that came before it, which go to the hook, and an outer cancellation."
                panics_are_errors_by_policy ["G9"] "By policy panics are errors, of tasks and of the body; nothing is resumed, nothing goes to the hook."
                the_runtime_survives_panics ["G9"] "No panic reaches the runtime: its threads go on."
                a_panic_in_the_hook_harms_no_group ["G9", "F3"] "A panic of the hook, or of an error's destructor in it, does not keep a task from being counted out."
                a_nested_failure_is_one_error_until_it_is_flattened ["G11"] "The failure of a nested group is one error of the outer one; flattening puts its errors in its place."
                flattening_keeps_cancellations ["G11", "G3"] "What a nested group was cancelled by survives flattening, beside errors and alone."
                a_nested_failure_that_is_dealt_with_is_none ["G11"] "A nested failure that is dealt with does not concern the outer group."
                an_owned_group_leaves_the_scopes_around_its_constructor ["G12"] "Scopes and timeouts around the constructor of an owned group do not contain it."
                closing_an_owned_group_waits_and_returns_errors ["G12", "G2"] "Closing waits for the tasks, and returns their errors with all that belongs to them."
                a_failure_in_an_owned_group_cancels_the_rest ["G12", "G2"] "A task of an owned group that fails, or panics, cancels the others, also while nobody closes the group."
                the_run_waits_for_owned_groups ["G12"] "Dropping an owned group cancels its tasks, and the run waits for them; the same if it is forgotten."
                failures_of_a_dropped_owned_group_go_to_the_hook ["G12", "F3"] "What failed in an owned group that is dropped, and what fails later, goes to the hook with its task."
                an_owned_group_in_a_group_belongs_to_it ["G12", "G1"] "An owned group made in a group belongs to it: the group cancels it and waits for its tasks."
                dropping_an_owned_group_in_a_group_cancels_no_more ["G12"] "Dropping an owned group made in a group cancels its tasks, not the group around, which waits for them."
                an_owned_group_closes_for_good ["G12", "G6"] "While an owned group is being closed its tasks may spawn; then it has closed for good."
                spawning_from_eight_threads_races_with_closing ["G12", "G6"] "Eight threads that spawn race with the closing of an owned group, and with its drop: what was accepted runs, what was refused does not."
                an_owned_group_may_be_closed_anywhere ["G12"] "An owned group may be closed on a thread that knows no runtime, and given up half-way."
                a_task_may_drop_its_own_owned_group ["G12"] "A task may drop the owned group that it is in."
                dropping_an_owned_group_leaves_what_is_protected ["G12", "S7"] "What is protected in an owned group goes on when that is dropped."
                the_runtime_drops_what_has_ended ["G8"] "The runtime drops what it was given once that has ended."
            }
            handles {
                a_handle_has_the_value ["H1"] "A handle has the value, before and after the end of the task and of its group."
                a_handle_has_the_value_once ["H1"] "The value is there once: a handle that is polled after it has completed panics."
                a_handle_tells_why_there_is_no_value ["H1", "H3"] "A handle tells why there is no value: failed, panicked, cancelled, closed; so does its status."
                a_failure_is_recorded_before_the_handle_completes ["H1"] "When the handle of a task that failed completes, its group has been cancelled for that, and has the error."
                a_body_that_awaits_what_fails_is_dropped_there ["H1", "C4"] "A body that awaits the handle of a task that fails is dropped there: it does not see the failure."
                whoever_awaits_what_fails_in_the_same_group_is_dropped_there ["H1", "C4"] "The same for a task that awaits the handle of a sibling, and where many are awaited at once."
                under_a_shield_the_failure_is_seen ["H1"] "Under a shield the body sees the failure; the error itself stays with the group."
                the_handle_of_a_cancelled_task_has_the_reason ["H1"] "The handle of a cancelled task has the reason, with the place of the request."
                value_cancels_the_branch_that_waits_for_it ["H1"] "`value` gives the value; if there is none the nearest scope around is cancelled, and the code outside goes on."
                value_in_a_body_cancels_the_group ["H1"] "Without a scope `value` cancels the group whose body it is in, for the reason of the task."
                value_in_a_task_cancels_that_task ["H1"] "In a task `value` cancels that task alone; if what it waits for has failed elsewhere, it says which task."
                value_in_a_body_with_a_clean_up_cancels_the_body ["H1"] "In a body with a clean-up `value` cancels that body, and the clean-up runs."
                value_panics_where_nothing_can_be_cancelled ["H1"] "Where there is no value and nothing that could be cancelled, `value` panics and says what to do."
                value_waits_for_what_holds_its_branch ["H1", "C2"] "While something else in the branch holds it, `value` that will not come waits; then the branch is cut short."
                awaiting_ones_own_handle_is_a_clear_error ["H1"] "A task that awaits its own handle is told so, inside a scope too; with `value` it panics."
                a_handle_may_be_awaited_anywhere ["H1", "X1"] "A handle may be awaited on a thread that knows no runtime."
                a_handle_awaited_by_reference_loses_nothing ["H1"] "A handle that is awaited by reference loses nothing when that is given up."
                many_handles_lose_nothing ["H1"] "Many handles at once, in a stream in order of completion, lose nothing and mix nothing up."
                cancelling_a_task_touches_it_alone ["H2"] "Cancelling a task touches it alone, and is no failure of the group."
                a_task_cancelled_at_once_gets_its_first_poll ["H2", "C2"] "A task that is cancelled before its first poll gets that poll all the same, and may complete in it."
                cancelling_a_finished_task_does_nothing ["H2"] "Cancelling a task that has finished does nothing."
                cancel_and_join_waits_until_all_is_gone ["H2"] "`cancel_and_join` returns when the task is gone, with all below it: also what foreign code has orphaned there."
                cancel_and_join_returns_the_value_if_there_is_one ["H2", "C2"] "A value that the task returns although it was cancelled is what `cancel_and_join` returns."
                a_blocking_job_has_its_value_although_it_was_cancelled ["H2"] "Cancelling a blocking job does not stop it: its value is there."
                dropping_a_handle_changes_nothing ["H2"] "Dropping a handle changes nothing: the task goes on, and its failure is the group's."
                a_cancellation_races_with_the_end_of_the_task ["H2", "C7"] "A cancellation from a thread races with the end of the task: it has its value or was cancelled, nothing is lost and nothing happens twice."
                a_task_can_be_told_at_any_time ["H3"] "Name, number and place are readable at any time: of running, finished and refused tasks, in errors and reasons."
                every_task_has_a_number_of_its_own ["H3"] "No two tasks have the same number, whoever spawns them."
                a_task_is_running_until_it_is_dropped ["H3"] "A task is running as long as its destructors run."
                an_attached_future_is_a_task_of_the_group ["H1", "G1"] "A future that is attached to a group and run by a foreign thread is a task of the group: the group waits for it, it is in the group's runtime, and may spawn."
                an_attached_future_shares_the_fate_of_the_group ["H1", "G2"] "What cancels the group reaches an attached future on its thread; its failure and its panic are the group's."
                an_attached_future_may_be_dropped_or_late ["H1", "G6"] "An attached future that is dropped ends, and its group does not wait for it; attached to a closed group it says so."
            }
            regressions {
                a_scope_that_is_being_let_go_drops_the_next_unit ["C4"] "A scope that a group inside is just letting go of, on another thread, drops the unit that comes after the group."
                a_scope_that_is_being_let_go_cuts_the_next_operation_off ["C1", "C6"] "A scope that a group inside is just letting go of, on another thread, cuts off the operation that comes after the group."
            }
            shields {
                a_shield_runs_its_future_to_the_end_in_a_cancelled_scope ["S1"] "What is in a shield runs to its end in a cancelled scope, and the shield hands its value out."
                a_shield_hides_the_cancellation_from_what_is_inside ["S1"] "Inside a shield nothing is to be seen of the cancellation outside; before and after it, it is."
                what_a_shield_kept_out_is_delivered_at_the_next_suspension_after_it ["S2"] "After a shield the code runs on to its next suspension, where the cancellation is delivered."
                nothing_is_delivered_between_adjacent_shields ["S2"] "Between two shields that follow each other without a suspension nothing is delivered."
                a_cancellation_that_finds_the_shield_asleep_is_delivered_after_it ["S1", "S2"] "A cancellation that comes from another thread while the shield is asleep waits for the shield, no longer."
                a_scope_inside_a_shield_can_be_cancelled ["S1"] "A scope inside a shield can be cancelled as ever, and the shield goes on after it."
                a_timeout_inside_a_shield_acts ["S1"] "A timeout inside a shield acts, also when everything outside is cancelled."
                the_own_deadline_of_a_shielded_scope_acts ["S1"] "A scope that is a shield itself hides what is outside and is cut short by its own deadline."
                a_shield_holds_all_units_around_it ["S1"] "A shield holds every unit around it in the task, not only the nearest one."
                a_timeout_waits_for_the_shield_in_it ["S1", "D2"] "A timeout around a shield waits for it, and what then completes has completed."
                a_shield_in_a_task_holds_the_task ["S1"] "A shield in a task holds the task when its group is cancelled, and the group waits for that."
                a_shield_that_panics_lets_go ["S1"] "A shield that ends in a panic lets go of the scope around it."
                nested_shields_each_keep_out_what_is_outside ["S1"] "In nested shields each keeps out what is outside of it, and what is between them is delivered between them."
                busy_siblings_in_a_foreign_join_run_on_until_the_shield_ends ["S4"] "While one branch of a foreign join is shielded the others run on, whatever they do; then all are dropped."
                idle_siblings_in_a_foreign_join_are_kept_until_the_shield_ends ["S4"] "A sibling that is idle is kept until the shield ends, and is then dropped although nobody has woken it."
                an_idle_shield_in_a_foreign_stream_counts ["S4"] "A shield counts although its branch is idle and is not polled this time."
                the_last_of_several_shields_lets_go ["S4"] "Of two shields in a foreign join both count: the scope is held until the later one ends."
                a_shield_that_is_dropped_on_another_thread_lets_go_of_the_sleeping_scope ["S4", "S7"] "A shield that is dropped while nobody polls it lets go of the sleeping scope."
                whichever_thread_ends_a_shield_the_outermost_scope_acts ["S4", "C4"] "Whichever thread ends the shield, of the scopes that it has held the outermost one acts."
                a_shield_that_a_foreign_select_drops_ends ["S7"] "A shield that a foreign select drops ends there; what it kept out is delivered at the next suspension."
                a_grace_starts_when_a_scope_around_is_cancelled ["S3"] "Before anything outside is cancelled the grace does not run, and then it is granted in full."
                a_grace_counts_from_the_first_poll_if_the_cancellation_came_before ["S3"] "When the scope around was cancelled long ago, the grace counts from the first poll of the shield."
                what_is_done_within_the_grace_is_done ["S3"] "The cancellation of a scope inside does not start the grace, and a grace that is long enough is not noticed."
                a_grace_of_zero_leaves_one_poll ["S3"] "A grace of zero leaves the first poll, and what is ready then has its value."
                a_grace_ends_although_the_shield_is_not_polled ["S3"] "When the grace is over the shield lets go, although what is in it is not being polled."
                a_grace_ends_although_the_shield_was_forgotten ["S3", "F5"] "When the grace is over the shield lets go, although it was forgotten."
                after_its_grace_a_shield_does_not_hide ["S3"] "When the grace is over the shield does not hide any more either, although another one holds the scope."
                a_grace_inside_a_shield_starts_when_that_is_lowered ["S3"] "A grace inside a shield starts when that shield is lowered, which is when the cancellation arrives."
                lowering_a_shield_from_another_thread_delivers_at_once ["S6"] "Lowering a shield from another thread delivers at once what it has kept out, also to a sleeper."
                a_shield_that_was_lowered_before_keeps_nothing_out ["S6"] "A shield that was lowered in time keeps nothing out."
                a_shield_that_is_raised_in_time_keeps_the_cancellation_out ["S6"] "A shield that is raised before anything outside was cancelled keeps it out."
                a_shield_that_is_raised_too_late_does_nothing ["S6"] "Raising a shield does nothing once the cancellation from outside is here."
                a_shield_that_has_delivered_cannot_be_raised_again ["S6"] "A shield that was lowered under a cancelled scope cannot be raised again."
                raising_a_shield_does_not_undo_the_scopes_own_cancellation ["S6"] "A shield does not protect a scope from its own cancellation, whichever came first."
                no_interleaving_of_edits_loses_the_cancellation ["S6"] "However raising, lowering and a cancellation interleave, the last lowering delivers what there is to deliver."
                a_shield_in_a_body_does_not_protect_the_tasks ["S5"] "A shield in the body of a group does not protect the group's tasks."
                a_shield_on_a_groups_scope_protects_the_tasks_from_outside_alone ["S5"] "A shield on a group's scope protects its tasks, but a task that fails cancels its siblings all the same."
                lowering_the_shield_of_a_group_reaches_its_tasks ["S6", "S5"] "Lowering the shield of a group's scope reaches the tasks of the group."
                protected_work_survives_a_foreign_drop_and_its_group_waits ["S7"] "Protected work goes on when foreign code drops what waits for it, and the group waits for it."
                protected_work_is_never_cancelled ["S7"] "Protected work is not cancelled with the scope and the group around it, which wait for it."
                work_to_be_protected_in_a_cancelled_scope_does_not_begin ["S7", "C6"] "Work that is not protected yet when its scope is cancelled does not begin."
                protected_work_belongs_to_the_nearest_group ["S7"] "Protected work belongs to the nearest group: scopes inside that group do not wait for it, the group does."
                a_run_waits_for_protected_work ["S7"] "Outside every group the run waits for protected work."
                protected_work_hands_out_its_value_and_its_panic ["S7"] "Protected work hands its value, and its panic, to whoever waits for it."
                work_protected_after_the_cancellation_is_waited_for ["S7"] "A shielded task of a cancelled group can protect work, which the group waits for as well."
            }
            start {
                start_returns_the_value_and_the_task_goes_on ["R1"] "`start` returns the value that the task passes to `started`, and the task goes on in the group."
                the_token_may_be_used_anywhere ["R1"] "The token may be used before the first poll, in the first poll, in another task and on a thread."
                a_token_that_outlives_its_task_gives_the_value_back ["R1"] "A task whose token is used elsewhere may end before: that is not to have started, and the value comes back."
                a_token_dropped_unused_cancels_the_task ["R1", "R3"] "A token dropped unused: the task is cancelled and awaited, and `start` says that it did not start."
                a_token_dropped_early_cancels_the_task ["R1"] "A token dropped before there is a task to cancel counts as well, also when the task goes on without suspending."
                a_forgotten_token_leaves_start_waiting ["R1", "R3"] "A token that is forgotten: `start` waits for the task, which is not cancelled, and can itself be cancelled."
                started_gives_the_value_back_in_a_cancelled_caller ["R1", "R3"] "`started` gives the value back once the caller is cancelled; the task is cancelled too."
                started_gives_the_value_back_when_start_was_dropped ["R1", "R4"] "`started` gives the value back once `start` was dropped; the task is cancelled, the group is not."
                starts_nest ["R1"] "Starts nest: a task may start others before it says that it has started itself."
                start_works_outside_the_runtime ["R1"] "A start may be awaited on a thread that knows no runtime; what its task does it does in the group's."
                start_in_a_closed_group_says_so ["R1", "G6"] "In a group that has closed nothing is started; the task is dropped unpolled."
                start_in_a_cancelled_scope_does_nothing ["R1", "C6"] "In a cancelled scope nothing is started: the task is not even made."
                start_in_a_cancelled_group_gets_one_poll ["R1", "G7"] "In a cancelled, still open group a task gets one poll, in which it may start."
                an_error_before_started_is_the_callers ["R2"] "An error before `started` comes out of `start` alone; the group is untouched."
                a_panic_before_started_is_the_callers ["R2"] "A panic before `started` is resumed in the caller, also where panics are errors; the group is untouched."
                what_fails_after_started_is_the_groups ["R2"] "An error and a panic after `started` are the group's."
                what_fails_when_start_is_gone_goes_to_the_hook ["R2", "R4"] "What fails before `started`, when `start` is gone, goes to the hook, with the task; the group is untouched."
                what_start_was_not_polled_to_see_goes_to_the_hook ["R2"] "The same if the task had ended, and `start` was not polled any more to see how."
                the_callers_scope_cancels_the_task_and_waits ["R3", "C4"] "The caller's scope cancels the task, and waits for it: its clean-up has run when the scope ends; the caller is dropped there and sees no error. Hundreds of times, as the end of the task and the scope's polls may fall together."
                the_callers_deadline_cancels_the_task_and_waits ["R3"] "So does a deadline of the caller's."
                the_task_is_cancelled_although_start_is_not_polled ["R3"] "The task is cancelled although its `start` is not being polled, and the scope around is not held for ever."
                the_group_cancels_the_task_and_start_says_why ["R3"] "The task is cancelled with its group, and `start` says why."
                cancelled_wins_over_not_started ["R3"] "Ending without `started` is an error, but a cancellation of the caller wins over it: also over a lost token, and when it comes while the task is being awaited."
                start_waits_until_its_task_is_gone ["R3"] "`start` waits until its task is gone, with what foreign code has orphaned below it, and so does the scope around the caller, although that is cancelled; the error is not lost."
                a_value_committed_before_the_cancellation_is_returned ["R3", "C7"] "What was committed before the cancellation is returned: a value passed to `started` is not lost, though both come in the midst of a poll of the caller."
                dropping_start_cancels_the_task ["R4"] "A `start` that is dropped before `started` cancels that task alone; the group waits for it."
                dropping_start_after_started_leaves_the_task ["R4"] "A `start` that is dropped after `started` leaves the task alone; the value that it did not return is dropped with it."
                started_races_with_the_drop_of_start ["R4", "R1"] "`started`, on a thread, races with the drop of `start`: exactly one of the two happens."
                started_races_with_the_cancellation_of_the_caller ["R3", "R1", "C7"] "`started`, on a thread, races with the cancellation of the caller: either `start` returns the value and the task goes on, or the value comes back and the task is cancelled."
                started_races_with_the_cancellation_of_a_busy_caller ["R3", "R1", "C7"] "The same while the caller is polled without pause, and the task uses its token itself."
                a_failure_races_with_the_cancellation_of_the_caller ["R2", "R3"] "A task that fails races with the cancellation of its caller: the error comes out of `start`, or the task was cancelled before; it goes nowhere else."
                starting_from_eight_threads_races_with_the_exit ["R1", "G6"] "Starts from eight threads race with the end of the group: each has its value, or the group had closed."
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
        name: "cancel::a_cancelled_scope_cuts_short_whatever_is_tried_again_inside",
        laws: &["C1"],
        doc: "Cancellation is level-triggered: whatever is cut short and started anew inside is cut short again.",
        body: || Box::pin(crate::cases::cancel::a_cancelled_scope_cuts_short_whatever_is_tried_again_inside()),
    },
    crate::Case {
        name: "cancel::a_scope_that_is_cancelled_while_it_sleeps_ends",
        laws: &["C1"],
        doc: "A scope that is cancelled while its body sleeps wakes it and ends.",
        body: || Box::pin(crate::cases::cancel::a_scope_that_is_cancelled_while_it_sleeps_ends()),
    },
    crate::Case {
        name: "cancel::a_cancelled_scope_never_becomes_uncancelled",
        laws: &["C1"],
        doc: "Neither a deadline nor a shield takes a cancellation back.",
        body: || Box::pin(crate::cases::cancel::a_cancelled_scope_never_becomes_uncancelled()),
    },
    crate::Case {
        name: "cancel::a_cancellation_ends_with_its_scope",
        laws: &["C1"],
        doc: "A cancellation ends with its scope: the code behind it, and other scopes, go on.",
        body: || Box::pin(crate::cases::cancel::a_cancellation_ends_with_its_scope()),
    },
    crate::Case {
        name: "cancel::a_value_wins",
        laws: &["C2"],
        doc: "A body that returns keeps its value, whatever was requested.",
        body: || Box::pin(crate::cases::cancel::a_value_wins()),
    },
    crate::Case {
        name: "cancel::a_value_wins_at_the_poll_after_the_cancellation",
        laws: &["C2"],
        doc: "A value that comes with the poll after the cancellation wins as well.",
        body: || Box::pin(crate::cases::cancel::a_value_wins_at_the_poll_after_the_cancellation()),
    },
    crate::Case {
        name: "cancel::a_body_always_gets_its_first_poll",
        laws: &["C2", "G7"],
        doc: "A body gets its first poll, also where everything is cancelled already.",
        body: || Box::pin(crate::cases::cancel::a_body_always_gets_its_first_poll()),
    },
    crate::Case {
        name: "cancel::a_timeout_of_zero_around_a_ready_future_is_ok",
        laws: &["C2", "D7"],
        doc: "No time at all is enough for a future that is ready.",
        body: || Box::pin(crate::cases::cancel::a_timeout_of_zero_around_a_ready_future_is_ok()),
    },
    crate::Case {
        name: "cancel::a_body_runs_on_to_its_next_suspension",
        laws: &["C2"],
        doc: "Cancellation is never delivered in mid-poll: code runs on across awaits that are ready.",
        body: || Box::pin(crate::cases::cancel::a_body_runs_on_to_its_next_suspension()),
    },
    crate::Case {
        name: "cancel::request_and_outcome_are_different_questions",
        laws: &["C3"],
        doc: "That a scope was cancelled, that code here is cancelled, and what came of it, are different questions.",
        body: || Box::pin(crate::cases::cancel::request_and_outcome_are_different_questions()),
    },
    crate::Case {
        name: "cancel::whether_code_is_cancelled_depends_on_where_it_stands",
        laws: &["C3", "S1"],
        doc: "Whether code is cancelled is asked here and now: not behind a shield, nor outside the scope.",
        body: || Box::pin(crate::cases::cancel::whether_code_is_cancelled_depends_on_where_it_stands()),
    },
    crate::Case {
        name: "cancel::the_cancellation_can_be_waited_for",
        laws: &["C3", "C5"],
        doc: "Waiting for the cancellation ends with it, and tells its reason.",
        body: || Box::pin(crate::cases::cancel::the_cancellation_can_be_waited_for()),
    },
    crate::Case {
        name: "cancel::the_outermost_unit_drops_everything_inside",
        laws: &["C4"],
        doc: "The outermost cancelled unit drops everything inside it; code behind an inner one does not run.",
        body: || Box::pin(crate::cases::cancel::the_outermost_unit_drops_everything_inside()),
    },
    crate::Case {
        name: "cancel::no_unit_in_a_foreign_join_ends_before_its_scope",
        laws: &["C4"],
        doc: "A unit in a foreign `join!` does not end before the scope around could drop it.",
        body: || Box::pin(crate::cases::cancel::no_unit_in_a_foreign_join_ends_before_its_scope()),
    },
    crate::Case {
        name: "cancel::no_unit_in_a_foreign_select_ends_before_its_scope",
        laws: &["C4"],
        doc: "A unit in a foreign `select!` does not end before the scope around could drop it.",
        body: || Box::pin(crate::cases::cancel::no_unit_in_a_foreign_select_ends_before_its_scope()),
    },
    crate::Case {
        name: "cancel::no_unit_in_a_foreign_stream_ends_before_its_scope",
        laws: &["C4"],
        doc: "A unit alone in a `FuturesUnordered`, which may poll it twice in one poll, does not end before its scope.",
        body: || Box::pin(crate::cases::cancel::no_unit_in_a_foreign_stream_ends_before_its_scope()),
    },
    crate::Case {
        name: "cancel::no_unit_among_idle_siblings_ends_before_its_scope",
        laws: &["C4"],
        doc: "Nor does one among idle siblings, where it is polled a second time at once.",
        body: || Box::pin(crate::cases::cancel::no_unit_among_idle_siblings_ends_before_its_scope()),
    },
    crate::Case {
        name: "cancel::no_unit_ends_before_its_scope_however_often_it_is_polled",
        laws: &["C4"],
        doc: "Nor does one that is polled many times in one poll, because its siblings complete or the streams are nested.",
        body: || Box::pin(crate::cases::cancel::no_unit_ends_before_its_scope_however_often_it_is_polled()),
    },
    crate::Case {
        name: "cancel::in_a_nested_block_on_a_unit_ends_by_itself",
        laws: &["C4"],
        doc: "A unit in an executor of its own, where nothing can drop it, ends by itself after a bounded number of polls.",
        body: || Box::pin(crate::cases::cancel::in_a_nested_block_on_a_unit_ends_by_itself()),
    },
    crate::Case {
        name: "cancel::in_a_nested_block_on_a_group_ends",
        laws: &["C4", "X1"],
        doc: "In an executor of its own a group ends as well; the cancellation is delivered behind it.",
        body: || Box::pin(crate::cases::cancel::in_a_nested_block_on_a_group_ends()),
    },
    crate::Case {
        name: "cancel::a_unit_is_never_parked_for_ever",
        laws: &["C4"],
        doc: "While something else holds the scope around, a unit ends by itself: the two may wait for each other.",
        body: || Box::pin(crate::cases::cancel::a_unit_is_never_parked_for_ever()),
    },
    crate::Case {
        name: "cancel::a_unit_beside_a_shield_in_a_foreign_stream_ends_by_itself",
        laws: &["C4"],
        doc: "Among a shield and idle siblings in a foreign stream, a unit ends by itself too.",
        body: || Box::pin(crate::cases::cancel::a_unit_beside_a_shield_in_a_foreign_stream_ends_by_itself()),
    },
    crate::Case {
        name: "cancel::a_unit_that_was_cancelled_first_reports_the_scope_around",
        laws: &["C4", "C5"],
        doc: "A unit that was cancelled itself, and then with the scope around, reports the scope around.",
        body: || Box::pin(crate::cases::cancel::a_unit_that_was_cancelled_first_reports_the_scope_around()),
    },
    crate::Case {
        name: "cancel::an_inner_unit_that_completes_is_heard",
        laws: &["C4", "G3"],
        doc: "An inner await that completes, with a value or with an error of its own, goes on to the next suspension.",
        body: || Box::pin(crate::cases::cancel::an_inner_unit_that_completes_is_heard()),
    },
    crate::Case {
        name: "cancel::timeouts_are_transparent_to_the_cancellation_around",
        laws: &["C4", "D7"],
        doc: "To a cause from outside a timeout is transparent: it neither ends nor drops what is held inside.",
        body: || Box::pin(crate::cases::cancel::timeouts_are_transparent_to_the_cancellation_around()),
    },
    crate::Case {
        name: "cancel::the_first_reason_counts",
        laws: &["C5"],
        doc: "A request is remembered once: the first reason counts.",
        body: || Box::pin(crate::cases::cancel::the_first_reason_counts()),
    },
    crate::Case {
        name: "cancel::a_deadline_that_comes_first_is_the_reason",
        laws: &["C5"],
        doc: "A deadline that comes first counts, too.",
        body: || Box::pin(crate::cases::cancel::a_deadline_that_comes_first_is_the_reason()),
    },
    crate::Case {
        name: "cancel::a_reason_has_the_place_of_the_request",
        laws: &["C5"],
        doc: "The reason has what the caller said, and where it was said.",
        body: || Box::pin(crate::cases::cancel::a_reason_has_the_place_of_the_request()),
    },
    crate::Case {
        name: "cancel::requests_to_groups_and_tasks_have_their_place",
        laws: &["C5", "H2"],
        doc: "So do the requests of groups and of handles to tasks, which say nothing.",
        body: || Box::pin(crate::cases::cancel::requests_to_groups_and_tasks_have_their_place()),
    },
    crate::Case {
        name: "cancel::the_outermost_reason_is_reported_in_any_order",
        laws: &["C5"],
        doc: "What was cancelled inside reports the outermost scope that was, in whatever order they were.",
        body: || Box::pin(crate::cases::cancel::the_outermost_reason_is_reported_in_any_order()),
    },
    crate::Case {
        name: "cancel::a_failed_sibling_is_named",
        laws: &["C5", "G2"],
        doc: "A task that is cancelled for its sibling hears which one failed; the body counts as none.",
        body: || Box::pin(crate::cases::cancel::a_failed_sibling_is_named()),
    },
    crate::Case {
        name: "cancel::a_dropped_group_is_a_reason",
        laws: &["C5", "F1"],
        doc: "What is cancelled because the future around it was dropped says so.",
        body: || Box::pin(crate::cases::cancel::a_dropped_group_is_a_reason()),
    },
    crate::Case {
        name: "cancel::a_scope_can_be_cancelled_from_tasks_and_threads",
        laws: &["C5"],
        doc: "A scope can be cancelled by a task, by a task inside it, and by a thread that no runtime knows.",
        body: || Box::pin(crate::cases::cancel::a_scope_can_be_cancelled_from_tasks_and_threads()),
    },
    crate::Case {
        name: "cancel::a_destructor_can_cancel",
        laws: &["C5"],
        doc: "A destructor can cancel: the scope that it is in, one around, and one elsewhere.",
        body: || Box::pin(crate::cases::cancel::a_destructor_can_cancel()),
    },
    crate::Case {
        name: "cancel::a_waker_can_cancel",
        laws: &["C5"],
        doc: "A waker can cancel, also the scope that wakes it.",
        body: || Box::pin(crate::cases::cancel::a_waker_can_cancel()),
    },
    crate::Case {
        name: "cancel::eight_threads_may_cancel_at_once",
        laws: &["C5"],
        doc: "Eight threads may cancel at once: one of them is the first, for everybody and for good.",
        body: || Box::pin(crate::cases::cancel::eight_threads_may_cancel_at_once()),
    },
    crate::Case {
        name: "cancel::a_request_that_races_with_the_beginning_is_not_lost",
        laws: &["C5"],
        doc: "A request that races with the beginning of a scope, or with the spawning inside it, is never lost.",
        body: || Box::pin(crate::cases::cancel::a_request_that_races_with_the_beginning_is_not_lost()),
    },
    crate::Case {
        name: "cancel::a_doomed_operation_does_nothing_at_its_first_poll",
        laws: &["C6"],
        doc: "An operation that would be cut off at once does nothing at its first poll, though it were ready: it wakes itself.",
        body: || Box::pin(crate::cases::cancel::a_doomed_operation_does_nothing_at_its_first_poll()),
    },
    crate::Case {
        name: "cancel::a_doomed_operation_acts_at_its_second_poll_when_it_is_held",
        laws: &["C6"],
        doc: "Polled again while its scope is held, an operation acts: the shield may be waiting for it.",
        body: || Box::pin(crate::cases::cancel::a_doomed_operation_acts_at_its_second_poll_when_it_is_held()),
    },
    crate::Case {
        name: "cancel::an_operation_that_is_held_from_the_start_acts_at_once",
        laws: &["C6"],
        doc: "An operation that is first polled while its scope is held acts at once.",
        body: || Box::pin(crate::cases::cancel::an_operation_that_is_held_from_the_start_acts_at_once()),
    },
    crate::Case {
        name: "cancel::a_doomed_operation_among_idle_siblings_does_not_begin",
        laws: &["C6"],
        doc: "Nor does an operation begin because a foreign stream, whose other futures are idle, polls it again at once.",
        body: || Box::pin(crate::cases::cancel::a_doomed_operation_among_idle_siblings_does_not_begin()),
    },
    crate::Case {
        name: "cancel::an_operation_is_doomed_by_its_nearest_unit",
        laws: &["C6"],
        doc: "What dooms an operation is the nearest unit: not a scope behind a shield, and not one that was left.",
        body: || Box::pin(crate::cases::cancel::an_operation_is_doomed_by_its_nearest_unit()),
    },
    crate::Case {
        name: "cancel::a_completion_before_the_cancellation_is_returned",
        laws: &["C7"],
        doc: "A completion that was committed before the cancellation is returned.",
        body: || Box::pin(crate::cases::cancel::a_completion_before_the_cancellation_is_returned()),
    },
    crate::Case {
        name: "cancel::no_completed_body_is_lost_to_a_race",
        laws: &["C7"],
        doc: "Whether a body completed and whether its scope says so is never in doubt, whenever a thread cancels it.",
        body: || Box::pin(crate::cases::cancel::no_completed_body_is_lost_to_a_race()),
    },
    crate::Case {
        name: "cancel::no_completed_task_is_lost_to_a_race",
        laws: &["C7", "H2"],
        doc: "Nor whether a task completed, whenever it is cancelled.",
        body: || Box::pin(crate::cases::cancel::no_completed_task_is_lost_to_a_race()),
    },
    crate::Case {
        name: "cancel::no_started_value_is_lost_to_a_race",
        laws: &["C7", "R4"],
        doc: "A started value arrives once or comes back: it is never in two hands, and never in none.",
        body: || Box::pin(crate::cases::cancel::no_started_value_is_lost_to_a_race()),
    },
    crate::Case {
        name: "cancel::a_cancellation_before_the_entry_is_remembered",
        laws: &["C8"],
        doc: "A cancellation before the scope runs is remembered, by every handle.",
        body: || Box::pin(crate::cases::cancel::a_cancellation_before_the_entry_is_remembered()),
    },
    crate::Case {
        name: "cancel::a_cancellation_after_the_exit_does_nothing",
        laws: &["C8"],
        doc: "After the exit nothing happens any more, nor where the scope never ran.",
        body: || Box::pin(crate::cases::cancel::a_cancellation_after_the_exit_does_nothing()),
    },
    crate::Case {
        name: "cancel::a_loop_of_units_that_are_cut_short_does_not_spin",
        laws: &["C9"],
        doc: "A loop of units that are cut short ends at the first of them.",
        body: || Box::pin(crate::cases::cancel::a_loop_of_units_that_are_cut_short_does_not_spin()),
    },
    crate::Case {
        name: "cancel::a_loop_of_units_that_are_ready_ends",
        laws: &["C9", "X5"],
        doc: "A loop of units that are ready at once ends by the budget.",
        body: || Box::pin(crate::cases::cancel::a_loop_of_units_that_are_ready_ends()),
    },
    crate::Case {
        name: "cancel::a_loop_beside_a_shield_yields_at_each_turn",
        laws: &["C9"],
        doc: "While a foreign sibling's shield holds the scope, a loop of units goes on, and yields at each turn.",
        body: || Box::pin(crate::cases::cancel::a_loop_beside_a_shield_yields_at_each_turn()),
    },
    crate::Case {
        name: "cancel::a_request_wakes_each_unit_once",
        laws: &["C9"],
        doc: "A request wakes each unit once, however often it is repeated; a unit inside adds one offer.",
        body: || Box::pin(crate::cases::cancel::a_request_wakes_each_unit_once()),
    },
    crate::Case {
        name: "cancel::poll_counts_stay_bounded_while_a_shield_outlives_the_cancellation",
        laws: &["C9"],
        doc: "While a shield inside outlives the cancellation nobody is polled in vain.",
        body: || Box::pin(crate::cases::cancel::poll_counts_stay_bounded_while_a_shield_outlives_the_cancellation()),
    },
    crate::Case {
        name: "cancel::a_hundred_thousand_nested_tasks_are_cancelled",
        laws: &["C10"],
        doc: "A hundred thousand nested tasks are cancelled, in linear time and on an ordinary stack.",
        body: || Box::pin(crate::cases::cancel::a_hundred_thousand_nested_tasks_are_cancelled()),
    },
    crate::Case {
        name: "cancel::a_hundred_thousand_nested_tasks_are_dropped",
        laws: &["C10", "F1"],
        doc: "A hundred thousand nested tasks are dropped.",
        body: || Box::pin(crate::cases::cancel::a_hundred_thousand_nested_tasks_are_dropped()),
    },
    crate::Case {
        name: "cancel::a_hundred_thousand_siblings_are_cancelled",
        laws: &["C10"],
        doc: "A hundred thousand siblings are cancelled.",
        body: || Box::pin(crate::cases::cancel::a_hundred_thousand_siblings_are_cancelled()),
    },
    crate::Case {
        name: "cancel::a_hundred_thousand_siblings_are_dropped",
        laws: &["C10", "F1"],
        doc: "A hundred thousand siblings are dropped.",
        body: || Box::pin(crate::cases::cancel::a_hundred_thousand_siblings_are_dropped()),
    },
    crate::Case {
        name: "cancel::a_hundred_thousand_nested_owned_groups_are_cancelled",
        laws: &["C10", "G12"],
        doc: "A hundred thousand groups that are held by values, each in the one before, are used and cancelled.",
        body: || Box::pin(crate::cases::cancel::a_hundred_thousand_nested_owned_groups_are_cancelled()),
    },
    crate::Case {
        name: "cancel::a_hundred_thousand_nested_scopes_are_cancelled",
        laws: &["C10", "C12"],
        doc: "A hundred thousand scopes that stand in one another and are polled side by side are held and cancelled.",
        body: || Box::pin(crate::cases::cancel::a_hundred_thousand_nested_scopes_are_cancelled()),
    },
    crate::Case {
        name: "cancel::a_panicking_destructor_in_a_body_is_resumed_by_the_scope",
        laws: &["C11"],
        doc: "A panic in a destructor of the body that is dropped is resumed where the scope is awaited.",
        body: || Box::pin(crate::cases::cancel::a_panicking_destructor_in_a_body_is_resumed_by_the_scope()),
    },
    crate::Case {
        name: "cancel::a_panicking_destructor_in_a_task_is_the_panic_of_its_group",
        laws: &["C11", "G2"],
        doc: "One in a task, cut short or not, is the task's panic; the siblings are drained first.",
        body: || Box::pin(crate::cases::cancel::a_panicking_destructor_in_a_task_is_the_panic_of_its_group()),
    },
    crate::Case {
        name: "cancel::a_panicking_value_that_nobody_awaits_is_the_panic_of_its_group",
        laws: &["C11", "G8"],
        doc: "One in a value that nobody receives is the panic of its group as well.",
        body: || Box::pin(crate::cases::cancel::a_panicking_value_that_nobody_awaits_is_the_panic_of_its_group()),
    },
    crate::Case {
        name: "cancel::a_value_that_is_not_returned_is_dropped_before_the_group_returns",
        laws: &["C11", "G3"],
        doc: "The value of a body is dropped before a group that failed returns, and its panic is the group's.",
        body: || Box::pin(crate::cases::cancel::a_value_that_is_not_returned_is_dropped_before_the_group_returns()),
    },
    crate::Case {
        name: "cancel::a_panicking_destructor_of_an_orphan_goes_to_the_hook",
        laws: &["C11", "F3"],
        doc: "One in a task whose group was dropped goes to the hook; the task is counted out all the same.",
        body: || Box::pin(crate::cases::cancel::a_panicking_destructor_of_an_orphan_goes_to_the_hook()),
    },
    crate::Case {
        name: "cancel::a_destructor_that_panics_after_its_body_goes_to_the_hook",
        laws: &["C11", "G9"],
        doc: "When a body panics and then its destructor does, the first is resumed and the hook hears of the second.",
        body: || Box::pin(crate::cases::cancel::a_destructor_that_panics_after_its_body_goes_to_the_hook()),
    },
    crate::Case {
        name: "cancel::a_panic_that_carries_a_bomb_is_survived",
        laws: &["C11"],
        doc: "A panic that carries something whose destructor panics keeps nobody waiting.",
        body: || Box::pin(crate::cases::cancel::a_panic_that_carries_a_bomb_is_survived()),
    },
    crate::Case {
        name: "cancel::a_started_value_that_nobody_saw_is_dropped_with_the_caller",
        laws: &["C11", "R4"],
        doc: "A started value that its caller never saw goes with the caller.",
        body: || Box::pin(crate::cases::cancel::a_started_value_that_nobody_saw_is_dropped_with_the_caller()),
    },
    crate::Case {
        name: "cancel::every_destructor_has_run_when_a_barrier_is_passed",
        laws: &["C11", "F2"],
        doc: "When a scope, a timeout, a group or a run is over, every destructor inside has run, orphans' too.",
        body: || Box::pin(crate::cases::cancel::every_destructor_has_run_when_a_barrier_is_passed()),
    },
    crate::Case {
        name: "cancel::a_panic_that_nobody_is_left_to_resume_goes_to_the_hook",
        laws: &["C11", "F3"],
        doc: "A scope that is dropped while it waits for what its panicked body left hands the panic to the hook.",
        body: || Box::pin(crate::cases::cancel::a_panic_that_nobody_is_left_to_resume_goes_to_the_hook()),
    },
    crate::Case {
        name: "cancel::a_timeout_covers_the_tasks_of_the_group_it_is_given",
        laws: &["C12"],
        doc: "A group belongs to where it is first polled, not to where it was built: a timeout around it covers its tasks.",
        body: || Box::pin(crate::cases::cancel::a_timeout_covers_the_tasks_of_the_group_it_is_given()),
    },
    crate::Case {
        name: "cancel::a_scope_belongs_to_where_it_is_first_polled",
        laws: &["C12"],
        doc: "A scope that was built in one scope and first polled in another belongs to the other alone.",
        body: || Box::pin(crate::cases::cancel::a_scope_belongs_to_where_it_is_first_polled()),
    },
    crate::Case {
        name: "cancel::a_scope_never_moves",
        laws: &["C12"],
        doc: "Once linked a scope never moves: another one that polls it by reference cannot cancel it, its own can.",
        body: || Box::pin(crate::cases::cancel::a_scope_never_moves()),
    },
    crate::Case {
        name: "cancel::a_bound_future_is_not_cut_short_by_those_who_poll_it",
        laws: &["C12"],
        doc: "A bound future belongs to where it was bound, though it is polled by reference elsewhere.",
        body: || Box::pin(crate::cases::cancel::a_bound_future_is_not_cut_short_by_those_who_poll_it()),
    },
    crate::Case {
        name: "cancel::a_bound_group_in_a_stream_belongs_to_its_scope",
        laws: &["C12"],
        doc: "A group kept in a stream, bound in a scope, is covered by that scope and by none that looks at the stream.",
        body: || Box::pin(crate::cases::cancel::a_bound_group_in_a_stream_belongs_to_its_scope()),
    },
    crate::Case {
        name: "cancel::polling_by_reference_is_told",
        laws: &["C12"],
        doc: "A barrier that finds a live unit below it that it cannot drop tells the hook, once.",
        body: || Box::pin(crate::cases::cancel::polling_by_reference_is_told()),
    },
    crate::Case {
        name: "cancel::the_tasks_of_a_group_polled_by_reference_end_with_its_scope",
        laws: &["C12", "C11"],
        doc: "The tasks of a group that was first polled by reference in a timeout end with that timeout.",
        body: || Box::pin(crate::cases::cancel::the_tasks_of_a_group_polled_by_reference_end_with_its_scope()),
    },
    crate::Case {
        name: "cancel::a_future_can_be_dropped_after_any_number_of_polls",
        laws: &["C11", "F1"],
        doc: "Dropped after any number of polls, a future leaves nothing behind when the scope around is over.",
        body: || Box::pin(crate::cases::cancel::a_future_can_be_dropped_after_any_number_of_polls()),
    },
    crate::Case {
        name: "cancel::a_future_can_be_cancelled_after_any_number_of_turns",
        laws: &["C11", "C2"],
        doc: "Cancelled after any number of turns, it leaves nothing behind either.",
        body: || Box::pin(crate::cases::cancel::a_future_can_be_cancelled_after_any_number_of_turns()),
    },
    crate::Case {
        name: "cancel::a_scope_that_moves_to_another_task_is_cancelled_there",
        laws: &["C12", "C1"],
        doc: "A scope that moves to another task half-way is cancelled there.",
        body: || Box::pin(crate::cases::cancel::a_scope_that_moves_to_another_task_is_cancelled_there()),
    },
    crate::Case {
        name: "cancel::a_group_that_moves_half_way_is_drained_there",
        laws: &["C12", "G1"],
        doc: "A group that moves to another task, and to a thread, is drained there.",
        body: || Box::pin(crate::cases::cancel::a_group_that_moves_half_way_is_drained_there()),
    },
    crate::Case {
        name: "cancel::a_scope_that_was_never_polled_stands_nowhere",
        laws: &["C12", "C8"],
        doc: "A scope that was never polled stands nowhere: destructors inside belong to what is around.",
        body: || Box::pin(crate::cases::cancel::a_scope_that_was_never_polled_stands_nowhere()),
    },
    crate::Case {
        name: "cancel::no_request_is_lost_in_a_storm",
        laws: &["C1", "S6"],
        doc: "No request is lost in a storm of requests and shields from other threads.",
        body: || Box::pin(crate::cases::cancel::no_request_is_lost_in_a_storm()),
    },
    crate::Case {
        name: "clean_up::the_clean_up_runs_after_a_body_that_completes",
        laws: &["L1"],
        doc: "The clean-up runs after a body that completed, and the body's value comes out.",
        body: || Box::pin(crate::cases::clean_up::the_clean_up_runs_after_a_body_that_completes()),
    },
    crate::Case {
        name: "clean_up::the_clean_up_runs_after_a_body_that_fails",
        laws: &["L1"],
        doc: "The clean-up runs after a body that failed, and the body's error comes out.",
        body: || Box::pin(crate::cases::clean_up::the_clean_up_runs_after_a_body_that_fails()),
    },
    crate::Case {
        name: "clean_up::the_clean_up_runs_after_a_body_that_is_cancelled",
        laws: &["L1"],
        doc: "The clean-up runs after a body that was cancelled, to its end, and the scope waits for it.",
        body: || Box::pin(crate::cases::clean_up::the_clean_up_runs_after_a_body_that_is_cancelled()),
    },
    crate::Case {
        name: "clean_up::the_clean_up_runs_after_a_body_that_panics",
        laws: &["L1"],
        doc: "The clean-up runs after a body that panicked; then the panic goes on.",
        body: || Box::pin(crate::cases::clean_up::the_clean_up_runs_after_a_body_that_panics()),
    },
    crate::Case {
        name: "clean_up::body_and_clean_up_may_borrow",
        laws: &["L1"],
        doc: "Body and clean-up may borrow, from the same place too, and the body is destroyed before the clean-up begins.",
        body: || Box::pin(crate::cases::clean_up::body_and_clean_up_may_borrow()),
    },
    crate::Case {
        name: "clean_up::the_clean_up_is_shielded",
        laws: &["L1"],
        doc: "In the clean-up nothing is seen of the cancellation that led to it: it may wait, and open groups of its own.",
        body: || Box::pin(crate::cases::clean_up::the_clean_up_is_shielded()),
    },
    crate::Case {
        name: "clean_up::scopes_inside_the_clean_up_act",
        laws: &["L1"],
        doc: "A clean-up's own scopes and timeouts act as ever.",
        body: || Box::pin(crate::cases::clean_up::scopes_inside_the_clean_up_act()),
    },
    crate::Case {
        name: "clean_up::a_body_in_a_cancelled_scope_is_polled_once_and_cleaned_up",
        laws: &["L1"],
        doc: "A body in a scope that was cancelled before still gets its first poll, and its clean-up runs.",
        body: || Box::pin(crate::cases::clean_up::a_body_in_a_cancelled_scope_is_polled_once_and_cleaned_up()),
    },
    crate::Case {
        name: "clean_up::nested_clean_ups_run_from_the_inside_out",
        laws: &["L1"],
        doc: "Nested clean-ups run from the inside out, each once.",
        body: || Box::pin(crate::cases::clean_up::nested_clean_ups_run_from_the_inside_out()),
    },
    crate::Case {
        name: "clean_up::a_clean_up_may_have_a_clean_up",
        laws: &["L1"],
        doc: "A clean-up may have a clean-up.",
        body: || Box::pin(crate::cases::clean_up::a_clean_up_may_have_a_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_cancellation_during_the_clean_up_does_not_take_the_value",
        laws: &["L1"],
        doc: "A scope that is cancelled during the clean-up of a body that had completed still returns the body's value, if nothing suspends after it.",
        body: || Box::pin(crate::cases::clean_up::a_cancellation_during_the_clean_up_does_not_take_the_value()),
    },
    crate::Case {
        name: "clean_up::a_timeout_waits_for_the_clean_up",
        laws: &["L1"],
        doc: "A timeout around waits for the clean-up, and then says that it timed out.",
        body: || Box::pin(crate::cases::clean_up::a_timeout_waits_for_the_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_clean_up_in_a_foreign_join_holds_the_units_around",
        laws: &["L1"],
        doc: "All enclosing units in the task wait for the clean-up, also when it runs in a branch of a foreign combinator.",
        body: || Box::pin(crate::cases::clean_up::a_clean_up_in_a_foreign_join_holds_the_units_around()),
    },
    crate::Case {
        name: "clean_up::a_group_waits_for_the_clean_ups_of_its_tasks",
        laws: &["L1"],
        doc: "A group does not return before the clean-ups of its cancelled tasks are done.",
        body: || Box::pin(crate::cases::clean_up::a_group_waits_for_the_clean_ups_of_its_tasks()),
    },
    crate::Case {
        name: "clean_up::a_failing_sibling_leads_to_clean_ups",
        laws: &["L1"],
        doc: "A failing sibling cancels a task, whose clean-up runs to its end; what fails in its group is in the result.",
        body: || Box::pin(crate::cases::clean_up::a_failing_sibling_leads_to_clean_ups()),
    },
    crate::Case {
        name: "clean_up::a_panic_of_the_body_beats_that_of_the_clean_up",
        laws: &["L1"],
        doc: "A panic of the body beats that of the clean-up, which goes to the hook.",
        body: || Box::pin(crate::cases::clean_up::a_panic_of_the_body_beats_that_of_the_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_panic_of_the_clean_up_comes_out",
        laws: &["L1"],
        doc: "A panic of the clean-up comes out if the body did not panic, whether it completed or was cancelled.",
        body: || Box::pin(crate::cases::clean_up::a_panic_of_the_clean_up_comes_out()),
    },
    crate::Case {
        name: "clean_up::a_clean_up_runs_after_a_destructor_that_panics",
        laws: &["L1"],
        doc: "A panic of the body's destructor is a panic of the body.",
        body: || Box::pin(crate::cases::clean_up::a_clean_up_runs_after_a_destructor_that_panics()),
    },
    crate::Case {
        name: "clean_up::a_clean_up_is_cut_short_when_its_grace_is_over",
        laws: &["L1"],
        doc: "A clean-up that takes longer than its grace is cancelled, the hook hears of it once, and the value is kept.",
        body: || Box::pin(crate::cases::clean_up::a_clean_up_is_cut_short_when_its_grace_is_over()),
    },
    crate::Case {
        name: "clean_up::a_grace_ends_the_clean_up_of_a_cancelled_body",
        laws: &["L1"],
        doc: "The same in a scope that was cancelled, which ends then.",
        body: || Box::pin(crate::cases::clean_up::a_grace_ends_the_clean_up_of_a_cancelled_body()),
    },
    crate::Case {
        name: "clean_up::a_grace_keeps_the_value_in_a_cancelled_scope",
        laws: &["L1"],
        doc: "A value that the body had is kept when the clean-up is cut short, also in a scope that was cancelled meanwhile.",
        body: || Box::pin(crate::cases::clean_up::a_grace_keeps_the_value_in_a_cancelled_scope()),
    },
    crate::Case {
        name: "clean_up::a_clean_up_within_its_grace_is_not_cut_short",
        laws: &["L1"],
        doc: "A clean-up in time is not cut short, and the hook hears nothing.",
        body: || Box::pin(crate::cases::clean_up::a_clean_up_within_its_grace_is_not_cut_short()),
    },
    crate::Case {
        name: "clean_up::the_grace_counts_from_the_start_of_the_clean_up",
        laws: &["L1"],
        doc: "The grace counts from the start of the clean-up, not from the cancellation.",
        body: || Box::pin(crate::cases::clean_up::the_grace_counts_from_the_start_of_the_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_grace_does_not_cut_a_shield_in_the_body_short",
        laws: &["L1", "S1"],
        doc: "A grace does not cut the body short, which may take longer than that to end, under a shield.",
        body: || Box::pin(crate::cases::clean_up::a_grace_does_not_cut_a_shield_in_the_body_short()),
    },
    crate::Case {
        name: "clean_up::a_grace_does_not_cut_a_group_in_the_body_short",
        laws: &["L1", "G1"],
        doc: "The same for a body that takes long to end because it waits for the tasks of its group.",
        body: || Box::pin(crate::cases::clean_up::a_grace_does_not_cut_a_group_in_the_body_short()),
    },
    crate::Case {
        name: "clean_up::a_grace_does_not_break_a_shield_inside_the_clean_up",
        laws: &["L1", "S1"],
        doc: "When the grace is over, a shield inside the clean-up still keeps what is in it.",
        body: || Box::pin(crate::cases::clean_up::a_grace_does_not_break_a_shield_inside_the_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_finally_dropped_during_its_body_tells_the_hook",
        laws: &["L1"],
        doc: "Dropped by foreign code during the body, the clean-up cannot run: the hook hears of it once.",
        body: || Box::pin(crate::cases::clean_up::a_finally_dropped_during_its_body_tells_the_hook()),
    },
    crate::Case {
        name: "clean_up::a_finally_dropped_during_its_clean_up_tells_the_hook",
        laws: &["L1"],
        doc: "Dropped by foreign code during the clean-up, it cannot end: the hook hears of it once.",
        body: || Box::pin(crate::cases::clean_up::a_finally_dropped_during_its_clean_up_tells_the_hook()),
    },
    crate::Case {
        name: "clean_up::a_finally_that_was_never_polled_or_is_done_owes_nothing",
        laws: &["L1"],
        doc: "What was never polled, and what is done, owes nothing when it is dropped.",
        body: || Box::pin(crate::cases::clean_up::a_finally_that_was_never_polled_or_is_done_owes_nothing()),
    },
    crate::Case {
        name: "clean_up::a_detached_clean_up_runs_whenever_it_is_dropped",
        laws: &["L2"],
        doc: "Dropped by foreign code at whatever poll, a detached clean-up runs once if the body had begun; the group around waits for it.",
        body: || Box::pin(crate::cases::clean_up::a_detached_clean_up_runs_whenever_it_is_dropped()),
    },
    crate::Case {
        name: "clean_up::a_detached_clean_up_does_not_run_if_the_body_never_began",
        laws: &["L2"],
        doc: "A detached clean-up whose body never began does not run.",
        body: || Box::pin(crate::cases::clean_up::a_detached_clean_up_does_not_run_if_the_body_never_began()),
    },
    crate::Case {
        name: "clean_up::the_run_waits_for_a_detached_clean_up",
        laws: &["L2"],
        doc: "Outside every group the run waits for a detached clean-up.",
        body: || Box::pin(crate::cases::clean_up::the_run_waits_for_a_detached_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_detached_clean_up_in_a_dropped_group_runs",
        laws: &["L2"],
        doc: "Dropped together with the group that it is in, a detached clean-up still runs, and the next group waits for it.",
        body: || Box::pin(crate::cases::clean_up::a_detached_clean_up_in_a_dropped_group_runs()),
    },
    crate::Case {
        name: "clean_up::a_detached_clean_up_is_awaited_in_place",
        laws: &["L2"],
        doc: "Without a foreign drop the clean-up is awaited in place: the value comes after it, and so does the cancellation.",
        body: || Box::pin(crate::cases::clean_up::a_detached_clean_up_is_awaited_in_place()),
    },
    crate::Case {
        name: "clean_up::nothing_cancels_a_detached_clean_up",
        laws: &["L2"],
        doc: "No cancellation reaches a detached clean-up, not even that of the group that waits for it.",
        body: || Box::pin(crate::cases::clean_up::nothing_cancels_a_detached_clean_up()),
    },
    crate::Case {
        name: "clean_up::the_panic_of_a_detached_clean_up_is_not_lost",
        laws: &["L2"],
        doc: "The panic of a detached clean-up comes out where it is awaited, and goes to the hook after a foreign drop.",
        body: || Box::pin(crate::cases::clean_up::the_panic_of_a_detached_clean_up_is_not_lost()),
    },
    crate::Case {
        name: "clean_up::a_panic_of_the_body_beats_that_of_a_detached_clean_up",
        laws: &["L1", "L2"],
        doc: "The panic of a body beats that of a detached clean-up, too.",
        body: || Box::pin(crate::cases::clean_up::a_panic_of_the_body_beats_that_of_a_detached_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_detached_clean_up_is_cut_short_when_its_grace_is_over",
        laws: &["L1", "L2"],
        doc: "A grace cuts a detached clean-up short as well, awaited or not.",
        body: || Box::pin(crate::cases::clean_up::a_detached_clean_up_is_cut_short_when_its_grace_is_over()),
    },
    crate::Case {
        name: "clean_up::a_detached_clean_up_without_a_runtime_tells_the_hook",
        laws: &["L2", "X4"],
        doc: "A detached clean-up whose runtime has shut down cannot run: the hook hears of it.",
        body: || Box::pin(crate::cases::clean_up::a_detached_clean_up_without_a_runtime_tells_the_hook()),
    },
    crate::Case {
        name: "clean_up::a_bracket_lends_the_resource_and_gives_it_to_the_clean_up",
        laws: &["L3"],
        doc: "The body is lent the resource, and the clean-up gets it by value with what the body has done to it; the body's value comes out.",
        body: || Box::pin(crate::cases::clean_up::a_bracket_lends_the_resource_and_gives_it_to_the_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_bracket_that_is_cancelled_gives_the_resource_to_the_clean_up",
        laws: &["L3"],
        doc: "The clean-up gets the resource also when the body is cancelled, in the middle of a change.",
        body: || Box::pin(crate::cases::clean_up::a_bracket_that_is_cancelled_gives_the_resource_to_the_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_bracket_that_panics_gives_the_resource_to_the_clean_up",
        laws: &["L3"],
        doc: "The clean-up gets the resource also when the body panics, at an `await` or before the first.",
        body: || Box::pin(crate::cases::clean_up::a_bracket_that_panics_gives_the_resource_to_the_clean_up()),
    },
    crate::Case {
        name: "clean_up::a_bracket_that_is_dropped_drops_its_resource",
        laws: &["L3"],
        doc: "A bracket that foreign code drops drops its resource, without its clean-up: the hook hears of it.",
        body: || Box::pin(crate::cases::clean_up::a_bracket_that_is_dropped_drops_its_resource()),
    },
    crate::Case {
        name: "clean_up::a_bracket_runs_in_a_task",
        laws: &["L3"],
        doc: "A bracket is `Send` where its parts are: it runs in tasks, and a cancelled group waits for its clean-up.",
        body: || Box::pin(crate::cases::clean_up::a_bracket_runs_in_a_task()),
    },
    crate::Case {
        name: "context::the_context_is_restored_after_every_poll_and_drop",
        laws: &["X3"],
        doc: "The context is that of the innermost scope in its polls and its destructors, and outside it is that of the outside again.",
        body: || Box::pin(crate::cases::context::the_context_is_restored_after_every_poll_and_drop()),
    },
    crate::Case {
        name: "context::the_context_is_restored_after_a_panic",
        laws: &["X3"],
        doc: "The context is restored after a panic, whatever was around it.",
        body: || Box::pin(crate::cases::context::the_context_is_restored_after_a_panic()),
    },
    crate::Case {
        name: "context::a_foreign_task_sees_no_context",
        laws: &["X3"],
        doc: "A task that the runtime itself polls sees nothing of scopes elsewhere, although it is polled on the same thread.",
        body: || Box::pin(crate::cases::context::a_foreign_task_sees_no_context()),
    },
    crate::Case {
        name: "context::a_task_sees_the_scopes_of_its_group",
        laws: &["X3"],
        doc: "A task sees the scopes around its group, and not those around the code that has spawned it.",
        body: || Box::pin(crate::cases::context::a_task_sees_the_scopes_of_its_group()),
    },
    crate::Case {
        name: "context::another_thread_sees_no_context",
        laws: &["X3"],
        doc: "Other threads see no context, nor do executors that run there.",
        body: || Box::pin(crate::cases::context::another_thread_sees_no_context()),
    },
    crate::Case {
        name: "context::an_executor_inside_a_poll_inherits_the_context",
        laws: &["X3"],
        doc: "An executor that is driven inside a poll inherits the context: its tasks are in the scope.",
        body: || Box::pin(crate::cases::context::an_executor_inside_a_poll_inherits_the_context()),
    },
    crate::Case {
        name: "context::an_entered_runtime_is_current_inside",
        laws: &["X3"],
        doc: "What was entered explicitly is current inside, and what was current before is so again outside.",
        body: || Box::pin(crate::cases::context::an_entered_runtime_is_current_inside()),
    },
    crate::Case {
        name: "context::nothing_keeps_a_runtime_alive_when_all_is_over",
        laws: &["G8"],
        doc: "Once all is over in a runtime, nothing of it is kept alive: not by scopes, groups, starts, shields or clean-ups, whether they have ended well or were cut short.",
        body: || Box::pin(crate::cases::context::nothing_keeps_a_runtime_alive_when_all_is_over()),
    },
    crate::Case {
        name: "context::a_run_inside_a_poll_is_a_clear_error",
        laws: &["X3"],
        doc: "`run` inside a poll of ours is a clear error, wherever that is, and leaves the context as it was.",
        body: || Box::pin(crate::cases::context::a_run_inside_a_poll_is_a_clear_error()),
    },
    crate::Case {
        name: "context::run_and_block_on_inside_a_poll_say_what_to_do_instead",
        laws: &["X3"],
        doc: "The panics of `run` and `block_on` inside a poll of ours say what to do instead.",
        body: || Box::pin(crate::cases::context::run_and_block_on_inside_a_poll_say_what_to_do_instead()),
    },
    crate::Case {
        name: "context::a_run_inside_a_destructor_is_a_clear_error",
        laws: &["X3"],
        doc: "`run` inside a destructor that runs in a poll is a clear error too.",
        body: || Box::pin(crate::cases::context::a_run_inside_a_destructor_is_a_clear_error()),
    },
    crate::Case {
        name: "context::a_run_inside_a_foreign_task_works_or_is_a_clear_error",
        laws: &["X3"],
        doc: "In a task of the runtime's own a `run` either works or says that it cannot: the runtime's own panic never comes out.",
        body: || Box::pin(crate::cases::context::a_run_inside_a_foreign_task_works_or_is_a_clear_error()),
    },
    crate::Case {
        name: "context::a_run_on_a_blocking_thread_works",
        laws: &["X3"],
        doc: "`run` works on threads where blocking is allowed, and on plain threads, while another run goes on.",
        body: || Box::pin(crate::cases::context::a_run_on_a_blocking_thread_works()),
    },
    crate::Case {
        name: "context::a_cancellation_reaches_what_a_nested_executor_runs",
        laws: &["X1"],
        doc: "In a foreign `block_on` inside a task a requested cancellation reaches the scopes, groups and waits in there.",
        body: || Box::pin(crate::cases::context::a_cancellation_reaches_what_a_nested_executor_runs()),
    },
    crate::Case {
        name: "context::a_task_that_spawn_drops_ends_by_shutdown",
        laws: &["X4"],
        doc: "Where the runtime drops a task inside the call of spawn, its handle and its group say that it has shut down, and the hook hears of it.",
        body: || Box::pin(crate::cases::context::a_task_that_spawn_drops_ends_by_shutdown()),
    },
    crate::Case {
        name: "context::a_cancelled_task_that_never_ran_reaches_the_hook",
        laws: &["X4"],
        doc: "The hook hears of a task that the runtime dropped before it began also when the task was cancelled already.",
        body: || Box::pin(crate::cases::context::a_cancelled_task_that_never_ran_reaches_the_hook()),
    },
    crate::Case {
        name: "context::a_start_whose_task_spawn_drops_ends_by_shutdown",
        laws: &["X4"],
        doc: "Where the runtime drops the task of a start, the start says that it has shut down.",
        body: || Box::pin(crate::cases::context::a_start_whose_task_spawn_drops_ends_by_shutdown()),
    },
    crate::Case {
        name: "context::protected_work_that_spawn_drops_cancels_who_waits_for_it",
        laws: &["X4"],
        doc: "Where the runtime drops protected work, the code that waits for it is cancelled for that reason.",
        body: || Box::pin(crate::cases::context::protected_work_that_spawn_drops_cancels_who_waits_for_it()),
    },
    crate::Case {
        name: "context::protected_work_that_spawn_drops_may_be_polled_on",
        laws: &["X4"],
        doc: "The same where something holds the code that waits for it, so that it is polled on until it can be dropped.",
        body: || Box::pin(crate::cases::context::protected_work_that_spawn_drops_may_be_polled_on()),
    },
    crate::Case {
        name: "context::a_destructor_inside_spawn_may_do_what_it_likes",
        laws: &["X4"],
        doc: "No lock is held while the backend's spawn runs: a destructor that runs in there may do whatever it likes.",
        body: || Box::pin(crate::cases::context::a_destructor_inside_spawn_may_do_what_it_likes()),
    },
    crate::Case {
        name: "context::the_hook_may_spawn_and_cancel",
        laws: &["X4"],
        doc: "The hook may use anyio: it is called with no lock held.",
        body: || Box::pin(crate::cases::context::the_hook_may_spawn_and_cancel()),
    },
    crate::Case {
        name: "context::a_group_elsewhere_ends_when_its_runtime_shuts_down",
        laws: &["X4"],
        doc: "A runtime that shuts down under a live group ends its tasks, and the group that is awaited elsewhere ends with that reason, whatever its body waits for. (One that never shuts down goes on.)",
        body: || Box::pin(crate::cases::context::a_group_elsewhere_ends_when_its_runtime_shuts_down()),
    },
    crate::Case {
        name: "context::a_draining_group_ends_when_its_runtime_shuts_down",
        laws: &["X4"],
        doc: "A group that waits at its end for tasks of a runtime that shuts down ends as well, with the destructors of its tasks run.",
        body: || Box::pin(crate::cases::context::a_draining_group_ends_when_its_runtime_shuts_down()),
    },
    crate::Case {
        name: "context::deadlines_act_after_the_runtime_has_shut_down",
        laws: &["X4"],
        doc: "A scope around a group of a runtime that shuts down does not take it for its own cancellation, and its own deadline still acts.",
        body: || Box::pin(crate::cases::context::deadlines_act_after_the_runtime_has_shut_down()),
    },
    crate::Case {
        name: "context::a_group_elsewhere_ends_with_the_run_that_it_is_in",
        laws: &["X4"],
        doc: "A group that another thread awaits in a run ends with the run, for that reason; nothing of it is left.",
        body: || Box::pin(crate::cases::context::a_group_elsewhere_ends_with_the_run_that_it_is_in()),
    },
    crate::Case {
        name: "context::handles_and_groups_that_leave_the_run_are_at_their_end",
        laws: &["X4"],
        doc: "Handles that leave the run tell why their tasks have ended, and groups that leave it have closed.",
        body: || Box::pin(crate::cases::context::handles_and_groups_that_leave_the_run_are_at_their_end()),
    },
    crate::Case {
        name: "context::spawning_after_the_runtime_has_shut_down_tells_the_hook",
        laws: &["X4"],
        doc: "Spawning on a runtime that has shut down ends the task at once and tells the hook. (One that never shuts down runs it.)",
        body: || Box::pin(crate::cases::context::spawning_after_the_runtime_has_shut_down_tells_the_hook()),
    },
    crate::Case {
        name: "context::loops_of_checkpoints_yield",
        laws: &["X5"],
        doc: "Loops of checkpoints are cancellable and let others run.",
        body: || Box::pin(crate::cases::context::loops_of_checkpoints_yield()),
    },
    crate::Case {
        name: "context::loops_of_sleeps_without_length_yield",
        laws: &["X5"],
        doc: "Loops of sleeps that are over before they begin are cancellable and let others run.",
        body: || Box::pin(crate::cases::context::loops_of_sleeps_without_length_yield()),
    },
    crate::Case {
        name: "context::loops_of_waits_for_a_set_event_yield",
        laws: &["X5"],
        doc: "Loops of waits for an event that has happened are cancellable and let others run.",
        body: || Box::pin(crate::cases::context::loops_of_waits_for_a_set_event_yield()),
    },
    crate::Case {
        name: "context::loops_of_ready_scopes_and_timeouts_yield",
        laws: &["X5"],
        doc: "Loops of scopes and timeouts around ready futures are cancellable and let others run.",
        body: || Box::pin(crate::cases::context::loops_of_ready_scopes_and_timeouts_yield()),
    },
    crate::Case {
        name: "context::loops_of_ready_groups_yield",
        laws: &["X5"],
        doc: "Loops of groups that are done at once are cancellable and let others run.",
        body: || Box::pin(crate::cases::context::loops_of_ready_groups_yield()),
    },
    crate::Case {
        name: "context::loops_of_ready_shields_and_clean_ups_yield",
        laws: &["X5"],
        doc: "Loops of shields and clean-ups around ready futures are cancellable and let others run.",
        body: || Box::pin(crate::cases::context::loops_of_ready_shields_and_clean_ups_yield()),
    },
    crate::Case {
        name: "context::loops_of_shields_are_cancellable_however_long_a_turn_is",
        laws: &["X5"],
        doc: "A loop is cancellable between its shields however much is done under each of them: it does not matter where in a turn it happens to step aside.",
        body: || Box::pin(crate::cases::context::loops_of_shields_are_cancellable_however_long_a_turn_is()),
    },
    crate::Case {
        name: "context::loops_of_overdue_ticks_yield",
        laws: &["X5"],
        doc: "Loops of ticks that are overdue are cancellable and let others run.",
        body: || Box::pin(crate::cases::context::loops_of_overdue_ticks_yield()),
    },
    crate::Case {
        name: "context::awaiting_many_finished_handles_yields",
        laws: &["X5"],
        doc: "Awaiting many handles of tasks that have finished yields from time to time.",
        body: || Box::pin(crate::cases::context::awaiting_many_finished_handles_yields()),
    },
    crate::Case {
        name: "deadlines::a_deadline_that_passes_cancels_its_scope",
        laws: &["D1"],
        doc: "A deadline that passes cancels its scope, for that reason.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_that_passes_cancels_its_scope()),
    },
    crate::Case {
        name: "deadlines::the_deadline_of_a_group_cancels_its_tasks",
        laws: &["D1"],
        doc: "The deadline of a group's scope cancels its tasks and its body.",
        body: || Box::pin(crate::cases::deadlines::the_deadline_of_a_group_cancels_its_tasks()),
    },
    crate::Case {
        name: "deadlines::a_relative_limit_counts_from_the_first_poll",
        laws: &["D1"],
        doc: "A relative limit counts from the first poll, not from where the future was built.",
        body: || Box::pin(crate::cases::deadlines::a_relative_limit_counts_from_the_first_poll()),
    },
    crate::Case {
        name: "deadlines::the_limit_counts_from_before_the_first_poll",
        laws: &["D1"],
        doc: "The time is read before the first poll, so a body that takes long over it has that much less left.",
        body: || Box::pin(crate::cases::deadlines::the_limit_counts_from_before_the_first_poll()),
    },
    crate::Case {
        name: "deadlines::nothing_is_ever_early",
        laws: &["D2"],
        doc: "No sleeper and no timeout is early on the clock of the runtime, however many there are.",
        body: || Box::pin(crate::cases::deadlines::nothing_is_ever_early()),
    },
    crate::Case {
        name: "deadlines::a_body_that_finishes_late_without_suspending_has_finished",
        laws: &["D2"],
        doc: "A body that finishes late, without suspending, has finished: with its value, in whatever kind of scope.",
        body: || Box::pin(crate::cases::deadlines::a_body_that_finishes_late_without_suspending_has_finished()),
    },
    crate::Case {
        name: "deadlines::a_group_that_ends_late_by_itself_is_cut_short_but_waited_for",
        laws: &["D2"],
        doc: "The value is kept although the time runs out while a group inside is still waiting for its tasks.",
        body: || Box::pin(crate::cases::deadlines::a_group_that_ends_late_by_itself_is_cut_short_but_waited_for()),
    },
    crate::Case {
        name: "deadlines::a_passed_deadline_is_noticed_at_the_next_suspension",
        laws: &["D3"],
        doc: "A deadline that has passed while the thread was busy is noticed by the poll, at the next suspension.",
        body: || Box::pin(crate::cases::deadlines::a_passed_deadline_is_noticed_at_the_next_suspension()),
    },
    crate::Case {
        name: "deadlines::a_passed_deadline_is_noticed_by_asking",
        laws: &["D3"],
        doc: "A deadline that has passed is noticed by whoever asks, and then it is there for all inside.",
        body: || Box::pin(crate::cases::deadlines::a_passed_deadline_is_noticed_by_asking()),
    },
    crate::Case {
        name: "deadlines::a_deadline_that_is_moved_before_it_is_noticed_never_fired",
        laws: &["D3"],
        doc: "A deadline that was moved to the future before anybody noticed it never fired.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_that_is_moved_before_it_is_noticed_never_fired()),
    },
    crate::Case {
        name: "deadlines::a_deadline_that_is_moved_later_or_removed_does_not_act_at_its_old_time",
        laws: &["D3"],
        doc: "A deadline that is moved later, or removed, while the scope runs does not act at its old time.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_that_is_moved_later_or_removed_does_not_act_at_its_old_time()),
    },
    crate::Case {
        name: "deadlines::a_deadline_that_is_moved_later_acts_at_its_new_time",
        laws: &["D3"],
        doc: "A deadline that is moved later acts at its new time.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_that_is_moved_later_acts_at_its_new_time()),
    },
    crate::Case {
        name: "deadlines::an_earlier_deadline_from_another_thread_acts_on_a_sleeper",
        laws: &["D3"],
        doc: "An earlier deadline that is set from another thread acts at once, also while the body is asleep.",
        body: || Box::pin(crate::cases::deadlines::an_earlier_deadline_from_another_thread_acts_on_a_sleeper()),
    },
    crate::Case {
        name: "deadlines::a_deadline_that_has_fired_cannot_be_revived",
        laws: &["D3"],
        doc: "A deadline that has fired cannot be revived, neither by moving it nor by removing it.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_that_has_fired_cannot_be_revived()),
    },
    crate::Case {
        name: "deadlines::of_several_edits_at_once_the_one_that_counts_acts",
        laws: &["D3"],
        doc: "Whatever several threads set at the same time, the deadline that the scope then has is the one that acts.",
        body: || Box::pin(crate::cases::deadlines::of_several_edits_at_once_the_one_that_counts_acts()),
    },
    crate::Case {
        name: "deadlines::a_deadline_means_nothing_once_the_scope_is_over",
        laws: &["D3"],
        doc: "Once a scope is over its deadline means nothing any more.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_means_nothing_once_the_scope_is_over()),
    },
    crate::Case {
        name: "deadlines::the_deadline_in_effect_is_the_earliest_around",
        laws: &["D4"],
        doc: "The deadline in effect is the earliest of all scopes around, also of those around the group of a task.",
        body: || Box::pin(crate::cases::deadlines::the_deadline_in_effect_is_the_earliest_around()),
    },
    crate::Case {
        name: "deadlines::the_deadline_in_effect_ends_at_the_nearest_shield",
        laws: &["D4"],
        doc: "A shield ends the look outward; if it is a scope with a deadline of its own, that one counts.",
        body: || Box::pin(crate::cases::deadlines::the_deadline_in_effect_ends_at_the_nearest_shield()),
    },
    crate::Case {
        name: "deadlines::already_cancelled_is_an_answer_of_its_own",
        laws: &["D4"],
        doc: "\"Already cancelled\" is an answer of its own, and hidden by a shield like any other.",
        body: || Box::pin(crate::cases::deadlines::already_cancelled_is_an_answer_of_its_own()),
    },
    crate::Case {
        name: "deadlines::a_deadline_acts_on_a_body_that_is_woken_without_pause",
        laws: &["D5"],
        doc: "A deadline acts on a body that wakes itself without pause, in the body of a scope as in a task.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_acts_on_a_body_that_is_woken_without_pause()),
    },
    crate::Case {
        name: "deadlines::a_deadline_acts_although_its_future_is_not_polled",
        laws: &["D5"],
        doc: "A deadline cancels the tasks inside on time, although the future around them is not being polled.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_acts_although_its_future_is_not_polled()),
    },
    crate::Case {
        name: "deadlines::a_deadline_acts_although_its_future_has_moved_to_another_task",
        laws: &["D5"],
        doc: "A deadline acts although its future has moved to another task since it was armed.",
        body: || Box::pin(crate::cases::deadlines::a_deadline_acts_although_its_future_has_moved_to_another_task()),
    },
    crate::Case {
        name: "deadlines::a_sleeper_may_move_to_another_task",
        laws: &["D5"],
        doc: "A sleeper may move to another task as well.",
        body: || Box::pin(crate::cases::deadlines::a_sleeper_may_move_to_another_task()),
    },
    crate::Case {
        name: "deadlines::ten_thousand_timeouts_run_out_at_once",
        laws: &["D5"],
        doc: "Ten thousand timeouts of one task that run out at once all do.",
        body: || Box::pin(crate::cases::deadlines::ten_thousand_timeouts_run_out_at_once()),
    },
    crate::Case {
        name: "deadlines::timeouts_that_end_do_not_stop_others",
        laws: &["D5"],
        doc: "A timeout that is done, and one that is dropped, do not stop others from running out.",
        body: || Box::pin(crate::cases::deadlines::timeouts_that_end_do_not_stop_others()),
    },
    crate::Case {
        name: "deadlines::of_nested_timeouts_the_one_that_was_the_cause_reports",
        laws: &["D6"],
        doc: "Of nested timeouts the one whose time was up reports, and code between them runs accordingly.",
        body: || Box::pin(crate::cases::deadlines::of_nested_timeouts_the_one_that_was_the_cause_reports()),
    },
    crate::Case {
        name: "deadlines::of_equal_deadlines_the_outermost_reports",
        laws: &["D6"],
        doc: "Of equal deadlines the outermost reports.",
        body: || Box::pin(crate::cases::deadlines::of_equal_deadlines_the_outermost_reports()),
    },
    crate::Case {
        name: "deadlines::of_equal_deadlines_the_one_around_the_group_reports",
        laws: &["D6"],
        doc: "Of equal deadlines around a group and in its task the one around the group reports.",
        body: || Box::pin(crate::cases::deadlines::of_equal_deadlines_the_one_around_the_group_reports()),
    },
    crate::Case {
        name: "deadlines::of_deadlines_noticed_by_a_task_the_one_around_the_group_reports",
        laws: &["D6"],
        doc: "The same if the task notices that the time is up before any timer does.",
        body: || Box::pin(crate::cases::deadlines::of_deadlines_noticed_by_a_task_the_one_around_the_group_reports()),
    },
    crate::Case {
        name: "deadlines::a_shield_keeps_equal_deadlines_apart",
        laws: &["D6", "S1"],
        doc: "Of equal deadlines with a shield between them the inner one reports, and the outer one after the shield.",
        body: || Box::pin(crate::cases::deadlines::a_shield_keeps_equal_deadlines_apart()),
    },
    crate::Case {
        name: "deadlines::of_deadlines_noticed_in_one_poll_the_outermost_reports",
        laws: &["D6"],
        doc: "Of deadlines that are noticed in one poll the outermost reports, although the inner one was earlier.",
        body: || Box::pin(crate::cases::deadlines::of_deadlines_noticed_in_one_poll_the_outermost_reports()),
    },
    crate::Case {
        name: "deadlines::an_outer_deadline_comes_first_until_the_inner_scope_reports",
        laws: &["D6"],
        doc: "The outer deadline comes first also if it passes later, as long as the inner scope could not report yet.",
        body: || Box::pin(crate::cases::deadlines::an_outer_deadline_comes_first_until_the_inner_scope_reports()),
    },
    crate::Case {
        name: "deadlines::a_cancellation_outside_beats_a_timeout_inside",
        laws: &["D6"],
        doc: "A cancellation outside beats a timeout inside that runs out in the same poll.",
        body: || Box::pin(crate::cases::deadlines::a_cancellation_outside_beats_a_timeout_inside()),
    },
    crate::Case {
        name: "deadlines::a_timeout_does_not_report_the_deadline_of_another",
        laws: &["D7"],
        doc: "A scope inside a timeout that runs out by its own deadline is no timeout of the outer one.",
        body: || Box::pin(crate::cases::deadlines::a_timeout_does_not_report_the_deadline_of_another()),
    },
    crate::Case {
        name: "deadlines::a_timeout_does_not_report_a_cancellation",
        laws: &["D7"],
        doc: "A timeout does not report a cancellation: it is dropped with the code around it.",
        body: || Box::pin(crate::cases::deadlines::a_timeout_does_not_report_a_cancellation()),
    },
    crate::Case {
        name: "deadlines::a_timeout_that_was_carried_out_of_its_group_does_not_report_that",
        laws: &["D7"],
        doc: "A timeout that outlives the group it was first polled in does not report the end of that group.",
        body: || Box::pin(crate::cases::deadlines::a_timeout_that_was_carried_out_of_its_group_does_not_report_that()),
    },
    crate::Case {
        name: "deadlines::a_timeout_under_a_held_scope_runs_out",
        laws: &["D7"],
        doc: "A timeout under a cancelled scope that a foreign sibling's shield holds runs out, and the shield may wait for it.",
        body: || Box::pin(crate::cases::deadlines::a_timeout_under_a_held_scope_runs_out()),
    },
    crate::Case {
        name: "deadlines::timeouts_in_a_stream_under_a_held_scope_run_out",
        laws: &["D7"],
        doc: "The same under a stream that polls a woken branch again within one poll.",
        body: || Box::pin(crate::cases::deadlines::timeouts_in_a_stream_under_a_held_scope_run_out()),
    },
    crate::Case {
        name: "deadlines::zero_and_past_leave_one_poll",
        laws: &["D7"],
        doc: "Limits of zero and deadlines in the past leave one poll: what is ready has its value, all else times out.",
        body: || Box::pin(crate::cases::deadlines::zero_and_past_leave_one_poll()),
    },
    crate::Case {
        name: "deadlines::the_longest_duration_is_no_limit",
        laws: &["D7"],
        doc: "`Duration::MAX` is no limit.",
        body: || Box::pin(crate::cases::deadlines::the_longest_duration_is_no_limit()),
    },
    crate::Case {
        name: "deadlines::sleeping_for_no_time_yields_exactly_once",
        laws: &["D8"],
        doc: "Sleeping for no time, or until a time that is past, yields exactly once, and so does a checkpoint.",
        body: || Box::pin(crate::cases::deadlines::sleeping_for_no_time_yields_exactly_once()),
    },
    crate::Case {
        name: "deadlines::sleeping_for_no_time_yields_once_however_busy_the_task_was",
        laws: &["D8", "X5"],
        doc: "It yields exactly once as well if the task has done so much before that it was about to step aside anyway.",
        body: || Box::pin(crate::cases::deadlines::sleeping_for_no_time_yields_once_however_busy_the_task_was()),
    },
    crate::Case {
        name: "deadlines::the_first_tick_is_at_once",
        laws: &["D8"],
        doc: "The first tick is at once, and the others are a period apart.",
        body: || Box::pin(crate::cases::deadlines::the_first_tick_is_at_once()),
    },
    crate::Case {
        name: "deadlines::missed_ticks_come_in_a_burst",
        laws: &["D8"],
        doc: "Ticks that were missed are made up for by a burst.",
        body: || Box::pin(crate::cases::deadlines::missed_ticks_come_in_a_burst()),
    },
    crate::Case {
        name: "deadlines::after_missed_ticks_the_pace_may_be_counted_anew",
        laws: &["D8"],
        doc: "With `Delay` the period after a tick that was missed counts from when that tick was taken.",
        body: || Box::pin(crate::cases::deadlines::after_missed_ticks_the_pace_may_be_counted_anew()),
    },
    crate::Case {
        name: "deadlines::missed_ticks_may_be_left_out",
        laws: &["D8"],
        doc: "With `Skip` missed ticks are left out, and the next one is the first in the future that fits the old schedule.",
        body: || Box::pin(crate::cases::deadlines::missed_ticks_may_be_left_out()),
    },
    crate::Case {
        name: "deadlines::a_tick_that_was_dropped_comes_again",
        laws: &["D8"],
        doc: "A tick that was dropped half-way comes again.",
        body: || Box::pin(crate::cases::deadlines::a_tick_that_was_dropped_comes_again()),
    },
    crate::Case {
        name: "deadlines::the_longest_interval_ticks_once",
        laws: &["D7", "D8"],
        doc: "The ticks of an interval of `Duration::MAX` are one.",
        body: || Box::pin(crate::cases::deadlines::the_longest_interval_ticks_once()),
    },
    crate::Case {
        name: "deadlines::loops_that_yield_give_way",
        laws: &["X5"],
        doc: "A loop of checkpoints, or of sleeps for no time, lets timers fire and can be cancelled.",
        body: || Box::pin(crate::cases::deadlines::loops_that_yield_give_way()),
    },
    crate::Case {
        name: "deadlines::a_loop_of_overdue_ticks_gives_way",
        laws: &["X5"],
        doc: "A loop of ticks that are all overdue lets timers fire and can be cancelled.",
        body: || Box::pin(crate::cases::deadlines::a_loop_of_overdue_ticks_gives_way()),
    },
    crate::Case {
        name: "deadlines::a_loop_of_timeouts_that_are_ready_gives_way",
        laws: &["X5"],
        doc: "A loop of timeouts and shields around what is ready at once lets timers fire and can be cancelled.",
        body: || Box::pin(crate::cases::deadlines::a_loop_of_timeouts_that_are_ready_gives_way()),
    },
    crate::Case {
        name: "deadlines::the_clock_does_not_run_backwards",
        laws: &["D2"],
        doc: "The clock does not run backwards, whichever thread it is asked on.",
        body: || Box::pin(crate::cases::deadlines::the_clock_does_not_run_backwards()),
    },
    crate::Case {
        name: "deadlines::a_timer_that_has_fired_says_so_until_it_is_moved",
        laws: &["D2", "D3"],
        doc: "A timer of the runtime's that has fired says so until it is moved, and then it is not early.",
        body: || Box::pin(crate::cases::deadlines::a_timer_that_has_fired_says_so_until_it_is_moved()),
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
        doc: "What a dropped group's task still does under a shield is waited for.",
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
        name: "foreign_drop::a_group_forgotten_together_with_its_scope_is_waited_for",
        laws: &["F2"],
        doc: "A forgotten scope or timeout around a group does not hide the group's tasks from the next barrier.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_forgotten_together_with_its_scope_is_waited_for()),
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
        name: "foreign_drop::no_tree_of_futures_leaves_a_task_behind",
        laws: &["F1", "F2"],
        doc: "Whatever a tree of groups, scopes, timeouts, shields, starts and clean-ups looks like, and wherever parts of it are dropped, forgotten or cancelled, no task is left behind when the scope around is over.",
        body: || Box::pin(crate::cases::foreign_drop::no_tree_of_futures_leaves_a_task_behind()),
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
        name: "foreign_drop::a_graced_finally_forgotten_in_a_cancelled_scope_holds_for_its_grace",
        laws: &["F5"],
        doc: "The same when the scope was cancelled before.",
        body: || Box::pin(crate::cases::foreign_drop::a_graced_finally_forgotten_in_a_cancelled_scope_holds_for_its_grace()),
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
        name: "foreign_drop::the_hook_hears_once_of_a_barrier_that_a_forgotten_shield_holds",
        laws: &["F2", "F5"],
        doc: "The end of a scope waits for a task that a forgotten shield keeps from being cancelled, and the hook hears of that once.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_hears_once_of_a_barrier_that_a_forgotten_shield_holds()),
    },
    crate::Case {
        name: "foreign_drop::the_hook_hears_of_a_cancelled_scope_that_waits_too_long",
        laws: &["F5"],
        doc: "The hook hears of a cancelled scope that waits too long for a clean-up, and the scope still waits for it.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_hears_of_a_cancelled_scope_that_waits_too_long()),
    },
    crate::Case {
        name: "foreign_drop::the_hook_hears_once_of_nested_scopes_that_wait_too_long",
        laws: &["F5"],
        doc: "Of a cancelled scope that waits too long the hook hears once, however many scopes, timeouts and groups are inside it around what it waits for.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_hears_once_of_nested_scopes_that_wait_too_long()),
    },
    crate::Case {
        name: "foreign_drop::the_hook_hears_once_of_a_task_and_once_of_the_scope_around",
        laws: &["F5"],
        doc: "The hook hears of a task that was cancelled and waits too long, and of the scope around its group, once each.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_hears_once_of_a_task_and_once_of_the_scope_around()),
    },
    crate::Case {
        name: "foreign_drop::a_group_dropped_by_its_own_task_leaves_nothing_behind",
        laws: &["F1", "F2"],
        doc: "A group whose future is dropped by one of its own tasks cancels them all, that one as well.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_dropped_by_its_own_task_leaves_nothing_behind()),
    },
    crate::Case {
        name: "foreign_drop::a_group_dropped_by_a_thread_local_destructor_cancels_its_tasks",
        laws: &["F1", "F2"],
        doc: "A group that a thread leaves to its thread-local destructors cancels its tasks.",
        body: || Box::pin(crate::cases::foreign_drop::a_group_dropped_by_a_thread_local_destructor_cancels_its_tasks()),
    },
    crate::Case {
        name: "foreign_drop::the_hook_does_not_hear_of_scopes_that_are_not_stalled",
        laws: &["F5"],
        doc: "The hook does not hear of a scope that was not cancelled, however long it is shielded, nor of one that is over before its patience is.",
        body: || Box::pin(crate::cases::foreign_drop::the_hook_does_not_hear_of_scopes_that_are_not_stalled()),
    },
    crate::Case {
        name: "groups::nothing_of_a_random_tree_is_alive_when_it_returns",
        laws: &["G1", "G2"],
        doc: "A thousand random trees of groups fail, are cancelled and are dropped half-way, and nothing of them is alive when they return.",
        body: || Box::pin(crate::cases::groups::nothing_of_a_random_tree_is_alive_when_it_returns()),
    },
    crate::Case {
        name: "groups::a_task_is_dropped_to_its_end_before_its_group_returns",
        laws: &["G1"],
        doc: "A task counts until its last destructor has run.",
        body: || Box::pin(crate::cases::groups::a_task_is_dropped_to_its_end_before_its_group_returns()),
    },
    crate::Case {
        name: "groups::orphans_below_a_task_are_gone_when_the_group_returns",
        laws: &["G1"],
        doc: "The tasks of a group that foreign code dropped inside a task are waited for by the group of that task.",
        body: || Box::pin(crate::cases::groups::orphans_below_a_task_are_gone_when_the_group_returns()),
    },
    crate::Case {
        name: "groups::a_blocking_job_is_waited_for",
        laws: &["G1"],
        doc: "A blocking job runs to its end although its group is cancelled, and the group waits for it.",
        body: || Box::pin(crate::cases::groups::a_blocking_job_is_waited_for()),
    },
    crate::Case {
        name: "groups::a_blocking_job_that_never_ran_is_dropped_before_it_is_counted_out",
        laws: &["G1", "W4"],
        doc: "A blocking job that its runtime drops unrun counts until what it has captured is dropped; the hook hears of it, and of a destructor that panics then.",
        body: || Box::pin(crate::cases::groups::a_blocking_job_that_never_ran_is_dropped_before_it_is_counted_out()),
    },
    crate::Case {
        name: "groups::a_blocking_job_fails_like_a_task",
        laws: &["G2"],
        doc: "The failure of a blocking job, and its panic, are those of a task.",
        body: || Box::pin(crate::cases::groups::a_blocking_job_fails_like_a_task()),
    },
    crate::Case {
        name: "groups::the_first_failure_cancels_the_rest",
        laws: &["G2"],
        doc: "The first failure cancels the other tasks and the body, and they are told which task it was.",
        body: || Box::pin(crate::cases::groups::the_first_failure_cancels_the_rest()),
    },
    crate::Case {
        name: "groups::of_many_failures_one_is_the_first",
        laws: &["G2", "C5"],
        doc: "Of many tasks that fail at the same time one is the first: it alone is not secondary, and it is the one that the others were cancelled for.",
        body: || Box::pin(crate::cases::groups::of_many_failures_one_is_the_first()),
    },
    crate::Case {
        name: "groups::errors_come_in_the_order_of_completion_with_name_and_place",
        laws: &["G2"],
        doc: "Errors come in the order in which the tasks ended, with their names and where they were spawned.",
        body: || Box::pin(crate::cases::groups::errors_come_in_the_order_of_completion_with_name_and_place()),
    },
    crate::Case {
        name: "groups::what_fails_after_the_first_failure_is_secondary",
        laws: &["G2"],
        doc: "What fails after the first failure is secondary, the body too.",
        body: || Box::pin(crate::cases::groups::what_fails_after_the_first_failure_is_secondary()),
    },
    crate::Case {
        name: "groups::what_fails_after_the_groups_cancellation_is_secondary",
        laws: &["G2"],
        doc: "What fails after the group was cancelled is secondary, even if it is the first to fail.",
        body: || Box::pin(crate::cases::groups::what_fails_after_the_groups_cancellation_is_secondary()),
    },
    crate::Case {
        name: "groups::what_fails_after_an_outer_cancellation_is_secondary",
        laws: &["G2", "G3"],
        doc: "What fails after a scope around was cancelled is secondary, whether it is a task or the body.",
        body: || Box::pin(crate::cases::groups::what_fails_after_an_outer_cancellation_is_secondary()),
    },
    crate::Case {
        name: "groups::the_error_of_the_body_cancels_the_tasks",
        laws: &["G2"],
        doc: "The error of the body cancels the tasks, which are told so.",
        body: || Box::pin(crate::cases::groups::the_error_of_the_body_cancels_the_tasks()),
    },
    crate::Case {
        name: "groups::a_group_that_failed_waits_for_all",
        laws: &["G2"],
        doc: "The group waits for all, also after a failure.",
        body: || Box::pin(crate::cases::groups::a_group_that_failed_waits_for_all()),
    },
    crate::Case {
        name: "groups::cancelled_tasks_are_no_errors",
        laws: &["G2"],
        doc: "Tasks that are cut short are no errors, however many there are and whatever the cause.",
        body: || Box::pin(crate::cases::groups::cancelled_tasks_are_no_errors()),
    },
    crate::Case {
        name: "groups::a_panic_in_a_destructor_is_its_tasks",
        laws: &["G2", "G9"],
        doc: "A destructor that panics is its task's panic, when the task completes and when it is cut short.",
        body: || Box::pin(crate::cases::groups::a_panic_in_a_destructor_is_its_tasks()),
    },
    crate::Case {
        name: "groups::a_panic_in_the_destructor_of_an_unwanted_value_is_its_tasks",
        laws: &["G2", "G8"],
        doc: "A panic in the destructor of a value that nobody wants is the panic of its task.",
        body: || Box::pin(crate::cases::groups::a_panic_in_the_destructor_of_an_unwanted_value_is_its_tasks()),
    },
    crate::Case {
        name: "groups::a_second_panic_of_a_task_goes_to_the_hook",
        laws: &["G2", "G9"],
        doc: "A future that panics, and panics again as it is dropped, loses neither: the second goes to the hook.",
        body: || Box::pin(crate::cases::groups::a_second_panic_of_a_task_goes_to_the_hook()),
    },
    crate::Case {
        name: "groups::many_tasks_fail_as_fast_as_few",
        laws: &["G2"],
        doc: "A group of more than thirty tasks fails at once: it does not matter how many are waited for.",
        body: || Box::pin(crate::cases::groups::many_tasks_fail_as_fast_as_few()),
    },
    crate::Case {
        name: "groups::a_group_in_which_nothing_went_wrong_returns_the_value",
        laws: &["G3"],
        doc: "The value of the body is returned when nothing failed and nothing was cut short from outside.",
        body: || Box::pin(crate::cases::groups::a_group_in_which_nothing_went_wrong_returns_the_value()),
    },
    crate::Case {
        name: "groups::a_task_cut_short_from_outside_means_no_value",
        laws: &["G3"],
        doc: "A task that was cut short by a cause from outside takes the place of the value, although the body completed.",
        body: || Box::pin(crate::cases::groups::a_task_cut_short_from_outside_means_no_value()),
    },
    crate::Case {
        name: "groups::the_outer_reason_beats_the_groups_own",
        laws: &["G3", "C4"],
        doc: "Without errors the outer reason is told, also if the group's own cancellation came first.",
        body: || Box::pin(crate::cases::groups::the_outer_reason_beats_the_groups_own()),
    },
    crate::Case {
        name: "groups::a_group_cut_short_from_outside_offers_itself_first",
        laws: &["G3", "C4"],
        doc: "A group that was cut short from outside, without errors, is dropped there: code after it does not run.",
        body: || Box::pin(crate::cases::groups::a_group_cut_short_from_outside_offers_itself_first()),
    },
    crate::Case {
        name: "groups::errors_beat_an_outer_cancellation_and_split_gives_both",
        laws: &["G3"],
        doc: "Errors beat an outer cancellation; the code after the group gets them, and both can be told apart.",
        body: || Box::pin(crate::cases::groups::errors_beat_an_outer_cancellation_and_split_gives_both()),
    },
    crate::Case {
        name: "groups::errors_beat_a_timeout",
        laws: &["G3", "D7"],
        doc: "Errors beat a timeout around the group too: a value is a value.",
        body: || Box::pin(crate::cases::groups::errors_beat_a_timeout()),
    },
    crate::Case {
        name: "groups::split_gives_what_there_is",
        laws: &["G3"],
        doc: "Errors alone, and a cancellation alone, are split into what there is.",
        body: || Box::pin(crate::cases::groups::split_gives_what_there_is()),
    },
    crate::Case {
        name: "groups::tasks_that_end_by_themselves_leave_the_value",
        laws: &["G3", "G5"],
        doc: "Tasks that end by themselves under an outer cancellation do not take the value away.",
        body: || Box::pin(crate::cases::groups::tasks_that_end_by_themselves_leave_the_value()),
    },
    crate::Case {
        name: "groups::the_groups_own_cancellation_cuts_tasks_and_body_short",
        laws: &["G4"],
        doc: "The group's own cancellation cuts tasks and body short, and is told with its text.",
        body: || Box::pin(crate::cases::groups::the_groups_own_cancellation_cuts_tasks_and_body_short()),
    },
    crate::Case {
        name: "groups::a_completed_body_survives_the_groups_own_cancellation",
        laws: &["G4"],
        doc: "When the body has completed, its value survives the group's own cancellation, before and after.",
        body: || Box::pin(crate::cases::groups::a_completed_body_survives_the_groups_own_cancellation()),
    },
    crate::Case {
        name: "groups::waiting_at_the_exit_is_no_point_of_cancellation",
        laws: &["G5"],
        doc: "A group that waits at its exit while a scope around is cancelled returns normally if all tasks end by themselves; the code after it runs to its next suspension.",
        body: || Box::pin(crate::cases::groups::waiting_at_the_exit_is_no_point_of_cancellation()),
    },
    crate::Case {
        name: "groups::what_ends_in_the_midst_of_a_poll_is_collected",
        laws: &["G5", "G3"],
        doc: "A group whose last task ends on another thread, in the midst of a poll of the cancelled scope around, has its outcome collected, not dropped.",
        body: || Box::pin(crate::cases::groups::what_ends_in_the_midst_of_a_poll_is_collected()),
    },
    crate::Case {
        name: "groups::a_group_that_drains_under_a_busy_host_returns",
        laws: &["G5"],
        doc: "The same with tasks of the runtime, thousands of times: a task ends while the scope around is being cancelled and polled without pause.",
        body: || Box::pin(crate::cases::groups::a_group_that_drains_under_a_busy_host_returns()),
    },
    crate::Case {
        name: "groups::the_end_of_a_group_cancels_nothing_around",
        laws: &["G5", "C3"],
        doc: "A group that ends does not cancel the scope around it.",
        body: || Box::pin(crate::cases::groups::the_end_of_a_group_cancels_nothing_around()),
    },
    crate::Case {
        name: "groups::tasks_spawn_siblings_after_the_body_has_ended",
        laws: &["G6"],
        doc: "Tasks may spawn siblings after the body has ended, as long as they are alive themselves.",
        body: || Box::pin(crate::cases::groups::tasks_spawn_siblings_after_the_body_has_ended()),
    },
    crate::Case {
        name: "groups::a_pending_start_keeps_the_group_open",
        laws: &["G6", "R1"],
        doc: "A pending start keeps the group open, although the body and all tasks have ended.",
        body: || Box::pin(crate::cases::groups::a_pending_start_keeps_the_group_open()),
    },
    crate::Case {
        name: "groups::spawning_into_a_closed_group_says_so",
        laws: &["G6"],
        doc: "Where the group has closed, `spawn` drops the future, the handle says so, and the hook hears of it.",
        body: || Box::pin(crate::cases::groups::spawning_into_a_closed_group_says_so()),
    },
    crate::Case {
        name: "groups::try_spawn_gives_the_future_back",
        laws: &["G6"],
        doc: "Where the group has closed, `try_spawn` gives the future back, untouched.",
        body: || Box::pin(crate::cases::groups::try_spawn_gives_the_future_back()),
    },
    crate::Case {
        name: "groups::a_group_that_has_returned_has_closed",
        laws: &["G6"],
        doc: "A group is closed, to all who look, as soon as it has returned.",
        body: || Box::pin(crate::cases::groups::a_group_that_has_returned_has_closed()),
    },
    crate::Case {
        name: "groups::spawning_from_eight_threads_races_with_the_exit",
        laws: &["G6", "G1"],
        doc: "Eight threads that spawn race with the exit of the group: what was accepted has run when it returns, what was refused never runs.",
        body: || Box::pin(crate::cases::groups::spawning_from_eight_threads_races_with_the_exit()),
    },
    crate::Case {
        name: "groups::spawning_from_eight_threads_races_with_the_exit_of_nested_groups",
        laws: &["G6", "G1"],
        doc: "The same with a group deep inside others, all of which are about to close.",
        body: || Box::pin(crate::cases::groups::spawning_from_eight_threads_races_with_the_exit_of_nested_groups()),
    },
    crate::Case {
        name: "groups::an_accept_loop_may_outlive_its_group",
        laws: &["G6"],
        doc: "An accept loop that goes on after its group is over does not panic: the hook hears of every connection that was refused, and the others are served.",
        body: || Box::pin(crate::cases::groups::an_accept_loop_may_outlive_its_group()),
    },
    crate::Case {
        name: "groups::a_task_spawned_into_a_cancelled_group_gets_one_poll",
        laws: &["G7", "C2"],
        doc: "A task that is spawned into a cancelled, still open group gets exactly one poll.",
        body: || Box::pin(crate::cases::groups::a_task_spawned_into_a_cancelled_group_gets_one_poll()),
    },
    crate::Case {
        name: "groups::spawning_works_outside_the_runtime",
        laws: &["G7"],
        doc: "Spawning works from a thread that knows no runtime; the task runs on the group's.",
        body: || Box::pin(crate::cases::groups::spawning_works_outside_the_runtime()),
    },
    crate::Case {
        name: "groups::destructors_may_spawn",
        laws: &["G7"],
        doc: "Destructors may spawn: of the body and of a task, when they complete and when they are cut short.",
        body: || Box::pin(crate::cases::groups::destructors_may_spawn()),
    },
    crate::Case {
        name: "groups::the_destructor_of_an_unwanted_value_may_spawn",
        laws: &["G6", "G8"],
        doc: "The destructor of the value of the last task may spawn: the task is not counted out yet.",
        body: || Box::pin(crate::cases::groups::the_destructor_of_an_unwanted_value_may_spawn()),
    },
    crate::Case {
        name: "groups::spawning_never_polls_inline",
        laws: &["G7"],
        doc: "`spawn` never polls inside the call, nor does cancelling, from a task, the body or a thread.",
        body: || Box::pin(crate::cases::groups::spawning_never_polls_inline()),
    },
    crate::Case {
        name: "groups::the_hook_may_use_groups",
        laws: &["G7"],
        doc: "The hook, told of a refused task, may spawn elsewhere and cancel: no lock is held while it runs.",
        body: || Box::pin(crate::cases::groups::the_hook_may_use_groups()),
    },
    crate::Case {
        name: "groups::finished_tasks_retain_nothing",
        laws: &["G8"],
        doc: "A finished task retains nothing: neither its value, nor its name, nor what it has captured.",
        body: || Box::pin(crate::cases::groups::finished_tasks_retain_nothing()),
    },
    crate::Case {
        name: "groups::a_value_lives_as_long_as_its_handle",
        laws: &["G8"],
        doc: "A value lives as long as its handle, and no longer; one whose handle goes first is dropped in the task.",
        body: || Box::pin(crate::cases::groups::a_value_lives_as_long_as_its_handle()),
    },
    crate::Case {
        name: "groups::the_first_panic_is_resumed_after_the_drain",
        laws: &["G9"],
        doc: "A panic cancels the siblings; the group drains; all other errors and panics go to the hook; then the first panic is resumed in the host.",
        body: || Box::pin(crate::cases::groups::the_first_panic_is_resumed_after_the_drain()),
    },
    crate::Case {
        name: "groups::a_panic_of_the_body_is_resumed",
        laws: &["G9"],
        doc: "A panic of the body, also while it is made, and a panic after an error, are resumed as well.",
        body: || Box::pin(crate::cases::groups::a_panic_of_the_body_is_resumed()),
    },
    crate::Case {
        name: "groups::a_panic_beats_errors_and_cancellation",
        laws: &["G9"],
        doc: "A panic beats the errors that came before it, which go to the hook, and an outer cancellation.",
        body: || Box::pin(crate::cases::groups::a_panic_beats_errors_and_cancellation()),
    },
    crate::Case {
        name: "groups::panics_are_errors_by_policy",
        laws: &["G9"],
        doc: "By policy panics are errors, of tasks and of the body; nothing is resumed, nothing goes to the hook.",
        body: || Box::pin(crate::cases::groups::panics_are_errors_by_policy()),
    },
    crate::Case {
        name: "groups::the_runtime_survives_panics",
        laws: &["G9"],
        doc: "No panic reaches the runtime: its threads go on.",
        body: || Box::pin(crate::cases::groups::the_runtime_survives_panics()),
    },
    crate::Case {
        name: "groups::a_panic_in_the_hook_harms_no_group",
        laws: &["G9", "F3"],
        doc: "A panic of the hook, or of an error's destructor in it, does not keep a task from being counted out.",
        body: || Box::pin(crate::cases::groups::a_panic_in_the_hook_harms_no_group()),
    },
    crate::Case {
        name: "groups::a_nested_failure_is_one_error_until_it_is_flattened",
        laws: &["G11"],
        doc: "The failure of a nested group is one error of the outer one; flattening puts its errors in its place.",
        body: || Box::pin(crate::cases::groups::a_nested_failure_is_one_error_until_it_is_flattened()),
    },
    crate::Case {
        name: "groups::flattening_keeps_cancellations",
        laws: &["G11", "G3"],
        doc: "What a nested group was cancelled by survives flattening, beside errors and alone.",
        body: || Box::pin(crate::cases::groups::flattening_keeps_cancellations()),
    },
    crate::Case {
        name: "groups::a_nested_failure_that_is_dealt_with_is_none",
        laws: &["G11"],
        doc: "A nested failure that is dealt with does not concern the outer group.",
        body: || Box::pin(crate::cases::groups::a_nested_failure_that_is_dealt_with_is_none()),
    },
    crate::Case {
        name: "groups::an_owned_group_leaves_the_scopes_around_its_constructor",
        laws: &["G12"],
        doc: "Scopes and timeouts around the constructor of an owned group do not contain it.",
        body: || Box::pin(crate::cases::groups::an_owned_group_leaves_the_scopes_around_its_constructor()),
    },
    crate::Case {
        name: "groups::closing_an_owned_group_waits_and_returns_errors",
        laws: &["G12", "G2"],
        doc: "Closing waits for the tasks, and returns their errors with all that belongs to them.",
        body: || Box::pin(crate::cases::groups::closing_an_owned_group_waits_and_returns_errors()),
    },
    crate::Case {
        name: "groups::a_failure_in_an_owned_group_cancels_the_rest",
        laws: &["G12", "G2"],
        doc: "A task of an owned group that fails, or panics, cancels the others, also while nobody closes the group.",
        body: || Box::pin(crate::cases::groups::a_failure_in_an_owned_group_cancels_the_rest()),
    },
    crate::Case {
        name: "groups::the_run_waits_for_owned_groups",
        laws: &["G12"],
        doc: "Dropping an owned group cancels its tasks, and the run waits for them; the same if it is forgotten.",
        body: || Box::pin(crate::cases::groups::the_run_waits_for_owned_groups()),
    },
    crate::Case {
        name: "groups::failures_of_a_dropped_owned_group_go_to_the_hook",
        laws: &["G12", "F3"],
        doc: "What failed in an owned group that is dropped, and what fails later, goes to the hook with its task.",
        body: || Box::pin(crate::cases::groups::failures_of_a_dropped_owned_group_go_to_the_hook()),
    },
    crate::Case {
        name: "groups::an_owned_group_in_a_group_belongs_to_it",
        laws: &["G12", "G1"],
        doc: "An owned group made in a group belongs to it: the group cancels it and waits for its tasks.",
        body: || Box::pin(crate::cases::groups::an_owned_group_in_a_group_belongs_to_it()),
    },
    crate::Case {
        name: "groups::dropping_an_owned_group_in_a_group_cancels_no_more",
        laws: &["G12"],
        doc: "Dropping an owned group made in a group cancels its tasks, not the group around, which waits for them.",
        body: || Box::pin(crate::cases::groups::dropping_an_owned_group_in_a_group_cancels_no_more()),
    },
    crate::Case {
        name: "groups::an_owned_group_closes_for_good",
        laws: &["G12", "G6"],
        doc: "While an owned group is being closed its tasks may spawn; then it has closed for good.",
        body: || Box::pin(crate::cases::groups::an_owned_group_closes_for_good()),
    },
    crate::Case {
        name: "groups::spawning_from_eight_threads_races_with_closing",
        laws: &["G12", "G6"],
        doc: "Eight threads that spawn race with the closing of an owned group, and with its drop: what was accepted runs, what was refused does not.",
        body: || Box::pin(crate::cases::groups::spawning_from_eight_threads_races_with_closing()),
    },
    crate::Case {
        name: "groups::an_owned_group_may_be_closed_anywhere",
        laws: &["G12"],
        doc: "An owned group may be closed on a thread that knows no runtime, and given up half-way.",
        body: || Box::pin(crate::cases::groups::an_owned_group_may_be_closed_anywhere()),
    },
    crate::Case {
        name: "groups::a_task_may_drop_its_own_owned_group",
        laws: &["G12"],
        doc: "A task may drop the owned group that it is in.",
        body: || Box::pin(crate::cases::groups::a_task_may_drop_its_own_owned_group()),
    },
    crate::Case {
        name: "groups::dropping_an_owned_group_leaves_what_is_protected",
        laws: &["G12", "S7"],
        doc: "What is protected in an owned group goes on when that is dropped.",
        body: || Box::pin(crate::cases::groups::dropping_an_owned_group_leaves_what_is_protected()),
    },
    crate::Case {
        name: "groups::the_runtime_drops_what_has_ended",
        laws: &["G8"],
        doc: "The runtime drops what it was given once that has ended.",
        body: || Box::pin(crate::cases::groups::the_runtime_drops_what_has_ended()),
    },
    crate::Case {
        name: "handles::a_handle_has_the_value",
        laws: &["H1"],
        doc: "A handle has the value, before and after the end of the task and of its group.",
        body: || Box::pin(crate::cases::handles::a_handle_has_the_value()),
    },
    crate::Case {
        name: "handles::a_handle_has_the_value_once",
        laws: &["H1"],
        doc: "The value is there once: a handle that is polled after it has completed panics.",
        body: || Box::pin(crate::cases::handles::a_handle_has_the_value_once()),
    },
    crate::Case {
        name: "handles::a_handle_tells_why_there_is_no_value",
        laws: &["H1", "H3"],
        doc: "A handle tells why there is no value: failed, panicked, cancelled, closed; so does its status.",
        body: || Box::pin(crate::cases::handles::a_handle_tells_why_there_is_no_value()),
    },
    crate::Case {
        name: "handles::a_failure_is_recorded_before_the_handle_completes",
        laws: &["H1"],
        doc: "When the handle of a task that failed completes, its group has been cancelled for that, and has the error.",
        body: || Box::pin(crate::cases::handles::a_failure_is_recorded_before_the_handle_completes()),
    },
    crate::Case {
        name: "handles::a_body_that_awaits_what_fails_is_dropped_there",
        laws: &["H1", "C4"],
        doc: "A body that awaits the handle of a task that fails is dropped there: it does not see the failure.",
        body: || Box::pin(crate::cases::handles::a_body_that_awaits_what_fails_is_dropped_there()),
    },
    crate::Case {
        name: "handles::whoever_awaits_what_fails_in_the_same_group_is_dropped_there",
        laws: &["H1", "C4"],
        doc: "The same for a task that awaits the handle of a sibling, and where many are awaited at once.",
        body: || Box::pin(crate::cases::handles::whoever_awaits_what_fails_in_the_same_group_is_dropped_there()),
    },
    crate::Case {
        name: "handles::under_a_shield_the_failure_is_seen",
        laws: &["H1"],
        doc: "Under a shield the body sees the failure; the error itself stays with the group.",
        body: || Box::pin(crate::cases::handles::under_a_shield_the_failure_is_seen()),
    },
    crate::Case {
        name: "handles::the_handle_of_a_cancelled_task_has_the_reason",
        laws: &["H1"],
        doc: "The handle of a cancelled task has the reason, with the place of the request.",
        body: || Box::pin(crate::cases::handles::the_handle_of_a_cancelled_task_has_the_reason()),
    },
    crate::Case {
        name: "handles::value_cancels_the_branch_that_waits_for_it",
        laws: &["H1"],
        doc: "`value` gives the value; if there is none the nearest scope around is cancelled, and the code outside goes on.",
        body: || Box::pin(crate::cases::handles::value_cancels_the_branch_that_waits_for_it()),
    },
    crate::Case {
        name: "handles::value_in_a_body_cancels_the_group",
        laws: &["H1"],
        doc: "Without a scope `value` cancels the group whose body it is in, for the reason of the task.",
        body: || Box::pin(crate::cases::handles::value_in_a_body_cancels_the_group()),
    },
    crate::Case {
        name: "handles::value_in_a_task_cancels_that_task",
        laws: &["H1"],
        doc: "In a task `value` cancels that task alone; if what it waits for has failed elsewhere, it says which task.",
        body: || Box::pin(crate::cases::handles::value_in_a_task_cancels_that_task()),
    },
    crate::Case {
        name: "handles::value_in_a_body_with_a_clean_up_cancels_the_body",
        laws: &["H1"],
        doc: "In a body with a clean-up `value` cancels that body, and the clean-up runs.",
        body: || Box::pin(crate::cases::handles::value_in_a_body_with_a_clean_up_cancels_the_body()),
    },
    crate::Case {
        name: "handles::value_panics_where_nothing_can_be_cancelled",
        laws: &["H1"],
        doc: "Where there is no value and nothing that could be cancelled, `value` panics and says what to do.",
        body: || Box::pin(crate::cases::handles::value_panics_where_nothing_can_be_cancelled()),
    },
    crate::Case {
        name: "handles::value_waits_for_what_holds_its_branch",
        laws: &["H1", "C2"],
        doc: "While something else in the branch holds it, `value` that will not come waits; then the branch is cut short.",
        body: || Box::pin(crate::cases::handles::value_waits_for_what_holds_its_branch()),
    },
    crate::Case {
        name: "handles::awaiting_ones_own_handle_is_a_clear_error",
        laws: &["H1"],
        doc: "A task that awaits its own handle is told so, inside a scope too; with `value` it panics.",
        body: || Box::pin(crate::cases::handles::awaiting_ones_own_handle_is_a_clear_error()),
    },
    crate::Case {
        name: "handles::a_handle_may_be_awaited_anywhere",
        laws: &["H1", "X1"],
        doc: "A handle may be awaited on a thread that knows no runtime.",
        body: || Box::pin(crate::cases::handles::a_handle_may_be_awaited_anywhere()),
    },
    crate::Case {
        name: "handles::a_handle_awaited_by_reference_loses_nothing",
        laws: &["H1"],
        doc: "A handle that is awaited by reference loses nothing when that is given up.",
        body: || Box::pin(crate::cases::handles::a_handle_awaited_by_reference_loses_nothing()),
    },
    crate::Case {
        name: "handles::many_handles_lose_nothing",
        laws: &["H1"],
        doc: "Many handles at once, in a stream in order of completion, lose nothing and mix nothing up.",
        body: || Box::pin(crate::cases::handles::many_handles_lose_nothing()),
    },
    crate::Case {
        name: "handles::cancelling_a_task_touches_it_alone",
        laws: &["H2"],
        doc: "Cancelling a task touches it alone, and is no failure of the group.",
        body: || Box::pin(crate::cases::handles::cancelling_a_task_touches_it_alone()),
    },
    crate::Case {
        name: "handles::a_task_cancelled_at_once_gets_its_first_poll",
        laws: &["H2", "C2"],
        doc: "A task that is cancelled before its first poll gets that poll all the same, and may complete in it.",
        body: || Box::pin(crate::cases::handles::a_task_cancelled_at_once_gets_its_first_poll()),
    },
    crate::Case {
        name: "handles::cancelling_a_finished_task_does_nothing",
        laws: &["H2"],
        doc: "Cancelling a task that has finished does nothing.",
        body: || Box::pin(crate::cases::handles::cancelling_a_finished_task_does_nothing()),
    },
    crate::Case {
        name: "handles::cancel_and_join_waits_until_all_is_gone",
        laws: &["H2"],
        doc: "`cancel_and_join` returns when the task is gone, with all below it: also what foreign code has orphaned there.",
        body: || Box::pin(crate::cases::handles::cancel_and_join_waits_until_all_is_gone()),
    },
    crate::Case {
        name: "handles::cancel_and_join_returns_the_value_if_there_is_one",
        laws: &["H2", "C2"],
        doc: "A value that the task returns although it was cancelled is what `cancel_and_join` returns.",
        body: || Box::pin(crate::cases::handles::cancel_and_join_returns_the_value_if_there_is_one()),
    },
    crate::Case {
        name: "handles::a_blocking_job_has_its_value_although_it_was_cancelled",
        laws: &["H2"],
        doc: "Cancelling a blocking job does not stop it: its value is there.",
        body: || Box::pin(crate::cases::handles::a_blocking_job_has_its_value_although_it_was_cancelled()),
    },
    crate::Case {
        name: "handles::dropping_a_handle_changes_nothing",
        laws: &["H2"],
        doc: "Dropping a handle changes nothing: the task goes on, and its failure is the group's.",
        body: || Box::pin(crate::cases::handles::dropping_a_handle_changes_nothing()),
    },
    crate::Case {
        name: "handles::a_cancellation_races_with_the_end_of_the_task",
        laws: &["H2", "C7"],
        doc: "A cancellation from a thread races with the end of the task: it has its value or was cancelled, nothing is lost and nothing happens twice.",
        body: || Box::pin(crate::cases::handles::a_cancellation_races_with_the_end_of_the_task()),
    },
    crate::Case {
        name: "handles::a_task_can_be_told_at_any_time",
        laws: &["H3"],
        doc: "Name, number and place are readable at any time: of running, finished and refused tasks, in errors and reasons.",
        body: || Box::pin(crate::cases::handles::a_task_can_be_told_at_any_time()),
    },
    crate::Case {
        name: "handles::every_task_has_a_number_of_its_own",
        laws: &["H3"],
        doc: "No two tasks have the same number, whoever spawns them.",
        body: || Box::pin(crate::cases::handles::every_task_has_a_number_of_its_own()),
    },
    crate::Case {
        name: "handles::a_task_is_running_until_it_is_dropped",
        laws: &["H3"],
        doc: "A task is running as long as its destructors run.",
        body: || Box::pin(crate::cases::handles::a_task_is_running_until_it_is_dropped()),
    },
    crate::Case {
        name: "handles::an_attached_future_is_a_task_of_the_group",
        laws: &["H1", "G1"],
        doc: "A future that is attached to a group and run by a foreign thread is a task of the group: the group waits for it, it is in the group's runtime, and may spawn.",
        body: || Box::pin(crate::cases::handles::an_attached_future_is_a_task_of_the_group()),
    },
    crate::Case {
        name: "handles::an_attached_future_shares_the_fate_of_the_group",
        laws: &["H1", "G2"],
        doc: "What cancels the group reaches an attached future on its thread; its failure and its panic are the group's.",
        body: || Box::pin(crate::cases::handles::an_attached_future_shares_the_fate_of_the_group()),
    },
    crate::Case {
        name: "handles::an_attached_future_may_be_dropped_or_late",
        laws: &["H1", "G6"],
        doc: "An attached future that is dropped ends, and its group does not wait for it; attached to a closed group it says so.",
        body: || Box::pin(crate::cases::handles::an_attached_future_may_be_dropped_or_late()),
    },
    crate::Case {
        name: "regressions::a_scope_that_is_being_let_go_drops_the_next_unit",
        laws: &["C4"],
        doc: "A scope that a group inside is just letting go of, on another thread, drops the unit that comes after the group.",
        body: || Box::pin(crate::cases::regressions::a_scope_that_is_being_let_go_drops_the_next_unit()),
    },
    crate::Case {
        name: "regressions::a_scope_that_is_being_let_go_cuts_the_next_operation_off",
        laws: &["C1", "C6"],
        doc: "A scope that a group inside is just letting go of, on another thread, cuts off the operation that comes after the group.",
        body: || Box::pin(crate::cases::regressions::a_scope_that_is_being_let_go_cuts_the_next_operation_off()),
    },
    crate::Case {
        name: "shields::a_shield_runs_its_future_to_the_end_in_a_cancelled_scope",
        laws: &["S1"],
        doc: "What is in a shield runs to its end in a cancelled scope, and the shield hands its value out.",
        body: || Box::pin(crate::cases::shields::a_shield_runs_its_future_to_the_end_in_a_cancelled_scope()),
    },
    crate::Case {
        name: "shields::a_shield_hides_the_cancellation_from_what_is_inside",
        laws: &["S1"],
        doc: "Inside a shield nothing is to be seen of the cancellation outside; before and after it, it is.",
        body: || Box::pin(crate::cases::shields::a_shield_hides_the_cancellation_from_what_is_inside()),
    },
    crate::Case {
        name: "shields::what_a_shield_kept_out_is_delivered_at_the_next_suspension_after_it",
        laws: &["S2"],
        doc: "After a shield the code runs on to its next suspension, where the cancellation is delivered.",
        body: || Box::pin(crate::cases::shields::what_a_shield_kept_out_is_delivered_at_the_next_suspension_after_it()),
    },
    crate::Case {
        name: "shields::nothing_is_delivered_between_adjacent_shields",
        laws: &["S2"],
        doc: "Between two shields that follow each other without a suspension nothing is delivered.",
        body: || Box::pin(crate::cases::shields::nothing_is_delivered_between_adjacent_shields()),
    },
    crate::Case {
        name: "shields::a_cancellation_that_finds_the_shield_asleep_is_delivered_after_it",
        laws: &["S1", "S2"],
        doc: "A cancellation that comes from another thread while the shield is asleep waits for the shield, no longer.",
        body: || Box::pin(crate::cases::shields::a_cancellation_that_finds_the_shield_asleep_is_delivered_after_it()),
    },
    crate::Case {
        name: "shields::a_scope_inside_a_shield_can_be_cancelled",
        laws: &["S1"],
        doc: "A scope inside a shield can be cancelled as ever, and the shield goes on after it.",
        body: || Box::pin(crate::cases::shields::a_scope_inside_a_shield_can_be_cancelled()),
    },
    crate::Case {
        name: "shields::a_timeout_inside_a_shield_acts",
        laws: &["S1"],
        doc: "A timeout inside a shield acts, also when everything outside is cancelled.",
        body: || Box::pin(crate::cases::shields::a_timeout_inside_a_shield_acts()),
    },
    crate::Case {
        name: "shields::the_own_deadline_of_a_shielded_scope_acts",
        laws: &["S1"],
        doc: "A scope that is a shield itself hides what is outside and is cut short by its own deadline.",
        body: || Box::pin(crate::cases::shields::the_own_deadline_of_a_shielded_scope_acts()),
    },
    crate::Case {
        name: "shields::a_shield_holds_all_units_around_it",
        laws: &["S1"],
        doc: "A shield holds every unit around it in the task, not only the nearest one.",
        body: || Box::pin(crate::cases::shields::a_shield_holds_all_units_around_it()),
    },
    crate::Case {
        name: "shields::a_timeout_waits_for_the_shield_in_it",
        laws: &["S1", "D2"],
        doc: "A timeout around a shield waits for it, and what then completes has completed.",
        body: || Box::pin(crate::cases::shields::a_timeout_waits_for_the_shield_in_it()),
    },
    crate::Case {
        name: "shields::a_shield_in_a_task_holds_the_task",
        laws: &["S1"],
        doc: "A shield in a task holds the task when its group is cancelled, and the group waits for that.",
        body: || Box::pin(crate::cases::shields::a_shield_in_a_task_holds_the_task()),
    },
    crate::Case {
        name: "shields::a_shield_that_panics_lets_go",
        laws: &["S1"],
        doc: "A shield that ends in a panic lets go of the scope around it.",
        body: || Box::pin(crate::cases::shields::a_shield_that_panics_lets_go()),
    },
    crate::Case {
        name: "shields::nested_shields_each_keep_out_what_is_outside",
        laws: &["S1"],
        doc: "In nested shields each keeps out what is outside of it, and what is between them is delivered between them.",
        body: || Box::pin(crate::cases::shields::nested_shields_each_keep_out_what_is_outside()),
    },
    crate::Case {
        name: "shields::busy_siblings_in_a_foreign_join_run_on_until_the_shield_ends",
        laws: &["S4"],
        doc: "While one branch of a foreign join is shielded the others run on, whatever they do; then all are dropped.",
        body: || Box::pin(crate::cases::shields::busy_siblings_in_a_foreign_join_run_on_until_the_shield_ends()),
    },
    crate::Case {
        name: "shields::idle_siblings_in_a_foreign_join_are_kept_until_the_shield_ends",
        laws: &["S4"],
        doc: "A sibling that is idle is kept until the shield ends, and is then dropped although nobody has woken it.",
        body: || Box::pin(crate::cases::shields::idle_siblings_in_a_foreign_join_are_kept_until_the_shield_ends()),
    },
    crate::Case {
        name: "shields::an_idle_shield_in_a_foreign_stream_counts",
        laws: &["S4"],
        doc: "A shield counts although its branch is idle and is not polled this time.",
        body: || Box::pin(crate::cases::shields::an_idle_shield_in_a_foreign_stream_counts()),
    },
    crate::Case {
        name: "shields::the_last_of_several_shields_lets_go",
        laws: &["S4"],
        doc: "Of two shields in a foreign join both count: the scope is held until the later one ends.",
        body: || Box::pin(crate::cases::shields::the_last_of_several_shields_lets_go()),
    },
    crate::Case {
        name: "shields::a_shield_that_is_dropped_on_another_thread_lets_go_of_the_sleeping_scope",
        laws: &["S4", "S7"],
        doc: "A shield that is dropped while nobody polls it lets go of the sleeping scope.",
        body: || Box::pin(crate::cases::shields::a_shield_that_is_dropped_on_another_thread_lets_go_of_the_sleeping_scope()),
    },
    crate::Case {
        name: "shields::whichever_thread_ends_a_shield_the_outermost_scope_acts",
        laws: &["S4", "C4"],
        doc: "Whichever thread ends the shield, of the scopes that it has held the outermost one acts.",
        body: || Box::pin(crate::cases::shields::whichever_thread_ends_a_shield_the_outermost_scope_acts()),
    },
    crate::Case {
        name: "shields::a_shield_that_a_foreign_select_drops_ends",
        laws: &["S7"],
        doc: "A shield that a foreign select drops ends there; what it kept out is delivered at the next suspension.",
        body: || Box::pin(crate::cases::shields::a_shield_that_a_foreign_select_drops_ends()),
    },
    crate::Case {
        name: "shields::a_grace_starts_when_a_scope_around_is_cancelled",
        laws: &["S3"],
        doc: "Before anything outside is cancelled the grace does not run, and then it is granted in full.",
        body: || Box::pin(crate::cases::shields::a_grace_starts_when_a_scope_around_is_cancelled()),
    },
    crate::Case {
        name: "shields::a_grace_counts_from_the_first_poll_if_the_cancellation_came_before",
        laws: &["S3"],
        doc: "When the scope around was cancelled long ago, the grace counts from the first poll of the shield.",
        body: || Box::pin(crate::cases::shields::a_grace_counts_from_the_first_poll_if_the_cancellation_came_before()),
    },
    crate::Case {
        name: "shields::what_is_done_within_the_grace_is_done",
        laws: &["S3"],
        doc: "The cancellation of a scope inside does not start the grace, and a grace that is long enough is not noticed.",
        body: || Box::pin(crate::cases::shields::what_is_done_within_the_grace_is_done()),
    },
    crate::Case {
        name: "shields::a_grace_of_zero_leaves_one_poll",
        laws: &["S3"],
        doc: "A grace of zero leaves the first poll, and what is ready then has its value.",
        body: || Box::pin(crate::cases::shields::a_grace_of_zero_leaves_one_poll()),
    },
    crate::Case {
        name: "shields::a_grace_ends_although_the_shield_is_not_polled",
        laws: &["S3"],
        doc: "When the grace is over the shield lets go, although what is in it is not being polled.",
        body: || Box::pin(crate::cases::shields::a_grace_ends_although_the_shield_is_not_polled()),
    },
    crate::Case {
        name: "shields::a_grace_ends_although_the_shield_was_forgotten",
        laws: &["S3", "F5"],
        doc: "When the grace is over the shield lets go, although it was forgotten.",
        body: || Box::pin(crate::cases::shields::a_grace_ends_although_the_shield_was_forgotten()),
    },
    crate::Case {
        name: "shields::after_its_grace_a_shield_does_not_hide",
        laws: &["S3"],
        doc: "When the grace is over the shield does not hide any more either, although another one holds the scope.",
        body: || Box::pin(crate::cases::shields::after_its_grace_a_shield_does_not_hide()),
    },
    crate::Case {
        name: "shields::a_grace_inside_a_shield_starts_when_that_is_lowered",
        laws: &["S3"],
        doc: "A grace inside a shield starts when that shield is lowered, which is when the cancellation arrives.",
        body: || Box::pin(crate::cases::shields::a_grace_inside_a_shield_starts_when_that_is_lowered()),
    },
    crate::Case {
        name: "shields::lowering_a_shield_from_another_thread_delivers_at_once",
        laws: &["S6"],
        doc: "Lowering a shield from another thread delivers at once what it has kept out, also to a sleeper.",
        body: || Box::pin(crate::cases::shields::lowering_a_shield_from_another_thread_delivers_at_once()),
    },
    crate::Case {
        name: "shields::a_shield_that_was_lowered_before_keeps_nothing_out",
        laws: &["S6"],
        doc: "A shield that was lowered in time keeps nothing out.",
        body: || Box::pin(crate::cases::shields::a_shield_that_was_lowered_before_keeps_nothing_out()),
    },
    crate::Case {
        name: "shields::a_shield_that_is_raised_in_time_keeps_the_cancellation_out",
        laws: &["S6"],
        doc: "A shield that is raised before anything outside was cancelled keeps it out.",
        body: || Box::pin(crate::cases::shields::a_shield_that_is_raised_in_time_keeps_the_cancellation_out()),
    },
    crate::Case {
        name: "shields::a_shield_that_is_raised_too_late_does_nothing",
        laws: &["S6"],
        doc: "Raising a shield does nothing once the cancellation from outside is here.",
        body: || Box::pin(crate::cases::shields::a_shield_that_is_raised_too_late_does_nothing()),
    },
    crate::Case {
        name: "shields::a_shield_that_has_delivered_cannot_be_raised_again",
        laws: &["S6"],
        doc: "A shield that was lowered under a cancelled scope cannot be raised again.",
        body: || Box::pin(crate::cases::shields::a_shield_that_has_delivered_cannot_be_raised_again()),
    },
    crate::Case {
        name: "shields::raising_a_shield_does_not_undo_the_scopes_own_cancellation",
        laws: &["S6"],
        doc: "A shield does not protect a scope from its own cancellation, whichever came first.",
        body: || Box::pin(crate::cases::shields::raising_a_shield_does_not_undo_the_scopes_own_cancellation()),
    },
    crate::Case {
        name: "shields::no_interleaving_of_edits_loses_the_cancellation",
        laws: &["S6"],
        doc: "However raising, lowering and a cancellation interleave, the last lowering delivers what there is to deliver.",
        body: || Box::pin(crate::cases::shields::no_interleaving_of_edits_loses_the_cancellation()),
    },
    crate::Case {
        name: "shields::a_shield_in_a_body_does_not_protect_the_tasks",
        laws: &["S5"],
        doc: "A shield in the body of a group does not protect the group's tasks.",
        body: || Box::pin(crate::cases::shields::a_shield_in_a_body_does_not_protect_the_tasks()),
    },
    crate::Case {
        name: "shields::a_shield_on_a_groups_scope_protects_the_tasks_from_outside_alone",
        laws: &["S5"],
        doc: "A shield on a group's scope protects its tasks, but a task that fails cancels its siblings all the same.",
        body: || Box::pin(crate::cases::shields::a_shield_on_a_groups_scope_protects_the_tasks_from_outside_alone()),
    },
    crate::Case {
        name: "shields::lowering_the_shield_of_a_group_reaches_its_tasks",
        laws: &["S6", "S5"],
        doc: "Lowering the shield of a group's scope reaches the tasks of the group.",
        body: || Box::pin(crate::cases::shields::lowering_the_shield_of_a_group_reaches_its_tasks()),
    },
    crate::Case {
        name: "shields::protected_work_survives_a_foreign_drop_and_its_group_waits",
        laws: &["S7"],
        doc: "Protected work goes on when foreign code drops what waits for it, and the group waits for it.",
        body: || Box::pin(crate::cases::shields::protected_work_survives_a_foreign_drop_and_its_group_waits()),
    },
    crate::Case {
        name: "shields::protected_work_is_never_cancelled",
        laws: &["S7"],
        doc: "Protected work is not cancelled with the scope and the group around it, which wait for it.",
        body: || Box::pin(crate::cases::shields::protected_work_is_never_cancelled()),
    },
    crate::Case {
        name: "shields::work_to_be_protected_in_a_cancelled_scope_does_not_begin",
        laws: &["S7", "C6"],
        doc: "Work that is not protected yet when its scope is cancelled does not begin.",
        body: || Box::pin(crate::cases::shields::work_to_be_protected_in_a_cancelled_scope_does_not_begin()),
    },
    crate::Case {
        name: "shields::protected_work_belongs_to_the_nearest_group",
        laws: &["S7"],
        doc: "Protected work belongs to the nearest group: scopes inside that group do not wait for it, the group does.",
        body: || Box::pin(crate::cases::shields::protected_work_belongs_to_the_nearest_group()),
    },
    crate::Case {
        name: "shields::a_run_waits_for_protected_work",
        laws: &["S7"],
        doc: "Outside every group the run waits for protected work.",
        body: || Box::pin(crate::cases::shields::a_run_waits_for_protected_work()),
    },
    crate::Case {
        name: "shields::protected_work_hands_out_its_value_and_its_panic",
        laws: &["S7"],
        doc: "Protected work hands its value, and its panic, to whoever waits for it.",
        body: || Box::pin(crate::cases::shields::protected_work_hands_out_its_value_and_its_panic()),
    },
    crate::Case {
        name: "shields::work_protected_after_the_cancellation_is_waited_for",
        laws: &["S7"],
        doc: "A shielded task of a cancelled group can protect work, which the group waits for as well.",
        body: || Box::pin(crate::cases::shields::work_protected_after_the_cancellation_is_waited_for()),
    },
    crate::Case {
        name: "start::start_returns_the_value_and_the_task_goes_on",
        laws: &["R1"],
        doc: "`start` returns the value that the task passes to `started`, and the task goes on in the group.",
        body: || Box::pin(crate::cases::start::start_returns_the_value_and_the_task_goes_on()),
    },
    crate::Case {
        name: "start::the_token_may_be_used_anywhere",
        laws: &["R1"],
        doc: "The token may be used before the first poll, in the first poll, in another task and on a thread.",
        body: || Box::pin(crate::cases::start::the_token_may_be_used_anywhere()),
    },
    crate::Case {
        name: "start::a_token_that_outlives_its_task_gives_the_value_back",
        laws: &["R1"],
        doc: "A task whose token is used elsewhere may end before: that is not to have started, and the value comes back.",
        body: || Box::pin(crate::cases::start::a_token_that_outlives_its_task_gives_the_value_back()),
    },
    crate::Case {
        name: "start::a_token_dropped_unused_cancels_the_task",
        laws: &["R1", "R3"],
        doc: "A token dropped unused: the task is cancelled and awaited, and `start` says that it did not start.",
        body: || Box::pin(crate::cases::start::a_token_dropped_unused_cancels_the_task()),
    },
    crate::Case {
        name: "start::a_token_dropped_early_cancels_the_task",
        laws: &["R1"],
        doc: "A token dropped before there is a task to cancel counts as well, also when the task goes on without suspending.",
        body: || Box::pin(crate::cases::start::a_token_dropped_early_cancels_the_task()),
    },
    crate::Case {
        name: "start::a_forgotten_token_leaves_start_waiting",
        laws: &["R1", "R3"],
        doc: "A token that is forgotten: `start` waits for the task, which is not cancelled, and can itself be cancelled.",
        body: || Box::pin(crate::cases::start::a_forgotten_token_leaves_start_waiting()),
    },
    crate::Case {
        name: "start::started_gives_the_value_back_in_a_cancelled_caller",
        laws: &["R1", "R3"],
        doc: "`started` gives the value back once the caller is cancelled; the task is cancelled too.",
        body: || Box::pin(crate::cases::start::started_gives_the_value_back_in_a_cancelled_caller()),
    },
    crate::Case {
        name: "start::started_gives_the_value_back_when_start_was_dropped",
        laws: &["R1", "R4"],
        doc: "`started` gives the value back once `start` was dropped; the task is cancelled, the group is not.",
        body: || Box::pin(crate::cases::start::started_gives_the_value_back_when_start_was_dropped()),
    },
    crate::Case {
        name: "start::starts_nest",
        laws: &["R1"],
        doc: "Starts nest: a task may start others before it says that it has started itself.",
        body: || Box::pin(crate::cases::start::starts_nest()),
    },
    crate::Case {
        name: "start::start_works_outside_the_runtime",
        laws: &["R1"],
        doc: "A start may be awaited on a thread that knows no runtime; what its task does it does in the group's.",
        body: || Box::pin(crate::cases::start::start_works_outside_the_runtime()),
    },
    crate::Case {
        name: "start::start_in_a_closed_group_says_so",
        laws: &["R1", "G6"],
        doc: "In a group that has closed nothing is started; the task is dropped unpolled.",
        body: || Box::pin(crate::cases::start::start_in_a_closed_group_says_so()),
    },
    crate::Case {
        name: "start::start_in_a_cancelled_scope_does_nothing",
        laws: &["R1", "C6"],
        doc: "In a cancelled scope nothing is started: the task is not even made.",
        body: || Box::pin(crate::cases::start::start_in_a_cancelled_scope_does_nothing()),
    },
    crate::Case {
        name: "start::start_in_a_cancelled_group_gets_one_poll",
        laws: &["R1", "G7"],
        doc: "In a cancelled, still open group a task gets one poll, in which it may start.",
        body: || Box::pin(crate::cases::start::start_in_a_cancelled_group_gets_one_poll()),
    },
    crate::Case {
        name: "start::an_error_before_started_is_the_callers",
        laws: &["R2"],
        doc: "An error before `started` comes out of `start` alone; the group is untouched.",
        body: || Box::pin(crate::cases::start::an_error_before_started_is_the_callers()),
    },
    crate::Case {
        name: "start::a_panic_before_started_is_the_callers",
        laws: &["R2"],
        doc: "A panic before `started` is resumed in the caller, also where panics are errors; the group is untouched.",
        body: || Box::pin(crate::cases::start::a_panic_before_started_is_the_callers()),
    },
    crate::Case {
        name: "start::what_fails_after_started_is_the_groups",
        laws: &["R2"],
        doc: "An error and a panic after `started` are the group's.",
        body: || Box::pin(crate::cases::start::what_fails_after_started_is_the_groups()),
    },
    crate::Case {
        name: "start::what_fails_when_start_is_gone_goes_to_the_hook",
        laws: &["R2", "R4"],
        doc: "What fails before `started`, when `start` is gone, goes to the hook, with the task; the group is untouched.",
        body: || Box::pin(crate::cases::start::what_fails_when_start_is_gone_goes_to_the_hook()),
    },
    crate::Case {
        name: "start::what_start_was_not_polled_to_see_goes_to_the_hook",
        laws: &["R2"],
        doc: "The same if the task had ended, and `start` was not polled any more to see how.",
        body: || Box::pin(crate::cases::start::what_start_was_not_polled_to_see_goes_to_the_hook()),
    },
    crate::Case {
        name: "start::the_callers_scope_cancels_the_task_and_waits",
        laws: &["R3", "C4"],
        doc: "The caller's scope cancels the task, and waits for it: its clean-up has run when the scope ends; the caller is dropped there and sees no error. Hundreds of times, as the end of the task and the scope's polls may fall together.",
        body: || Box::pin(crate::cases::start::the_callers_scope_cancels_the_task_and_waits()),
    },
    crate::Case {
        name: "start::the_callers_deadline_cancels_the_task_and_waits",
        laws: &["R3"],
        doc: "So does a deadline of the caller's.",
        body: || Box::pin(crate::cases::start::the_callers_deadline_cancels_the_task_and_waits()),
    },
    crate::Case {
        name: "start::the_task_is_cancelled_although_start_is_not_polled",
        laws: &["R3"],
        doc: "The task is cancelled although its `start` is not being polled, and the scope around is not held for ever.",
        body: || Box::pin(crate::cases::start::the_task_is_cancelled_although_start_is_not_polled()),
    },
    crate::Case {
        name: "start::the_group_cancels_the_task_and_start_says_why",
        laws: &["R3"],
        doc: "The task is cancelled with its group, and `start` says why.",
        body: || Box::pin(crate::cases::start::the_group_cancels_the_task_and_start_says_why()),
    },
    crate::Case {
        name: "start::cancelled_wins_over_not_started",
        laws: &["R3"],
        doc: "Ending without `started` is an error, but a cancellation of the caller wins over it: also over a lost token, and when it comes while the task is being awaited.",
        body: || Box::pin(crate::cases::start::cancelled_wins_over_not_started()),
    },
    crate::Case {
        name: "start::start_waits_until_its_task_is_gone",
        laws: &["R3"],
        doc: "`start` waits until its task is gone, with what foreign code has orphaned below it, and so does the scope around the caller, although that is cancelled; the error is not lost.",
        body: || Box::pin(crate::cases::start::start_waits_until_its_task_is_gone()),
    },
    crate::Case {
        name: "start::a_value_committed_before_the_cancellation_is_returned",
        laws: &["R3", "C7"],
        doc: "What was committed before the cancellation is returned: a value passed to `started` is not lost, though both come in the midst of a poll of the caller.",
        body: || Box::pin(crate::cases::start::a_value_committed_before_the_cancellation_is_returned()),
    },
    crate::Case {
        name: "start::dropping_start_cancels_the_task",
        laws: &["R4"],
        doc: "A `start` that is dropped before `started` cancels that task alone; the group waits for it.",
        body: || Box::pin(crate::cases::start::dropping_start_cancels_the_task()),
    },
    crate::Case {
        name: "start::dropping_start_after_started_leaves_the_task",
        laws: &["R4"],
        doc: "A `start` that is dropped after `started` leaves the task alone; the value that it did not return is dropped with it.",
        body: || Box::pin(crate::cases::start::dropping_start_after_started_leaves_the_task()),
    },
    crate::Case {
        name: "start::started_races_with_the_drop_of_start",
        laws: &["R4", "R1"],
        doc: "`started`, on a thread, races with the drop of `start`: exactly one of the two happens.",
        body: || Box::pin(crate::cases::start::started_races_with_the_drop_of_start()),
    },
    crate::Case {
        name: "start::started_races_with_the_cancellation_of_the_caller",
        laws: &["R3", "R1", "C7"],
        doc: "`started`, on a thread, races with the cancellation of the caller: either `start` returns the value and the task goes on, or the value comes back and the task is cancelled.",
        body: || Box::pin(crate::cases::start::started_races_with_the_cancellation_of_the_caller()),
    },
    crate::Case {
        name: "start::started_races_with_the_cancellation_of_a_busy_caller",
        laws: &["R3", "R1", "C7"],
        doc: "The same while the caller is polled without pause, and the task uses its token itself.",
        body: || Box::pin(crate::cases::start::started_races_with_the_cancellation_of_a_busy_caller()),
    },
    crate::Case {
        name: "start::a_failure_races_with_the_cancellation_of_the_caller",
        laws: &["R2", "R3"],
        doc: "A task that fails races with the cancellation of its caller: the error comes out of `start`, or the task was cancelled before; it goes nowhere else.",
        body: || Box::pin(crate::cases::start::a_failure_races_with_the_cancellation_of_the_caller()),
    },
    crate::Case {
        name: "start::starting_from_eight_threads_races_with_the_exit",
        laws: &["R1", "G6"],
        doc: "Starts from eight threads race with the end of the group: each has its value, or the group had closed.",
        body: || Box::pin(crate::cases::start::starting_from_eight_threads_races_with_the_exit()),
    },
];
