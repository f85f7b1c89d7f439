//! Cases of what the testing kit for libraries promises, by the laws that its parts keep: Q, C6, C7, X5 and others.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::{Future, ready};
use std::io;
use std::pin::pin;
use std::sync::Arc;

use anyio::testing::{
    MemoryReceiveStream, MemorySendStream, MemoryStream, SequenceError, Sequencer, StreamError, Tally,
    assert_cancel_safe, assert_cancels, assert_checkpoints, assert_no_checkpoints, assert_pending, assert_ready,
    bounded_stream_one_way_pair, bounded_stream_pair, lockstep_stream_one_way_pair, lockstep_stream_pair,
    memory_stream_one_way_pair, memory_stream_pair, wait_all_tasks_blocked,
};
use anyio::{Event, Runtime, channel, checkpoint, gather, shield, sleep_forever, task_group};
use futures::channel::oneshot;
use futures::future::{Either, FutureExt as _, join, join_all, select};
use futures::io::{AsyncReadExt as _, AsyncWriteExt};
use parking_lot::Mutex;

use crate::fixture::{Drops, caught};
use crate::steps::{acts_when_held, at_once, gate, is_cut_off, is_woken_by, loop_ends, panics, turns, waits};

/// Q1: Steps happen in the order of their numbers, in whatever order tasks come to them.
pub async fn steps_happen_in_order() {
    let (sequencer, order) = (Sequencer::new(), Arc::new(Mutex::new(Vec::new())));
    let group = task_group(async |tg| {
        for step in (0..10).rev() {
            let (sequencer, order) = (sequencer.clone(), order.clone());
            tg.spawn(async move {
                let taken = sequencer.step(step).await;
                turns(step % 3).await;
                order.lock().push(taken.number());
            });
        }
    });
    group.await.unwrap();
    assert_eq!(*order.lock(), Vec::from_iter(0..10));
}

/// Q1: A step lasts until its guard is dropped, also by a panic.
pub async fn a_step_lasts_until_its_guard_is_dropped() {
    let sequencer = Sequencer::new();
    let first = sequencer.step(0).await;
    let mut second = pin!(sequencer.step(1));
    assert_pending(&mut second);
    assert!(is_woken_by(&mut second, || drop(first)));
    let second = assert_ready(&mut second);
    let mut third = pin!(sequencer.step(2));
    assert_pending(&mut third);
    let panicking = caught(async move {
        let _step = second;
        panics::<()>("in a step").await;
    });
    assert!(panicking.await.is_err());
    assert_eq!(assert_ready(&mut third).number(), 2);
}

/// C7: A wait for a step that is dropped breaks the sequence for all who wait, before and after, and also if its turn had
/// come in the same moment.
pub async fn a_wait_for_a_step_that_is_dropped_breaks_the_sequence() {
    for is_served in [false, true] {
        let sequencer = Sequencer::new();
        let first = sequencer.step(0).await;
        let (mut early, mut late) = (Box::pin(sequencer.try_step(1)), pin!(sequencer.try_step(2)));
        assert!(waits(&mut early) && waits(&mut late));
        let unserved = Some(first).filter(|_| !is_served);
        assert!(is_woken_by(&mut late, || drop(early)));
        let broken = |step| Some(SequenceError::Broken { step, broken_at: 1 });
        assert_eq!(at_once(&mut late).unwrap().err(), broken(2));
        assert_eq!(sequencer.try_step(7).await.err(), broken(7));
        let said = caught(sequencer.step(8)).await.unwrap_err();
        assert!(said.contains("step 8 will never come") && said.contains(file!()), "{said}");
        drop(unserved);
    }
}

/// C6: A step that is not begun in a cancelled scope is still to come, and breaks nothing.
pub async fn a_step_in_a_cancelled_scope_does_nothing() {
    let sequencer = Sequencer::new();
    assert!(is_cut_off(sequencer.step(0)).await);
    let first = sequencer.step(0).await;
    assert!(is_cut_off(sequencer.step(1)).await);
    drop(first);
    assert_eq!(acts_when_held(sequencer.step(1)).await.number(), 1);
}

/// Q1: A step that is taken twice is an error that says so, and changes nothing.
pub async fn a_step_that_is_taken_twice_is_an_error() {
    let sequencer = Sequencer::new();
    let first = sequencer.step(0).await;
    let mut second = pin!(sequencer.step(1));
    assert_pending(&mut second);
    assert_eq!(sequencer.try_step(0).await.unwrap_err(), SequenceError::TakenTwice { step: 0 });
    assert_eq!(sequencer.try_step(1).await.unwrap_err(), SequenceError::TakenTwice { step: 1 });
    drop(first);
    drop(assert_ready(&mut second));
    let said = caught(sequencer.step(1)).await.unwrap_err();
    assert!(said.contains("step 1 is taken twice") && said.contains(file!()), "{said}");
    drop(sequencer.step(2).await);
}

