//! Small futures and questions that cases of several families use.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::thread;

use anyio::{CancelReason, Cancelled, Event, Runtime, checkpoint, shield};
use anyio_core::Task;
use futures::channel::oneshot;

use crate::fixture::SHORT;

pub(crate) type Sent<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(crate) async fn turns(count: usize) {
    for _ in 0..count {
        checkpoint().await;
    }
}

pub(crate) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        checkpoint().await;
    }
}

pub(crate) async fn forever<T>() -> T {
    pending().await
}

pub(crate) async fn panics<T>(text: &'static str) -> T {
    panic!("{text}")
}

/// Has `value`, when it has waited.
pub(crate) async fn after<T>(wait: impl Future<Output = ()>, value: T) -> T {
    wait.await;
    value
}

/// An event for two.
pub(crate) fn gate() -> (Arc<Event>, Arc<Event>) {
    let gate = Arc::new(Event::new());
    (gate.clone(), gate)
}

/// Waits for the gate, whatever is cancelled around.
pub(crate) async fn pass(gate: Arc<Event>) {
    shield(gate.wait()).await;
}

/// Sets an event when it is dropped.
pub(crate) struct SetOnDrop(pub(crate) Arc<Event>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Does something on a thread of its own, when the case has most likely gone to sleep.
pub(crate) fn meanwhile(act: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(SHORT);
        act();
    });
}

/// Whether it was requested with this text.
pub(crate) fn says(cancelled: &Cancelled, said: &str) -> bool {
    matches!(cancelled.reason(), CancelReason::Requested { text: Some(text), .. } if text == said)
}

/// Whether `runtime` runs tasks: one that has shut down drops them.
pub(crate) async fn is_alive(runtime: &Runtime) -> bool {
    let (sender, receiver) = oneshot::channel();
    runtime.backend().spawn(Task::new(async { _ = sender.send(()) }));
    receiver.await.is_ok()
}
