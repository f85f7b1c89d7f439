//! Timeouts in timeouts: every attempt has its limit, all of them together have a budget, and the one that is over says
//! so. When a timeout returns, nothing of what it has cut short is left.
//!
//! `cargo run -p anyio --example timeout_tree --features smol`

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use anyio::{
    CancelReason, CancelScope, EffectiveDeadline, Smol, TimedOut, current_effective_deadline, now, sleep_forever,
    task_group, timeout, timeout_at,
};

const ATTEMPT: Duration = Duration::from_millis(10);
const AN_HOUR: Duration = Duration::from_secs(3600);

/// A mirror answers or hangs. Every reference to it is a connection.
type Mirror = Arc<Option<&'static str>>;

/// Asks a mirror, while a task in the background keeps the connection alive.
async fn ask(mirror: &Mirror) -> &'static str {
    let answered = task_group(async |tg| {
        let connection = mirror.clone();
        tg.spawn(async move {
            sleep_forever().await;
            drop(connection);
        });
        let answer = match **mirror {
            Some(answer) => answer,
            None => pending().await,
        };
        tg.cancel(); // the background task; the body is done
        answer
    });
    answered.await.expect("a timeout around the group drops it")
}

/// Asks one mirror after the other, each for so long.
async fn ask_all(mirrors: &[Mirror]) -> Option<&'static str> {
    for mirror in mirrors {
        match timeout(ATTEMPT, ask(mirror)).await {
            Ok(answer) => return Some(answer),
            Err(TimedOut { .. }) => assert_eq!(Arc::strong_count(mirror), 1, "the connection is closed"),
        }
    }
    None
}

async fn timeouts() {
    // The inner timeout is over: the next attempt goes on within the budget.
    let outcome = timeout(AN_HOUR, ask_all(&[Mirror::new(None), Mirror::new(Some("pong"))])).await;
    assert_eq!(outcome, Ok(Some("pong")));

    // The outer one is over, wherever the loop is.
    let endless: Vec<_> = (0..1000).map(|_| Mirror::new(None)).collect();
    let outcome = timeout(3 * ATTEMPT, ask_all(&endless)).await;
    assert!(outcome.is_err());
    assert!(endless.iter().all(|mirror| Arc::strong_count(mirror) == 1));

    // A scope says why. The timeout inside does not claim to have been the cause.
    let scope = CancelScope::new().with_timeout(ATTEMPT);
    let cancelled = scope.run(timeout(AN_HOUR, sleep_forever())).await.unwrap_err();
    assert_eq!(*cancelled.reason(), CancelReason::DeadlinePassed);

    // The innermost code can ask how long it has.
    let budget = now() + AN_HOUR;
    let asked = timeout(2 * AN_HOUR, timeout_at(budget, async { current_effective_deadline() })).await;
    assert_eq!(asked, Ok(Ok(EffectiveDeadline::At(budget))));
    println!("every timeout told its own story");
}

pub(crate) fn main() {
    anyio::run(Smol::current_thread(), timeouts());
}
