//! Waiting for tasks, and leaving them what they are.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, ready};

use crate::branches::{Ready, Wakeup};
use crate::task_group::{TaskHandle, TaskStatus};
use crate::unit::Entry;

/// Waits until at least one of the tasks has ended; returns those that have, and those that are pending.
///
/// It is asyncio's `wait(…, return_when=FIRST_COMPLETED)`: nothing is cancelled, and the handles of the tasks that have
/// ended still have to be awaited, which they are at once. Both lists are in the order of the handles. Of none it is ready.
///
/// To be used in a loop until `pending` is empty. *Compared to* [`race`](super::race): the others go on.
///
/// # Cancel safety
///
/// The handles are dropped, which changes nothing for their tasks.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// anyio::task_group(async |tg| {
///     let quick = tg.spawn(async { 1 });
///     let slow = tg.spawn(async { anyio::sleep_forever().await; 2 });
///     let (done, pending) = anyio::wait_any([quick, slow]).await;
///     assert_eq!((done.len(), pending.len()), (1, 1));
///     tg.cancel();
/// })
/// .await
/// .unwrap();
/// # });
/// ```
pub fn wait_any<T>(
    tasks: impl IntoIterator<Item = TaskHandle<T>>,
) -> impl Future<Output = (Vec<TaskHandle<T>>, Vec<TaskHandle<T>>)> {
    wait(tasks.into_iter().collect(), |_| true)
}

/// Waits until one of the tasks has ended without a value, or all have ended; returns those that have, and those that are
/// pending.
///
/// It is asyncio's `wait(…, return_when=FIRST_EXCEPTION)`; see [`wait_any`]. In a group in which a failure cancels the
/// others, these follow soon.
///
/// # Cancel safety
///
/// As [`wait_any`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// anyio::task_group(async |tg| {
///     let cancelled = tg.spawn(anyio::sleep_forever());
///     let other = tg.spawn(anyio::sleep_forever());
///     cancelled.cancel();
///     let (done, pending) = anyio::wait_first_failure([other, cancelled]).await;
///     assert_eq!((done.len(), pending.len()), (1, 1));
///     tg.cancel();
/// })
/// .await
/// .unwrap();
/// # });
/// ```
pub fn wait_first_failure<T>(
    tasks: impl IntoIterator<Item = TaskHandle<T>>,
) -> impl Future<Output = (Vec<TaskHandle<T>>, Vec<TaskHandle<T>>)> {
    wait(tasks.into_iter().collect(), |status| status != TaskStatus::Completed)
}

/// Waits until all of the tasks have ended, however they did; returns their handles, which are ready.
///
/// It is asyncio's `wait(…, return_when=ALL_COMPLETED)`; see [`wait_any`].
///
/// # Cancel safety
///
/// As [`wait_any`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// anyio::task_group(async |tg| {
///     let tasks = [tg.spawn(async { 1 }), tg.spawn(async { 2 })];
///     let mut sum = 0;
///     for task in anyio::wait_all(tasks).await {
///         sum += task.value().await;
///     }
///     assert_eq!(sum, 3);
/// })
/// .await
/// .unwrap();
/// # });
/// ```
pub fn wait_all<T>(tasks: impl IntoIterator<Item = TaskHandle<T>>) -> impl Future<Output = Vec<TaskHandle<T>>> {
    let all = wait(tasks.into_iter().collect(), |_| false);
    async move { all.await.0 }
}

/// Waits until one of the tasks has ended in a way that is `enough`, or all have ended.
async fn wait<T>(
    tasks: Vec<TaskHandle<T>>,
    enough: fn(TaskStatus) -> bool,
) -> (Vec<TaskHandle<T>>, Vec<TaskHandle<T>>) {
    let mut waiting = Waiting::new(tasks, enough);
    poll_fn(|cx| waiting.poll(cx)).await;
    waiting.tasks.into_iter().partition(TaskHandle::is_finished)
}

struct Waiting<T> {
    tasks: Vec<TaskHandle<T>>,
    enough: fn(TaskStatus) -> bool,
    entry: Entry,
    ready: std::sync::Arc<Ready>,
    /// The wakers of those that have not ended.
    wakeups: Vec<Option<Wakeup>>,
    left: usize,
    is_enough: bool,
    woken: Vec<usize>,
}

impl<T> Waiting<T> {
    fn new(tasks: Vec<TaskHandle<T>>, enough: fn(TaskStatus) -> bool) -> Self {
        let ready = Ready::new();
        let wakeups: Vec<_> = (0..tasks.len()).map(|index| Some(Wakeup::awake(index, &ready))).collect();
        let left = tasks.len();
        let (entry, woken) = (Entry::new(), Vec::new());
        Waiting { tasks, enough, entry, ready, wakeups, left, is_enough: false, woken }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.entry.poll(cx));
        self.ready.begin(cx);
        let mut woken = std::mem::take(&mut self.woken);
        self.ready.take(&mut woken);
        woken.drain(..).for_each(|index| self.look_at(index));
        self.woken = woken;
        if self.left > 0 && !self.is_enough {
            return Poll::Pending;
        }
        let failed = |task: &TaskHandle<T>| !matches!(task.status(), TaskStatus::Completed | TaskStatus::Running);
        if self.tasks.iter().any(failed) {
            // What was cancelled for that is to be dropped here, like one that awaits the handle itself.
            ready!(self.entry.poll_offer(cx));
        }
        Poll::Ready(())
    }

    fn look_at(&mut self, index: usize) {
        let Some(wakeup) = &self.wakeups[index] else {
            return;
        };
        if self.tasks[index].poll_ended(&wakeup.begin()).is_ready() {
            self.wakeups[index] = None;
            self.left -= 1;
            self.is_enough |= (self.enough)(self.tasks[index].status());
        }
    }
}
