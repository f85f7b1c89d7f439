//! A pool of connections that loses one when a check-out is cancelled at the wrong moment: the simulator finds that moment,
//! and shows that the mended pool has none.
//!
//! `cargo run -p anyio --example connection_pool --features sim`

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use anyio::channel::{self, Receiver, Sender};
use anyio::testing::{CancelEverywhere, Trial, cancel_everywhere, explore};
use anyio::{run, sleep, task_group};

/// A connection to a server.
struct Connection(usize);

impl Connection {
    /// Asks the server whether it is still there.
    async fn ping(&self) {
        sleep(Duration::from_millis(5)).await;
    }
}

/// So many connections, for whoever needs one.
struct Pool {
    idle: Receiver<Connection>,
    back: Sender<Connection>,
    size: usize,
}

/// A connection that is checked out, until this is dropped.
struct CheckedOut<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
}

impl Pool {
    fn new(size: usize) -> Self {
        let (back, idle) = channel::bounded(size);
        (1..=size).for_each(|number| back.try_send(Connection(number)).expect("there is room for all"));
        Pool { idle, back, size }
    }

    /// The mistake: whoever is cancelled at the ping takes the connection along.
    async fn check_out_carelessly(&self) -> CheckedOut<'_> {
        let connection = self.idle.recv().await.expect("the pool keeps a sender");
        connection.ping().await;
        CheckedOut { pool: self, connection: Some(connection) }
    }

    /// Mended: the connection is under its guard before anything is awaited.
    async fn check_out(&self) -> CheckedOut<'_> {
        let connection = self.idle.recv().await.expect("the pool keeps a sender");
        let checked_out = CheckedOut { pool: self, connection: Some(connection) };
        checked_out.ping().await;
        checked_out
    }

    fn assert_complete(&self) {
        assert_eq!(self.idle.statistics().buffered, self.size, "connections in the pool when all is over");
    }
}

impl Deref for CheckedOut<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("it is there until this is dropped")
    }
}

impl Drop for CheckedOut<'_> {
    fn drop(&mut self) {
        let connection = self.connection.take().expect("it is there until this is dropped");
        let _ = self.pool.back.try_send(connection); // there is room for all
    }
}

/// Three queries on the two connections of a pool.
async fn queries(pool: Arc<Pool>, careful: bool) {
    let group = task_group(async |tg| {
        for _ in 0..3 {
            let pool = pool.clone();
            tg.spawn(async move {
                let connection = if careful { pool.check_out().await } else { pool.check_out_carelessly().await };
                sleep(Duration::from_millis(connection.0 as u64)).await; // the query
            });
        }
    });
    _ = group.await;
}

/// The queries, and that all connections are in the pool when they are over, in whatever way.
fn trial(careful: bool) -> Trial<'static> {
    let pool = Arc::new(Pool::new(2));
    Trial::new(queries(pool.clone(), careful)).afterwards(async move { pool.assert_complete() })
}

pub(crate) fn main() {
    let failure = CancelEverywhere::new().run(|| trial(false)).expect_err("the mistake is found");
    println!("the careless pool: {failure}");
    assert!(failure.message().contains("connections in the pool"));

    let done = cancel_everywhere(|| trial(true));
    println!("the mended pool: held in {} runs, at {} suspensions", done.runs(), done.suspensions());

    let explored = explore(200, |sim| {
        run(sim, async {
            let pool = Arc::new(Pool::new(2));
            queries(pool.clone(), true).await;
            pool.assert_complete();
        })
    });
    println!("the mended pool: held under {} schedules", explored.schedules());
}
