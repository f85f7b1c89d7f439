//! [`Condition`]: waiting until what a mutex protects has changed.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::lock::Mutex as Lock;

use super::mutex::{Mutex, MutexGuard};
use super::semaphore::Acquire;
use crate::line::{Left, Visitor, Wait, Waiters, Wakes, change};
use crate::operation::{Operation, begin};

/// Waiting until what a [`Mutex`] protects has changed.
///
/// It is AnyIO's and Trio's `Condition`, apart from its lock, as in Rust's standard library: [`wait`](Condition::wait)
/// takes the guard, unlocks, waits to be notified, locks again and gives the guard back.
///
/// Who waits longest is notified first, and nobody is notified who began to wait later. A notified waiter that is
/// cancelled passes the notification on. There are no spurious wake-ups; still, what was notified of may be gone when the
/// lock is had again: use [`wait_while`](Condition::wait_while).
///
/// **What differs from Trio:** there a cancelled `wait` locks again before it raises, because code that runs afterwards,
/// inside the lock, expects that. Here a cancelled wait is dropped, and the guard with it: nothing is locked afterwards.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::sync::{Condition, Mutex};
///
/// static JOBS: Mutex<Vec<&str>> = Mutex::new(Vec::new());
/// static ADDED: Condition = Condition::new();
///
/// anyio::task_group(async |tg| {
///     tg.spawn(async {
///         let mut jobs = ADDED.wait_while(JOBS.lock().await, |jobs| jobs.is_empty()).await;
///         assert_eq!(jobs.pop(), Some("sweep"));
///     });
///     JOBS.lock().await.push("sweep");
///     ADDED.notify_one();
/// })
/// .await
/// .unwrap();
/// # });
/// ```
pub struct Condition {
    state: Lock<Waiting>,
}

/// What a [`Condition`] looks like at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionStatistics {
    /// How many tasks wait to be notified.
    pub tasks_waiting: usize,
}

struct Waiting {
    /// The number of the next to wait.
    next: u64,
    /// By their numbers. A notification is for those below the number that it carries.
    line: Waiters<u64, u64>,
}

impl Condition {
    /// A condition that nobody waits for.
    #[must_use]
    pub const fn new() -> Self {
        Condition { state: Lock::new(Waiting { next: 0, line: Waiters::new() }) }
    }

    /// Unlocks, waits to be notified, and locks again. Nothing happens between the unlocking and the waiting: whoever
    /// notifies while holding the lock is not missed.
    ///
    /// # Cancel safety
    ///
    /// The guard is dropped with the wait: the mutex is *not* locked afterwards. A notification that had arrived goes to
    /// the next who waits. Where the task is cancelled already, the wait does not begin.
    #[track_caller]
    pub fn wait<'a, T>(&'a self, guard: MutexGuard<'a, T>) -> impl Future<Output = MutexGuard<'a, T>> {
        Operation::new(WaitLocked::new(self, guard), |guard| guard)
    }

    /// Waits as long as `condition` says so, and looks again after each notification. The guard that it returns locks a
    /// value for which `condition` said no.
    ///
    /// # Cancel safety
    ///
    /// That of [`wait`](Condition::wait).
    #[track_caller]
    pub fn wait_while<'a, T>(
        &'a self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> impl Future<Output = MutexGuard<'a, T>> {
        let begin = begin();
        async move {
            begin.await;
            while condition(&mut guard) {
                guard = WaitLocked::new(self, guard).await;
            }
            guard
        }
    }

    /// Notifies the one who waits longest; nothing happens where nobody waits. Whoever calls it need not have locked.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Notifies the `count` who wait longest.
    pub fn notify(&self, count: usize) {
        change(&self.state, |state, wakes| state.notify(count, state.next, wakes));
    }

    /// Notifies all who wait.
    pub fn notify_all(&self) {
        self.notify(usize::MAX);
    }

    /// What the condition looks like now.
    #[must_use]
    pub fn statistics(&self) -> ConditionStatistics {
        ConditionStatistics { tasks_waiting: self.state.lock().line.len() }
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("tasks_waiting", &self.statistics().tasks_waiting).finish()
    }
}

impl Waiting {
    /// Notifies the first `count` whose numbers are below `before`.
    fn notify(&mut self, count: usize, before: u64, wakes: &mut Wakes) {
        for _ in 0..count {
            if self.line.front().is_none_or(|number| *number >= before) {
                return;
            }
            self.line.serve(before, wakes);
        }
    }
}

/// Wants to be notified.
struct Notified;

impl Visitor for Notified {
    type State = Waiting;
    /// The number of the one who waits.
    type Want = u64;
    /// Whom the notification is for.
    type Grant = u64;
    type Output = u64;

    fn line(state: &mut Waiting) -> &mut Waiters<u64, u64> {
        &mut state.line
    }

    fn try_now(&mut self, _state: &mut Waiting, _wakes: &mut Wakes) -> Option<u64> {
        None
    }

    fn want(&mut self, state: &mut Waiting) -> u64 {
        state.next += 1;
        state.next - 1
    }

    fn collect(&mut self, _state: &mut Waiting, before: u64, _wakes: &mut Wakes) -> u64 {
        before
    }

    fn give_up(&mut self, state: &mut Waiting, left: &Left<u64, u64>, wakes: &mut Wakes) {
        if let Left::Grant(before) = left {
            state.notify(1, *before, wakes);
        }
    }
}

/// A wait, with the mutex that was locked before and is to be locked after.
struct WaitLocked<'a, T> {
    condition: &'a Condition,
    mutex: &'a Mutex<T>,
    stage: Stage<'a, T>,
}

enum Stage<'a, T> {
    Locked(#[expect(dead_code, reason = "unlocks when the wait has begun")] MutexGuard<'a, T>),
    Waiting(Wait<'a, Notified>),
    /// Notified. If the lock is not had in the end, somebody else is to be notified.
    Locking(Wait<'a, Acquire>, u64),
    Done,
}

impl<'a, T> WaitLocked<'a, T> {
    fn new(condition: &'a Condition, guard: MutexGuard<'a, T>) -> Self {
        WaitLocked { condition, mutex: MutexGuard::mutex(&guard), stage: Stage::Locked(guard) }
    }
}

impl<'a, T> Future for WaitLocked<'a, T> {
    type Output = MutexGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Locked(_) => {
                    let mut wait = Wait::new(&this.condition.state, Notified);
                    // In line first, then unlocked: nobody can notify in between.
                    let in_line = Pin::new(&mut wait).poll(cx);
                    debug_assert!(in_line.is_pending(), "a notification is never there before the wait");
                    drop(mem::replace(&mut this.stage, Stage::Waiting(wait)));
                    return Poll::Pending;
                }
                Stage::Waiting(wait) => {
                    let before = ready!(Pin::new(wait).poll(cx));
                    this.stage = Stage::Locking(this.mutex.turn().wait(1), before);
                }
                Stage::Locking(wait, _) => {
                    ready!(Pin::new(wait).poll(cx));
                    this.stage = Stage::Done;
                    return Poll::Ready(this.mutex.guard());
                }
                Stage::Done => unreachable!("not polled after it was ready"),
            }
        }
    }
}

impl<T> Drop for WaitLocked<'_, T> {
    fn drop(&mut self) {
        if let Stage::Locking(_, before) = self.stage {
            change(&self.condition.state, |state, wakes| state.notify(1, before, wakes));
        }
    }
}
