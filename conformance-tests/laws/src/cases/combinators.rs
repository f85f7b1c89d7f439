//! Cases of law F4: combinators, of which nothing is left when they return.

use std::cell::{Cell, RefCell};
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use anyio::combinators::{BranchError, RaceError};
use anyio::{
    CancelReason, CancelScope, Failure, GroupError, Unhandled, as_completed, checkpoint, enter, finally, gather,
    gather_settled, is_cancelled, protect, race, race_ok, race_staggered, scoped_group, shield, sleep, sleep_forever,
    task_group, timeout, try_gather, wait_all, wait_any, wait_first_failure,
};
use futures::future::{join, select};
use futures::{FutureExt as _, StreamExt as _};

use crate::fixture::{Drops, LONG, SHORT, Wakes, caught, hooked, panic_of, poll_times};
use crate::steps::{after, forever, gate, panics, pass, polled, says, turns, until};

/// A future of any type.
type Any<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One that may stay where it is.
type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A loser that takes long to go: in a group, a clean-up, a shield and protected work. It counts what of that ran to its
/// end, and is counted as it goes.
fn loser<T: Send>(ran: &Arc<AtomicUsize>, drops: &Drops) -> Any<'static, T> {
    let (ran, token) = (ran.clone(), drops.token());
    let end = move |ran: &Arc<AtomicUsize>| {
        let ran = ran.clone();
        async move {
            turns(5).await;
            ran.fetch_add(1, Ordering::SeqCst);
        }
    };
    Box::pin(async move {
        let _token = token;
        let group = task_group(async |tg| {
            tg.spawn(shield(end(&ran)));
            let _ = join(protect(end(&ran)), finally(sleep_forever(), end(&ran))).await;
        });
        let _ = group.await;
        forever().await
    })
}

/// The three of a loser that have to end.
const PARTS: usize = 3;

/// F4: What is left when the outcome is clear is dropped in the same poll, if nothing holds it.
pub async fn losers_are_dropped_in_the_poll_that_decides() {
    let drops = Drops::new();
    let mut decided = Box::pin(race([after(forever(), Some(drops.token())).boxed(), ready(None).boxed()]));
    checkpoint().await;
    assert!(matches!(Wakes::new().poll(&mut decided), Poll::Ready(Ok(None))));
    assert_eq!(drops.count(), 1);
}

/// F4, F2: A combinator waits for tasks of a group that foreign code has dropped inside a branch.
pub async fn what_a_branch_has_orphaned_is_waited_for() {
    let drops = Drops::new();
    let orphans = |token| async move {
        let group = task_group(async |tg| {
            tg.spawn(after(shield(turns(20)), token));
            forever::<()>().await;
        });
        drop(poll_times(1, Box::pin(group)).await);
    };
    gather([orphans(drops.token())]).await.unwrap();
    assert_eq!(drops.count(), 1);
    race([orphans(drops.token())]).await.unwrap();
    assert_eq!(drops.count(), 2);
}

/// F4: The losers of every combinator are drained before it returns: their groups, clean-ups, shields and protected work
/// run to their end, and then they are dropped.
pub async fn losers_are_drained() {
    let (ran, drops) = (Arc::new(AtomicUsize::new(0)), Drops::new());
    let lost = |count: &Cell<usize>| {
        count.set(count.get() + 1);
        assert_eq!((ran.load(Ordering::SeqCst), drops.count()), (PARTS * count.get(), count.get()), "{count:?}");
    };
    let count = Cell::new(0);
    assert_eq!(race((loser(&ran, &drops), after(turns(3), 1))).await, Ok(1));
    lost(&count);
    let winner: Any<'_, Result<i32, i32>> = Box::pin(after(turns(3), Ok(2)));
    assert_eq!(race_ok(vec![loser(&ran, &drops), winner]).await.unwrap(), 2);
    lost(&count);
    let second: Any<'_, Result<i32, i32>> = Box::pin(after(turns(3), Ok(3)));
    assert_eq!(race_staggered(SHORT, [loser(&ran, &drops), second]).await.unwrap(), 3);
    lost(&count);
    let failed = try_gather((loser::<Result<(), _>>(&ran, &drops), after(turns(3), Err::<(), _>(4))));
    assert_eq!(failed.await.unwrap_err().errors().copied().collect::<Vec<_>>(), [4]);
    lost(&count);
    let panicked = gather((loser::<()>(&ran, &drops), after(turns(3), ()), after_panic(3)));
    assert_eq!(caught(panicked).await.unwrap_err(), "panicked");
    lost(&count);
    let mapped = anyio::try_map_concurrent([0, 1], 2, |number| -> Any<'_, Result<(), i32>> {
        if number == 0 { loser(&ran, &drops) } else { Box::pin(after(turns(3), Err(5))) }
    });
    assert_eq!(mapped.await.unwrap_err().errors().copied().collect::<Vec<_>>(), [5]);
    lost(&count);
}

