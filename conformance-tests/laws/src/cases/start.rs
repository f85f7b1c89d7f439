//! Cases of the laws R: the start handshake.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, Ready, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

use anyio::{
    CancelScope, Event, GroupBuilder, StartError, Started, TaskGroup, TaskInfo, Unhandled, checkpoint, enter, shield,
    sleep, sleep_forever, task_group, timeout, try_task_group,
};
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::join;
use parking_lot::Mutex;

use crate::fixture::{Dropped, Drops, SHORT, caught, hooked, poll_times};
use crate::steps::{Sent, after, gate, on_thread, outside, panics, pass, says, turns, until};

/// An error.
#[derive(Debug, PartialEq)]
struct Oops;

/// Keeps `token` for ever.
async fn keep<T>(token: T) {
    sleep_forever().await;
    drop(token);
}

/// Runs `body` to its end, in a scope that is cancelled as "outer" by the handle that it gets, and that is held until the
/// end, so that what the body makes of the cancellation can be seen.
async fn held<T, F: Future<Output = T>>(body: impl FnOnce(anyio::CancelHandle) -> F) -> T {
    let (scope, (ended, ends), seen) = (CancelScope::new(), gate(), RefCell::new(None));
    let handle = scope.handle();
    let body = async {
        *seen.borrow_mut() = Some(body(handle).await);
        ends.set();
    };
    scope.run(join(body, pass(ended))).await.unwrap();
    seen.take().unwrap()
}

/// R1: `start` returns the value that the task passes to `started`, and the task goes on in the group.
pub async fn start_returns_the_value_and_the_task_goes_on() {
    let went_on = Arc::new(AtomicBool::new(false));
    let outcome = task_group(async |tg| {
        let (may_end, opens) = gate();
        let goes_on = went_on.clone();
        let value = tg.start(async move |started| {
            turns(3).await;
            started.started("value").unwrap();
            may_end.wait().await;
            goes_on.store(true, Ordering::SeqCst);
        });
        let value = value.await.unwrap();
        assert!(!went_on.load(Ordering::SeqCst));
        opens.set();
        value
    });
    assert_eq!(outcome.await, Ok("value"));
    assert!(went_on.load(Ordering::SeqCst));
}

/// R1: The token may be used before the first poll, in the first poll, in another task and on a thread.
pub async fn the_token_may_be_used_anywhere() {
    let outcome = task_group(async |tg| {
        let at_once = tg.start(|started| {
            started.started(1).unwrap();
            turns(2)
        });
        let in_first_poll = tg.start(async move |started| started.started(2).unwrap());
        let (siblings, (sibling_done, done)) = (tg.clone(), gate());
        let in_sibling = tg.start(async move |started| {
            siblings.spawn(async move {
                started.started(4).unwrap();
                done.set();
            });
            sibling_done.wait().await;
        });
        let (may_end, opens) = gate();
        let on_thread = tg.start(async move |started| {
            on_thread(move || {
                started.started(8).unwrap();
                opens.set();
            });
            may_end.wait().await;
        });
        at_once.await.unwrap() + in_first_poll.await.unwrap() + in_sibling.await.unwrap() + on_thread.await.unwrap()
    });
    assert_eq!(outcome.await, Ok(15));
}

/// R1: A task whose token is used elsewhere may end before: that is not to have started, and the value comes back.
pub async fn a_token_that_outlives_its_task_gives_the_value_back() {
    let outcome = task_group(async |tg| {
        let (send, token) = oneshot::channel::<Started<&str>>();
        let start = tg.start(async move |started| send.send(started).unwrap());
        assert!(matches!(start.await, Err(StartError::NotStarted)));
        token.await.unwrap().started("late")
    });
    assert_eq!(outcome.await, Ok(Err("late")));
}

/// R1, R3: A token dropped unused: the task is cancelled and awaited, and `start` says that it did not start.
pub async fn a_token_dropped_unused_cancels_the_task() {
    let (drops, cleaned) = (Drops::new(), Arc::new(AtomicBool::new(false)));
    let outcome = task_group(async |tg| {
        let (token, cleans) = (drops.token(), cleaned.clone());
        let start = tg.start(async move |started: Started<(), _>| {
            let _token = token;
            drop(started);
            shield(turns(10)).await;
            cleans.store(true, Ordering::SeqCst);
            sleep_forever().await;
        });
        assert!(matches!(start.await, Err(StartError::NotStarted)));
        assert_eq!((drops.count(), cleaned.load(Ordering::SeqCst)), (1, true));
        assert!(!tg.scope().cancel_requested());
        "went on"
    });
    assert_eq!(outcome.await, Ok("went on"));
}

