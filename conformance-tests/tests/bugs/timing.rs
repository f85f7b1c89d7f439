//! What happens when time passes in between.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyio::channel::oneshot;
use anyio::{now, sleep, task_group};
use parking_lot::Mutex;

use super::{Version, round_trips};

/// The most that a poll takes, where polls take time.
pub(crate) const SLOW: Duration = Duration::from_millis(2);

const LIMIT: Duration = Duration::from_millis(10);

/// Requests that wait for their answers, by their numbers.
#[derive(Clone)]
struct Pending {
    version: Version,
    requests: Arc<Mutex<HashMap<u32, oneshot::Sender<&'static str>>>>,
}

impl Pending {
    fn answer(&self, number: u32, answer: &'static str) {
        let request = self.requests.lock().remove(&number);
        match self.version {
            Version::Buggy => _ = request.expect("an answer belongs to a request").send(answer),
            Version::Fixed => _ = request.map(|request| request.send(answer)),
        }
    }

    async fn expire(&self, number: u32) {
        sleep(LIMIT).await;
        self.requests.lock().remove(&number);
    }
}

pub(crate) async fn timer_race(version: Version) {
    let pending = Pending { version, requests: Arc::default() };
    let (request, answer) = oneshot::channel();
    pending.requests.lock().insert(1, request);
    let group = task_group(async |tg| {
        let peer = pending.clone();
        tg.spawn(async move {
            sleep(LIMIT).await; // just in time
            peer.answer(1, "yes");
        });
        tg.spawn(async move { pending.expire(1).await });
        _ = answer.await;
    });
    group.await.unwrap();
}

/// The right to write until then.
struct Lease(Instant);

impl Lease {
    fn new() -> Self {
        Lease(now() + LIMIT)
    }

    fn is_valid(&self) -> bool {
        now() < self.0
    }
}

async fn write_under_a_lease(version: Version) {
    let lease = Lease::new();
    let may_write = lease.is_valid();
    round_trips(5).await; // prepares what is to be written
    let may_write = if version.is_fixed() { lease.is_valid() } else { may_write };
    if may_write {
        assert!(lease.is_valid(), "somebody else may be writing by now");
    }
}

pub(crate) async fn lease_that_expires_in_use(version: Version) {
    let group = task_group(async |tg| {
        for _ in 0..2 {
            tg.spawn(write_under_a_lease(version));
        }
    });
    group.await.unwrap();
}
