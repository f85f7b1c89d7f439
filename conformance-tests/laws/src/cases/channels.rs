//! Cases of the laws Q, C6, C7 and X5: channels from many to many.

use std::cell::{Cell, RefCell};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;

use anyio::channel::{Receiver, RecvError, SendError, TryRecvError, TrySendError, bounded, rendezvous, unbounded};
use anyio::{CancelScope, checkpoint, task_group};
use futures::future::{join, join_all};
use futures::stream::{Stream as _, StreamExt as _};

use crate::fixture::{Drops, Wakes};
use crate::races;
use crate::steps::{acts_when_held, at_once, is_cut_off, is_woken_by, loop_ends, on_thread, turns, until, waits};

/// Q2: Items come out in the order in which they went in, with and without a buffer.
pub async fn items_come_out_in_order() {
    for capacity in [0, 1, 2, 7, usize::MAX] {
        let (sender, receiver) = bounded(capacity);
        let send = async {
            for n in 0..20 {
                sender.send(n).await.unwrap();
            }
        };
        let receive = async {
            for n in 0..20 {
                assert_eq!(receiver.recv().await, Ok(n));
            }
        };
        join(send, receive).await;
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
}

/// Q2: A bounded channel keeps as many items as it says, and no more.
pub async fn a_bounded_channel_is_bounded() {
    let (sender, receiver) = bounded(2);
    sender.send(1).await.unwrap();
    sender.try_send(2).unwrap();
    assert!(matches!(sender.try_send(3), Err(TrySendError::Full(3))));
    let mut sending = sender.send(3);
    assert!(waits(&mut sending));
    assert_eq!(receiver.recv().await, Ok(1));
    assert!(sender.try_send(4).unwrap_err().is_full(), "the slot is the waiting sender's");
    at_once(&mut sending).expect("there is room").unwrap();
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(2), Ok(3)));
    sender.try_send(4).unwrap();
    assert_eq!(sender.statistics().peak_buffered, 2, "the most that there were at a time");
}

/// Q2: In a rendezvous a sender waits until its item is received.
pub async fn a_rendezvous_keeps_nothing() {
    let (sender, receiver) = rendezvous();
    assert!(sender.try_send(0).unwrap_err().is_full());
    let mut sending = sender.send(1);
    assert!(waits(&mut sending));
    assert_eq!(sender.statistics().buffered, 0);
    let (sent, received) = join(sending, receiver.recv()).await;
    assert_eq!((sent, received), (Ok(()), Ok(1)));

    let mut receiving = receiver.recv();
    assert!(waits(&mut receiving));
    sender.try_send(2).unwrap();
    assert!(sender.try_send(3).unwrap_err().is_full(), "one receiver takes one item");
    assert_eq!(at_once(&mut receiving), Some(Ok(2)));
}

/// Q2: What waits to send can be received without waiting, in a rendezvous too.
pub async fn a_waiting_sender_can_be_received_from_at_once() {
    let (sender, receiver) = rendezvous();
    let mut sending = [sender.send(1), sender.send(2)];
    assert!(sending.iter_mut().all(waits));
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert!(sending.iter_mut().all(|sending| at_once(sending) == Some(Ok(()))));
}

/// Q2: An unbounded channel never lets a sender wait.
pub async fn an_unbounded_channel_has_room() {
    let (sender, receiver) = unbounded();
    for n in 0..1000 {
        sender.send(n).await.unwrap();
    }
    assert_eq!(receiver.statistics().capacity, None);
    assert_eq!((receiver.statistics().buffered, receiver.statistics().peak_buffered), (1000, 1000));
    drop(sender);
    assert_eq!(receiver.collect::<Vec<_>>().await.len(), 1000);
}

/// Q2: When the last sender is gone the stream ends, after what is in the buffer.
pub async fn the_stream_ends_after_the_buffer() {
    let (sender, receiver) = bounded(3);
    let another = sender.clone();
    sender.send(1).await.unwrap();
    drop(sender);
    another.send(2).await.unwrap();
    let (first, second) = (receiver.recv().await, receiver.recv().await);
    assert_eq!((first, second), (Ok(1), Ok(2)));
    let mut receiving = receiver.recv();
    assert!(waits(&mut receiving));
    drop(another);
    assert_eq!(at_once(&mut receiving), Some(Err(RecvError::EndOfStream)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::EndOfStream));
    assert!(receiver.is_closed());
}

