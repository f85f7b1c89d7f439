//! Races of the laws C7 and Q: nothing is lost or doubled when a cancellation meets a hand-over.
//!
//! Each runs a number of rounds: few among the cases, a million in a test of its own. There are two kinds. In a *duel*,
//! two threads act upon the same primitive at the same moment, and what came of it is looked at after each round. Under
//! *stress*, tasks use a primitive in scopes that a thread keeps cancelling, and what is left is looked at in the end.

mod channels;
mod locks;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;

use anyio::{CancelHandle, CancelScope, task_group};
use parking_lot::Mutex;

use crate::steps::on_thread;

pub use self::channels::{broadcasts, buffered, oneshots, rendezvous, reserved, sent_and_received, watched};
pub use self::locks::{barriers, conditions, locks, once_cells, permits, read_write_locks};

/// How many rounds the two threads of a duel go through before they meet again.
const BATCH: usize = 64;

/// How many tasks use a primitive under stress.
const WORKERS: usize = 4;

type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

type SendBoxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Has `theirs` run on another thread while `mine` runs here, once for each of what `prepare` makes; then `check`s.
fn duel<S: Send + Sync + 'static, L, R>(
    rounds: usize,
    prepare: impl Fn() -> (S, L),
    theirs: fn(&S),
    mine: impl Fn(L) -> R,
    check: impl Fn(&S, R),
) {
    let (send, receive) = mpsc::channel::<Arc<Vec<S>>>();
    let line = Arc::new(Barrier::new(2));
    let starts = line.clone();
    let partner = on_thread(move || {
        for shared in receive {
            starts.wait();
            shared.iter().for_each(theirs);
            drop(shared);
            starts.wait();
        }
    });
    for batch in 0..rounds.div_ceil(BATCH) {
        let (shared, local): (Vec<S>, Vec<L>) = (0..BATCH).map(|_| prepare()).unzip();
        let shared = Arc::new(shared);
        send.send(shared.clone()).expect("the partner lives");
        line.wait();
        // Now this one is ahead, now that one.
        (0..batch % 50 * 20).for_each(|_| std::hint::spin_loop());
        let results: Vec<_> = local.into_iter().map(&mine).collect();
        line.wait();
        shared.iter().zip(results).for_each(|(shared, result)| check(shared, result));
    }
    drop(send);
    partner.join().expect("the partner does not panic");
}

/// Has tasks run `operation` for a number of rounds altogether, in scopes that a thread keeps cancelling. Says how many
/// were not cut short.
async fn stress<F: Future<Output = ()> + Send + 'static>(
    rounds: usize,
    operation: impl Fn(usize) -> F + Clone + Send + 'static,
) -> usize {
    let slots: Arc<Vec<Mutex<Option<CancelHandle>>>> = Arc::new((0..WORKERS).map(|_| Mutex::default()).collect());
    let (over, completed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let canceller = {
        let (slots, over) = (slots.clone(), over.clone());
        on_thread(move || keep_cancelling(&slots, &over))
    };
    let group = task_group(async |tg| {
        for worker in 0..WORKERS {
            let (slots, operation, completed) = (slots.clone(), operation.clone(), completed.clone());
            tg.spawn(async move {
                for round in 0..rounds.div_ceil(WORKERS) {
                    let scope = CancelScope::new();
                    *slots[worker].lock() = Some(scope.handle());
                    let outcome = scope.run(operation(round * WORKERS + worker)).await;
                    completed.fetch_add(usize::from(outcome.is_ok()), Ordering::Relaxed);
                }
            });
        }
    });
    let outcome = group.await;
    over.store(true, Ordering::Relaxed);
    canceller.join().expect("cancelling does not panic");
    outcome.expect("nobody cancels the group");
    completed.load(Ordering::Relaxed)
}

fn keep_cancelling(slots: &[Mutex<Option<CancelHandle>>], over: &AtomicBool) {
    for turn in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let handle = slots[turn % slots.len()].lock().take();
        if let Some(handle) = handle {
            handle.cancel();
        }
        thread::yield_now();
    }
}

/// Counts who is inside, at most `most` at a time.
struct Inside<'a>(&'a AtomicUsize, usize);

impl<'a> Inside<'a> {
    fn enter(count: &'a AtomicUsize, weight: usize, most: usize) -> Self {
        let before = count.fetch_add(weight, Ordering::SeqCst);
        let inside = Inside(count, weight);
        assert!(before + weight <= most, "{before} were inside already");
        inside
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::SeqCst);
    }
}
