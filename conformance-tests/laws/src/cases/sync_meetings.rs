//! Cases of the laws Q, C6, C7 and X5: events, conditions, barriers, cells and resource guards.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use anyio::sync::{Barrier, Condition, Event, Mutex, OnceCell, ResourceGuard, Semaphore, SetError};
use anyio::{CancelScope, task_group};
use futures::future::{join, join_all};

use crate::fixture::{Drops, caught};
use crate::races;
use crate::steps::{
    acts_when_held, at_once, forever, is_cut_off, is_woken_by, loop_ends, on_thread, turns, until, waits,
};

/// Q1: An event wakes all who wait, from any thread, and whoever comes later does not wait.
pub async fn an_event_wakes_all() {
    let event = Arc::new(Event::new());
    let sets = event.clone();
    let act = async {
        until(|| event.statistics().tasks_waiting == 3).await;
        on_thread(move || sets.set()).join().unwrap();
    };
    join(join_all((0..3).map(|_| event.wait())), act).await;
    event.set();
    assert!(event.is_set() && event.statistics().tasks_waiting == 0);
    assert!(at_once(&mut event.wait()).is_some());
}

/// Q1: A wait for an event that is dropped changes nothing for the others.
pub async fn a_wait_for_an_event_may_be_dropped() {
    let event = Event::new();
    let mut waiting: Vec<_> = (0..3).map(|_| event.wait()).collect();
    assert!(waiting.iter_mut().all(waits));
    drop(waiting.remove(1));
    assert_eq!(event.statistics().tasks_waiting, 2);
    event.set();
    drop(waiting.remove(0));
    assert!(at_once(&mut waiting[0]).is_some());
}

/// Q1: Who waits longest is notified first, and the lock is had again.
pub async fn a_condition_notifies_in_order() {
    let (mutex, condition, order) = (Mutex::new(()), Condition::new(), RefCell::new(Vec::new()));
    let wait = async |n| {
        let guard = condition.wait(mutex.lock().await).await;
        assert!(mutex.is_locked());
        order.borrow_mut().push(n);
        drop(guard);
    };
    let notify = async {
        until(|| condition.statistics().tasks_waiting == 5).await;
        assert!(!mutex.is_locked(), "waiting unlocks");
        condition.notify_one();
        until(|| order.borrow().len() == 1).await;
        condition.notify(2);
        until(|| order.borrow().len() == 3).await;
        turns(3).await;
        assert_eq!(condition.statistics().tasks_waiting, 2);
        condition.notify_all();
    };
    join(join_all((0..5).map(wait)), notify).await;
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
}

/// Q1: A notification is not kept for those who come later.
pub async fn a_notification_is_not_kept() {
    let (mutex, condition) = (Mutex::new(()), Condition::new());
    condition.notify_one();
    condition.notify_all();
    let mut wait = condition.wait(mutex.lock().await);
    assert!(waits(&mut wait));
    condition.notify_one();
    assert!(at_once(&mut wait).is_some());
}

/// Q1, C7: A notified waiter that is dropped passes the notification on, also when it waits for the lock already.
pub async fn a_dropped_waiter_passes_the_notification_on() {
    let (mutex, condition) = (Mutex::new(()), Condition::new());
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let mut wait = condition.wait(mutex.lock().await);
        assert!(waits(&mut wait));
        waiting.push(wait);
    }
    condition.notify_one();
    drop(waiting.remove(0));
    let held = mutex.lock().await;
    assert!(waits(&mut waiting[0]), "notified, and waiting for the lock");
    assert_eq!(mutex.statistics().tasks_waiting, 1);
    drop(waiting.remove(0));
    drop(held);
    assert!(at_once(&mut waiting[0]).is_some(), "two before it have passed it on");
}

/// Q1: A notification that is passed on does not reach those who began to wait after it.
pub async fn a_notification_reaches_only_those_who_waited() {
    let (mutex, condition) = (Mutex::new(()), Condition::new());
    let mut early = condition.wait(mutex.lock().await);
    assert!(waits(&mut early));
    condition.notify_all();
    let mut late = condition.wait(mutex.lock().await);
    assert!(waits(&mut late));
    drop(early);
    assert!(waits(&mut late));
    assert_eq!(condition.statistics().tasks_waiting, 1);
}