/// R1: A token dropped before there is a task to cancel counts as well, also when the task goes on without suspending.
pub async fn a_token_dropped_early_cancels_the_task() {
    let outcome = try_task_group(async |tg| {
        let early = tg.start(|started: Started<(), _>| {
            drop(started);
            after(sleep_forever(), Ok(()))
        });
        assert!(matches!(early.await, Err(StartError::NotStarted)));
        let fails = tg.start(async move |started: Started<(), _>| {
            drop(started);
            Err(Oops)
        });
        assert!(matches!(fails.await, Err(StartError::Failed(Oops))));
        Ok("went on")
    });
    assert_eq!(outcome.await.unwrap(), "went on");
}

/// R1, R3: A token that is forgotten: `start` waits for the task, which is not cancelled, and can itself be cancelled.
pub async fn a_forgotten_token_leaves_start_waiting() {
    let outcome = task_group(async |tg| {
        let ends = tg.start(async move |started: Started<(), _>| {
            std::mem::forget(started);
            turns(10).await;
        });
        assert!(matches!(ends.await, Err(StartError::NotStarted)));
        let drops = Drops::new();
        let token = drops.token();
        let never_ends = tg.start(async move |started: Started<(), _>| {
            std::mem::forget(started);
            keep(token).await;
        });
        assert!(timeout(SHORT, never_ends).await.is_err());
        drops.count()
    });
    assert_eq!(outcome.await, Ok(1));
}

/// R1, R3: `started` gives the value back once the caller is cancelled; the task is cancelled too.
pub async fn started_gives_the_value_back_in_a_cancelled_caller() {
    let outcome = task_group(async |tg| {
        let (send, given_back) = oneshot::channel();
        let (may_start, opens) = gate();
        let scope = CancelScope::new();
        let handle = scope.handle();
        let start = tg.start(async move |started| {
            pass(may_start).await;
            send.send(started.started("value")).unwrap();
            sleep_forever().await;
        });
        let cancel = async {
            turns(3).await;
            handle.cancel_with("caller");
            opens.set();
        };
        let (outcome, ()) = join(scope.run(start), cancel).await;
        assert!(says(&outcome.unwrap_err(), "caller"));
        given_back.await.unwrap()
    });
    assert_eq!(outcome.await, Ok(Err("value")));
}

/// R1, R4: `started` gives the value back once `start` was dropped; the task is cancelled, the group is not.
pub async fn started_gives_the_value_back_when_start_was_dropped() {
    let outcome = task_group(async |tg| {
        let (send, given_back) = oneshot::channel();
        let (may_start, opens) = gate();
        let start = tg.start(async move |started| {
            pass(may_start).await;
            send.send(started.started("value")).unwrap();
            sleep_forever().await;
        });
        drop(poll_times(1, Box::pin(start)).await.err().unwrap());
        opens.set();
        given_back.await.unwrap()
    });
    assert_eq!(outcome.await, Ok(Err("value")));
}

/// R1: Starts nest: a task may start others before it says that it has started itself.
pub async fn starts_nest() {
    fn level(tg: TaskGroup, depth: u32, started: Started<u32>) -> Sent<()> {
        Box::pin(async move {
            let siblings = tg.clone();
            let below = tg.start(move |started| level(siblings, depth - 1, started));
            let below = if depth == 0 { 0 } else { below.await.unwrap() };
            started.started(below + 1).unwrap();
            turns(2).await;
        })
    }
    let outcome = task_group(async |tg| {
        let siblings = tg.clone();
        tg.start(|started| level(siblings, 50, started)).await.unwrap()
    });
    assert_eq!(outcome.await, Ok(51));
}

