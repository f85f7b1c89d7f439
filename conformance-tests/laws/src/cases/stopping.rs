//! Stopping gracefully: a request that code can see, and after a grace the cancellation (law L4).

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyio::{
    CancelReason, CancelScope, EffectiveDeadline, Event, OwnedTaskGroup, checkpoint, current_effective_deadline,
    is_cancelled, is_stopping, now, shield, sleep, sleep_forever, stopping, task_group, timeout,
};
use futures::future::{FutureExt as _, join, join_all, select};
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::fixture::{Drops, LONG, SHORT, Wakes, poll_times};
use crate::steps::{gate, meanwhile, on_thread, says, turns};

fn was_stopped(reason: &CancelReason) -> bool {
    matches!(reason, CancelReason::Stopped { .. })
}

/// L4: A request to stop is seen inside, and cancels nothing until the grace is over.
pub async fn a_request_to_stop_is_seen_and_cancels_nothing() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let seen = scope.run(async {
        let before = is_stopping();
        handle.stop(LONG);
        stopping().await;
        turns(5).await;
        (before, is_stopping(), is_cancelled(), handle.cancel_requested())
    });
    assert_eq!(seen.await, Ok((false, true, false, false)));
    assert!(!is_stopping());
}

/// L4: Of several requests that come before the scope begins the one with the shortest grace counts.
pub async fn the_shortest_grace_asked_for_in_advance_counts() {
    for graces in [[LONG, SHORT], [SHORT, LONG]] {
        let scope = CancelScope::new();
        graces.into_iter().for_each(|grace| scope.handle().stop(grace));
        let cancelled = timeout(LONG / 2, scope.run(sleep_forever())).await.expect("the grace is short");
        assert!(was_stopped(cancelled.unwrap_err().reason()));
    }
}

/// L4: Whoever waits for it sleeps until it comes, from any thread.
pub async fn waiting_for_the_request_sleeps() {
    let scope = CancelScope::new();
    let (handle, polls) = (scope.handle(), Cell::new(0));
    let mut waiting = Box::pin(stopping());
    let counted = poll_fn(|cx| {
        polls.set(polls.get() + 1);
        waiting.as_mut().poll(cx)
    });
    meanwhile(move || handle.stop(LONG));
    scope.run(counted).await.unwrap();
    assert!(polls.get() <= 3, "{} polls", polls.get());
}

