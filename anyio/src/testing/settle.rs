//! [`wait_all_tasks_blocked`].

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use crate::cancel_scope::checkpoint;
use crate::operation::Operation;
use crate::runtime::Runtime;
use crate::sync::CapacityLimiter;
use crate::to_thread;

/// How often the others are given their turn, and a pause.
const ROUNDS: usize = 3;

/// How often the caller steps aside in each round.
const TURNS: usize = 100;

/// How long each pause is, in real time.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until all other tasks have come to where they wait: for each other, for a timer, for what is yet to be sent.
///
/// It is Trio's `wait_all_tasks_blocked`, as far as a runtime can tell. The simulator can: there it is
/// exact, and the clock does not move meanwhile.
///
/// Other runtimes do not tell which of their tasks are blocked. There it is *best effort*: it steps aside 100 times, then
/// lets 5 ms of real time pass on another thread, and does both three times. Tasks that only wait for each other and take
/// fewer turns are blocked afterwards, unless the machine is so busy that a thread does not get to run for that long. What
/// waits for a socket, a thread or another process may go on at any time, as with Trio. The pause is on no clock of the
/// runtime: one that is virtual does not move.
///
/// So a test that is not simulated may use it to make a failure *likely to be seen*, as in "nobody gets past this point
/// meanwhile", and should wait for an [`Event`](crate::Event) or a step of a [`Sequencer`](super::Sequencer) where its
/// success depends on it.
///
/// # Panics
///
/// Where there is no runtime.
///
/// # Cancel safety
///
/// Nothing is lost. A pause that has begun is waited for.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use std::sync::Arc;
/// use anyio::Event;
/// use anyio::testing::wait_all_tasks_blocked;
///
/// anyio::task_group(async |tg| {
///     let gate = Arc::new(Event::new());
///     let waits = gate.clone();
///     let task = tg.spawn(async move { waits.wait().await });
///     wait_all_tasks_blocked().await;
///     assert_eq!(gate.statistics().tasks_waiting, 1);
///     gate.set();
///     task.value().await;
/// })
/// .await
/// .unwrap();
/// # });
/// ```
#[track_caller]
pub fn wait_all_tasks_blocked() -> impl Future<Output = ()> + Send {
    let settling = async {
        let runtime = Runtime::current().unwrap_or_else(|error| panic!("{error}"));
        settle_on(&runtime).await;
    };
    Operation::new(settling, |()| ())
}

/// Asks a runtime that can tell, and gives the tasks of any other a few turns.
async fn settle_on(runtime: &Runtime) {
    let mut ticket = None;
    let asked = poll_fn(|cx| match runtime.backend().settle() {
        Some(able) => able.poll_settled(&mut ticket, cx).map(|()| true),
        None => Poll::Ready(false),
    });
    if !asked.await {
        give_turns().await;
    }
}

async fn give_turns() {
    for _ in 0..ROUNDS {
        for _ in 0..TURNS {
            checkpoint().await;
        }
        // Tasks of the test may hold all tokens of the run's own limiter.
        let limiter = CapacityLimiter::new(1);
        to_thread::run(|| thread::sleep(PAUSE)).limiter(&limiter).await;
    }
}
