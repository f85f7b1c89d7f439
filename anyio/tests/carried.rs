//! Tasks of groups within few tasks of a named runtime: what a case that names none cannot show.

#![cfg(all(feature = "tokio", feature = "smol"))]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn};
use std::mem;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Sharing, Spawn, Task, Timer};

use tokio::runtime::{Builder, Runtime};

/// What is long enough for anything here, so that a hang is a failure and not a test that never ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test in a thread of its own; it has failed if it does not end.
#[track_caller]
fn ends(test: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _sender = sender;
        test();
    });
    match receiver.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload)),
    }
}

fn workers(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).enable_all().build().unwrap()
}

/// Workers that look for work now and then. A worker of tokio's may go to sleep, once in some ten thousand times, as another
/// one puts a task into its queue that the sleeper could take; it is of no help to who has blocked its thread then.
fn attentive_workers(count: usize) -> Runtime {
    let runtime = workers(count);
    runtime.spawn(async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    runtime
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A flag that one task waits for, and anybody may raise.
#[derive(Clone, Default)]
struct Flag(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Flag {
    fn raise(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        let waker = self.0.1.lock().unwrap().take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        *self.0.1.lock().unwrap() = Some(cx.waker().clone());
        if self.0.0.swap(false, Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }

    async fn raised(&self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn is_awaited(&self) -> bool {
        self.0.1.lock().unwrap().is_some()
    }
}

/// Once around the queue, in a way that no runtime knows of.
async fn turn() {
    let mut polled = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn restless() {
    loop {
        turn().await;
    }
}

/// A task blocks its thread until a sibling has had its second turn, which was polled before it by the same carrier.
#[test]
fn one_that_blocks_its_thread_does_not_keep_a_sibling_that_has_yielded() {
    ends(|| {
        attentive_workers(2).block_on(async {
            anyio::task_group(async |tg| {
                let (sender, receiver) = mpsc::channel();
                let ready = Arc::new(AtomicBool::new(false));
                let go = ready.clone();
                tg.spawn(async move {
                    // It yields until its sibling has begun to wait.
                    while !go.load(Ordering::SeqCst) {
                        turn().await;
                    }
                    turn().await;
                    sender.send(()).unwrap();
                });
                tg.spawn(async move {
                    ready.store(true, Ordering::SeqCst);
                    receiver.recv().unwrap();
                });
            })
            .await
            .unwrap();
        });
    });
}

/// A task blocks its thread until all others have ended, those that its carrier has at hand among them.
#[test]
fn one_that_blocks_its_thread_does_not_keep_those_who_are_with_its_carrier() {
    ends(|| {
        attentive_workers(2).block_on(async {
            for _ in 0..50 {
                anyio::task_group(async |tg| {
                    let (sender, receiver) = mpsc::channel();
                    tg.spawn(async move { (0..60).for_each(|_| receiver.recv().unwrap()) });
                    for _ in 0..60 {
                        let sender = sender.clone();
                        tg.spawn(async move { sender.send(()).unwrap() });
                    }
                })
                .await
                .unwrap();
            }
        });
    });
}

/// A task wakes many siblings and blocks its thread until all but one have ended. The one that it has woken last may have
/// to wait, as it would in tokio: when the others were taken from here, this thread alone was to come for it.
async fn one_wakes_others_and_blocks() {
    let group = anyio::task_group(async |tg| {
        let (sender, receiver) = mpsc::channel();
        let flags: Vec<_> = (0..20).map(|_| Flag::default()).collect();
        for flag in flags.clone() {
            let sender = sender.clone();
            tg.spawn(async move {
                flag.raised().await;
                // Nobody may be there for the last one.
                sender.send(()).ok();
            });
        }
        while !flags.iter().all(Flag::is_awaited) {
            turn().await;
        }
        tg.spawn(async move {
            flags.iter().for_each(Flag::raise);
            flags.iter().skip(1).for_each(|_| receiver.recv().unwrap());
        });
    });
    group.await.unwrap();
}

#[test]
fn one_that_blocks_its_thread_does_not_keep_those_whom_it_has_woken() {
    ends(|| {
        attentive_workers(2).block_on(async {
            for _ in 0..50 {
                one_wakes_others_and_blocks().await;
            }
        });
    });
}

#[test]
fn one_that_blocks_one_of_two_threads_does_not_keep_those_whom_it_has_woken() {
    ends(|| {
        let threads = TwoThreads::default();
        threads.start(2);
        threads.drive(async {
            for _ in 0..200 {
                one_wakes_others_and_blocks().await;
            }
        });
    });
}

/// A task wakes a sibling and blocks its thread: whoever is to poll that one may wait in the same thread. Another one goes
/// on all the same, for as many turns as it likes.
#[test]
fn one_that_blocks_its_thread_holds_up_nobody_who_is_woken_elsewhere() {
    ends(|| {
        attentive_workers(2).block_on(async {
            anyio::task_group(async |tg| {
                let (sender, receiver) = mpsc::channel();
                let (first, second) = (Flag::default(), Flag::default());
                let (woken, elsewhere) = (first.clone(), second.clone());
                tg.spawn(async move { first.raised().await });
                tg.spawn(async move {
                    for _ in 0..20 {
                        second.raised().await;
                    }
                    sender.send(()).unwrap();
                });
                let thread = thread::spawn(move || {
                    thread::sleep(Duration::from_millis(50));
                    for _ in 0..20 {
                        while !elsewhere.is_awaited() {
                            thread::sleep(Duration::from_millis(1));
                        }
                        elsewhere.raise();
                        thread::sleep(Duration::from_millis(2));
                    }
                });
                anyio::sleep(Duration::from_millis(20)).await;
                tg.spawn(async move {
                    woken.raise();
                    receiver.recv().unwrap();
                    drop(thread);
                });
            })
            .await
            .unwrap();
        });
    });
}

/// Both threads of the runtime are blocked, and a third task is ready.
#[test]
fn those_who_say_that_they_block_hold_up_nobody() {
    ends(|| {
        attentive_workers(2).block_on(async {
            anyio::task_group(async |tg| {
                let (sender, receiver) = mpsc::channel();
                let receiver = Arc::new(Mutex::new(receiver));
                for _ in 0..2 {
                    let receiver = receiver.clone();
                    tg.spawn(async move {
                        tokio::task::block_in_place(|| receiver.lock().unwrap().recv().unwrap());
                    });
                }
                tg.spawn(async move {
                    for _ in 0..10 {
                        anyio::checkpoint().await;
                    }
                    sender.send(()).unwrap();
                    sender.send(()).unwrap();
                });
            })
            .await
            .unwrap();
        });
    });
}

#[test]
fn two_that_meet_at_a_barrier_of_threads() {
    ends(|| {
        let runtime = attentive_workers(2);
        for _ in 0..200 {
            runtime.block_on(async {
                tokio::spawn(async {
                    anyio::task_group(async |tg| {
                        let barrier = Arc::new(std::sync::Barrier::new(2));
                        for _ in 0..2 {
                            let barrier = barrier.clone();
                            tg.spawn(async move {
                                barrier.wait();
                            });
                        }
                    })
                    .await
                    .unwrap();
                })
                .await
                .unwrap();
            });
        }
    });
}

/// A task that drives futures of its own in a thread that it blocks.
#[test]
fn one_drives_its_siblings_outcome_in_a_blocked_thread() {
    ends(|| {
        attentive_workers(2).block_on(async {
            anyio::task_group(async |tg| {
                for _ in 0..8 {
                    let sibling = tg.spawn(async {
                        anyio::sleep(Duration::from_millis(1)).await;
                        5
                    });
                    tg.spawn(async move {
                        let five = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(sibling));
                        assert_eq!(five.unwrap(), 5);
                    });
                }
            })
            .await
            .unwrap();
        });
    });
}

/// Tasks that never run out of work for tokio's resources: each has a budget, and none has that of another.
fn each_has_its_share(runtime: &Runtime) {
    let turns: Arc<Vec<AtomicUsize>> = Arc::new((0..3).map(|_| AtomicUsize::new(0)).collect());
    let counts = turns.clone();
    runtime.block_on(async move {
        anyio::task_group(async |tg| {
            for index in 0..3 {
                let turns = turns.clone();
                tg.spawn(async move {
                    // Until all have had their turns.
                    while turns.iter().any(|turns| turns.load(Ordering::SeqCst) < 1000) {
                        tokio::task::consume_budget().await;
                        turns[index].fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        })
        .await
        .unwrap();
    });
    assert!(counts.iter().all(|turns| turns.load(Ordering::SeqCst) >= 1000));
}

#[test]
fn what_one_spends_of_the_runtimes_budget_is_not_anothers_in_one_thread() {
    ends(|| each_has_its_share(&one_thread()));
}

#[test]
fn what_one_spends_of_the_runtimes_budget_is_not_anothers_in_many_threads() {
    ends(|| each_has_its_share(&workers(1)));
}

/// Nothing is left in the runtime but the few that wait for work.
#[test]
fn few_carriers_are_kept() {
    ends(|| {
        for runtime in [one_thread(), workers(2)] {
            let handle = runtime.handle().clone();
            for _ in 0..20 {
                runtime.block_on(async {
                    anyio::task_group(async |tg| {
                        for _ in 0..2000 {
                            tg.spawn(async { turn().await });
                        }
                    })
                    .await
                    .unwrap();
                });
            }
            let alive = || handle.metrics().num_alive_tasks();
            runtime.block_on(async {
                for _ in 0..200 {
                    if alive() <= 4 {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
            assert!(alive() <= 4, "{} are kept", alive());
            // Those of a runtime that nobody knows any more are not.
            let before = alive();
            for _ in 0..20 {
                let known = anyio::Runtime::new(anyio::TokioHandle::new(handle.clone()).unwrap());
                runtime.block_on(anyio::enter(known, async {
                    anyio::task_group(async |tg| {
                        tg.spawn(async { turn().await });
                    })
                    .await
                    .unwrap();
                }));
            }
            runtime.block_on(async {
                for _ in 0..200 {
                    if alive() <= before {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
            assert!(alive() <= before, "{} are kept", alive());
        }
    });
}

/// The runtime goes down while a task of a group whose body is elsewhere is being polled for the first time.
#[test]
fn one_that_is_polled_for_the_first_time_as_the_runtime_goes_down_is_dropped() {
    ends(|| {
        let runtime = workers(2);
        let dropped = Arc::new(AtomicUsize::new(0));
        let (begun_sender, begun) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let known = anyio::Runtime::new(anyio::TokioHandle::new(runtime.handle().clone()).unwrap());
        let counted = Counted(dropped.clone());
        let group = thread::spawn(move || {
            futures::executor::block_on(anyio::enter(known, async {
                anyio::task_group(async |tg| {
                    // Somebody else waits for work as the runtime goes down.
                    let barrier = Arc::new(std::sync::Barrier::new(2));
                    let meeting = barrier.clone();
                    tg.spawn(async move { meeting.wait().is_leader() });
                    tg.spawn(async move { barrier.wait().is_leader() }).await.unwrap();
                    tg.spawn(async move {
                        let _counted = counted;
                        begun_sender.send(()).unwrap();
                        gone.recv().unwrap();
                        pending::<()>().await;
                    });
                })
                .await
            }))
        });
        begun.recv().unwrap();
        runtime.shutdown_timeout(Duration::from_millis(50));
        thread::sleep(Duration::from_millis(50));
        go.send(()).unwrap();
        let outcome = group.join().unwrap();
        assert!(outcome.is_err());
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

/// A shielded task spawns a sibling after its group was dropped by foreign code; then the runtime goes down.
#[test]
fn one_that_was_spawned_into_a_group_that_is_gone_is_dropped_with_the_runtime() {
    ends(|| {
        for runtime in [one_thread(), workers(2)] {
            let dropped = Arc::new(AtomicUsize::new(0));
            let counted = Counted(dropped.clone());
            let (begun, gone, spawned) = (Flag::default(), Flag::default(), Flag::default());
            let (is_begun, is_gone, has_spawned) = (begun.clone(), gone.clone(), spawned.clone());
            runtime.block_on(async {
                let group = anyio::task_group(async |tg| {
                    let siblings = tg.clone();
                    tg.spawn(anyio::shield(async move {
                        begun.raise();
                        gone.raised().await;
                        siblings.spawn(anyio::shield(async move {
                            let _counted = counted;
                            spawned.raise();
                            pending::<()>().await;
                        }));
                    }));
                    pending::<()>().await;
                });
                tokio::select! {
                    _ = group => unreachable!(),
                    () = is_begun.raised() => (),
                }
                is_gone.raise();
                has_spawned.raised().await;
            });
            drop(runtime);
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
        }
    });
}

/// A group was dropped by foreign code while its task was shielded; then the runtime goes down.
#[test]
fn one_that_its_group_has_left_behind_is_dropped_with_the_runtime() {
    ends(|| {
        for runtime in [one_thread(), workers(2)] {
            let dropped = Arc::new(AtomicUsize::new(0));
            let counted = Counted(dropped.clone());
            let begun = Flag::default();
            let flag = begun.clone();
            runtime.block_on(async {
                let group = anyio::task_group(async |tg| {
                    tg.spawn(async move {
                        let _counted = counted;
                        anyio::shield(async {
                            flag.raise();
                            pending::<()>().await;
                        })
                        .await;
                    });
                    pending::<()>().await;
                });
                tokio::select! {
                    _ = group => unreachable!(),
                    () = begun.raised() => (),
                }
            });
            drop(runtime);
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
        }
    });
}

/// The group was forgotten; then the runtime goes down.
#[test]
fn those_of_a_group_that_was_forgotten_are_dropped_with_the_runtime() {
    ends(|| {
        for runtime in [one_thread(), workers(2)] {
            let dropped = Arc::new(AtomicUsize::new(0));
            runtime.block_on(async {
                let mut group = Box::pin(anyio::task_group(async |tg| {
                    for _ in 0..100 {
                        let counted = Counted(dropped.clone());
                        tg.spawn(async move {
                            let _counted = counted;
                            pending::<()>().await;
                        });
                    }
                    pending::<()>().await;
                }));
                for _ in 0..5 {
                    let once = poll_fn(|cx| Poll::Ready(group.as_mut().poll(cx).is_pending()));
                    assert!(once.await);
                    tokio::task::yield_now().await;
                }
                std::mem::forget(group);
            });
            drop(runtime);
            assert_eq!(dropped.load(Ordering::SeqCst), 100);
        }
    });
}

/// A task forgets a group that it has polled, and goes on or ends, while what runs in the group cannot be cancelled; then
/// the runtime goes down.
#[test]
fn those_of_a_group_that_a_task_forgot_are_dropped_with_the_runtime() {
    ends(|| {
        for (runtime, goes_on) in [(one_thread(), true), (one_thread(), false), (workers(2), true), (workers(2), false)]
        {
            let dropped = Arc::new(AtomicUsize::new(0));
            let counted = Counted(dropped.clone());
            let begun = Flag::default();
            let flag = begun.clone();
            runtime.block_on(async {
                let group = anyio::task_group(async |tg| {
                    tg.spawn(async move {
                        let shielded = anyio::shield(async move {
                            let _counted = counted;
                            flag.raise();
                            pending::<()>().await;
                        });
                        let mut inner = Box::pin(anyio::task_group(async |tg| {
                            tg.spawn(shielded);
                            pending::<()>().await;
                        }));
                        assert!(poll_fn(|cx| Poll::Ready(inner.as_mut().poll(cx).is_pending())).await);
                        std::mem::forget(inner);
                        if goes_on {
                            pending::<()>().await;
                        }
                    });
                });
                tokio::select! {
                    _ = group => unreachable!("the forgotten group is waited for"),
                    () = begun.raised() => (),
                }
                tokio::task::yield_now().await;
            });
            drop(runtime);
            assert_eq!(dropped.load(Ordering::SeqCst), 1, "the task went on: {goes_on}");
        }
    });
}

/// A task of one runtime waits for a group in another one, which goes down.
#[test]
fn those_that_a_task_of_another_runtime_waits_for_are_dropped_with_theirs() {
    ends(|| {
        let (here, there) = (one_thread(), workers(2));
        let known = anyio::Runtime::new(anyio::TokioHandle::new(there.handle().clone()).unwrap());
        let dropped = Arc::new(AtomicUsize::new(0));
        let counted = Counted(dropped.clone());
        let begun = Flag::default();
        let flag = begun.clone();
        here.block_on(async {
            let outcome = anyio::task_group(async |tg| {
                let waits = tg.spawn(anyio::enter(known, async move {
                    anyio::task_group(async |tg| {
                        tg.spawn(async move {
                            let _counted = counted;
                            flag.raise();
                            pending::<()>().await;
                        });
                    })
                    .await
                }));
                begun.raised().await;
                there.shutdown_background();
                waits.await.unwrap()
            });
            assert!(outcome.await.unwrap().is_err());
        });
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

/// A task with a group in which is such a task, and so on; counts the polls of all of them.
fn nested(below: usize, polls: Arc<AtomicUsize>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let inner = polls.clone();
    let mut group = Box::pin(async move {
        let group = anyio::task_group(async |tg| {
            if below > 0 {
                tg.spawn(nested(below - 1, inner.clone()));
            }
            pending::<()>().await;
        });
        group.await.unwrap_err();
    });
    Box::pin(poll_fn(move |cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        group.as_mut().poll(cx)
    }))
}

/// Those who wait for others are polled when the others are gone, and not in vain before that.
#[test]
fn those_that_are_nested_are_cancelled_in_one_poll_each() {
    const DEPTH: usize = 20;
    ends(|| {
        one_thread().block_on(async {
            let polls = Arc::new(AtomicUsize::new(0));
            let outermost = anyio::task_group(async |tg| {
                tg.spawn(nested(DEPTH - 1, polls.clone()));
                for _ in 0..4 * DEPTH {
                    tokio::task::yield_now().await;
                }
                polls.store(0, Ordering::Relaxed);
                tg.cancel();
            });
            outermost.await.unwrap();
            assert_eq!(polls.load(Ordering::Relaxed), DEPTH);
        });
    });
}

/// What waits for a slot as the runtime goes down has the reason of those that ran.
#[test]
fn one_that_queues_for_a_slot_learns_that_the_runtime_went_down() {
    ends(|| {
        let runtime = workers(2);
        let known = anyio::Runtime::new(anyio::TokioHandle::new(runtime.handle().clone()).unwrap());
        let (sender, begun) = mpsc::channel();
        let group = thread::spawn(move || {
            futures::executor::block_on(anyio::enter(known, async {
                let handles = Arc::new(Mutex::new(Vec::new()));
                let kept = handles.clone();
                let outcome = anyio::GroupBuilder::new()
                    .limit(1)
                    .run_ok(async move |tg| {
                        // One whose place in the group is used again, before that of one who runs.
                        let (end, ended) = mpsc::channel::<()>();
                        let first = tg.spawn(async move { ended.recv().unwrap() });
                        for index in 0..3 {
                            if index == 1 {
                                end.send(()).unwrap();
                                while !first.is_finished() {
                                    thread::yield_now();
                                }
                            }
                            let sender = sender.clone();
                            kept.lock().unwrap().push(tg.spawn(async move {
                                sender.send(()).unwrap();
                                pending::<()>().await;
                            }));
                        }
                    })
                    .await;
                assert!(outcome.is_err());
                let mut reasons = Vec::new();
                let handles = std::mem::take(&mut *handles.lock().unwrap());
                for handle in handles {
                    reasons.push(format!("{:?}", handle.await));
                }
                reasons
            }))
        });
        begun.recv().unwrap();
        drop(runtime);
        let reasons = group.join().unwrap();
        assert!(reasons.iter().all(|reason| reason.contains("Shutdown")), "{reasons:?}");
    });
}

/// 100,000 tasks, whose destructors spawn, wake and panic, go with the runtime.
#[test]
fn very_many_whose_destructors_spawn_and_wake_and_panic_go_with_the_runtime() {
    struct Wild {
        tg: anyio::TaskGroup,
        _counted: Counted,
        dropped: Arc<AtomicUsize>,
        flag: Flag,
    }
    impl Drop for Wild {
        fn drop(&mut self) {
            self.flag.raise();
            let counted = Counted(self.dropped.clone());
            let _ = self.tg.try_spawn(async move {
                let _counted = counted;
                pending::<()>().await;
            });
        }
    }
    ends(|| {
        for runtime in [one_thread(), workers(2)] {
            let dropped = Arc::new(AtomicUsize::new(0));
            runtime.block_on(async {
                let group = anyio::task_group(async |tg| {
                    let mut next = Flag::default();
                    for _ in 0..20_000 {
                        let flag = next;
                        next = Flag::default();
                        let (awaited, tg_in) = (next.clone(), tg.clone());
                        let wild =
                            Wild { tg: tg_in, _counted: Counted(dropped.clone()), dropped: dropped.clone(), flag };
                        tg.spawn(async move {
                            let _wild = wild;
                            awaited.raised().await;
                        });
                    }
                    pending::<()>().await;
                });
                let mut group = Box::pin(group);
                for _ in 0..5 {
                    assert!(poll_fn(|cx| Poll::Ready(group.as_mut().poll(cx).is_pending())).await);
                    tokio::task::yield_now().await;
                }
                std::mem::forget(group);
            });
            drop(runtime);
            assert_eq!(dropped.load(Ordering::SeqCst), 40_000);
        }
    });
}

/// An executor of smol's is dropped from inside one of its tasks' destructors' threads, with tasks in every state.
#[test]
fn those_of_an_executor_that_is_dropped_are_dropped() {
    ends(|| {
        for steps in 0..20 {
            let executor = Arc::new(smol::Executor::new());
            let dropped = Arc::new(AtomicUsize::new(0));
            let known = anyio::Runtime::new(anyio::SmolHandle::with_executor(&executor));
            let counts = dropped.clone();
            let group = anyio::enter(known, async move {
                anyio::task_group(async |tg| {
                    for index in 0..100 {
                        let counted = Counted(counts.clone());
                        tg.spawn(async move {
                            let _counted = counted;
                            if index % 2 == 0 {
                                restless().await;
                            }
                            pending::<()>().await;
                        });
                    }
                })
                .await
            });
            let mut group = Box::pin(group);
            smol::block_on(async {
                assert!(futures::poll!(group.as_mut()).is_pending());
                for _ in 0..steps {
                    executor.try_tick();
                }
            });
            drop(executor);
            assert_eq!(dropped.load(Ordering::SeqCst), 100, "after {steps} steps");
            assert!(smol::block_on(group).is_err());
        }
    });
}

/// A waker that was kept by others than its task is woken, and dropped, long after the runtime is gone.
#[test]
fn a_waker_outlives_the_runtime() {
    ends(|| {
        for runtime in [one_thread(), workers(2)] {
            let flag = Flag::default();
            let kept = flag.clone();
            let known = anyio::Runtime::new(anyio::TokioHandle::new(runtime.handle().clone()).unwrap());
            runtime.block_on(anyio::enter(known, async {
                anyio::task_group(async |tg| {
                    tg.spawn(async move {
                        poll_fn(|cx| {
                            let _ = flag.poll(cx);
                            Poll::Ready(())
                        })
                        .await;
                    });
                })
                .await
                .unwrap();
            }));
            drop(runtime);
            kept.raise();
        }
    });
}

/// Several threads drive a runtime that has one at a time; each has its group.
#[test]
fn several_threads_drive_one_runtime() {
    ends(|| {
        let runtime = Arc::new(one_thread());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let runtime = runtime.clone();
                thread::spawn(move || {
                    for _ in 0..50 {
                        runtime.block_on(async {
                            anyio::task_group(async |tg| {
                                for _ in 0..20 {
                                    tg.spawn(async {
                                        turn().await;
                                        anyio::sleep(Duration::from_micros(100)).await;
                                    });
                                }
                            })
                            .await
                            .unwrap();
                        });
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Tasks that yield for ever, and tasks that wake each other for ever, leave the runtime's own tasks and timers their turn.
#[test]
fn those_who_never_rest_leave_others_their_turn() {
    ends(|| {
        for runtime in [one_thread(), workers(1)] {
            runtime.block_on(async {
                anyio::task_group(async |tg| {
                    for _ in 0..3 {
                        tg.spawn(async {
                            loop {
                                turn().await;
                            }
                        });
                    }
                    let (ping, pong) = (Flag::default(), Flag::default());
                    let (first, second) = (ping.clone(), pong.clone());
                    tg.spawn(async move {
                        loop {
                            first.raised().await;
                            second.raise();
                        }
                    });
                    ping.raise();
                    tg.spawn(async move {
                        loop {
                            pong.raised().await;
                            ping.raise();
                        }
                    });
                    for _ in 0..20 {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        tokio::spawn(async { tokio::task::yield_now().await }).await.unwrap();
                        anyio::task_group(async |other| {
                            other.spawn(async { turn().await });
                        })
                        .await
                        .unwrap();
                    }
                    tg.cancel();
                })
                .await
                .unwrap();
            });
        }
    });
}

/// Where there is one thread, each yield of a carried task gives the runtime's own tasks their turn.
#[test]
fn one_that_yields_in_the_only_thread_takes_turns_with_a_task_of_the_runtime() {
    const TURNS: usize = 100;
    ends(|| {
        one_thread().block_on(async {
            let polls = Arc::new(AtomicUsize::new(0));
            let counted = polls.clone();
            let foreign = tokio::spawn(async move {
                loop {
                    counted.fetch_add(1, Ordering::SeqCst);
                    turn().await;
                }
            });
            anyio::task_group(async |tg| {
                tg.spawn(async move {
                    for turns in 0..TURNS {
                        assert!(polls.load(Ordering::SeqCst) + 1 >= turns, "the other one waits");
                        turn().await;
                    }
                });
            })
            .await
            .unwrap();
            foreign.abort();
        });
    });
}

/// Tasks of the runtime's only worker wait no longer for a carrier than for a short time, however many turns of its own
/// tasks that has: each turn of theirs costs some microseconds, not more.
#[test]
fn one_that_yields_until_a_task_of_the_runtime_has_had_many_turns_ends() {
    ends(|| {
        workers(1).block_on(async {
            let is_done = Arc::new(AtomicBool::new(false));
            let done = is_done.clone();
            tokio::spawn(async move {
                for _ in 0..10_000 {
                    turn().await;
                }
                done.store(true, Ordering::SeqCst);
            });
            anyio::task_group(async |tg| {
                for _ in 0..3 {
                    let is_done = is_done.clone();
                    tg.spawn(async move {
                        while !is_done.load(Ordering::SeqCst) {
                            anyio::checkpoint().await;
                        }
                    });
                }
            })
            .await
            .unwrap();
        });
    });
}

/// Many pairs of tasks wake each other for ever. Another one, which wakes nobody, has its turns.
#[test]
fn those_who_wake_each_other_leave_a_third_its_turn() {
    ends(|| {
        for runtime in [one_thread(), workers(1), workers(2)] {
            runtime.block_on(async {
                anyio::task_group(async |tg| {
                    let is_done = Arc::new(AtomicBool::new(false));
                    for _ in 0..100 {
                        let flags = [Flag::default(), Flag::default()];
                        flags[0].raise();
                        for index in 0..2 {
                            let (mine, others) = (flags[index].clone(), flags[1 - index].clone());
                            let is_done = is_done.clone();
                            tg.spawn(async move {
                                while !is_done.load(Ordering::SeqCst) {
                                    mine.raised().await;
                                    others.raise();
                                }
                                others.raise();
                            });
                        }
                    }
                    tg.spawn(async move {
                        for _ in 0..50 {
                            turn().await;
                        }
                        is_done.store(true, Ordering::SeqCst);
                    });
                })
                .await
                .unwrap();
            });
        }
    });
}

/// Another thread wakes a task again and again, at any moment of its carrier's way to rest.
#[test]
fn one_is_woken_by_another_thread_as_its_carrier_goes_to_rest() {
    ends(|| {
        for runtime in [one_thread(), workers(2)] {
            let (ping, pong) = (Flag::default(), Arc::new(AtomicUsize::new(0)));
            let (woken, turns) = (ping.clone(), pong.clone());
            let waker = thread::spawn(move || {
                for count in 1..=5000 {
                    woken.raise();
                    while turns.load(Ordering::SeqCst) < count {
                        std::hint::spin_loop();
                    }
                }
            });
            runtime.block_on(async {
                anyio::task_group(async |tg| {
                    tg.spawn(async move {
                        for _ in 0..5000 {
                            ping.raised().await;
                            pong.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                })
                .await
                .unwrap();
            });
            waker.join().unwrap();
        }
    });
}

/// A backend that shares tokio's threads, and whose clock panics once.
struct BrokenClock {
    inner: anyio::TokioHandle,
    is_broken: Arc<AtomicBool>,
}

impl Spawn for BrokenClock {
    fn spawn(&self, task: Task) {
        self.inner.spawn(task);
    }

    fn sharing(&self) -> Sharing {
        self.inner.sharing()
    }
}

impl Checkpoint for BrokenClock {
    fn checkpoint(&self, waker: &Waker) {
        self.inner.checkpoint(waker);
    }
}

impl Clock for BrokenClock {
    fn now(&self) -> Instant {
        assert!(!self.is_broken.swap(false, Ordering::SeqCst), "the clock is broken");
        self.inner.now()
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<dyn Timer>> {
        self.inner.timer(deadline)
    }
}

impl Blocking for BrokenClock {
    fn spawn_blocking(&self, job: Job) {
        self.inner.spawn_blocking(job);
    }
}

impl Backend for BrokenClock {
    fn name(&self) -> &'static str {
        "broken clock"
    }
}

/// A panic of the backend's in the midst of a task's poll is that of the task, which ends by it like by any other.
#[test]
fn one_whose_clock_panics_ends() {
    ends(|| {
        for runtime in [one_thread(), workers(2)] {
            let is_broken = Arc::new(AtomicBool::new(false));
            let inner = anyio::TokioHandle::new(runtime.handle().clone()).unwrap();
            let known = anyio::Runtime::new(BrokenClock { inner, is_broken: is_broken.clone() });
            let group = anyio::task_group(async |tg| {
                tg.spawn(async move {
                    turn().await;
                    is_broken.store(true, Ordering::SeqCst);
                    let _ = anyio::timeout(Duration::from_secs(1), pending::<()>()).await;
                });
            });
            let group = AssertUnwindSafe(|| runtime.block_on(anyio::enter(known, group)));
            let payload = std::panic::catch_unwind(group).unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&"the clock is broken"));
        }
    });
}

/// The runtime goes down by the hand of one of its tasks.
#[test]
fn those_of_a_runtime_that_one_of_them_shuts_down_are_dropped() {
    ends(|| {
        for _ in 0..20 {
            let runtime = workers(2);
            let known = anyio::Runtime::new(anyio::TokioHandle::new(runtime.handle().clone()).unwrap());
            let dropped = Arc::new(AtomicUsize::new(0));
            let counts = dropped.clone();
            let outcome = futures::executor::block_on(anyio::enter(known, async move {
                anyio::task_group(async |tg| {
                    for index in 0..1000 {
                        let counted = Counted(counts.clone());
                        tg.spawn(async move {
                            let _counted = counted;
                            if index % 2 == 0 {
                                restless().await;
                            }
                            pending::<()>().await;
                        });
                    }
                    tg.spawn(async move {
                        turn().await;
                        runtime.shutdown_background();
                    });
                })
                .await
            }));
            assert!(outcome.is_err());
            assert_eq!(dropped.load(Ordering::SeqCst), 1000);
        }
    });
}

/// Something that lives as long as a thread of the runtime wakes a task, and spawns one, at its end.
#[test]
fn a_thread_of_the_runtime_wakes_and_spawns_as_it_ends() {
    struct AtTheEnd(Flag, anyio::TaskGroup);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            self.0.raise();
            let _ = self.1.try_spawn(async { turn().await });
        }
    }
    thread_local! {
        static KEPT: RefCell<Vec<AtTheEnd>> = const { RefCell::new(Vec::new()) };
    }
    ends(|| {
        for _ in 0..20 {
            let runtime = workers(2);
            let known = anyio::Runtime::new(anyio::TokioHandle::new(runtime.handle().clone()).unwrap());
            let (sender, kept) = mpsc::channel();
            let group = thread::spawn(move || {
                futures::executor::block_on(anyio::enter(known, async move {
                    anyio::task_group(async |tg| {
                        for _ in 0..10 {
                            let (flag, tg_in, sender) = (Flag::default(), tg.clone(), sender.clone());
                            let raised = flag.clone();
                            tg.spawn(async move {
                                KEPT.with_borrow_mut(|kept| kept.push(AtTheEnd(raised, tg_in)));
                                sender.send(()).unwrap();
                                loop {
                                    flag.raised().await;
                                }
                            });
                        }
                    })
                    .await
                }))
            });
            (0..10).for_each(|_| kept.recv().unwrap());
            drop(runtime);
            assert!(group.join().unwrap().is_err());
        }
    });
}

/// However much there is to do, few carriers do it.
#[test]
fn carriers_do_not_pile_up() {
    ends(|| {
        let runtime = workers(2);
        let handle = runtime.handle().clone();
        let most = runtime.block_on(async {
            let most = Arc::new(AtomicUsize::new(0));
            anyio::task_group(async |tg| {
                for _ in 0..500 {
                    let (handle, most) = (handle.clone(), most.clone());
                    let (first, second) = (Flag::default(), Flag::default());
                    let (mine, yours) = (first.clone(), second.clone());
                    tg.spawn(async move {
                        for _ in 0..100 {
                            mine.raised().await;
                            yours.raise();
                        }
                    });
                    tg.spawn(async move {
                        for turns in 0..100 {
                            first.raise();
                            second.raised().await;
                            if turns % 7 == 0 {
                                turn().await;
                                most.fetch_max(handle.metrics().num_alive_tasks(), Ordering::SeqCst);
                            }
                        }
                    });
                }
            })
            .await
            .unwrap();
            most.load(Ordering::SeqCst)
        });
        assert!(most <= 32, "there were {most}");
    });
}

/// Two threads that poll tasks as tokio's do: what a thread has woken last is kept for it, and so are those who yield there
/// until it has nothing else to do. The second one begins when it is told to, so each run is the same.
#[derive(Clone, Default)]
struct TwoThreads(Arc<Shared>);

#[derive(Default)]
struct Shared {
    works: Mutex<Works>,
    news: Condvar,
}

#[derive(Default)]
struct Works {
    queue: VecDeque<Arc<Work>>,
    /// How many threads may poll.
    started: usize,
    is_over: bool,
}

/// A task of theirs.
struct Work {
    threads: TwoThreads,
    stage: Mutex<Stage>,
    task: Mutex<Task>,
}

#[derive(PartialEq)]
enum Stage {
    Idle,
    Queued,
    Polled,
    Woken,
}

/// What is kept for a thread.
#[derive(Default)]
struct Kept {
    last: Option<Arc<Work>>,
    yielded: Vec<Waker>,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

impl TwoThreads {
    fn start(&self, count: usize) {
        self.0.works.lock().unwrap().started = count;
        self.0.news.notify_all();
    }

    /// Drives a future in this thread, and its tasks in theirs.
    fn drive(&self, future: impl Future<Output = ()>) {
        let workers = [0, 1].map(|number| {
            let threads = self.clone();
            thread::spawn(move || threads.run(number))
        });
        futures::executor::block_on(anyio::enter(anyio::Runtime::new(self.clone()), future));
        self.0.works.lock().unwrap().is_over = true;
        self.0.news.notify_all();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }

    fn queue(&self, work: Arc<Work>) {
        self.0.works.lock().unwrap().queue.push_back(work);
        self.0.news.notify_all();
    }

    /// Polls tasks in the thread of this number until all is over.
    fn run(&self, number: usize) {
        KEPT.set(Some(Kept::default()));
        loop {
            let kept = KEPT.with_borrow_mut(|kept| kept.as_mut().unwrap().last.take());
            if let Some(work) = kept.or_else(|| self.next(number)) {
                work.poll();
                continue;
            }
            let yielded = KEPT.with_borrow_mut(|kept| mem::take(&mut kept.as_mut().unwrap().yielded));
            if yielded.is_empty() && !self.wait(number) {
                return KEPT.set(None);
            }
            yielded.into_iter().rev().for_each(Waker::wake);
        }
    }

    fn next(&self, number: usize) -> Option<Arc<Work>> {
        let mut works = self.0.works.lock().unwrap();
        if number < works.started { works.queue.pop_front() } else { None }
    }

    /// Waits for a task in the queue; says if there may be one.
    fn wait(&self, number: usize) -> bool {
        let idle = |works: &mut Works| !works.is_over && (number >= works.started || works.queue.is_empty());
        !self.0.news.wait_while(self.0.works.lock().unwrap(), idle).unwrap().is_over
    }
}

impl Work {
    fn poll(self: &Arc<Self>) {
        *self.stage.lock().unwrap() = Stage::Polled;
        let waker = Waker::from(self.clone());
        let polled = Pin::new(&mut *self.task.lock().unwrap()).poll(&mut Context::from_waker(&waker));
        let mut stage = self.stage.lock().unwrap();
        if *stage == Stage::Woken && polled.is_pending() {
            *stage = Stage::Queued;
            self.threads.queue(self.clone());
        } else {
            *stage = Stage::Idle;
        }
    }
}

impl Wake for Work {
    fn wake(self: Arc<Self>) {
        let mut stage = self.stage.lock().unwrap();
        match *stage {
            Stage::Idle => *stage = Stage::Queued,
            Stage::Polled => return *stage = Stage::Woken,
            Stage::Queued | Stage::Woken => return,
        }
        drop(stage);
        let threads = self.threads.clone();
        let work = KEPT.with_borrow_mut(|kept| match kept {
            Some(kept) => kept.last.replace(self),
            None => Some(self),
        });
        work.into_iter().for_each(|work| threads.queue(work));
    }
}

impl Spawn for TwoThreads {
    fn spawn(&self, task: Task) {
        let (threads, task) = (self.clone(), Mutex::new(task));
        Waker::from(Arc::new(Work { threads, stage: Mutex::new(Stage::Idle), task })).wake();
    }

    fn sharing(&self) -> Sharing {
        Sharing::ManyThreads
    }
}

impl Checkpoint for TwoThreads {
    fn checkpoint(&self, waker: &Waker) {
        KEPT.with_borrow_mut(|kept| match kept {
            Some(kept) => kept.yielded.push(waker.clone()),
            None => waker.wake_by_ref(),
        });
    }
}

impl Clock for TwoThreads {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timer(&self, _deadline: Instant) -> Pin<Box<dyn Timer>> {
        unreachable!("nobody sleeps")
    }
}

impl Blocking for TwoThreads {
    fn spawn_blocking(&self, _job: Job) {
        unreachable!("nobody needs it")
    }
}

impl Backend for TwoThreads {
    fn name(&self) -> &'static str {
        "two threads"
    }
}

/// A task blocks its thread, after some turns, until all siblings have had more of theirs, none of whom ends before all have
/// had them; `blocks` and `begins` are told.
async fn one_blocks_until_others_have_had_turns(
    turns_before: usize,
    siblings: usize,
    begins: impl FnOnce(),
    blocks: impl FnOnce() + Send + 'static,
) {
    let group = anyio::task_group(async move |tg| {
        let (sender, receiver) = mpsc::channel();
        let is_blocked = Arc::new(AtomicBool::new(false));
        let unfinished = Arc::new(AtomicUsize::new(siblings));
        for _ in 0..siblings {
            let (sender, is_blocked, unfinished) = (sender.clone(), is_blocked.clone(), unfinished.clone());
            tg.spawn(async move {
                while !is_blocked.load(Ordering::SeqCst) {
                    turn().await;
                }
                for _ in 0..200 {
                    turn().await;
                }
                unfinished.fetch_sub(1, Ordering::SeqCst);
                while unfinished.load(Ordering::SeqCst) > 0 {
                    turn().await;
                }
                sender.send(()).unwrap();
            });
        }
        tg.spawn(async move {
            for _ in 0..turns_before {
                turn().await;
            }
            is_blocked.store(true, Ordering::SeqCst);
            blocks();
            (0..siblings).for_each(|_| receiver.recv().unwrap());
        });
        begins();
    });
    group.await.unwrap();
}

fn in_two_threads(turns_before: usize, siblings: usize) {
    let threads = TwoThreads::default();
    let (first, both) = (threads.clone(), threads.clone());
    threads.drive(one_blocks_until_others_have_had_turns(
        turns_before,
        siblings,
        move || first.start(1),
        move || both.start(2),
    ));
}

/// One carrier has yielded in the thread that blocks, and another was called there; another thread has nothing to do.
#[test]
fn one_that_blocks_its_thread_does_not_keep_siblings_that_yield() {
    for siblings in 1..5 {
        for turns_before in 0..20 {
            ends(move || in_two_threads(turns_before, siblings));
        }
    }
}

/// The same wherever tokio has it happen.
#[test]
fn one_that_blocks_a_thread_of_tokio_does_not_keep_siblings_that_yield() {
    ends(|| {
        let runtime = attentive_workers(2);
        for turns_before in (0..300).step_by(3) {
            let siblings = turns_before % 4 + 1;
            runtime.block_on(one_blocks_until_others_have_had_turns(turns_before, siblings, || (), || ()));
        }
    });
}

/// Those who are cancelled together are polled in the order in which they were spawned, also if what is cancelled is further
/// out.
#[test]
fn tasks_that_are_cancelled_end_in_order() {
    struct Ends(usize, Arc<Mutex<Vec<usize>>>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    for is_further_out in [false, true] {
        let ended = Arc::new(Mutex::new(Vec::new()));
        let scope = anyio::CancelScope::new();
        let handle = scope.handle();
        let group = anyio::task_group(async |tg| {
            for index in 0..4 {
                let ends = Ends(index, ended.clone());
                tg.spawn(async move {
                    let _ends = ends;
                    pending::<()>().await;
                });
            }
            anyio::sleep(Duration::from_millis(1)).await;
            if is_further_out { handle.cancel() } else { tg.cancel() }
        });
        let _ = one_thread().block_on(scope.run(group));
        assert_eq!(*ended.lock().unwrap(), [0, 1, 2, 3]);
    }
}
