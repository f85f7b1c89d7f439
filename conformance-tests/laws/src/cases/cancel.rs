//! Cases of the laws C: cancel scopes.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anyio::{
    CancelHandle, CancelReason, CancelScope, Cancelled, Event, FutureExt as _, OwnedTaskGroup, Runtime, Started,
    TaskError, Unhandled, bracket, cancelled, checkpoint, enter, finally, finally_detached, interval, is_cancelled,
    move_on_after, now, protect, race, shield, shield_for, sleep, sleep_forever, sleep_until, task_group, timeout,
    timeout_at, try_task_group,
};
use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Sharing, Spawn, Task, Timer};
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::{FutureExt as _, join, join_all, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use parking_lot::Mutex;

use crate::fixture::{Drops, LONG, SHORT, Wakes, caught, hooked, in_own_run, poll_times};
use crate::steps::{Sent, block, on_thread, says, turns, until};

type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;
/// Runs `body` in a scope that is cancelled from the start, as "outer".
async fn cancelled_before<F: Future>(body: F) -> Result<F::Output, Cancelled> {
    let scope = CancelScope::new();
    scope.handle().cancel_with("outer");
    scope.run(body).await
}

/// Runs `body` in a scope that is cancelled after some turns, as "outer".
async fn cancelled_later<F: Future>(body: F) -> Result<F::Output, Cancelled> {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let cancel = async {
        turns(3).await;
        handle.cancel_with("outer");
    };
    join(scope.run(body), cancel).await.0
}

fn was_outer<T>(outcome: &Result<T, Cancelled>) -> bool {
    outcome.as_ref().is_err_and(|cancelled| says(cancelled, "outer"))
}

fn location(cancelled: &Cancelled) -> &'static Location<'static> {
    match cancelled.reason() {
        CancelReason::Requested { location, .. } => location,
        reason => panic!("{reason} was not requested"),
    }
}

/// Counts how often `future` is polled.
async fn counted<F: Future>(polls: &Cell<usize>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(cx)
    })
    .await
}

/// A thread that cancels all that it is sent.
fn cancelling_thread() -> (mpsc::Sender<CancelHandle>, thread::JoinHandle<()>) {
    let (requests, received) = mpsc::channel::<CancelHandle>();
    let thread = on_thread(move || received.iter().for_each(|handle| handle.cancel_with("thread")));
    (requests, thread)
}

/// Panics when it is dropped, unless a panic is going on.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("{}", self.0);
        }
    }
}

/// C1: Once a scope is cancelled, every further suspension inside ends in cancellation.
pub async fn a_cancelled_scope_cuts_its_body_short_at_the_next_suspension() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut reached = 0;
    let outcome = scope
        .run(async {
            handle.cancel();
            reached += 1;
            sleep(LONG).await;
            reached += 1;
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(reached, 1);
}

/// C1: Cancellation is level-triggered: whatever is cut short and started anew inside is cut short again.
pub async fn a_cancelled_scope_cuts_short_whatever_is_tried_again_inside() {
    let done = Event::new();
    let again = async {
        for _ in 0..20 {
            assert!(was_outer(&CancelScope::new().run(sleep_forever()).await));
            assert!(task_group(async |_tg| sleep_forever().await).await.is_err());
        }
        done.set();
    };
    let outcome = cancelled_before(join(shield(done.wait()), again)).await;
    assert!(outcome.is_ok() && done.is_set());
}

/// C1: A scope that is cancelled while its body sleeps wakes it and ends.
pub async fn a_scope_that_is_cancelled_while_it_sleeps_ends() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let drops = Drops::new();
    let token = drops.token();
    let outcome = task_group(async |tg| {
        tg.spawn(async move { handle.cancel() });
        let body = async {
            let _token = token;
            sleep_forever().await;
        };
        scope.run(body).await
    })
    .await
    .expect("the group is not cancelled");
    assert!(outcome.is_err());
    assert_eq!(drops.count(), 1);
}

/// C1: Neither a deadline nor a shield takes a cancellation back.
pub async fn a_cancelled_scope_never_becomes_uncancelled() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        handle.cancel();
        handle.set_deadline(None);
        handle.set_deadline(now() + LONG);
        handle.set_shield(true);
        handle.set_shield(false);
        assert!(is_cancelled() && handle.cancel_requested());
        checkpoint().await;
    };
    assert!(scope.run(body).await.is_err());
    assert!(handle.cancel_requested());
}

/// C1: A cancellation ends with its scope: the code behind it, and other scopes, go on.
pub async fn a_cancellation_ends_with_its_scope() {
    let around = CancelScope::new();
    let handle = around.handle();
    let body = async {
        assert!(cancelled_before(sleep_forever()).await.is_err());
        assert!(!is_cancelled());
        turns(3).await;
        CancelScope::new().run(checkpoint()).await
    };
    assert_eq!(around.run(body).await, Ok(Ok(())));
    assert!(!handle.cancel_requested());
}

/// C2: A body that returns keeps its value, whatever was requested.
pub async fn a_value_wins() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let at_once = scope.run(async {
        handle.cancel();
        1
    });
    assert_eq!(at_once.await, Ok(1));
    assert!(handle.cancel_requested());
    assert_eq!(cancelled_before(async { 2 }).await, Ok(2));
    assert_eq!(cancelled_before(CancelScope::new().run(async { 3 })).await, Ok(Ok(3)));
}

/// C2: A value that comes with the poll after the cancellation wins as well.
pub async fn a_value_wins_at_the_poll_after_the_cancellation() {
    let event = Event::new();
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        event.wait().await;
        7
    };
    let requests = async {
        turns(2).await;
        handle.cancel();
        event.set();
    };
    assert_eq!(join(scope.run(body), requests).await.0, Ok(7));
}