/// X5: A loop of steps can be cancelled, and lets others run.
pub async fn a_loop_of_steps_can_be_cancelled() {
    let (sequencer, next) = (Sequencer::new(), Cell::new(0));
    let step = async || drop(sequencer.step(next.replace(next.get() + 1)).await);
    lets_others_run(step).await;
    assert!(loop_ends(step).await);
}

/// Does something over and over, until others have had their turn.
async fn lets_others_run(operation: impl AsyncFn()) {
    let have_run = Cell::new(false);
    let others = async {
        turns(3).await;
        have_run.set(true);
    };
    let repeats = async {
        while !have_run.get() {
            operation().await;
        }
    };
    join(repeats, others).await;
}

/// X1: Tasks that have to do with each other alone come to where they wait: at once on a runtime that can tell, elsewhere
/// after a while.
pub async fn tasks_are_blocked_when_all_has_settled() {
    let (first, mut receiver) = channel::bounded(1);
    let passed = Tally::new();
    let group = task_group(async |tg| {
        for _ in 0..20 {
            let (sender, next) = channel::bounded(1);
            let receiver = std::mem::replace(&mut receiver, next);
            let passed = passed.clone();
            tg.spawn(async move {
                let number = receiver.recv().await.unwrap();
                turns(50).await;
                passed.mark();
                sender.send(number).await.unwrap();
            });
        }
        wait_all_tasks_blocked().await;
        passed.assert_never();
        first.send(7).await.unwrap();
        wait_all_tasks_blocked().await;
        let can_tell = Runtime::current().unwrap().backend().settle().is_some();
        assert!(!can_tell || passed.count() == 20, "{passed:?}");
        while passed.count() < 20 {
            wait_all_tasks_blocked().await;
        }
        assert_eq!(receiver.recv().await, Ok(7));
    });
    group.await.unwrap();
}

/// C6, C1: Waiting until all tasks are blocked can be cancelled, before it and while it waits.
pub async fn waiting_until_all_are_blocked_can_be_cancelled() {
    assert!(is_cut_off(wait_all_tasks_blocked()).await);
    assert!(loop_ends(wait_all_tasks_blocked).await);
}

/// Both ends of a stream in one direction, of each kind: they keep any number of bytes, three, and none.
fn one_way_pairs() -> [(MemorySendStream, MemoryReceiveStream); 3] {
    [memory_stream_one_way_pair(), bounded_stream_one_way_pair(3), lockstep_stream_one_way_pair()]
}

/// Both ends of a connection, of each kind.
fn pairs() -> [(MemoryStream, MemoryStream); 3] {
    [memory_stream_pair(), bounded_stream_pair(3), lockstep_stream_pair()]
}

/// Q2: Bytes come in order and all of them, however they are sent and received, and then the end of the stream.
pub async fn bytes_come_in_order_and_then_the_end() {
    let sent: Vec<u8> = (0..200).collect();
    for (sender, receiver) in one_way_pairs() {
        let send = async {
            for (length, part) in [1, 7, 2].iter().cycle().zip(sent.chunks(5)) {
                for part in part.chunks(*length) {
                    sender.send_all(part).await.unwrap();
                }
            }
            sender.close().await;
            assert_eq!(sender.send_some(b"more").await, Err(StreamError::Closed));
        };
        let receive = async {
            let mut received = Vec::new();
            for max in [1, 4, 9].iter().cycle() {
                match receiver.receive_some(*max).await.unwrap() {
                    bytes if bytes.is_empty() => break,
                    bytes if bytes.len() <= *max => received.extend(bytes),
                    bytes => panic!("{} bytes, where at most {max} were asked for", bytes.len()),
                }
            }
            assert!(receiver.receive_some(1).await.unwrap().is_empty());
            received
        };
        assert_eq!(join(send, receive).await.1, sent);
    }
}

/// Q2: A full stream has senders wait for room, and then takes as much as there is room for.
pub async fn a_full_stream_has_senders_wait() {
    let (sender, receiver) = bounded_stream_one_way_pair(3);
    assert_eq!(sender.send_some(b"abcde").await, Ok(3));
    let mut more = pin!(sender.send_some(b"de"));
    assert_pending(&mut more);
    assert_eq!(assert_ready(&mut pin!(receiver.receive_some(1))).unwrap(), b"a");
    assert_eq!(assert_ready(&mut more), Ok(1));
    assert_eq!(receiver.receive_some(9).await.unwrap(), b"bcd");
    let (sender, _receiver) = bounded_stream_one_way_pair(0);
    assert_pending(&mut pin!(sender.send_some(b"of no capacity")));
}

