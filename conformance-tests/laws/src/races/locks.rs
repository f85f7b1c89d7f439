//! Races of locks, permits, notifications and turns.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyio::checkpoint;
use anyio::sync::{Barrier, Condition, Mutex, OnceCell, OwnedSemaphorePermit, RwLock, Semaphore};

use super::{Boxed, Inside, duel, stress};
use crate::steps::{at_once, forever, waits};

/// A permit is added while the first of two waiters gives up.
pub async fn permits(rounds: usize) {
    type Acquiring = Boxed<OwnedSemaphorePermit>;
    let prepare = || {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut both: [Acquiring; 2] = [Box::pin(semaphore.acquire_arc()), Box::pin(semaphore.acquire_arc())];
        assert!(both.iter_mut().all(waits));
        (semaphore, both)
    };
    let give_up = |[mut first, second]: [Acquiring; 2]| (at_once(&mut first), second);
    duel(
        rounds,
        prepare,
        |semaphore| semaphore.add_permits(1),
        give_up,
        |semaphore, (first, mut second)| {
            let served = at_once(&mut second);
            assert!(first.is_some() != served.is_some(), "one permit was added");
            drop((second, first, served));
            assert_eq!(semaphore.available_permits(), 1);
        },
    );

    let (semaphore, inside) = (Arc::new(Semaphore::new(2)), Arc::new(AtomicUsize::new(0)));
    let uses = semaphore.clone();
    stress(rounds, move |round| {
        let (semaphore, inside) = (uses.clone(), inside.clone());
        async move {
            let permit = semaphore.acquire_many(1 + round % 2).await;
            let _inside = Inside::enter(&inside, permit.permits(), 2);
            if round % 3 == 0 {
                checkpoint().await;
            }
        }
    })
    .await;
    let statistics = semaphore.statistics();
    assert_eq!((statistics.available_permits, statistics.tasks_waiting), (2, 0));
}

/// A mutex is unlocked while the first of two waiters gives up.
pub async fn locks(rounds: usize) {
    let prepare = || {
        let mutex = Arc::new(Mutex::new(0));
        let guard = mutex.try_lock_arc().unwrap();
        let mut both: [Boxed<_>; 2] = [Box::pin(mutex.lock_arc()), Box::pin(mutex.lock_arc())];
        assert!(both.iter_mut().all(waits));
        (parking_lot::Mutex::new(Some(guard)), (mutex, both))
    };
    let unlock: fn(&parking_lot::Mutex<Option<_>>) = |guard| drop(guard.lock().take());
    duel(
        rounds,
        prepare,
        unlock,
        |(mutex, [first, second])| {
            drop(first);
            (mutex, second)
        },
        |_, (mutex, mut second)| {
            assert!(at_once(&mut second).is_some(), "it was passed on");
            drop(second);
            assert!(!mutex.is_locked());
        },
    );

    let (mutex, inside) = (Arc::new(Mutex::new(0)), Arc::new(AtomicUsize::new(0)));
    let uses = mutex.clone();
    let completed = stress(rounds, move |round| {
        let (mutex, inside) = (uses.clone(), inside.clone());
        async move {
            let mut guard = mutex.lock().await;
            let _inside = Inside::enter(&inside, 1, 1);
            if round % 3 == 0 {
                checkpoint().await;
            }
            *guard += 1;
        }
    });
    let completed = completed.await;
    assert_eq!((*mutex.try_lock().unwrap(), mutex.statistics().tasks_waiting), (completed, 0));
}

