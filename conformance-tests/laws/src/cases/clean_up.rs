//! Cases of the laws L: asynchronous clean-up.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyio::{
    CancelScope, EffectiveDeadline, Event, Runtime, Unhandled, bracket, checkpoint, current_effective_deadline, enter,
    finally, finally_detached, is_cancelled, shield, sleep, sleep_forever, task_group, timeout, try_task_group,
};
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::select;

use crate::fixture::{Drops, Heard, LONG, SHORT, hooked, in_own_run, panic_of, poll_times, recipe};
use crate::steps::{is_alive, says, turns};

/// Drops `future` after so many polls, or when it is done.
async fn drop_after(polls: usize, future: impl Future) {
    let _ = poll_times(polls, Box::pin(future)).await;
}

/// Whether `future` panics, and what it says.
async fn panic_in(future: impl Future) -> String {
    let panicked = AssertUnwindSafe(future).catch_unwind().await.err();
    panic_of(|| std::panic::resume_unwind(panicked.expect("a panic")))
}

/// A few suspensions.
async fn steps() {
    for _ in 0..3 {
        checkpoint().await;
    }
}

async fn panicking(text: &'static str) {
    checkpoint().await;
    panic!("{text}");
}

fn skipped(outcome: &Unhandled) -> bool {
    matches!(outcome, Unhandled::CleanUpSkipped { location, .. } if location.file() == file!())
}

fn cut_short(outcome: &Unhandled) -> bool {
    matches!(outcome, Unhandled::CleanUpCutShort { location, .. } if location.file() == file!())
}

/// That the hook heard of one clean-up, and nothing else.
fn heard_once(heard: &Heard, of: impl Fn(&Unhandled) -> bool) {
    assert_eq!((heard.count(of), heard.texts().len()), (1, 1), "{:?}", heard.texts());
}

/// A runtime that has shut down, unless it is one of those that never do.
fn runtime_without_life() -> Runtime {
    let started = recipe()().start().unwrap();
    Runtime::from_backend(started.backend())
}

/// L1: The clean-up runs after a body that completed, and the body's value comes out.
pub async fn the_clean_up_runs_after_a_body_that_completes() {
    let log = RefCell::new(Vec::new());
    let body = async {
        steps().await;
        log.borrow_mut().push("body");
        7
    };
    let clean_up = async {
        steps().await;
        log.borrow_mut().push("clean-up");
    };
    assert_eq!(finally(body, clean_up).await, Ok(7));
    assert_eq!(*log.borrow(), ["body", "clean-up"]);
}

/// L1: The clean-up runs after a body that failed, and the body's error comes out.
pub async fn the_clean_up_runs_after_a_body_that_fails() {
    let cleaned = Cell::new(0);
    let outcome = finally(async { Err::<(), _>("failed") }, async {
        steps().await;
        cleaned.set(cleaned.get() + 1);
    });
    assert_eq!(outcome.await, Ok(Err("failed")));
    assert_eq!(cleaned.get(), 1);
}

/// L1: The clean-up runs after a body that was cancelled, to its end, and the scope waits for it.
pub async fn the_clean_up_runs_after_a_body_that_is_cancelled() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let (mut reached, mut cleaned) = (false, false);
    let body = async {
        handle.cancel();
        checkpoint().await;
        reached = true;
    };
    let clean_up = async {
        sleep(SHORT).await;
        steps().await;
        cleaned = true;
    };
    assert!(scope.run(finally(body, clean_up)).await.is_err());
    assert!(cleaned && !reached);
}

/// L1: The clean-up runs after a body that panicked; then the panic goes on.
pub async fn the_clean_up_runs_after_a_body_that_panics() {
    let mut cleaned = false;
    let outcome = finally(panicking("body"), async {
        steps().await;
        cleaned = true;
    });
    assert_eq!(panic_in(outcome).await, "body");
    assert!(cleaned);
}

