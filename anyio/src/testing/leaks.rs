//! [`assert_no_leaks`].

use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;

#[cfg(feature = "sim")]
use super::settle::wait_all_tasks_blocked;
use crate::run::enter;
use crate::runtime::Runtime;
use crate::unhandled::Unhandled;

/// Runs `future`, and panics if it leaves anything behind: then returns its output.
///
/// What counts as left behind:
///
/// - whatever reaches the [unhandled-outcome hook](crate::set_unhandled_hook): a clean-up that was skipped, an error that
///   nobody received, a future that was forgotten;
/// - tokens of the run's limiter of threads that were not returned: jobs that were abandoned and still run;
/// - in the simulator: tasks that are alive when everything else has come to where it waits, such as those of an
///   [`OwnedTaskGroup`](crate::OwnedTaskGroup) that nobody closed. The panic shows them.
///
/// Elsewhere, tasks that are left show in that the run does not end.
///
/// # Panics
///
/// With what was left behind; where there is no runtime; with the panic of `future`.
///
/// # Cancel safety
///
/// Dropping it drops `future`, and nothing is checked.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::testing::assert_no_leaks;
///
/// let answer = assert_no_leaks(async {
///     anyio::finally(async { 42 }, async { anyio::checkpoint().await }).await
/// });
/// assert_eq!(answer.await, Ok(42));
/// # });
/// ```
pub async fn assert_no_leaks<F: Future>(future: F) -> F::Output {
    let watch = Watch::begin(|_| true);
    let output = enter(watch.runtime.clone(), future).await;
    watch.end().await;
    output
}

/// What is watched from the beginning of a piece of work to its end.
pub(super) struct Watch {
    /// The runtime to run the work on.
    pub(super) runtime: Runtime,
    heard: Arc<Mutex<Vec<String>>>,
    /// How many tokens of the limiter were out.
    tokens: usize,
    #[cfg(feature = "sim")]
    tasks: Option<usize>,
}

impl Watch {
    /// Begins; `counts` says which outcomes count.
    pub(super) fn begin(counts: impl Fn(&Unhandled) -> bool + Send + Sync + 'static) -> Self {
        let runtime = Runtime::current().unwrap_or_else(|error| panic!("{error}"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = heard.clone();
        let tokens = runtime.threads().statistics().borrowed;
        let runtime = runtime.with_hook(move |outcome| {
            if counts(&outcome) {
                hears.lock().push(outcome.to_string());
            }
        });
        Watch {
            runtime,
            heard,
            tokens,
            #[cfg(feature = "sim")]
            tasks: anyio_backend_sim::SimHandle::current().map(|sim| sim.tasks()),
        }
    }

    /// Ends.
    pub(super) async fn end(self) {
        #[cfg(feature = "sim")]
        if let (Some(before), Some(sim)) = (self.tasks, anyio_backend_sim::SimHandle::current()) {
            wait_all_tasks_blocked().await;
            assert!(sim.tasks() <= before, "tasks are left at the end:\n{}", sim.report());
        }
        let heard = self.heard.lock();
        assert!(heard.is_empty(), "nobody was left to receive this: {}", heard.join("; "));
        let tokens = self.runtime.threads().statistics().borrowed;
        assert!(tokens <= self.tokens, "{} tokens of the limiter of threads were not returned", tokens - self.tokens);
    }
}