/// C2, G7: A body gets its first poll, also where everything is cancelled already.
pub async fn a_body_always_gets_its_first_poll() {
    let polled = Arc::new(AtomicUsize::new(0));
    let touch = || {
        let polled = polled.clone();
        async move {
            polled.fetch_add(1, Ordering::SeqCst);
            sleep_forever().await;
        }
    };
    assert!(cancelled_before(touch()).await.is_err());
    assert!(cancelled_before(CancelScope::new().run(touch())).await.is_err());
    assert!(cancelled_before(task_group(async |_tg| touch().await)).await.is_err());
    assert!(cancelled_before(finally(touch(), ready(()))).await.is_err());
    assert_eq!(polled.load(Ordering::SeqCst), 4);
    let group = task_group(async |tg| {
        tg.cancel();
        (0..10).for_each(|_| drop(tg.spawn(touch())));
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(polled.load(Ordering::SeqCst), 14);
}

/// C2, D7: No time at all is enough for a future that is ready.
pub async fn a_timeout_of_zero_around_a_ready_future_is_ok() {
    let past = now();
    assert_eq!(timeout(Duration::ZERO, ready(1)).await, Ok(1));
    assert_eq!(timeout_at(past, ready(2)).await, Ok(2));
    assert_eq!(move_on_after(Duration::ZERO, ready(3)).await, Some(3));
    assert_eq!(CancelScope::new().with_timeout(Duration::ZERO).run(ready(4)).await, Ok(4));
    assert_eq!(CancelScope::new().with_deadline(past).run(ready(5)).await, Ok(5));
    assert!(timeout(Duration::ZERO, checkpoint()).await.is_err());
}

/// C2: Cancellation is never delivered in mid-poll: code runs on across awaits that are ready.
pub async fn a_body_runs_on_to_its_next_suspension() {
    let (scope, reached) = (CancelScope::new(), Cell::new(0));
    let handle = scope.handle();
    let outcome = scope.run(async {
        checkpoint().await;
        handle.cancel();
        for step in 1..=10 {
            ready(()).await;
            assert_eq!(CancelScope::new().run(ready(step)).await, Ok(step));
            reached.set(step);
        }
        pending::<()>().await;
    });
    assert!(outcome.await.is_err());
    assert_eq!(reached.get(), 10);
}

/// C3: That a scope was cancelled, that code here is cancelled, and what came of it, are different questions.
pub async fn request_and_outcome_are_different_questions() {
    let (outer, inner) = (CancelScope::new(), CancelScope::new());
    let (outer_handle, inner_handle) = (outer.handle(), inner.handle());
    let asked = outer_handle.clone();
    let body = async {
        assert!(!is_cancelled());
        asked.cancel();
        is_cancelled()
    };
    assert_eq!(outer.run(inner.run(body)).await, Ok(Ok(true)));
    assert!(outer_handle.cancel_requested());
    assert!(!inner_handle.cancel_requested(), "nobody asked the inner scope");
    assert_eq!(inner_handle.reason(), None);
}

/// C3, S1: Whether code is cancelled is asked here and now: not behind a shield, nor outside the scope.
pub async fn whether_code_is_cancelled_depends_on_where_it_stands() {
    let outcome = cancelled_before(async {
        let here = is_cancelled();
        let shielded = shield(async { is_cancelled() }).await;
        let own = shield(cancelled_before(async { is_cancelled() })).await;
        (here, shielded, own, is_cancelled())
    });
    assert_eq!(outcome.await, Ok((true, false, Ok(true), true)));
    assert!(!is_cancelled());
}

/// C3, C5: Waiting for the cancellation ends with it, and tells its reason.
pub async fn the_cancellation_can_be_waited_for() {
    let outcome = cancelled_later(async { cancelled().await });
    assert!(outcome.await.is_ok_and(|reason| says(&reason, "outer")));
    let outcome = cancelled_before(CancelScope::new().run(async { cancelled().await }));
    assert!(outcome.await.is_ok_and(|reason| says(&reason.expect("a value"), "outer")));
}

async fn in_scope() {
    drop(CancelScope::new().run(sleep_forever()).await);
}

async fn in_scopes() {
    let scopes = CancelScope::new().run(CancelScope::new().run(sleep_forever()));
    drop(timeout(LONG, scopes).await);
}

async fn in_own_cancelled_scope() {
    drop(cancelled_before(sleep_forever()).await);
}

async fn in_expired_scope() {
    let _ = move_on_after(Duration::ZERO, sleep_forever()).await;
}

async fn in_group() {
    drop(task_group(async |_tg| sleep_forever().await).await);
}

async fn in_group_of_tasks() {
    let tasks = task_group(async |tg| (0..3).for_each(|_| drop(tg.spawn(sleep_forever()))));
    drop(tasks.await);
}

async fn in_finally() {
    drop(finally(sleep_forever(), turns(3)).await);
}

async fn in_finally_detached() {
    drop(finally_detached(sleep_forever(), turns(3)).await);
}

async fn in_bracket() {
    drop(bracket((), |_: &mut ()| sleep_forever(), |()| turns(3)).await);
}

async fn in_start() {
    let group = OwnedTaskGroup::new();
    let idle = async |started: Started<()>| {
        sleep_forever().await;
        drop(started);
    };
    drop(group.start(idle).await);
}

/// Makes a unit.
type MakeUnit = fn() -> Local<'static, ()>;

/// Units of every kind that are cut short by a scope around them.
const UNITS: [MakeUnit; 8] = [
    || Box::pin(in_scope()),
    || Box::pin(in_scopes()),
    || Box::pin(in_group()),
    || Box::pin(in_group_of_tasks()),
    || Box::pin(in_finally()),
    || Box::pin(in_finally_detached()),
    || Box::pin(in_bracket()),
    || Box::pin(in_start()),
];

/// Units that are cut short for a reason of their own as well.
const CANCELLED_UNITS: [MakeUnit; 2] = [|| Box::pin(in_own_cancelled_scope()), || Box::pin(in_expired_scope())];

/// Ends in a panic when the unit ends.
fn must_not_end(number: usize, unit: MakeUnit) -> Local<'static, ()> {
    Box::pin(async move {
        unit().await;
        panic!("unit {number} ended before its scope");
    })
}

/// Puts each unit into a scope, in the way that `place` says, and lets none of them end before the scope.
async fn none_ends_before_its_scope<F: Future>(place: impl Fn(Local<'static, ()>) -> F) {
    for (number, unit) in UNITS.into_iter().chain(CANCELLED_UNITS).enumerate() {
        let outcome = cancelled_before(place(must_not_end(number, unit))).await;
        assert!(was_outer(&outcome), "unit {number}");
    }
    for (number, unit) in UNITS.into_iter().enumerate() {
        let outcome = cancelled_later(place(must_not_end(number, unit))).await;
        assert!(was_outer(&outcome), "unit {number}");
    }
}

/// C4: The outermost cancelled unit drops everything inside it; code behind an inner one does not run.
pub async fn the_outermost_unit_drops_everything_inside() {
    none_ends_before_its_scope(|unit| unit).await;
    none_ends_before_its_scope(|unit| CancelScope::new().run(task_group(async |_tg| unit.await))).await;
}

/// C4: A unit in a foreign `join!` does not end before the scope around could drop it.
pub async fn no_unit_in_a_foreign_join_ends_before_its_scope() {
    none_ends_before_its_scope(|unit| async { futures::join!(pending::<()>(), unit, in_scope()) }).await;
    none_ends_before_its_scope(|unit| join_all([unit, in_group().boxed_local()])).await;
}

/// C4: A unit in a foreign `select!` does not end before the scope around could drop it.
pub async fn no_unit_in_a_foreign_select_ends_before_its_scope() {
    none_ends_before_its_scope(|unit| async {
        futures::select! {
            () = unit.fuse() => {}
            () = pending().fuse() => {}
        }
    })
    .await;
    none_ends_before_its_scope(|unit| select(unit, Box::pin(sleep_forever()))).await;
}

/// C4: A unit alone in a `FuturesUnordered`, which may poll it twice in one poll, does not end before its scope.
pub async fn no_unit_in_a_foreign_stream_ends_before_its_scope() {
    none_ends_before_its_scope(|unit| async {
        let mut units = FuturesUnordered::from_iter([unit]);
        while units.next().await.is_some() {}
    })
    .await;
}

/// C4: Nor does one among idle siblings, where it is polled a second time at once.
pub async fn no_unit_among_idle_siblings_ends_before_its_scope() {
    none_ends_before_its_scope(|unit| async {
        let idle = || pending::<()>().boxed_local();
        let units = FuturesUnordered::from_iter([idle(), unit, idle(), idle(), in_scope().boxed_local(), idle()]);
        units.collect::<Vec<_>>().await
    })
    .await;
}

/// C4: Nor does one that is polled many times in one poll, because its siblings complete or the streams are nested.
pub async fn no_unit_ends_before_its_scope_however_often_it_is_polled() {
    none_ends_before_its_scope(|unit| async {
        let ready = (0..20).map(|_| ready(()).boxed_local());
        FuturesUnordered::from_iter([unit].into_iter().chain(ready)).collect::<Vec<_>>().await
    })
    .await;
    none_ends_before_its_scope(|unit| async {
        let idle = || pending::<()>().boxed_local();
        let nest = |unit| {
            let inner = FuturesUnordered::from_iter([idle(), unit, idle()]);
            inner.collect::<Vec<_>>().map(drop).boxed_local()
        };
        FuturesUnordered::from_iter([idle(), nest(nest(unit)), idle()]).collect::<Vec<_>>().await
    })
    .await;
}

/// C4: A unit in an executor of its own, where nothing can drop it, ends by itself after a bounded number of polls.
pub async fn in_a_nested_block_on_a_unit_ends_by_itself() {
    let (polls, behind) = (Cell::new(0), Cell::new(false));
    let outcome = cancelled_before(async {
        let inner = block_on(counted(&polls, CancelScope::new().run(sleep_forever())));
        assert!(was_outer(&inner));
        behind.set(true);
        sleep_forever().await;
    });
    assert!(was_outer(&outcome.await));
    assert!(behind.get());
    assert!((2..1000).contains(&polls.get()), "{} polls", polls.get());
}

/// C4, X1: In an executor of its own a group ends as well; the cancellation is delivered behind it.
pub async fn in_a_nested_block_on_a_group_ends() {
    let behind = Cell::new(0);
    let outcome = cancelled_before(async {
        block_on(in_group());
        block_on(task_group(async |tg| tg.cancel())).expect("the value wins");
        block_on(in_finally());
        behind.set(1);
        checkpoint().await;
        behind.set(2);
    });
    assert!(was_outer(&outcome.await));
    assert_eq!(behind.get(), 1);
}

/// C4: While something else holds the scope around, a unit ends by itself: the two may wait for each other.
pub async fn a_unit_is_never_parked_for_ever() {
    for unit in UNITS {
        for cancel in [true, false] {
            let done = Event::new();
            let held = async {
                join(shield(done.wait()), async {
                    unit().await;
                    done.set();
                    sleep_forever().await;
                })
                .await
            };
            let outcome = if cancel { cancelled_before(held).await } else { cancelled_later(held).await };
            assert!(was_outer(&outcome) && done.is_set());
        }
    }
}

/// C4: Among a shield and idle siblings in a foreign stream, a unit ends by itself too.
pub async fn a_unit_beside_a_shield_in_a_foreign_stream_ends_by_itself() {
    for unit in UNITS {
        let done = Event::new();
        let held = async {
            let ends = async {
                unit().await;
                done.set();
            };
            let idle = || pending::<()>().boxed_local();
            let branches = [idle(), shield(done.wait()).boxed_local(), idle(), ends.boxed_local()];
            FuturesUnordered::from_iter(branches).collect::<Vec<_>>().await
        };
        assert!(was_outer(&cancelled_later(held).await) && done.is_set());
    }
}

/// C4, C5: A unit that was cancelled itself, and then with the scope around, reports the scope around.
pub async fn a_unit_that_was_cancelled_first_reports_the_scope_around() {
    let scope = CancelScope::new();
    let (handle, done) = (scope.handle(), Event::new());
    let unit = async {
        let inner = CancelScope::new();
        inner.handle().cancel_with("inner");
        handle.cancel_with("outer");
        assert!(was_outer(&inner.run(sleep_forever()).await));
        done.set();
    };
    let outcome = scope.run(join(shield(done.wait()), unit)).await;
    assert!(outcome.is_ok() && done.is_set());
}

/// C4, G3: An inner await that completes, with a value or with an error of its own, goes on to the next suspension.
pub async fn an_inner_unit_that_completes_is_heard() {
    let value = cancelled_before(async { CancelScope::new().run(async { 1 }).await });
    assert_eq!(value.await, Ok(Ok(1)));
    let broken = async { Err::<(), _>("broken") };
    let group = cancelled_before(try_task_group(async |tg| {
        tg.spawn(broken);
        Ok(())
    }));
    let error = group.await.expect("the group completes").expect_err("it failed");
    assert_eq!(error.errors().collect::<Vec<_>>(), [&"broken"]);
}

/// C4, D7: To a cause from outside a timeout is transparent: it neither ends nor drops what is held inside.
pub async fn timeouts_are_transparent_to_the_cancellation_around() {
    let (ended, checked) = (Cell::new(false), Cell::new(false));
    let timed = async {
        let _ = timeout(LONG, sleep_forever()).await;
        ended.set(true);
    };
    let check = shield(async {
        turns(20).await;
        checked.set(is_cancelled() || !ended.get());
        pending::<()>().timeout(SHORT).await
    });
    assert!(was_outer(&cancelled_later(join(check, timed)).await));
    assert!(checked.get() && !ended.get());
}

/// C5: A request is remembered once: the first reason counts.
pub async fn the_first_reason_counts() {
    let scope = CancelScope::new().with_timeout(Duration::ZERO);
    let handle = scope.handle();
    handle.cancel_with("first");
    handle.cancel_with("second");
    handle.cancel();
    let cancelled = scope.run(sleep_forever()).await.unwrap_err();
    assert!(says(&cancelled, "first"));
    assert_eq!(handle.reason(), Some(cancelled));
}

/// C5: A deadline that comes first counts, too.
pub async fn a_deadline_that_comes_first_is_the_reason() {
    let scope = CancelScope::new().with_timeout(SHORT);
    let handle = scope.handle();
    let cancelled = scope.run(sleep_forever()).await.unwrap_err();
    handle.cancel_with("too late");
    assert_eq!(cancelled.reason(), &CancelReason::DeadlinePassed);
    assert_eq!(handle.reason(), Some(cancelled));
}

/// C5: The reason has what the caller said, and where it was said.
pub async fn a_reason_has_the_place_of_the_request() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let line = line!() + 1;
    handle.cancel_with(format!("for {}", "this"));
    let cancelled = scope.run(sleep_forever()).await.unwrap_err();
    assert!(says(&cancelled, "for this"));
    assert_eq!((location(&cancelled).file(), location(&cancelled).line()), (file!(), line));
    assert!(cancelled.to_string().starts_with("cancelled: for this (at "), "{cancelled}");
}

/// C5, H2: So do the requests of groups and of handles to tasks, which say nothing.
pub async fn requests_to_groups_and_tasks_have_their_place() {
    let mut lines = (0, 0);
    let (mut alone, mut together) = (None, None);
    let group = task_group(async |tg| {
        together = Some(tg.spawn(sleep_forever()));
        let task = tg.spawn(sleep_forever());
        lines.0 = line!() + 1;
        task.cancel();
        alone = task.await.err();
        lines.1 = line!() + 1;
        tg.cancel();
    });
    assert_eq!(group.await, Ok(()));
    let together = together.expect("it was spawned").await.err();
    for (error, line) in [(alone, lines.0), (together, lines.1)] {
        let Some(TaskError::Cancelled(cancelled)) = error else { panic!("{error:?}") };
        assert_eq!((location(&cancelled).file(), location(&cancelled).line()), (file!(), line));
    }
}

/// C5: What was cancelled inside reports the outermost scope that was, in whatever order they were.
pub async fn the_outermost_reason_is_reported_in_any_order() {
    const NAMES: [&str; 3] = ["outer", "middle", "inner"];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        #[expect(clippy::needless_range_loop, reason = "it is a depth first")]
        for outermost in 0..3 {
            let scopes = [(); 3].map(|()| CancelScope::new());
            let handles = [0, 1, 2].map(|at| scopes[at].handle());
            let [outer, middle, inner] = scopes;
            let done = Event::new();
            let cut = async {
                let cancelled = inner.run(sleep_forever()).await.unwrap_err();
                assert!(says(&cancelled, NAMES[outermost]), "{order:?}: {cancelled}");
                done.set();
            };
            let requests = async {
                checkpoint().await;
                let asked = order.into_iter().filter(|at| *at >= outermost);
                asked.for_each(|at| handles[at].cancel_with(NAMES[at]));
            };
            let held = outer.run(middle.run(join(shield(done.wait()), cut)));
            assert!(join(held, requests).await.0.is_ok_and(|middle| middle.is_ok()));
        }
    }
}

