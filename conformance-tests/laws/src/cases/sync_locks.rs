//! Cases of the laws Q, C6, C7 and X5: semaphores, mutexes and read-write locks.

use std::cell::{Cell, RefCell};
use std::mem;
use std::sync::Arc;

use anyio::sync::{Locked, Mutex, NoPermits, RwLock, Semaphore};
use anyio::{CancelScope, checkpoint, task_group};
use futures::future::{join, join_all};
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::fixture::{Wakes, caught};
use crate::races;
use crate::steps::{acts_when_held, at_once, gate, is_cut_off, loop_ends, on_thread, pass, turns, until, waits};

/// Q1: Permits are handed over in the order in which they were asked for.
pub async fn permits_are_handed_over_in_order() {
    let semaphore = Semaphore::new(1);
    let order = RefCell::new(Vec::new());
    let held = semaphore.acquire().await;
    let tasks = (0..5).map(async |n| {
        let _permit = semaphore.acquire().await;
        order.borrow_mut().push(n);
        turns(1).await;
    });
    let release = async {
        until(|| semaphore.statistics().tasks_waiting == 5).await;
        drop(held);
    };
    join(join_all(tasks), release).await;
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
}

/// Q1: Nobody barges in: a permit that is released while a task waits is that task's before it is polled again.
pub async fn a_released_permit_belongs_to_the_first_in_line() {
    let semaphore = Semaphore::new(1);
    let held = semaphore.try_acquire().unwrap();
    let (mut first, mut second) = (semaphore.acquire(), semaphore.acquire());
    assert!(waits(&mut first) && waits(&mut second));
    drop(held);
    assert_eq!(semaphore.try_acquire().unwrap_err(), NoPermits);
    assert!(waits(&mut second));
    let permit = at_once(&mut first).expect("it was handed the permit");
    drop(permit);
    assert!(at_once(&mut second).is_some());
}

/// Q1: Who asks for many is not overtaken by those who ask for few.
pub async fn many_permits_are_not_overtaken_by_few() {
    let semaphore = Semaphore::new(2);
    let held = semaphore.acquire().await;
    let (mut many, mut one) = (semaphore.acquire_many(2), semaphore.acquire());
    assert!(waits(&mut many) && waits(&mut one));
    assert!(semaphore.try_acquire().is_err(), "one is available, and somebody waits");
    assert_eq!(semaphore.available_permits(), 1);
    drop(held);
    let both = at_once(&mut many).expect("both are available");
    assert!(waits(&mut one));
    drop(both);
    assert!(at_once(&mut one).is_some());
}

/// Q1, C7: When the first in line gives up, the next is served with what is there.
pub async fn a_waiter_that_gives_up_lets_the_next_ones_in() {
    let semaphore = Semaphore::new(2);
    let _held = semaphore.acquire().await;
    let (mut many, mut one) = (semaphore.acquire_many(2), semaphore.acquire());
    assert!(waits(&mut many));
    let wakes = Wakes::new();
    while wakes.poll(&mut one).is_pending() && semaphore.statistics().tasks_waiting < 2 {}
    let before = wakes.count();
    drop(many);
    assert_eq!(wakes.count(), before + 1);
    assert!(at_once(&mut one).is_some());
}

/// Q1, C7: A permit that was handed to a waiter which is dropped goes to the next in line.
pub async fn a_dropped_waiter_passes_its_permit_on() {
    let semaphore = Semaphore::new(1);
    let held = semaphore.acquire().await;
    let mut waiting: Vec<_> = (0..3).map(|_| semaphore.acquire()).collect();
    assert!(waiting.iter_mut().all(waits));
    drop(held);
    drop(waiting.remove(0));
    drop(waiting.remove(0));
    let permit = at_once(&mut waiting[0]).expect("two before it have passed it on");
    assert_eq!(semaphore.available_permits(), 0);
    drop(permit);
    assert_eq!(semaphore.available_permits(), 1);
}

