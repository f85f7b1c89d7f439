//! Whom the current thread works for.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;

use super::FromThreadError;
use crate::context;
use crate::detect;
use crate::park;
use crate::reason::{CancelReason, Cancelled};
use crate::runtime::Runtime;
use crate::tree::Link;

thread_local! {
    /// The place in the tree that stands for the caller of the job that runs in this thread.
    static HOST: Cell<Option<Link>> = const { Cell::new(None) };
}

/// Has this thread work for `host`, or for nobody, until the guard is dropped.
pub(crate) fn enter(host: Option<Link>) -> Entered {
    Entered(HOST.try_with(|current| current.replace(host)).unwrap_or_default())
}

#[must_use]
pub(crate) struct Entered(Option<Link>);

impl Drop for Entered {
    fn drop(&mut self) {
        let outer = self.0.take();
        let _ = HOST.try_with(|current| current.set(outer));
    }
}

/// Polls `future` to its end and blocks the current thread in between. Where that thread runs a job, the runtime may have
/// its own way to do so.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    match runtime() {
        Some(runtime) => block_on_in(&runtime, future),
        None => park::block_on(pin!(future)),
    }
}

/// [`block_on`] where the job is one of `runtime`'s.
pub(crate) fn block_on_in<F: Future>(runtime: &Runtime, future: F) -> F::Output {
    let mut output = None;
    {
        let mut waits = pin!(async { output = Some(future.await) });
        if !runtime.backend().wait_in_job(waits.as_mut()) {
            park::block_on(waits);
        }
    }
    output.expect("it was polled to its end")
}

fn current() -> Option<Link> {
    let host = HOST.try_with(Cell::take).unwrap_or_default();
    let _ = HOST.try_with(|current| current.set(host.clone()));
    host
}

/// The runtime of the host.
pub(crate) fn runtime() -> Option<Runtime> {
    current().and_then(|host| host.try_runtime().cloned())
}

/// The host, to be looked at.
pub(super) fn get() -> Result<Link, FromThreadError> {
    current().ok_or(FromThreadError::NotAWorker)
}

/// The host, to be waited for in this thread.
pub(super) fn to_block_on() -> Result<Link, FromThreadError> {
    if context::is_inside() {
        return Err(FromThreadError::InsideTask);
    }
    let host = get()?;
    if detect::may_block() { Ok(host) } else { Err(FromThreadError::InsideTask) }
}

/// Why the host does not want the job any more, if it does not: it was cancelled, or it is gone.
pub(super) fn cause(host: &Link) -> Option<Cancelled> {
    let dropped = || host.is_gone().then(|| Cancelled::new(CancelReason::GroupDropped));
    host.cause().map(|cause| cause.reason).or_else(dropped)
}
