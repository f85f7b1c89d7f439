//! Cases of the laws S.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyio::{
    CancelScope, EffectiveDeadline, Event, GroupError, cancelled, checkpoint, current_effective_deadline, enter,
    finally, is_cancelled, now, protect, shield, shield_for, sleep, sleep_forever, task_group, timeout, try_task_group,
};
use futures::future::{FutureExt as _, join, select};
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::fixture::{Drops, LONG, SHORT, hooked, in_own_run};
use crate::steps::{SetOnDrop, block, meanwhile, on_thread};

/// Polls a future and counts the polls.
async fn counting<F: Future>(polls: &Cell<usize>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(cx)
    })
    .await
}

/// S1: What is in a shield runs to its end in a cancelled scope, and the shield hands its value out.
pub async fn a_shield_runs_its_future_to_the_end_in_a_cancelled_scope() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope
        .run(async {
            handle.cancel();
            shield(async {
                checkpoint().await;
                sleep(Duration::from_millis(1)).await;
                "done"
            })
            .await
        })
        .await;
    assert_eq!(outcome, Ok("done"));
}

/// S1: Inside a shield nothing is to be seen of the cancellation outside; before and after it, it is.
pub async fn a_shield_hides_the_cancellation_from_what_is_inside() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let seen = scope
        .run(async {
            handle.cancel();
            let before = is_cancelled();
            let inside = shield(async {
                checkpoint().await;
                (is_cancelled(), current_effective_deadline())
            });
            (before, inside.await, is_cancelled())
        })
        .await;
    assert_eq!(seen, Ok((true, (false, EffectiveDeadline::None), true)));
}

