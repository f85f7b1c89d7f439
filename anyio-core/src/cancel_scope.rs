//! What a cancel scope needs of a runtime: [`Checkpoint`].

use std::task::Waker;

/// What a cancel scope needs of a runtime: a fair way to step aside.
///
/// Cancellation is delivered where a task is suspended. A task whose operations are always ready never suspends, so
/// anyio makes it suspend from time to time and uses this trait to have it polled again.
///
/// **Implementors must** see to it that `waker` is woken, and that between now and the poll that follows the runtime
/// goes on with its other tasks, its timers and its I/O, at the latest after a bounded number of such turns. It must
/// also work when the poll happens inside a foreign `block_on` on one of the runtime's threads. For nearly every
/// runtime `waker.wake_by_ref()` is right: a task that is woken during its own poll goes to the back of the queue.
///
/// **Callers may** call it from within a poll, and must return `Pending` after it.
///
/// The traps: handing the waker to a queue that the runtime only looks at when the current task has returned, since
/// inside a nested `block_on` that never happens; and an executor that polls a task which woke itself again at once,
/// such as the thread pool of `futures`, where the wake has to come from elsewhere.
pub trait Checkpoint {
    /// Wakes `waker` once others have had their turn.
    fn checkpoint(&self, waker: &Waker);

    /// Whether the task of the runtime that is being polled in this thread has used up what the runtime allows it to do in
    /// one poll, so that nothing else that is polled within it would get anywhere. The default is `false`: for runtimes
    /// that allow what a task likes.
    ///
    /// [Carriers](crate::Sharing) ask before each task of a group, as each has a share of its own.
    fn is_exhausted(&self) -> bool {
        false
    }
}