/// Q2: While an item may still come back, because its receiver may give up, the stream has not ended.
pub async fn the_stream_has_not_ended_while_an_item_is_on_its_way() {
    let (sender, receiver) = bounded(1);
    let mut first = receiver.recv();
    assert!(waits(&mut first));
    sender.try_send(1).unwrap();
    drop(sender);
    let mut second = receiver.recv();
    assert!(waits(&mut second), "the first may give up yet");
    drop(first);
    assert_eq!(at_once(&mut second), Some(Ok(1)));
}

/// Q2: When the last receiver is gone senders get their items back, and the buffer is dropped.
pub async fn senders_get_their_items_back() {
    for capacity in [0, 1] {
        let drops = Drops::new();
        let (sender, receiver) = bounded(capacity);
        let another = receiver.clone();
        if capacity > 0 {
            sender.send(drops.token()).await.unwrap();
        }
        let mut sending = sender.send(drops.token());
        assert!(waits(&mut sending));
        drop(receiver);
        assert!(waits(&mut sending));
        drop(another);
        let error = at_once(&mut sending).expect("nobody is left").unwrap_err();
        assert!(matches!(&error, SendError::Disconnected(_)));
        assert_eq!(drops.count(), capacity, "the buffer was dropped, and the item is here");
        assert!(sender.send(error.into_inner()).await.is_err());
        assert!(matches!(sender.try_send(drops.token()), Err(TrySendError::Disconnected(_))));
        assert!(matches!(sender.reserve().await, Err(SendError::Disconnected(()))));
        assert!(sender.is_closed());
    }
}