/// L4: The request is inherited: by scopes, groups, tasks, and what is spawned or entered later.
pub async fn a_request_is_inherited_down_the_tree() {
    let stopped = Arc::new(AtomicUsize::new(0));
    let stops = |count: &Arc<AtomicUsize>| {
        let count = count.clone();
        async move {
            stopping().await;
            assert!(is_stopping());
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    task_group(async |tg| {
        tg.spawn(stops(&stopped));
        let (inner, nested) = (stops(&stopped), stops(&stopped));
        tg.spawn(async { drop(task_group(async |tg| drop(tg.spawn(inner))).await) });
        tg.spawn(async { drop(timeout(LONG, CancelScope::new().run(nested)).await) });
        turns(5).await;
        tg.stop(LONG);
        tg.spawn(stops(&stopped));
        CancelScope::new().run(stops(&stopped)).await.unwrap();
    })
    .await
    .unwrap();
    assert_eq!(stopped.load(Ordering::SeqCst), 5);
}

/// L4: It does not reach siblings, nor what is around.
pub async fn a_request_does_not_spread_upwards() {
    let (inner, outer) = (CancelScope::new(), CancelScope::new());
    inner.handle().stop(LONG);
    let seen = outer.run(async { (inner.run(async { is_stopping() }).await, is_stopping()) });
    assert_eq!(seen.await, Ok((Ok(true), false)));
}

/// L4, S1: A shield hides the request, as it hides a cancellation; a request made inside is seen inside.
pub async fn a_shield_hides_the_request() {
    let outer = CancelScope::new();
    outer.handle().stop(LONG);
    let shielded = CancelScope::new().shielded(true);
    let handle = shielded.handle();
    let seen = outer.run(async {
        let hidden = !shield(async { is_stopping() }).await;
        let own = shielded.run(async {
            let before = is_stopping();
            handle.stop(LONG);
            (before, is_stopping())
        });
        (hidden, own.await)
    });
    assert_eq!(seen.await, Ok((true, Ok((false, true)))));
}

/// L4, S6: Lowering a shield lets the request in.
pub async fn lowering_a_shield_lets_the_request_in() {
    let (outer, inner) = (CancelScope::new(), CancelScope::new().shielded(true));
    let (stops, lowers) = (outer.handle(), inner.handle());
    let body = inner.run(async {
        stops.stop(LONG);
        assert!(!is_stopping());
        lowers.set_shield(false);
        stopping().await;
    });
    assert_eq!(outer.run(body).await, Ok(Ok(())));
}

/// L4: When the grace is over the scope is cancelled, and says that it was asked to stop, and where.
pub async fn when_the_grace_is_over_the_scope_is_cancelled() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let begun = now();
    let line = line!() + 1;
    let stops = async { handle.stop(SHORT) };
    let cancelled = scope.run(join(stops, sleep_forever())).await.unwrap_err();
    assert!(now() - begun >= SHORT);
    let CancelReason::Stopped { location, .. } = cancelled.reason() else { panic!("{cancelled}") };
    assert_eq!((location.file(), location.line()), (file!(), line));
}

/// L4: The tasks of a group that is asked to stop are cancelled after the grace; what they returned before is kept.
pub async fn a_group_is_cancelled_after_the_grace() {
    let drops = Drops::new();
    let token = drops.token();
    let outcome = task_group(async |tg| {
        let obeys = tg.spawn(async {
            stopping().await;
            "obeyed"
        });
        tg.spawn(async move {
            let _token = token;
            sleep_forever().await;
        });
        tg.stop(LONG);
        let value = obeys.value().await;
        tg.stop(SHORT);
        value
    });
    assert_eq!(outcome.await, Ok("obeyed"));
    assert_eq!(drops.count(), 1);
}

/// L4, D3: The grace is a deadline: it is told, it may be taken away, and it may be moved.
pub async fn the_grace_is_a_deadline() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        handle.stop(LONG);
        let EffectiveDeadline::At(end) = current_effective_deadline() else { panic!("no deadline") };
        assert_eq!(handle.deadline(), Some(end));
        handle.set_deadline(None);
        assert_eq!((current_effective_deadline(), is_stopping()), (EffectiveDeadline::None, true));
        handle.set_deadline(now() + SHORT);
        sleep_forever().await;
    };
    let cancelled = scope.run(body).await.unwrap_err();
    assert!(was_stopped(cancelled.reason()));
}

/// L4: Of several requests the earliest end counts, and an earlier deadline stays what it is.
pub async fn the_earliest_end_counts() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        handle.stop(LONG);
        let first = handle.deadline().unwrap();
        handle.stop(LONG * 2);
        assert_eq!(handle.deadline(), Some(first));
        handle.stop(LONG / 2);
        assert!(handle.deadline().unwrap() < first);
    };
    assert_eq!(scope.run(body).await, Ok(()));
    let scope = CancelScope::new().with_timeout(SHORT);
    let handle = scope.handle();
    let body = async {
        handle.stop(LONG);
        sleep_forever().await;
    };
    assert_eq!(*scope.run(body).await.unwrap_err().reason(), CancelReason::DeadlinePassed);
}

/// L4, C2: Without any grace the scope is cancelled at once; without end it is only asked.
pub async fn no_grace_cancels_at_once_and_an_endless_one_never() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        handle.stop(Duration::ZERO);
        assert!(is_stopping() && is_cancelled());
        sleep_forever().await;
    };
    assert!(was_stopped(scope.run(body).await.unwrap_err().reason()));
    let scope = CancelScope::new();
    scope.handle().stop(Duration::MAX);
    let handle = scope.handle();
    assert_eq!(scope.run(async { (is_stopping(), handle.deadline()) }).await, Ok((true, None)));
}

