//! P7: a bounded channel, from one task to another.

use crate::comparison::{Comparison, TO_BE_SEEN, ratio};
use crate::ground::{Ground, Grounds, SmolSpawn};
use crate::measure::{Reading, Stopwatch};

/// How many messages go through in a round.
const MESSAGES: usize = 10_000;

/// P7.
pub fn bounded(grounds: &Grounds) -> Vec<Comparison> {
    let of = |capacity| {
        let executor = grounds.executor();
        vec![
            on_tokio(&grounds.ct, capacity),
            on_tokio(&grounds.mt, capacity),
            on_smol(&grounds.smol, executor, capacity),
        ]
    };
    [128, 1].into_iter().flat_map(of).collect()
}

/// Sends from a task that `$spawn` starts, and receives here.
macro_rules! exchange {
    ($spawn:expr, $channel:expr, $send:ident, $recv:ident) => {{
        #[allow(unused_mut, reason = "one of the receivers has to be mutable")]
        let (sender, mut receiver) = $channel;
        let watch = Stopwatch::start();
        let sending = $spawn(async move {
            for message in 0..MESSAGES {
                sender.$send(message).await.expect("it is received");
            }
        });
        for message in 0..MESSAGES {
            let received = receiver.$recv().await;
            assert_eq!(received.into_iter().next(), Some(message));
        }
        let _ = sending.await;
        watch.stop()
    }};
}

fn job(ground: &Ground, capacity: usize) -> Comparison {
    Comparison::new(ground, format!("P7/{capacity}"), format!("a channel of capacity {capacity}"))
        .per("message", MESSAGES)
        .ours(move || ours(capacity))
}

async fn ours(capacity: usize) -> Reading {
    let (sender, receiver) = anyio::channel::bounded(capacity);
    let watch = Stopwatch::start();
    let group = anyio::task_group(async |tg| {
        tg.spawn(async move {
            for message in 0..MESSAGES {
                sender.send(message).await.expect("it is received");
            }
        });
        for message in 0..MESSAGES {
            assert_eq!(receiver.recv().await, Ok(message));
        }
    });
    group.await.expect("nobody cancels it");
    watch.stop()
}

fn on_tokio(ground: &Ground, capacity: usize) -> Comparison {
    use tokio::{spawn, sync::mpsc};
    job(ground, capacity)
        .rival("tokio::sync::mpsc", ratio(1.0, 0.6), move || async move {
            exchange!(spawn, mpsc::channel(capacity), send, recv)
        })
        .rival("async-channel", TO_BE_SEEN, move || async move {
            exchange!(spawn, async_channel::bounded(capacity), send, recv)
        })
        .rival("flume", TO_BE_SEEN, move || async move {
            exchange!(spawn, flume::bounded(capacity), send_async, recv_async)
        })
        .rival("kanal (may lose a message)", TO_BE_SEEN, move || async move {
            exchange!(spawn, kanal::bounded_async(capacity), send, recv)
        })
}

fn on_smol<S: SmolSpawn + Send + Sync>(ground: &Ground, executor: S, capacity: usize) -> Comparison {
    let [tokios, async_channels, flumes, kanals] = [0; 4].map(|_| executor.clone());
    job(ground, capacity)
        .rival("tokio::sync::mpsc", ratio(1.0, 0.6), move || {
            let executor = tokios.clone();
            async move { exchange!(|task| executor.spawn(task), tokio::sync::mpsc::channel(capacity), send, recv) }
        })
        .rival("async-channel", TO_BE_SEEN, move || {
            let executor = async_channels.clone();
            async move { exchange!(|task| executor.spawn(task), async_channel::bounded(capacity), send, recv) }
        })
        .rival("flume", TO_BE_SEEN, move || {
            let executor = flumes.clone();
            async move { exchange!(|task| executor.spawn(task), flume::bounded(capacity), send_async, recv_async) }
        })
        .rival("kanal (may lose a message)", TO_BE_SEEN, move || {
            let executor = kanals.clone();
            async move { exchange!(|task| executor.spawn(task), kanal::bounded_async(capacity), send, recv) }
        })
}
