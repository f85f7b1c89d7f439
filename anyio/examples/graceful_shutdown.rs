//! A server that stops in two steps: it accepts nothing new, lets the sessions finish for a while, then cancels those
//! that are left, which still say goodbye.
//!
//! ```text
//! cargo run -p anyio --example graceful_shutdown --features tokio
//! ```

use std::thread;
use std::time::Duration;

use anyio::{CancelScope, Tokio, finally, now, sleep, sleep_forever, task_group};
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
        client.work().await;
        log.unbounded_send(format!("{}: done", client.name)).ok();
    };
    let goodbye = async {
        sleep(Duration::from_millis(1)).await; // the time it takes to send it
        log.unbounded_send(format!("{}: goodbye", client.name)).ok();
    };
    finally(work, goodbye).grace(Duration::from_secs(5)).await.ok();
}

struct Client {
    name: &'static str,
    /// How long it takes; for ever, if `None`.
    takes: Option<Duration>,
}

impl Client {
    async fn work(&self) {
        match self.takes {
            Some(duration) => sleep(duration).await,
            None => sleep_forever().await,
        }
    }
}

pub(crate) fn main() {
    let (clients, incoming) = mpsc::unbounded();
    let (log, lines) = mpsc::unbounded();
    let accepting = CancelScope::new();
    let stop = accepting.handle();

    // What a signal handler does. The handle works from any thread, also outside the runtime.
    let operator = thread::spawn(move || {
        let quick = Client { name: "quick", takes: Some(Duration::from_millis(5)) };
        let stuck = Client { name: "stuck", takes: None };
        [quick, stuck].into_iter().for_each(|client| clients.unbounded_send(client).unwrap());
        thread::sleep(Duration::from_millis(20));
        stop.cancel_with("SIGTERM");
    });

    anyio::run(Tokio::multi_thread(), serve(incoming, accepting, Duration::from_millis(20), log));
    operator.join().unwrap();

    let lines: Vec<_> = futures::executor::block_on(lines.collect());
    println!("{}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.starts_with("closing: SIGTERM")));
    assert_eq!(lines.last().unwrap(), "stuck: goodbye");
    assert!(!lines.iter().any(|line| line == "stuck: done"));
}
