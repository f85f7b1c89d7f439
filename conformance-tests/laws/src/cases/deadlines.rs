//! Cases of the laws D, and of X5 as far as it is about time.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::mem::replace;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyio::{
    CancelHandle, CancelReason, CancelScope, EffectiveDeadline, Event, FutureExt as _, MissedTicks, Runtime, Unhandled,
    checkpoint, current_effective_deadline, enter, interval, is_cancelled, move_on_after, move_on_at, now, shield,
    sleep, sleep_forever, sleep_until, task_group, timeout, timeout_at,
};
use futures::future::{FutureExt as _, join, join_all};
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::fixture::{Drops, LONG, SHORT, Wakes, hooked, poll_times};
use crate::steps::{SetOnDrop, block, meanwhile, on_thread};

/// A time that has passed, on the clock of the runtime.
fn past() -> Instant {
    now().checked_sub(Duration::from_millis(1)).expect("the clock has run for a while")
}

/// How often a future was pending before it was ready.
async fn pendings(future: impl Future) -> usize {
    let mut future = pin!(future);
    let mut count = 0;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(count),
        Poll::Pending => {
            count += 1;
            Poll::Pending
        }
    })
    .await
}

/// A scope with a handle to it.
fn scope() -> (CancelScope, CancelHandle) {
    let scope = CancelScope::new();
    let handle = scope.handle();
    (scope, handle)
}

/// D1: A deadline that passes cancels its scope, for that reason.
pub async fn a_deadline_that_passes_cancels_its_scope() {
    let deadline = now() + SHORT;
    let scope = CancelScope::new().with_deadline(deadline);
    let handle = scope.handle();
    assert!(!handle.cancel_requested());
    let cut = scope.run(sleep_forever()).await.unwrap_err();
    assert_eq!(*cut.reason(), CancelReason::DeadlinePassed);
    assert!(handle.cancel_requested() && now() >= deadline);
    assert_eq!(handle.reason(), Some(cut));
}

/// D1: The deadline of a group's scope cancels its tasks and its body.
pub async fn the_deadline_of_a_group_cancels_its_tasks() {
    let drops = Drops::new();
    let token = drops.token();
    let outcome = task_group(async move |tg| {
        tg.spawn(async move {
            let _token = token;
            sleep_forever().await;
        });
        tg.scope().set_deadline(now() + SHORT);
        sleep_forever().await;
    })
    .await;
    assert_eq!(*outcome.unwrap_err().reason(), CancelReason::DeadlinePassed);
    assert_eq!(drops.count(), 1);
}

/// D1: A relative limit counts from the first poll, not from where the future was built.
pub async fn a_relative_limit_counts_from_the_first_poll() {
    let scope = CancelScope::new().with_timeout(SHORT);
    let built = (timeout(SHORT, checkpoint()), move_on_after(SHORT, checkpoint()), sleep(SHORT));
    block(2 * SHORT);
    let start = now();
    let EffectiveDeadline::At(deadline) = scope.run(async { current_effective_deadline() }).await.unwrap() else {
        panic!("a scope with a limit has a deadline");
    };
    assert!(deadline >= start + SHORT && deadline <= now() + SHORT);
    let start = now();
    built.2.await;
    assert!(now() - start >= SHORT);
    let _ = (built.0.await, built.1.await);
}

/// D1: The time is read before the first poll, so a body that takes long over it has that much less left.
pub async fn the_limit_counts_from_before_the_first_poll() {
    let start = Cell::new(None);
    let body = async {
        start.set(Some(now()));
        block(2 * SHORT);
        current_effective_deadline()
    };
    let seen = timeout(LONG, body).await.unwrap();
    let latest = start.get().unwrap() + LONG;
    assert!(matches!(seen, EffectiveDeadline::At(deadline) if deadline <= latest), "{seen:?}");
}

/// D2: No sleeper and no timeout is early on the clock of the runtime, however many there are.
pub async fn nothing_is_ever_early() {
    let lengths = (1..=40).map(|n| Duration::from_micros(517 * n));
    let waits = lengths.map(|length| async move {
        let start = now();
        sleep(length).await;
        assert!(now() - start >= length, "a sleeper was early");
        let start = now();
        assert!(timeout(length, sleep_forever()).await.is_err());
        assert!(now() - start >= length, "a timeout was early");
        let deadline = now() + length;
        assert_eq!(move_on_at(deadline, sleep_forever()).await, None);
        assert!(now() >= deadline, "a deadline was early");
        sleep_until(deadline + length).await;
        assert!(now() >= deadline + length, "a sleeper was early");
    });
    join_all(waits).await;
}

/// D2: A body that finishes late, without suspending, has finished: with its value, in whatever kind of scope.
pub async fn a_body_that_finishes_late_without_suspending_has_finished() {
    let late = || async {
        block(SHORT);
        7
    };
    let limit = Duration::from_millis(1);
    assert_eq!(timeout(limit, late()).await.ok(), Some(7));
    assert_eq!(timeout_at(now() + limit, late()).await.ok(), Some(7));
    assert_eq!(move_on_after(limit, late()).await, Some(7));
    let scope = CancelScope::new().with_timeout(limit);
    let handle = scope.handle();
    assert_eq!(scope.run(late()).await, Ok(7));
    assert!(!handle.cancel_requested() || handle.reason().is_some());
}

/// D2: The value is kept although the time runs out while a group inside is still waiting for its tasks.
pub async fn a_value_is_kept_although_the_time_runs_out_while_its_group_waits() {
    let drops = Drops::new();
    let token = drops.token();
    let group = task_group(async move |tg| {
        tg.spawn(shield(async move {
            let _token = token;
            sleep(3 * SHORT).await;
        }));
        7
    });
    assert_eq!(timeout(SHORT, group).await.ok().and_then(Result::ok), Some(7));
    assert_eq!(drops.count(), 1);
}