/// S2: After a shield the code runs on to its next suspension, where the cancellation is delivered.
pub async fn what_a_shield_kept_out_is_delivered_at_the_next_suspension_after_it() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let reached = Cell::new(0);
    let outcome = scope
        .run(async {
            handle.cancel();
            shield(checkpoint()).await;
            reached.set(1);
            checkpoint().await;
            reached.set(2);
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(reached.get(), 1);
}

/// S2: Between two shields that follow each other without a suspension nothing is delivered.
pub async fn nothing_is_delivered_between_adjacent_shields() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let laps = Cell::new(0);
    let outcome = scope
        .run(async {
            handle.cancel();
            for _ in 0..3 {
                shield(sleep(Duration::from_millis(1))).await;
                laps.set(laps.get() + 1);
            }
            sleep_forever().await;
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(laps.get(), 3);
}

/// S1, S2: A cancellation that comes from another thread while the shield is asleep waits for the shield, no longer.
pub async fn a_cancellation_that_finds_the_shield_asleep_is_delivered_after_it() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let go_on = Arc::new(Event::new());
    let set = go_on.clone();
    meanwhile(move || {
        handle.cancel();
        set.set();
    });
    let finished = Cell::new(false);
    let outcome = scope
        .run(async {
            shield(go_on.wait()).await;
            finished.set(true);
            sleep_forever().await;
        })
        .await;
    assert!(outcome.is_err() && finished.get());
}

/// S1: A scope inside a shield can be cancelled as ever, and the shield goes on after it.
pub async fn a_scope_inside_a_shield_can_be_cancelled() {
    let outer = CancelScope::new();
    outer.handle().cancel_with("outside");
    let shielded = shield(async {
        let inner = CancelScope::new();
        let handle = inner.handle();
        let cut = inner
            .run(async {
                handle.cancel_with("inside");
                sleep_forever().await;
            })
            .await;
        checkpoint().await;
        cut.unwrap_err().to_string()
    });
    let reason = outer.run(shielded).await.unwrap();
    assert!(reason.contains("inside"), "{reason}");
}

/// S1: A timeout inside a shield acts, also when everything outside is cancelled.
pub async fn a_timeout_inside_a_shield_acts() {
    let outer = CancelScope::new();
    outer.handle().cancel();
    let shielded = shield(async {
        let outcome = timeout(SHORT, sleep_forever()).await;
        checkpoint().await;
        outcome
    });
    assert!(outer.run(shielded).await.unwrap().is_err());
}

/// S1: A scope that is a shield itself hides what is outside and is cut short by its own deadline.
pub async fn the_own_deadline_of_a_shielded_scope_acts() {
    let outer = CancelScope::new();
    outer.handle().cancel();
    let start = now();
    let body = async {
        let shielded = CancelScope::new().shielded(true).with_timeout(SHORT);
        let outcome = shielded.run(sleep_forever()).await;
        (outcome.is_err(), now() - start >= SHORT)
    };
    assert_eq!(outer.run(body).await, Ok((true, true)));
}

/// S1: A shield holds every unit around it in the task, not only the nearest one.
pub async fn a_shield_holds_all_units_around_it() {
    let outer = CancelScope::new();
    let handle = outer.handle();
    let log = RefCell::new(Vec::new());
    let body = async {
        let innermost = async {
            shield(async {
                handle.cancel();
                sleep(Duration::from_millis(1)).await;
                log.borrow_mut().push("shield");
            })
            .await;
            sleep_forever().await;
            log.borrow_mut().push("never");
        };
        let cleaned = finally(innermost, async { log.borrow_mut().push("clean-up") });
        let _ = CancelScope::new().run(timeout(LONG, cleaned)).await;
        log.borrow_mut().push("never");
    };
    assert!(outer.run(timeout(LONG, body)).await.is_err());
    assert_eq!(*log.borrow(), ["shield", "clean-up"]);
}

/// S1, D2: A timeout around a shield waits for it, and what then completes has completed.
pub async fn a_timeout_waits_for_the_shield_in_it() {
    let limited = timeout(Duration::ZERO, async {
        shield(async {
            checkpoint().await;
            sleep(Duration::from_millis(1)).await;
        })
        .await;
        7
    });
    assert_eq!(limited.await.ok(), Some(7));
}

/// S1: A shield in a task holds the task when its group is cancelled, and the group waits for that.
pub async fn a_shield_in_a_task_holds_the_task() {
    let reached = Arc::new([const { AtomicBool::new(false) }; 2]);
    let sees = reached.clone();
    let outcome = task_group(async |tg| {
        let inside = Arc::new(Event::new());
        let is_inside = inside.clone();
        tg.spawn(async move {
            shield(async {
                is_inside.set();
                sleep(SHORT).await;
                sees[0].store(true, Ordering::SeqCst);
            })
            .await;
            sleep_forever().await;
            sees[1].store(true, Ordering::SeqCst);
        });
        inside.wait().await;
        tg.cancel();
    })
    .await;
    assert!(outcome.is_ok());
    assert_eq!([&reached[0], &reached[1]].map(|flag| flag.load(Ordering::SeqCst)), [true, false]);
}

/// S1: A shield that ends in a panic lets go of the scope around it.
pub async fn a_shield_that_panics_lets_go() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let reached = Cell::new(0);
    let outcome = scope
        .run(async {
            handle.cancel();
            let panics = shield(async {
                checkpoint().await;
                resume_unwind(Box::new("oh"));
            });
            assert!(AssertUnwindSafe(panics).catch_unwind().await.is_err());
            reached.set(1);
            checkpoint().await;
            reached.set(2);
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(reached.get(), 1);
}

/// S1: In nested shields each keeps out what is outside of it, and what is between them is delivered between them.
pub async fn nested_shields_each_keep_out_what_is_outside() {
    let (outer, inner) = (CancelScope::new(), CancelScope::new());
    let handles = [outer.handle(), inner.handle()];
    let log = RefCell::new(Vec::new());
    let innermost = async {
        handles.iter().for_each(|handle| handle.cancel());
        shield(sleep(Duration::from_millis(1))).await;
        log.borrow_mut().push("inner shield");
        checkpoint().await;
        log.borrow_mut().push("never");
    };
    let body = async {
        shield(async {
            assert!(inner.run(innermost).await.is_err());
            checkpoint().await;
            log.borrow_mut().push("outer shield");
        })
        .await;
        checkpoint().await;
        log.borrow_mut().push("never");
    };
    assert!(outer.run(body).await.is_err());
    assert_eq!(*log.borrow(), ["inner shield", "outer shield"]);
}

/// S4: While one branch of a foreign join is shielded the others run on, whatever they do; then all are dropped.
pub async fn busy_siblings_in_a_foreign_join_run_on_until_the_shield_ends() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let drops = Drops::new();
    let laps = Cell::new(0);
    let sibling = async {
        let _token = drops.token();
        loop {
            checkpoint().await;
            laps.set(laps.get() + 1);
        }
    };
    let shielded = shield(async {
        handle.cancel();
        while laps.get() < 5 {
            checkpoint().await;
        }
        drops.count()
    });
    let dropped_early = Cell::new(None);
    let shielded = async { dropped_early.set(Some(shielded.await)) };
    assert!(scope.run(join(shielded, sibling)).await.is_err());
    assert_eq!((dropped_early.get(), drops.count()), (Some(0), 1));
}

/// S4: A sibling that is idle is kept until the shield ends, and is then dropped although nobody has woken it.
pub async fn idle_siblings_in_a_foreign_join_are_kept_until_the_shield_ends() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let drops = Drops::new();
    let token = drops.token();
    let idle = async move {
        let _token = token;
        pending::<()>().await;
    };
    let dropped_early = Cell::new(None);
    let shielded = async {
        shield(async {
            handle.cancel();
            sleep(Duration::from_millis(1)).await;
            dropped_early.set(Some(drops.count()));
        })
        .await;
    };
    let branches = FuturesUnordered::from_iter([idle.boxed_local(), shielded.boxed_local()]);
    assert!(scope.run(branches.collect::<Vec<_>>()).await.is_err());
    assert_eq!((dropped_early.get(), drops.count()), (Some(0), 1));
}