/// L1: Body and clean-up may borrow, from the same place too, and the body is destroyed before the clean-up begins.
pub async fn body_and_clean_up_may_borrow() {
    let text = String::from("borrowed");
    let drops = Drops::new();
    let mut seen = None;
    let body = async {
        let _token = drops.token();
        sleep(SHORT).await;
        text.len()
    };
    let clean_up = async { seen = Some((text.as_str(), drops.count())) };
    assert_eq!(finally(body, clean_up).await, Ok(8));
    assert_eq!(seen, Some(("borrowed", 1)));
}

/// L1: In the clean-up nothing is seen of the cancellation that led to it: it may wait, and open groups of its own.
pub async fn the_clean_up_is_shielded() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let mut outcome = None;
    let clean_up = async {
        assert!(!is_cancelled());
        let group = task_group(async |tg| {
            tg.spawn(async {
                sleep(SHORT).await;
                7
            })
            .value()
            .await
        });
        outcome = Some(group.await);
        assert!(!is_cancelled());
    };
    assert!(scope.run(finally(sleep_forever(), clean_up)).await.is_err());
    assert_eq!(outcome, Some(Ok(7)));
}

/// L1: A clean-up's own scopes and timeouts act as ever.
pub async fn scopes_inside_the_clean_up_act() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let mut outcomes = None;
    let clean_up = async {
        let inner = CancelScope::new();
        inner.handle().cancel();
        let cancelled = inner.run(sleep_forever()).await;
        outcomes = Some((cancelled.is_err(), timeout(SHORT, sleep_forever()).await.is_err()));
    };
    assert!(scope.run(finally(sleep_forever(), clean_up)).await.is_err());
    assert_eq!(outcomes, Some((true, true)));
}

/// L1: A body in a scope that was cancelled before still gets its first poll, and its clean-up runs.
pub async fn a_body_in_a_cancelled_scope_is_polled_once_and_cleaned_up() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let polled = Cell::new(false);
    let mut cleaned = false;
    let body = async {
        polled.set(true);
        pending::<()>().await;
    };
    assert!(scope.run(finally(body, async { cleaned = polled.get() })).await.is_err());
    assert!(cleaned);
}

/// L1: Nested clean-ups run from the inside out, each once.
pub async fn nested_clean_ups_run_from_the_inside_out() {
    let log = RefCell::new(Vec::new());
    let note = async |name| {
        steps().await;
        log.borrow_mut().push(name);
    };
    let scope = CancelScope::new();
    scope.handle().cancel();
    let inner = finally(sleep_forever(), note("inner"));
    let middle = async {
        let _ = finally(inner, note("middle")).await;
        sleep_forever().await;
    };
    assert!(scope.run(finally(middle, note("outer"))).await.is_err());
    assert_eq!(*log.borrow(), ["inner", "middle", "outer"]);
}

/// L1: A clean-up may have a clean-up.
pub async fn a_clean_up_may_have_a_clean_up() {
    let log = RefCell::new(Vec::new());
    let scope = CancelScope::new();
    scope.handle().cancel();
    let clean_up = async {
        let outcome = finally(async { log.borrow_mut().push("first") }, async {
            steps().await;
            log.borrow_mut().push("second");
        });
        assert!(outcome.await.is_ok());
    };
    assert!(scope.run(finally(sleep_forever(), clean_up)).await.is_err());
    assert_eq!(*log.borrow(), ["first", "second"]);
}

/// L1: A scope that is cancelled during the clean-up of a body that had completed still returns the body's value, if
/// nothing suspends after it.
pub async fn a_cancellation_during_the_clean_up_does_not_take_the_value() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut cleaned = false;
    let clean_up = async {
        handle.cancel();
        steps().await;
        cleaned = true;
    };
    assert_eq!(scope.run(finally(ready(7), clean_up)).await, Ok(Ok(7)));
    assert!(cleaned);
}

/// L1: A timeout around waits for the clean-up, and then says that it timed out.
pub async fn a_timeout_waits_for_the_clean_up() {
    let mut cleaned = false;
    let slow = finally(sleep_forever(), async {
        sleep(2 * SHORT).await;
        cleaned = true;
    });
    assert!(timeout(SHORT, slow).await.is_err());
    assert!(cleaned);
}

