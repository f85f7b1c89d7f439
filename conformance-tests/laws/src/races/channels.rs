//! Races of items and of room for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyio::channel::broadcast::{self, Overflow};
use anyio::channel::{Receiver, RecvError, Sender, TryRecvError, bounded, oneshot, watch};

use super::{Boxed, duel, stress};
use crate::fixture::{Dropped, Drops};
use crate::steps::{at_once, waits};

type Receiving = Boxed<Result<usize, RecvError>>;

/// A receiver that waits to receive once.
fn receiving(receiver: &Receiver<usize>) -> Receiving {
    let receiver = receiver.clone();
    let mut receiving: Receiving = Box::pin(async move { receiver.recv().await });
    assert!(waits(&mut receiving));
    receiving
}

/// An item is sent while the first of two receivers gives up.
async fn offered(rounds: usize, capacity: usize) {
    let prepare = || {
        let (sender, receiver) = bounded(capacity);
        let both = [receiving(&receiver), receiving(&receiver)];
        ((sender, receiver), both)
    };
    let give_up = |[mut first, second]: [Receiving; 2]| (at_once(&mut first).is_some(), second);
    let send: fn(&(Sender<usize>, Receiver<usize>)) = |(sender, _)| sender.try_send(1).unwrap();
    duel(rounds, prepare, send, give_up, |(_, receiver), (first, mut second)| {
        assert!(first != (at_once(&mut second) == Some(Ok(1))), "one item was sent");
        drop(second);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    });
}

/// `offered`, with a buffer.
pub async fn buffered(rounds: usize) {
    offered(rounds, 1).await;
}

/// `offered`, without a buffer; and a waiting sender gives up while somebody receives from it.
pub async fn rendezvous(rounds: usize) {
    offered(rounds, 0).await;
    let prepare = || {
        let (sender, receiver) = bounded(0);
        let sends = async |sender: Sender<usize>, item| sender.send(item).await.is_ok();
        let mut both: [Boxed<bool>; 2] = [Box::pin(sends(sender.clone(), 1)), Box::pin(sends(sender, 2))];
        assert!(both.iter_mut().all(waits));
        ((receiver, AtomicUsize::new(0)), both)
    };
    type Shared = (Receiver<usize>, AtomicUsize);
    let receive: fn(&Shared) = |(receiver, got)| got.store(receiver.try_recv().unwrap_or(0), Ordering::SeqCst);
    let give_up = |[mut first, second]: [Boxed<bool>; 2]| (at_once(&mut first).is_some(), second);
    duel(rounds, prepare, receive, give_up, |(receiver, got), (completed, mut second)| {
        match got.load(Ordering::SeqCst) {
            1 => assert_eq!(receiver.try_recv(), Ok(2)),
            2 => assert!(!completed, "the first was not received"),
            _ => panic!("two were waiting"),
        }
        assert_eq!(at_once(&mut second), Some(true));
        assert!(receiver.try_recv().is_err());
    });
}

/// Room is made while the first of two reservations gives up.
pub async fn reserved(rounds: usize) {
    let reserve = async |sender: Sender<usize>, item| sender.reserve().await.unwrap().send(item).is_ok();
    let prepare = || {
        let (sender, receiver) = bounded(1);
        sender.try_send(0).unwrap();
        let mut both: [Boxed<bool>; 2] = [Box::pin(reserve(sender.clone(), 1)), Box::pin(reserve(sender, 2))];
        assert!(both.iter_mut().all(waits));
        (receiver, both)
    };
    let give_up = |[mut first, second]: [Boxed<bool>; 2]| (at_once(&mut first).is_some(), second);
    let receive: fn(&Receiver<usize>) = |receiver| assert_eq!(receiver.try_recv(), Ok(0));
    duel(rounds, prepare, receive, give_up, |receiver, (sent, mut second)| {
        if sent {
            assert_eq!(receiver.try_recv(), Ok(1));
        }
        assert_eq!(at_once(&mut second), Some(true), "the room was passed on");
        assert_eq!(receiver.try_recv(), Ok(2));
    });
}