/// S4: A shield counts although its branch is idle and is not polled this time.
pub async fn an_idle_shield_in_a_foreign_stream_counts() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let (release, ended, polls) = (Event::new(), Cell::new(false), Cell::new(0));
    let shielded = async {
        shield(counting(&polls, release.wait())).await;
        ended.set(true);
    };
    let busy = async {
        checkpoint().await;
        handle.cancel();
        let before = polls.get();
        for _ in 0..20 {
            checkpoint().await;
        }
        assert_eq!((before, polls.get()), (1, 1), "only this branch was polled");
        release.set();
        sleep_forever().await;
    };
    let branches = FuturesUnordered::from_iter([shielded.boxed_local(), busy.boxed_local()]);
    assert!(scope.run(branches.collect::<Vec<_>>()).await.is_err());
    assert!(ended.get());
}

/// S4: Of two shields in a foreign join both count: the scope is held until the later one ends.
pub async fn the_last_of_several_shields_lets_go() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let (first, second) = (Event::new(), Event::new());
    let ended = RefCell::new(Vec::new());
    let a = async {
        shield(first.wait()).await;
        ended.borrow_mut().push("first");
        second.set();
        pending::<()>().await;
    };
    let b = async {
        shield(async {
            first.set();
            second.wait().await;
            checkpoint().await;
        })
        .await;
        ended.borrow_mut().push("second");
        pending::<()>().await;
    };
    assert!(scope.run(join(a, b)).await.is_err());
    assert_eq!(*ended.borrow(), ["first", "second"]);
}

/// S4, S7: A shield that is dropped while nobody polls it lets go of the sleeping scope.
pub async fn a_shield_that_is_dropped_on_another_thread_lets_go_of_the_sleeping_scope() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope
        .run(async {
            let mut shielded = Box::pin(shield(pending::<()>()));
            assert!(futures::poll!(shielded.as_mut()).is_pending());
            handle.cancel();
            meanwhile(move || drop(shielded));
            pending::<()>().await;
        })
        .await;
    assert!(outcome.is_err());
}

/// S4, C4: Whichever thread ends the shield, of the scopes that it has held the outermost one acts.
pub async fn whichever_thread_ends_a_shield_the_outermost_scope_acts() {
    for _ in 0..50 {
        let outer = CancelScope::new();
        outer.handle().cancel();
        let body = async {
            let mut shielded = Box::pin(shield(pending::<()>()));
            assert!(futures::poll!(shielded.as_mut()).is_pending());
            on_thread(move || drop(shielded));
            loop {
                checkpoint().await;
            }
        };
        let nested = CancelScope::new().run(CancelScope::new().run(body));
        assert!(outer.run(nested).await.is_err(), "an inner scope has ended first");
    }
}

