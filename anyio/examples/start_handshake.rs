//! A service that says when it is ready. What goes wrong before that is its starter's; what goes wrong after it is the
//! group's.
//!
//! `cargo run -p anyio --example start_handshake --features smol`

use std::time::Duration;

use anyio::{Cancelled, Smol, StartError, Started, Try, sleep, try_task_group};
use futures::StreamExt as _;
use futures::channel::{mpsc, oneshot};

#[derive(Debug, thiserror::Error)]
enum CacheError {
    #[error("a cache of no entries is of no use")]
    NoCapacity,
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What one has of a cache once it is warm.
#[derive(Clone, Debug)]
struct Cache(mpsc::UnboundedSender<(usize, oneshot::Sender<Option<String>>)>);

impl Cache {
    async fn look_up(&self, key: usize) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.0.unbounded_send((key, reply)).ok()?;
        answer.await.ok()?
    }

    /// The service: warms up, says that it is ready, and answers as long as anybody can ask.
    async fn serve(capacity: usize, started: Started<Cache, Try<CacheError>>) -> Result<(), CacheError> {
        if capacity == 0 {
            return Err(CacheError::NoCapacity);
        }
        sleep(Duration::from_millis(5)).await; // reads its entries
        let entries: Vec<_> = (0..capacity).map(|key| format!("entry {key}")).collect();

        let (queries, mut asked) = mpsc::unbounded();
        if started.started(Cache(queries)).is_err() {
            return Ok(()); // nobody waits for it any more
        }
        while let Some((key, reply)) = asked.next().await {
            reply.send(entries.get(key).cloned()).ok();
        }
        Ok(())
    }
}

async fn services() -> Result<(), CacheError> {
    try_task_group(async |tg| {
        // It is warm when this arrives: no sleep, no polling, no race.
        let cache = tg.start(|started| Cache::serve(3, started)).await.unwrap();
        assert_eq!(cache.look_up(2).await.as_deref(), Some("entry 2"));

        // A start that fails concerns its caller alone; the first cache goes on.
        let failed = tg.start(|started| Cache::serve(0, started)).await;
        assert!(matches!(failed, Err(StartError::Failed(CacheError::NoCapacity))));
        assert_eq!(cache.look_up(3).await, None);

        // A service that ends without a word is an error too.
        let silent = tg
            .start(async |started: Started<Cache, _>| {
                let _: () = drop(started);
                Ok(())
            })
            .await;
        assert!(matches!(silent, Err(StartError::NotStarted)));
        println!("one service started, two did not");
        Ok(()) // the last sender goes, so the service ends, and then the group
    })
    .await
    .map_err(|error| error.first_error())
}

pub(crate) fn main() {
    anyio::run(Smol::current_thread(), services()).unwrap();
}