/// Q2: Closing one end wakes what waits through it, with its item, and leaves its clones open.
pub async fn closing_wakes_own_waiters() {
    for capacity in [0, 1] {
        let (sender, receiver) = bounded(capacity);
        let another = sender.clone();
        (0..capacity).for_each(|n| sender.try_send(n).unwrap());
        let (mut own, mut others) = (sender.send(10), another.send(11));
        assert!(waits(&mut own) && waits(&mut others));
        sender.close();
        assert!(matches!(at_once(&mut own), Some(Err(SendError::Closed(10)))));
        assert!(waits(&mut others));
        assert!(matches!(sender.try_send(12), Err(TrySendError::Closed(12))));
        assert!(matches!(sender.clone().send(13).await, Err(SendError::Closed(13))));
        (0..capacity).for_each(|n| assert_eq!(receiver.try_recv(), Ok(n)));
        let (sent, received) = join(others, receiver.recv()).await;
        assert_eq!((sent, received), (Ok(()), Ok(11)));

        let remaining = receiver.clone();
        let (mut own, mut others) = (receiver.recv(), remaining.recv());
        assert!(waits(&mut own) && waits(&mut others));
        receiver.close();
        assert_eq!(at_once(&mut own), Some(Err(RecvError::Closed)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        another.try_send(14).unwrap();
        assert_eq!(at_once(&mut others), Some(Ok(14)));
    }
}

/// Q2: Closing twice, and dropping what was closed, counts once.
pub async fn closing_twice_counts_once() {
    let (sender, receiver) = bounded(1);
    let (senders, receivers) = ([sender.clone(), sender.clone()], [receiver.clone(), receiver.clone()]);
    for _ in 0..2 {
        senders[0].close();
        receivers[0].close();
    }
    drop((senders[0].clone(), receivers[0].clone()));
    let statistics = sender.statistics();
    assert_eq!((statistics.open_senders, statistics.open_receivers), (2, 2));
    drop((senders, receivers));
    let statistics = sender.statistics();
    assert_eq!((statistics.open_senders, statistics.open_receivers), (1, 1));
    sender.send(1).await.unwrap();
    assert_eq!(receiver.recv().await, Ok(1));
}

/// Q1, Q2: Receivers are served in the order in which they came, and nobody barges in.
pub async fn receivers_are_served_in_order() {
    for capacity in [0, 1, 5] {
        let (sender, receiver) = bounded(capacity);
        let mut waiting: Vec<_> = (0..3).map(|_| receiver.recv()).collect();
        assert!(waiting.iter_mut().all(waits));
        sender.try_send('a').unwrap();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "it is the first receiver's");
        assert!(waits(&mut waiting[1]));
        assert_eq!(at_once(&mut waiting[0]), Some(Ok('a')));
        sender.try_send('b').unwrap();
        assert!(waits(&mut waiting[2]));
        assert_eq!(at_once(&mut waiting[1]), Some(Ok('b')));
    }
}

/// Q1, Q2: Senders are served in the order in which they came, and nobody barges in.
pub async fn senders_are_served_in_order() {
    for capacity in [0, 1] {
        let (sender, receiver) = bounded(capacity);
        let order = RefCell::new(Vec::new());
        (0..capacity).for_each(|n| sender.try_send(n).unwrap());
        let send = async |n: usize| {
            sender.send(n).await.unwrap();
            order.borrow_mut().push(n);
        };
        let receive = async {
            until(|| sender.statistics().tasks_waiting_to_send == 4).await;
            for n in (0..capacity).chain(10..14) {
                assert_eq!(receiver.recv().await, Ok(n));
                turns(3).await;
            }
        };
        join(join_all((10..14).map(send)), receive).await;
        assert_eq!(*order.borrow(), [10, 11, 12, 13]);
    }
}

/// C7, Q1: An item that was offered to a receiver which is dropped is the next receiver's.
pub async fn a_dropped_receive_loses_nothing() {
    for capacity in [0, 1, 5] {
        let (sender, receiver) = bounded(capacity);
        let mut waiting: Vec<_> = (0..3).map(|_| receiver.recv()).collect();
        assert!(waiting.iter_mut().all(waits));
        sender.try_send(1).unwrap();
        let wakes = Wakes::new();
        assert!(wakes.poll(&mut waiting[1]).is_pending());
        drop(waiting.remove(0));
        assert_eq!(wakes.count(), 1, "the wake was passed on");
        drop(waiting.remove(0));
        drop(waiting);
        assert_eq!(receiver.try_recv(), Ok(1), "nobody waits for it any more");
    }
}

/// C7, Q1: Room that was given to a sender which is dropped is the next sender's, and its item is dropped.
pub async fn a_dropped_send_passes_its_room_on() {
    let drops = Drops::new();
    let (sender, receiver) = bounded(1);
    sender.try_send(None).unwrap();
    let (mut first, mut second) = (sender.send(Some(drops.token())), sender.send(None));
    assert!(waits(&mut first) && waits(&mut second));
    assert!(receiver.try_recv().is_ok());
    drop(first);
    assert_eq!(drops.count(), 1);
    at_once(&mut second).expect("the room was passed on").unwrap();
    assert!(receiver.try_recv().unwrap().is_none());
    assert!(receiver.try_recv().is_err());
}

/// C6, C7: A send that is dropped at any poll before it completes did not happen.
pub async fn a_dropped_send_did_not_happen() {
    for (capacity, polls) in [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3)] {
        let (sender, receiver) = bounded(capacity);
        (0..capacity).for_each(|_| sender.try_send("before").unwrap());
        let mut sending = sender.send("dropped");
        (0..polls).for_each(|_| assert!(waits(&mut sending)));
        drop(sending);
        assert_eq!(sender.statistics().tasks_waiting_to_send, 0);
        drop(sender);
        assert_eq!(receiver.collect::<Vec<_>>().await, vec!["before"; capacity]);
    }
}

