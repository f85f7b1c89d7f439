//! Law D9: a deadline that no longer exists never moves a virtual clock.
//!
//! The clock here is tokio's when it is paused: it stands still as long as there is something to do, and jumps to the
//! next timer when there is not. So a timer that somebody forgot to take down is seen by waiting for another thread:
//! that takes no time on a clock that nothing moves.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyio::testing::wait_all_tasks_blocked;
use anyio::{
    CancelScope, EffectiveDeadline, Event, FutureExt as _, MissedTicks, Runtime, checkpoint,
    current_effective_deadline, enter, finally, interval, move_on_after, now, protect, shield, shield_for, sleep,
    sleep_forever, sleep_until, task_group, timeout, timeout_at,
};
use futures::future::{join_all, select};
use tokio::runtime::Builder;

const HOUR: Duration = Duration::from_secs(3600);

/// Runs a case under a paused clock and tells by how much the clock has moved.
fn moved<F: Future>(case: F) -> Duration {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let start = now();
        case.await;
        now() - start
    })
}

/// Waits for another thread: nothing is left to do for the runtime meanwhile.
async fn idle() {
    let event = Arc::new(Event::new());
    let set = event.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(10));
        set.set();
    });
    event.wait().await;
}

/// Polls a future once and drops it.
async fn polled_once(future: impl Future) {
    let mut future = pin!(future);
    assert!(futures::poll!(future.as_mut()).is_pending());
}

/// Nobody hears of scopes that wait for long, so that nothing watches how long they wait.
fn patient() -> Runtime {
    Runtime::current().unwrap().with_patience(Duration::MAX)
}

#[test]
fn the_clock_of_these_tests_jumps_to_a_timer_that_is_there() {
    assert_eq!(
        moved(async {
            let _ = select(pin!(sleep(HOUR)), pin!(idle())).await;
        }),
        HOUR
    );
    assert_eq!(moved(idle()), Duration::ZERO);
}