/// Q1: A waiter that leaves in the middle of the line changes nothing for the others.
pub async fn a_waiter_may_leave_in_the_middle() {
    let semaphore = Semaphore::new(0);
    let mut waiting: Vec<_> = (0..4).map(|_| semaphore.acquire()).collect();
    assert!(waiting.iter_mut().all(waits));
    drop(waiting.remove(2));
    drop(waiting.remove(1));
    assert_eq!(semaphore.statistics().tasks_waiting, 2);
    semaphore.add_permits(1);
    assert!(waits(&mut waiting[1]));
    mem::forget(at_once(&mut waiting[0]).expect("it is the first"));
    semaphore.add_permits(1);
    assert!(at_once(&mut waiting[1]).is_some());
}

/// Q1: Permits can be added to a semaphore that has none, and none can be asked for.
pub async fn a_semaphore_may_begin_with_nothing() {
    let semaphore = Arc::new(Semaphore::new(0));
    assert!(semaphore.try_acquire().is_err());
    assert_eq!(semaphore.acquire_many(0).await.permits(), 0);
    let adds = semaphore.clone();
    let adding = on_thread(move || adds.add_permits(3));
    assert_eq!(semaphore.acquire_many(3).await.permits(), 3);
    adding.join().unwrap();
    assert_eq!(semaphore.available_permits(), 3);
}

/// Q1: A permit that is forgotten is not given back; owned ones keep the semaphore alive.
pub async fn permits_may_be_forgotten_and_owned() {
    let semaphore = Arc::new(Semaphore::new(4));
    semaphore.acquire().await.forget();
    semaphore.try_acquire_arc().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 2);
    let owned = semaphore.acquire_many_arc(2).await;
    assert!(semaphore.try_acquire().is_err());
    let statistics = semaphore.statistics();
    assert_eq!((statistics.available_permits, statistics.tasks_waiting), (0, 0));
    drop(owned);
    assert_eq!(semaphore.available_permits(), 2);
}

/// Q1: Permits that are given back on top of all that can be counted are forgotten, without a panic.
pub async fn giving_back_does_not_overflow() {
    let semaphore = Semaphore::new(usize::MAX);
    let permit = semaphore.try_acquire().unwrap();
    semaphore.add_permits(1);
    assert_eq!(caught(async { drop(permit) }).await, Ok(()));
    assert_eq!(semaphore.available_permits(), usize::MAX);
}

/// Q1: More permits than can be counted are refused before anything is changed.
pub async fn permits_do_not_overflow() {
    let semaphore = Semaphore::new(usize::MAX);
    let added = caught(async { semaphore.add_permits(1) }).await;
    assert!(added.unwrap_err().contains("at most"));
    assert_eq!(semaphore.available_permits(), usize::MAX);
    assert!(semaphore.try_acquire().is_ok());
}

/// C6: In a cancelled scope no lock and no permit is taken; where the cancellation does not reach, they are.
pub async fn nothing_is_taken_in_a_cancelled_scope() {
    let semaphore = Arc::new(Semaphore::new(1));
    assert!(is_cut_off(async { semaphore.acquire().await.forget() }).await);
    assert!(is_cut_off(async { semaphore.acquire_arc().await.forget() }).await);
    assert_eq!(semaphore.available_permits(), 1);
    assert_eq!(acts_when_held(semaphore.acquire()).await.permits(), 1);

    let mutex = Arc::new(Mutex::new(0));
    assert!(is_cut_off(async { *mutex.lock().await += 1 }).await);
    assert!(is_cut_off(async { *mutex.lock_arc().await += 1 }).await);
    assert_eq!(*acts_when_held(mutex.lock()).await, 0);

    let lock = RwLock::new(0);
    assert!(is_cut_off(async { mem::forget(lock.read().await) }).await);
    assert!(is_cut_off(async { *lock.write().await += 1 }).await);
    assert_eq!(*acts_when_held(lock.write()).await, 0);
}