/// S7: A shield that a foreign select drops ends there; what it kept out is delivered at the next suspension.
pub async fn a_shield_that_a_foreign_select_drops_ends() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let reached = Cell::new(0);
    let outcome = scope
        .run(async {
            handle.cancel();
            let long = shield(sleep_forever()).boxed_local();
            let short = shield(checkpoint()).boxed_local();
            drop(select(long, short).await);
            reached.set(1);
            checkpoint().await;
            reached.set(2);
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(reached.get(), 1);
}

/// S3: Before anything outside is cancelled the grace does not run, and then it is granted in full.
pub async fn a_grace_starts_when_a_scope_around_is_cancelled() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let cancelled_at = Cell::new(None);
    let graced = shield_for(SHORT, async {
        sleep(3 * SHORT).await;
        cancelled_at.set(Some(now()));
        handle.cancel();
        sleep_forever().await;
    });
    assert!(scope.run(graced).await.is_err());
    assert!(now() - cancelled_at.get().expect("the grace did not run before") >= SHORT);
}

/// S3: When the scope around was cancelled long ago, the grace counts from the first poll of the shield.
pub async fn a_grace_counts_from_the_first_poll_if_the_cancellation_came_before() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let start = Cell::new(None);
    let outcome = scope
        .run(async {
            handle.cancel();
            let graced = shield_for(SHORT, sleep_forever());
            block(3 * SHORT);
            start.set(Some(now()));
            graced.await;
        })
        .await;
    assert!(outcome.is_err());
    assert!(now() - start.get().unwrap() >= SHORT);
}

/// S3: The cancellation of a scope inside does not start the grace, and a grace that is long enough is not noticed.
pub async fn what_is_done_within_the_grace_is_done() {
    let outer = CancelScope::new();
    let handle = outer.handle();
    let inside = async {
        let inner = CancelScope::new();
        inner.handle().cancel();
        assert!(inner.run(sleep_forever()).await.is_err());
        sleep(3 * SHORT).await;
    };
    let body = async {
        shield_for(SHORT, inside).await;
        handle.cancel();
        shield_for(LONG, sleep(SHORT)).await;
        shield_for(Duration::MAX, sleep(SHORT)).await;
        7
    };
    assert_eq!(outer.run(body).await, Ok(7));
}

/// S3: A grace of zero leaves the first poll, and what is ready then has its value.
pub async fn a_grace_of_zero_leaves_one_poll() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let reached = Cell::new(0);
    let outcome = scope
        .run(async {
            handle.cancel();
            reached.set(shield_for(Duration::ZERO, async { 1 }).await);
            shield_for(Duration::ZERO, async {
                reached.set(2);
                checkpoint().await;
                reached.set(3);
            })
            .await;
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(reached.get(), 2);
}

/// S3: When the grace is over the shield lets go, although what is in it is not being polled.
pub async fn a_grace_ends_although_the_shield_is_not_polled() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let start = now();
    let outcome = scope
        .run(async {
            let mut graced = Box::pin(shield_for(SHORT, sleep_forever()));
            assert!(futures::poll!(graced.as_mut()).is_pending());
            handle.cancel();
            pending::<()>().await;
        })
        .await;
    assert!(outcome.is_err());
    assert!(now() - start >= SHORT);
}

/// S3, F5: When the grace is over the shield lets go, although it was forgotten.
pub async fn a_grace_ends_although_the_shield_was_forgotten() {
    let (runtime, _heard) = hooked();
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        let mut graced = Box::pin(shield_for(SHORT, pending::<()>()));
        assert!(futures::poll!(graced.as_mut()).is_pending());
        std::mem::forget(graced);
        handle.cancel();
        pending::<()>().await;
    };
    assert!(enter(runtime, scope.run(body)).await.is_err());
}

