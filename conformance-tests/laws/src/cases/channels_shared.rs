//! Cases of the laws Q, C6, C7 and X5: channels for one value, for the latest, and for all receivers.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use anyio::channel::broadcast::{self, Overflow};
use anyio::channel::{oneshot, watch};
use anyio::task_group;
use futures::future::join;

use crate::fixture::{Drops, caught};
use crate::races;
use crate::steps::{acts_when_held, at_once, is_cut_off, is_woken_by, loop_ends, on_thread, turns, until, waits};

/// Q2: One value goes from here to there, once.
pub async fn a_oneshot_carries_one_value() {
    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(receiver.try_recv(), Err(oneshot::TryRecvError::Empty));
    assert!(waits(&mut receiver));
    sender.send(1).unwrap();
    assert_eq!((&mut receiver).await, Ok(1));
    assert_eq!(receiver.try_recv(), Err(oneshot::TryRecvError::Closed));
    assert!(caught(receiver).await.unwrap_err().contains("after it was ready"));
}

/// Q2: Each side of a oneshot learns that the other is gone.
pub async fn a_oneshot_tells_that_the_other_side_is_gone() {
    let (sender, mut receiver) = oneshot::channel::<u8>();
    assert!(waits(&mut receiver));
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(oneshot::TryRecvError::NotSent));
    assert_eq!(receiver.await, Err(oneshot::RecvError::NotSent));

    let (mut sender, receiver) = oneshot::channel();
    {
        let mut closed = Box::pin(sender.closed());
        assert!(waits(&mut closed));
        drop(receiver);
        assert!(at_once(&mut closed).is_some());
    }
    assert!(sender.is_closed());
    assert_eq!(sender.send("back"), Err("back"));
}

/// Q2, C7: A receiver that was closed still has what was sent before, and nothing that is sent later.
pub async fn a_closed_oneshot_keeps_what_was_sent() {
    let (sender, mut receiver) = oneshot::channel();
    sender.send(1).unwrap();
    receiver.close();
    receiver.close();
    assert_eq!(receiver.await, Ok(1));
    let (sender, mut receiver) = oneshot::channel();
    receiver.close();
    assert_eq!(sender.send(2), Err(2));
    assert_eq!(receiver.await, Err(oneshot::RecvError::Closed));
}

/// Q2: What was sent and never received is dropped with the receiver.
pub async fn an_unreceived_value_is_dropped() {
    let drops = Drops::new();
    let (sender, receiver) = oneshot::channel();
    sender.send(drops.token()).unwrap();
    drop(receiver);
    assert_eq!(drops.count(), 1);
}

/// Q2: A receiver of a watch sees the latest value, and is told of changes that it has not seen.
pub async fn a_watch_shows_the_latest_value() {
    let (sender, mut receiver) = watch::channel(0);
    assert_eq!(receiver.has_changed(), Ok(false));
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_eq!(receiver.has_changed(), Ok(true));
    receiver.changed().await.unwrap();
    assert_eq!((*receiver.borrow(), receiver.has_changed()), (2, Ok(false)));
    sender.send_modify(|value| *value += 1);
    assert_eq!((*receiver.borrow_and_update(), receiver.has_changed()), (3, Ok(false)));
    receiver.mark_changed();
    receiver.changed().await.unwrap();
    let old = receiver.borrow();
    assert_eq!((*sender.send_replace(4), *old, *sender.borrow()), (3, 3, 4));
    receiver.mark_seen();
    assert_eq!(receiver.has_changed(), Ok(false));
}

/// Q2: A new receiver has seen what is there, a clone what its original has, and the last value is seen after its sender.
pub async fn receivers_of_a_watch_know_what_they_have_seen() {
    let (sender, mut receiver) = watch::channel(0);
    sender.send(1).unwrap();
    let mut late = sender.subscribe();
    assert_eq!((late.has_changed(), receiver.has_changed()), (Ok(false), Ok(true)));
    assert_eq!(receiver.clone().has_changed(), Ok(true));
    receiver.mark_seen();
    assert_eq!(receiver.clone().has_changed(), Ok(false));
    sender.send(2).unwrap();
    drop(sender);
    assert_eq!((late.has_changed(), late.changed().await), (Ok(true), Ok(())));
    assert_eq!((late.has_changed(), late.changed().await), (Err(watch::RecvError), Err(watch::RecvError)));
}