/// R1: A start may be awaited on a thread that knows no runtime; what its task does it does in the group's.
pub async fn start_works_outside_the_runtime() {
    let name = anyio::Runtime::current().unwrap().name();
    let outcome = task_group(async |tg| {
        let start = tg.start(async |started| {
            sleep(SHORT).await;
            started.started(anyio::Runtime::current().unwrap().name()).unwrap();
        });
        let (send, receive) = oneshot::channel();
        on_thread(move || send.send(block_on(start).unwrap()));
        receive.await.unwrap()
    });
    assert_eq!(outcome.await, Ok(name));
}

/// R1, G6: In a group that has closed nothing is started; the task is dropped unpolled.
pub async fn start_in_a_closed_group_says_so() {
    let ((runtime, heard), drops) = (hooked(), Drops::new());
    let late = async {
        let closed = task_group(async |tg| tg).await.unwrap();
        let token = drops.token();
        let start = closed.start(async move |_: Started<(), _>| drop(token));
        assert!(matches!(start.await, Err(StartError::Closed)));
    };
    enter(runtime, late).await;
    assert_eq!((drops.count(), heard.is_empty()), (1, true));
}

/// R1, C6: In a cancelled scope nothing is started: the task is not even made.
pub async fn start_in_a_cancelled_scope_does_nothing() {
    let outcome = task_group(async |tg| {
        let (scope, made) = (CancelScope::new(), Cell::new(false));
        scope.handle().cancel_with("caller");
        let start = tg.start(|_: Started<(), _>| {
            made.set(true);
            ready(())
        });
        assert!(says(&scope.run(start).await.unwrap_err(), "caller"));
        made.get()
    });
    assert_eq!(outcome.await, Ok(false));
}

/// R1, G7: In a cancelled, still open group a task gets one poll, in which it may start.
pub async fn start_in_a_cancelled_group_gets_one_poll() {
    let (send, receive) = oneshot::channel();
    let group = task_group(async |tg| {
        tg.scope().cancel_with("all");
        let (_, held) = gate();
        send.send((tg.clone(), held.clone())).ok().unwrap();
        pass(held).await;
    });
    let outside = async {
        let (tg, held) = receive.await.unwrap();
        let starts = tg.start(async |started| started.started("value").unwrap());
        assert_eq!(starts.await.unwrap(), "value");
        let suspends = tg.start(async |started| after(turns(1), started).await.started(()).unwrap());
        let Err(StartError::Cancelled(cancelled)) = suspends.await else { panic!("it was not cancelled") };
        assert!(says(&cancelled, "all"));
        held.set();
    };
    assert_eq!(join(group, outside).await.0, Ok(()));
}

/// R2: An error before `started` comes out of `start` alone; the group is untouched.
pub async fn an_error_before_started_is_the_callers() {
    let outcome = try_task_group(async |tg| {
        let sibling = tg.spawn(after(turns(20), Ok("sibling")));
        let start = tg.start(async |_started: Started<(), _>| after(turns(3), Err(Oops)).await);
        assert!(matches!(start.await, Err(StartError::Failed(Oops))));
        assert!(!tg.scope().cancel_requested());
        Ok(sibling.value().await)
    });
    assert_eq!(outcome.await.unwrap(), "sibling");
}

/// R2: A panic before `started` is resumed in the caller, also where panics are errors; the group is untouched.
pub async fn a_panic_before_started_is_the_callers() {
    let outcome = GroupBuilder::new().panics_are_errors().run(async |tg| {
        let in_task = tg.start(async |_started: Started<(), _>| panics::<Result<(), Oops>>("in the task").await);
        assert_eq!(caught(in_task).await.unwrap_err(), "in the task");
        let in_closure = tg.start(|_: Started<(), _>| -> Ready<Result<(), Oops>> { panic!("in the closure") });
        assert_eq!(caught(in_closure).await.unwrap_err(), "in the closure");
        assert!(!tg.scope().cancel_requested());
        Ok("went on")
    });
    assert_eq!(outcome.await.unwrap(), "went on");
}

/// R2: An error and a panic after `started` are the group's.
pub async fn what_fails_after_started_is_the_groups() {
    let failed = try_task_group(async |tg| {
        let start = tg.start(async |started| {
            started.started(()).unwrap();
            Err(Oops)
        });
        start.await.unwrap();
        sleep_forever().await;
        Ok(())
    });
    assert!(failed.await.unwrap_err().errors().eq([&Oops]));
    let panicked = task_group(async |tg| {
        let start = tg.start(async |started| {
            started.started(()).unwrap();
            panics("late").await
        });
        start.await.unwrap();
        sleep_forever().await;
    });
    assert_eq!(caught(panicked).await.unwrap_err(), "late");
}

