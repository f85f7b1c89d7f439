//! What other crates' primitives do where anyio's laws ask for something: why its own stand on a line of its own.
//!
//! Each test says what was seen; ARCHITECTURE.md has it as a table. A peer that changes makes one fail, and may be worth
//! building on then.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use futures::{FutureExt as _, Stream};

/// Whether it waits, polled once.
fn waits<F: Future>(future: Pin<&mut F>) -> bool {
    once(future).is_none()
}

/// What it comes to, polled once.
fn once<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Nobody takes what was released while another waits for it.
macro_rules! hands_over {
    ($held:expr, $wait:expr, $try:expr) => {{
        let held = $held;
        let mut waiting = pin!($wait);
        assert!(waits(waiting.as_mut()));
        drop(held);
        let barged = $try;
        let handed_over = !barged;
        let _ = once(waiting);
        handed_over
    }};
}

#[test]
fn mutexes_are_handed_over() {
    let tokio = tokio::sync::Mutex::new(());
    assert!(hands_over!(tokio.try_lock().unwrap(), tokio.lock(), tokio.try_lock().is_ok()));
    let anyio = anyio::sync::Mutex::new(());
    assert!(hands_over!(anyio.try_lock().unwrap(), anyio.lock(), anyio.try_lock().is_ok()));

    let async_lock = async_lock::Mutex::new(());
    assert!(!hands_over!(async_lock.try_lock().unwrap(), async_lock.lock(), async_lock.try_lock().is_some()));
    let futures = futures::lock::Mutex::new(());
    assert!(!hands_over!(futures.try_lock().unwrap(), futures.lock(), futures.try_lock().is_some()));
}

#[test]
fn permits_are_handed_over() {
    let tokio = tokio::sync::Semaphore::new(1);
    assert!(hands_over!(tokio.try_acquire().unwrap(), tokio.acquire(), tokio.try_acquire().is_ok()));
    let anyio = anyio::sync::Semaphore::new(1);
    assert!(hands_over!(anyio.try_acquire().unwrap(), anyio.acquire(), anyio.try_acquire().is_ok()));

    let async_lock = async_lock::Semaphore::new(1);
    assert!(!hands_over!(async_lock.try_acquire().unwrap(), async_lock.acquire(), async_lock.try_acquire().is_some()));
}

#[test]
fn read_write_locks_are_handed_over() {
    let tokio = tokio::sync::RwLock::new(());
    assert!(hands_over!(tokio.try_write().unwrap(), tokio.write(), tokio.try_read().is_ok()));
    let anyio = anyio::sync::RwLock::new(());
    assert!(hands_over!(anyio.try_write().unwrap(), anyio.write(), anyio.try_read().is_ok()));

    let async_lock = async_lock::RwLock::new(());
    assert!(!hands_over!(async_lock.try_write().unwrap(), async_lock.write(), async_lock.try_write().is_some()));
}

/// A wait that was dropped is not counted among those who have come.
macro_rules! forgets_a_dropped_wait {
    ($barrier:expr) => {{
        let barrier = $barrier;
        {
            let mut gone = Box::pin(barrier.wait());
            assert!(waits(gone.as_mut()));
        }
        waits(pin!(barrier.wait()))
    }};
}

#[test]
fn barriers_forget_dropped_waits() {
    assert!(forgets_a_dropped_wait!(anyio::sync::Barrier::new(2)));
    assert!(!forgets_a_dropped_wait!(tokio::sync::Barrier::new(2)));
    assert!(!forgets_a_dropped_wait!(async_lock::Barrier::new(2)));
}

/// An item that was sent to a receiver which is dropped then is there for the next.
macro_rules! keeps_the_item {
    ($sender:expr, $receiver:expr, $recv:ident, $try_recv:ident) => {{
        let (sender, receiver) = ($sender, $receiver);
        {
            let mut gone = Box::pin(receiver.$recv());
            assert!(waits(gone.as_mut()));
            assert!(sender.try_send(1).is_ok());
        }
        receiver.$try_recv().ok()
    }};
}

#[test]
fn items_are_not_lost_when_a_receive_is_dropped() {
    for capacity in [0, 1] {
        let (sender, receiver) = anyio::channel::bounded(capacity);
        assert_eq!(keeps_the_item!(sender, receiver, recv, try_recv), Some(1));
        let (sender, receiver) = flume::bounded(capacity);
        assert_eq!(keeps_the_item!(sender, receiver, recv_async, try_recv), Some(1));
        let (sender, receiver) = kanal::bounded_async(capacity);
        let left = keeps_the_item!(sender, receiver, recv, try_recv);
        assert_eq!(left.flatten(), None, "kanal loses it");
    }
    let (sender, receiver) = async_channel::bounded(1);
    assert_eq!(keeps_the_item!(sender, receiver, recv, try_recv), Some(1));
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let receiver = &mut receiver;
    assert_eq!(keeps_the_item!(sender, receiver, recv, try_recv), Some(1));
}

/// Who waits for an item is not overtaken by one who comes later.
macro_rules! does_not_let_overtake {
    ($sender:expr, $receiver:expr, $recv:ident, $took:expr) => {{
        let (sender, receiver) = ($sender, $receiver);
        let mut waiting = pin!(receiver.$recv());
        assert!(waits(waiting.as_mut()));
        assert!(sender.try_send(1).is_ok());
        let took: bool = $took(&receiver);
        !took
    }};
}