/// Q2: All who wait for a change are told of it.
pub async fn a_watch_tells_all_who_wait() {
    let (sender, receiver) = watch::channel(0);
    let mut receivers: Vec<_> = (0..3).map(|_| receiver.clone()).collect();
    let mut waiting: Vec<_> = receivers.iter_mut().map(|receiver| receiver.changed()).collect();
    assert!(waiting.iter_mut().all(waits));
    drop(waiting.remove(1));
    sender.send(1).unwrap();
    assert!(waiting.iter_mut().all(|changed| at_once(changed) == Some(Ok(()))));
    drop(waiting);
    assert_eq!(receivers[1].has_changed(), Ok(true), "a wait that was dropped has seen nothing");
}

/// Q2: A watch can be waited on until its value is as wanted.
pub async fn a_watch_can_be_waited_on_for_a_value() {
    let (sender, mut receiver) = watch::channel(1);
    assert_eq!(receiver.wait_for(|n| *n == 1).await.as_deref(), Ok(&1));
    let send = async {
        for n in 2..5 {
            turns(2).await;
            sender.send(n).unwrap();
        }
        drop(sender);
    };
    let wait = async {
        assert_eq!(receiver.wait_for(|n| *n == 3).await.as_deref(), Ok(&3));
        assert_eq!(receiver.wait_for(|n| *n == 9).await, Err(watch::RecvError));
    };
    join(wait, send).await;
}

/// Q2: Each side of a watch learns that the other is gone; the last value stays.
pub async fn a_watch_tells_that_the_other_side_is_gone() {
    let (sender, mut receiver) = watch::channel(0);
    let another = sender.clone();
    sender.send(1).unwrap();
    drop(sender);
    receiver.changed().await.unwrap();
    let mut changed = receiver.changed();
    assert!(waits(&mut changed));
    drop(another);
    assert_eq!(at_once(&mut changed), Some(Err(watch::RecvError)));
    drop(changed);
    assert!(receiver.is_closed() && receiver.has_changed().is_err());
    assert_eq!(*receiver.borrow(), 1);

    let (sender, receiver) = watch::channel(0);
    let clone = receiver.clone();
    let mut closed = sender.closed();
    assert!(waits(&mut closed));
    drop(receiver);
    assert!(waits(&mut closed));
    drop(clone);
    assert!(at_once(&mut closed).is_some());
    assert_eq!(sender.send(1), Err(watch::SendError(1)));
    let again = sender.subscribe();
    assert_eq!((*again.borrow(), sender.receiver_count()), (0, 1));
}

/// Q2: A change that panics changes nothing, and senders go on.
pub async fn a_change_that_panics_changes_nothing() {
    let (sender, receiver) = watch::channel(vec![1]);
    let modify = |value: &mut Vec<i32>| {
        value.push(2);
        panic!("on purpose")
    };
    assert!(caught(async { sender.send_modify(modify) }).await.is_err());
    assert_eq!(*receiver.borrow(), [1]);
    sender.send(vec![]).unwrap();
    assert_eq!(*receiver.borrow(), []);
}

/// Q2: Every receiver gets every value, in order.
pub async fn a_broadcast_reaches_all() {
    for overflow in [Overflow::Lag, Overflow::Wait] {
        let (sender, mut first) = broadcast::channel(8, overflow);
        let mut second = first.clone();
        for n in 0..5 {
            sender.send(n).await.unwrap();
        }
        let mut late = sender.subscribe();
        sender.send(5).await.unwrap();
        for n in 0..6 {
            assert_eq!((first.recv().await, second.recv().await), (Ok(n), Ok(n)));
        }
        assert_eq!(late.recv().await, Ok(5));
        assert_eq!(late.try_recv(), Err(broadcast::TryRecvError::Empty));
        assert_eq!(sender.statistics().buffered, 0);
        let mut receiving = Box::pin(late.recv());
        assert!(waits(&mut receiving));
        drop(sender);
        assert_eq!(at_once(&mut receiving), Some(Err(broadcast::RecvError::EndOfStream)));
    }
}

/// Q2: With lag, who falls behind is told how many values it missed, and goes on with the oldest that is kept.
pub async fn a_slow_receiver_is_told_what_it_missed() {
    let (sender, mut slow) = broadcast::channel(2, Overflow::Lag);
    let mut fast = slow.clone();
    for n in 0..5 {
        sender.try_send(n).unwrap();
        assert_eq!(fast.recv().await, Ok(n));
    }
    let mut as_slow = slow.clone();
    assert_eq!((slow.len(), slow.recv().await), (5, Err(broadcast::RecvError::Lagged(3))));
    assert_eq!((slow.recv().await, slow.recv().await), (Ok(3), Ok(4)));
    assert!(slow.is_empty());
    assert_eq!(as_slow.try_recv(), Err(broadcast::TryRecvError::Lagged(3)));
    drop(as_slow);
    assert_eq!(sender.statistics().buffered, 0);
}

