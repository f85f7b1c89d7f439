//! Cases of the laws Q for limiters.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use anyio::sync::{Borrower, CapacityLimiter, LimiterToken, TryAcquireError};
use anyio::{CancelScope, shield, task_group, timeout};
use futures::future::{join, join_all};
use parking_lot::Mutex;

use crate::fixture::{SHORT, Wakes};
use crate::steps::{gate, on_thread, pass, says, turns, until};

type Waiting = Pin<Box<dyn Future<Output = Result<LimiterToken, anyio::sync::AlreadyBorrowing>> + Send + Sync>>;

/// A wait of somebody new.
fn wait(limiter: &CapacityLimiter) -> Waiting {
    Box::pin(limiter.acquire_on_behalf_of(Borrower::new()))
}

/// A token of somebody new.
fn take(limiter: &CapacityLimiter) -> LimiterToken {
    limiter.try_acquire_on_behalf_of(Borrower::new()).unwrap()
}

fn token(polled: Poll<Result<LimiterToken, anyio::sync::AlreadyBorrowing>>) -> Option<LimiterToken> {
    match polled {
        Poll::Ready(token) => Some(token.unwrap()),
        Poll::Pending => None,
    }
}

/// Borrowed, and waiting.
fn counts(limiter: &CapacityLimiter) -> (usize, usize) {
    let statistics = limiter.statistics();
    assert_eq!(statistics.borrowers.len(), statistics.borrowed);
    (statistics.borrowed, statistics.waiting)
}

/// Q3: A token is lent to the current task, is accounted for, and comes back when it is dropped.
pub async fn a_token_is_lent_to_the_current_task() {
    let limiter = CapacityLimiter::new(3);
    let here = Borrower::current().unwrap();
    let held = limiter.acquire().await.unwrap();
    assert_eq!(held.borrower(), here);
    let outcome = task_group(async |tg| {
        let lent = limiter.clone();
        let task = tg.spawn(async move { lent.acquire().await.unwrap() });
        let there = Borrower::from(task.id());
        let token = task.value().await;
        assert_eq!(token.borrower(), there);
        let mut borrowers = limiter.statistics().borrowers;
        borrowers.sort();
        let mut both = [here, there];
        both.sort();
        assert_eq!(borrowers, both);
    });
    outcome.await.unwrap();
    assert_eq!((counts(&limiter), limiter.total()), ((1, 0), 3));
    drop(held);
    assert_eq!(counts(&limiter), (0, 0));
}

/// Q3: A borrower that holds a token, or waits for one, is refused a second, wherever in its task it asks.
pub async fn a_borrower_holds_one_token_at_a_time() {
    let limiter = CapacityLimiter::new(2);
    let held = limiter.acquire().await.unwrap();
    let again = CancelScope::new().run(limiter.acquire()).await.unwrap().unwrap_err();
    assert_eq!(again.borrower(), held.borrower());
    assert!(matches!(limiter.try_acquire(), Err(TryAcquireError::AlreadyBorrowing(_))));
    drop(held);

    let (_one, _two) = (take(&limiter), take(&limiter));
    let mut waiting = Box::pin(limiter.acquire());
    assert!(Wakes::new().poll(&mut waiting).is_pending());
    assert!(limiter.acquire().await.is_err());
    assert!(matches!(limiter.try_acquire(), Err(TryAcquireError::AlreadyBorrowing(_))));
    assert_eq!(counts(&limiter), (2, 1));
    drop(waiting);
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Exhausted);
}

/// Q3: Tokens may be borrowed on behalf of others; who they are does not depend on the task.
pub async fn a_token_may_be_borrowed_for_somebody_else() {
    let limiter = CapacityLimiter::new(10);
    let (one, two) = (Borrower::new(), Borrower::new());
    let first = limiter.acquire_on_behalf_of(one).await.unwrap();
    let _second = limiter.acquire_on_behalf_of(two).await.unwrap();
    let _own = limiter.acquire().await.unwrap();
    let lent = limiter.clone();
    let elsewhere = task_group(async |tg| tg.spawn(async move { lent.acquire_on_behalf_of(one).await }).value().await);
    assert_eq!(elsewhere.await.unwrap().unwrap_err().borrower(), one);
    drop(first);
    assert_eq!(limiter.acquire_on_behalf_of(one).await.unwrap().borrower(), one);
}