/// S3: When the grace is over the shield does not hide any more either, although another one holds the scope.
pub async fn after_its_grace_a_shield_does_not_hide() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let over = Event::new();
    let graced = shield_for(SHORT, async {
        let _ = cancelled().await;
        assert!(is_cancelled());
        over.set();
        sleep_forever().await;
    });
    assert!(scope.run(join(graced, shield(over.wait()))).await.is_err());
    assert!(over.is_set());
}

/// S3: A grace inside a shield starts when that shield is lowered, which is when the cancellation arrives.
pub async fn a_grace_inside_a_shield_starts_when_that_is_lowered() {
    let (outer, shielded) = (CancelScope::new(), CancelScope::new().shielded(true));
    outer.handle().cancel();
    let handle = shielded.handle();
    let lowered_at = Cell::new(None);
    let graced = shield_for(SHORT, async {
        sleep(3 * SHORT).await;
        lowered_at.set(Some(now()));
        handle.set_shield(false);
        sleep_forever().await;
    });
    assert!(outer.run(shielded.run(graced)).await.is_err());
    assert!(now() - lowered_at.get().expect("the grace did not run before") >= SHORT);
}

/// S6: Lowering a shield from another thread delivers at once what it has kept out, also to a sleeper.
pub async fn lowering_a_shield_from_another_thread_delivers_at_once() {
    let (outer, shielded) = (CancelScope::new(), CancelScope::new().shielded(true));
    outer.handle().cancel_with("outside");
    let handle = shielded.handle();
    let reached = Cell::new(false);
    let body = async {
        shield(checkpoint()).await;
        meanwhile(move || handle.set_shield(false));
        let _ = shielded.run(sleep_forever()).await;
        reached.set(true);
    };
    let cut = outer.run(body).await.unwrap_err();
    assert!(cut.to_string().contains("outside"));
    assert!(!reached.get(), "the outermost scope cuts everything short");
}

/// S6: A shield that was lowered in time keeps nothing out.
pub async fn a_shield_that_was_lowered_before_keeps_nothing_out() {
    let (outer, inner) = (CancelScope::new(), CancelScope::new().shielded(true));
    let handles = (outer.handle(), inner.handle());
    let reached = Cell::new(0);
    let body = inner.run(async {
        handles.1.set_shield(false);
        checkpoint().await;
        reached.set(1);
        handles.0.cancel();
        checkpoint().await;
        reached.set(2);
    });
    assert!(outer.run(body).await.is_err());
    assert_eq!(reached.get(), 1);
}

/// S6: A shield that is raised before anything outside was cancelled keeps it out.
pub async fn a_shield_that_is_raised_in_time_keeps_the_cancellation_out() {
    let (outer, inner) = (CancelScope::new(), CancelScope::new());
    let handles = (outer.handle(), inner.handle());
    let body = inner.run(async {
        checkpoint().await;
        handles.1.set_shield(true);
        handles.0.cancel();
        sleep(Duration::from_millis(1)).await;
        is_cancelled()
    });
    assert_eq!(outer.run(body).await, Ok(Ok(false)));
}

/// S6: Raising a shield does nothing once the cancellation from outside is here.
pub async fn a_shield_that_is_raised_too_late_does_nothing() {
    let (outer, inner) = (CancelScope::new(), CancelScope::new());
    let handles = (outer.handle(), inner.handle());
    let reached = Cell::new(0);
    let body = inner.run(async {
        handles.0.cancel();
        handles.1.set_shield(true);
        assert!(is_cancelled());
        reached.set(1);
        checkpoint().await;
        reached.set(2);
    });
    assert!(outer.run(body).await.is_err());
    assert_eq!(reached.get(), 1);
}

/// S6: A shield that was lowered under a cancelled scope cannot be raised again.
pub async fn a_shield_that_has_delivered_cannot_be_raised_again() {
    let (outer, inner) = (CancelScope::new(), CancelScope::new().shielded(true));
    outer.handle().cancel();
    let handle = inner.handle();
    let reached = Cell::new(0);
    let body = inner.run(async {
        checkpoint().await;
        reached.set(1);
        handle.set_shield(false);
        handle.set_shield(true);
        checkpoint().await;
        reached.set(2);
    });
    assert!(outer.run(body).await.is_err());
    assert_eq!(reached.get(), 1);
}