/// D3: A deadline that has passed while the thread was busy is noticed by the poll, at the next suspension.
pub async fn a_passed_deadline_is_noticed_at_the_next_suspension() {
    let reached = Cell::new(0);
    let outcome = timeout(SHORT, async {
        block(2 * SHORT);
        reached.set(1);
        checkpoint().await;
        reached.set(2);
    });
    assert!(outcome.await.is_err());
    assert_eq!(reached.get(), 1);
}

/// D3: A deadline that has passed is noticed by whoever asks, and then it is there for all inside.
pub async fn a_passed_deadline_is_noticed_by_asking() {
    let scope = CancelScope::new().with_timeout(SHORT);
    let handle = scope.handle();
    let seen = scope.run(async {
        block(2 * SHORT);
        (handle.cancel_requested(), is_cancelled(), current_effective_deadline())
    });
    assert_eq!(seen.await, Ok((true, true, EffectiveDeadline::Cancelled)));
}

/// D3: A deadline that was moved to the future before anybody noticed it never fired.
pub async fn a_deadline_that_is_moved_before_it_is_noticed_never_fired() {
    let scope = CancelScope::new().with_deadline(past());
    let handle = scope.handle();
    handle.set_deadline(now() + LONG);
    let outcome = scope.run(async {
        sleep(SHORT).await;
        handle.cancel_requested()
    });
    assert_eq!(outcome.await, Ok(false));
}

/// D3: A deadline that is moved later, or removed, while the scope runs does not act at its old time.
pub async fn a_deadline_that_is_moved_later_or_removed_does_not_act_at_its_old_time() {
    for later in [Some(now() + LONG), None] {
        let (scope, handle) = scope();
        let old = now() + Duration::from_millis(300);
        handle.set_deadline(old);
        let outcome = scope.run(async {
            handle.set_deadline(later);
            sleep_until(old + SHORT).await;
            (handle.cancel_requested(), handle.deadline())
        });
        assert_eq!(outcome.await, Ok((false, later)));
    }
}

/// D3: A deadline that is moved later acts at its new time.
pub async fn a_deadline_that_is_moved_later_acts_at_its_new_time() {
    let scope = CancelScope::new().with_timeout(SHORT);
    let handle = scope.handle();
    let deadline = Cell::new(None);
    let outcome = scope.run(async {
        let later = now() + 4 * SHORT;
        deadline.set(Some(later));
        handle.set_deadline(later);
        // Should the old one have been noticed before, it stays.
        if handle.reason().is_some() {
            deadline.set(None);
        }
        sleep_forever().await;
    });
    assert!(outcome.await.is_err());
    assert!(deadline.get().is_none_or(|deadline| now() >= deadline));
}

/// D3: An earlier deadline that is set from another thread acts at once, also while the body is asleep.
pub async fn an_earlier_deadline_from_another_thread_acts_on_a_sleeper() {
    for old in [None, Some(now() + LONG)] {
        for ahead in [None, Some(3 * SHORT)] {
            let (scope, handle) = scope();
            handle.set_deadline(old);
            let (clock, edits) = (Runtime::current().unwrap(), handle.clone());
            meanwhile(move || {
                let now = clock.backend().now();
                edits.set_deadline(ahead.map_or(now - SHORT, |ahead| now + ahead));
            });
            let cut = scope.run(sleep_forever()).await.unwrap_err();
            assert_eq!(*cut.reason(), CancelReason::DeadlinePassed);
            assert!(now() >= handle.deadline().unwrap());
        }
    }
}

/// D3: A deadline that has fired cannot be revived, neither by moving it nor by removing it.
pub async fn a_deadline_that_has_fired_cannot_be_revived() {
    for later in [Some(now() + LONG), None] {
        let (scope, handle) = scope();
        let deadline = past();
        let outcome = scope.run(async {
            handle.set_deadline(deadline);
            assert!(is_cancelled(), "it is noticed as it is set");
            handle.set_deadline(later);
            assert_eq!(handle.deadline(), Some(deadline));
            checkpoint().await;
        });
        assert!(outcome.await.is_err());
        assert_eq!(handle.reason().map(|cut| cut.reason().clone()), Some(CancelReason::DeadlinePassed));
    }
}

/// D3: Whatever several threads set at the same time, the deadline that the scope then has is the one that acts.
pub async fn of_several_edits_at_once_the_one_that_counts_acts() {
    for _ in 0..50 {
        let (scope, handle) = scope();
        let [soon, long] = [now() + Duration::from_millis(2), now() + LONG];
        let settled = Arc::new(Event::new());
        let (first, second, set) = (handle.clone(), handle.clone(), settled.clone());
        on_thread(move || {
            let other = on_thread(move || second.set_deadline(long));
            first.set_deadline(soon);
            other.join().unwrap();
            set.set();
        });
        let outcome = scope.run(async {
            shield(settled.wait()).await;
            if handle.deadline() == Some(long) {
                handle.cancel();
            }
            sleep_forever().await;
        });
        assert!(outcome.await.is_err());
    }
}

/// D3: Once a scope is over its deadline means nothing any more.
pub async fn a_deadline_means_nothing_once_the_scope_is_over() {
    // On a machine that is busy the time may run out before the scope is over: then once more.
    let (handle, deadline) = loop {
        let scope = CancelScope::new().with_timeout(SHORT);
        let handle = scope.handle();
        let deadline = Cell::new(None);
        let body = async { deadline.set(handle.deadline()) };
        assert!(scope.run(body).await.is_ok());
        let deadline = deadline.get().unwrap();
        if now() < deadline {
            break (handle, deadline);
        }
    };
    sleep_until(deadline + SHORT).await;
    assert!(!handle.cancel_requested());
    handle.set_deadline(past());
    assert!(!handle.cancel_requested());
}

