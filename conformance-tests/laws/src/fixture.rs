//! What the cases are made of: hooks that remember, futures that count, runtimes of their own.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use anyio::{Runtime, Unhandled};
use parking_lot::Mutex;

use crate::Recipe;

thread_local! {
    static RECIPE: RefCell<Option<Recipe>> = const { RefCell::new(None) };
}

pub(crate) fn set_recipe(recipe: Recipe) {
    RECIPE.set(Some(recipe));
}

/// The recipe of the backend under test. To be called on the case's own thread: at its top level, not in a task.
///
/// # Panics
///
/// On any other thread.
#[must_use]
pub fn recipe() -> Recipe {
    RECIPE.with_borrow(|recipe| recipe.clone()).expect("called on the thread of the case")
}

/// Runs `body` on a runtime of its own, which is started and shut down on a thread of its own, and blocks until then.
///
/// # Panics
///
/// With the panic of the body.
pub fn in_own_run<T: Send + 'static, F: Future<Output = T>>(body: impl FnOnce() -> F + Send + 'static) -> T {
    let recipe = recipe();
    let run = move || {
        set_recipe(recipe.clone());
        anyio::run(recipe(), body())
    };
    thread::spawn(run).join().unwrap_or_else(|payload| resume_unwind(payload))
}

/// What the unhandled-outcome hook heard.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<Unhandled>>>);

impl Heard {
    /// How many outcomes match.
    pub fn count(&self, matches: impl Fn(&Unhandled) -> bool) -> usize {
        self.0.lock().iter().filter(|outcome| matches(outcome)).count()
    }

    /// All that was heard, as text.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.lock().iter().map(ToString::to_string).collect()
    }

    /// Whether nothing was heard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

/// The runtime of the case with a hook that remembers. Run what is to be heard in [`anyio::enter`] of it.
///
/// # Panics
///
/// Outside a runtime.
#[must_use]
pub fn hooked() -> (Runtime, Heard) {
    let heard = Heard::default();
    let hears = heard.clone();
    let runtime = Runtime::current().expect("a case runs in a runtime");
    (runtime.with_hook(move |outcome| hears.0.lock().push(outcome)), heard)
}

/// Counts its drops.
#[derive(Clone, Debug, Default)]
pub struct Drops(Arc<AtomicUsize>);

/// Counts as one drop when it is dropped.
#[derive(Debug)]
pub struct Dropped(Drops);

impl Drops {
    /// Nothing dropped yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Something whose drop counts.
    #[must_use]
    pub fn token(&self) -> Dropped {
        Dropped(self.clone())
    }

    /// How many were dropped.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a future a given number of times at most, and gives it back.
pub struct Polls<F> {
    future: Option<F>,
    left: usize,
}

/// Polls `future` until it is ready or was pending `polls` times; an `Err` gives it back, to be dropped, forgotten, or
/// polled on.
pub fn poll_times<F: Future + Unpin>(polls: usize, future: F) -> Polls<F> {
    Polls { future: Some(future), left: polls }
}

impl<F: Future + Unpin> Future for Polls<F> {
    type Output = Result<F::Output, F>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut future = self.future.take().expect("not polled after it was ready");
        if self.left == 0 {
            return Poll::Ready(Err(future));
        }
        match Pin::new(&mut future).poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending if self.left == 1 => Poll::Ready(Err(future)),
            Poll::Pending => {
                self.left -= 1;
                self.future = Some(future);
                Poll::Pending
            }
        }
    }
}

impl<F> std::fmt::Debug for Polls<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Polls").field("left", &self.left).finish_non_exhaustive()
    }
}

/// What the panic of `run` said.
///
/// # Panics
///
/// If it does not.
pub fn panic_of<T>(run: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(run)).err().expect("a panic");
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// A foreign executor: polls `future` on the current thread until it is ready. It may be called inside any other, which
/// that of `futures` refuses on the threads of its own pools.
pub fn block_on<F: Future>(future: F) -> F::Output {
    // What blocks inside a poll takes the thread's own token, so whether it was woken is noted apart.
    struct Parked(Thread, AtomicBool);
    impl Wake for Parked {
        fn wake(self: Arc<Self>) {
            self.1.store(true, Ordering::SeqCst);
            self.0.unpark();
        }
    }
    let parked = Arc::new(Parked(thread::current(), AtomicBool::new(false)));
    let waker = Waker::from(parked.clone());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !parked.1.swap(false, Ordering::SeqCst) {
            thread::park();
        }
    }
}

/// A time so long that no case waits for it.
pub const LONG: Duration = Duration::from_secs(3600);

/// A time so short that a case may wait for it.
pub const SHORT: Duration = Duration::from_millis(10);

/// What came of `future`, or what its panic said.
///
/// # Errors
///
/// The text of the panic.
pub async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(payload) => Poll::Ready(Err(panic_of(|| resume_unwind(payload)))),
    })
    .await
}

/// A waker that counts.
#[derive(Debug, Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    /// Not woken yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How often it was woken.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Polls `future` once, to be woken here.
    pub fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Poll<F::Output> {
        let waker = Waker::from(self.clone());
        Pin::new(future).poll(&mut Context::from_waker(&waker))
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