/// C5: A race that was cut short, and is held, reports the outermost scope, also if that was cancelled while it offered itself.
pub async fn a_race_that_offers_itself_reports_the_outermost_scope() {
    let reported = task_group(async |tg| tg.spawn(cut_short_twice()).value().await).await;
    assert!(reported.expect("the task ends").is_some_and(|error| says(&error, "outer")));
}

/// What a race reports that is cut short by the scope around it, and, while it offers itself, by the one around that.
async fn cut_short_twice() -> Option<Cancelled> {
    let (outer, inner) = (CancelScope::new(), CancelScope::new());
    let (cancels_outer, cancels_inner) = (outer.handle(), inner.handle());
    let reported = Mutex::new(None);
    let body = async {
        let mut race = Box::pin(race((pending::<()>(), pending::<()>())));
        let mut held = Box::pin(shield(turns(10)));
        let mut polls = 0;
        poll_fn(|cx| {
            let is_over = held.as_mut().poll(cx).is_ready();
            polls += 1;
            if polls == 1 {
                cancels_inner.cancel_with("inner");
            }
            match race.as_mut().poll(cx) {
                Poll::Ready(outcome) => {
                    *reported.lock() = outcome.err();
                    Poll::Ready(())
                }
                Poll::Pending if is_over => Poll::Ready(()),
                Poll::Pending => {
                    cancels_outer.cancel_with("outer");
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        })
        .await;
    };
    let _ = outer.run(inner.run(body)).await;
    reported.into_inner()
}

/// C5, G2: A task that is cancelled for its sibling hears which one failed; the body counts as none.
pub async fn a_failed_sibling_is_named() {
    for by_body in [false, true] {
        let mut cut = None;
        let group = try_task_group(async |tg| {
            cut = Some(tg.spawn_ok(sleep_forever()));
            tg.task().name("culprit").spawn(async move { if by_body { Ok(()) } else { Err("broken") } });
            if by_body {
                return Err("broken");
            }
            sleep_forever().await;
            Ok(())
        });
        assert!(group.await.is_err());
        let Err(TaskError::Cancelled(cancelled)) = cut.expect("it was spawned").await else { panic!("it was cut") };
        let CancelReason::SiblingFailed(task) = cancelled.reason() else { panic!("{cancelled}") };
        let name = task.as_ref().and_then(|task| task.name());
        assert_eq!(name, (!by_body).then_some("culprit"));
    }
}

/// C5, F1: What is cancelled because the future around it was dropped says so.
pub async fn a_dropped_group_is_a_reason() {
    let mut orphan = None;
    let group = task_group(async |tg| {
        orphan = Some(tg.spawn(sleep_forever()));
        sleep_forever().await;
    });
    drop(poll_times(1, Box::pin(group)).await);
    let Err(TaskError::Cancelled(cancelled)) = orphan.expect("it was spawned").await else { panic!("it was cut") };
    assert_eq!(cancelled.reason(), &CancelReason::GroupDropped);
}

/// C5: A scope can be cancelled by a task, by a task inside it, and by a thread that no runtime knows.
pub async fn a_scope_can_be_cancelled_from_tasks_and_threads() {
    for from in 0..3 {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let outcome = match from {
            0 => {
                let group = task_group(async |tg| {
                    tg.spawn(async move { handle.cancel() });
                    scope.run(sleep_forever()).await
                });
                group.await.expect("the group is not cancelled").err()
            }
            1 => {
                let inside = task_group(async |tg| {
                    tg.spawn(async move { handle.cancel() });
                    sleep_forever().await;
                });
                scope.run(inside).await.err()
            }
            _ => {
                let thread = on_thread(move || handle.cancel());
                let outcome = scope.run(sleep_forever()).await.err();
                thread.join().expect("it does not panic");
                outcome
            }
        };
        assert!(outcome.is_some());
    }
}

/// Cancels when it is dropped.
struct CancelsOnDrop(CancelHandle);

impl Drop for CancelsOnDrop {
    fn drop(&mut self) {
        self.0.cancel_with("drop");
    }
}

/// C5: A destructor can cancel: the scope that it is in, one around, and one elsewhere.
pub async fn a_destructor_can_cancel() {
    let scopes = [(); 3].map(|()| CancelScope::new());
    let handles = [0, 1, 2].map(|at| scopes[at].handle());
    let [around, own, elsewhere] = scopes;
    let guards = handles.map(CancelsOnDrop);
    let own_handle = own.handle();
    let cancelling = async {
        let body = own.run(async move {
            let _guards = guards;
            own_handle.cancel_with("own");
            sleep_forever().await;
        });
        body.await.expect("the scope around ends");
    };
    let (around, elsewhere) = join(around.run(cancelling), elsewhere.run(sleep_forever())).await;
    assert!([around, elsewhere].into_iter().all(|outcome| outcome.is_err_and(|reason| says(&reason, "drop"))));
}

/// Cancels when it is woken.
struct CancelsOnWake(CancelHandle);

impl Wake for CancelsOnWake {
    fn wake(self: Arc<Self>) {
        self.0.cancel_with("waker");
    }
}

/// C5, C9: A task that is cancelled while it is being polled is polled again when all that is inside it knows.
pub async fn a_task_that_is_cancelled_during_a_poll_is_woken_when_all_in_it_know() {
    for round in 0..200 {
        let is_polled = Arc::new(AtomicBool::new(false));
        let group = task_group(async |tg| {
            // Each holds the task until what is inside has heard of the cancellation.
            let scopes: Vec<_> = (0..25).map(|_| CancelScope::new()).collect();
            let looks: Vec<_> = scopes.iter().map(CancelScope::handle).collect();
            let polled = is_polled.clone();
            let handle = tg.spawn(async move {
                let held = join_all(scopes.into_iter().map(|scope| scope.run(finally(sleep_forever(), async {}))));
                let busy = poll_fn(|_| {
                    polled.store(true, Ordering::SeqCst);
                    (0..round % 40 * 50).for_each(|_| spin_loop());
                    Poll::<()>::Pending
                });
                join(held, busy).await;
            });
            let is_over = Arc::new(AtomicBool::new(false));
            let stops = is_over.clone();
            on_thread(move || {
                while !stops.load(Ordering::SeqCst) {
                    assert!(looks.iter().all(|handle| handle.deadline().is_none()));
                }
            });
            on_thread(move || {
                while !is_polled.load(Ordering::SeqCst) {
                    spin_loop();
                }
                handle.cancel();
                is_over.store(true, Ordering::SeqCst);
            });
        });
        group.await.expect("its own cancel is no error");
    }
}

/// A backend that panics when it is asked for a timer, if it `fails`, once, and leaves everything else to another.
struct Fails {
    inner: Arc<dyn Backend>,
    fails: Arc<AtomicBool>,
}

impl Spawn for Fails {
    fn spawn(&self, task: Task) {
        self.inner.spawn(task);
    }

    fn sharing(&self) -> Sharing {
        self.inner.sharing()
    }
}

impl Blocking for Fails {
    fn spawn_blocking(&self, job: Job) {
        self.inner.spawn_blocking(job);
    }
}

impl Checkpoint for Fails {
    fn checkpoint(&self, waker: &Waker) {
        self.inner.checkpoint(waker);
    }
}

impl Clock for Fails {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        assert!(!self.fails.swap(false, Ordering::SeqCst), "there is no timer to be had");
        self.inner.timer(deadline)
    }

    fn is_virtual(&self) -> bool {
        self.inner.is_virtual()
    }

    fn follow_real_time(&self) -> Option<Box<dyn Any + Send + Sync>> {
        self.inner.follow_real_time()
    }
}

impl Backend for Fails {
    fn name(&self) -> &'static str {
        "fails"
    }
}