/// S6: A shield does not protect a scope from its own cancellation, whichever came first.
pub async fn raising_a_shield_does_not_undo_the_scopes_own_cancellation() {
    for cancel_first in [true, false] {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let reached = Cell::new(0);
        let body = async {
            if cancel_first {
                handle.cancel();
            }
            handle.set_shield(true);
            handle.cancel();
            reached.set(1);
            checkpoint().await;
            reached.set(2);
        };
        assert!(scope.run(body).await.is_err());
        assert_eq!(reached.get(), 1);
    }
}

/// S6: However raising, lowering and a cancellation interleave, the last lowering delivers what there is to deliver.
pub async fn no_interleaving_of_edits_loses_the_cancellation() {
    for _ in 0..50 {
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        let (cancels, edits) = (outer.handle(), inner.handle());
        let body = async {
            on_thread(move || cancels.cancel());
            on_thread(move || {
                for raised in [true, false, true, false] {
                    edits.set_shield(raised);
                }
            });
            let _ = inner.run(pending::<()>()).await;
            pending::<()>().await;
        };
        assert!(outer.run(body).await.is_err());
    }
}

/// S5: A shield in the body of a group does not protect the group's tasks.
pub async fn a_shield_in_a_body_does_not_protect_the_tasks() {
    let outer = CancelScope::new();
    let handle = outer.handle();
    let gone = Arc::new(Event::new());
    let saw_it = Cell::new(false);
    let group = task_group(async |tg| {
        let told = SetOnDrop(gone.clone());
        tg.spawn(async move {
            let _told = told;
            sleep_forever().await;
        });
        shield(async {
            handle.cancel();
            gone.wait().await;
            saw_it.set(true);
        })
        .await;
    });
    assert!(outer.run(group).await.is_err());
    assert!(saw_it.get(), "the task ended while the shield was up");
}

/// S5: A shield on a group's scope protects its tasks, but a task that fails cancels its siblings all the same.
pub async fn a_shield_on_a_groups_scope_protects_the_tasks_from_outside_alone() {
    let outer = CancelScope::new();
    let handle = outer.handle();
    let drops = Drops::new();
    let group = try_task_group(async |tg| {
        tg.scope().set_shield(true);
        handle.cancel();
        let survived = Arc::new(Event::new());
        let (token, says) = (drops.token(), survived.clone());
        tg.spawn_ok(async move {
            let _token = token;
            sleep(Duration::from_millis(1)).await;
            says.set();
            sleep_forever().await;
        });
        survived.wait().await;
        tg.spawn(async { Err::<(), _>("failed") });
        sleep_forever().await;
        Ok(())
    });
    let outcome = outer.run(group).await;
    assert!(matches!(outcome, Ok(Err(GroupError::Failed(_)))), "{outcome:?}");
    assert_eq!(drops.count(), 1);
}

/// S6, S5: Lowering the shield of a group's scope reaches the tasks of the group.
pub async fn lowering_the_shield_of_a_group_reaches_its_tasks() {
    let outer = CancelScope::new();
    let handle = outer.handle();
    let drops = Drops::new();
    let group = task_group(async |tg| {
        tg.scope().set_shield(true);
        handle.cancel();
        let started = Arc::new(Event::new());
        let (token, says) = (drops.token(), started.clone());
        tg.spawn(async move {
            let _token = token;
            checkpoint().await;
            says.set();
            sleep_forever().await;
        });
        started.wait().await;
        meanwhile(move || tg.scope().set_shield(false));
    });
    assert!(outer.run(group).await.is_err());
    assert_eq!(drops.count(), 1);
}

/// S7: Protected work goes on when foreign code drops what waits for it, and the group waits for it.
pub async fn protected_work_survives_a_foreign_drop_and_its_group_waits() {
    let go_on = Arc::new(Event::new());
    let done = Arc::new(AtomicBool::new(false));
    let outcome = task_group(async |_| {
        let (waits, says) = (go_on.clone(), done.clone());
        let work = protect(async move {
            waits.wait().await;
            sleep(Duration::from_millis(1)).await;
            says.store(true, Ordering::SeqCst);
        });
        drop(select(Box::pin(work), Box::pin(checkpoint())).await);
        assert!(!done.load(Ordering::SeqCst));
        go_on.set();
    })
    .await;
    assert!(outcome.is_ok() && done.load(Ordering::SeqCst));
}