/// R2, R4: What fails before `started`, when `start` is gone, goes to the hook, with the task; the group is untouched.
pub async fn what_fails_when_start_is_gone_goes_to_the_hook() {
    let (runtime, heard) = hooked();
    let mut line = 0;
    let outcome = enter(
        runtime,
        try_task_group(async |tg| {
            for panicking in [false, true] {
                let (may_fail, opens) = gate();
                line = line!() + 1;
                let start = tg.start(async move |_started: Started<(), _>| {
                    pass(may_fail).await;
                    if panicking { panics("late").await } else { Err(Oops) }
                });
                drop(poll_times(1, Box::pin(start)).await.err().unwrap());
                opens.set();
            }
            Ok("value")
        }),
    );
    assert_eq!(outcome.await.unwrap(), "value");
    let here = format!("(spawned at {}:{line}:", file!());
    let texts = heard.texts();
    assert!(texts.len() == 2 && texts.iter().all(|text| text.contains(&here)), "{texts:?}");
    let failed = |outcome: &_| matches!(outcome, Unhandled::Failed { error, .. } if error.is::<Oops>());
    assert_eq!(heard.count(failed), 1);
}

/// R2: The same if the task had ended, and `start` was not polled any more to see how.
pub async fn what_start_was_not_polled_to_see_goes_to_the_hook() {
    let (runtime, heard) = hooked();
    let group = try_task_group(async |tg| {
        let (drops, (may_fail, opens)) = (Drops::new(), gate());
        let token = drops.token();
        let start = tg.start(async move |_started: Started<(), _>| {
            let _token = token;
            after(pass(may_fail), Err(Oops)).await
        });
        let start = poll_times(1, Box::pin(start)).await.err().unwrap();
        opens.set();
        until(|| drops.count() == 1).await;
        on_thread(|| drop(start)).join().unwrap();
        Ok("value")
    });
    assert_eq!(enter(runtime, group).await.unwrap(), "value");
    let told = |outcome: &_| {
        let here = |task: &TaskInfo| task.location().file() == file!();
        matches!(outcome, Unhandled::Failed { task: Some(task), .. } if here(task))
    };
    assert_eq!((heard.count(told), heard.texts().len()), (1, 1));
}

/// R3, C4: The caller's scope cancels the task, and waits for it: its clean-up has run when the scope ends; the caller is
/// dropped there and sees no error. Hundreds of times, as the end of the task and the scope's polls may fall together.
pub async fn the_callers_scope_cancels_the_task_and_waits() {
    let outcome = task_group(async |tg| {
        for round in 0..500 {
            let (scope, alive) = (CancelScope::new(), Arc::new(()));
            let (handle, token) = (scope.handle(), alive.clone());
            let start = tg.start(async move |_started: Started<(), _>| {
                handle.cancel_with("caller");
                shield(turns(round % 20)).await;
                keep(token).await;
            });
            let body = async {
                let _ = start.await;
                panic!("it goes on in round {round}");
            };
            assert!(says(&scope.run(body).await.unwrap_err(), "caller"));
            assert_eq!(Arc::strong_count(&alive), 1);
        }
        tg.scope().cancel_requested()
    });
    assert_eq!(outcome.await, Ok(false));
}

/// R3: So does a deadline of the caller's.
pub async fn the_callers_deadline_cancels_the_task_and_waits() {
    let drops = Drops::new();
    let outcome = task_group(async |tg| {
        let token = drops.token();
        let start = tg.start(async move |_started: Started<(), _>| keep(token).await);
        assert!(timeout(SHORT, start).await.is_err());
        drops.count()
    });
    assert_eq!(outcome.await, Ok(1));
}

/// R3: The task is cancelled although its `start` is not being polled, and the scope around is not held for ever.
pub async fn the_task_is_cancelled_although_start_is_not_polled() {
    let drops = Drops::new();
    let outcome = task_group(async |tg| {
        let scope = CancelScope::new();
        let (handle, token) = (scope.handle(), drops.token());
        let snoozing = scope.run(async {
            let start = tg.start(async move |_started: Started<(), _>| keep(token).await);
            let _snoozed = poll_times(1, Box::pin(start)).await.err().unwrap();
            handle.cancel_with("caller");
            poll_fn(|_| Poll::<()>::Pending).await;
        });
        assert!(says(&snoozing.await.unwrap_err(), "caller"));
        drops.count()
    });
    assert_eq!(outcome.await, Ok(1));
}