#[test]
fn a_timeout_that_was_done_in_time_does_not_move_the_clock() {
    let case = async {
        assert!(timeout(HOUR, checkpoint()).await.is_ok());
        assert!(timeout(HOUR, async {}).await.is_ok());
        assert!(move_on_after(HOUR, idle().timeout(2 * HOUR)).await.is_none());
    };
    assert_eq!(moved(case), HOUR, "while it is there, it does");
    let case = async {
        assert!(timeout(HOUR, checkpoint()).await.is_ok());
        assert!(timeout(HOUR, task_group(async |tg| drop(tg.spawn(checkpoint())))).await.is_ok());
        idle().await;
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_timeout_that_is_done_and_still_there_does_not_move_the_clock() {
    let case = async {
        let mut limited = pin!(timeout(HOUR, checkpoint()));
        assert!(limited.as_mut().await.is_ok());
        idle().await;
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_timeout_that_was_dropped_does_not_move_the_clock() {
    let case = async {
        polled_once(timeout(HOUR, sleep_forever())).await;
        let slow = timeout(HOUR, sleep_forever());
        drop(select(Box::pin(slow), Box::pin(checkpoint())).await);
        idle().await;
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_sleeper_that_was_dropped_does_not_move_the_clock() {
    let case = async {
        polled_once(sleep(HOUR)).await;
        polled_once(sleep_until(now() + HOUR)).await;
        let mut ticks = interval(HOUR);
        ticks.tick().await;
        polled_once(ticks.tick()).await;
        idle().await;
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn sleepers_whose_tasks_were_cancelled_do_not_move_the_clock() {
    let case = async {
        let group = task_group(async |tg| {
            for n in 1..=100 {
                tg.spawn(timeout(n * HOUR, sleep(n * HOUR)));
            }
            checkpoint().await;
            tg.cancel();
        });
        group.await.unwrap();
        idle().await;
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_deadline_that_was_removed_does_not_move_the_clock() {
    let case = async {
        let scope = CancelScope::new().with_timeout(HOUR);
        let handle = scope.handle();
        let body = async {
            handle.set_deadline(None);
            idle().await;
        };
        scope.run(body).await.unwrap();
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_deadline_that_was_removed_from_another_thread_does_not_move_the_clock() {
    let case = async {
        let scope = CancelScope::new().with_timeout(HOUR);
        let handle = scope.handle();
        let body = async {
            thread::spawn(move || handle.set_deadline(None)).join().unwrap();
            idle().await;
        };
        scope.run(body).await.unwrap();
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn the_deadline_of_a_cancelled_scope_does_not_move_the_clock() {
    let case = async {
        let scope = CancelScope::new().with_timeout(HOUR);
        let handle = scope.handle();
        let body = async {
            handle.cancel();
            shield(idle()).await;
        };
        enter(patient(), scope.run(body)).await.unwrap();
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_scope_that_was_held_for_a_moment_leaves_nothing_behind() {
    let case = async {
        let scope = CancelScope::new().with_timeout(HOUR);
        let handle = scope.handle();
        handle.cancel();
        let body = async {
            shield(checkpoint()).await;
            sleep_forever().await;
        };
        assert!(scope.run(body).await.is_err());
        idle().await;
        drop(handle);
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_scope_that_is_over_does_not_move_the_clock_although_its_handle_is_kept() {
    let case = async {
        let (done, dropped) = (CancelScope::new().with_timeout(HOUR), CancelScope::new().with_timeout(HOUR));
        let handles = [done.handle(), dropped.handle()];
        assert!(done.run(checkpoint()).await.is_ok());
        polled_once(dropped.run(sleep_forever())).await;
        handles[0].set_deadline(now() + HOUR);
        idle().await;
        drop(handles);
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_grace_that_was_not_used_up_does_not_move_the_clock() {
    let case = async {
        let scope = CancelScope::new();
        scope.handle().cancel();
        let body = async {
            shield_for(HOUR, checkpoint()).await;
            let _ = finally(sleep_forever(), checkpoint()).grace(HOUR).await;
        };
        assert!(scope.run(body).await.is_err());
        idle().await;
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn a_grace_that_does_not_run_does_not_move_the_clock() {
    let case = async {
        shield_for(HOUR, idle()).await;
        finally(idle(), async {}).grace(HOUR).await.unwrap();
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn waiting_for_a_quiet_runtime_leaves_nothing_behind() {
    let case = async {
        assert!(Runtime::current().unwrap().quiesce(HOUR).await);
        polled_once(protect(checkpoint())).await;
        assert!(Runtime::current().unwrap().quiesce(HOUR).await);
        idle().await;
    };
    assert_eq!(moved(case), Duration::ZERO);
}

#[test]
fn waiting_until_all_tasks_are_blocked_does_not_move_the_clock() {
    assert_eq!(moved(select(pin!(sleep(HOUR)), pin!(wait_all_tasks_blocked()))), Duration::ZERO);
}

#[test]
fn sleepers_wake_exactly_on_time() {
    assert_eq!(moved(sleep(HOUR)), HOUR);
    assert_eq!(moved(async { sleep_until(now() + 9 * HOUR).await }), 9 * HOUR);
    assert_eq!(moved(sleep(Duration::ZERO)), Duration::ZERO);
    let all = async { drop(join_all((0..1000).map(|n| sleep(n * HOUR))).await) };
    assert_eq!(moved(all), 999 * HOUR);
}

#[test]
fn a_sleeper_wakes_after_a_hundred_years() {
    let century = 100 * 365 * 24 * HOUR;
    assert_eq!(moved(sleep(century)), century);
    assert_eq!(moved(timeout(century, sleep(2 * century))), century);
}

#[test]
fn a_timeout_asks_the_clock_of_the_runtime_that_its_thread_has_entered() {
    let paused = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    paused.block_on(tokio::time::advance(24 * HOUR));
    let threads = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    threads.block_on(async {
        for _ in 0..2 {
            timeout(HOUR, async {}).await.unwrap();
        }
        let _inside = paused.enter();
        let deadline = timeout(HOUR, async { current_effective_deadline() }).await;
        assert_eq!(deadline, Ok(EffectiveDeadline::At((tokio::time::Instant::now() + HOUR).into_std())));
    });
}

#[test]
fn timeouts_run_out_exactly_on_time() {
    assert_eq!(moved(timeout(HOUR, sleep_forever())), HOUR);
    assert_eq!(
        moved(async {
            let _ = timeout_at(now() + 9 * HOUR, pending::<()>()).await;
        }),
        9 * HOUR
    );
    assert_eq!(moved(timeout(3 * HOUR, timeout(HOUR, sleep(2 * HOUR)))), HOUR);
    assert_eq!(moved(timeout(HOUR, timeout(3 * HOUR, sleep(2 * HOUR)))), HOUR);
    assert_eq!(moved(timeout(HOUR, shield(sleep(2 * HOUR)))), 2 * HOUR);
    let all = async { drop(join_all((1..=10_000).map(|n| timeout(n * HOUR, sleep_forever()))).await) };
    assert_eq!(moved(all), 10_000 * HOUR);
}

#[test]
fn a_group_is_cut_short_exactly_on_time() {
    let group = task_group(async |tg| {
        for n in 1..100 {
            tg.spawn(sleep(n * HOUR));
        }
    });
    assert_eq!(moved(timeout(10 * HOUR, group)), 10 * HOUR);
}

#[test]
fn a_deadline_that_is_moved_acts_exactly_at_its_new_time() {
    for (old, new) in [(HOUR, 2 * HOUR), (2 * HOUR, HOUR), (Duration::MAX, HOUR)] {
        let case = async {
            let scope = CancelScope::new().with_timeout(old);
            let handle = scope.handle();
            let body = async {
                handle.set_deadline(now() + new);
                sleep_forever().await;
            };
            assert!(scope.run(body).await.is_err());
        };
        assert_eq!(moved(case), new);
    }
}

#[test]
fn a_grace_ends_exactly_on_time() {
    let case = async {
        let scope = CancelScope::new().with_timeout(HOUR);
        assert!(scope.run(shield_for(2 * HOUR, sleep_forever())).await.is_err());
        let scope = CancelScope::new().with_timeout(HOUR);
        let body = finally(sleep_forever(), sleep_forever()).grace(HOUR);
        assert!(scope.run(body).await.is_err());
    };
    assert_eq!(moved(case), 5 * HOUR);
}

/// When the first ticks were due, counted from the first, if two and a half periods are slept through after it.
async fn ticks(missed: MissedTicks) -> Vec<Duration> {
    let mut ticks = interval(HOUR).missed_ticks(missed);
    let start: Instant = ticks.tick().await;
    sleep(5 * HOUR / 2).await;
    let mut due = Vec::new();
    for _ in 0..4 {
        due.push(ticks.tick().await - start);
        assert!(now() - start >= due[due.len() - 1]);
    }
    due
}

#[test]
fn intervals_tick_exactly_on_time() {
    let halves = |halves: [u32; 4]| halves.map(|n| n * HOUR / 2).to_vec();
    let expected = [
        (MissedTicks::Burst, halves([2, 4, 6, 8])),
        (MissedTicks::Delay, halves([2, 7, 9, 11])),
        (MissedTicks::Skip, halves([2, 6, 8, 10])),
    ];
    for (missed, due) in expected {
        let last = due[3];
        assert_eq!(moved(async { assert_eq!(ticks(missed).await, due) }), last);
    }
}
