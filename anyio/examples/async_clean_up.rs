//! Clean-up that awaits, and that cancellation does not cut short.
//!
//! `cargo run -p anyio --example async_clean_up --features smol`

use std::time::Duration;

use anyio::{CancelScope, Smol, bracket, finally, shield_for, sleep, sleep_forever};

const SHORT: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Transaction(Vec<&'static str>);

impl Transaction {
    async fn write(&mut self, line: &'static str) {
        sleep(SHORT).await;
        self.0.push(line);
    }

    async fn roll_back(self) -> usize {
        sleep(SHORT).await;
        self.0.len()
    }
}

/// `finally`: both futures may borrow what is around.
async fn say_goodbye() {
    let mut said = Vec::new();
    let scope = CancelScope::new().with_timeout(SHORT);
    let session = finally(sleep_forever(), async {
        sleep(SHORT).await; // the scope is cancelled, and this goes on
        said.push("goodbye");
    });
    assert!(scope.run(session.grace(Duration::from_secs(10))).await.is_err());
    assert_eq!(said, ["goodbye"]);
}

/// `bracket`: the body borrows the resource, and the clean-up gets it, however the body ended.
async fn roll_back() {
    let mut undone = 0;
    let scope = CancelScope::new();
    let handle = scope.handle();
    let work = bracket(
        Transaction::default(),
        async |transaction: &mut Transaction| {
            transaction.write("one").await;
            handle.cancel_with("the user pressed escape");
            transaction.write("two").await; // cut short here
        },
        async |transaction: Transaction| undone = transaction.roll_back().await,
    );
    let cancelled = scope.run(work).await.unwrap_err();
    assert!(cancelled.to_string().contains("escape"));
    assert_eq!(undone, 1);
}

/// `shield_for`: what has begun may be finished, if that does not take too long.
async fn commit() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let mut steps = Vec::new();
    let outcome = scope.run(async {
        shield_for(Duration::from_secs(10), sleep(SHORT)).await;
        steps.push("flushed");
        shield_for(SHORT, sleep_forever()).await; // the grace is over
        steps.push("never reached");
    });
    assert!(outcome.await.is_err());
    assert_eq!(steps, ["flushed"]);
}

pub(crate) fn main() {
    anyio::run(Smol::current_thread(), async {
        say_goodbye().await;
        roll_back().await;
        commit().await;
    });
    println!("every clean-up ran");
}