/// Q1, Q2: Reserved room is kept until it is used, and given back if it is not.
pub async fn a_permit_keeps_room() {
    let (sender, receiver) = bounded(1);
    let permit = sender.reserve().await.unwrap();
    assert!(sender.try_send(1).unwrap_err().is_full() && sender.try_reserve().is_err());
    let mut waiting = sender.reserve();
    assert!(waits(&mut waiting));
    drop(permit);
    at_once(&mut waiting).expect("the room was given back").unwrap().send(2).unwrap();
    assert_eq!(receiver.try_recv(), Ok(2));

    let permit = sender.try_reserve().unwrap();
    drop(receiver);
    assert!(matches!(permit.send(3), Err(SendError::Disconnected(3))));
    assert!(matches!(sender.try_reserve(), Err(TrySendError::Disconnected(()))));
}

/// Q1, Q2: Room that a closed sender had, by a permit or as it was given just now, goes to the next in line.
pub async fn a_closed_sender_passes_its_room_on() {
    for reserved_before in [true, false] {
        let (sender, receiver) = bounded(1);
        let closing = sender.clone();
        sender.try_send(0).unwrap();
        let mut room = closing.reserve();
        let mut next = sender.send(1);
        assert!(waits(&mut room) && waits(&mut next));
        assert_eq!(receiver.try_recv(), Ok(0));
        if reserved_before {
            let permit = at_once(&mut room).expect("there is room").unwrap();
            closing.close();
            assert!(matches!(permit.send(2), Err(SendError::Closed(2))));
        } else {
            closing.close();
            assert!(matches!(at_once(&mut room), Some(Err(SendError::Closed(())))));
        }
        assert_eq!(at_once(&mut next), Some(Ok(())));
        assert_eq!(receiver.try_recv(), Ok(1));
    }
}