/// Q1, Q3: Tokens are handed over in the order in which they were asked for, and nobody overtakes.
pub async fn tokens_are_handed_over_in_order() {
    let limiter = CapacityLimiter::new(1);
    let mut held = Some(take(&limiter));
    let wakes: Vec<_> = (0..5).map(|_| Wakes::new()).collect();
    let mut waiting: Vec<_> = wakes.iter().map(|_| wait(&limiter)).collect();
    for (wakes, waiting) in wakes.iter().zip(&mut waiting) {
        assert!(wakes.poll(waiting).is_pending());
    }
    for number in 0..5 {
        drop(held.take());
        // It is the next one's already, who has not been polled yet.
        assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Exhausted);
        assert!(Wakes::new().poll(&mut wait(&limiter)).is_pending());
        let woken: Vec<_> = wakes.iter().map(|wakes| wakes.count()).collect();
        assert_eq!(woken, (0..5).map(|other| usize::from(other <= number)).collect::<Vec<_>>());
        held = token(wakes[number].poll(&mut waiting[number]));
        assert!(held.is_some());
    }
}

/// Q1, C7: A waiter that is dropped while it waits leaves the queue; one that was served already passes the token on.
pub async fn a_waiter_that_is_dropped_passes_its_turn_on() {
    let limiter = CapacityLimiter::new(1);
    let held = take(&limiter);
    let wakes = [Wakes::new(), Wakes::new(), Wakes::new()];
    let [mut first, mut second, mut third] = [wait(&limiter), wait(&limiter), wait(&limiter)];
    for (wakes, waiting) in wakes.iter().zip([&mut first, &mut second, &mut third]) {
        assert!(wakes.poll(waiting).is_pending());
    }
    drop(first);
    assert_eq!(counts(&limiter), (1, 2));
    drop(held);
    assert_eq!([0, 1, 2].map(|number: usize| wakes[number].count()), [0, 1, 0]);
    drop(second);
    assert_eq!(wakes[2].count(), 1);
    let token = token(wakes[2].poll(&mut third));
    assert!(token.is_some());
    drop(token);
    assert_eq!(counts(&limiter), (0, 0));
}

/// C6, Q1: In a cancelled scope nothing is acquired, although there is something, and nobody is put in a queue.
pub async fn a_cancelled_task_acquires_nothing() {
    for tokens in [0, 1] {
        let limiter = CapacityLimiter::new(tokens);
        let scope = CancelScope::new();
        scope.handle().cancel_with("enough");
        let got = Cell::new(false);
        let outcome = scope.run(async {
            let token = limiter.acquire().await;
            got.set(token.is_ok());
        });
        assert!(says(&outcome.await.unwrap_err(), "enough"));
        assert_eq!((got.get(), counts(&limiter)), (false, (0, 0)));
    }
}

/// C7, Q1: However a cancellation and a token that comes back race, the token is either the waiter's or the next one's.
pub async fn no_token_is_lost_when_waiters_are_cancelled() {
    let limiter = CapacityLimiter::new(1);
    let got = Arc::new(AtomicUsize::new(0));
    for round in 0..300 {
        let held = take(&limiter);
        let outcome = task_group(async |tg| {
            let scope = CancelScope::new();
            let handle = scope.handle();
            let (lent, gets) = (limiter.clone(), got.clone());
            tg.spawn(scope.run(async move {
                let _token = lent.acquire().await.unwrap();
                gets.fetch_add(1, Ordering::SeqCst);
            }));
            let (lent, gets) = (limiter.clone(), got.clone());
            tg.spawn(async move {
                let _token = lent.acquire().await.unwrap();
                gets.fetch_add(1, Ordering::SeqCst);
            });
            shield(until(|| limiter.statistics().waiting == 2)).await;
            let returns = on_thread(move || drop(held));
            turns(round % 3).await;
            handle.cancel();
            returns.join().unwrap();
        });
        outcome.await.unwrap();
        assert_eq!(counts(&limiter), (0, 0));
    }
    assert!((300..=600).contains(&got.load(Ordering::SeqCst)));
}