/// Q1, Q2: Without lag senders wait for the slowest, in order; a sender that gives up passes its place on.
pub async fn a_slow_receiver_keeps_senders_waiting() {
    let (sender, mut slow) = broadcast::channel(1, Overflow::Wait);
    let mut fast = slow.clone();
    sender.try_send(0).unwrap();
    assert!(matches!(sender.try_send(1), Err(broadcast::TrySendError::Full(1))));
    let (mut first, mut second, mut third) = (sender.send(1), sender.send(2), sender.send(3));
    assert!(waits(&mut first) && waits(&mut second) && waits(&mut third));
    assert_eq!(fast.try_recv(), Ok(0));
    assert!(waits(&mut first));
    assert_eq!(slow.try_recv(), Ok(0));
    assert!(sender.try_send(4).is_err(), "the place is the first sender's");
    drop(first);
    assert!(waits(&mut third));
    assert_eq!(at_once(&mut second), Some(Ok(())));
    assert_eq!((slow.try_recv(), fast.try_recv()), (Ok(2), Ok(2)));
    assert_eq!(at_once(&mut third), Some(Ok(())));
    assert_eq!(fast.try_recv(), Ok(3));
    drop(slow);
    assert_eq!(sender.statistics().buffered, 0, "nobody wants it any more");
}

/// Q2: A sender that was given a place has its value back when no receiver is left to get it.
pub async fn a_place_among_no_receivers_gives_the_value_back() {
    let (sender, mut receiver) = broadcast::channel(1, Overflow::Wait);
    sender.try_send(0).unwrap();
    let mut sending = sender.send(1);
    assert!(waits(&mut sending));
    assert_eq!(receiver.try_recv(), Ok(0));
    drop(receiver);
    assert_eq!(at_once(&mut sending), Some(Err(broadcast::SendError(1))));
    assert_eq!(sender.statistics().buffered, 0);
}

/// Q2: A slow receiver that is dropped lets the senders go on; without receivers they get their values back.
pub async fn a_slow_receiver_that_is_dropped_lets_senders_go_on() {
    let drops = Drops::new();
    let (sender, slow) = broadcast::channel(1, Overflow::Wait);
    let fast = sender.subscribe();
    sender.try_send(drops.token().into()).unwrap();
    let mut sending = sender.send(Arc::new(drops.token()));
    assert!(waits(&mut sending));
    drop(slow);
    assert!(waits(&mut sending));
    let mut also = sender.send(Arc::new(drops.token()));
    assert!(waits(&mut also));
    drop(fast);
    assert_eq!(drops.count(), 1);
    assert!(at_once(&mut sending).unwrap().is_err() && at_once(&mut also).unwrap().is_err());
    assert!(matches!(sender.try_send(drops.token().into()), Err(broadcast::TrySendError::NoReceivers(_))));
    let mut again = sender.subscribe();
    sender.send(drops.token().into()).await.unwrap();
    assert!(again.recv().await.is_ok());
}

/// Q2: A sender that waited when the last receiver went gets its value back, also when there is a new receiver by then:
/// the channel keeps no more than it may.
pub async fn a_sender_without_receivers_is_not_sent_on() {
    let (sender, receiver) = broadcast::channel(1, Overflow::Wait);
    sender.try_send(0).unwrap();
    let mut waiting = sender.send(1);
    assert!(waits(&mut waiting));
    drop(receiver);
    let mut late = sender.subscribe();
    sender.try_send(2).unwrap();
    assert_eq!(at_once(&mut waiting), Some(Err(broadcast::SendError(1))));
    assert_eq!((sender.statistics().buffered, late.try_recv()), (1, Ok(2)));
}

/// Q2: The last receiver of a value gets it without a clone, and a value without receivers is not kept.
pub async fn the_last_to_receive_gets_the_value_itself() {
    #[derive(Debug)]
    struct Counted(Rc<Cell<usize>>);
    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.set(self.0.get() + 1);
            Counted(self.0.clone())
        }
    }
    let clones = Rc::new(Cell::new(0));
    let (sender, mut first) = broadcast::channel(4, Overflow::Lag);
    let mut second = first.clone();
    sender.send(Counted(clones.clone())).await.unwrap();
    assert!(first.recv().await.is_ok() && second.recv().await.is_ok());
    assert_eq!(clones.get(), 1);
}