/// Q1, C7: A cancelled wait leaves the mutex unlocked.
pub async fn a_cancelled_wait_leaves_the_mutex_unlocked() {
    let (mutex, condition) = (Mutex::new(1), Condition::new());
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = scope.run(async { drop(condition.wait(mutex.lock().await).await) });
    let cancel = async {
        until(|| condition.statistics().tasks_waiting == 1).await;
        handle.cancel();
    };
    assert!(join(body, cancel).await.0.is_err());
    assert_eq!(condition.statistics().tasks_waiting, 0);
    assert_eq!(*mutex.try_lock().unwrap(), 1);
}

/// Q1: Waiting while something holds ends with the lock and the value as it has to be.
pub async fn waiting_while_looks_again() {
    let (queue, added) = (Mutex::new(Vec::new()), Condition::new());
    let take = async || added.wait_while(queue.lock().await, |queue| queue.is_empty()).await.pop().unwrap();
    let give = async {
        for n in 0..4 {
            until(|| added.statistics().tasks_waiting > 0).await;
            added.notify_all(); // for nothing
            turns(2).await;
            queue.lock().await.push(n);
            added.notify_one();
        }
    };
    let takes = join(async { take().await + take().await }, async { take().await + take().await });
    let ((one, another), ()) = join(takes, give).await;
    assert_eq!(one + another, 6);
}

/// Q1: All go on together when the last has come, who leads; the barrier can be used again.
pub async fn a_barrier_lets_all_go_on_together() {
    let barrier = Barrier::new(3);
    for _ in 0..2 {
        let (mut first, mut second, mut third) = (barrier.wait(), barrier.wait(), barrier.wait());
        assert!(waits(&mut first) && waits(&mut second));
        assert_eq!(barrier.statistics().tasks_waiting, 2);
        let leads = [&mut third, &mut first, &mut second].map(|wait| at_once(wait).expect("all came").is_leader());
        assert_eq!(leads, [true, false, false]);
    }
    for size in [0, 1] {
        assert!(Barrier::new(size).wait().await.is_leader());
    }
}

/// Q1, C7: A wait that is dropped before all have come does not count; one that is dropped later has come.
pub async fn a_dropped_wait_does_not_count_at_a_barrier() {
    let barrier = Barrier::new(2);
    let mut gone = barrier.wait();
    assert!(waits(&mut gone));
    drop(gone);
    let (mut first, mut second) = (barrier.wait(), barrier.wait());
    assert!(waits(&mut first));
    assert!(at_once(&mut second).is_some());
    drop(first);
    assert_eq!(barrier.statistics().tasks_waiting, 0);
    assert!(waits(&mut barrier.wait()), "the next round begins");
}

/// Q1: A value is made once, while others wait for it.
pub async fn a_value_is_made_once() {
    let (cell, made) = (OnceCell::new(), Cell::new(0));
    let make = async || {
        *cell
            .get_or_init(async || {
                turns(2).await;
                made.set(made.get() + 1);
                7
            })
            .await
    };
    let waiting = async { *cell.wait().await };
    let (all, waited) = join(join_all((0..3).map(|_| make())), waiting).await;
    assert_eq!((all, waited, made.get(), cell.get()), (vec![7, 7, 7], 7, 1, Some(&7)));
    assert_eq!(cell.into_inner(), Some(7));
}