async fn after_panic(wait: usize) {
    turns(wait).await;
    panic!("panicked")
}

/// F4: A loser that foreign code has orphaned a group in is drained with that.
pub async fn orphans_of_losers_are_drained() {
    let drops = Drops::new();
    let orphaning = async {
        let token = drops.token();
        let group = task_group(async |tg| {
            tg.spawn(after(shield(turns(10)), token));
            sleep_forever().await;
        });
        drop(poll_times(2, Box::pin(group)).await);
        forever::<()>().await;
    };
    assert_eq!(race((orphaning, turns(4))).await, Ok(()));
    assert_eq!(drops.count(), 1);
}

/// F4: gather has all outputs in order, for tuples of up to twelve, arrays and vectors; of none it is ready.
pub async fn gather_has_all_in_order() {
    let text = String::from("borrowed");
    let (slow, fast) = gather((after(turns(3), text.as_str()), async { text.len() })).await.unwrap();
    assert_eq!((slow, fast), ("borrowed", 8));
    assert_eq!(gather([after(turns(2), 1), after(turns(0), 2)]).await, Ok([1, 2]));
    let many = gather((0..1000).map(|n| after(turns(n % 7), n)).collect::<Vec<_>>()).await.unwrap();
    assert!(many.into_iter().eq(0..1000));
    let r = ready::<usize>;
    let twelve = gather((r(0), r(1), r(2), r(3), r(4), r(5), r(6), r(7), r(8), r(9), r(10), r(11)));
    assert_eq!(twelve.await, Ok((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)));
    assert_eq!(gather(Vec::<futures::future::Ready<()>>::new()).await, Ok(vec![]));
    let shared = Rc::new(Cell::new(0));
    let count = async || shared.set(shared.get() + 1);
    gather((count(), count())).await.unwrap();
    assert_eq!(shared.get(), 2);
}

/// F4: The first failure cancels the others; all errors are returned, in order, with the branch and the place of the call.
pub async fn the_first_failure_cancels_the_rest() {
    let drops = Drops::new();
    let cut = after(sleep_forever(), drops.token());
    let line = line!() + 1;
    let error = try_gather((
        async { Ok(cut.await) },
        after(turns(1), Err::<(), _>("first")),
        after(shield(turns(5)), Err::<(), _>("second")),
    ))
    .await
    .unwrap_err();
    assert_eq!(error.errors().copied().collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(error.failures().map(Failure::is_secondary).collect::<Vec<_>>(), [false, true]);
    let task = error.failures().next().unwrap().task().unwrap();
    assert_eq!((task.name(), task.location().line(), drops.count()), (Some("branch 1"), line, 1));
}

/// F4: gather_settled tells what became of each: values, panics, and branches that were cancelled alone.
pub async fn gather_settled_tells_every_outcome() {
    let outcome = task_group(async |tg| {
        let cut = tg.spawn(sleep_forever());
        cut.cancel();
        gather_settled((after(turns(5), 1), panics::<()>("oops"), async { cut.value().await })).await.unwrap()
    });
    let (value, panicked, cancelled) = outcome.await.unwrap();
    assert_eq!(value.unwrap(), 1);
    assert_eq!(panicked.unwrap_err().to_string(), "panicked: oops");
    assert!(matches!(cancelled.unwrap_err(), BranchError::Cancelled(_)));
}

/// F4: A branch that is cancelled alone leaves gather without a value: it says why, and cancels the others.
pub async fn a_branch_cancelled_alone_ends_gather() {
    let drops = Drops::new();
    let outcome = task_group(async |tg| {
        let cut = tg.spawn(sleep_forever());
        cut.cancel();
        gather((cut.value(), after(sleep_forever(), drops.token()))).await.map(drop)
    });
    let cancelled = outcome.await.unwrap().unwrap_err();
    assert!(matches!(cancelled.reason(), CancelReason::Requested { .. }), "{cancelled}");
    assert_eq!(drops.count(), 1);
}

/// F4, C2: In a cancelled scope every branch gets its first poll, and what is ready has its value.
pub async fn in_a_cancelled_scope_branches_get_their_first_poll() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let polled = Cell::new(0);
    let outcome = scope.run(async {
        let poll = async || {
            polled.set(polled.get() + 1);
            assert!(is_cancelled());
        };
        assert_eq!(gather((poll(), poll())).await, Ok(((), ())));
        let _ = gather((poll(), async {
            poll().await;
            sleep_forever().await;
        }))
        .await;
        polled.set(1000);
    });
    assert!(outcome.await.is_err());
    assert_eq!(polled.get(), 4);
}