/// L1: All enclosing units in the task wait for the clean-up, also when it runs in a branch of a foreign combinator.
pub async fn a_clean_up_in_a_foreign_join_holds_the_units_around() {
    let scope = CancelScope::new();
    scope.handle().cancel();
    let mut cleaned = false;
    let branch = finally(sleep_forever(), async {
        sleep(SHORT).await;
        steps().await;
        cleaned = true;
    });
    let nested = CancelScope::new().run(timeout(LONG, async { futures::join!(branch, sleep_forever()) }));
    assert!(scope.run(nested).await.is_err());
    assert!(cleaned);
}

/// L1: A group does not return before the clean-ups of its cancelled tasks are done.
pub async fn a_group_waits_for_the_clean_ups_of_its_tasks() {
    let cleaned = Drops::new();
    let outcome = task_group(async |tg| {
        for _ in 0..3 {
            let token = cleaned.token();
            tg.spawn(finally(sleep_forever(), async move {
                sleep(SHORT).await;
                drop(token);
            }));
        }
        checkpoint().await;
        tg.cancel();
    });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!(cleaned.count(), 3);
}

/// L1: A failing sibling cancels a task, whose clean-up runs to its end; what fails in its group is in the result.
pub async fn a_failing_sibling_leads_to_clean_ups() {
    let cleaned = Drops::new();
    let (begins, began) = oneshot::channel();
    let outcome = try_task_group(async |tg| {
        let token = cleaned.token();
        let body = async move {
            begins.send(()).unwrap();
            sleep_forever().await;
        };
        let tidy = finally(body, async move {
            steps().await;
            drop(token);
        });
        tg.spawn_ok(tidy);
        began.await.unwrap();
        Err::<(), _>("failed")
    });
    assert_eq!(outcome.await.unwrap_err().to_string(), "failed");
    assert_eq!(cleaned.count(), 1);
}

/// L1: A panic of the body beats that of the clean-up, which goes to the hook.
pub async fn a_panic_of_the_body_beats_that_of_the_clean_up() {
    let (runtime, heard) = hooked();
    let both = finally(panicking("body"), panicking("clean-up"));
    assert_eq!(panic_in(enter(runtime, both)).await, "body");
    heard_once(&heard, |outcome| matches!(outcome, Unhandled::Panicked { message, .. } if message == "clean-up"));
}

/// L1: A panic of the clean-up comes out if the body did not panic, whether it completed or was cancelled.
pub async fn a_panic_of_the_clean_up_comes_out() {
    let (runtime, heard) = hooked();
    let completed = finally(async { 7 }, panicking("after a value"));
    assert_eq!(panic_in(enter(runtime.clone(), completed)).await, "after a value");
    let scope = CancelScope::new();
    scope.handle().cancel();
    let cancelled = scope.run(finally(sleep_forever(), panicking("after a cancellation")));
    assert_eq!(panic_in(enter(runtime, cancelled)).await, "after a cancellation");
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// L1: A panic of the body's destructor is a panic of the body.
pub async fn a_clean_up_runs_after_a_destructor_that_panics() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("destructor");
        }
    }
    let scope = CancelScope::new();
    scope.handle().cancel();
    let mut cleaned = false;
    let body = async {
        let _bomb = Bomb;
        sleep_forever().await;
    };
    assert_eq!(panic_in(scope.run(finally(body, async { cleaned = true }))).await, "destructor");
    assert!(cleaned);
}

/// L1: A clean-up that takes longer than its grace is cancelled, the hook hears of it once, and the value is kept.
pub async fn a_clean_up_is_cut_short_when_its_grace_is_over() {
    let (runtime, heard) = hooked();
    let drops = Drops::new();
    let token = drops.token();
    let before = anyio::now();
    let slow = finally(async { 7 }, async move {
        let _token = token;
        sleep_forever().await;
    });
    assert_eq!(enter(runtime, slow.grace(SHORT)).await, Ok(7));
    assert!(anyio::now() - before >= SHORT);
    assert_eq!(drops.count(), 1);
    heard_once(&heard, cut_short);
}