/// D4: The deadline in effect is the earliest of all scopes around, also of those around the group of a task.
pub async fn the_deadline_in_effect_is_the_earliest_around() {
    use EffectiveDeadline::At;
    assert_eq!(current_effective_deadline(), EffectiveDeadline::None);
    let [near, middle, far] = [LONG, 2 * LONG, 3 * LONG].map(|limit| now() + limit);
    let seen = timeout_at(middle, async {
        let here = current_effective_deadline();
        let later = timeout_at(far, async { current_effective_deadline() }).await.unwrap();
        let earlier = timeout_at(near, async { current_effective_deadline() }).await.unwrap();
        let in_task = task_group(async move |tg| {
            let task = async move { timeout_at(far, async { current_effective_deadline() }).await.unwrap() };
            tg.spawn(task).value().await
        });
        [here, later, earlier, in_task.await.unwrap(), current_effective_deadline()]
    });
    assert_eq!(seen.await.ok(), Some([At(middle), At(middle), At(near), At(middle), At(middle)]));
}

/// D4: A shield ends the look outward; if it is a scope with a deadline of its own, that one counts.
pub async fn the_deadline_in_effect_ends_at_the_nearest_shield() {
    let [near, far] = [LONG, 2 * LONG].map(|limit| now() + limit);
    let seen = timeout_at(near, async {
        let plain = shield(async { current_effective_deadline() }).await;
        let limited = CancelScope::new().shielded(true).with_deadline(far);
        let own = limited.run(async { current_effective_deadline() }).await.unwrap();
        let (scope, handle) = scope();
        let raised = scope.run(async {
            handle.set_shield(true);
            let up = current_effective_deadline();
            handle.set_shield(false);
            (up, current_effective_deadline())
        });
        (plain, own, raised.await.unwrap())
    });
    use EffectiveDeadline::{At, None};
    assert_eq!(seen.await.ok(), Some((None, At(far), (None, At(near)))));
}

/// D4: "Already cancelled" is an answer of its own, and hidden by a shield like any other.
pub async fn already_cancelled_is_an_answer_of_its_own() {
    let (scope, handle) = scope();
    let seen = timeout(
        LONG,
        scope.run(async {
            handle.cancel();
            let inside = timeout(LONG, async { current_effective_deadline() }).await.unwrap();
            (current_effective_deadline(), inside, shield(async { current_effective_deadline() }).await)
        }),
    );
    use EffectiveDeadline::{Cancelled, None};
    assert_eq!(seen.await.unwrap(), Ok((Cancelled, Cancelled, None)));
}

/// D5: A deadline acts on a body that wakes itself without pause, in the body of a scope as in a task.
pub async fn a_deadline_acts_on_a_body_that_is_woken_without_pause() {
    let busy = || {
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })
    };
    assert!(timeout(SHORT, busy()).await.is_err());
    let group = task_group(async move |tg| {
        tg.spawn(busy());
        busy().await;
    });
    assert!(timeout(SHORT, group).await.is_err());
}

/// D5: A deadline cancels the tasks inside on time, although the future around them is not being polled.
pub async fn a_deadline_acts_although_its_future_is_not_polled() {
    let gone = Arc::new(Event::new());
    let told = gone.clone();
    let group = task_group(async move |tg| {
        tg.spawn(async move {
            let _told = SetOnDrop(told);
            sleep_forever().await;
        });
        sleep_forever().await;
    });
    let mut snoozed = FuturesUnordered::from_iter([timeout(SHORT, group)]);
    assert!(futures::poll!(snoozed.next()).is_pending());
    gone.wait().await;
    assert!(snoozed.next().await.is_some_and(|outcome| outcome.is_err()));
}

/// D5: A deadline acts although its future has moved to another task since it was armed.
pub async fn a_deadline_acts_although_its_future_has_moved_to_another_task() {
    let outcome = task_group(async |tg| {
        let mut limited = Box::pin(timeout(3 * SHORT, pending::<()>()));
        assert!(futures::poll!(limited.as_mut()).is_pending());
        tg.spawn(limited).value().await.is_err()
    });
    assert_eq!(outcome.await, Ok(true));
}

/// D5: A sleeper may move to another task as well.
pub async fn a_sleeper_may_move_to_another_task() {
    let outcome = task_group(async |tg| {
        let start = now();
        let mut sleeper = Box::pin(sleep(3 * SHORT));
        assert!(futures::poll!(sleeper.as_mut()).is_pending());
        tg.spawn(sleeper).value().await;
        now() - start >= 3 * SHORT
    });
    assert_eq!(outcome.await, Ok(true));
}

/// D1, D2: Everybody who sleeps wakes at a time of their own: whoever lies down later, for longer or for less, and however many
/// get up before it is time.
pub async fn sleepers_wake_in_their_own_time_whoever_comes_and_goes() {
    let lie_down = |length| {
        let end = now() + length;
        let mut sleeper = Box::pin(sleep_until(end));
        assert_eq!((&mut sleeper).now_or_never(), None);
        async move {
            sleeper.await;
            assert!(now() >= end, "a sleeper was early");
        }
    };
    let light_sleepers = FuturesUnordered::new();
    let mut crowd = Vec::new();
    for round in 0..3_u32 {
        for n in 0..1_500 {
            crowd.push(lie_down(LONG + n * SHORT));
            if n % 500 == 7 {
                light_sleepers.push(lie_down((6 - 2 * round) * SHORT));
                light_sleepers.push(lie_down((2 + 2 * round) * SHORT));
            }
        }
        crowd.truncate(700);
    }
    assert!(timeout(LONG, light_sleepers.collect::<()>()).await.is_ok(), "some sleep on");
    drop(crowd);
    assert!(timeout(LONG, sleep(SHORT)).await.is_ok(), "the last one sleeps on");
}