/// Q1, C7: A task that fails, panics or is cancelled while it makes the value passes its turn on.
pub async fn a_failed_turn_is_passed_on() {
    let cell = OnceCell::new();
    let mut cancelled = Box::pin(cell.get_or_init(forever::<u32>));
    assert!(waits(&mut cancelled));
    let mut waited = Box::pin(cell.get_or_init(forever::<u32>));
    let mut fails = Box::pin(cell.get_or_try_init(async || Err("failed")));
    let mut panics = Box::pin(caught(cell.get_or_init(async || panic!("on purpose"))));
    let mut last = Box::pin(cell.get_or_init(async || 3));
    assert!(waits(&mut waited) && waits(&mut fails) && waits(&mut panics) && waits(&mut last));
    drop(cancelled);
    assert!(waits(&mut fails), "it is the turn of one that is not polled");
    drop(waited);
    assert_eq!(at_once(&mut fails), Some(Err("failed")));
    assert!(at_once(&mut panics).unwrap().is_err());
    assert_eq!(at_once(&mut last), Some(&3));
}

/// Q1: A value can be set once, unless somebody makes one, and is given back otherwise.
pub async fn a_value_can_be_set_once() {
    let cell = OnceCell::new();
    let mut making = Box::pin(cell.get_or_init(forever));
    assert!(waits(&mut making));
    assert!(matches!(cell.set("a"), Err(SetError::Initialising("a"))));
    drop(making);
    cell.set("b").unwrap();
    assert_eq!(cell.set("c").unwrap_err().into_inner(), "c");
    assert_eq!((cell.get(), cell.wait().await), (Some(&"b"), &"b"));
    assert_eq!(OnceCell::from("d").get_mut(), Some(&mut "d"));
}

/// Q1: A second use of what one may use is an error, which says what the first does.
pub async fn a_second_use_is_an_error() {
    let guard = Arc::new(ResourceGuard::new("reading from"));
    let reading = guard.enter().unwrap();
    let other = guard.clone();
    let error = on_thread(move || other.enter().unwrap_err()).join().unwrap();
    assert!(error.to_string().contains("already reading from"));
    drop(reading);
    assert!(guard.enter().is_ok());
}

/// C6: In a cancelled scope nothing is waited for, unlocked, made or counted; where the cancellation does not reach, it is.
pub async fn nothing_is_waited_for_in_a_cancelled_scope() {
    let event = Event::new();
    event.set();
    assert!(is_cut_off(event.wait()).await);
    acts_when_held(event.wait()).await;

    let barrier = Barrier::new(1);
    assert!(is_cut_off(barrier.wait()).await);
    assert!(acts_when_held(barrier.wait()).await.is_leader());

    let (cell, made) = (OnceCell::new(), Cell::new(false));
    assert!(is_cut_off(cell.get_or_init(async || made.set(true))).await);
    assert!(!made.get());
    acts_when_held(cell.get_or_init(async || made.set(true))).await;
    assert!(is_cut_off(cell.wait()).await);

    let (mutex, condition) = (Mutex::new(()), Condition::new());
    let guard = mutex.lock().await;
    assert!(is_cut_off(condition.wait_while(guard, |()| unreachable!("it is cut off before it looks"))).await);
    let wait = async { drop(condition.wait(mutex.lock().await).await) };
    assert!(is_cut_off(wait).await && !mutex.is_locked());
    assert_eq!(condition.statistics().tasks_waiting, 0);
}

/// X5: Loops of what need not be waited for can be cancelled.
pub async fn loops_without_waiting_can_be_cancelled() {
    let event = Event::new();
    event.set();
    assert!(loop_ends(async || event.wait().await).await);
    let barrier = Barrier::new(1);
    assert!(loop_ends(async || _ = barrier.wait().await).await);
    let cell = OnceCell::new();
    assert!(loop_ends(async || _ = cell.get_or_init(async || ()).await).await);
    assert!(loop_ends(async || _ = cell.wait().await).await);
    let (mutex, condition) = (Mutex::new(()), Condition::new());
    let look = async || drop(condition.wait_while(mutex.try_lock().unwrap(), |()| false).await);
    assert!(loop_ends(look).await);
}