/// F4, C4: Cut short from outside a combinator offers itself first, and tells the outer reason if it is kept.
pub async fn a_combinator_cut_short_tells_the_outer_reason() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(async {
        let (ended, ends) = gate();
        let all = async {
            let gathered = gather((sleep_forever(), async { handle.cancel_with("outer") })).await.unwrap_err();
            let raced = race([sleep_forever(), sleep_forever()]).await.unwrap_err();
            let tried = race_ok([forever::<Result<(), ()>>()]).await.unwrap_err();
            let RaceError::Cancelled(tried) = tried else { panic!("{tried:?}") };
            let settled = gather_settled((sleep_forever(),)).await.map(drop).unwrap_err();
            let mapped = anyio::for_each_concurrent(0.., 2, |_| sleep_forever()).await.unwrap_err();
            ends.set();
            [gathered, raced, tried, settled, mapped]
        };
        join(all, pass(ended)).await.0
    });
    for cancelled in outcome.await.unwrap() {
        assert!(says(&cancelled, "outer"), "{cancelled}");
    }
}

/// F4, C7: Of several that are done in the same poll the one that stands first wins; what the others returned is dropped
/// when all losers are gone.
pub async fn what_losers_returned_is_dropped_after_the_drain() {
    struct Noted<'a>(&'a RefCell<Vec<&'static str>>, &'static str);
    impl Drop for Noted<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }
    let notes = RefCell::new(Vec::new());
    let held = async {
        shield(turns(5)).await;
        notes.borrow_mut().push("drained");
        forever().await
    };
    let second = async {
        shield(turns(2)).await;
        Noted(&notes, "loser")
    };
    let branches: [Local<'_, Noted<'_>>; 3] =
        [Box::pin(held), Box::pin(second), Box::pin(after(turns(1), Noted(&notes, "winner")))];
    let winner = race(branches).await.unwrap();
    assert_eq!((winner.1, &notes.borrow()[..]), ("winner", &["drained", "loser"][..]));
}

/// F4: What has not begun when the race is decided does not begin.
pub async fn what_has_not_begun_does_not_begin() {
    let began = Cell::new(0);
    let begins = async |value: i32| {
        began.set(began.get() + 1);
        value
    };
    assert_eq!(race([begins(1), begins(2), begins(3)]).await, Ok(1));
    assert_eq!(began.get(), 1);
    let fails = async |value: i32| Err::<(), _>(begins(value).await);
    assert!(try_gather([fails(1), fails(2)]).await.is_err());
    assert_eq!(began.get(), 2);
}

