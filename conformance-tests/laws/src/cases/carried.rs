//! Cases of several laws for tasks of groups that a runtime does not poll one by one, but within few tasks of its own.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use anyio::{GroupBuilder, TaskError, TaskGroup, enter, shield, sleep, sleep_forever, task_group};
use futures::channel::oneshot;
use parking_lot::Mutex;

use crate::fixture::{Drops, block_on, poll_times};
use crate::steps::{OnDrop, Other, ended_by_shutdown, gate, on_thread, pass, turns, until};

/// Wakes itself as futures do that know nothing of runtimes, and for ever.
async fn restless() {
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    })
    .await;
}

/// G1, C9: A task that another thread wakes while it is being polled is polled again, however often that happens.
pub async fn a_wake_during_a_poll_is_not_lost() {
    let group = task_group(|tg: TaskGroup| async move {
        for _ in 0..4 {
            let mut polls = 0;
            tg.spawn(poll_fn(move |cx| {
                polls += 1;
                if polls == 20 {
                    return Poll::Ready(());
                }
                let waker = cx.waker().clone();
                on_thread(move || waker.wake()).join().unwrap();
                Poll::Pending
            }));
        }
    });
    assert_eq!(group.await, Ok(()));
}

/// G1, C9: Tasks that many threads wake at once, at any moment, are all polled to their end.
pub async fn wakes_from_many_threads_are_not_lost() {
    const TASKS: usize = 16;
    let wakers: Arc<Vec<Mutex<Option<Waker>>>> = Arc::new((0..TASKS).map(|_| Mutex::new(None)).collect());
    let left = Arc::new(AtomicUsize::new(TASKS));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (wakers, left) = (wakers.clone(), left.clone());
            on_thread(move || {
                while left.load(Ordering::SeqCst) > 0 {
                    for waker in wakers.iter() {
                        // Each wake is the only one that this turn of the task gets.
                        let waker = waker.lock().take();
                        waker.into_iter().for_each(Waker::wake);
                    }
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    let ended = left.clone();
    let group = task_group(|tg: TaskGroup| async move {
        for index in 0..TASKS {
            let (wakers, left, mut polls) = (wakers.clone(), ended.clone(), 0);
            tg.spawn(poll_fn(move |cx| {
                polls += 1;
                if polls == 200 {
                    left.fetch_sub(1, Ordering::SeqCst);
                    return Poll::Ready(());
                }
                *wakers[index].lock() = Some(cx.waker().clone());
                Poll::Pending
            }));
        }
    });
    assert_eq!(group.await, Ok(()));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// G1, G8: A task that is woken by its own destructor, or when it has ended, is not polled again; whoever keeps its waker
/// keeps nothing of the future.
pub async fn a_task_that_has_ended_is_not_polled_again() {
    let (drops, polls) = (Drops::new(), Arc::new(AtomicUsize::new(0)));
    let kept = Arc::new(Mutex::new(None::<Waker>));
    let (token, counts, keeper) = (drops.token(), polls.clone(), kept.clone());
    let group = task_group(|tg: TaskGroup| async move {
        let woken = keeper.clone();
        let wakes = OnDrop(move || woken.lock().clone().unwrap().wake());
        tg.spawn(async move {
            let _in_the_task = (token, wakes);
            poll_fn(|cx| {
                counts.fetch_add(1, Ordering::SeqCst);
                *keeper.lock() = Some(cx.waker().clone());
                Poll::Ready(())
            })
            .await;
        });
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(drops.count(), 1);
    let waker = kept.lock().take().unwrap();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            on_thread({
                let waker = waker.clone();
                move || waker.wake()
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    waker.wake();
    turns(5).await;
    assert_eq!(polls.load(Ordering::SeqCst), 1);
}

/// X5, G1: Tasks that wake themselves for ever, and tasks that wake each other for ever, leave their turn to other groups
/// and to timers, and are cancelled.
pub async fn restless_tasks_leave_others_their_turn() {
    let group = task_group(|tg: TaskGroup| async move {
        for _ in 0..100 {
            tg.spawn(restless());
        }
        for _ in 0..3 {
            sleep(Duration::from_millis(1)).await;
            let others = task_group(|others: TaskGroup| async move {
                others.spawn(turns(3));
            });
            assert_eq!(others.await, Ok(()));
        }
        tg.cancel();
    });
    assert_eq!(group.await, Ok(()));
}

/// X4, F1, F2: A shielded task whose group was dropped is dropped when its runtime shuts down, and so is one that it has
/// spawned since.
pub async fn tasks_that_were_left_behind_go_down_with_their_runtime() {
    let other = Other::start();
    let drops = Drops::new();
    let [first, second] = [(); 2].map(|()| drops.token());
    let (begun, begins) = oneshot::channel();
    let (spawned, spawns) = oneshot::channel();
    let (left, leave) = gate();
    let (release, released) = gate();
    let (go_on, goes_on) = gate();
    let runtime = other.runtime.clone();
    let dropper = on_thread(move || {
        let group = pin!(enter(
            runtime,
            task_group(|tg: TaskGroup| async move {
                let siblings = tg.clone();
                tg.spawn(shield(async move {
                    let _first = first;
                    begun.send(()).unwrap();
                    pass(leave).await;
                    siblings.spawn(shield(async move {
                        let _second = second;
                        spawned.send(()).unwrap();
                        pass(released).await;
                    }));
                    pass(goes_on).await;
                }));
                sleep_forever().await;
            })
        ));
        block_on(async {
            assert!(poll_times(1, group).await.is_err());
        });
    });
    dropper.join().unwrap();
    begins.await.unwrap();
    left.set();
    spawns.await.unwrap();
    if other.shut_down().await {
        // It never does: its tasks go on.
        assert_eq!(drops.count(), 0);
        release.set();
        go_on.set();
    }
    until(|| drops.count() == 2).await;
}

/// X4, G10: Tasks that queue for their turn in a group with a limit are told that the runtime has shut down, in whatever
/// order they stand in the group.
pub async fn those_who_queue_learn_that_their_runtime_has_shut_down() {
    let other = Other::start();
    let (opened, opens) = oneshot::channel();
    let waiter = other.wait_for(GroupBuilder::new().limit(1).run_ok(|tg: TaskGroup| async move {
        let first = tg.spawn(turns(3));
        let second = tg.spawn(pending::<()>());
        first.await.unwrap();
        // It takes the place of the first in the group's list, before that of the one who runs.
        let third = tg.spawn(pending::<()>());
        assert!(opened.send((tg.clone(), [second, third])).is_ok());
        sleep_forever().await;
    }));
    let (group, tasks) = opens.await.unwrap();
    let down = !other.shut_down().await;
    if !down {
        group.cancel();
    }
    for task in tasks {
        let outcome = task.await;
        assert!(matches!(outcome, Err(TaskError::Cancelled(_))));
        assert_eq!(ended_by_shutdown(outcome), down);
    }
    assert!(waiter.join().unwrap().is_err());
}

/// G6, C2: A future that a closed group gives back was not polled, has all that it had, and can be used elsewhere.
pub async fn a_future_that_is_given_back_is_as_it_was() {
    let drops = Drops::new();
    let token = drops.token();
    let (out, outside) = oneshot::channel();
    let group = task_group(|tg: TaskGroup| async move {
        assert!(out.send(tg).is_ok());
    });
    assert_eq!(group.await, Ok(()));
    let closed = outside.await.unwrap();
    let mut polls = 0;
    let future = poll_fn(move |_| {
        let _has = &token;
        polls += 1;
        Poll::Ready(polls)
    });
    let refused = closed.try_spawn(async move { assert_eq!(future.await, 1) }).unwrap_err();
    assert_eq!(drops.count(), 0);
    let elsewhere = task_group(|tg: TaskGroup| async move {
        tg.spawn(refused.0);
    });
    assert_eq!(elsewhere.await, Ok(()));
    assert_eq!(drops.count(), 1);
}