/// C5, C9: A backend that panics as the timer of a grace is to be set does not keep those from being woken who are cancelled as
/// well.
pub async fn a_backend_that_panics_keeps_nobody_from_being_woken() {
    let (inner, fails) = (Runtime::current().unwrap().backend().clone(), Arc::new(AtomicBool::new(false)));
    let runtime = Runtime::new(Fails { inner, fails: fails.clone() });
    let (asleep, done, drops) = (Arc::new(AtomicUsize::new(0)), Arc::new(Event::new()), Drops::new());
    let group = task_group(async |tg| {
        for shielded in [false, true, false] {
            let (token, asleep, done) = (drops.token(), asleep.clone(), done.clone());
            tg.spawn(async move {
                let _token = token;
                if !shielded {
                    asleep.fetch_add(1, Ordering::SeqCst);
                    return sleep_forever().await;
                }
                let inside = async {
                    asleep.fetch_add(1, Ordering::SeqCst);
                    done.wait().await;
                };
                shield_for(LONG, inside).await;
                sleep_forever().await;
            });
        }
        until(|| asleep.load(Ordering::SeqCst) == 3).await;
        fails.store(true, Ordering::SeqCst);
        assert!(catch_unwind(AssertUnwindSafe(|| tg.cancel())).is_err());
        done.set();
    });
    assert_eq!(enter(runtime, group).await, Ok(()));
    assert_eq!(drops.count(), 3);
}

/// C5: A waker can cancel, also the scope that wakes it.
pub async fn a_waker_can_cancel() {
    let (scope, other) = (CancelScope::new(), CancelScope::new());
    let (handle, other_handle) = (scope.handle(), other.handle());
    let waker = Waker::from(Arc::new(CancelsOnWake(handle.clone())));
    let mut running = Box::pin(scope.run(sleep_forever()));
    assert!(running.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    other_handle.cancel();
    assert!(other.run(sleep_forever()).await.is_err());
    assert!(!handle.cancel_requested());
    handle.cancel_with("request");
    assert!(running.await.is_err_and(|reason| says(&reason, "request")));

    let (scope, event) = (CancelScope::new(), Event::new());
    let waker = Waker::from(Arc::new(CancelsOnWake(scope.handle())));
    let mut wait = Box::pin(event.wait());
    assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    event.set();
    assert!(scope.run(sleep_forever()).await.is_err_and(|reason| says(&reason, "waker")));
}

/// C5: Eight threads may cancel at once: one of them is the first, for everybody and for good.
pub async fn eight_threads_may_cancel_at_once() {
    const NAMES: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
    for _ in 0..20 {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let start = Arc::new(Barrier::new(NAMES.len()));
        let threads = NAMES.map(|name| {
            let (handle, start) = (handle.clone(), start.clone());
            on_thread(move || {
                start.wait();
                handle.cancel_with(name);
                handle.reason().expect("it was cancelled")
            })
        });
        let outcome = scope.run(CancelScope::new().run(sleep_forever())).await.unwrap_err();
        assert!(NAMES.iter().any(|name| says(&outcome, name)));
        for thread in threads {
            assert_eq!(thread.join().expect("it does not panic"), outcome);
        }
    }
}

/// C5: A request that races with the beginning of a scope, or with the spawning inside it, is never lost.
pub async fn a_request_that_races_with_the_beginning_is_not_lost() {
    let (requests, thread) = cancelling_thread();
    for round in 0..500 {
        let scope = CancelScope::new();
        requests.send(scope.handle()).expect("the thread lives");
        turns(round % 3).await;
        assert!(scope.run(CancelScope::new().run(sleep_forever())).await.is_err());
        let scope = CancelScope::new();
        let handle = scope.handle();
        let nested = task_group(async |tg| {
            requests.send(handle).expect("the thread lives");
            (0..4).for_each(|_| drop(tg.spawn(in_group_of_tasks())));
            pending::<()>().await;
        });
        assert!(scope.run(nested).await.is_err());
    }
    drop(requests);
    thread.join().expect("it does not panic");
}

/// Polls `operation` once where it would be cut off, and expects an offer and nothing else.
async fn offers_at_first<F: Future>(operation: F) {
    let mut operation = Box::pin(operation);
    let offer = cancelled_before(async {
        let wakes = Wakes::new();
        (wakes.poll(&mut operation).is_pending(), wakes.count())
    });
    assert_eq!(offer.await, Ok((true, 1)));
}

/// C6: An operation that would be cut off at once does nothing at its first poll, though it were ready: it wakes itself.
pub async fn a_doomed_operation_does_nothing_at_its_first_poll() {
    let (event, past) = (Event::new(), now());
    event.set();
    offers_at_first(event.wait()).await;
    offers_at_first(sleep(Duration::ZERO)).await;
    offers_at_first(sleep_until(past)).await;
    offers_at_first(sleep_forever()).await;
    offers_at_first(checkpoint()).await;
    offers_at_first(interval(SHORT).tick()).await;
    offers_at_first(protect(async { unreachable!("it does not begin") })).await;
    let group = task_group(async |tg| {
        offers_at_first(tg.start(async |_: Started<()>| unreachable!("it does not begin"))).await;
        let mut task = tg.spawn(async { 5 });
        until(|| task.is_finished()).await;
        offers_at_first(&mut task).await;
        offers_at_first(tg.spawn(async {}).value()).await;
        task.await.expect("the value was not taken")
    });
    assert_eq!(group.await, Ok(5));
}

/// Polls `operation` where it is doomed, and once more while a shield holds the scope.
async fn second_poll_when_held<F: Future>(operation: F) -> Poll<F::Output> {
    let polled = cancelled_before(async {
        let mut operation = pin!(operation);
        assert!(futures::poll!(&mut operation).is_pending());
        let mut shield = pin!(shield(pending::<()>()));
        assert!(futures::poll!(&mut shield).is_pending());
        futures::poll!(&mut operation)
    });
    polled.await.expect("there is no suspension")
}

/// C6: Polled again while its scope is held, an operation acts: the shield may be waiting for it.
pub async fn a_doomed_operation_acts_at_its_second_poll_when_it_is_held() {
    let event = Event::new();
    event.set();
    assert!(second_poll_when_held(event.wait()).await.is_ready());
    let (begun, protected) = (Arc::new(AtomicBool::new(false)), Arc::new(Event::new()));
    let (begins, announces) = (begun.clone(), protected.clone());
    let _ = second_poll_when_held(protect(async move { announces.set() })).await;
    protected.wait().await;
    let group = task_group(async |tg| {
        let task = tg.spawn(async { 5 });
        until(|| task.is_finished()).await;
        let begin = |started: Started<()>| {
            begins.store(true, Ordering::SeqCst);
            async { drop(started) }
        };
        assert!(second_poll_when_held(tg.start(begin)).await.is_pending());
        second_poll_when_held(task).await
    });
    assert!(matches!(group.await, Ok(Poll::Ready(Ok(5)))));
    assert!(begun.load(Ordering::SeqCst));
}

/// C6: An operation that is first polled while its scope is held acts at once.
pub async fn an_operation_that_is_held_from_the_start_acts_at_once() {
    let event = Event::new();
    event.set();
    let polled = cancelled_before(async {
        let mut shield = pin!(shield(pending::<()>()));
        assert!(futures::poll!(&mut shield).is_pending());
        futures::poll!(pin!(event.wait()))
    });
    assert_eq!(polled.await, Ok(Poll::Ready(())));
    assert_eq!(cancelled_before(shield(event.wait())).await, Ok(()));
}

/// C6: Nor does an operation begin because a foreign stream, whose other futures are idle, polls it again at once.
pub async fn a_doomed_operation_among_idle_siblings_does_not_begin() {
    let (begun, scope) = (Cell::new(0), CancelScope::new());
    let handle = scope.handle();
    let group = task_group(async |tg| {
        let operation = async {
            turns(3).await;
            handle.cancel_with("outer");
            let begin = |started: Started<()>| {
                begun.set(begun.get() + 1);
                async { drop(started) }
            };
            drop(tg.start(begin).await);
        };
        let idle = || pending::<()>().boxed_local();
        let branches = FuturesUnordered::from_iter([idle(), operation.boxed_local(), idle(), idle()]);
        scope.run(branches.collect::<Vec<_>>()).await
    });
    assert!(group.await.is_ok_and(|outcome| was_outer(&outcome)));
    assert_eq!(begun.get(), 0);
}

/// C6: What dooms an operation is the nearest unit: not a scope behind a shield, and not one that was left.
pub async fn an_operation_is_doomed_by_its_nearest_unit() {
    let event = Event::new();
    event.set();
    let at_once = cancelled_before(async {
        let ready = shield(async { futures::poll!(pin!(event.wait())) }).await;
        let doomed = CancelScope::new().run(async { futures::poll!(pin!(event.wait())) }).await;
        let timed = timeout(LONG, async { futures::poll!(pin!(event.wait())) }).await;
        (ready, doomed, timed)
    });
    let at_once = at_once.await.expect("there is no suspension");
    assert_eq!(at_once, (Poll::Ready(()), Ok(Poll::Pending), Ok(Poll::Pending)));
    assert_eq!(futures::poll!(pin!(event.wait())), Poll::Ready(()));
}

/// Runs `operation` in a scope, has it completed by `complete`, cancels the scope, and only then polls it again.
async fn completed_and_then_cancelled<F: Future>(operation: F, complete: impl FnOnce()) -> F::Output {
    let scope = CancelScope::new();
    let (handle, wakes) = (scope.handle(), Wakes::new());
    let mut running = Box::pin(scope.run(operation));
    assert!(wakes.poll(&mut running).is_pending());
    complete();
    until(|| wakes.count() > 0).await;
    handle.cancel();
    let Poll::Ready(outcome) = futures::poll!(&mut running) else { panic!("it has completed") };
    outcome.expect("the completion came first")
}

/// C7: A completion that was committed before the cancellation is returned.
pub async fn a_completion_before_the_cancellation_is_returned() {
    let event = Event::new();
    completed_and_then_cancelled(event.wait(), || event.set()).await;
    completed_and_then_cancelled(sleep(SHORT), || ()).await;
    let go = [(); 2].map(|()| Arc::new(Event::new()));
    let [gone, started] = go.clone();
    let group = task_group(async |tg| {
        let task = tg.spawn(async move {
            gone.wait().await;
            5
        });
        let start = tg.start(async move |token| {
            started.wait().await;
            assert_eq!(token.started(6), Ok(()));
        });
        let task = completed_and_then_cancelled(task, || go[0].set()).await;
        let start = completed_and_then_cancelled(start, || go[1].set()).await;
        (task.ok(), start.ok())
    });
    assert_eq!(group.await, Ok((Some(5), Some(6))));
}

/// C7: Whether a body completed and whether its scope says so is never in doubt, whenever a thread cancels it.
pub async fn no_completed_body_is_lost_to_a_race() {
    let (requests, thread) = cancelling_thread();
    for round in 0..600 {
        let (scope, completed) = (CancelScope::new(), Cell::new(false));
        requests.send(scope.handle()).expect("the thread lives");
        let outcome = scope.run(async {
            turns(round % 5).await;
            completed.set(true);
            round
        });
        let outcome = outcome.await;
        assert_eq!(outcome.is_ok(), completed.get());
        assert!(outcome.map_or_else(|reason| says(&reason, "thread"), |value| value == round));
    }
    drop(requests);
    thread.join().expect("it does not panic");
}

/// C7, H2: Nor whether a task completed, whenever it is cancelled.
pub async fn no_completed_task_is_lost_to_a_race() {
    let drops = Drops::new();
    let group = task_group(async |tg| {
        for round in 0..400 {
            let (completed, token) = (Arc::new(AtomicBool::new(false)), drops.token());
            let completes = completed.clone();
            let task = tg.spawn(async move {
                turns(round % 3).await;
                completes.store(true, Ordering::SeqCst);
                token
            });
            turns(round % 4).await;
            let outcome = task.cancel_and_join().await;
            assert_eq!(outcome.is_ok(), completed.load(Ordering::SeqCst));
            drop(outcome);
            assert_eq!(drops.count(), round + 1);
        }
    });
    assert_eq!(group.await, Ok(()));
}

/// C7, R4: A started value arrives once or comes back: it is never in two hands, and never in none.
pub async fn no_started_value_is_lost_to_a_race() {
    let (requests, thread) = cancelling_thread();
    let (drops, accepted) = (Drops::new(), Arc::new(AtomicUsize::new(0)));
    let mut arrived = 0;
    for round in 0..300 {
        let (scope, value, accepts) = (CancelScope::new(), drops.token(), accepted.clone());
        let handle = scope.handle();
        let group = task_group(async |tg| {
            let start = tg.start(async move |token| {
                turns(round % 3).await;
                accepts.fetch_add(usize::from(token.started(value).is_ok()), Ordering::SeqCst);
            });
            requests.send(handle).expect("the thread lives");
            turns(round % 2).await;
            scope.run(start).await
        });
        let outcome = group.await.expect("the group is not cancelled");
        arrived += usize::from(matches!(outcome, Ok(Ok(_))));
        drop(outcome);
        assert_eq!(drops.count(), round + 1);
    }
    assert!(arrived <= accepted.load(Ordering::SeqCst), "what came back did not arrive");
    drop(requests);
    thread.join().expect("it does not panic");
}

/// C8: A cancellation before the scope runs is remembered, by every handle.
pub async fn a_cancellation_before_the_entry_is_remembered() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let other = handle.clone();
    handle.cancel_with("early");
    assert!(other.cancel_requested());
    let running = scope.run(sleep_forever());
    assert!(running.await.is_err_and(|reason| says(&reason, "early")));
    assert!(other.reason().is_some_and(|reason| says(&reason, "early")));
}

