//! The tasks on an executor that can come to an end.
//!
//! An executor of `async-executor` drops its tasks when it is dropped, all but one kind: a task whose waker is at work
//! on another thread at that moment reaches the queue after it was emptied for the last time, and is leaked there. So
//! the tasks are known here and are cancelled one by one, while the executor still exists.
//!
//! 1. A task holds a handle to the executor, so no handle may own it: `Owned` holds it weakly.
//! 2. A slot in `Live::slots` is taken before its task is spawned, and freed after its task was destroyed.
//! 3. No task is dropped, cancelled or detached under the lock: destructors and wakers run foreign code. The one waker
//!    that is woken under it is that of the thread which drives the executor; `async-executor` holds a lock then, too.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::thread;

use async_executor::Executor;
use slab::Slab;

use anyio_core::Task;

/// An executor and the tasks that were spawned on it from here.
#[derive(Debug)]
pub(crate) struct Owned {
    /// The executor in use (1).
    executor: Weak<Executor<'static>>,
    /// The tasks.
    live: Mutex<Live>,
}

/// The tasks of an [`Owned`].
#[derive(Debug, Default)]
struct Live {
    /// A slot per task that was not destroyed yet (2); empty once the task was cancelled.
    slots: Slab<Option<async_executor::Task<()>>>,
    /// Whether tasks are refused.
    closed: bool,
}

impl Owned {
    /// No task on `executor` yet.
    pub(crate) fn new(executor: &Arc<Executor<'static>>) -> Self {
        Owned { executor: Arc::downgrade(executor), live: Mutex::default() }
    }

    /// Starts `task`, or drops it once there is no executor for it.
    pub(crate) fn spawn(self: &Arc<Self>, task: Task) {
        let Some(executor) = self.executor.upgrade() else {
            return;
        };
        let mut live = self.lock();
        if live.closed {
            drop(live); // before the task (3)
            return;
        }
        let slot = live.slots.vacant_entry();
        let leave = Leave { owned: self.clone(), slot: slot.key() };
        slot.insert(Some(executor.spawn(Tracked { task, _leave: leave })));
    }

    /// Cancels the tasks and refuses all that follow. If nobody else can take the cancelled ones out of the executor,
    /// waits until they were destroyed.
    pub(crate) fn shut_down(&self) {
        let cancelled: Vec<_> = {
            let mut live = self.lock();
            live.closed = true;
            live.slots.iter_mut().map(|(_, task)| task.take()).collect()
        };
        drop(cancelled);
        let Some(executor) = self.executor.upgrade() else {
            return;
        };
        // Two owners: the caller, and this function.
        while Arc::strong_count(&executor) <= 2 && !self.lock().slots.is_empty() {
            if !executor.try_tick() {
                thread::yield_now();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that frees its slot once it was destroyed: the order of the fields matters (2).
struct Tracked {
    /// The task proper.
    task: Task,
    /// Its slot.
    _leave: Leave,
}

impl Future for Tracked {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.task).poll(cx)
    }
}

/// Frees a slot.
struct Leave {
    /// Where the slot is.
    owned: Arc<Owned>,
    /// Its key.
    slot: usize,
}

impl Drop for Leave {
    fn drop(&mut self) {
        let task = self.owned.lock().slots.try_remove(self.slot).flatten();
        if let Some(task) = task {
            task.detach();
        }
    }
}