/// D2, D3: Somebody who is asked whether it is time, and it is, has slept, although the runtime had no occasion to tell.
pub async fn a_sleeper_that_is_asked_in_time_has_slept() {
    let mut sleeper = Box::pin(sleep(SHORT));
    assert!(futures::poll!(sleeper.as_mut()).is_pending());
    block(2 * SHORT);
    assert!(futures::poll!(sleeper.as_mut()).is_ready());
}

/// D5: Ten thousand timeouts of one task that run out at once all do.
pub async fn ten_thousand_timeouts_run_out_at_once() {
    let limited: FuturesUnordered<_> = (0..10_000).map(|_| timeout(SHORT, pending::<()>())).collect();
    let timed_out = limited.filter(|outcome| ready(outcome.is_err())).count().await;
    assert_eq!(timed_out, 10_000);
}

/// D5: A timeout, a scope with a deadline and a sleeper that are done, or dropped, do not stop others from running out.
pub async fn timeouts_that_end_do_not_stop_others() {
    let mut others: FuturesUnordered<_> = (0..10).map(|_| timeout(2 * SHORT, pending::<()>())).collect();
    assert!(futures::poll!(others.next()).is_pending());
    let mut dropped = Box::pin(timeout(SHORT, sleep_forever()));
    assert!(futures::poll!(dropped.as_mut()).is_pending());
    drop(dropped);
    let mut sleeper = Box::pin(sleep(SHORT));
    assert!(futures::poll!(sleeper.as_mut()).is_pending());
    drop(sleeper);
    let _ = timeout(SHORT, checkpoint()).await;
    let _ = CancelScope::new().with_timeout(SHORT).run(checkpoint()).await;
    assert_eq!(others.count().await, 10);
}

/// D9, C9: A timeout that is done has no deadline any more, though its future still exists: it wakes nobody.
pub async fn a_timeout_that_is_done_wakes_nobody() {
    let mut was_in_time = false;
    // A thread that has to wait for its turn may be too late with a poll.
    while !was_in_time {
        let (wakes, end) = (Wakes::new(), now() + SHORT);
        let mut limited = Box::pin(timeout(SHORT, pending_once()));
        let began = wakes.poll(&mut limited).is_pending();
        assert!(!began || wakes.poll(&mut limited).is_ready());
        was_in_time = began && now() < end;
        sleep(3 * SHORT).await;
        assert!(!was_in_time || wakes.count() == 0);
    }
}

/// C6, D3: An operation that is first polled when the timeout around has passed already does nothing.
pub async fn an_operation_that_begins_when_its_timeout_has_passed_does_nothing() {
    for limit in [SHORT, Duration::from_secs(1)] {
        let event = Event::new();
        event.set();
        let mut acted = false;
        let end = now() + limit;
        let body = async {
            // Woken by the timeout alone.
            poll_fn(|_| if now() >= end { Poll::Ready(()) } else { Poll::Pending }).await;
            event.wait().await;
            acted = true;
        };
        assert!(timeout(limit, body).await.is_err());
        assert!(!acted);
    }
}

