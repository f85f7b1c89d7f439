//! A server that stops in two steps: it accepts nothing new, lets the sessions finish for a while, then cancels those
//! that are left, which still say goodbye.
//!
//! `cargo run -p anyio --example graceful_shutdown --features tokio`

use std::pin::pin;
use std::thread;
use std::time::Duration;

use anyio::{CancelScope, Tokio, finally, sleep, stopping, task_group};
use futures::StreamExt as _;
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::future::{Either, select};

/// What a session has to say.
type Log = UnboundedSender<String>;

/// Serves until it is asked to stop, or nobody can come any more; then waits for the sessions.
async fn serve(mut incoming: UnboundedReceiver<Client>, log: Log) {
    let served = task_group(async |tg| {
        while let Either::Left((Some(client), _)) = select(incoming.next(), pin!(stopping())).await {
            tg.task().name(client.name).spawn(session(client, log.clone()));
        }
        log.unbounded_send("closing".to_owned()).ok();
    });
    served.await.expect("if the grace is over, it is dropped here");
}

/// One session: its work may be cut short, its goodbye may not.
async fn session(client: Client, log: Log) {
    let work = async {
        sleep(client.takes).await;
        log.unbounded_send(format!("{}: done", client.name)).ok();
    };
    let goodbye = async {
        sleep(Duration::from_millis(1)).await; // the time it takes to send it
        log.unbounded_send(format!("{}: goodbye", client.name)).ok();
    };
    // Cut short or not: it is over.
    finally(work, goodbye).grace(Duration::from_secs(5)).await.ok();
}

struct Client {
    name: &'static str,
    /// How long it takes to serve it.
    takes: Duration,
}

pub(crate) fn main() {
    let (clients, incoming) = mpsc::unbounded();
    let quick = Client { name: "quick", takes: Duration::from_millis(5) };
    let stuck = Client { name: "stuck", takes: Duration::MAX };
    [quick, stuck].into_iter().for_each(|client| clients.unbounded_send(client).unwrap());

    let (log, lines) = mpsc::unbounded();
    let scope = CancelScope::new();
    let server = scope.handle();
    // What a signal handler does: the handle works from any thread, also outside the runtime.
    let signal = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        server.stop(Duration::from_millis(50));
    });
    let cancelled = anyio::run(Tokio::multi_thread(), scope.run(serve(incoming, log))).unwrap_err();
    signal.join().unwrap();

    let lines: Vec<_> = futures::executor::block_on(lines.collect());
    println!("{}\n{cancelled}", lines.join("\n"));
    assert!(lines.iter().any(|line| line == "closing"));
    assert!(lines.iter().any(|line| line == "stuck: goodbye"));
    assert!(!lines.iter().any(|line| line == "stuck: done"));
}