/// Q3: A higher total serves those who wait at once, in their order; no more of them than there are new tokens.
pub async fn a_higher_total_serves_who_waits() {
    let limiter = CapacityLimiter::new(0);
    let wakes = [Wakes::new(), Wakes::new(), Wakes::new()];
    let mut waiting = [wait(&limiter), wait(&limiter), wait(&limiter)];
    for (wakes, waiting) in wakes.iter().zip(&mut waiting) {
        assert!(wakes.poll(waiting).is_pending());
    }
    limiter.set_total(2);
    assert_eq!([0, 1, 2].map(|number: usize| wakes[number].count()), [1, 1, 0]);
    assert_eq!((counts(&limiter), limiter.total()), ((2, 1), 2));
    limiter.set_total(CapacityLimiter::UNLIMITED);
    let tokens: Vec<_> = wakes.iter().zip(&mut waiting).filter_map(|(wakes, wait)| token(wakes.poll(wait))).collect();
    assert_eq!(tokens.len(), 3);
    let many: Vec<_> = (0..1000).map(|_| take(&limiter)).collect();
    assert_eq!(counts(&limiter), (1003, 0));
    drop((many, tokens));
    assert_eq!(counts(&limiter), (0, 0));
}

/// Q3: Below what is borrowed, nobody gets a token until enough have come back; those who hold one keep it.
pub async fn a_lower_total_waits_for_what_is_out() {
    let limiter = CapacityLimiter::new(3);
    let mut held = vec![take(&limiter), take(&limiter), take(&limiter)];
    let (wakes, mut waiting) = (Wakes::new(), wait(&limiter));
    assert!(wakes.poll(&mut waiting).is_pending());
    limiter.set_total(1);
    for left in [2, 1] {
        held.pop();
        assert_eq!((counts(&limiter), wakes.count()), ((left, 1), 0));
        assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Exhausted);
    }
    held.pop();
    assert_eq!((counts(&limiter), wakes.count()), ((1, 0), 1));
    limiter.set_total(0);
    drop(token(wakes.poll(&mut waiting)));
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Exhausted);
}

/// Q3: A total of 0 is legal: nobody gets a token, and whoever waits for one can be cancelled.
pub async fn a_total_of_zero_lends_nothing() {
    let limiter = CapacityLimiter::new(0);
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Exhausted);
    assert!(timeout(SHORT, limiter.acquire()).await.is_err());
    assert_eq!(counts(&limiter), (0, 0));
}

/// X5: A loop that takes a free token again and again can be cancelled, and lets timers fire.
pub async fn a_loop_of_free_tokens_can_be_cancelled() {
    let limiter = CapacityLimiter::new(1);
    let outcome = timeout(SHORT, async {
        loop {
            drop(limiter.acquire().await.unwrap());
        }
    });
    let outcome: Result<(), _> = outcome.await;
    assert!(outcome.is_err());
    assert_eq!(counts(&limiter), (0, 0));
}

/// Q1: A hundred thousand may wait, leave in any order, and are served.
pub async fn a_hundred_thousand_wait() {
    let limiter = CapacityLimiter::new(1);
    let held = take(&limiter);
    let wakes = Wakes::new();
    let mut waiting: Vec<_> = (0..100_000).map(|_| Some(wait(&limiter))).collect();
    for waiting in waiting.iter_mut().flatten() {
        // Every now and then the budget has one step aside first.
        assert!(Wakes::new().poll(waiting).is_pending());
        assert!(wakes.poll(waiting).is_pending());
    }
    waiting.iter_mut().rev().step_by(2).for_each(|waiting| *waiting = None);
    assert_eq!(counts(&limiter), (1, 50_000));
    limiter.set_total(25_001);
    drop(held);
    assert_eq!((counts(&limiter), wakes.count()), ((25_001, 24_999), 25_001));
    // Those who have been served pass it on as they go.
    drop(waiting);
    assert_eq!(counts(&limiter), (0, 0));
}