/// C8: After the exit nothing happens any more, nor where the scope never ran.
pub async fn a_cancellation_after_the_exit_does_nothing() {
    let (scope, dropped, unpolled) = (CancelScope::new(), CancelScope::new(), CancelScope::new());
    let handles = [scope.handle(), dropped.handle(), unpolled.handle()];
    assert_eq!(scope.run(async { 1 }).await, Ok(1));
    drop(dropped.run(sleep_forever()));
    drop(poll_times(1, Box::pin(unpolled.run(sleep_forever()))).await);
    for handle in &handles {
        handle.cancel();
        handle.set_deadline(now());
        assert!(!handle.cancel_requested());
        assert_eq!(handle.reason(), None);
    }
    checkpoint().await;
}

/// How often `unit` ended in a loop in a cancelled scope.
async fn turns_of<F: Future>(unit: impl Fn() -> F) -> usize {
    let turns = Cell::new(0);
    let endless = async {
        while turns.get() < 100_000 {
            unit().await;
            turns.set(turns.get() + 1);
        }
    };
    assert!(was_outer(&cancelled_before(endless).await), "the loop spins");
    turns.get()
}

/// C9: A loop of units that are cut short ends at the first of them.
pub async fn a_loop_of_units_that_are_cut_short_does_not_spin() {
    for unit in UNITS {
        assert_eq!(turns_of(unit).await, 0);
    }
    assert_eq!(turns_of(checkpoint).await, 0);
    assert_eq!(turns_of(|| shield_for(Duration::ZERO, in_scope())).await, 0);
    assert_eq!(turns_of(|| in_scope().timeout(LONG)).await, 0);
    assert_eq!(turns_of(|| move_on_after(Duration::ZERO, pending::<()>())).await, 0);
}

/// C9, X5: A loop of units that are ready at once ends by the budget.
pub async fn a_loop_of_units_that_are_ready_ends() {
    const PLENTY: usize = 10_000;
    let event = Event::new();
    event.set();
    let ended = [
        turns_of(|| CancelScope::new().run(ready(()))).await,
        turns_of(|| task_group(async |_tg| ())).await,
        turns_of(|| timeout(LONG, ready(()))).await,
        turns_of(|| finally(ready(()), ready(()))).await,
        turns_of(|| shield(ready(()))).await,
        turns_of(|| shield(event.wait())).await,
        turns_of(cancelled).await,
    ];
    assert!(ended.into_iter().all(|turns| (1..PLENTY).contains(&turns)), "{ended:?}");
}

/// C9: While a foreign sibling's shield holds the scope, a loop of units goes on, and yields at each turn.
pub async fn a_loop_beside_a_shield_yields_at_each_turn() {
    for unit in UNITS {
        let (polls, turns) = (Cell::new(0), Cell::new(0));
        let retry = async {
            while turns.get() < 100_000 {
                unit().await;
                turns.set(turns.get() + 1);
            }
        };
        let both = join(shield(until(|| turns.get() >= 10)), retry);
        assert!(was_outer(&cancelled_before(counted(&polls, both)).await));
        assert!(turns.get() >= 10 && turns.get() <= polls.get(), "{turns:?} turns in {polls:?} polls");
    }
}

/// C9: A request wakes each unit once, however often it is repeated; a unit inside adds one offer.
pub async fn a_request_wakes_each_unit_once() {
    let (wakes, scope) = (Wakes::new(), CancelScope::new());
    let handle = scope.handle();
    let held = join(shield(pending::<()>()), CancelScope::new().run(pending::<()>()));
    let mut running = Box::pin(scope.run(held));
    assert!(wakes.poll(&mut running).is_pending());
    assert_eq!(wakes.count(), 0);
    (0..5).for_each(|_| handle.cancel());
    assert_eq!(wakes.count(), 2);
    assert!(wakes.poll(&mut running).is_pending());
    assert_eq!(wakes.count(), 3);
    for _ in 0..5 {
        assert!(wakes.poll(&mut running).is_pending());
    }
    assert_eq!(wakes.count(), 3);
}

/// C9: While a shield inside outlives the cancellation nobody is polled in vain.
pub async fn poll_counts_stay_bounded_while_a_shield_outlives_the_cancellation() {
    let (polls, release, scope) = (Cell::new(0), Arc::new(Event::new()), CancelScope::new());
    let (handle, releases) = (scope.handle(), release.clone());
    let group = task_group(async |tg| {
        tg.spawn(async move {
            turns(10).await;
            handle.cancel_with("outer");
            turns(200).await;
            releases.set();
        });
        let units = join_all(UNITS.iter().map(|unit| unit()));
        let held = join(shield(release.wait()), units).then(|_| sleep_forever());
        scope.run(counted(&polls, held)).await
    });
    assert!(group.await.is_ok_and(|outcome| was_outer(&outcome)));
    assert!(polls.get() < 100, "{} polls", polls.get());
}

