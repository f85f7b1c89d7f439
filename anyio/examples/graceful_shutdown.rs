//! A server that stops in two steps: it accepts nothing new, lets the sessions finish for a while, then cancels those
//! that are left, which still say goodbye.
//!
//! `cargo run -p anyio --example graceful_shutdown --features tokio`

use std::thread;
use std::time::Duration;

use anyio::{CancelScope, Tokio, finally, now, sleep, task_group};
use futures::StreamExt as _;
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What a session has to say.
type Log = UnboundedSender<String>;

/// Serves until `accepting` is cancelled, and then for at most `grace`.
async fn serve(mut incoming: UnboundedReceiver<Client>, accepting: CancelScope, grace: Duration, log: Log) {
    let served = task_group(async |tg| {
        let accept = async {
            while let Some(client) = incoming.next().await {
                tg.task().name(client.name).spawn(session(client, log.clone()));
            }
        };
        if let Err(cancelled) = accepting.run(accept).await {
            log.unbounded_send(format!("closing: {}", cancelled.reason())).ok();
        }
        tg.scope().set_deadline(now() + grace);
    });
    // Sessions that the group's own deadline cuts short are no error: only a cancellation from outside would be.
    served.await.expect("nothing around the server cancels it");
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
    let accepting = CancelScope::new();
    let stop = accepting.handle();
    // What a signal handler does: the handle works from any thread, also outside the runtime.
    let signal = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        stop.cancel_with("SIGTERM");
    });
    anyio::run(Tokio::multi_thread(), serve(incoming, accepting, Duration::from_millis(50), log));
    signal.join().unwrap();

    let lines: Vec<_> = futures::executor::block_on(lines.collect());
    println!("{}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.starts_with("closing: SIGTERM")));
    assert!(lines.iter().any(|line| line == "stuck: goodbye"));
    assert!(!lines.iter().any(|line| line == "stuck: done"));
}