/// F4: A race of none is a mistake that panics at once; one for the first success of none has no error and no value.
pub async fn races_of_none() {
    let message = panic_of(|| race(Vec::<futures::future::Ready<()>>::new()));
    assert!(message.contains("no branches"), "{message}");
    let none = race_ok(Vec::<futures::future::Ready<Result<(), ()>>>::new()).await.unwrap_err();
    assert!(matches!(none, RaceError::Failed(errors) if errors.is_empty()));
    let none = race_staggered(SHORT, Vec::<futures::future::Ready<Result<(), ()>>>::new()).await.unwrap_err();
    assert!(matches!(none, RaceError::Failed(errors) if errors.is_empty()));
}

/// F4: race_ok takes the first success and has all errors, in order, if there is none.
pub async fn race_ok_takes_the_first_success() {
    let value = race_ok((after(turns(1), Err("failed")), after(turns(5), Ok(1)), after(turns(9), Ok(2))));
    assert_eq!(value.await.unwrap(), 1);
    let error = race_ok([after(turns(5), Err::<(), _>("slow")), after(turns(1), Err("fast"))]).await.unwrap_err();
    assert_eq!(error.to_string(), "all of 2 failed; the first: slow");
    assert_eq!(error.into_errors(), ["slow", "fast"]);
}

/// F4: race_staggered begins the next attempt when one has failed, or after the delay, and asks for none before that.
pub async fn attempts_are_staggered() {
    let asked = Cell::new(0);
    let attempts = (0..5).map(|number| {
        asked.set(asked.get() + 1);
        async move {
            match number {
                0 | 1 => Err(number),
                2 => forever().await,
                _ => Ok(number),
            }
        }
    });
    let start = anyio::now();
    assert_eq!(race_staggered(SHORT, attempts).await.unwrap(), 3);
    assert!(anyio::now() - start >= SHORT);
    assert_eq!(asked.get(), 4);
    let failed = race_staggered(LONG, (0..3).map(|number| after(turns(number), Err::<(), _>(number)))).await;
    assert_eq!(failed.unwrap_err().into_errors(), [0, 1, 2]);
    let cut = timeout(SHORT, race_staggered(LONG, [forever::<Result<(), ()>>(), forever()])).await;
    assert!(cut.is_err());
}

/// F4, G9: A panic cancels the others, which are drained; a second one goes to the hook, as do errors.
pub async fn a_panic_is_resumed_after_the_drain() {
    let (runtime, heard) = hooked();
    let drained = Cell::new(false);
    let branches: [Local<'_, Result<(), &'static str>>; 4] = [
        Box::pin(async {
            shield(turns(9)).await;
            drained.set(true);
            panic!("second")
        }),
        Box::pin(async {
            turns(1).await;
            panic!("first")
        }),
        Box::pin(after(shield(turns(3)), Err("error"))),
        Box::pin(forever()),
    ];
    assert_eq!(caught(enter(runtime, try_gather(Vec::from(branches)))).await.unwrap_err(), "first");
    assert!(drained.get());
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::Panicked { message, .. } if message == "second")), 1);
    assert_eq!(heard.count(|outcome| matches!(outcome, Unhandled::Failed { .. })), 1);
    let lost = race((async { turns(2).await }, async {
        shield(turns(5)).await;
        panic!("a loser")
    }));
    assert_eq!(caught(lost).await.unwrap_err(), "a loser");
}

/// F1, F2, F4: A combinator that foreign code drops drops its branches at once; what they have spawned is waited for by the
/// scope around.
pub async fn a_combinator_dropped_at_any_poll_orphans_nothing() {
    for polls in 0..12 {
        let (ran, drops) = (Arc::new(AtomicUsize::new(0)), Drops::new());
        let outcome = CancelScope::new().run(async {
            let lanes = [loser::<()>(&ran, &drops), loser::<()>(&ran, &drops)];
            drop(polled(polls, Box::pin(gather(lanes))).await.unwrap());
            assert_eq!(drops.count(), 2, "dropped after {polls} polls");
        });
        assert_eq!(outcome.await, Ok(()));
        let counted = ran.load(Ordering::SeqCst);
        turns(10).await;
        assert_eq!(ran.load(Ordering::SeqCst), counted, "dropped after {polls} polls");
    }
    let drops = Drops::new();
    let gathered = Box::pin(gather((after(sleep_forever(), drops.token()), sleep_forever())));
    drop(select(gathered, Box::pin(sleep(SHORT))).await);
    assert_eq!(drops.count(), 1);
}