/// C6: In a cancelled scope nothing is sent, received or seen; where the cancellation does not reach, it is.
pub async fn nothing_is_seen_in_a_cancelled_scope() {
    let (sender, mut receiver) = oneshot::channel();
    sender.send(1).unwrap();
    assert!(is_cut_off(&mut receiver).await);
    assert_eq!(acts_when_held(receiver).await, Ok(1));

    let (sender, mut receiver) = watch::channel(0);
    sender.send(1).unwrap();
    assert!(is_cut_off(receiver.changed()).await);
    assert!(is_cut_off(receiver.wait_for(|_| true)).await);
    assert_eq!(receiver.has_changed(), Ok(true));
    acts_when_held(receiver.changed()).await.unwrap();

    let (sender, mut receiver) = broadcast::channel(2, Overflow::Lag);
    assert!(is_cut_off(sender.send(1)).await);
    acts_when_held(sender.send(2)).await.unwrap();
    assert!(is_cut_off(receiver.recv()).await);
    assert_eq!(acts_when_held(receiver.recv()).await, Ok(2));
}

/// X5: Loops of what is always possible can be cancelled.
pub async fn loops_of_values_can_be_cancelled() {
    let oneshots = async || {
        let (sender, receiver) = oneshot::channel();
        sender.send(1).unwrap();
        receiver.await.unwrap();
    };
    assert!(loop_ends(oneshots).await);
    let closed = async || {
        let (mut sender, _) = oneshot::channel::<()>();
        sender.closed().await;
    };
    assert!(loop_ends(closed).await);
    let watches = async || {
        let (sender, mut receiver) = watch::channel(1);
        receiver.wait_for(|_| true).await.unwrap();
        receiver.mark_changed();
        receiver.changed().await.unwrap();
        drop(receiver);
        sender.closed().await;
    };
    assert!(loop_ends(watches).await);
    let broadcasts = async || {
        let (sender, mut receiver) = broadcast::channel(1, Overflow::Wait);
        sender.send(1).await.unwrap();
        receiver.recv().await.unwrap();
    };
    assert!(loop_ends(broadcasts).await);
}

/// Q2: Values cross from plain threads, which wake who waits.
pub async fn values_cross_from_plain_threads() {
    let (answer, question) = oneshot::channel();
    let (setting, mut settings) = watch::channel(0);
    let (news, mut heard) = broadcast::channel(1, Overflow::Wait);
    let counted = setting.clone();
    let group = task_group(async |tg| {
        let one = tg.spawn(question);
        let latest = tg.spawn(async move { settings.wait_for(|n| *n == 3).await.map(|n| *n) });
        let first = tg.spawn(async move { heard.recv().await });
        until(|| counted.receiver_count() == 1).await;
        let sends = on_thread(move || {
            answer.send(1).unwrap();
            news.try_send(2).unwrap();
            setting.send(3).unwrap();
        });
        let all = (one.value().await, latest.value().await, first.value().await);
        sends.join().unwrap();
        all
    });
    assert_eq!(group.await, Ok((Ok(1), Ok(3), Ok(2))));
}

/// Q2: Whoever waits is woken, by a value and by the end of the other side.
pub async fn whoever_waits_for_a_value_is_woken() {
    let (sender, mut receiver) = oneshot::channel();
    assert!(is_woken_by(&mut receiver, || sender.send(1).unwrap()));
    let (sender, mut receiver) = oneshot::channel::<()>();
    assert!(is_woken_by(&mut receiver, || drop(sender)));
    let (mut sender, receiver) = oneshot::channel::<()>();
    assert!(is_woken_by(&mut Box::pin(sender.closed()), || drop(receiver)));

    let (sender, mut receiver) = watch::channel(1);
    assert!(is_woken_by(&mut receiver.changed(), || sender.send(2).unwrap()));
    receiver.mark_seen();
    assert!(is_woken_by(&mut receiver.changed(), || drop(sender)));
    let (sender, receiver) = watch::channel(1);
    assert!(is_woken_by(&mut sender.closed(), || drop(receiver)));

    let (sender, mut receiver) = broadcast::channel(1, Overflow::Wait);
    assert!(is_woken_by(&mut Box::pin(receiver.recv()), || sender.try_send(1).unwrap()));
    assert!(is_woken_by(&mut sender.send(2), || assert!(receiver.try_recv().is_ok())));
    let another = receiver.clone();
    sender.try_send(3).unwrap();
    assert!(is_woken_by(&mut sender.send(4), || drop((receiver, another))));
    let mut receiver = sender.subscribe();
    assert!(is_woken_by(&mut Box::pin(receiver.recv()), || drop(sender)));
}

/// C7, Q1: No value is lost when receivers and senders are cancelled while values are sent.
pub async fn values_survive_races() {
    races::oneshots(300).await;
    races::watched(300).await;
    races::broadcasts(300).await;
}