/// R3: The task is cancelled with its group, and `start` says why.
pub async fn the_group_cancels_the_task_and_start_says_why() {
    let (send, receive) = oneshot::channel();
    let group = task_group(async |tg| {
        send.send(tg.clone()).unwrap();
        sleep_forever().await;
    });
    let outside = async {
        let tg = receive.await.unwrap();
        let scope = tg.scope();
        let start = tg.start(async move |_started: Started<(), _>| {
            scope.cancel_with("all");
            sleep_forever().await;
        });
        let Err(StartError::Cancelled(cancelled)) = start.await else { panic!("it was not cancelled") };
        assert!(says(&cancelled, "all"));
    };
    let (outcome, ()) = join(group, outside).await;
    assert!(says(&outcome.unwrap_err(), "all"));
}

/// R3: Ending without `started` is an error, but a cancellation of the caller wins over it: also over a lost token, and
/// when it comes while the task is being awaited.
pub async fn cancelled_wins_over_not_started() {
    for (lost, at_once) in [(false, true), (true, true), (true, false)] {
        let outcome = task_group(async |tg| {
            let ((polled, polls), (may_end, opens)) = (gate(), gate());
            let task = async move |started: Started<(), _>| {
                let _kept = (!lost).then_some(started);
                polls.set();
                pass(may_end).await;
            };
            let start = held(async |scope| {
                let cancel = async {
                    if !at_once {
                        polled.wait().await;
                    }
                    scope.cancel_with("caller");
                    opens.set();
                };
                join(tg.start(task), cancel).await.0
            });
            let Err(StartError::Cancelled(cancelled)) = start.await else { panic!("lost: {lost}, at once: {at_once}") };
            assert!(says(&cancelled, "caller"));
        });
        assert_eq!(outcome.await, Ok(()));
    }
}

/// R3: `start` waits until its task is gone, with what foreign code has orphaned below it, and so does the scope around
/// the caller, although that is cancelled; the error is not lost.
pub async fn start_waits_until_its_task_is_gone() {
    let alive = Arc::new(());
    let outcome = try_task_group(async |tg| {
        let (scope, token) = (CancelScope::new(), alive.clone());
        let (handle, seen) = (scope.handle(), Cell::new(0));
        let start = tg.start(async move |_started: Started<(), _>| {
            let inner = task_group(async move |tg| {
                tg.spawn(shield(after(turns(20), token)));
                sleep_forever().await;
            });
            drop(poll_times(1, Box::pin(inner)).await);
            handle.cancel();
            Err(Oops)
        });
        let body = async {
            assert!(matches!(start.await, Err(StartError::Failed(Oops))));
            seen.set(Arc::strong_count(&alive));
            sleep_forever().await;
        };
        assert!(scope.run(body).await.is_err());
        Ok(seen.get())
    });
    assert_eq!(outcome.await.unwrap(), 1);
}

/// R3, C7: What was committed before the cancellation is returned: a value passed to `started` is not lost, though both
/// come in the midst of a poll of the caller.
pub async fn a_value_committed_before_the_cancellation_is_returned() {
    let outcome = task_group(async |tg| {
        let scope = CancelScope::new();
        let (handle, token, got) = (scope.handle(), RefCell::new(None), Cell::new(None));
        let (end, ends) = gate();
        let start = tg.start(|started| {
            *token.borrow_mut() = Some(started);
            pass(end)
        });
        let starting = async {
            got.set(Some(start.await.unwrap()));
            sleep_forever().await;
        };
        let meddling = poll_fn(|_| {
            if let Some(started) = token.take() {
                started.started("value").unwrap();
                handle.cancel();
            }
            Poll::<()>::Pending
        });
        assert!(scope.run(join(starting, meddling)).await.is_err());
        ends.set();
        got.take()
    });
    assert_eq!(outcome.await, Ok(Some("value")));
}