/// Tasks send to and receive from each other while all of them are being cancelled.
pub async fn sent_and_received(rounds: usize) {
    for capacity in [0, 1, 3] {
        let (sender, receiver) = bounded(capacity);
        let (sent, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let uses = (sender, receiver.clone(), sent.clone(), received.clone());
        stress(rounds, move |round| {
            let (sender, receiver, sent, received) = uses.clone();
            async move {
                if round % 2 == 0 {
                    sender.send(round + 1).await.unwrap();
                    sent.fetch_add(round + 1, Ordering::SeqCst);
                } else {
                    received.fetch_add(receiver.recv().await.unwrap(), Ordering::SeqCst);
                }
            }
        })
        .await;
        let left: usize = std::iter::from_fn(|| receiver.try_recv().ok()).sum();
        assert_eq!(sent.load(Ordering::SeqCst), received.load(Ordering::SeqCst) + left);
        assert_eq!(receiver.statistics().tasks_waiting_to_receive, 0);
    }
}

/// A value is sent while its receiver gives up: it is received, given back, or dropped once.
pub async fn oneshots(rounds: usize) {
    type Place = (parking_lot::Mutex<Option<oneshot::Sender<Dropped>>>, AtomicUsize, Drops);
    let prepare = || {
        let (sender, mut receiver) = oneshot::channel();
        assert!(waits(&mut receiver));
        ((parking_lot::Mutex::new(Some(sender)), AtomicUsize::new(0), Drops::new()), receiver)
    };
    let send: fn(&Place) = |(sender, given_back, drops)| {
        let sent = sender.lock().take().unwrap().send(drops.token());
        given_back.store(usize::from(sent.is_err()), Ordering::SeqCst);
    };
    let close = |mut receiver: oneshot::Receiver<Dropped>| {
        receiver.close();
        at_once(&mut receiver).expect("it is closed, or there is a value")
    };
    duel(rounds, prepare, send, close, |(_, given_back, drops), received| {
        assert_eq!(received.is_ok(), given_back.load(Ordering::SeqCst) == 0);
        drop(received);
        assert_eq!(drops.count(), 1);
    });
}

/// A value is sent while one of two who wait for it gives up.
pub async fn watched(rounds: usize) {
    let changed = async |mut receiver: watch::Receiver<u8>| receiver.changed().await.map(|()| *receiver.borrow());
    let prepare = || {
        let (sender, receiver) = watch::channel(0);
        let mut both: [Boxed<_>; 2] = [Box::pin(changed(receiver.clone())), Box::pin(changed(receiver))];
        assert!(both.iter_mut().all(waits));
        (sender, both)
    };
    let give_up = |[first, second]: [Boxed<Result<u8, watch::RecvError>>; 2]| {
        drop(first);
        second
    };
    let send: fn(&watch::Sender<u8>) = |sender| sender.send(1).unwrap();
    duel(rounds, prepare, send, give_up, |_, mut second| assert_eq!(at_once(&mut second), Some(Ok(1))));
}

/// The slowest receiver receives while the first of two senders gives up.
pub async fn broadcasts(rounds: usize) {
    let send = async |sender: broadcast::Sender<u8>, value| sender.send(value).await.is_ok();
    let prepare = || {
        let (sender, receiver) = broadcast::channel(1, Overflow::Wait);
        sender.try_send(0).unwrap();
        let mut both: [Boxed<bool>; 2] = [Box::pin(send(sender.clone(), 1)), Box::pin(send(sender, 2))];
        assert!(both.iter_mut().all(waits));
        (parking_lot::Mutex::new(receiver), both)
    };
    let give_up = |[mut first, second]: [Boxed<bool>; 2]| (at_once(&mut first).is_some(), second);
    let receive: fn(&parking_lot::Mutex<broadcast::Receiver<u8>>) =
        |receiver| assert_eq!(receiver.lock().try_recv(), Ok(0));
    duel(rounds, prepare, receive, give_up, |receiver, (sent, mut second)| {
        let mut receiver = receiver.lock();
        if sent {
            assert_eq!(receiver.try_recv(), Ok(1));
        }
        assert_eq!(at_once(&mut second), Some(true), "the place was passed on");
        assert_eq!(receiver.try_recv(), Ok(2));
    });
}