/// Q2: In lockstep a send is done when the other end has received all of it.
pub async fn in_lockstep_a_send_is_done_when_all_was_received() {
    let (sender, receiver) = lockstep_stream_one_way_pair();
    let mut sending = pin!(sender.send_all(b"abc"));
    assert_pending(&mut sending);
    let mut receiving = Box::pin(receiver.receive_some(2));
    assert_pending(&mut receiving);
    assert_pending(&mut sending);
    assert_eq!(assert_ready(&mut receiving).unwrap(), b"ab");
    assert_pending(&mut sending);
    drop(receiving);
    let mut receiving = Box::pin(receiver.receive_some(2));
    assert_pending(&mut receiving);
    assert_pending(&mut sending);
    assert_eq!(assert_ready(&mut receiving).unwrap(), b"c");
    assert_eq!(assert_ready(&mut sending), Ok(()));
}

/// Q2: In lockstep a write is done when it was handed to a read, and a flush when that was received.
pub async fn in_lockstep_a_flush_is_done_when_all_was_received() {
    let (mut sender, receiver) = lockstep_stream_one_way_pair();
    let mut receiving = pin!(receiver.receive_some(2));
    assert_pending(&mut sender.write(b"abc"));
    assert_pending(&mut receiving);
    assert_eq!(assert_ready(&mut sender.write(b"abc")).unwrap(), 2);
    assert_pending(&mut sender.flush());
    assert_eq!(assert_ready(&mut receiving).unwrap(), b"ab");
    assert_ready(&mut sender.flush()).unwrap();
}

/// Q2: Whoever waits at a stream is woken by what it waits for, and by the end of either side.
pub async fn whoever_waits_at_a_stream_is_woken() {
    for (sender, receiver) in one_way_pairs() {
        let mut receiving = Box::pin(receiver.receive_some(1));
        assert!(is_woken_by(&mut receiving, || _ = at_once(&mut Box::pin(sender.send_some(b"abc")))));
        assert_eq!(receiving.await.unwrap(), b"a");
        let _ = at_once(&mut Box::pin(receiver.receive_some(9)));
        let mut receiving = Box::pin(receiver.receive_some(1));
        assert!(is_woken_by(&mut receiving, || _ = at_once(&mut Box::pin(receiver.close()))));
        assert_eq!(receiving.await, Err(StreamError::Closed));
    }
    for (sender, receiver) in one_way_pairs() {
        let mut receiving = Box::pin(receiver.receive_some(1));
        assert!(is_woken_by(&mut receiving, || drop(sender)));
        assert_eq!(receiving.await.unwrap(), b"");
    }
}

/// Q2: A send that waits is woken by room, and fails when either end is closed.
pub async fn a_send_that_waits_fails_when_an_end_is_closed() {
    for (sender, receiver) in one_way_pairs().into_iter().skip(1) {
        let mut sending = Box::pin(sender.send_all(b"abcdefg"));
        assert!(is_woken_by(&mut sending, || _ = at_once(&mut Box::pin(receiver.receive_some(2)))));
        assert!(is_woken_by(&mut sending, || _ = at_once(&mut Box::pin(sender.close()))));
        assert_eq!(sending.await, Err(StreamError::Closed));
    }
    for (sender, receiver) in one_way_pairs().into_iter().skip(1) {
        let mut sending = Box::pin(sender.send_all(b"abcdefg"));
        assert!(is_woken_by(&mut sending, || drop(receiver)));
        assert_eq!(sending.await, Err(StreamError::Broken));
        assert_eq!(sender.send_some(b"h").await, Err(StreamError::Broken));
    }
    let (sender, receiver) = lockstep_stream_one_way_pair();
    let mut receiving = Box::pin(receiver.receive_some(9));
    let mut sending = Box::pin(sender.send_all(b"abc"));
    assert!(waits(&mut receiving) && waits(&mut sending));
    drop(receiving);
    drop(receiver);
    assert_eq!(sending.await, Err(StreamError::Broken), "and never received");
}

/// C6: An operation on a stream does nothing in a cancelled scope, and acts where it is held.
pub async fn an_operation_on_a_stream_does_nothing_in_a_cancelled_scope() {
    let (sender, receiver) = memory_stream_one_way_pair();
    assert!(is_cut_off(sender.send_all(b"a")).await);
    assert!(is_cut_off(sender.send_some(b"b")).await);
    acts_when_held(sender.send_all(b"c")).await.unwrap();
    assert!(is_cut_off(receiver.receive_some(9)).await);
    assert_eq!((sender.faults().operations(), receiver.faults().operations()), (1, 0));
    assert_eq!(acts_when_held(receiver.receive_some(9)).await.unwrap(), b"c");
    assert!(is_cut_off(sender.close()).await && is_cut_off(receiver.close()).await);
    sender.send_all(b"d").await.unwrap();
    acts_when_held(receiver.close()).await;
    assert_eq!(sender.send_all(b"e").await, Err(StreamError::Broken));
}