/// F4, F5: A forgotten combinator keeps no scope around it from being cancelled.
pub async fn a_forgotten_combinator_holds_nobody() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let outcome = scope.run(async {
        std::mem::forget(polled(2, Box::pin(gather((sleep_forever(), sleep_forever())))).await);
        handle.cancel();
        sleep_forever().await;
    });
    assert!(outcome.await.is_err());
}

/// S4, F4: A shield in one branch holds the scope around, and does not keep the other branches.
pub async fn a_shield_in_a_branch_keeps_no_other_branch() {
    let (scope, drops) = (CancelScope::new(), Drops::new());
    let handle = scope.handle();
    let ended = Cell::new(false);
    let outcome = scope.run(async {
        let token = drops.token();
        let shielded = shield(async {
            until(|| drops.count() == 1).await;
            sleep(SHORT).await;
            ended.set(true);
        });
        let other = async {
            let _token = token;
            handle.cancel();
            sleep_forever().await;
        };
        let _ = gather((shielded, other)).await;
    });
    assert!(outcome.await.is_err());
    assert!(ended.get());
}

/// A future that is done when it is told to, and counts its polls.
struct Counted<'a>(&'a Cell<usize>, &'a RefCell<Vec<Waker>>);

impl Future for Counted<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.set(self.0.get() + 1);
        self.1.borrow_mut().push(cx.waker().clone());
        Poll::Pending
    }
}

/// F4: Of ten thousand branches only those are polled that were woken.
pub async fn only_branches_that_were_woken_are_polled() {
    let (polls, wakers) = (Cell::new(0), RefCell::new(Vec::new()));
    let mut all = Box::pin(gather((0..10_000).map(|_| Counted(&polls, &wakers)).collect::<Vec<_>>()));
    let host = Wakes::new();
    assert!(host.poll(&mut all).is_pending());
    assert_eq!(polls.get(), 10_000);
    let some: Vec<_> = wakers.borrow().iter().step_by(100).cloned().collect();
    some.iter().for_each(Waker::wake_by_ref);
    assert!(host.poll(&mut all).is_pending());
    assert!(host.poll(&mut all).is_pending());
    assert_eq!(polls.get(), 10_100);
}

/// F4: as_completed hands out each output in the order of completion, and ends.
pub async fn as_completed_hands_out_each_as_it_comes() {
    let mut stream = as_completed([5, 1, 3].map(|count| after(turns(count), count)));
    let mut order = Vec::new();
    while let Some(count) = stream.next().await {
        order.push(count.unwrap());
    }
    assert_eq!(order, [1, 3, 5]);
    assert!(stream.next().await.is_none());
    let stream = as_completed((0..100).map(|number| after(turns(number % 3), number)));
    let mut all: Vec<_> = stream.map(Result::unwrap).collect().await;
    all.sort_unstable();
    assert!(all.into_iter().eq(0..100));
    assert!(as_completed(Vec::<futures::future::Ready<()>>::new()).next().await.is_none());
}