/// Q1: A waker that panics, or that uses what it was woken by, harms nobody.
pub async fn a_waker_may_do_what_it_likes() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose")
        }
    }
    struct Uses(Arc<Semaphore>, Drops);
    impl Wake for Uses {
        fn wake(self: Arc<Self>) {
            assert!(self.0.try_acquire().is_err());
            drop(self.1.token());
        }
    }
    let (semaphore, drops) = (Arc::new(Semaphore::new(0)), Drops::new());
    let mut waiting: Vec<_> = (0..3).map(|_| semaphore.acquire()).collect();
    let wakers = [Waker::from(Arc::new(Panics)), Waker::from(Arc::new(Uses(semaphore.clone(), drops.clone())))];
    for (wait, waker) in waiting.iter_mut().zip(&wakers) {
        // Twice: a first poll may step aside, which would wake.
        while semaphore.statistics().tasks_waiting < 2 {
            let polled = caught(async { Pin::new(&mut *wait).poll(&mut Context::from_waker(waker)) });
            assert!(!matches!(polled.await, Ok(std::task::Poll::Ready(_))));
            if semaphore.statistics().tasks_waiting == 1 && waker.will_wake(&wakers[0]) {
                break;
            }
        }
    }
    let before = drops.count();
    assert!(waits(&mut waiting[2]));
    semaphore.add_permits(3);
    assert_eq!(drops.count(), before + 1);
    assert!(waiting.iter_mut().all(|wait| at_once(wait).map(mem::forget).is_some()));
}

/// Q1: A waker may drop whoever waits for the same event, let it happen once more, or panic: all others are woken.
pub async fn a_waker_of_an_event_may_do_what_it_likes() {
    struct Drops(Arc<Event>, parking_lot::Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);
    impl Wake for Drops {
        fn wake(self: Arc<Self>) {
            let waiting = self.1.lock().take();
            if waiting.is_some() {
                self.0.set();
            }
            drop(waiting);
            panic!("on purpose")
        }
    }
    let event = Arc::new(Event::new());
    let waits_for = event.clone();
    let dropping = Arc::new(Drops(event.clone(), parking_lot::Mutex::new(None)));
    let mut waiting: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move { waits_for.wait().await });
    let waker = Waker::from(dropping.clone());
    while event.statistics().tasks_waiting == 0 {
        // A first poll may step aside, which wakes.
        let _ = caught(async { _ = waiting.as_mut().poll(&mut Context::from_waker(&waker)) }).await;
    }
    *dropping.1.lock() = Some(waiting);
    let mut other = Box::pin(event.wait());
    assert!(waits(&mut other));
    assert!(is_woken_by(&mut other, || event.set()));
    assert!(dropping.1.lock().is_none() && at_once(&mut other).is_some());
}

/// Q1, C10: A hundred thousand tasks wait for a notification, and all are notified.
pub async fn a_hundred_thousand_are_notified() {
    const MANY: usize = 100_000;
    let (mutex, condition) = (Mutex::new(()), Condition::new());
    let mut waiting: Vec<_> = (0..MANY)
        .map(|_| {
            let mut wait = condition.wait(mutex.try_lock().unwrap());
            assert!(waits(&mut wait));
            wait
        })
        .collect();
    assert_eq!(condition.statistics().tasks_waiting, MANY);
    condition.notify_all();
    assert!(waiting.iter_mut().all(|wait| at_once(wait).is_some()));
    assert!(!mutex.is_locked());
}

/// C7, Q1: No notification, turn or meeting is lost when waiters are cancelled at the same moment.
pub async fn meetings_survive_races() {
    races::conditions(300).await;
    races::barriers(300).await;
    races::once_cells(300).await;
}

/// Q1, G1: Tasks on all threads meet again and again.
pub async fn tasks_meet_again_and_again() {
    let barrier = Arc::new(Barrier::new(4));
    let leaders = task_group(async |tg| {
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let barrier = barrier.clone();
                tg.spawn(async move {
                    let mut led = 0;
                    for _ in 0..50 {
                        led += usize::from(barrier.wait().await.is_leader());
                    }
                    led
                })
            })
            .collect();
        let mut leaders = 0;
        for task in tasks {
            leaders += task.value().await;
        }
        leaders
    });
    assert_eq!(leaders.await, Ok(50));
}