/// R4: A `start` that is dropped before `started` cancels that task alone; the group waits for it.
pub async fn dropping_start_cancels_the_task() {
    let drops = Drops::new();
    let outcome = task_group(async |tg| {
        let sibling = tg.spawn(turns(20));
        let token = drops.token();
        let start = tg.start(async move |_started: Started<(), _>| {
            shield(turns(10)).await;
            keep(token).await;
        });
        drop(poll_times(1, Box::pin(start)).await.err().unwrap());
        sibling.value().await;
        "value"
    });
    assert_eq!(outcome.await, Ok("value"));
    assert_eq!(drops.count(), 1);
}

/// R4: A `start` that is dropped after `started` leaves the task alone; the value that it did not return is dropped with
/// it.
pub async fn dropping_start_after_started_leaves_the_task() {
    let (drops, ended) = (Drops::new(), Arc::new(AtomicBool::new(false)));
    let outcome = task_group(async |tg| {
        let ((may_start, goes), (may_end, opens), (has_started, starts)) = (gate(), gate(), gate());
        let (value, ends) = (drops.token(), ended.clone());
        let start = tg.start(async move |started| {
            may_start.wait().await;
            started.started(value).unwrap();
            starts.set();
            may_end.wait().await;
            ends.store(true, Ordering::SeqCst);
        });
        let start = poll_times(1, Box::pin(start)).await.err().unwrap();
        goes.set();
        has_started.wait().await;
        assert_eq!(drops.count(), 0);
        drop(start);
        assert_eq!(drops.count(), 1);
        opens.set();
    });
    assert_eq!((outcome.await, ended.load(Ordering::SeqCst)), (Ok(()), true));
}

/// Does `one` on a thread and `other` here, at the same time or nearly so.
fn race<T: Send>(round: usize, one: impl FnOnce() -> T + Send, other: impl FnOnce()) -> T {
    let _outside = outside();
    let arrived = AtomicUsize::new(0);
    let meet = |delay: usize| {
        arrived.fetch_add(1, Ordering::SeqCst);
        while arrived.load(Ordering::SeqCst) < 2 {
            thread::yield_now();
        }
        (0..delay * 50).for_each(|_| std::hint::spin_loop());
    };
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            meet(round % 5);
            one()
        });
        meet(round / 5 % 5);
        other();
        one.join().unwrap()
    })
}

/// A task to be started that can be watched.
struct Watched {
    /// The token, as soon as `start` was polled.
    token: Arc<Mutex<Option<Started<Dropped>>>>,
    /// Lets the task end.
    go: Arc<Event>,
    /// Whether the task ran to its end.
    ran: Arc<AtomicBool>,
    /// Counts what is dropped with the task.
    gone: Drops,
}

impl Watched {
    fn start(tg: &TaskGroup) -> (Self, impl Future<Output = Result<Dropped, StartError<Infallible>>> + use<>) {
        let watched = Watched { token: Arc::default(), go: Arc::default(), ran: Arc::default(), gone: Drops::new() };
        let (token, go, ran, gone) =
            (watched.token.clone(), watched.go.clone(), watched.ran.clone(), watched.gone.token());
        let start = tg.start(move |started| {
            *token.lock() = Some(started);
            async move {
                let _gone = gone;
                go.wait().await;
                turns(1).await;
                ran.store(true, Ordering::SeqCst);
            }
        });
        (watched, start)
    }

    /// Polls the caller until the task was made, and takes the token.
    async fn made<F: Future + Unpin>(&self, mut caller: F) -> (F, Started<Dropped>) {
        loop {
            caller = poll_times(1, caller).await.err().expect("the task waits");
            if let Some(token) = self.token.lock().take() {
                return (caller, token);
            }
            checkpoint().await;
        }
    }

    /// Lets the task go on, and says whether it ran to its end.
    async fn goes_on(&self) -> bool {
        self.go.set();
        until(|| self.gone.count() == 1).await;
        self.ran.load(Ordering::SeqCst)
    }
}

/// R4, R1: `started`, on a thread, races with the drop of `start`: exactly one of the two happens.
pub async fn started_races_with_the_drop_of_start() {
    let values = Drops::new();
    let outcome = task_group(async |tg| {
        for round in 0..300 {
            let (watched, start) = Watched::start(&tg);
            let (start, token) = watched.made(Box::pin(start)).await;
            let value = values.token();
            let accepted = race(round, move || token.started(value).is_ok(), || drop(start));
            assert_eq!(values.count(), round + 1, "the value is dropped once");
            assert_eq!(watched.goes_on().await, accepted, "round {round}");
        }
    });
    assert_eq!(outcome.await, Ok(()));
}

