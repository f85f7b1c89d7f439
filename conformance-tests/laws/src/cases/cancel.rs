//! Cases of the laws C.

use anyio::{CancelScope, sleep};

use crate::fixture::LONG;

/// C1: Once a scope is cancelled, every further suspension inside ends in cancellation.
pub async fn a_cancelled_scope_cuts_its_body_short_at_the_next_suspension() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut reached = 0;
    let outcome = scope
        .run(async {
            handle.cancel();
            reached += 1;
            sleep(LONG).await;
            reached += 1;
        })
        .await;
    assert!(outcome.is_err());
    assert_eq!(reached, 1);
}