/// L4, C8: A request before the scope runs is remembered, and its grace counts from the first poll; one after it is over
/// does nothing.
pub async fn a_request_before_the_entry_is_remembered() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    handle.stop(SHORT);
    handle.stop(LONG);
    assert_eq!(handle.deadline(), None);
    sleep(SHORT).await;
    let entered = now();
    let body = async {
        assert!(is_stopping());
        sleep_forever().await;
    };
    let cancelled = scope.run(body).await.unwrap_err();
    assert!(was_stopped(cancelled.reason()) && now() - entered >= SHORT);
    handle.stop(Duration::ZERO);
    assert!(was_stopped(handle.reason().unwrap().reason()));
}

/// L4, C3: A cancelled scope is stopping too: whoever waits for the request goes on, to its next suspension.
pub async fn a_cancelled_scope_is_stopping() {
    let scope = CancelScope::new();
    let (handle, reached) = (scope.handle(), Event::new());
    let body = async {
        let waits = async {
            stopping().await;
            reached.set();
            sleep_forever().await;
        };
        join(waits, async { handle.cancel_with("enough") }).await;
    };
    assert!(scope.run(body).await.is_err_and(|cancelled| says(&cancelled, "enough")));
    assert!(reached.is_set() || handle.cancel_requested());
}

/// L4: It is seen in a foreign `select!`, and among idle siblings of a foreign stream.
pub async fn a_request_is_seen_in_foreign_combinators() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let seen = scope.run(async {
        let selected = select(Box::pin(sleep_forever()), Box::pin(stopping()));
        let mut stream: FuturesUnordered<_> =
            (0..100).map(|n| if n == 50 { stopping().boxed_local() } else { sleep_forever().boxed_local() }).collect();
        let asks = async {
            turns(3).await;
            handle.stop(LONG);
        };
        join(join(selected, stream.next()), asks).await;
    });
    assert_eq!(seen.await, Ok(()));
}

/// L4, C5: Eight threads may ask at once, while others enter: the earliest end counts.
pub async fn eight_threads_may_ask_at_once() {
    for _ in 0..50 {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let body = scope.run(async {
            let threads: Vec<_> = (1..=8)
                .map(|n| {
                    let handle = handle.clone();
                    on_thread(move || handle.stop(LONG * n))
                })
                .collect();
            join_all((0..8).map(|_| async {
                checkpoint().await;
                stopping().await;
            }))
            .await;
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            handle.deadline().unwrap() <= now() + LONG
        });
        assert_eq!(body.await, Ok(true));
    }
}

/// L4, C5: A scope that is asked to stop, but runs out of its own time first, says so.
pub async fn an_earlier_timeout_is_the_reason() {
    let scope = CancelScope::new().with_timeout(SHORT);
    scope.handle().stop(LONG);
    assert_eq!(*scope.run(sleep_forever()).await.unwrap_err().reason(), CancelReason::DeadlinePassed);
}

/// L4, F1: A dropped wait leaves nothing behind: it is not woken any more.
pub async fn a_dropped_wait_is_not_woken() {
    let scope = CancelScope::new();
    let (handle, wakes) = (scope.handle(), Wakes::new());
    let body = async {
        let mut waits = Box::pin(stopping());
        assert!(wakes.poll(&mut waits).is_pending());
        drop(waits);
        drop(poll_times(1, Box::pin(stopping())).await);
        handle.stop(LONG);
    };
    scope.run(body).await.unwrap();
    assert_eq!(wakes.count(), 0);
}

/// L4, G12: An owned group is asked as well, and closes when its tasks have stopped.
pub async fn an_owned_group_stops() {
    let group = OwnedTaskGroup::new();
    let (begun, begins) = gate();
    let worker = group.spawn(async move {
        begins.set();
        let mut jobs = 0;
        while !is_stopping() {
            checkpoint().await;
            jobs += 1;
        }
        jobs
    });
    begun.wait().await;
    group.stop(LONG);
    group.close().await.unwrap();
    assert!(worker.await.is_ok());
}

/// L4, C10: A hundred thousand tasks are asked.
pub async fn a_hundred_thousand_tasks_are_asked() {
    let asked = Arc::new(AtomicUsize::new(0));
    task_group(async |tg| {
        for _ in 0..100_000 {
            let asked = asked.clone();
            tg.spawn(async move {
                stopping().await;
                asked.fetch_add(1, Ordering::SeqCst);
            });
        }
        tg.stop(LONG);
    })
    .await
    .unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 100_000);
}
