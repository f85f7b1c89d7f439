//! What blocking work needs of a runtime: [`Blocking`].

use std::future::Future;
use std::pin::Pin;

/// A piece of blocking work handed to a runtime by [`Blocking::spawn_blocking`].
///
/// A job never panics, and reports its result, or that it was dropped unrun, through channels of its own.
pub type Job = Box<dyn FnOnce() + Send>;

/// What blocking work needs of a runtime: a thread where blocking is allowed.
///
/// **Implementors must** run every accepted job exactly once, whether or not anybody waits for it, on a thread that no
/// task is polled on; accept calls from every thread; and never run the job inside the call. Only a runtime that is
/// going down may drop a job unrun.
///
/// **Callers may** submit from anywhere, with no lock held.
///
/// The trap: runtimes whose blocking handle cancels the job when it is dropped. Detach it.
pub trait Blocking {
    /// Runs `job` on a thread where blocking is allowed; returns at once.
    fn spawn_blocking(&self, job: Job);

    /// Called in the thread of a job that has to wait for tasks of the runtime: polls `future` to its end and blocks the
    /// thread in between. Returns `false` to leave that to the caller, which is the default.
    ///
    /// For a runtime that decides when its jobs go on, such as a simulator. It may return `false` after some polls.
    fn wait_in_job(&self, future: Pin<&mut (dyn Future<Output = ()> + '_)>) -> bool {
        _ = future;
        false
    }
}