#[test]
fn receivers_are_not_overtaken() {
    let (sender, receiver) = anyio::channel::bounded(1);
    let took = |receiver: &anyio::channel::Receiver<i32>| receiver.try_recv().is_ok();
    assert!(does_not_let_overtake!(sender, receiver, recv, took));
    let (sender, receiver) = async_channel::bounded(1);
    let took = |receiver: &async_channel::Receiver<i32>| receiver.try_recv().is_ok();
    assert!(!does_not_let_overtake!(sender, receiver, recv, took));
    let (sender, receiver) = flume::bounded(1);
    let took = |receiver: &flume::Receiver<i32>| receiver.try_recv().is_ok();
    assert!(!does_not_let_overtake!(sender, receiver, recv_async, took));
}

#[test]
fn an_idle_stream_keeps_its_place_until_its_owner_receives_otherwise() {
    struct Woken(AtomicBool);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (sender, receiver) = async_channel::bounded(1);
    let mut idle = Box::pin(receiver.clone());
    assert!(idle.as_mut().poll_next(&mut Context::from_waker(Waker::noop())).is_pending());
    let woken = Arc::new(Woken(false.into()));
    let waker = Waker::from(woken.clone());
    let mut waiting = pin!(receiver.recv());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    sender.try_send(1).unwrap();
    assert_eq!(idle.try_recv(), Ok(1), "its owner receives otherwise");
    sender.try_send(2).unwrap();
    assert!(woken.0.load(Ordering::SeqCst), "it comes with the next item");

    let (sender, mut idle) = anyio::channel::bounded(1);
    let receiver = idle.clone();
    for _ in 0..2 {
        assert!(Pin::new(&mut idle).poll_next(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let mut waiting = pin!(receiver.recv());
    assert!(waits(waiting.as_mut()));
    sender.try_send(1).unwrap();
    assert!(waits(waiting.as_mut()), "a stream keeps its place");
    let mut next = Box::pin(idle.recv());
    assert_eq!(once(next.as_mut()), None, "its owner receives otherwise, and has given its place up");
    assert_eq!(once(waiting.as_mut()), Some(Ok(1)));
}

#[test]
fn rendezvous_channels() {
    assert!(std::panic::catch_unwind(|| async_channel::bounded::<u8>(0)).is_err());
    assert!(std::panic::catch_unwind(|| tokio::sync::mpsc::channel::<u8>(0)).is_err());
    // A send that is dropped when a receiver has come did not happen.
    let (sender, receiver) = anyio::channel::rendezvous();
    let mut sending = Box::pin(sender.send(1));
    assert!(waits(sending.as_mut()));
    let mut receiving = pin!(receiver.recv());
    assert!(waits(receiving.as_mut()));
    drop(sending);
    assert!(waits(receiving.as_mut()));

    let (sender, receiver) = flume::bounded(0);
    let mut sending = Box::pin(sender.send_async(1));
    assert!(waits(sending.as_mut()));
    let received = receiver.recv_async().now_or_never();
    drop(sending);
    assert_eq!(received, Some(Ok(1)), "flume delivers from a send that is dropped");

    let (sender, receiver) = kanal::bounded_async(0);
    let mut sending = Box::pin(sender.send(1));
    assert!(waits(sending.as_mut()));
    let received = receiver.recv().now_or_never();
    drop(sending);
    assert_eq!(received, Some(Ok(1)), "kanal delivers from a send that is dropped");
}

/// What is received when room was made for a send that is dropped then.
macro_rules! left_by_a_dropped_send {
    ($sender:expr, $receiver:expr, $send:ident, $overtake:expr) => {{
        let (sender, receiver) = ($sender, $receiver);
        assert!(sender.try_send(0).is_ok());
        let mut sending = Box::pin(sender.$send(1));
        assert!(waits(sending.as_mut()));
        assert!(receiver.try_recv().is_ok());
        if $overtake {
            let _ = sender.try_send(2);
        }
        drop(sending);
        receiver.try_recv().ok()
    }};
}

/// A send that is dropped did not happen, and the room that was made for it is not taken by others meanwhile.
#[test]
fn senders_are_not_overtaken() {
    let (sender, receiver) = anyio::channel::bounded(1);
    assert_eq!(left_by_a_dropped_send!(sender, receiver, send, true), None);
    let (sender, receiver) = async_channel::bounded(1);
    assert_eq!(left_by_a_dropped_send!(sender, receiver, send, true), Some(2), "async-channel lets overtake");
    let (sender, receiver) = flume::bounded(1);
    assert_eq!(left_by_a_dropped_send!(sender, receiver, send_async, false), Some(1), "flume has sent it");
    let (sender, receiver) = kanal::bounded_async(1);
    let left = left_by_a_dropped_send!(sender, receiver, send, false);
    assert_eq!(left.flatten(), Some(1), "kanal has sent it");
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let (sender, receiver) = (&sender, &mut receiver);
    assert_eq!(left_by_a_dropped_send!(sender, receiver, send, true), None);
}