/// Is pending once, without a wake.
async fn pending_once() {
    let mut polled = false;
    poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// D1, D3: Code that computes in a timeout sees that it is cancelled, where it would in a scope with the same limit.
pub async fn code_that_computes_sees_that_its_timeout_has_passed() {
    let sees_it = || async {
        let start = now();
        while !is_cancelled() && now() - start < 100 * SHORT {
            block(SHORT / 10);
        }
        is_cancelled()
    };
    let scope = CancelScope::new().with_timeout(SHORT);
    if scope.run(sees_it()).await == Ok(true) {
        assert_eq!(timeout(SHORT, sees_it()).await.ok(), Some(true));
    }
}

/// D1, C2: A body that has outlasted its limit in a single poll is dropped at the end of that, however long the limit was.
pub async fn a_body_that_outlasts_a_long_limit_in_one_poll_is_dropped_there() {
    let second = Duration::from_secs(1);
    let polls = Cell::new(0);
    let body = poll_fn(|cx| {
        polls.set(polls.get() + 1);
        block(second + SHORT);
        cx.waker().wake_by_ref();
        if polls.get() == 1 { Poll::Pending } else { Poll::Ready(()) }
    });
    assert!(timeout(second, body).await.is_err());
    assert_eq!(polls.get(), 1);
}

/// D1, D2: A timeout passes at its own time, whatever the limit was of those that were given up before it.
pub async fn a_timeout_passes_at_its_own_time_after_others_were_given_up() {
    for given_up in [LONG, 2 * SHORT, SHORT] {
        let mut others: Vec<_> = (0..3).map(|_| Box::pin(timeout(given_up, pending::<()>()))).collect();
        for other in &mut others {
            assert!(futures::poll!(other.as_mut()).is_pending());
        }
        drop(others);
        for limit in [2 * SHORT, SHORT] {
            let start = now();
            assert!(timeout(limit, pending::<()>()).await.is_err());
            assert!(now() - start >= limit, "early by {:?}", limit - (now() - start));
        }
        assert!(timeout(Duration::from_secs(1), sleep(2 * SHORT)).await.is_ok());
    }
}

/// D1, D2: A timeout passes at its own time by a timer that was armed for one before it, and has fired for nobody since.
pub async fn a_timeout_passes_at_its_own_time_after_a_timer_has_fired_for_nobody() {
    for _ in 0..3 {
        assert!(timeout(SHORT, checkpoint()).await.is_ok());
        sleep(2 * SHORT).await;
        let start = now();
        assert!(timeout(2 * SHORT, pending::<()>()).await.is_err());
        assert!(now() - start >= 2 * SHORT);
    }
}

/// D1, D2: A timeout that was begun inside one that ends earlier, and is polled on without that, passes at its own time.
pub async fn a_timeout_passes_at_its_own_time_after_the_one_around_it_is_gone() {
    let start = now();
    let mut inner = pin!(timeout(2 * SHORT, pending::<()>()));
    let outer = Box::pin(timeout(SHORT, inner.as_mut()));
    assert!(poll_times(1, outer).await.is_err(), "it has time left");
    assert!(inner.await.is_err());
    assert!(now() - start >= 2 * SHORT);
}

/// D1, D2: A timeout that was begun inside one that ends earlier wakes who waits for it at its own time, also if it is not
/// polled when that one ends, or is dropped.
pub async fn a_timeout_wakes_who_waits_for_it_after_the_one_around_it_is_gone() {
    for (ends_at_once, is_dropped) in [(true, false), (false, false), (false, true)] {
        let start = now();
        let inner = Arc::new(Mutex::new(Box::pin(timeout(2 * SHORT, pending::<()>()))));
        let inside = inner.clone();
        let mut begun = false;
        let mut outer = Box::pin(timeout(
            SHORT,
            poll_fn(move |cx| {
                if replace(&mut begun, true) {
                    return Poll::Ready(());
                }
                assert!(inside.lock().unwrap().as_mut().poll(cx).is_pending());
                if ends_at_once { Poll::Ready(()) } else { Poll::Pending }
            }),
        ));
        assert_eq!(futures::poll!(outer.as_mut()).is_ready(), ends_at_once);
        if !ends_at_once {
            checkpoint().await;
        }
        if !ends_at_once && !is_dropped {
            assert!(outer.await.is_ok());
        } else {
            drop(outer);
        }
        let mut woken = false;
        let waiting =
            poll_fn(
                |cx| {
                    if replace(&mut woken, true) { inner.lock().unwrap().as_mut().poll(cx) } else { Poll::Pending }
                },
            );
        let outcome = timeout(Duration::from_secs(10), waiting).await;
        assert!(outcome.expect("it is woken").is_err());
        assert!(now() - start >= 2 * SHORT);
    }
}

/// D1, D2: Of timeouts inside each other each passes at its own time, the inner ones first or the outer ones.
pub async fn nested_timeouts_pass_at_their_own_times() {
    for (inner, outer) in [(SHORT, LONG), (LONG, SHORT), (SHORT, 3 * SHORT), (3 * SHORT, SHORT)] {
        let start = now();
        let outcome = timeout(LONG, timeout(outer, timeout(inner, timeout(LONG, pending::<()>())))).await;
        let least = inner.min(outer);
        assert_eq!(outcome.map(|inside| inside.is_err()).ok(), Some(outer < inner));
        assert!(now() - start >= least && now() - start < LONG);
    }
}

/// D1, D7: A timeout that was begun inside one that ends earlier passes at its own time, although that one is held.
pub async fn a_timeout_passes_inside_one_that_is_held() {
    let release = Event::new();
    let limited = async {
        let outcome = timeout(2 * SHORT, pending::<()>()).await;
        assert!(outcome.is_err());
        release.set();
    };
    let holding = async {
        checkpoint().await;
        shield(release.wait()).await;
    };
    // At the end both have their values, which win.
    assert!(timeout(SHORT, join(limited, holding)).await.is_ok());
}

/// D4, C12: A scope that was begun outside a timeout, and is polled on in it, does not see the timeout; the code after it
/// does.
pub async fn a_scope_that_was_begun_outside_a_timeout_does_not_see_it() {
    let is_none = || current_effective_deadline() == EffectiveDeadline::None;
    let mut outside = Box::pin(CancelScope::new().run(async {
        checkpoint().await;
        is_none()
    }));
    assert!(futures::poll!(outside.as_mut()).is_pending());
    let inside = timeout(LONG, async { (outside.await, is_none()) });
    assert_eq!(inside.await.ok(), Some((Ok(true), false)));
}

/// D4, C12: What is bound to a place outside a timeout does not see the timeout; the code after it does, and that after the
/// timeout does not, also when the body has panicked.
pub async fn what_is_bound_outside_a_timeout_does_not_see_it() {
    let is_none = || current_effective_deadline() == EffectiveDeadline::None;
    let bound = async { (is_none(), timeout(LONG, async { is_none() }).await.ok(), is_none()) }.bind();
    let inside = timeout(LONG, async {
        let seen = bound.await;
        (seen, is_none(), move_on_after(SHORT, pending::<()>()).await)
    });
    assert_eq!(inside.await.ok(), Some(((true, Some(false), true), false, None)));
    assert!(is_none());
    let panicked = timeout(LONG, timeout(LONG, async { panic!("planned") }));
    assert!(AssertUnwindSafe(panicked).catch_unwind().await.is_err());
    assert!(is_none());
}

/// D6: Of nested timeouts the one whose time was up reports, and code between them runs accordingly.
pub async fn of_nested_timeouts_the_one_that_was_the_cause_reports() {
    let inner_first = timeout(LONG, async {
        let inner = timeout(SHORT, sleep_forever()).await;
        checkpoint().await;
        inner
    });
    assert!(inner_first.await.unwrap().is_err());
    let reached = Cell::new(false);
    let outer_first = timeout(SHORT, async {
        let _ = timeout(LONG, sleep_forever()).await;
        reached.set(true);
    });
    assert!(outer_first.await.is_err());
    assert!(!reached.get());
}

/// D6: Of equal deadlines the outermost reports.
pub async fn of_equal_deadlines_the_outermost_reports() {
    let deadline = now() + SHORT;
    let reached = Cell::new(false);
    let nested = timeout_at(deadline, async {
        let _ = move_on_at(deadline, async {
            let innermost = CancelScope::new().with_deadline(deadline);
            let _ = innermost.run(sleep_forever()).await;
            reached.set(true);
        })
        .await;
        reached.set(true);
    });
    assert!(nested.await.is_err());
    assert!(!reached.get());
}

/// D6: Of equal deadlines around a group and in its task the one around the group reports.
pub async fn of_equal_deadlines_the_one_around_the_group_reports() {
    for _ in 0..5 {
        let deadline = now() + SHORT;
        let group = task_group(async move |tg| {
            tg.spawn(async move {
                let _ = timeout_at(deadline, sleep_forever()).await;
                panic!("the task was cut short by the timeout around its group");
            });
            sleep_forever().await;
        });
        assert!(timeout_at(deadline, group).await.is_err());
    }
}

/// D6: The same if the task notices that the time is up before any timer does.
pub async fn of_deadlines_noticed_by_a_task_the_one_around_the_group_reports() {
    let deadline = now() + SHORT;
    let group = task_group(async move |tg| {
        tg.spawn(async move {
            let _ = timeout_at(deadline, async {
                block(2 * SHORT);
                checkpoint().await;
            })
            .await;
            checkpoint().await;
            panic!("the task was cut short by the timeout around its group");
        });
        sleep_forever().await;
    });
    assert!(timeout_at(deadline, group).await.is_err());
}

/// D6, S1: Of equal deadlines with a shield between them the inner one reports, and the outer one after the shield.
pub async fn a_shield_keeps_equal_deadlines_apart() {
    let deadline = now() + SHORT;
    let (inside, after) = (Cell::new(false), Cell::new(false));
    let nested = timeout_at(deadline, async {
        shield(async {
            inside.set(timeout_at(deadline, sleep_forever()).await.is_err());
            checkpoint().await;
        })
        .await;
        checkpoint().await;
        after.set(true);
    });
    assert!(nested.await.is_err());
    assert_eq!((inside.get(), after.get()), (true, false));
}

/// D6: Of deadlines that are noticed in one poll the outermost reports, although the inner one was earlier.
pub async fn of_deadlines_noticed_in_one_poll_the_outermost_reports() {
    let reached = Cell::new(false);
    let nested = timeout(SHORT, async {
        let _ = timeout(SHORT / 2, async {
            block(2 * SHORT);
            checkpoint().await;
        })
        .await;
        reached.set(true);
    });
    assert!(nested.await.is_err());
    assert!(!reached.get());
}

/// D6: The outer deadline comes first also if it passes later, as long as the inner scope could not report yet.
pub async fn an_outer_deadline_comes_first_until_the_inner_scope_reports() {
    let reached = Cell::new(false);
    let nested = timeout(3 * SHORT, async {
        let inner = CancelScope::new().with_timeout(SHORT);
        let handle = inner.handle();
        let body = async {
            block(2 * SHORT);
            assert!(handle.cancel_requested());
            block(2 * SHORT);
            checkpoint().await;
        };
        let _ = inner.run(body).await;
        reached.set(true);
    });
    assert!(nested.await.is_err());
    assert!(!reached.get());
}

/// D6: A cancellation outside beats a timeout inside that runs out in the same poll.
pub async fn a_cancellation_outside_beats_a_timeout_inside() {
    let (outer, handle) = scope();
    let reached = Cell::new(false);
    let body = async {
        let _ = timeout(SHORT, async {
            block(2 * SHORT);
            handle.cancel();
            checkpoint().await;
        })
        .await;
        reached.set(true);
    };
    let cut = outer.run(body).await.unwrap_err();
    assert!(matches!(cut.reason(), CancelReason::Requested { .. }));
    assert!(!reached.get());
}

/// D7: A scope inside a timeout that runs out by its own deadline is no timeout of the outer one.
pub async fn a_timeout_does_not_report_the_deadline_of_another() {
    let seen = timeout(LONG, async {
        let scope = CancelScope::new().with_timeout(SHORT);
        scope.run(move_on_after(LONG, sleep_forever())).await
    });
    let cut = seen.await.unwrap().unwrap_err();
    assert_eq!(*cut.reason(), CancelReason::DeadlinePassed);
}

/// D7: A timeout does not report a cancellation: it is dropped with the code around it.
pub async fn a_timeout_does_not_report_a_cancellation() {
    let (outer, handle) = scope();
    let reached = Cell::new(false);
    let body = async {
        meanwhile(move || handle.cancel());
        let _ = timeout(LONG, sleep_forever()).await;
        reached.set(true);
    };
    assert!(outer.run(body).await.is_err());
    assert!(!reached.get());
}

/// D7: A timeout that outlives the group it was first polled in does not report the end of that group.
pub async fn a_timeout_that_was_carried_out_of_its_group_does_not_report_that() {
    let (runtime, heard) = hooked();
    let drops = Drops::new();
    let carried = enter(runtime, async {
        let token = drops.token();
        let inner = task_group(async move |tg| {
            tg.spawn(async move {
                let _token = token;
                sleep_forever().await;
            });
        });
        let mut limited = Box::pin(timeout(LONG, inner));
        let around = task_group(async |_| assert!(futures::poll!(limited.as_mut()).is_pending()));
        assert!(around.await.is_ok());
        assert_eq!(drops.count(), 1, "the group has waited for the task that was linked below it");
        limited.await
    });
    assert!(carried.await.is_ok_and(|outcome| outcome.is_err()));
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::PolledByReference)), 1);
}

