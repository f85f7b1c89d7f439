//! What can be wrong with spawning, and with what becomes of a task.

use std::future::{Future, poll_fn};
use std::mem::{self, ManuallyDrop};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use anyio::TokioHandle;
use anyio_core::Task;
use parking_lot::Mutex;

use super::{Fault, Good};

/// Polls a task inside `spawn`.
pub(crate) struct PollsInline;

impl Fault for PollsInline {
    fn spawn(&self, good: &Good, mut task: Task) {
        if Pin::new(&mut task).poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            good.spawn(task);
        }
    }
}

/// Leaks every task.
pub(crate) struct LosesTasks;

impl Fault for LosesTasks {
    fn spawn(&self, _good: &Good, task: Task) {
        mem::forget(task);
    }
}

/// Drops every third task without running it.
#[derive(Default)]
pub(crate) struct DropsEveryThird(AtomicUsize);

impl Fault for DropsEveryThird {
    fn spawn(&self, good: &Good, task: Task) {
        if self.0.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            drop(task);
        } else {
            good.spawn(task);
        }
    }
}

/// Starts a task only when the next one is spawned.
#[derive(Default)]
pub(crate) struct StartsLate(Mutex<Option<Task>>);

impl Fault for StartsLate {
    fn spawn(&self, good: &Good, task: Task) {
        let earlier = self.0.lock().replace(task);
        earlier.into_iter().for_each(|task| good.spawn(task));
    }
}

/// Panics instead of spawning.
pub(crate) struct Panics;

impl Fault for Panics {
    fn spawn(&self, _good: &Good, _task: Task) {
        panic!("this runtime is full");
    }
}

/// Drops what is spawned on a thread that is not the runtime's.
pub(crate) struct SpawnsInsideOnly;

impl Fault for SpawnsInsideOnly {
    fn spawn(&self, good: &Good, task: Task) {
        if TokioHandle::current().is_ok() {
            good.spawn(task);
        }
    }
}

/// Panics when something is spawned on a thread that is not the runtime's.
pub(crate) struct PanicsOutside;

impl Fault for PanicsOutside {
    fn spawn(&self, good: &Good, task: Task) {
        TokioHandle::current().expect("there is no reactor running");
        good.spawn(task);
    }
}

/// Polls a task once more after it was ready.
pub(crate) struct PollsAfterReady;

impl Fault for PollsAfterReady {
    fn spawn(&self, good: &Good, mut task: Task) {
        good.spawn(Task::new(poll_fn(move |cx| {
            let polled = Pin::new(&mut task).poll(cx);
            if polled.is_ready() {
                let _ = Pin::new(&mut task).poll(cx);
            }
            polled
        })));
    }
}

/// Gives every task to two tasks of the runtime, each of which polls it when the other is not polling it.
pub(crate) struct RunsTwice;

impl Fault for RunsTwice {
    fn spawn(&self, good: &Good, task: Task) {
        let shared = Arc::new(Mutex::new(task));
        for _ in 0..2 {
            let shared = shared.clone();
            good.spawn(Task::new(poll_fn(move |cx| match shared.try_lock() {
                Some(mut task) => Pin::new(&mut *task).poll(cx),
                None => Poll::Ready(()),
            })));
        }
    }
}

/// Drops a task at its second poll.
pub(crate) struct DropsRunningTasks;

impl Fault for DropsRunningTasks {
    fn spawn(&self, good: &Good, mut task: Task) {
        let mut polls = 0;
        good.spawn(Task::new(poll_fn(move |cx| {
            polls += 1;
            if polls == 2 { Poll::Ready(()) } else { Pin::new(&mut task).poll(cx) }
        })));
    }
}

/// Leaks a task that has ended.
pub(crate) struct LeaksEndedTasks;

impl Fault for LeaksEndedTasks {
    fn spawn(&self, good: &Good, task: Task) {
        let mut task = ManuallyDrop::new(task);
        good.spawn(Task::new(poll_fn(move |cx| Pin::new(&mut *task).poll(cx))));
    }
}

/// Leaks a task that is left when the runtime goes down.
pub(crate) struct LeaksAtTheEnd;

impl Fault for LeaksAtTheEnd {
    fn spawn(&self, good: &Good, task: Task) {
        let mut task = Some(ManuallyDrop::new(task));
        good.spawn(Task::new(poll_fn(move |cx| {
            let polled = Pin::new(&mut **task.as_mut().expect("polled until it is ready")).poll(cx);
            if polled.is_ready() {
                task.take().map(ManuallyDrop::into_inner);
            }
            polled
        })));
    }
}