/// X5: A loop that takes what is always there can be cancelled.
pub async fn a_loop_of_locks_can_be_cancelled() {
    let (semaphore, mutex, lock) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(())), RwLock::new(()));
    assert!(loop_ends(async || drop(semaphore.acquire().await)).await);
    assert!(loop_ends(async || drop(semaphore.acquire_arc().await)).await);
    assert!(loop_ends(async || drop(mutex.lock().await)).await);
    assert!(loop_ends(async || drop(mutex.lock_arc().await)).await);
    assert!(loop_ends(async || drop(lock.read().await)).await);
    assert!(loop_ends(async || drop(lock.write().await)).await);
}

/// C7: A cancellation that comes after the permit was handed over finds the permit taken, or passed on.
pub async fn a_cancelled_task_has_the_permit_or_not() {
    let semaphore = Semaphore::new(1);
    let held = semaphore.acquire().await;
    let scope = CancelScope::new();
    let handle = scope.handle();
    let taken = Cell::new(false);
    let body = scope.run(async {
        let _permit = semaphore.acquire().await;
        taken.set(true);
    });
    let act = async {
        until(|| semaphore.statistics().tasks_waiting == 1).await;
        drop(held);
        handle.cancel();
    };
    let (outcome, ()) = join(body, act).await;
    assert_eq!((outcome.is_ok(), taken.get()), (true, true), "the value wins");
    assert_eq!(semaphore.available_permits(), 1);
}

/// Q1: A mutex is handed over in order, and one task at a time has the value.
pub async fn a_mutex_is_handed_over_in_order() {
    let mutex = Arc::new(Mutex::new(Vec::new()));
    let guard = mutex.lock().await;
    let lock = async |n| {
        let mut order = mutex.lock().await;
        let length = order.len();
        turns(2).await;
        assert_eq!(order.len(), length);
        order.push(n);
    };
    let release = async {
        until(|| mutex.statistics().tasks_waiting == 4).await;
        assert!(mutex.statistics().locked);
        drop(guard);
    };
    join(join_all((0..4).map(lock)), release).await;
    assert_eq!(*mutex.try_lock().unwrap(), [0, 1, 2, 3]);
}

/// Q1: Nobody barges in when a mutex is unlocked, and a dropped waiter passes it on.
pub async fn an_unlocked_mutex_belongs_to_the_first_in_line() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let (mut first, mut second) = (mutex.lock(), mutex.lock());
    assert!(waits(&mut first) && waits(&mut second));
    drop(guard);
    assert_eq!(mutex.try_lock().unwrap_err(), Locked);
    drop(first);
    assert!(mutex.try_lock().is_err());
    assert!(at_once(&mut second).is_some());
}

/// Q1, C7: An owned guard keeps the mutex alive, holds the value, and brings it back.
pub async fn an_owned_guard_brings_the_value_back() {
    let mutex = Arc::new(Mutex::new(String::from("a")));
    let mut owned = mutex.lock_arc().await;
    assert!(mutex.try_lock_arc().is_err());
    owned.push('b');
    let mut waiting = mutex.lock();
    assert!(waits(&mut waiting));
    let changed = on_thread(move || owned.push('c'));
    changed.join().unwrap();
    assert_eq!(*at_once(&mut waiting).expect("it was handed over"), "abc");
    drop(waiting);
    assert_eq!(Arc::into_inner(mutex).unwrap().into_inner(), "abc");
}