/// C3: A task that waits for others, and is cancelled with them, is polled when it is let go of, and not before.
pub async fn who_is_held_is_not_polled_for_a_cancellation() {
    let (release, waits) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let polls = Arc::new(AtomicUsize::new(0));
    let scope = CancelScope::new();
    let handle = scope.handle();
    let (released, waiting, counter) = (release.clone(), waits.clone(), polls.clone());
    let group = task_group(async |tg| {
        let mut inner = Box::pin(task_group(async move |tg| {
            tg.spawn(async move {
                waiting.set();
                shield(released.wait()).await;
                sleep_forever().await;
            });
        }));
        tg.spawn(poll_fn(move |cx| {
            counter.fetch_add(1, Ordering::SeqCst);
            inner.as_mut().poll(cx).map(drop)
        }));
    });
    let requests = async {
        waits.wait().await;
        turns(20).await;
        let before = polls.load(Ordering::SeqCst);
        handle.cancel();
        turns(20).await;
        let meanwhile = polls.load(Ordering::SeqCst);
        release.set();
        (before, meanwhile)
    };
    let (outcome, (before, meanwhile)) = join(scope.run(group), requests).await;
    assert!(outcome.is_err(), "the task was cut short");
    assert_eq!(before, meanwhile, "it was polled in vain");
    assert!(polls.load(Ordering::SeqCst) > before, "it was not polled when it was let go of");
}

const MANY: usize = 100_000;

/// Groups in groups, each the only task of the one around it.
fn nest(levels: usize, bottom: Arc<Event>, drops: Drops) -> Sent<()> {
    Box::pin(async move {
        let _token = drops.token();
        if levels == 1 {
            bottom.set();
            return sleep_forever().await;
        }
        let group = task_group(async |tg| drop(tg.spawn(nest(levels - 1, bottom, drops))));
        drop(group.await);
    })
}

/// A group of as many tasks.
async fn spread(tasks: usize, all_begun: Arc<Event>, drops: Drops) {
    let begun = Arc::new(AtomicUsize::new(0));
    let group = task_group(async |tg| {
        for token in (0..tasks).map(|_| drops.token()) {
            let (begun, all_begun) = (begun.clone(), all_begun.clone());
            tg.spawn(async move {
                let _token = token;
                if begun.fetch_add(1, Ordering::SeqCst) + 1 == tasks {
                    all_begun.set();
                }
                sleep_forever().await;
            });
        }
    });
    drop(group.await);
}

/// Cancels `tasks` once they have all begun; when the scope is over, so is everything.
async fn cancel_many<F: Future>(tasks: impl FnOnce(usize, Arc<Event>, Drops) -> F) {
    let (begun, drops, scope) = (Arc::new(Event::new()), Drops::new(), CancelScope::new());
    let handle = scope.handle();
    let request = async {
        begun.wait().await;
        handle.cancel();
    };
    let outcome = join(scope.run(tasks(MANY, begun.clone(), drops.clone())), request).await.0;
    assert!(outcome.is_err());
    assert_eq!(drops.count(), MANY);
}

/// Drops `tasks` once they have all begun; when the scope around is over, so is everything.
async fn drop_many<F: Future>(tasks: impl FnOnce(usize, Arc<Event>, Drops) -> F) {
    let (begun, drops) = (Arc::new(Event::new()), Drops::new());
    let tasks = Box::pin(tasks(MANY, begun.clone(), drops.clone()));
    let outcome = CancelScope::new().run(async { drop(select(tasks, pin!(begun.wait())).await) });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!(drops.count(), MANY);
}

/// C10: What is kept of the innermost of a hundred thousand nested tasks, each of which had to wait for the next, goes
/// without recursion.
pub async fn what_is_kept_of_the_innermost_task_goes_without_recursion() {
    let innermost = CancelScope::new();
    let kept = innermost.handle();
    cancel_many(move |tasks, bottom, drops| {
        let body = async move {
            bottom.set();
            let _ = innermost.run(sleep_forever()).await;
        };
        nest_around(tasks, Box::pin(body), drops)
    })
    .await;
    drop(kept);
}

/// Groups in groups, each the only task of the one around it, and `body` in the innermost.
fn nest_around(levels: usize, body: Sent<()>, drops: Drops) -> Sent<()> {
    Box::pin(async move {
        let _token = drops.token();
        if levels == 1 {
            return body.await;
        }
        let group = task_group(async |tg| drop(tg.spawn(nest_around(levels - 1, body, drops))));
        drop(group.await);
    })
}

/// C10: A hundred thousand nested tasks are cancelled, in linear time and on an ordinary stack.
pub async fn a_hundred_thousand_nested_tasks_are_cancelled() {
    cancel_many(nest).await;
}

/// C10: The innermost of a hundred thousand nested tasks learns why, at whatever depth those around begin.
pub async fn the_innermost_of_a_hundred_thousand_nested_tasks_knows_why() {
    for scopes in 0..2 {
        let told = Arc::new(Mutex::new(None));
        let around = |tasks, bottom: Arc<Event>, drops| {
            let told = told.clone();
            let body = async move {
                bottom.set();
                *told.lock() = Some(cancelled().await);
                sleep_forever().await;
            };
            let nested = nest_around(tasks, Box::pin(body), drops);
            (0..scopes).fold(nested, |inner, _| Box::pin(CancelScope::new().run(inner).map(drop)))
        };
        cancel_many(around).await;
        let reason = told.lock().take().expect("it was told");
        assert!(matches!(reason.reason(), CancelReason::Requested { .. }), "{reason}");
    }
}

/// C10, F1: A hundred thousand nested tasks are dropped.
pub async fn a_hundred_thousand_nested_tasks_are_dropped() {
    drop_many(nest).await;
}

/// C10: A hundred thousand siblings are cancelled.
pub async fn a_hundred_thousand_siblings_are_cancelled() {
    cancel_many(spread).await;
}

/// C10, F1: A hundred thousand siblings are dropped.
pub async fn a_hundred_thousand_siblings_are_dropped() {
    drop_many(spread).await;
}

/// C10, G12: A hundred thousand groups that are held by values, each in the one before, are used and cancelled.
pub async fn a_hundred_thousand_nested_owned_groups_are_cancelled() {
    let mut groups = vec![OwnedTaskGroup::new()];
    for _ in 1..MANY {
        groups.push(OwnedTaskGroup::in_group(&groups[groups.len() - 1]));
    }
    let task = groups[MANY - 1].spawn(sleep_forever());
    turns(3).await;
    groups[0].scope().cancel_with("all");
    let Err(TaskError::Cancelled(cancelled)) = task.await else { panic!("it was cut short") };
    assert!(says(&cancelled, "all"));
}

/// A scope whose body hands out the next one, bound to where it is, and ends with a shield.
async fn level(levels: usize, next: Rc<RefCell<Option<Local<'static, ()>>>>) {
    let body = async {
        if levels == 1 {
            return shield(pending()).await;
        }
        let inner: Local<'_, ()> = Box::pin(level(levels - 1, next.clone()));
        next.replace(Some(Box::pin(inner.bind())));
        pending::<()>().await;
    };
    drop(CancelScope::new().run(body).await);
}

/// C10, C12: A hundred thousand scopes that stand in one another and are polled side by side are held and cancelled.
pub async fn a_hundred_thousand_nested_scopes_are_cancelled() {
    let scope = CancelScope::new();
    let (handle, next) = (scope.handle(), Rc::new(RefCell::new(None)));
    let body = async {
        let mut scopes = vec![level(MANY, next.clone()).boxed_local()];
        while scopes.len() < MANY {
            assert!(futures::poll!(scopes.last_mut().expect("there is one")).is_pending());
            scopes.push(next.take().expect("each hands out the next"));
            checkpoint().await; // before the budget is used up
        }
        assert!(futures::poll!(&mut scopes[MANY - 1]).is_pending());
        handle.cancel();
        while scopes.pop().is_some() {}
        checkpoint().await;
    };
    assert!(scope.run(body).await.is_err());
}

/// C11: A panic in a destructor of the body that is dropped is resumed where the scope is awaited.
pub async fn a_panicking_destructor_in_a_body_is_resumed_by_the_scope() {
    let body = || async {
        let _bomb = Bomb("boom");
        sleep_forever().await;
    };
    let around = async || caught(cancelled_before(body())).await;
    assert_eq!(around().await, Err("boom".to_owned()));
    assert_eq!(caught(cancelled_later(body())).await, Err("boom".to_owned()));
    assert_eq!(caught(timeout(SHORT, body())).await, Err("boom".to_owned()));
    let inner = cancelled_before(async {
        let _bomb = Bomb("inner");
        CancelScope::new().run(sleep_forever()).await
    });
    assert_eq!(caught(inner).await.err().as_deref(), Some("inner"));
}

/// C11, G2: One in a task, cut short or not, is the task's panic; the siblings are drained first.
pub async fn a_panicking_destructor_in_a_task_is_the_panic_of_its_group() {
    for cut in [false, true] {
        let drops = Drops::new();
        let group = task_group(async |tg| {
            let token = drops.token();
            tg.spawn(async move {
                let _token = token;
                sleep_forever().await;
            });
            let task = tg.spawn(async move {
                let _bomb = Bomb("boom");
                if cut {
                    sleep_forever().await;
                }
            });
            checkpoint().await;
            task.cancel();
            sleep_forever().await;
        });
        assert_eq!(caught(group).await.err().as_deref(), Some("boom"));
        assert_eq!(drops.count(), 1);
    }
}

/// C11, G8: One in a value that nobody receives is the panic of its group as well.
pub async fn a_panicking_value_that_nobody_awaits_is_the_panic_of_its_group() {
    let group = task_group(async |tg| {
        drop(tg.spawn(async { Bomb("value") }));
        sleep_forever().await;
    });
    assert_eq!(caught(group).await.err().as_deref(), Some("value"));
    let attached = task_group(async |tg| {
        let unpolled = tg.attach(async { Bomb("unseen") });
        let mut unpolled = Box::pin(unpolled);
        tg.cancel();
        let _ = futures::poll!(&mut unpolled);
        drop(unpolled);
    });
    assert_eq!(caught(attached).await.err().as_deref(), Some("unseen"));
}

