//! Small futures and questions that cases of several families use.

use std::any::Any;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyio::{CancelReason, CancelScope, Cancelled, Event, Runtime, TaskError, checkpoint, enter, shield};
use anyio_core::Task;
use futures::channel::oneshot;

use crate::fixture::{SHORT, Wakes, block_on, recipe};

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

/// Polls `future` so often, at each turn of the case, whether it was woken or not; gives it back unless it is done.
pub(crate) async fn polled<F: Future + Unpin>(polls: usize, mut future: F) -> Option<F> {
    for _ in 0..polls {
        let poll = poll_fn(|cx| Poll::Ready(Pin::new(&mut future).poll(cx)));
        if poll.await.is_ready() {
            return None;
        }
        checkpoint().await;
    }
    Some(future)
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

/// Runs `act` on a thread that no runtime knows. A virtual clock follows real time until it is done.
pub(crate) fn on_thread<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let outside = outside();
    thread::spawn(move || {
        let _outside = outside;
        act()
    })
}

/// Has a virtual clock follow real time until it is dropped, since something is waited for that no runtime knows.
pub(crate) fn outside() -> Option<Box<dyn Any + Send + Sync>> {
    Runtime::current().ok().and_then(|runtime| runtime.backend().follow_real_time())
}

/// Blocks the thread for so long.
pub(crate) fn block(duration: Duration) {
    let _outside = outside();
    thread::sleep(duration);
}

/// Does something on a thread of its own, when the case has most likely gone to sleep.
pub(crate) fn meanwhile(act: impl FnOnce() + Send + 'static) {
    on_thread(move || {
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

/// Whether `operation` does not act in a scope that is cancelled already.
pub(crate) async fn is_cut_off<F: Future>(operation: F) -> bool {
    let scope = CancelScope::new();
    scope.handle().cancel();
    scope.run(operation).await.is_err()
}

/// What `operation` comes to where a cancellation cannot reach it.
pub(crate) async fn acts_when_held<F: Future>(operation: F) -> F::Output {
    let scope = CancelScope::new();
    scope.handle().cancel();
    scope.run(shield(operation)).await.expect("a shielded operation acts")
}

/// Whether a loop of operations that are always ready lets itself be cancelled from another thread.
pub(crate) async fn loop_ends(operation: impl AsyncFn()) -> bool {
    let scope = CancelScope::new();
    let handle = scope.handle();
    meanwhile(move || handle.cancel());
    let forever = async {
        loop {
            operation().await;
        }
    };
    scope.run(forever).await.is_err()
}

/// Polls `future` until it waits for what it is meant to wait for: an operation may step aside once before it begins.
pub(crate) fn waits<F: Future + Unpin>(future: &mut F) -> bool {
    let wakes = Wakes::new();
    wakes.poll(future).is_pending() && wakes.poll(future).is_pending()
}

/// Whether `act` wakes whoever waits for `future`, which waits before.
pub(crate) fn is_woken_by<F: Future + Unpin>(future: &mut F, act: impl FnOnce()) -> bool {
    let wakes = Wakes::new();
    assert!(wakes.poll(future).is_pending() && wakes.poll(future).is_pending());
    let before = wakes.count();
    act();
    wakes.count() > before
}

/// What `future` comes to, which it must at once: it may step aside before.
pub(crate) fn at_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let wakes = Wakes::new();
    for _ in 0..2 {
        if let Poll::Ready(output) = wakes.poll(future) {
            return Some(output);
        }
    }
    None
}

/// Acts when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Panics when it is dropped.
pub(crate) fn bomb(text: &'static str) -> OnDrop<impl FnMut() + Send + 'static> {
    OnDrop(move || panic!("{text}"))
}

/// Whether the reason is that the runtime has shut down.
pub(crate) fn is_shutdown(cancelled: &Cancelled) -> bool {
    matches!(cancelled.reason(), CancelReason::Shutdown)
}

/// Whether a task was cut short because the runtime has shut down.
pub(crate) fn ended_by_shutdown<T>(result: Result<T, TaskError>) -> bool {
    matches!(result, Err(TaskError::Cancelled(cancelled)) if is_shutdown(&cancelled))
}

/// A runtime on another thread, apart from the one of the case, which is driven until it shuts down.
pub(crate) struct Other {
    pub(crate) runtime: Runtime,
    go: oneshot::Sender<()>,
    owner: thread::JoinHandle<()>,
}

impl Other {
    pub(crate) fn start() -> Self {
        let recipe = recipe();
        let (started, starts) = mpsc::channel();
        let (go, goes) = oneshot::channel();
        let owner = on_thread(move || {
            let runtime = recipe().start().unwrap();
            started.send(runtime.backend()).unwrap();
            // The case, which no clock of this runtime knows of, says when it is over.
            let _outside = runtime.backend().follow_real_time();
            runtime.block_on(pin!(async { goes.await.unwrap() }));
        });
        let runtime = Runtime::from_backend(starts.recv().unwrap()).with_hook(|_| ());
        Other { runtime, go, owner }
    }

    /// Waits for `future` in this runtime, on a thread of its own.
    pub(crate) fn wait_for<F: Future<Output: Send> + Send + 'static>(
        &self,
        future: F,
    ) -> thread::JoinHandle<F::Output> {
        let runtime = self.runtime.clone();
        on_thread(move || block_on(enter(runtime, future)))
    }

    /// Shuts it down; says whether it is one that never does.
    pub(crate) async fn shut_down(self) -> bool {
        self.go.send(()).unwrap();
        self.owner.join().unwrap();
        is_alive(&self.runtime).await
    }
}