/// Q1: A panic with a lock held unlocks it, and poisons nothing.
pub async fn a_panic_unlocks() {
    let mutex = Arc::new(Mutex::new(1));
    let lock = RwLock::new(1);
    let panicking = caught(async {
        let (mut guard, mut writer) = (mutex.lock().await, lock.write().await);
        *guard += 1;
        *writer += 1;
        turns(1).await;
        panic!("on purpose")
    });
    assert_eq!(panicking.await, Err::<(), _>("on purpose".to_owned()));
    let owning = caught(async {
        let mut guard = mutex.lock_arc().await;
        *guard += 1;
        panic!("on purpose")
    });
    assert_eq!(owning.await, Err::<(), _>("on purpose".to_owned()));
    assert_eq!((*mutex.lock().await, *lock.read().await), (3, 2));
}

/// Q1: A forgotten guard locks for ever; whoever waits can be cancelled, and the owner gets at the value.
pub async fn a_forgotten_guard_locks_for_ever() {
    let mut mutex = Mutex::new(1);
    mem::forget(mutex.lock().await);
    let scope = CancelScope::new();
    let handle = scope.handle();
    let (outcome, ()) = join(scope.run(async { drop(mutex.lock().await) }), async { handle.cancel() }).await;
    assert!(outcome.is_err() && mutex.is_locked());
    *mutex.get_mut() += 1;
    assert_eq!(mutex.into_inner(), 2);
}

/// Q1: Readers share; a writer is alone.
pub async fn readers_share_and_writers_do_not() {
    let lock = RwLock::new(5);
    let (one, another) = (lock.read().await, lock.try_read().unwrap());
    assert_eq!((*one, *another, lock.statistics().readers), (5, 5, 2));
    assert_eq!(lock.try_write().unwrap_err(), Locked);
    drop((one, another));
    let mut writer = lock.write().await;
    *writer += 1;
    assert!(lock.try_read().is_err() && lock.try_write().is_err());
    let statistics = lock.statistics();
    assert_eq!((statistics.readers, statistics.write_locked, statistics.tasks_waiting), (0, true, 0));
    drop(writer);
    assert_eq!(lock.into_inner(), 6);
}

/// Q1: A writer is not starved: readers that come after it wait for it.
pub async fn readers_do_not_starve_a_writer() {
    let lock = RwLock::new(0);
    let reading = lock.read().await;
    let mut writing = lock.write();
    assert!(waits(&mut writing));
    let mut later = lock.read();
    assert!(waits(&mut later) && lock.try_read().is_err());
    drop(reading);
    assert!(waits(&mut later));
    *at_once(&mut writing).expect("it is the writer's turn") = 7;
    assert_eq!(*at_once(&mut later).expect("the writer is done"), 7);
}

/// Q1: Readers that follow each other are let in together, and writers are not starved of them.
pub async fn readers_in_line_are_let_in_together() {
    let lock = RwLock::new(0);
    let writing = lock.write().await;
    let mut readers: Vec<_> = (0..3).map(|_| lock.read()).collect();
    assert!(readers.iter_mut().all(waits));
    let mut writer = lock.write();
    assert!(waits(&mut writer));
    drop(writing);
    let reading: Vec<_> = readers.iter_mut().map(|reader| at_once(reader).unwrap()).collect();
    assert!(waits(&mut writer));
    drop(reading);
    assert!(at_once(&mut writer).is_some());
}

/// Q1, C7: When a waiting writer gives up, the readers behind it are let in.
pub async fn a_writer_that_gives_up_lets_readers_in() {
    let lock = RwLock::new(0);
    let _reading = lock.read().await;
    let mut writing = lock.write();
    assert!(waits(&mut writing));
    let mut readers = [lock.read(), lock.read()];
    assert!(readers.iter_mut().all(waits));
    drop(writing);
    let reading: Vec<_> = readers.iter_mut().map(|reader| at_once(reader).expect("nobody writes")).collect();
    assert_eq!(lock.statistics().readers, 3);
    drop(reading);
}