/// Q1: Wakers are woken and dropped with no lock held: they may use the limiter, and panic, and others are still woken.
pub async fn wakers_may_use_the_limiter() {
    struct Meddles(CapacityLimiter, AtomicUsize);
    impl Wake for Meddles {
        fn wake(self: Arc<Self>) {
            self.1.fetch_add(1, Ordering::SeqCst);
            assert_eq!(self.0.statistics().borrowed, 2);
            panic!("a waker");
        }
    }
    impl Drop for Meddles {
        fn drop(&mut self) {
            self.0.set_total(2);
        }
    }
    let limiter = CapacityLimiter::new(0);
    let meddles = Arc::new(Meddles(limiter.clone(), AtomicUsize::new(0)));
    let mut waiting = [wait(&limiter), wait(&limiter)];
    for waiting in &mut waiting {
        let waker = Waker::from(meddles.clone());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    limiter.set_total(2);
    assert_eq!(meddles.1.load(Ordering::SeqCst), 2);
    let mut third = wait(&limiter);
    assert!(third.as_mut().poll(&mut Context::from_waker(&Waker::from(meddles))).is_pending());
    assert!(Wakes::new().poll(&mut third).is_pending());
}

/// Q3: Outside the tasks of anyio nobody is known: each token is somebody's of its own there.
pub async fn outside_of_all_tasks_every_token_has_its_own_borrower() {
    let limiter = CapacityLimiter::new(3);
    let there = limiter.clone();
    let tokens = on_thread(move || {
        assert_eq!(Borrower::current(), None);
        let one = token(Wakes::new().poll(&mut Box::pin(there.acquire()))).unwrap();
        (one, there.try_acquire().unwrap())
    });
    let (one, two) = tokens.join().unwrap();
    assert_ne!(one.borrower(), two.borrower());
}

/// Q1, Q3: Tokens may come back on any thread; tasks that wait are served in their order.
pub async fn tokens_come_back_from_other_threads() {
    let limiter = CapacityLimiter::new(1);
    let order = Arc::new(Mutex::new(Vec::new()));
    let held = take(&limiter);
    let outcome = task_group(async |tg| {
        for number in 0..20 {
            let (lent, orders) = (limiter.clone(), order.clone());
            tg.spawn(async move {
                let token = lent.acquire().await.unwrap();
                orders.lock().push(number);
                assert_eq!(lent.statistics().borrowed, 1);
                on_thread(move || drop(token));
            });
            until(|| limiter.statistics().waiting == number + 1).await;
        }
        on_thread(move || drop(held));
    });
    outcome.await.unwrap();
    assert!(order.lock().iter().copied().eq(0..20), "{order:?}");
}

/// Q1, C6: Two waits of one task in a foreign join, on behalf of two, are two; both end.
pub async fn waits_in_a_foreign_join_are_apart() {
    let limiter = CapacityLimiter::new(1);
    let (may_end, opens) = gate();
    let hold = async {
        let _token = wait(&limiter).await.unwrap();
        pass(may_end).await;
    };
    let others = async {
        until(|| counts(&limiter).0 == 1).await;
        let waits = join_all((0..5).map(|_| async { drop(wait(&limiter).await.unwrap()) }));
        let open = async {
            until(|| counts(&limiter).1 == 5).await;
            opens.set();
        };
        join(waits, open).await;
    };
    join(hold, others).await;
    assert_eq!(counts(&limiter), (0, 0));
}

/// C7: A token that is there when the wait is cancelled is taken by a body that completes, and is given back with it.
pub async fn a_token_that_came_with_the_cancellation_is_the_bodys() {
    let limiter = CapacityLimiter::new(1);
    let held = take(&limiter);
    let scope = CancelScope::new();
    let handle = scope.handle();
    let waits = scope.run(async { limiter.acquire().await.unwrap() });
    let act = async {
        until(|| counts(&limiter).1 == 1).await;
        drop(held);
        handle.cancel();
    };
    let (got, ()) = join(waits, act).await;
    assert_eq!(counts(&limiter), (1, 0));
    drop(got.unwrap());
    assert_eq!(counts(&limiter), (0, 0));
}
