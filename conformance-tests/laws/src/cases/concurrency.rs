//! Cases of law F4 for work on many items with a limit.

use std::cell::{Cell, RefCell};
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use anyio::{
    CancelScope, GroupError, checkpoint, for_each_concurrent, map_concurrent, map_concurrent_unordered, shield, sleep,
    sleep_forever, timeout, try_for_each_concurrent, try_map_concurrent, try_map_concurrent_unordered,
};
use futures::stream::{self, Stream, StreamExt as _};

use crate::fixture::{Drops, LONG, SHORT, caught, panic_of};
use crate::steps::{after, forever, gate, polled, turns, until};

/// F4: Outputs come in the order of the items, or in that of completion; from iterators and from streams.
pub async fn outputs_come_in_order() {
    let words = vec![String::from("one"), String::from("three")];
    assert_eq!(map_concurrent(&words, 8, async |word| word.len()).await, Ok(vec![3, 5]));
    let ordered = map_concurrent(0..100, 7, |number| after(turns(97 * number % 5), number)).await.unwrap();
    assert!(ordered.into_iter().eq(0..100));
    let from_stream = map_concurrent(stream::iter(0..100), 7, |number| after(turns(97 * number % 5), number));
    assert!(from_stream.await.unwrap().into_iter().eq(0..100));
    let unordered = map_concurrent_unordered([9, 0, 4], 3, |number| after(turns(number), number));
    assert_eq!(unordered.await, Ok(vec![0, 4, 9]));
    assert_eq!(map_concurrent(Vec::<i32>::new(), 3, ready).await, Ok(vec![]));
    let fallible = try_map_concurrent([3, 1], 2, |number| after(turns(number), Ok::<_, ()>(number)));
    assert_eq!(fallible.await.unwrap(), [3, 1]);
    let fallible = try_map_concurrent_unordered([3, 1], 2, |number| after(turns(number), Ok::<_, ()>(number)));
    assert_eq!(fallible.await.unwrap(), [1, 3]);
}

/// F4: Never are more at work than the limit says, and as many are if there are items.
pub async fn the_limit_is_kept_and_reached() {
    for limit in [1, 2, 7] {
        let (running, most) = (Cell::new(0_usize), Cell::new(0));
        for_each_concurrent(0..50, limit, async |number| {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            turns(number % 4).await;
            checkpoint().await;
            running.set(running.get() - 1);
        })
        .await
        .unwrap();
        assert_eq!((running.get(), most.get()), (0, limit));
    }
}

/// F4: No item is taken before there is room for it.
pub async fn no_item_is_taken_before_there_is_room() {
    let (taken, opens) = (Cell::new(0), RefCell::new(Vec::new()));
    let items = (0..10).inspect(|_| taken.set(taken.get() + 1));
    let work = for_each_concurrent(items, 3, |_| {
        let (waits, sets) = gate();
        opens.borrow_mut().push(sets);
        async move { waits.wait().await }
    });
    let mut work = Box::pin(work);
    for done in 0..7 {
        assert!(polled(10, &mut work).await.is_some());
        assert_eq!(taken.get(), 3 + done);
        opens.borrow()[done].set();
    }
    assert!(polled(10, &mut work).await.is_some());
    opens.borrow().iter().for_each(|gate| gate.set());
    assert_eq!((work.await, taken.get()), (Ok(()), 10));
}

/// F4: An item that is not there yet does not keep the work on others.
pub async fn a_slow_source_keeps_nobody() {
    let worked = Rc::new(Cell::new(0));
    let waits = worked.clone();
    let slow = stream::iter(0..5).then(move |number| {
        let worked = waits.clone();
        async move {
            until(|| worked.get() == number).await;
            number
        }
    });
    let outcome = for_each_concurrent(slow, 3, async |_| {
        turns(3).await;
        worked.set(worked.get() + 1);
    });
    assert_eq!((outcome.await, worked.get()), (Ok(()), 5));
}