/// Q1: A sender to whom a receiver came is not overtaken by the next, also when that receiver has gone again.
pub async fn a_sender_that_was_called_up_is_not_overtaken() {
    let (sender, receiver) = rendezvous();
    let (mut first, mut second) = (sender.send(1), sender.send(2));
    assert!(waits(&mut first));
    let mut receiving = receiver.recv();
    assert!(waits(&mut receiving));
    assert!(waits(&mut second));
    drop(receiving);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(at_once(&mut first), Some(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(1));
}

/// Q2, C7: A receiver that is closed when an item was on its way to it says so; the item is dropped with the channel.
pub async fn an_item_on_its_way_to_a_closed_receiver_is_dropped() {
    let drops = Drops::new();
    let (sender, receiver) = bounded(1);
    let mut receiving = receiver.recv();
    assert!(waits(&mut receiving));
    sender.try_send(drops.token()).unwrap();
    receiver.close();
    assert!(matches!(at_once(&mut receiving), Some(Err(RecvError::Closed))));
    assert_eq!(drops.count(), 1);
}

/// C7, Q1: A reservation that is dropped when room was given passes it on.
pub async fn a_dropped_reservation_passes_its_room_on() {
    let (sender, receiver) = bounded(1);
    sender.try_send(0).unwrap();
    let (mut first, mut second) = (sender.reserve(), sender.send(1));
    assert!(waits(&mut first) && waits(&mut second));
    assert_eq!(receiver.try_recv(), Ok(0));
    drop(first);
    at_once(&mut second).expect("the room was passed on").unwrap();
    assert_eq!(receiver.try_recv(), Ok(1));
}

/// Q2: In a rendezvous a reservation waits for a receiver; what it does not use is for the sender behind it.
pub async fn a_reservation_waits_for_a_receiver() {
    let (sender, receiver) = rendezvous();
    let mut reserving = sender.reserve();
    assert!(waits(&mut reserving));
    let mut sending = sender.send(1);
    assert!(waits(&mut sending));
    let mut receiving = receiver.recv();
    assert!(waits(&mut receiving), "the reservation is first");
    let permit = at_once(&mut reserving).expect("a receiver waits").unwrap();
    assert!(waits(&mut sending));
    drop(permit);
    at_once(&mut sending).expect("the receiver is still there").unwrap();
    assert_eq!(at_once(&mut receiving), Some(Ok(1)));

    let mut receiving = receiver.recv();
    assert!(waits(&mut receiving));
    let permit = sender.try_reserve().unwrap();
    drop(receiving);
    permit.send(2).unwrap();
    assert_eq!(receiver.try_recv(), Ok(2), "it waits for the next receiver");
}

/// Q2: A receiver is a stream, and tells its consumer when it has ended.
pub async fn a_receiver_is_a_stream() {
    let (sender, mut receiver) = bounded(1);
    let send = async move {
        for n in 0..5 {
            sender.send(n).await.unwrap();
        }
    };
    let (items, ()) = join(receiver.by_ref().collect::<Vec<_>>(), send).await;
    assert_eq!(items, [0, 1, 2, 3, 4]);
    assert_eq!(Receiver::next(&mut receiver).await, None);
}

/// Q1, Q2: A stream that was polled and left alone keeps no item from its own receiver.
pub async fn an_idle_stream_does_not_stand_in_the_way() {
    for capacity in [0, 1] {
        let (sender, mut receiver) = bounded(capacity);
        let poll = |receiver: &mut Receiver<i32>| {
            let waker = std::task::Waker::noop();
            Pin::new(receiver).poll_next(&mut std::task::Context::from_waker(waker)).is_pending()
        };
        assert!(poll(&mut receiver) && poll(&mut receiver));
        assert_eq!(sender.statistics().tasks_waiting_to_receive, 1);
        sender.try_send(1).unwrap();
        assert_eq!(receiver.try_recv(), Ok(1));
        assert!(poll(&mut receiver) && poll(&mut receiver));
        sender.try_send(2).unwrap();
        assert_eq!(receiver.recv().await, Ok(2));
        assert!(poll(&mut receiver) && poll(&mut receiver));
        sender.try_send(3).unwrap();
        let another = receiver.clone();
        drop(receiver);
        assert_eq!(another.try_recv(), Ok(3), "a dropped stream passes its item on");
    }
}

/// C7, Q1: The next item of a stream in a foreign select gives its place up when it loses.
pub async fn the_next_item_in_a_foreign_select_gives_its_place_up() {
    let (sender, mut receiver) = bounded(1);
    let another = receiver.clone();
    let next = std::pin::pin!(receiver.next());
    futures::future::select(next, std::pin::pin!(turns(3))).await;
    let mut receiving = another.recv();
    assert!(waits(&mut receiving));
    sender.try_send(1).unwrap();
    let received = at_once(&mut receiving);
    assert_eq!(received, if sender.statistics().tasks_waiting_to_receive == 0 { Some(Ok(1)) } else { None });
}

/// C6: In a cancelled scope nothing is sent or received; where the cancellation does not reach, it is.
pub async fn nothing_is_sent_or_received_in_a_cancelled_scope() {
    for capacity in [1, usize::MAX] {
        let (sender, mut receiver) = bounded(capacity);
        assert!(is_cut_off(sender.send(1)).await);
        assert!(is_cut_off(async { mem::forget(sender.reserve().await) }).await);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        acts_when_held(sender.send(2)).await.unwrap();
        assert!(is_cut_off(receiver.recv()).await);
        assert!(is_cut_off(receiver.next()).await);
        assert!(is_cut_off(futures::StreamExt::next(&mut receiver)).await);
        assert_eq!(acts_when_held(receiver.recv()).await, Ok(2));
    }
}

/// X5: A loop that sends and receives what is always possible can be cancelled.
pub async fn a_loop_of_sends_and_receives_can_be_cancelled() {
    let (sender, receiver) = bounded(1);
    let receiver = futures::lock::Mutex::new(receiver);
    assert!(loop_ends(async || drop(sender.reserve().await)).await);
    let both = async || {
        sender.send(1).await.unwrap();
        receiver.try_lock().unwrap().recv().await.unwrap();
    };
    assert!(loop_ends(both).await);
    let stream = async || {
        let _ = sender.try_send(1);
        assert!(futures::StreamExt::next(&mut *receiver.try_lock().unwrap()).await.is_some());
    };
    assert!(loop_ends(stream).await);
}

/// Q2: In a rendezvous nobody takes an item without waiting before the one that a sender is about to hand to a receiver
/// that waits; a reservation alone keeps nobody from it.
pub async fn a_rendezvous_is_not_barged_into() {
    let (sender, receiver) = rendezvous();
    let (mut first, mut second) = (sender.send(0), sender.send(1));
    assert!(waits(&mut first) && waits(&mut second));
    let mut waiting = receiver.recv();
    assert!(waits(&mut waiting));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "the first sender was told to go on");
    assert_eq!(at_once(&mut first), Some(Ok(())));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty), "the first item is on its way");
    drop(waiting);
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(0), Ok(1)));
    assert_eq!(at_once(&mut second), Some(Ok(())));
    let mut waiting = receiver.recv();
    assert!(waits(&mut waiting));
    let permit = sender.try_reserve().unwrap();
    drop(waiting);
    let mut third = sender.send(2);
    assert!(waits(&mut third));
    assert_eq!(receiver.try_recv(), Ok(2));
    drop(permit);
}