/// L1: The same in a scope that was cancelled, which ends then.
pub async fn a_grace_ends_the_clean_up_of_a_cancelled_body() {
    for _ in 0..10 {
        let (runtime, heard) = hooked();
        let scope = CancelScope::new();
        scope.handle().cancel();
        let slow = finally(sleep_forever(), sleep_forever()).grace(SHORT);
        assert!(enter(runtime, scope.run(slow)).await.is_err());
        heard_once(&heard, cut_short);
    }
}

/// L1: A value that the body had is kept when the clean-up is cut short, also in a scope that was cancelled meanwhile.
pub async fn a_grace_keeps_the_value_in_a_cancelled_scope() {
    let (runtime, heard) = hooked();
    let scope = CancelScope::new();
    let handle = scope.handle();
    let slow = finally(ready(7), async {
        handle.cancel();
        sleep_forever().await;
    });
    assert_eq!(enter(runtime, scope.run(slow.grace(SHORT))).await, Ok(Ok(7)));
    heard_once(&heard, cut_short);
}

/// L1: A clean-up in time is not cut short, and the hook hears nothing.
pub async fn a_clean_up_within_its_grace_is_not_cut_short() {
    let (runtime, heard) = hooked();
    let mut cleaned = false;
    let quick = finally(async { 7 }, async {
        sleep(SHORT).await;
        cleaned = true;
    });
    assert_eq!(enter(runtime, quick.grace(LONG)).await, Ok(7));
    assert!(cleaned);
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// L1: The grace counts from the start of the clean-up, not from the cancellation.
pub async fn the_grace_counts_from_the_start_of_the_clean_up() {
    let ended = Cell::new(None);
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        handle.cancel();
        shield(sleep(SHORT)).await;
        ended.set(Some(anyio::now()));
        sleep_forever().await;
    };
    let mut deadline = EffectiveDeadline::None;
    let tidy = finally(body, async { deadline = current_effective_deadline() });
    assert!(scope.run(tidy.grace(LONG)).await.is_err());
    let EffectiveDeadline::At(deadline) = deadline else { panic!("there is a grace") };
    assert!(deadline >= ended.get().expect("the shield keeps the body") + LONG);
}

