//! [`assert_cancel_safe`].

use std::any::Any;
use std::fmt::{self, Debug};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::polling::{PATIENCE, count_suspensions, within};
use crate::cancel_scope::CancelScope;
use crate::timeout::now;

/// Asserts that `operation` can be dropped at any of its suspensions, and run again, and that nothing is lost by it.
///
/// It runs the operation once, uninterrupted, to learn what it comes to. Then, for each suspension *k* = 1, 2, … and each
/// time on a state made afresh, it drops the operation there, runs it again from anew on the same state, and asserts that
/// it comes to the same as the first time. At each suspension that is done twice: the operation is dropped as soon as it
/// has suspended, and when it was woken again, with what it was waiting for perhaps at hand already.
///
/// What must not be lost has to be in the output then: have the operation return what it received, or what the state looks
/// like at the end. What is in the state has to be equal each time; anything else that the operation changes, such as
/// variables around the closures, is not made afresh.
///
/// The operation is *dropped*, as a foreign `select!` does it, which is harder on it than a cancelled scope: shields and
/// clean-ups in it end there. Tasks that it has spawned in groups are cancelled, and waited for before it is run again. It
/// is run about twice as often as it suspends, to its end each time, so keep it short.
///
/// # Panics
///
/// If it comes to something else than the first time, panics, or has not ended after 5 s on the runtime's clock (or ten
/// times as long as it took the first time, if that is longer): what it waits for may have been lost. The message tells at
/// which suspension it was dropped, what was expected, and what was found. Where there is no runtime.
///
/// # Cancel safety
///
/// Nothing is lost but the trials that were yet to be made.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::channel;
/// use anyio::testing::assert_cancel_safe;
///
/// let numbers = async || {
///     let (sender, receiver) = channel::unbounded();
///     (1..=2).for_each(|number| sender.try_send(number).unwrap());
///     (sender, receiver)
/// };
/// assert_cancel_safe(numbers, async |(_sender, receiver)| {
///     anyio::checkpoint().await;
///     receiver.recv().await
/// })
/// .await;
/// # });
/// ```
///
/// An operation that keeps in itself what it has received already is not cancel-safe:
///
/// ```should_panic
/// # #[cfg(not(feature = "smol"))]
/// # panic!("as the others do");
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// # use anyio::channel;
/// # use anyio::testing::assert_cancel_safe;
/// # let numbers = async || {
/// #     let (sender, receiver) = channel::unbounded();
/// #     (1..=4).for_each(|number| sender.try_send(number).unwrap());
/// #     (sender, receiver)
/// # };
/// assert_cancel_safe(numbers, async |(_sender, receiver)| {
///     let first = receiver.recv().await;
///     anyio::checkpoint().await;
///     (first, receiver.recv().await)
/// })
/// .await;
/// # });
/// ```
#[track_caller]
pub fn assert_cancel_safe<S, T, M, O>(make_state: M, operation: O) -> impl Future<Output = ()>
where
    M: AsyncFnMut() -> S,
    O: AsyncFnMut(&mut S) -> T,
    T: PartialEq + Debug,
{
    let caller = Location::caller();
    async move {
        if let Err(found) = try_all(make_state, operation).await {
            panic!("the operation is not cancel-safe (asserted at {caller}): {found}");
        }
    }
}

/// When the operation is dropped, at a suspension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Suspended,
    Woken,
}

/// What was found that is not as it should be.
struct Difference {
    suspension: usize,
    when: When,
    was_dropped: bool,
    expected: String,
    found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (k, expected, found) = (self.suspension, &self.expected, &self.found);
        if !self.was_dropped {
            return write!(
                f,
                "it does not come to the same each time, although it was not dropped (it ended before its suspension \
                 {k}). Make equal states each time, and nothing random.\n expected: {expected}\n    found: {found}"
            );
        }
        let when = match self.when {
            When::Suspended => "as soon as it had suspended",
            When::Woken => "when it was woken",
        };
        write!(f, "dropped at its suspension {k}, {when}, and run again.\n expected: {expected}\n    found: {found}")
    }
}

async fn try_all<S, T, M, O>(mut make_state: M, mut operation: O) -> Result<(), Difference>
where
    M: AsyncFnMut() -> S,
    O: AsyncFnMut(&mut S) -> T,
    T: PartialEq + Debug,
{
    let mut state = make_state().await;
    let start = now();
    let (expected, suspensions) = count_suspensions(operation(&mut state)).await;
    let patience = PATIENCE.max(now().saturating_duration_since(start).saturating_mul(10));
    drop(state);
    let mut suspension = 1;
    loop {
        let mut reached = false;
        for when in [When::Suspended, When::Woken] {
            let mut state = make_state().await;
            let cut = ended(patience, cut_short(operation(&mut state), suspension, when)).await;
            let (was_dropped, found) = match cut {
                Ended::With(None) => (true, ended(patience, operation(&mut state)).await),
                Ended::With(Some(output)) => (false, Ended::With(output)),
                Ended::Panicked(text) => (false, Ended::Panicked(text)),
                Ended::NotYet(patience) => (false, Ended::NotYet(patience)),
            };
            reached |= was_dropped;
            if !matches!(&found, Ended::With(output) if *output == expected) {
                let (expected, found) = (format!("{expected:?}"), found.to_string());
                return Err(Difference { suspension, when, was_dropped, expected, found });
            }
        }
        // How often it suspends may differ, by what else goes on.
        if !reached && suspension >= suspensions {
            return Ok(());
        }
        suspension += 1;
    }
}

/// Polls `future` to a suspension and drops it there; `None`, unless it has ended before.
async fn cut_short<F: Future>(future: F, suspension: usize, when: When) -> Option<F::Output> {
    let mut future = pin!(Some(future));
    let mut left = suspension;
    poll_fn(|cx| {
        if left > 0 {
            let polled = future.as_mut().as_pin_mut().expect("it is there until it is dropped").poll(cx);
            let Poll::Pending = polled else {
                return polled.map(Some);
            };
            left -= 1;
            if left > 0 || when == When::Woken {
                return Poll::Pending;
            }
        }
        future.set(None);
        Poll::Ready(None)
    })
    .await
}

/// How a run of the operation ended.
enum Ended<T> {
    With(T),
    Panicked(String),
    NotYet(Duration),
}

impl<T: Debug> fmt::Display for Ended<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::With(output) => write!(f, "{output:?}"),
            Ended::Panicked(text) => write!(f, "a panic: {text}"),
            Ended::NotYet(patience) => write!(f, "it has not ended after {patience:?}: what it waits for may be lost"),
        }
    }
}

/// What `future` comes to, when all that it has spawned is gone as well.
async fn ended<F: Future>(patience: Duration, future: F) -> Ended<F::Output> {
    let mut scoped = pin!(CancelScope::new().run(future));
    let caught = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| scoped.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(payload) => Poll::Ready(Err(text_of(&*payload))),
    });
    match within(patience, pin!(caught)).await {
        Some(Ok(Ok(output))) => Ended::With(output),
        Some(Ok(Err(cancelled))) => Ended::Panicked(format!("the assertion was cancelled itself: {cancelled}")),
        Some(Err(text)) => Ended::Panicked(text),
        None => Ended::NotYet(patience),
    }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| String::from("(no message)"))
}