/// C6: So does one by way of the foreign traits, although it cannot tell a read that goes on from one that begins.
pub async fn a_foreign_read_does_nothing_in_a_cancelled_scope() {
    let (mut client, mut server) = memory_stream_pair();
    let mut bytes = [0; 9];
    assert_pending(&mut server.read(&mut bytes));
    assert!(is_cut_off(client.write(b"abc")).await);
    client.write_all(b"def").await.unwrap();
    assert!(is_cut_off(server.read(&mut bytes)).await);
    assert_eq!(acts_when_held(server.read(&mut bytes)).await.unwrap(), 3);
    assert_eq!(&bytes[..3], b"def");
    assert!(is_cut_off(AsyncWriteExt::close(&mut client)).await && is_cut_off(client.flush()).await);
    client.write_all(b"g").await.unwrap();
}

/// X5: A loop of operations on a stream can be cancelled, and lets others run.
pub async fn a_loop_of_operations_on_a_stream_can_be_cancelled() {
    let (client, server) = memory_stream_pair();
    client.send_faults().lose(usize::MAX);
    let send_all = async || client.send_all(b"a").await.unwrap();
    lets_others_run(send_all).await;
    assert!(loop_ends(send_all).await);
    let send_some = async || _ = client.send_some(b"a").await.unwrap();
    lets_others_run(send_some).await;
    assert!(loop_ends(send_some).await);
    client.close().await;
    let receive = async || drop(server.receive_some(1).await.unwrap());
    lets_others_run(receive).await;
    assert!(loop_ends(receive).await);
    let close = async || client.close().await;
    lets_others_run(close).await;
    assert!(loop_ends(close).await);
}

/// X5: So can a loop of foreign reads and writes.
pub async fn a_loop_of_foreign_reads_can_be_cancelled() {
    let (client, mut server) = memory_stream_pair();
    client.send_eof().await;
    let have_run = Cell::new(false);
    let others = async {
        turns(3).await;
        have_run.set(true);
    };
    let repeats = async {
        while !have_run.get() {
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        }
        while have_run.replace(false) {
            let endless = async {
                loop {
                    server.flush().await.unwrap();
                    AsyncWriteExt::close(&mut server).await.unwrap();
                }
            };
            assert!(give_up(endless).await.is_none());
        }
    };
    join(repeats, others).await;
    assert!(!have_run.get());
}

/// C7: A receive that is dropped loses nothing, also when bytes were handed to it in the same moment.
pub async fn a_receive_that_is_dropped_loses_nothing() {
    for (sender, receiver) in one_way_pairs() {
        let mut sending = pin!(sender.send_all(b"abc"));
        let mut receiving = Box::pin(receiver.receive_some(9));
        assert!(waits(&mut receiving));
        let _ = at_once(&mut sending);
        drop(receiving);
        assert_eq!(receiver.receive_some(9).await.unwrap(), b"abc");
    }
    let (sender, receiver) = lockstep_stream_one_way_pair();
    drop(assert_waits(receiver.receive_some(9)));
    assert_pending(&mut pin!(sender.send_some(b"nobody receives any more")));
}

fn assert_waits<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert_pending(&mut future);
    future
}

/// C7: A send of some bytes that is dropped has sent none; one of all has sent a part from the beginning.
pub async fn a_send_that_is_dropped_has_sent_what_it_says() {
    let (sender, receiver) = bounded_stream_one_way_pair(3);
    sender.send_all(b"abc").await.unwrap();
    drop(assert_waits(sender.send_some(b"not sent")));
    assert_eq!(receiver.receive_some(9).await.unwrap(), b"abc");
    drop(assert_waits(sender.send_all(b"in part")));
    assert_eq!(receiver.receive_some(9).await.unwrap(), b"in ");
    let (sender, receiver) = lockstep_stream_one_way_pair();
    drop(assert_waits(sender.send_some(b"not sent")));
    drop(assert_waits(sender.send_all(b"not sent")));
    assert_pending(&mut pin!(receiver.receive_some(9)));
}

/// C7: Receiving, and sending what there is room for, can be given up at each suspension.
pub async fn operations_on_streams_are_cancel_safe() {
    for kind in 0..3 {
        let receives = async || {
            let (client, server) = pairs().into_iter().nth(kind).unwrap();
            server.receive_faults().before_each(checkpoint);
            let client = Arc::new(client);
            (client.clone(), Box::pin(async move { client.send_all(b"hello").await }.fuse()), server)
        };
        assert_cancel_safe(receives, async |(_client, sending, server)| {
            let receiving = pin!(server.receive_some(9));
            match select(sending, receiving).await {
                Either::Left((_, receiving)) => receiving.await,
                Either::Right((received, _)) => received,
            }
        })
        .await;
    }
}