/// Q1: A writer that goes on reading lets no writer in between.
pub async fn a_writer_may_go_on_reading() {
    let lock = RwLock::new(0);
    let mut writing = lock.write().await;
    let (mut reader, mut writer) = (lock.read(), lock.write());
    assert!(waits(&mut reader) && waits(&mut writer));
    *writing = 1;
    let reading = anyio::sync::RwLockWriteGuard::downgrade(writing);
    assert_eq!((*reading, *at_once(&mut reader).expect("readers are let in")), (1, 1));
    assert!(waits(&mut writer));
    drop((reading, reader));
    assert!(at_once(&mut writer).is_some());
}

/// Q1, C10: A hundred thousand waiters join, give up in the middle, and are served, each in constant time.
pub async fn a_hundred_thousand_wait_and_give_up() {
    const MANY: usize = 100_000;
    let semaphore = Semaphore::new(0);
    let mut waiting: Vec<_> = (0..MANY).map(|_| Some(semaphore.acquire())).collect();
    assert!(waiting.iter_mut().flatten().all(waits));
    // Every second one leaves, from the middle outwards: a search through the line would take minutes.
    for n in (0..MANY / 4).flat_map(|n| [MANY / 2 + 2 * n, MANY / 2 - 2 - 2 * n]) {
        waiting[n] = None;
    }
    assert_eq!(semaphore.statistics().tasks_waiting, MANY / 2);
    semaphore.add_permits(MANY);
    assert_eq!(semaphore.statistics().tasks_waiting, 0);
    let served = waiting.iter_mut().flatten().map(|wait| at_once(wait).expect("it was served").forget()).count();
    assert_eq!((served, semaphore.available_permits()), (MANY / 2, MANY / 2));
}

/// Q1, G1: Tasks on all threads take turns with a value that none of them may find half changed.
pub async fn tasks_take_turns_with_a_value() {
    let mutex = Arc::new(Mutex::new((0, 0)));
    let group = task_group(async |tg| {
        for _ in 0..10 {
            let mutex = mutex.clone();
            tg.spawn(async move {
                for _ in 0..20 {
                    let mut pair = mutex.lock().await;
                    pair.0 += 1;
                    checkpoint().await;
                    assert_eq!(pair.0, pair.1 + 1);
                    pair.1 += 1;
                }
            });
        }
    });
    group.await.unwrap();
    assert_eq!(*mutex.lock().await, (200, 200));
}

/// Q1, F1: Idle siblings in a foreign stream do not keep a permit from whoever is next.
pub async fn a_foreign_stream_that_is_dropped_passes_permits_on() {
    let semaphore = Semaphore::new(1);
    let held = semaphore.acquire().await;
    let mut stream: FuturesUnordered<_> = (0..5).map(|_| semaphore.acquire()).collect();
    let (seen, opens) = gate();
    let poll = async {
        let pass = std::pin::pin!(pass(seen));
        futures::future::select(stream.next(), pass).await;
    };
    let drop_held = async {
        until(|| semaphore.statistics().tasks_waiting == 5).await;
        opens.set();
    };
    join(poll, drop_held).await;
    drop(held); // goes to the first in the stream, which nobody polls
    let mut next = semaphore.acquire();
    assert!(waits(&mut next));
    drop(stream);
    assert!(at_once(&mut next).is_some());
}

/// C7, Q1: No permit is lost or doubled when waiters are cancelled while permits are handed over.
pub async fn permits_survive_races() {
    races::permits(300).await;
}

/// C7, Q1: No lock is lost or given twice when waiters are cancelled while it is handed over.
pub async fn locks_survive_races() {
    races::locks(300).await;
    races::read_write_locks(300).await;
}

/// Q1: A mutex makes shareable what may only be sent, as that of the standard library does.
pub async fn a_mutex_may_protect_what_is_not_sync() {
    let mutex = Arc::new(Mutex::new(Cell::new(1)));
    let other = mutex.clone();
    task_group(async |tg| drop(tg.spawn(async move { other.lock().await.set(2) }))).await.unwrap();
    assert_eq!(mutex.lock().await.get(), 2);
}