/// C11, G3: The value of a body is dropped before a group that failed returns, and its panic is the group's.
pub async fn a_value_that_is_not_returned_is_dropped_before_the_group_returns() {
    let drops = Drops::new();
    let mut group = Box::pin(try_task_group(async |tg| {
        tg.spawn(async { Err::<(), _>("broken") });
        Ok(drops.token())
    }));
    assert!((&mut group).await.is_err());
    assert_eq!(drops.count(), 1);
    let group = try_task_group(async |tg| {
        tg.spawn(async { Err::<(), _>("broken") });
        Ok(Bomb("value"))
    });
    assert_eq!(caught(group).await.err().as_deref(), Some("value"));
}

/// C11, F3: One in a task whose group was dropped goes to the hook; the task is counted out all the same.
pub async fn a_panicking_destructor_of_an_orphan_goes_to_the_hook() {
    let (runtime, heard) = hooked();
    let orphaned = CancelScope::new().run(async {
        let group = task_group(async |tg| {
            tg.spawn(async {
                let _bomb = Bomb("orphan");
                sleep_forever().await;
            });
            sleep_forever().await;
        });
        drop(poll_times(1, Box::pin(group)).await);
    });
    assert_eq!(enter(runtime, orphaned).await, Ok(()));
    let panics = |outcome: &Unhandled| matches!(outcome, Unhandled::Panicked { message, .. } if message == "orphan");
    assert_eq!(heard.count(panics), 1, "{:?}", heard.texts());
}

/// Panics when it is polled, and again when it is dropped.
struct Twice(#[expect(dead_code, reason = "it is there to be dropped")] Bomb);

impl Future for Twice {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        panic!("first");
    }
}

/// C11, G9: When a body panics and then its destructor does, the first is resumed and the hook hears of the second.
pub async fn a_destructor_that_panics_after_its_body_goes_to_the_hook() {
    let (runtime, heard) = hooked();
    enter(runtime, async {
        assert_eq!(caught(CancelScope::new().run(Twice(Bomb("second")))).await.err().as_deref(), Some("first"));
        let group = task_group(async |tg| drop(tg.spawn(Twice(Bomb("second")))));
        assert_eq!(caught(group).await.err().as_deref(), Some("first"));
    })
    .await;
    let second = |outcome: &Unhandled| matches!(outcome, Unhandled::Panicked { message, .. } if message == "second");
    assert_eq!(heard.count(second), 2, "{:?}", heard.texts());
}

/// C11: A panic that carries something whose destructor panics keeps nobody waiting.
pub async fn a_panic_that_carries_a_bomb_is_survived() {
    let (runtime, heard) = hooked();
    let group = task_group(async |tg| {
        for _ in 0..3 {
            tg.spawn(async { panic_any(Bomb("payload")) as () });
        }
    });
    let first = AssertUnwindSafe(enter(runtime, group)).catch_unwind().await;
    std::mem::forget(first.expect_err("the first panic is resumed").downcast::<Bomb>());
    assert!(heard.count(|outcome| matches!(outcome, Unhandled::Panicked { .. })) >= 2, "{:?}", heard.texts());
}

/// C11, R4: A started value that its caller never saw goes with the caller.
pub async fn a_started_value_that_nobody_saw_is_dropped_with_the_caller() {
    let drops = Drops::new();
    let value = drops.token();
    let group = task_group(async |tg| {
        let wakes = Wakes::new();
        let go = Arc::new(Event::new());
        let gone = go.clone();
        let mut start = Box::pin(tg.start(async move |token| {
            gone.wait().await;
            assert!(token.started(value).is_ok());
            sleep_forever().await;
        }));
        assert!(wakes.poll(&mut start).is_pending());
        go.set();
        until(|| wakes.count() > 0).await;
        drop(start);
        assert_eq!(drops.count(), 1);
        tg.cancel();
    });
    assert_eq!(group.await, Ok(()));
}