/// F4: The first failure cancels the rest, and no more items are taken.
pub async fn after_a_failure_no_item_is_taken() {
    let (taken, drops) = (Cell::new(0), Drops::new());
    let items = (0..).inspect(|_| taken.set(taken.get() + 1));
    let outcome = try_for_each_concurrent(items, 4, |number| {
        let token = drops.token();
        async move {
            let _token = token;
            if number == 2 {
                checkpoint().await;
                return Err("failed");
            }
            sleep_forever().await;
            Ok(())
        }
    });
    let error: GroupError<_> = outcome.await.unwrap_err();
    assert_eq!(error.failures().next().unwrap().task().unwrap().name(), Some("branch 2"));
    assert_eq!((taken.get(), drops.count()), (4, 4));
}

/// F4, G9: A panic in the work, in the function and in the source cancels the rest, which is drained, and is resumed.
pub async fn panics_are_resumed_after_the_drain() {
    let drained = Cell::new(0);
    let drain = async || {
        shield(turns(5)).await;
        drained.set(drained.get() + 1);
    };
    let work = for_each_concurrent(0..2, 2, async |number| {
        drain().await;
        assert!(number == 0, "work");
    });
    assert!(caught(work).await.unwrap_err().contains("work"));
    let slow = || stream::iter(0..2).then(|number| after(turns(2 * number), number));
    let function = for_each_concurrent(slow(), 2, |number| {
        assert!(number == 0, "function");
        drain()
    });
    assert!(caught(function).await.unwrap_err().contains("function"));
    let items = slow().inspect(|number| assert!(*number == 0, "source"));
    let source = for_each_concurrent(items, 2, |_| drain());
    assert!(caught(source).await.unwrap_err().contains("source"));
    assert_eq!(drained.get(), 4);
}

/// F4: A cancellation reaches source and work: shields in either run to their end, and nothing more is taken.
pub async fn a_cancellation_drains_source_and_work() {
    struct Held(Pin<Box<dyn Future<Output = ()>>>);
    impl Stream for Held {
        type Item = ();

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
            self.0.as_mut().poll(cx).map(|()| None)
        }
    }
    let ended = Rc::new(Cell::new(0));
    let ends = ended.clone();
    let source = stream::iter([()]).chain(Held(Box::pin(async move {
        shield(sleep(3 * SHORT)).await;
        ends.set(ends.get() + 1);
        forever().await
    })));
    let outcome = timeout(
        SHORT,
        for_each_concurrent(source, 2, async |()| {
            shield(sleep(2 * SHORT)).await;
            ended.set(ended.get() + 1);
            sleep_forever().await;
        }),
    );
    assert!(outcome.await.is_err());
    assert_eq!(ended.get(), 2);
}

/// F4, C6: In a cancelled scope no item is worked on half-heartedly: what is taken gets its first poll, the rest is left.
pub async fn a_cancelled_scope_takes_no_more() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let begun = Cell::new(0);
    let outcome = scope.run(async {
        let _ = for_each_concurrent(0.., 3, async |_| {
            begun.set(begun.get() + 1);
            sleep_forever().await;
        })
        .await;
        begun.set(1000);
    });
    assert!(outcome.await.is_err());
    assert!(begun.get() <= 1, "{}", begun.get());
}

/// F4, X5: Endless work that is always ready can be cancelled, and lets timers fire.
pub async fn endless_work_can_be_cancelled() {
    let endless = for_each_concurrent(0_u64.., 4, |_| ready(()));
    assert!(timeout(SHORT, endless).await.is_err());
    let endless = for_each_concurrent(stream::repeat(()), 4, |()| ready(()));
    assert!(timeout(SHORT, endless).await.is_err());
}

/// F4: A limit of 0 is a mistake that panics at once.
pub async fn a_limit_of_nothing_panics() {
    let message = panic_of(|| map_concurrent(0..3, 0, ready));
    assert!(message.contains("a limit of 0"), "{message}");
}

/// F1, F4: Dropped at whatever poll, the work drops source and branches at once.
pub async fn work_dropped_at_any_poll_leaves_nothing() {
    for polls in 0..12 {
        let drops = Drops::new();
        let token = drops.token();
        let (made, source) = (Cell::new(1), stream::iter(0..10).inspect(move |_| _ = &token));
        let work = for_each_concurrent(source, 3, |number| {
            made.set(made.get() + 1);
            let token = drops.token();
            async move {
                let _token = token;
                turns(number % 4).await;
            }
        });
        drop(polled(polls, Box::pin(timeout(LONG, work))).await);
        assert_eq!(drops.count(), made.get(), "dropped after {polls} polls");
    }
}
