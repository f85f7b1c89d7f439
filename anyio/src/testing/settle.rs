//! [`wait_all_tasks_blocked`].

use std::future::poll_fn;
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
/// It is Trio's `wait_all_tasks_blocked`, as far as a runtime can tell. The simulator can: there it is exact, and returns
/// before the clock moves any further. tokio, smol and async-std do not tell which tasks are blocked. There it is *best
/// effort*: it steps aside 100 times, then lets 5 ms of real time pass on another
/// thread, and does both three times. Tasks that only wait for each other and take fewer turns are blocked afterwards,
/// unless the machine is so busy that a thread does not get to run for that long. What waits for a socket, a thread or
/// another process may come on at any time, as with Trio.
///
/// So a test may use it to make a failure *likely to be seen*, as in "nobody gets past this point meanwhile", and should
/// wait for an [`Event`](crate::Event) or a step of a [`Sequencer`](super::Sequencer) where its success depends on it. The
/// pause is on no clock of the runtime: one that is virtual does not move.
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
pub async fn wait_all_tasks_blocked() {
    let runtime = Runtime::current().unwrap_or_else(|error| panic!("{error}"));
    settle_on(&runtime).await;
}

async fn settle_on(runtime: &Runtime) {
    if let Some(settles) = runtime.backend().settle() {
        let mut ticket = None;
        return Operation::new(poll_fn(|cx| settles.poll_settled(&mut ticket, cx)), |()| ()).await;
    }
    for _ in 0..ROUNDS {
        for _ in 0..TURNS {
            checkpoint().await;
        }
        // Tasks of the test may hold all tokens of the run's own limiter.
        let limiter = CapacityLimiter::new(1);
        to_thread::run(|| thread::sleep(PAUSE)).limiter(&limiter).await;
    }
}