/// R3, R1, C7: `started`, on a thread, races with the cancellation of the caller: either `start` returns the value and
/// the task goes on, or the value comes back and the task is cancelled.
pub async fn started_races_with_the_cancellation_of_the_caller() {
    let values = Drops::new();
    let outcome = task_group(async |tg| {
        for round in 0..300 {
            let (watched, start) = Watched::start(&tg);
            let scope = CancelScope::new();
            let handle = scope.handle();
            let (caller, token) = watched.made(Box::pin(scope.run(start))).await;
            let value = values.token();
            let accepted = race(round, move || token.started(value).is_ok(), || handle.cancel());
            assert_eq!(caller.await.is_ok_and(|started| started.is_ok()), accepted, "round {round}");
            assert_eq!(watched.goes_on().await, accepted, "round {round}");
            assert_eq!(values.count(), round + 1, "the value is dropped once");
        }
    });
    assert_eq!(outcome.await, Ok(()));
}

/// R3, R1, C7: The same while the caller is polled without pause, and the task uses its token itself.
pub async fn started_races_with_the_cancellation_of_a_busy_caller() {
    let outcome = task_group(async |tg| {
        for round in 0..300 {
            let (scope, (tells, told)) = (CancelScope::new(), oneshot::channel());
            let handle = scope.handle();
            let start = tg.start(async move |started| {
                turns(round % 5).await;
                tells.send(started.started("value").is_ok()).unwrap();
                checkpoint().await;
            });
            let cancel = async {
                turns(round / 5 % 5).await;
                handle.cancel();
            };
            let (outcome, ()) = join(scope.run(start), cancel).await;
            // A task that was cut short before it could use its token drops the sender.
            let accepted = told.await.unwrap_or(false);
            assert_eq!(matches!(outcome, Ok(Ok("value"))), accepted, "round {round}");
        }
    });
    assert_eq!(outcome.await, Ok(()));
}

/// R2, R3: A task that fails races with the cancellation of its caller: the error comes out of `start`, or the task was
/// cancelled before; it goes nowhere else.
pub async fn a_failure_races_with_the_cancellation_of_the_caller() {
    let (runtime, heard) = hooked();
    let used = try_task_group(async |tg| {
        for round in 0..300 {
            let (scope, failed) = (CancelScope::new(), Arc::new(AtomicBool::new(false)));
            let (handle, fails) = (scope.handle(), failed.clone());
            let start = tg.start(async move |_started: Started<(), _>| {
                turns(round % 5).await;
                fails.store(true, Ordering::SeqCst);
                Err(Oops)
            });
            let cancel = async {
                turns(round / 5 % 5).await;
                handle.cancel();
            };
            let (outcome, ()) = join(scope.run(start), cancel).await;
            let got = matches!(outcome, Ok(Err(StartError::Failed(Oops))));
            assert_eq!(got, failed.load(Ordering::SeqCst), "round {round}");
        }
        Ok(())
    });
    assert!(enter(runtime, used).await.is_ok());
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// R1, G6: Starts from eight threads race with the end of the group: each has its value, or the group had closed.
pub async fn starting_from_eight_threads_races_with_the_exit() {
    for round in 0..50 {
        let ran = Arc::new(AtomicUsize::new(0));
        let group = task_group(async |tg| {
            let start = |tg: TaskGroup, ran: Arc<AtomicUsize>| {
                let start = async move || {
                    let ran = ran.clone();
                    let task = async move |started: Started<(), _>| {
                        ran.fetch_add(1, Ordering::SeqCst);
                        started.started(()).unwrap();
                    };
                    tg.start(task).await
                };
                move || (0..8).filter(|_| block_on(start()).is_ok()).count()
            };
            let threads: Vec<_> = (0..8).map(|_| on_thread(start(tg.clone(), ran.clone()))).collect();
            turns(round % 16).await;
            threads
        });
        let threads = group.await.unwrap();
        let at_return = ran.load(Ordering::SeqCst);
        let started: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!((at_return, ran.load(Ordering::SeqCst)), (started, started), "round {round}");
    }
}