/// Takes its time to be dropped.
struct Slow(#[expect(dead_code, reason = "it counts when it is dropped")] crate::fixture::Dropped);

impl Drop for Slow {
    fn drop(&mut self) {
        block(Duration::from_millis(2));
    }
}

/// C11, F2: When a scope, a timeout, a group or a run is over, every destructor inside has run, orphans' too.
pub async fn every_destructor_has_run_when_a_barrier_is_passed() {
    let drops = Drops::new();
    let leave_orphans = || async {
        let group = task_group(async |tg| {
            for token in [(); 8].map(|()| drops.token()) {
                tg.spawn(async move {
                    let _slow = Slow(token);
                    sleep_forever().await;
                });
            }
            pending::<()>().await;
        });
        drop(poll_times(1, Box::pin(group)).await);
    };
    assert_eq!(CancelScope::new().run(leave_orphans()).await, Ok(()));
    assert_eq!(drops.count(), 8);
    assert_eq!(timeout(LONG, leave_orphans()).await, Ok(()));
    assert_eq!(drops.count(), 16);
    assert_eq!(task_group(async |_tg| leave_orphans().await).await, Ok(()));
    assert_eq!(drops.count(), 24);
    task_group(async |tg| tg.spawn(in_group_of_tasks()).cancel()).await.expect("it is not cancelled");
    let (in_run, runs) = (drops.clone(), drops.clone());
    in_own_run(move || async move { drop(poll_times(1, Box::pin(spread(8, Arc::new(Event::new()), in_run))).await) });
    assert_eq!(runs.count(), 32);
}

/// C11, F3: A scope that is dropped while it waits for what its panicked body left hands the panic to the hook.
pub async fn a_panic_that_nobody_is_left_to_resume_goes_to_the_hook() {
    let (runtime, heard) = hooked();
    let release = Arc::new(Event::new());
    let dropped = CancelScope::new().run(async {
        let held = release.clone();
        let panicking = CancelScope::new().run(async {
            let group = task_group(async |tg| {
                tg.spawn(async move { shield(held.wait()).await });
                pending::<()>().await;
            });
            drop(poll_times(1, Box::pin(group)).await);
            panic!("unheard");
        });
        drop(poll_times(1, Box::pin(panicking)).await.expect_err("it waits"));
        release.set();
    });
    assert_eq!(enter(runtime, dropped).await, Ok(()));
    let unheard = |outcome: &Unhandled| matches!(outcome, Unhandled::Panicked { message, .. } if message == "unheard");
    assert_eq!(heard.count(unheard), 1, "{:?}", heard.texts());
}

/// C12: A group belongs to where it is first polled, not to where it was built: a timeout around it covers its tasks.
pub async fn a_timeout_covers_the_tasks_of_the_group_it_is_given() {
    let drops = Drops::new();
    let token = drops.token();
    let group = task_group(async |tg| {
        tg.spawn(async move {
            let _token = token;
            sleep_forever().await;
        });
        sleep_forever().await;
    });
    assert!(timeout(SHORT, group).await.is_err());
    assert_eq!(drops.count(), 1);
}

/// C12: A scope that was built in one scope and first polled in another belongs to the other alone.
pub async fn a_scope_belongs_to_where_it_is_first_polled() {
    let (runtime, heard) = hooked();
    enter(runtime, async {
        let built_in = CancelScope::new();
        let handle = built_in.handle();
        let built = built_in.run(async {
            handle.cancel_with("where it was built");
            [(); 2].map(|()| CancelScope::new().run(turns(3)))
        });
        let [alone, inside] = built.await.expect("the value wins");
        assert_eq!(alone.await, Ok(()));
        assert!(was_outer(&cancelled_before(inside).await));
    })
    .await;
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// C12: Once linked a scope never moves: another one that polls it by reference cannot cancel it, its own can.
pub async fn a_scope_never_moves() {
    let (runtime, heard) = hooked();
    let home = CancelScope::new();
    let handle = home.handle();
    let outcome = enter(
        runtime,
        home.run(async {
            let seen = Cell::new(false);
            let body = async {
                turns(5).await;
                seen.set(is_cancelled());
                sleep_forever().await;
            };
            let mut scope = Box::pin(CancelScope::new().run(body));
            assert!(futures::poll!(&mut scope).is_pending());
            for _ in 0..10 {
                assert!(was_outer(&cancelled_before(&mut scope).await));
            }
            assert!(!seen.get());
            handle.cancel_with("home");
            scope.await
        }),
    );
    assert!(outcome.await.is_err_and(|reason| says(&reason, "home")));
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// C12: A bound future belongs to where it was bound, though it is polled by reference elsewhere.
pub async fn a_bound_future_is_not_cut_short_by_those_who_poll_it() {
    let (runtime, heard) = hooked();
    let (release, value) = (Arc::new(Event::new()), 5);
    let group = task_group(async |tg| {
        let (released, task) = (release.clone(), async move { value });
        tg.spawn(async move { released.wait().await });
        tg.spawn(task).value().await
    });
    let outcome = enter(runtime, async {
        let mut group = pin!(group.bind());
        for _ in 0..3 {
            assert!(group.as_mut().timeout(SHORT).await.is_err());
        }
        release.set();
        group.await
    });
    assert_eq!(outcome.await, Ok(5));
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// C12: A group kept in a stream, bound in a scope, is covered by that scope and by none that looks at the stream.
pub async fn a_bound_group_in_a_stream_belongs_to_its_scope() {
    let (scope, drops) = (CancelScope::new(), Drops::new());
    let handle = scope.handle();
    let outcome = scope.run(async {
        let mut groups = FuturesUnordered::new();
        for token in [(); 3].map(|()| drops.token()) {
            let group = task_group(async |tg| {
                tg.spawn(async move {
                    let _token = token;
                    sleep_forever().await;
                });
            });
            groups.push(group.bind());
        }
        for _ in 0..3 {
            assert!(groups.next().timeout(SHORT).await.is_err());
        }
        assert_eq!(drops.count(), 0);
        handle.cancel();
        while groups.next().await.is_some() {}
        sleep_forever().await;
    });
    assert!(outcome.await.is_err());
    assert_eq!(drops.count(), 3);
}

/// C12: A barrier that finds a live unit below it that it cannot drop tells the hook, once.
pub async fn polling_by_reference_is_told() {
    let (runtime, heard) = hooked();
    let polled = async {
        let mut scope = Box::pin(CancelScope::new().run(pending::<()>()));
        assert!((&mut scope).timeout(SHORT).await.is_err());
        let escaped = CancelScope::new().run(async {
            let mut shield = Box::pin(shield(pending::<()>()));
            assert!(futures::poll!(&mut shield).is_pending());
            Some(shield)
        });
        drop(escaped.await.expect("it is a value"));
    };
    enter(runtime, polled).await;
    let told = |outcome: &Unhandled| matches!(outcome, Unhandled::PolledByReference);
    assert_eq!((heard.count(told), heard.texts().len()), (2, 2), "{:?}", heard.texts());
}

/// C12, C11: The tasks of a group that was first polled by reference in a timeout end with that timeout.
pub async fn the_tasks_of_a_group_polled_by_reference_end_with_its_scope() {
    let (runtime, heard) = hooked();
    let drops = Drops::new();
    let token = drops.token();
    let mut group = Box::pin(task_group(async |tg| {
        tg.spawn(async move {
            let _token = token;
            sleep_forever().await;
        });
    }));
    let ended = enter(runtime, async { (&mut group).timeout(SHORT).await.is_err() });
    assert!(ended.await);
    assert_eq!(drops.count(), 1);
    assert_eq!(heard.texts().len(), 1, "{:?}", heard.texts());
}

/// Some of everything, which counts what was dropped.
async fn everything(made: &Cell<usize>, drops: &Drops) {
    let token = || {
        made.set(made.get() + 1);
        drops.token()
    };
    let work = |token, steps| async move {
        let _token = token;
        turns(steps).await;
    };
    let _token = token();
    let group = task_group(async |tg| {
        let task = tg.spawn(work(token(), 2));
        tg.spawn(task_group(async move |tg| drop(tg.spawn(sleep(Duration::ZERO)))));
        shield(work(token(), 2)).await;
        let (value, kept) = (token(), token());
        let start = tg.start(async move |started| drop((started.started(value), work(kept, 2).await)));
        drop(start.await);
        let _ = timeout(LONG, CancelScope::new().run(work(token(), 2))).await;
        drop(task.await);
    });
    drop(group.await);
    drop(finally_detached(work(token(), 2), work(token(), 2)).await);
    protect(work(token(), 2)).await;
}

/// C11, F1: Dropped after any number of polls, a future leaves nothing behind when the scope around is over.
pub async fn a_future_can_be_dropped_after_any_number_of_polls() {
    for polls in 0.. {
        let (made, drops, mut completed) = (Cell::new(0), Drops::new(), false);
        let dropped = CancelScope::new().run(async {
            completed = poll_times(polls, Box::pin(everything(&made, &drops))).await.is_ok();
        });
        assert_eq!(dropped.await, Ok(()));
        until(|| drops.count() == made.get()).await;
        if completed {
            return;
        }
    }
}

/// C11, C2: Cancelled after any number of turns, it leaves nothing behind either.
pub async fn a_future_can_be_cancelled_after_any_number_of_turns() {
    for count in 0.. {
        let (made, drops, scope) = (Cell::new(0), Drops::new(), CancelScope::new());
        let handle = scope.handle();
        let request = async {
            turns(count).await;
            handle.cancel();
        };
        let outcome = join(scope.run(everything(&made, &drops)), request).await.0;
        until(|| drops.count() == made.get()).await;
        if outcome.is_ok() {
            return;
        }
    }
}

/// C12, C1: A scope that moves to another task half-way is cancelled there.
pub async fn a_scope_that_moves_to_another_task_is_cancelled_there() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut running = Box::pin(scope.run(CancelScope::new().run(sleep_forever())));
    assert!(futures::poll!(&mut running).is_pending());
    let group = task_group(async |tg| {
        let (polled, is_polled) = oneshot::channel();
        let task = tg.spawn(async move {
            assert!(futures::poll!(&mut running).is_pending());
            polled.send(()).expect("it is waited for");
            running.await
        });
        is_polled.await.expect("it is polled");
        handle.cancel_with("moved");
        task.await.expect("it has a value")
    });
    assert!(group.await.is_ok_and(|outcome| outcome.is_err_and(|reason| says(&reason, "moved"))));
}

/// C12, G1: A group that moves to another task, and to a thread, is drained there.
pub async fn a_group_that_moves_half_way_is_drained_there() {
    let release = Arc::new(Event::new());
    let released = release.clone();
    let mut group: Sent<_> = Box::pin(task_group(async move |tg| {
        let task = tg.spawn(async move { released.wait().await });
        task.await.is_ok()
    }));
    assert!(futures::poll!(&mut group).is_pending());
    let (done, is_done) = oneshot::channel();
    let outer = task_group(async |tg| {
        tg.spawn(async move {
            assert!(futures::poll!(&mut group).is_pending());
            on_thread(move || done.send(block_on(group)));
        });
    });
    assert_eq!(outer.await, Ok(()));
    release.set();
    assert_eq!(is_done.await, Ok(Ok(true)));
}

/// Enters a scope when it is dropped.
struct ScopeOnDrop(Rc<Cell<Option<Result<(), Cancelled>>>>);

impl Drop for ScopeOnDrop {
    fn drop(&mut self) {
        self.0.set(Some(block_on(CancelScope::new().run(checkpoint()))));
    }
}

/// C12, C8: A scope that was never polled stands nowhere: destructors inside belong to what is around.
pub async fn a_scope_that_was_never_polled_stands_nowhere() {
    let seen = Rc::new(Cell::new(None));
    let guard = ScopeOnDrop(seen.clone());
    let unpolled = CancelScope::new().run(async move { drop(guard) });
    unpolled_dropped(unpolled);
    assert_eq!(seen.take(), Some(Ok(())));
    let guard = ScopeOnDrop(seen.clone());
    let unpolled = CancelScope::new().run(async move { drop(guard) });
    assert_eq!(cancelled_before(async { unpolled_dropped(unpolled) }).await, Ok(()));
    assert!(seen.take().is_some_and(|outcome| was_outer(&outcome)));
}

fn unpolled_dropped<T>(future: T) {
    drop(future);
}

/// C1, S6: No request is lost in a storm of requests and shields from other threads.
pub async fn no_request_is_lost_in_a_storm() {
    for round in 0..100 {
        let scopes = [(); 6].map(|()| CancelScope::new());
        let handles = [0, 1, 2, 3, 4, 5].map(|at| scopes[at].handle());
        let storm = on_thread({
            let handles = handles.clone();
            move || {
                for step in 0..30 {
                    handles[(step * 7 + round) % 6].set_shield((step + round) % 3 == 0);
                }
                handles[round % 3].cancel_with("storm");
                handles.iter().for_each(|handle| handle.set_shield(false));
                handles[0].cancel_with("storm");
            }
        });
        let body: Local<'_, ()> = Box::pin(sleep_forever());
        let nested = scopes
            .into_iter()
            .rev()
            .fold(body, |body, scope| Box::pin(async move { drop(join(scope.run(body), pending::<()>()).await) }));
        select(nested, pin!(until(|| handles[0].cancel_requested()))).await;
        storm.join().expect("it does not panic");
    }
}

/// C1, C4: A cancelled scope is polled again if a group inside, which has ended, lets go of it on another thread while the
/// scope is in its first poll, or is polled with another waker than before.
pub async fn a_scope_that_is_let_go_of_during_a_poll_is_polled_again() {
    for polls_before in [0, 1] {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let mut held = Box::pin(scope.run(async {
            for _ in 0..polls_before {
                pending_once().await;
            }
            handle.cancel();
            let mut group = LetGo::start();
            group.end();
            pending::<()>().await;
        }));
        for _ in 0..polls_before {
            assert!(Wakes::new().poll(&mut held).is_pending());
        }
        assert!(held.await.is_err());
    }
}

/// Is pending once, without a wake.
async fn pending_once() {
    let mut polled = false;
    poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// A group whose only task ends on another thread.
struct LetGo {
    group: Local<'static, ()>,
    waker: Arc<Blocks>,
    woken: mpsc::Receiver<()>,
    go: mpsc::Sender<()>,
    thread: Option<thread::JoinHandle<()>>,
}

impl LetGo {
    fn start() -> Self {
        let (sender, receiver) = mpsc::channel();
        let mut group: Local<'static, ()> = Box::pin(async move {
            let group = task_group(async |tg| drop(sender.send(Box::pin(tg.attach(async {})))));
            assert!(group.await.is_ok());
        });
        let (tells, woken) = mpsc::channel();
        let (go, goes) = mpsc::channel();
        let waker = Arc::new(Blocks { tells, goes: Mutex::new(goes), home: thread::current().id() });
        assert!(group.as_mut().poll(&mut Context::from_waker(&Waker::from(waker.clone()))).is_pending());
        let task = receiver.recv().expect("the body of the group has run");
        let thread = Some(on_thread(move || drop(block_on(task))));
        LetGo { group, waker, woken, go, thread }
    }

    /// The group returns while the other thread, which has woken it, has not let go of what is around yet.
    fn end(&mut self) {
        self.woken.recv().expect("the group is woken");
        let waker = Waker::from(self.waker.clone());
        assert!(self.group.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        self.go.send(()).expect("the waker waits");
        self.thread.take().expect("it ends once").join().expect("the task ends");
    }
}

/// A waker that does not return, on other threads, until it may.
struct Blocks {
    tells: mpsc::Sender<()>,
    goes: Mutex<mpsc::Receiver<()>>,
    home: thread::ThreadId,
}

impl Wake for Blocks {
    fn wake(self: Arc<Self>) {
        if thread::current().id() != self.home {
            let _ = self.tells.send(());
            let _ = self.goes.lock().recv_timeout(LONG);
        }
    }
}