/// L1, S1: A grace does not cut the body short, which may take longer than that to end, under a shield.
pub async fn a_grace_does_not_cut_a_shield_in_the_body_short() {
    let (runtime, heard) = hooked();
    let log = RefCell::new(Vec::new());
    let scope = CancelScope::new();
    let handle = scope.handle();
    let body = async {
        handle.cancel();
        shield(sleep(5 * SHORT)).await;
        log.borrow_mut().push("body");
        sleep_forever().await;
    };
    let tidy = finally(body, async { log.borrow_mut().push("clean-up") });
    assert!(enter(runtime, scope.run(tidy.grace(SHORT))).await.is_err());
    assert_eq!(*log.borrow(), ["body", "clean-up"]);
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// L1, G1: The same for a body that takes long to end because it waits for the tasks of its group.
pub async fn a_grace_does_not_cut_a_group_in_the_body_short() {
    let (runtime, heard) = hooked();
    let scope = CancelScope::new();
    let handle = scope.handle();
    let ended = Drops::new();
    let token = ended.token();
    let body = task_group(async |tg| {
        tg.spawn(shield(async move {
            sleep(10 * SHORT).await;
            drop(token);
        }));
        handle.cancel();
    });
    let mut seen = None;
    let tidy = finally(body, async { seen = Some(ended.count()) }).grace(SHORT);
    let _ = enter(runtime, scope.run(tidy)).await;
    assert_eq!(seen, Some(1));
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// L1, S1: When the grace is over, a shield inside the clean-up still keeps what is in it.
pub async fn a_grace_does_not_break_a_shield_inside_the_clean_up() {
    let (runtime, heard) = hooked();
    let scope = CancelScope::new();
    scope.handle().cancel();
    let (mut kept, mut reached) = (false, false);
    let clean_up = async {
        shield(async {
            sleep(5 * SHORT).await;
            kept = true;
        })
        .await;
        checkpoint().await;
        reached = true;
    };
    assert!(enter(runtime, scope.run(finally(sleep_forever(), clean_up).grace(SHORT))).await.is_err());
    assert!(kept && !reached);
    heard_once(&heard, cut_short);
}

/// L1: Dropped by foreign code during the body, the clean-up cannot run: the hook hears of it once.
pub async fn a_finally_dropped_during_its_body_tells_the_hook() {
    let (runtime, heard) = hooked();
    let mut cleaned = false;
    let tidy = finally(sleep_forever(), async { cleaned = true });
    enter(runtime, async { drop(select(Box::pin(tidy), Box::pin(steps())).await) }).await;
    assert!(!cleaned);
    heard_once(&heard, skipped);
}

/// L1: Dropped by foreign code during the clean-up, it cannot end: the hook hears of it once.
pub async fn a_finally_dropped_during_its_clean_up_tells_the_hook() {
    let (runtime, heard) = hooked();
    let mut began = false;
    let clean_up = async {
        began = true;
        sleep_forever().await;
    };
    enter(runtime, drop_after(1, finally(async {}, clean_up))).await;
    assert!(began);
    heard_once(&heard, skipped);
}

/// L1: What was never polled, and what is done, owes nothing when it is dropped.
pub async fn a_finally_that_was_never_polled_or_is_done_owes_nothing() {
    let (runtime, heard) = hooked();
    let cleaned = Drops::new();
    enter(runtime, async {
        drop(finally(sleep_forever(), sleep_forever()));
        drop(finally_detached(sleep_forever(), sleep_forever()));
        drop(bracket(0, async |_: &mut i32| sleep_forever().await, async |_| sleep_forever().await));
        let token = cleaned.token();
        let mut done = Box::pin(finally(async {}, async { drop(token) }));
        assert_eq!((&mut done).await, Ok(()));
        drop(done);
    })
    .await;
    assert_eq!(cleaned.count(), 1);
    assert!(heard.is_empty(), "{:?}", heard.texts());
}

/// L2: Dropped by foreign code at whatever poll, a detached clean-up runs once if the body had begun; the group around
/// waits for it.
pub async fn a_detached_clean_up_runs_whenever_it_is_dropped() {
    for polls in 0..6 {
        let (runtime, heard) = hooked();
        let cleaned = Drops::new();
        let token = cleaned.token();
        let clean_up = async move {
            sleep(SHORT).await;
            steps().await;
            drop(token);
        };
        let group = task_group(async |_| drop_after(polls, finally_detached(steps(), clean_up)).await);
        assert_eq!(enter(runtime, group).await, Ok(()));
        assert_eq!(cleaned.count(), 1);
        assert!(heard.is_empty(), "{polls} polls: {:?}", heard.texts());
    }
}

/// L2: A detached clean-up whose body never began does not run.
pub async fn a_detached_clean_up_does_not_run_if_the_body_never_began() {
    let ran = Arc::new(Event::new());
    let runs = ran.clone();
    let group = task_group(async |_| drop(finally_detached(sleep_forever(), async move { runs.set() })));
    assert_eq!(group.await, Ok(()));
    assert!(!ran.is_set());
}

/// L2: Outside every group the run waits for a detached clean-up.
pub async fn the_run_waits_for_a_detached_clean_up() {
    let ran = Arc::new(Event::new());
    let runs = ran.clone();
    in_own_run(|| async {
        let clean_up = async move {
            sleep(SHORT).await;
            runs.set();
        };
        drop_after(1, finally_detached(sleep_forever(), clean_up)).await;
    });
    assert!(ran.is_set());
}

/// L2: Dropped together with the group that it is in, a detached clean-up still runs, and the next group waits for it.
pub async fn a_detached_clean_up_in_a_dropped_group_runs() {
    let ran = Arc::new(Event::new());
    let runs = ran.clone();
    let outcome = task_group(async |_| {
        let clean_up = async move {
            sleep(SHORT).await;
            runs.set();
        };
        let inner = task_group(async |_| finally_detached(sleep_forever(), clean_up).await);
        drop_after(1, inner).await;
    });
    assert_eq!(outcome.await, Ok(()));
    assert!(ran.is_set());
}

/// L2: Without a foreign drop the clean-up is awaited in place: the value comes after it, and so does the cancellation.
pub async fn a_detached_clean_up_is_awaited_in_place() {
    let (first, second) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let (sets_first, sets_second) = (first.clone(), second.clone());
    let clean_up = |event: Arc<Event>| async move {
        sleep(SHORT).await;
        event.set();
    };
    assert_eq!(finally_detached(async { 7 }, clean_up(sets_first)).await, Ok(7));
    assert!(first.is_set());
    let scope = CancelScope::new();
    scope.handle().cancel();
    assert!(scope.run(finally_detached(sleep_forever(), clean_up(sets_second))).await.is_err());
    assert!(second.is_set());
}

/// L2: No cancellation reaches a detached clean-up, not even that of the group that waits for it.
pub async fn nothing_cancels_a_detached_clean_up() {
    let ran = Arc::new(Event::new());
    let runs = ran.clone();
    let outcome = task_group(async |tg| {
        let clean_up = async move {
            sleep(SHORT).await;
            assert!(!is_cancelled());
            steps().await;
            runs.set();
        };
        drop_after(1, finally_detached(sleep_forever(), clean_up)).await;
        tg.cancel();
    });
    assert_eq!(outcome.await, Ok(()));
    assert!(ran.is_set());
}

/// L2: The panic of a detached clean-up comes out where it is awaited, and goes to the hook after a foreign drop.
pub async fn the_panic_of_a_detached_clean_up_is_not_lost() {
    let (runtime, heard) = hooked();
    let awaited = finally_detached(async {}, panicking("awaited"));
    assert_eq!(panic_in(enter(runtime.clone(), awaited)).await, "awaited");
    assert!(heard.is_empty(), "{:?}", heard.texts());
    enter(runtime.clone(), drop_after(1, finally_detached(sleep_forever(), panicking("dropped")))).await;
    assert!(runtime.quiesce(LONG).await);
    heard_once(&heard, |outcome| matches!(outcome, Unhandled::Panicked { message, .. } if message == "dropped"));
}

/// L1, L2: The panic of a body beats that of a detached clean-up, too.
pub async fn a_panic_of_the_body_beats_that_of_a_detached_clean_up() {
    let (runtime, heard) = hooked();
    let both = finally_detached(panicking("body"), panicking("clean-up"));
    assert_eq!(panic_in(enter(runtime, both)).await, "body");
    heard_once(&heard, |outcome| matches!(outcome, Unhandled::Panicked { message, .. } if message == "clean-up"));
}

/// L1, L2: A grace cuts a detached clean-up short as well, awaited or not.
pub async fn a_detached_clean_up_is_cut_short_when_its_grace_is_over() {
    let (runtime, heard) = hooked();
    let awaited = finally_detached(async { 7 }, sleep_forever()).grace(SHORT);
    assert_eq!(enter(runtime.clone(), awaited).await, Ok(7));
    heard_once(&heard, cut_short);
    let dropped = finally_detached(sleep_forever(), sleep_forever()).grace(SHORT);
    enter(runtime.clone(), drop_after(1, dropped)).await;
    assert!(runtime.quiesce(LONG).await);
    assert_eq!((heard.count(cut_short), heard.texts().len()), (2, 2), "{:?}", heard.texts());
}

/// L2, X4: A detached clean-up whose runtime has shut down cannot run: the hook hears of it.
pub async fn a_detached_clean_up_without_a_runtime_tells_the_hook() {
    let heard = Arc::new(Event::new());
    let hears = heard.clone();
    let runtime = runtime_without_life().with_hook(move |outcome| {
        if skipped(&outcome) {
            hears.set();
        }
    });
    let ran = Arc::new(Event::new());
    let runs = ran.clone();
    let tidy = finally_detached(sleep_forever(), async move { runs.set() });
    enter(runtime.clone(), drop_after(1, tidy)).await;
    if is_alive(&runtime).await {
        ran.wait().await;
        assert!(!heard.is_set());
    } else {
        heard.wait().await;
        assert!(!ran.is_set());
    }
}

/// L3: The body is lent the resource, and the clean-up gets it by value with what the body has done to it; the body's
/// value comes out.
pub async fn a_bracket_lends_the_resource_and_gives_it_to_the_clean_up() {
    let (mut log, mut seen) = (Vec::new(), None);
    let add = async |list: &mut Vec<i32>| {
        list.push(2);
        checkpoint().await;
        list.push(3);
        log.push("added");
        list.len()
    };
    let outcome = bracket(vec![1], add, async |list: Vec<i32>| {
        steps().await;
        seen = Some(list);
    });
    assert_eq!(outcome.await, Ok(3));
    assert_eq!((log, seen), (vec!["added"], Some(vec![1, 2, 3])));
}

/// L3: The clean-up gets the resource also when the body is cancelled, in the middle of a change.
pub async fn a_bracket_that_is_cancelled_gives_the_resource_to_the_clean_up() {
    async fn change(list: &mut Vec<i32>) {
        list.push(2);
        sleep_forever().await;
        list.push(3);
    }
    let mut seen = None;
    let used = bracket(vec![1], change, async |list| {
        sleep(SHORT).await;
        seen = Some(list);
    });
    assert!(timeout(SHORT, used).await.is_err());
    assert_eq!(seen, Some(vec![1, 2]));
}

/// L3: The clean-up gets the resource also when the body panics, at an `await` or before the first.
pub async fn a_bracket_that_panics_gives_the_resource_to_the_clean_up() {
    async fn late(list: &mut Vec<i32>) {
        list.push(2);
        panicking("late").await;
    }
    fn early(list: &mut Vec<i32>) -> std::future::Ready<()> {
        list.push(3);
        panic!("early");
    }
    let seen = RefCell::new(Vec::new());
    let clean_up = async |list: Vec<i32>| seen.borrow_mut().push(list);
    assert_eq!(panic_in(bracket(vec![1], late, clean_up)).await, "late");
    assert_eq!(panic_in(bracket(vec![1], early, clean_up)).await, "early");
    assert_eq!(*seen.borrow(), [[1, 2], [1, 3]]);
}

/// L3: A bracket that foreign code drops drops its resource, without its clean-up: the hook hears of it.
pub async fn a_bracket_that_is_dropped_drops_its_resource() {
    async fn hold(_: &mut crate::fixture::Dropped) {
        sleep_forever().await;
    }
    let (runtime, heard) = hooked();
    let drops = Drops::new();
    let used = bracket(drops.token(), hold, async |_token| sleep_forever().await);
    enter(runtime, drop_after(1, used)).await;
    assert_eq!(drops.count(), 1);
    heard_once(&heard, skipped);
}

/// L3: A bracket is `Send` where its parts are: it runs in tasks, and a cancelled group waits for its clean-up.
pub async fn a_bracket_runs_in_a_task() {
    async fn hold(_: &mut crate::fixture::Dropped) {
        sleep_forever().await;
    }
    let drops = Drops::new();
    let outcome = task_group(async |tg| {
        tg.spawn(bracket(drops.token(), hold, async |token| {
            sleep(SHORT).await;
            drop(token);
        }));
        checkpoint().await;
        tg.cancel();
    });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!(drops.count(), 1);
}

/// L1, F5, C5: A clean-up whose grace is over hears of the cancellation around it, which is the reason from then on.
pub async fn a_clean_up_whose_grace_is_over_hears_the_outermost_reason() {
    let scope = CancelScope::new();
    scope.handle().cancel_with("outer");
    let told = RefCell::new(None);
    let clean_up = async {
        let group = try_task_group(async |tg| {
            tg.spawn(async { Err::<(), _>("it fails") });
            finally(sleep_forever(), turns(3)).await.map_err(|_| "unheard")
        });
        if let Err(error) = group.await {
            told.replace(error.split().0);
        }
    };
    let cleaned = finally(ready(()), clean_up).grace(Duration::ZERO);
    let _ = scope.run(cleaned).await;
    assert!(told.take().is_some_and(|cancelled| says(&cancelled, "outer")));
}