/// C6, C7: In a rendezvous too, a send that is dropped when a receiver has come did not happen.
pub async fn a_send_that_is_dropped_when_a_receiver_has_come_did_not_happen() {
    let (sender, receiver) = rendezvous();
    let (mut first, mut second) = (sender.send(1), sender.send(2));
    assert!(waits(&mut first) && waits(&mut second));
    let mut receiving = receiver.recv();
    assert!(waits(&mut receiving));
    drop(first);
    assert_eq!(at_once(&mut second), Some(Ok(())), "the receiver is the next sender's");
    assert_eq!(at_once(&mut receiving), Some(Ok(2)));
}

/// C7: A cancellation that comes after an item was offered finds it received.
pub async fn an_item_that_was_offered_is_received() {
    let (sender, receiver) = rendezvous();
    let scope = CancelScope::new();
    let handle = scope.handle();
    let received = Cell::new(None);
    let body = scope.run(async { received.set(receiver.recv().await.ok()) });
    let act = async {
        until(|| sender.statistics().tasks_waiting_to_receive == 1).await;
        sender.try_send(1).unwrap();
        handle.cancel();
    };
    let (outcome, ()) = join(body, act).await;
    assert_eq!((outcome.is_ok(), received.get()), (true, Some(1)));
}

/// Q2: The statistics tell what is in the channel, and who waits.
pub async fn statistics_tell_who_waits() {
    let (sender, receiver) = bounded(1);
    let _another = sender.clone();
    let mut receiving = receiver.recv();
    assert!(waits(&mut receiving));
    assert_eq!(receiver.statistics().tasks_waiting_to_receive, 1);
    drop(receiving);
    sender.try_send(1).unwrap();
    let mut sending = [sender.send(2), sender.send(3)];
    assert!(sending.iter_mut().all(waits));
    let statistics = sender.statistics();
    assert_eq!((statistics.capacity, statistics.buffered, statistics.peak_buffered), (Some(1), 1, 1));
    assert_eq!((statistics.open_senders, statistics.open_receivers), (2, 1));
    assert_eq!((statistics.tasks_waiting_to_send, statistics.tasks_waiting_to_receive), (2, 0));
}

/// Q2: An item whose destructor uses the channel finds it in order.
pub async fn an_item_may_use_the_channel_when_it_is_dropped() {
    struct Uses(Option<anyio::channel::Sender<Uses>>);
    impl Drop for Uses {
        fn drop(&mut self) {
            if let Some(sender) = self.0.take() {
                assert!(sender.try_send(Uses(None)).is_err());
                drop(sender);
            }
        }
    }
    let (sender, receiver) = bounded(2);
    sender.try_send(Uses(Some(sender.clone()))).ok().unwrap();
    let mut sending = Box::pin(sender.send(Uses(Some(sender.clone()))));
    let _ = at_once(&mut sending);
    drop((receiver, sending));
}