/// Readers and writers come and go.
pub async fn read_write_locks(rounds: usize) {
    let (lock, inside) = (Arc::new(RwLock::new(0)), Arc::new(AtomicUsize::new(0)));
    let uses = lock.clone();
    stress(rounds, move |round| {
        let (lock, inside) = (uses.clone(), inside.clone());
        async move {
            if round % 3 == 0 {
                let mut guard = lock.write().await;
                let _inside = Inside::enter(&inside, 1000, 1000);
                checkpoint().await;
                *guard += 1;
            } else {
                let _guard = lock.read().await;
                let _inside = Inside::enter(&inside, 1, 999);
                checkpoint().await;
            }
        }
    })
    .await;
    let statistics = lock.statistics();
    assert_eq!((statistics.readers, statistics.write_locked, statistics.tasks_waiting), (0, false, 0));
}

/// One is notified while the first of two waiters gives up.
pub async fn conditions(rounds: usize) {
    type Place = (Mutex<()>, Condition);
    let wait = async |place: Arc<Place>| drop(place.1.wait(place.0.lock().await).await);
    let prepare = || {
        let place = Arc::new((Mutex::new(()), Condition::new()));
        let mut both: [Boxed<()>; 2] = [Box::pin(wait(place.clone())), Box::pin(wait(place.clone()))];
        assert!(both.iter_mut().all(waits));
        (place, both)
    };
    let give_up = |[mut first, second]: [Boxed<()>; 2]| (at_once(&mut first).is_some(), second);
    duel(
        rounds,
        prepare,
        |place| place.1.notify_one(),
        give_up,
        |place, (first, mut second)| {
            assert!(first != at_once(&mut second).is_some(), "one was notified");
            assert!(!place.0.is_locked());
        },
    );
}

/// The last of three comes while the first gives up: they pass together, or the barrier waits for another.
pub async fn barriers(rounds: usize) {
    let come = async |barrier: Arc<Barrier>| barrier.wait().await.is_leader();
    let prepare = || {
        let barrier = Arc::new(Barrier::new(3));
        let mut both: [Boxed<bool>; 2] = [Box::pin(come(barrier.clone())), Box::pin(come(barrier.clone()))];
        assert!(both.iter_mut().all(waits));
        let last = parking_lot::Mutex::new(None);
        ((barrier, last), both)
    };
    type Shared = (Arc<Barrier>, parking_lot::Mutex<Option<super::SendBoxed<bool>>>);
    let come_last: fn(&Shared) = |(barrier, last)| {
        let barrier = barrier.clone();
        let mut wait: super::SendBoxed<bool> = Box::pin(async move { barrier.wait().await.is_leader() });
        if at_once(&mut wait) != Some(true) {
            *last.lock() = Some(wait);
        }
    };
    duel(
        rounds,
        prepare,
        come_last,
        |[first, second]: [Boxed<bool>; 2]| {
            drop(first);
            second
        },
        |(barrier, last), mut second| match last.lock().take() {
            None => assert_eq!(at_once(&mut second), Some(false), "all three had come"),
            Some(_waiting) => {
                assert!(waits(&mut second));
                assert_eq!(barrier.statistics().tasks_waiting, 2);
            }
        },
    );
}

/// Whoever makes a value fails while the first of two waiters gives up.
pub async fn once_cells(rounds: usize) {
    type Cell = Arc<OnceCell<u32>>;
    let make = async |cell: Cell| *cell.get_or_init(async || 1).await;
    let prepare = || {
        let cell = Cell::default();
        let making = cell.clone();
        let mut making: super::SendBoxed<()> = Box::pin(async move {
            making.get_or_init(forever).await;
        });
        assert!(waits(&mut making));
        let mut both: [Boxed<u32>; 2] = [Box::pin(make(cell.clone())), Box::pin(make(cell))];
        assert!(both.iter_mut().all(waits));
        (parking_lot::Mutex::new(Some(making)), both)
    };
    let fail: fn(&parking_lot::Mutex<Option<super::SendBoxed<()>>>) = |making| drop(making.lock().take());
    duel(
        rounds,
        prepare,
        fail,
        |[first, second]| {
            drop(first);
            second
        },
        |_, mut second| assert_eq!(at_once(&mut second), Some(1), "its turn was passed on"),
    );
}