/// D7: A timeout under a cancelled scope that a foreign sibling's shield holds runs out, and the shield may wait for it.
pub async fn a_timeout_under_a_held_scope_runs_out() {
    let (outer, handle) = scope();
    handle.cancel();
    let timed_out = Event::new();
    let limited = async {
        let outcome = timeout(SHORT, sleep_forever()).await;
        assert!(outcome.is_err());
        timed_out.set();
        sleep_forever().await;
    };
    assert!(outer.run(join(shield(timed_out.wait()), limited)).await.is_err());
    assert!(timed_out.is_set());
}

/// D7: A timeout under a cancelled scope that a foreign sibling's shield holds does not take that for its time being up.
pub async fn a_timeout_under_a_held_scope_does_not_report_the_cancellation() {
    let (outer, handle) = scope();
    handle.cancel();
    let done = Event::new();
    let limited = async {
        let seen = timeout(LONG, async {
            for _ in 0..10 {
                checkpoint().await;
            }
            sleep(SHORT).await;
            7
        });
        assert_eq!(seen.await.ok(), Some(7));
        done.set();
        sleep_forever().await;
    };
    assert!(outer.run(join(limited, shield(done.wait()))).await.is_err());
    assert!(done.is_set());
}

/// D7: Timeouts under a held scope run out also in a stream that polls a woken branch again within one poll.
pub async fn timeouts_in_a_stream_under_a_held_scope_run_out() {
    let (outer, handle) = scope();
    handle.cancel();
    let (timed_out, count) = (Event::new(), Cell::new(0));
    let limited = (0..50).map(|_| timeout(SHORT, sleep_forever())).collect::<FuturesUnordered<_>>();
    let all = async {
        let all = limited.for_each(|outcome| {
            assert!(outcome.is_err());
            count.set(count.get() + 1);
            ready(())
        });
        all.await;
        timed_out.set();
        sleep_forever().await;
    };
    assert!(outer.run(join(all, shield(timed_out.wait()))).await.is_err());
    assert_eq!(count.get(), 50);
}