/// C7: No byte is lost, doubled or out of order when sends and receives on two threads are given up again and again.
pub async fn bytes_survive_races() {
    let all: Vec<u8> = (0..=255).cycle().take(1500).collect();
    for (sender, receiver) in one_way_pairs() {
        let sent = all.clone();
        let group = task_group(async |tg| {
            tg.spawn(async move {
                let mut left = &sent[..];
                while !left.is_empty() {
                    let some = &left[..left.len().min(7)];
                    let sent = match give_up(sender.send_some(some)).await {
                        Some(sent) => sent.unwrap(),
                        None => sender.send_some(some).await.unwrap(),
                    };
                    left = &left[sent..];
                }
            });
            let mut received = Vec::new();
            loop {
                let bytes = match give_up(receiver.receive_some(5)).await {
                    Some(bytes) => bytes.unwrap(),
                    None => receiver.receive_some(5).await.unwrap(),
                };
                if bytes.is_empty() {
                    break received;
                }
                received.extend(bytes);
            }
        });
        assert!(group.await.unwrap() == all);
    }
}

/// What `operation` comes to, if it does so within a few turns.
async fn give_up<F: Future>(operation: F) -> Option<F::Output> {
    match select(pin!(operation), pin!(turns(2))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Q2: Two tasks that do the same at one end are an error for the second; one that sends and one that receives are not.
pub async fn two_tasks_that_do_the_same_at_one_end_are_an_error() {
    for (client, server) in pairs() {
        let receiving = assert_waits(client.receive_some(1));
        let said = client.receive_some(1).await.unwrap_err();
        assert!(matches!(said, StreamError::Busy(_)) && said.to_string().contains("already receiving"), "{said}");
        assert_eq!(io::Error::from(said).kind(), io::ErrorKind::ResourceBusy);
        let server_receives = async { server.receive_some(9).await.unwrap() };
        assert_eq!(join(client.send_all(b"ok"), server_receives).await, (Ok(()), b"ok".to_vec()));
        drop(receiving);
        assert_pending(&mut pin!(client.receive_some(1)));
    }
    let (sender, _receiver) = lockstep_stream_one_way_pair();
    let sending = assert_waits(sender.send_all(b"first"));
    for busy in [sender.send_all(b"").await, sender.send_some(b"second").await.map(drop)] {
        assert!(matches!(busy, Err(StreamError::Busy(_))), "{busy:?}");
    }
    drop(sending);
    assert_pending(&mut pin!(sender.send_all(b"third")));
}

/// Q2: An operation that is to fail does, with nothing sent or received, and those after it work.
pub async fn an_operation_fails_when_it_is_to() {
    let (mut client, server) = memory_stream_pair();
    client.send_faults().fail_after(1, io::ErrorKind::TimedOut);
    client.send_faults().fail_after(3, io::ErrorKind::Interrupted);
    server.receive_faults().fail_next(io::ErrorKind::Other);
    assert_eq!(client.send_all(b"a").await, Ok(()));
    assert_eq!(client.send_all(b"b").await, Err(StreamError::Injected(io::ErrorKind::TimedOut)));
    assert_eq!(client.write(b"c").await.unwrap(), 1);
    assert_eq!(client.write(b"d").await.unwrap_err().kind(), io::ErrorKind::Interrupted);
    assert_eq!(client.send_some(b"e").await, Ok(1));
    assert_eq!(server.receive_some(9).await, Err(StreamError::Injected(io::ErrorKind::Other)));
    assert_eq!(server.receive_some(9).await.unwrap(), b"ace");
    assert_eq!(client.send_faults().operations(), 5);
    server.receive_faults().fail_next(io::ErrorKind::Other);
    server.receive_faults().clear();
    client.send_eof().await;
    assert_eq!(server.receive_some(9).await.unwrap(), b"");
}

/// Q2, C7: A connection breaks off after as many bytes as it is to, in both directions; what was sent is received.
pub async fn a_connection_breaks_off_after_so_many_bytes() {
    for (client, server) in pairs() {
        client.send_faults().cut_after(2);
        let mut back = assert_waits(client.receive_some(9));
        let received = join(client.send_all(b"abc"), async { server.receive_some(9).await.unwrap() });
        assert_eq!(received.await, (Err(StreamError::Reset), b"ab".to_vec()));
        assert_eq!(server.receive_some(9).await, Err(StreamError::Reset));
        assert_eq!(server.send_some(b"d").await, Err(StreamError::Reset));
        assert_eq!(assert_ready(&mut back), Err(StreamError::Reset));
    }
    for (client, server) in pairs() {
        server.receive_faults().cut_after(2);
        let sending = async { client.send_all(b"abc").await };
        let (sent, received) = join(sending, async { server.receive_some(9).await.unwrap() }).await;
        assert_eq!(received, b"ab");
        assert!(sent.is_ok() || sent == Err(StreamError::Reset), "{sent:?}");
        assert_eq!(server.receive_some(9).await, Err(StreamError::Reset));
        assert_eq!(client.send_all(b"d").await, Err(StreamError::Reset));
    }
}

/// Q2: A connection that breaks off wakes whoever waits.
pub async fn a_connection_that_breaks_off_wakes_whoever_waits() {
    let (client, server) = lockstep_stream_pair();
    let (mut sending, mut receiving) = (Box::pin(client.send_all(b"abc")), Box::pin(client.receive_some(1)));
    let faults = server.send_faults();
    assert!(is_woken_by(&mut sending, || _ = waits(&mut receiving)) || waits(&mut receiving));
    assert!(is_woken_by(&mut receiving, || faults.cut_after(0)));
    assert_eq!(join(sending, receiving).await, (Err(StreamError::Reset), Err(StreamError::Reset)));
}

/// Q2: What is to be lost never arrives, and is sent without a word; what comes after it arrives.
pub async fn bytes_are_lost_when_they_are_to_be() {
    for (client, server) in pairs() {
        client.send_faults().lose(2);
        server.receive_faults().lose(1);
        let receive = async { [server.receive_some(1).await.unwrap(), server.receive_some(9).await.unwrap()].concat() };
        let send = async {
            client.send_all(b"abcd").await.unwrap();
            client.send_all(b"e").await.unwrap();
        };
        assert_eq!(join(send, receive).await.1, b"de");
    }
    let (client, _server) = lockstep_stream_pair();
    client.send_faults().lose(3);
    assert_eq!(client.send_all(b"abc").await, Ok(()), "nobody receives");
}

/// Q2: Reads and writes are as short as they are to be.
pub async fn reads_and_writes_are_as_short_as_they_are_to_be() {
    for (mut client, mut server) in pairs() {
        server.receive_faults().chunk(2);
        client.send_faults().chunk(1);
        let send = async {
            client.write_all(b"abc").await.unwrap();
            AsyncWriteExt::close(&mut client).await.unwrap();
        };
        let receive = async {
            let (mut received, mut bytes) = (Vec::<u8>::new(), [0; 9]);
            while let read @ 1.. = server.read(&mut bytes).await.unwrap() {
                assert!(read <= 2);
                received.extend(&bytes[..read]);
            }
            received
        };
        assert_eq!(join(send, receive).await.1, b"abc");
    }
    let said = caught(async { memory_stream_pair().0.send_faults().chunk(0) }).await.unwrap_err();
    assert!(said.contains("before_each"), "{said}");
}

/// Q2, C7: An operation begins when its hook is done; cancelled in there, nothing has passed.
pub async fn an_operation_begins_when_its_hook_is_done() {
    let (mut client, server) = memory_stream_pair();
    let (opens, entered) = (Arc::new(Event::new()), Tally::new());
    let (open, entering) = (opens.clone(), entered.clone());
    client.send_faults().before_each(move || {
        entering.mark();
        let open = open.clone();
        async move { open.wait().await }
    });
    drop(assert_waits(client.send_all(b"a")));
    drop(assert_waits(client.send_some(b"b")));
    assert_pending(&mut client.write(b"c"));
    assert_pending(&mut client.write(b"d"));
    entered.assert_count(3);
    assert_eq!(client.send_faults().operations(), 0);
    opens.set();
    assert_eq!(assert_ready(&mut client.write(b"e")).unwrap(), 1);
    client.send_faults().clear();
    client.send_all(b"f").await.unwrap();
    entered.assert_count(3);
    assert_eq!(server.receive_some(9).await.unwrap(), b"ef");
}

/// Q2: A foreign read that waits is one operation, however often it is polled.
pub async fn a_foreign_read_that_waits_is_one_operation() {
    let (client, mut server) = memory_stream_pair();
    let operations = |server: &MemoryStream| server.receive_faults().operations();
    let mut bytes = [0; 9];
    assert_pending(&mut server.read(&mut bytes));
    assert_eq!(operations(&server), 1);
    for expected in 1..=2 {
        client.send_all(b"a").await.unwrap();
        assert_eq!(assert_ready(&mut server.read(&mut bytes)).unwrap(), 1);
        assert_eq!(operations(&server), expected);
    }
}

/// Q2: An end is closed when its hook is done; by a drop, without it.
pub async fn an_end_is_closed_when_its_hook_is_done() {
    let (mut client, server) = memory_stream_pair();
    let (open, opens) = gate();
    client.send_faults().before_close(move || {
        let open = open.clone();
        async move { open.wait().await }
    });
    drop(assert_waits(client.send_eof()));
    drop(assert_waits(client.close()));
    assert_pending(&mut pin!(AsyncWriteExt::close(&mut client)));
    assert_pending(&mut pin!(server.receive_some(9)));
    opens.set();
    assert_ready(&mut pin!(AsyncWriteExt::close(&mut client))).unwrap();
    assert_eq!(server.receive_some(9).await.unwrap(), b"");
    let (client, server) = memory_stream_pair();
    client.send_faults().before_close(sleep_forever);
    drop(client);
    assert_eq!(server.receive_some(9).await.unwrap(), b"");
}

/// X1: Code that knows nothing of anyio reads and writes to the end.
pub async fn foreign_code_uses_the_streams() {
    for (mut client, mut server) in pairs() {
        let group = task_group(async |tg| {
            tg.spawn(async move {
                let mut all = Vec::new();
                server.read_to_end(&mut all).await.unwrap();
                server.write_all(&all).await.unwrap();
                server.flush().await.unwrap();
            });
            client.write_all(b"there and back").await.unwrap();
            AsyncWriteExt::close(&mut client).await.unwrap();
            let mut back = String::new();
            client.read_to_string(&mut back).await.unwrap();
            back
        });
        assert_eq!(group.await.unwrap(), "there and back");
    }
}

/// Q2: The two directions of a connection may be had, used and closed by themselves.
pub async fn the_directions_of_a_connection_are_apart() {
    let (client, server) = bounded_stream_pair(1);
    let (sending, receiving) = client.into_split();
    let echo = async {
        while let [byte] = server.receive_some(1).await.unwrap()[..] {
            server.send_all(&[byte]).await.unwrap();
        }
        assert_eq!(server.send_all(b"more").await, Ok(()));
    };
    let send = async move {
        sending.send_all(b"ab").await.unwrap();
    };
    let receive = async {
        let mut received = Vec::new();
        while received.len() < 6 {
            received.extend(receiving.receive_some(9).await.unwrap());
        }
        received
    };
    assert_eq!(gather((echo, send, receive)).await.unwrap().2, b"abmore");
    drop(receiving);
    assert_eq!(server.send_all(b"a").await, Err(StreamError::Broken));
}

/// C7: An operation that can be dropped anywhere passes, and is run at each of its suspensions.
pub async fn an_operation_that_is_cancel_safe_passes() {
    let (runs, made) = (Tally::new(), Tally::new());
    let numbers = async || {
        made.mark();
        let (sender, receiver) = channel::unbounded();
        (0..3).for_each(|number| sender.try_send(number).unwrap());
        (sender, receiver)
    };
    let receive = async |(_sender, receiver): &mut (channel::Sender<_>, channel::Receiver<_>)| {
        runs.mark();
        turns(3).await;
        receiver.recv().await
    };
    assert_cancel_safe(numbers, receive).await;
    // At the first run, then two for each suspension, then two that meet no suspension more. Each that is dropped is
    // run twice.
    assert!(made.count() >= 1 + 2 * 3 + 2, "{made:?}");
    assert!(runs.count() >= 1 + 4 * 3 + 2, "{runs:?}");
}

/// C7: What an operation loses is found, with the suspension at which it did, what was expected and what was found.
pub async fn what_an_operation_loses_is_found() {
    let numbers = async || VecDeque::from_iter(1..=2);
    let lossy = assert_cancel_safe(numbers, async |numbers: &mut VecDeque<i32>| {
        checkpoint().await;
        let first = numbers.pop_front();
        checkpoint().await;
        first
    });
    let said = caught(lossy).await.unwrap_err();
    for part in ["suspension 2", "as soon as", "expected: Some(1)", "found: Some(2)", file!()] {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}

/// C7: So is what is lost when the operation was served already, and dropped before it went on.
pub async fn what_an_operation_that_was_woken_loses_is_found() {
    let (requests, queue) = channel::unbounded::<(oneshot::Sender<Option<i32>>, Arc<Mutex<VecDeque<i32>>>)>();
    let serve = async {
        while let Ok((reply, numbers)) = queue.recv().await {
            let number = numbers.lock().pop_front();
            if let Err(Some(number)) = reply.send(number) {
                numbers.lock().push_front(number);
            }
        }
    };
    let numbers = async || Arc::new(Mutex::new(VecDeque::from_iter(1..=9)));
    let take = assert_cancel_safe(numbers, async |numbers: &mut Arc<Mutex<VecDeque<i32>>>| {
        let (reply, number) = oneshot::channel();
        requests.try_send((reply, numbers.clone())).unwrap();
        number.await.unwrap()
    });
    let Either::Left((found, _)) = select(pin!(caught(take)), pin!(serve)).await else { panic!("it has ended") };
    let said = found.unwrap_err();
    for part in ["suspension 1", "when it was woken", "expected: Some(1)", "found: Some(2)"] {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}

/// C7: An operation that waits for ever for what it has lost is found, and one that panics.
pub async fn an_operation_that_never_ends_again_is_found() {
    let hangs = assert_cancel_safe(
        async || true,
        async |is_first: &mut bool| {
            if !std::mem::replace(is_first, false) {
                sleep_forever().await;
            }
            checkpoint().await;
        },
    );
    let fails = assert_cancel_safe(
        async || true,
        async |is_first: &mut bool| {
            assert!(std::mem::replace(is_first, false), "it was begun before");
            checkpoint().await;
        },
    );
    let (hangs, fails) = join(caught(hangs), caught(fails)).await;
    let (hangs, fails) = (hangs.unwrap_err(), fails.unwrap_err());
    assert!(hangs.contains("suspension 1") && hangs.contains("has not ended"), "{hangs}");
    assert!(fails.contains("suspension 1") && fails.contains("a panic: it was begun before"), "{fails}");
}

/// C7: An operation that differs from run to run is told from one that loses something.
pub async fn an_operation_that_differs_by_itself_is_told_apart() {
    let count = Cell::new(0);
    let differs = assert_cancel_safe(async || (), async |()| count.replace(count.get() + 1));
    let said = caught(differs).await.unwrap_err();
    assert!(said.contains("not come to the same each time") && said.contains("expected: 0"), "{said}");
}

/// F1, F2: The tasks of an operation that was dropped are gone before it is run again.
pub async fn tasks_of_a_dropped_operation_are_gone_before_it_runs_again() {
    let started = Tally::new();
    assert_cancel_safe(
        async || (Drops::new(), 0),
        async |(drops, begun): &mut (Drops, usize)| {
            assert_eq!(drops.count(), *begun);
            *begun += 1;
            let (token, mark) = (drops.token(), started.clone());
            let group = task_group(async |tg| {
                tg.spawn(async move {
                    let _token = token;
                    mark.mark();
                    turns(3).await;
                });
                turns(1).await;
            });
            group.await.unwrap();
        },
    )
    .await;
    assert!(started.count() > 2);
}

/// X5: Whoever only steps aside, as operations do from time to time, does not wait.
pub async fn whoever_steps_aside_does_not_wait() {
    let event = Event::new();
    assert_pending(&mut pin!(event.wait()));
    let said = caught(async { assert_ready(&mut pin!(event.wait())) }).await.unwrap_err();
    assert!(said.contains("waits, where it was to be ready"), "{said}");
    event.set();
    for _ in 0..300 {
        assert_ready(&mut pin!(event.wait()));
    }
    let said = caught(async { assert_pending(&mut pin!(event.wait())) }).await.unwrap_err();
    assert!(said.contains("ready, where it was to wait"), "{said}");
    assert_eq!(assert_ready(&mut pin!(async { turns(3).await })), ());
}

/// X5: Whether a future suspends is told, also when the budget is all but spent.
pub async fn whether_a_future_suspends_is_told() {
    let event = Event::new();
    event.set();
    let waits = async |times: usize| {
        for _ in 0..times {
            event.wait().await;
        }
    };
    for spent in [100, 120, 127, 128, 129] {
        waits(spent).await;
        assert_no_checkpoints(waits(100)).await;
    }
    assert_eq!(assert_checkpoints(async { checkpoint().await }).await, ());
    let said = caught(assert_checkpoints(ready(1))).await.unwrap_err();
    assert!(said.contains("never suspended") && said.contains(file!()), "{said}");
    let dropped = Drops::new();
    let token = dropped.token();
    let suspends = async move {
        let _token = token;
        checkpoint().await;
    };
    let said = caught(assert_no_checkpoints(suspends)).await.unwrap_err();
    assert!(said.contains("suspended, where it was not to") && said.contains(file!()), "{said}");
    assert_eq!(dropped.count(), 1);
}

/// C1, S1: A future that ends when it is cancelled passes, and says what came of it; one that goes on is found.
pub async fn whether_a_future_can_be_cancelled_is_told() {
    let (ran, started) = (Tally::new(), Tally::new());
    let server = task_group(async |tg| {
        started.mark();
        tg.spawn(anyio::finally(sleep_forever(), {
            let ran = ran.clone();
            async move { ran.mark() }
        }));
    });
    assert!(assert_cancels(server).await.is_err());
    ran.assert_once();
    started.assert_once();
    let commits = async {
        anyio::cancelled().await;
        7
    };
    assert_eq!(assert_cancels(commits).await, Ok(7));
    let early = assert_cancels(turns(3));
    let said = caught(early).await.unwrap_err();
    assert!(said.contains("completed before") && said.contains(file!()), "{said}");
    let said = caught(assert_cancels(shield(sleep_forever()))).await.unwrap_err();
    assert!(said.contains("goes on") && said.contains(file!()), "{said}");
}

/// C11: What runs is counted, destructors too, also when a panic or a cancellation runs them.
pub async fn what_runs_is_counted() {
    let tally = Tally::new();
    tally.assert_never();
    let token = tally.token();
    let panicking = caught(async move {
        let _token = token;
        panics::<()>("with a token").await;
    });
    assert!(panicking.await.is_err());
    tally.assert_once();
    join_all((0..3).map(async |_| tally.mark())).await;
    tally.assert_count(4);
    let of = async |assertion: fn(&Tally)| caught(async { assertion(&tally) }).await.unwrap_err();
    assert!(of(Tally::assert_once).await.contains("ran 4 times, where once"));
    assert!(of(Tally::assert_never).await.contains("not to run"));
    assert!(of(|tally| tally.assert_count(5)).await.contains("5 were expected"));
    let said = caught(async { Tally::new().assert_once() }).await.unwrap_err();
    assert!(said.contains("has not run"), "{said}");
}
