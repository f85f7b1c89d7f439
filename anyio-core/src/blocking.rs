//! What blocking work needs of a runtime: [`Blocking`].

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
}