/// D7: Limits of zero and deadlines in the past leave one poll: what is ready has its value, all else times out.
pub async fn zero_and_past_leave_one_poll() {
    assert_eq!(timeout(Duration::ZERO, ready(7)).await.ok(), Some(7));
    assert_eq!(timeout_at(past(), ready(7)).await.ok(), Some(7));
    assert_eq!(move_on_after(Duration::ZERO, ready(7)).await, Some(7));
    let polls = Cell::new(0);
    let counted = || {
        poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        })
    };
    assert!(timeout(Duration::ZERO, counted()).await.is_err());
    assert!(timeout_at(past(), counted()).await.is_err());
    assert!(move_on_at(past(), counted()).await.is_none());
    assert!(CancelScope::new().with_timeout(Duration::ZERO).run(counted()).await.is_err());
    assert_eq!(polls.get(), 4);
}

/// D7: `Duration::MAX` is no limit.
pub async fn the_longest_duration_is_no_limit() {
    let seen = timeout(Duration::MAX, async {
        checkpoint().await;
        current_effective_deadline()
    });
    assert_eq!(seen.await.ok(), Some(EffectiveDeadline::None));
    assert!(timeout(SHORT, sleep(Duration::MAX)).await.is_err());
    let scope = CancelScope::new().with_timeout(Duration::MAX);
    assert!(scope.run(sleep(SHORT)).await.is_ok());
    let deadline = now() + Duration::from_secs(100 * 365 * 24 * 3600);
    assert!(timeout_at(deadline, sleep(SHORT)).await.is_ok());
    assert!(timeout(SHORT, sleep_until(deadline)).await.is_err());
}

/// D8: Sleeping for no time, or until a time that is past, yields exactly once, and so does a checkpoint.
pub async fn sleeping_for_no_time_yields_exactly_once() {
    assert_eq!(pendings(sleep(Duration::ZERO)).await, 1);
    assert_eq!(pendings(sleep_until(past())).await, 1);
    assert_eq!(pendings(checkpoint()).await, 1);
    let in_a_task = task_group(async |tg| tg.spawn(pendings(sleep(Duration::ZERO))).value().await);
    assert_eq!(in_a_task.await, Ok(1));
}

/// D8, X5: It yields exactly once as well if the task has done so much before that it was about to step aside anyway.
pub async fn sleeping_for_no_time_yields_once_however_busy_the_task_was() {
    let event = Event::new();
    event.set();
    for busy in 0..300 {
        for _ in 0..busy {
            event.wait().await;
        }
        let count = match busy % 3 {
            0 => pendings(sleep(Duration::ZERO)).await,
            1 => pendings(sleep_until(past())).await,
            _ => pendings(checkpoint()).await,
        };
        assert_eq!(count, 1, "after {busy} operations");
    }
}

/// D8: The first tick is at once, and the others are a period apart.
pub async fn the_first_tick_is_at_once() {
    let before = now();
    let first = interval(LONG).tick().await;
    assert!(first >= before && first <= now());
    let mut ticks = interval(SHORT / 2);
    let start = ticks.tick().await;
    for n in 1..=4 {
        let tick = ticks.tick().await;
        assert_eq!(tick, start + n * SHORT / 2);
        assert!(now() >= tick, "a tick was early");
    }
}

/// D8: Ticks that were missed are made up for by a burst.
pub async fn missed_ticks_come_in_a_burst() {
    let mut ticks = interval(SHORT).missed_ticks(MissedTicks::Burst);
    let start = ticks.tick().await;
    sleep_until(start + 7 * SHORT / 2).await;
    let late = [ticks.tick().await, ticks.tick().await, ticks.tick().await, ticks.tick().await];
    assert_eq!(late, [1, 2, 3, 4].map(|n| start + n * SHORT));
    assert_eq!(MissedTicks::default(), MissedTicks::Burst);
}

