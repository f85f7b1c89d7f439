//! From threads into async code: what a job on a thread may ask of its host, and portals for all other threads.
//!
//! Inside a job of [`to_thread`](crate::to_thread) or of [`spawn_blocking`](crate::TaskGroup::spawn_blocking),
//! [`check_cancelled`], [`run`] and [`run_sync`] act in the scope of the *host*: the code that started the job. A thread
//! that no runtime knows calls in through a [`BlockingPortal`].
//!
//! | from | to call async code |
//! |---|---|
//! | a job that async code has started | [`run`], [`run_sync`] |
//! | a plain thread, while async code runs elsewhere | a [`BlockingPortal`] opened there with [`portal`](crate::portal) |
//! | a plain thread, with no runtime around | [`start_blocking_portal`], or a [`BlockingPortalProvider`] to share one |
//! | a program that does nothing else meanwhile | [`anyio::run`](crate::run) |

mod calling;
pub(crate) mod host;
mod provider;
mod started;

use std::future::{Future, poll_fn};
use std::panic::Location;

pub use self::provider::{BlockingPortalProvider, PortalLease};
pub use self::started::{PortalThread, StartPortalError, start_blocking_portal};
pub use crate::portal::{BlockingPortal, PortalClosed, PortalError, PortalTask};

use self::calling::Calling;
use crate::reason::Cancelled;
use crate::task_group::{TaskError, protect};

/// A thread could not call into async code.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FromThreadError {
    /// The current thread does not run a job of [`to_thread`](crate::to_thread) or `spawn_blocking`, so there is no host.
    #[error(
        "not in a job that async code has started: call this inside anyio::to_thread::run or spawn_blocking; from other \
         threads use a BlockingPortal, in async code await instead"
    )]
    NotAWorker,
    /// The current thread is polling a task, which the call would block.
    #[error("called inside an async task, whose thread it would block: await the future instead")]
    InsideTask,
    /// The host was cancelled, or does not wait for the job any more.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Asks whether the host of the current job was cancelled, or has abandoned it, so that the job had better stop.
///
/// It is AnyIO's and Trio's `from_thread.check_cancelled`. It does not block.
///
/// # Errors
///
/// [`FromThreadError::Cancelled`] if so; [`FromThreadError::NotAWorker`] outside of jobs.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{from_thread, move_on_after, to_thread};
///
/// let rounds = to_thread::run(|| {
///     let mut rounds = 0_u64;
///     while from_thread::check_cancelled().is_ok() {
///         rounds += 1; // a part of something long
///     }
///     rounds
/// });
/// // The job is waited for, sees that it is not wanted any more, and what it has is there.
/// assert!(move_on_after(Duration::from_millis(5), rounds).await.is_some());
/// # });
/// ```
pub fn check_cancelled() -> Result<(), FromThreadError> {
    match host::cause(&host::get()?) {
        Some(cancelled) => Err(cancelled.into()),
        None => Ok(()),
    }
}

/// Runs `future` in the scope of the host, and blocks the current thread until it is done.
///
/// The future is polled on this thread, so it may borrow from it, and need not be `Send`; what it spawns runs on the
/// host's runtime, whose timers and I/O it uses. It is cancelled with the host; as any body it gets its first poll all
/// the same. When this returns, everything that was started in it and not finished has been cancelled and waited for.
///
/// *Compared to* AnyIO's, the host's thread is not involved: it may be busy. [`run_sync`] has a thread of the runtime do
/// the work.
///
/// # Errors
///
/// [`FromThreadError::Cancelled`] when the future was cut short, or the host is gone;
/// [`FromThreadError::NotAWorker`] and [`FromThreadError::InsideTask`] where the call is not possible.
///
/// # Panics
///
/// With the panic of `future`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::time::Duration;
/// use anyio::{from_thread, sleep, to_thread};
///
/// let line = to_thread::run(|| {
///     let mut line = String::from("from a thread");
///     from_thread::run(async {
///         sleep(Duration::from_millis(1)).await;
///         line.push_str(", having slept");
///     })
///     .unwrap();
///     line
/// });
/// assert_eq!(line.await, "from a thread, having slept");
/// # });
/// ```
pub fn run<F: Future>(future: F) -> Result<F::Output, FromThreadError> {
    let host = host::to_block_on()?;
    match Calling::enter(&host, future) {
        Some(calling) => Ok(host::block_on(calling)?),
        None => Err(refused(&host)),
    }
}

/// Runs `call` on a thread of the host's runtime, as a task in the scope of the host, and blocks the current thread until
/// it has returned.
///
/// For what belongs onto the runtime's thread. `call` must not block.
///
/// # Errors
///
/// [`FromThreadError::Cancelled`] when the runtime went down before, or the host is gone;
/// [`FromThreadError::NotAWorker`] and [`FromThreadError::InsideTask`] where the call is not possible.
///
/// # Panics
///
/// With the panic of `call`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::thread;
/// use anyio::{from_thread, to_thread};
///
/// let (here, there) = to_thread::run(|| {
///     (thread::current().id(), from_thread::run_sync(|| thread::current().id()).unwrap())
/// })
/// .await;
/// assert_ne!(here, there);
/// # });
/// ```
#[track_caller]
pub fn run_sync<T, F>(call: F) -> Result<T, FromThreadError>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let host = host::to_block_on()?;
    let running = protect::spawn_at(&host, host.runtime(), Location::caller(), async move { call() });
    let Ok(mut running) = running else {
        return Err(refused(&host));
    };
    let result = host::block_on(poll_fn(|cx| running.poll(cx)));
    result.map_err(|error| match error {
        TaskError::Cancelled(cancelled) => cancelled.into(),
        _ => refused(&host),
    })
}

/// The host has ended, or what is around it.
fn refused(host: &crate::tree::Link) -> FromThreadError {
    let gone = || Cancelled::new(crate::reason::CancelReason::GroupDropped);
    host::cause(host).unwrap_or_else(gone).into()
}