/// S7: Protected work is not cancelled with the scope and the group around it, which wait for it.
pub async fn protected_work_is_never_cancelled() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let done = Arc::new(AtomicBool::new(false));
    let group = task_group(async |tg| {
        let says = done.clone();
        protect(async move {
            tg.cancel();
            handle.cancel();
            checkpoint().await;
            assert!(!is_cancelled());
            sleep(SHORT).await;
            says.store(true, Ordering::SeqCst);
        })
        .await;
        sleep_forever().await;
    });
    assert!(scope.run(group).await.is_err());
    assert!(done.load(Ordering::SeqCst));
}

/// S7, C6: Work that is not protected yet when its scope is cancelled does not begin.
pub async fn work_to_be_protected_in_a_cancelled_scope_does_not_begin() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let begun = Arc::new(AtomicBool::new(false));
    let says = begun.clone();
    let outcome = task_group(async |_| {
        let work = protect(async move { says.store(true, Ordering::SeqCst) });
        scope.run(work).await.is_err()
    });
    assert_eq!(outcome.await, Ok(true));
    assert!(!begun.load(Ordering::SeqCst));
}

/// S7: Protected work belongs to the nearest group: scopes inside that group do not wait for it, the group does.
pub async fn protected_work_belongs_to_the_nearest_group() {
    let go_on = Arc::new(Event::new());
    let done = Arc::new(AtomicBool::new(false));
    let outcome = task_group(async |_| {
        let inner = task_group(async |_| {
            let (waits, says) = (go_on.clone(), done.clone());
            let work = protect(async move {
                waits.wait().await;
                says.store(true, Ordering::SeqCst);
            });
            let scope = CancelScope::new().run(select(Box::pin(work), Box::pin(checkpoint())));
            drop(scope.await);
            go_on.set();
        });
        assert!(inner.await.is_ok());
        done.load(Ordering::SeqCst)
    })
    .await;
    assert_eq!(outcome, Ok(true));
}

/// S7: Outside every group the run waits for protected work.
pub async fn a_run_waits_for_protected_work() {
    let done = Arc::new(AtomicBool::new(false));
    let says = done.clone();
    in_own_run(move || async move {
        let go_on = Arc::new(Event::new());
        let waits = go_on.clone();
        let mut work = Box::pin(protect(async move {
            waits.wait().await;
            sleep(Duration::from_millis(1)).await;
            says.store(true, Ordering::SeqCst);
        }));
        assert!(futures::poll!(work.as_mut()).is_pending());
        meanwhile(move || go_on.set());
    });
    assert!(done.load(Ordering::SeqCst));
}

/// S7: Protected work hands its value, and its panic, to whoever waits for it.
pub async fn protected_work_hands_out_its_value_and_its_panic() {
    let value = protect(async {
        checkpoint().await;
        7
    });
    assert_eq!(value.await, 7);
    let panics = protect(async {
        checkpoint().await;
        resume_unwind(Box::new("oh"));
    });
    let payload = AssertUnwindSafe(panics).catch_unwind().await.unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"oh"));
}

/// S7: A shielded task of a cancelled group can protect work, which the group waits for as well.
pub async fn work_protected_after_the_cancellation_is_waited_for() {
    let done = Arc::new(AtomicBool::new(false));
    let says = done.clone();
    let outcome = task_group(async move |tg| {
        let group = tg.clone();
        tg.spawn(shield(async move {
            group.cancel();
            let work = protect(async move {
                sleep(SHORT).await;
                says.store(true, Ordering::SeqCst);
            });
            drop(select(Box::pin(work), Box::pin(checkpoint())).await);
        }));
        sleep_forever().await;
    })
    .await;
    assert!(outcome.is_err() && done.load(Ordering::SeqCst));
}