/// D8: With `Delay` the period after a tick that was missed counts from when that tick was taken.
pub async fn after_missed_ticks_the_pace_may_be_counted_anew() {
    let mut ticks = interval(SHORT).missed_ticks(MissedTicks::Delay);
    let start = ticks.tick().await;
    sleep_until(start + 7 * SHORT / 2).await;
    let before = now();
    assert_eq!(ticks.tick().await, start + SHORT);
    let after = now();
    let next = ticks.tick().await;
    assert!(next >= before + SHORT && next <= after + SHORT);
}

/// D8: With `Skip` missed ticks are left out, and the next one is the first in the future that fits the old schedule.
pub async fn missed_ticks_may_be_left_out() {
    let mut ticks = interval(SHORT).missed_ticks(MissedTicks::Skip);
    let start = ticks.tick().await;
    sleep_until(start + 7 * SHORT / 2).await;
    let before = now();
    assert_eq!(ticks.tick().await, start + SHORT);
    let after = now();
    let next = ticks.tick().await;
    assert!(next > before && next <= after + SHORT);
    assert_eq!((next - start).as_nanos() % SHORT.as_nanos(), 0, "it fits the schedule");
}

/// D8: A tick that was dropped half-way comes again.
pub async fn a_tick_that_was_dropped_comes_again() {
    let mut ticks = interval(SHORT);
    let start = ticks.tick().await;
    let mut taken = Vec::new();
    while taken.len() < 4 {
        taken.extend(move_on_after(SHORT / 4, ticks.tick()).await);
    }
    assert_eq!(taken, [1, 2, 3, 4].map(|n| start + n * SHORT));
}

/// D7, D8: The ticks of an interval of `Duration::MAX` are one.
pub async fn the_longest_interval_ticks_once() {
    for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
        let mut ticks = interval(Duration::MAX).missed_ticks(missed);
        ticks.tick().await;
        assert!(timeout(SHORT, ticks.tick()).await.is_err());
    }
}

/// Shows that beside `busy`, which never ends, timers fire and other tasks run, and that it can be cancelled.
async fn gives_way<F>(busy: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    assert!(timeout(SHORT, busy()).await.is_err());
    let group = task_group(async |tg| {
        tg.spawn(busy());
        sleep(SHORT).await;
        tg.cancel();
    });
    assert!(group.await.is_ok());
}

/// X5: A loop of checkpoints, or of sleeps for no time, or next to none, lets timers fire and can be cancelled.
pub async fn loops_that_yield_give_way() {
    gives_way(|| async {
        loop {
            checkpoint().await;
        }
    })
    .await;
    for length in [Duration::ZERO, Duration::from_micros(1)] {
        gives_way(move || async move {
            loop {
                sleep(length).await;
            }
        })
        .await;
    }
}

/// X5: A loop of ticks that are all overdue lets timers fire and can be cancelled.
pub async fn a_loop_of_overdue_ticks_gives_way() {
    gives_way(|| async {
        let mut ticks = interval(Duration::from_micros(1));
        ticks.tick().await;
        block(2 * SHORT);
        loop {
            ticks.tick().await;
        }
    })
    .await;
}

/// X5: A loop of timeouts and shields around what is ready at once lets timers fire and can be cancelled.
pub async fn a_loop_of_timeouts_that_are_ready_gives_way() {
    gives_way(|| async {
        loop {
            assert!(timeout(LONG, ready(())).await.is_ok());
        }
    })
    .await;
    gives_way(|| async {
        loop {
            shield(ready(())).await;
        }
    })
    .await;
}

/// D2, D3: A timer that was set ahead of its deadline fires, and not before, however late it is polled.
pub async fn a_timer_that_was_set_ahead_of_its_deadline_fires_however_late_it_is_polled() {
    let runtime = Runtime::current().unwrap();
    let deadline = now() + SHORT;
    let [mut soon, mut late] = [deadline, deadline].map(|deadline| runtime.backend().timer_ahead(deadline));
    poll_fn(|cx| soon.as_mut().poll(cx)).await;
    assert!(now() >= deadline);
    sleep(SHORT).await;
    poll_fn(|cx| late.as_mut().poll(cx)).await;
    poll_fn(|cx| late.as_mut().poll(cx)).await;
    let later = now() + SHORT;
    late.as_mut().reset(later);
    poll_fn(|cx| late.as_mut().poll(cx)).await;
    assert!(now() >= later);
}

/// D2: The clock does not run backwards, whichever thread it is asked on.
pub async fn the_clock_does_not_run_backwards() {
    let runtime = anyio::Runtime::current().unwrap();
    let mut before = now();
    for _ in 0..20 {
        let here = now();
        assert!(here >= before);
        let elsewhere = runtime.clone();
        before = on_thread(move || elsewhere.backend().now()).join().unwrap();
        assert!(before >= here, "another thread is behind");
    }
}

/// D2: A clock that says that it is always real is the system's, on every thread: it is not asked any more.
pub async fn a_clock_that_is_always_real_is_that_of_the_system() {
    let runtime = Runtime::current().unwrap();
    let look = move || {
        let backend = runtime.backend();
        let (before, seen, after) = (Instant::now(), backend.now(), Instant::now());
        let is_real = before <= seen && seen <= after && !backend.is_virtual();
        assert!(is_real || !backend.is_always_real());
    };
    look();
    on_thread(look).join().unwrap();
}

/// D2, D3: A timer of the runtime's that has fired says so until it is moved, and then it is not early.
pub async fn a_timer_that_has_fired_says_so_until_it_is_moved() {
    let mut timer = anyio::Runtime::current().unwrap().backend().timer(now() + SHORT);
    for _ in 0..3 {
        poll_fn(|cx| timer.as_mut().poll(cx)).await;
    }
    let later = now() + SHORT;
    timer.as_mut().reset(later);
    poll_fn(|cx| timer.as_mut().poll(cx)).await;
    assert!(now() >= later);
}