/// F4: as_completed ends with an error if a future was cut short, and resumes a panic when the others are gone.
pub async fn as_completed_tells_of_what_did_not_complete() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let seen = scope.run(async {
        let (ended, ends) = gate();
        let all = async {
            let branches: [Any<'_, i32>; 2] = [Box::pin(forever()), Box::pin(ready(1))];
            let mut stream = as_completed(branches);
            assert_eq!(stream.next().await, Some(Ok(1)));
            handle.cancel_with("outer");
            let last = stream.next().await.unwrap().unwrap_err();
            assert!(stream.next().await.is_none());
            ends.set();
            last
        };
        join(all, pass(ended)).await.0
    });
    assert!(says(&seen.await.unwrap(), "outer"));
    let drops = Drops::new();
    let branches: [Any<'_, ()>; 2] =
        [Box::pin(after(shield(turns(5)), ()).and_drop(drops.token())), Box::pin(panics("oops"))];
    let mut stream = as_completed(branches);
    let mut last = Ok(());
    while last.is_ok() {
        last = caught(stream.next()).await.map(|next| assert!(next.is_some()));
    }
    assert_eq!((last.unwrap_err().as_str(), drops.count()), ("oops", 1));
}

trait AndDrop: Future + Sized {
    async fn and_drop<T>(self, thing: T) {
        self.await;
        drop(thing);
    }
}

impl<F: Future> AndDrop for F {}

/// H1, F4: wait_any, wait_first_failure and wait_all return when the first, the first without a value, or all have ended;
/// they cancel nothing, and what has ended is still to be awaited.
pub async fn waiting_for_tasks_cancels_nothing() {
    let outcome = task_group(async |tg| {
        let (may_end, opens) = gate();
        let tasks: Vec<_> = [0, 1, 2].into_iter().map(|number| tg.spawn(after(turns(20 * number), number))).collect();
        let last = tg.spawn(after(pass(may_end), 3));
        let (done, pending) = wait_any(tasks.into_iter().chain([last])).await;
        assert!(!done.is_empty() && !pending.is_empty());
        let mut sum = 0;
        for task in done {
            sum += task.value().await;
        }
        let cut = tg.spawn(forever());
        cut.cancel();
        let (mut done, pending) = wait_first_failure(pending.into_iter().chain([cut])).await;
        assert!(done.pop().unwrap().await.is_err());
        assert_eq!(done.len() + pending.len(), 3.min(done.len() + pending.len()));
        assert!(!pending.is_empty());
        opens.set();
        for task in done.into_iter().chain(wait_all(pending).await) {
            sum += task.value().await;
        }
        assert!(wait_all(Vec::<anyio::TaskHandle<()>>::new()).await.is_empty());
        sum
    });
    assert_eq!(outcome.await, Ok(6));
}

/// H1: The body of a group whose task has failed is dropped where it waits for tasks, as where it awaits the handle.
pub async fn waiting_for_what_fails_is_an_offer() {
    let seen = Cell::new(false);
    let outcome = anyio::try_task_group(async |tg| {
        let tasks = [tg.spawn(ready(Err::<(), _>("failed"))), tg.spawn(forever())];
        wait_any(tasks).await;
        seen.set(true);
        Ok(())
    });
    assert_eq!(outcome.await.unwrap_err().to_string(), "failed");
    assert!(!seen.get());
}

/// F4, B2: Combinators and scoped groups nest, and borrow from each other.
pub async fn combinators_nest_in_scoped_groups() {
    let words = [String::from("one"), String::from("three")];
    let outcome = scoped_group(async |s| {
        let lengths = gather((s.spawn(async { words[0].len() }).value(), async {
            race((after(turns(1), words[1].len()), forever())).await.unwrap()
        }));
        lengths.await.unwrap()
    });
    assert_eq!(outcome.await, Ok((3, 5)));
}

/// F4: An error of a combinator is that of a group: it is flattened, split and turned into the first as any other.
pub async fn the_error_of_a_combinator_is_that_of_a_group() {
    let outer: GroupError<GroupError<&str>> =
        try_gather([Box::pin(try_gather([ready(Err::<(), _>("first"))])), Box::pin(try_gather([ready(Ok(()))]))])
            .await
            .unwrap_err();
    assert_eq!(outer.flatten().to_string(), "first");
    checkpoint().await;
}

/// Opens a scope where it is dropped.
struct OpensAScope;

impl Drop for OpensAScope {
    fn drop(&mut self) {
        let scope = anyio::CancelScope::new().run(async {});
        assert_eq!(futures::FutureExt::now_or_never(scope), Some(Ok(())));
    }
}

/// F4, C11: What is dropped without having begun is dropped where it stands: its destructors may open scopes.
pub async fn what_has_not_begun_is_dropped_where_it_stands() {
    let guard = OpensAScope;
    let loser = async move {
        let _guard = guard;
        anyio::sleep_forever().await;
        2
    };
    let branches: [std::pin::Pin<Box<dyn Future<Output = u32>>>; 2] = [Box::pin(async { 1 }), Box::pin(loser)];
    assert_eq!(anyio::race(branches).await, Ok(1));
}