/// Q1, C10: A hundred thousand senders and receivers wait, give up in the middle, and are served.
pub async fn a_hundred_thousand_wait_at_a_channel() {
    const MANY: usize = 100_000;
    let (sender, receiver) = bounded(1);
    let mut receiving: Vec<_> = (0..MANY).map(|_| Some(receiver.recv())).collect();
    assert!(receiving.iter_mut().flatten().all(waits));
    (0..MANY).step_by(2).rev().for_each(|n| receiving[n] = None);
    for n in 0..MANY / 2 {
        sender.try_send(n).unwrap();
        assert_eq!(at_once(receiving[2 * n + 1].as_mut().unwrap()), Some(Ok(n)));
    }
    sender.try_send(0).unwrap();
    let mut sending: Vec<_> = (0..MANY).map(|n| Some(sender.send(n))).collect();
    assert!(sending.iter_mut().flatten().all(waits));
    (0..MANY).step_by(2).for_each(|n| sending[n] = None);
    assert_eq!(sender.statistics().tasks_waiting_to_send, MANY / 2);
    receiver.close();
    assert!(sending.iter_mut().flatten().all(|sending| at_once(sending).unwrap().is_err()));
}

/// Q2, G1: Many tasks send to many tasks, on all threads, and each item arrives once.
pub async fn each_item_arrives_once() {
    for capacity in [0, 1, 3] {
        let (sender, receiver) = bounded(capacity);
        let received = task_group(async |tg| {
            for from in 0..4 {
                let sender = sender.clone();
                tg.spawn(async move {
                    for n in 0..25 {
                        sender.send(from * 25 + n).await.unwrap();
                    }
                });
            }
            drop(sender);
            let receivers: Vec<_> = (0..3).map(|_| tg.spawn(receiver.clone().collect::<Vec<usize>>())).collect();
            let mut received = Vec::new();
            for task in receivers {
                received.extend(task.value().await);
            }
            received
        });
        let mut received = received.await.unwrap();
        received.sort_unstable();
        assert!(received.into_iter().eq(0..100));
    }
}

/// Q2: Ends may be on threads of their own, with no runtime.
pub async fn a_channel_needs_no_runtime() {
    let (sender, receiver) = rendezvous();
    let sends = on_thread(move || {
        crate::fixture::block_on(async {
            for n in 0..10 {
                sender.send(n).await.unwrap();
            }
        });
    });
    for n in 0..10 {
        assert_eq!(receiver.recv().await, Ok(n));
    }
    checkpoint().await;
    assert_eq!(receiver.recv().await, Err(RecvError::EndOfStream));
    sends.join().unwrap();
}

/// Q2: Whoever waits is woken: by an item, by room, by the end of the other side, and by its own end.
pub async fn whoever_waits_at_a_channel_is_woken() {
    for capacity in [0, 1] {
        let (sender, receiver) = bounded(capacity);
        let _open = sender.clone();
        assert!(is_woken_by(&mut receiver.recv(), || sender.try_send(0).unwrap()));
        let _ = (capacity == 0).then(|| receiver.try_recv());
        assert!(is_woken_by(&mut sender.send(1), || assert!(receiver.try_recv().is_ok())));
        let _ = (capacity == 1).then(|| sender.try_send(2));
        assert!(is_woken_by(&mut sender.send(3), || sender.close()));
        let _ = receiver.try_recv();
        assert!(is_woken_by(&mut receiver.recv(), || receiver.close()));

        let (sender, receiver) = bounded::<u8>(capacity);
        assert!(is_woken_by(&mut receiver.recv(), || drop(sender)));
        let (sender, receiver) = bounded(capacity);
        let _ = sender.try_send(0);
        assert!(is_woken_by(&mut sender.reserve(), || drop(receiver)));
    }
}

/// C7, Q1: No item is lost or doubled when receivers are cancelled while items are sent.
pub async fn items_survive_races() {
    races::buffered(300).await;
    races::rendezvous(300).await;
    races::reserved(300).await;
    races::sent_and_received(300).await;
}

/// Q2: Whoever has a channel of things that cannot be shared can share its ends.
pub async fn ends_may_be_shared() {
    let (sender, receiver) = bounded::<Cell<u8>>(1);
    let (sender, receiver) = (Arc::new(sender), Arc::new(receiver));
    let group = task_group(async |tg| {
        tg.spawn(async move { sender.send(Cell::new(7)).await.is_ok() });
        tg.spawn(async move { receiver.recv().await.unwrap().get() }).value().await
    });
    assert_eq!(group.await, Ok(7));
}
