//! Every interleaving of counting, closing, holding and cancelling, walked by loom.
//!
//! `RUSTFLAGS="--cfg anyio_loom" cargo test -p anyio --lib --release tree::model`

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use anyio_core::{Backend, Blocking, Checkpoint, Clock, Job, Spawn, Task, Timer};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use super::count::erase;
use super::{Ext, Link, Node, Poller, Role, Tenure};
use crate::reason::{CancelReason, Cancelled};
use crate::reminder::Reminder;
use crate::runtime::Runtime;
use crate::sleepers::Sleepers;

/// A backend with one timer, which fires when it is told to.
struct Still {
    now: Instant,
    fired: Arc<AtomicBool>,
}

struct Told(Arc<AtomicBool>);

impl Timer for Told {
    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        if self.0.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn reset(self: Pin<&mut Self>, _deadline: Instant) {}
}

impl Spawn for Still {
    fn spawn(&self, _task: Task) {}
}

impl Checkpoint for Still {
    fn checkpoint(&self, waker: &Waker) {
        waker.wake_by_ref();
    }
}

impl Clock for Still {
    fn now(&self) -> Instant {
        self.now
    }

    fn timer(&self, _deadline: Instant) -> Pin<Box<dyn Timer>> {
        Box::pin(Told(self.fired.clone()))
    }
}

impl Blocking for Still {
    fn spawn_blocking(&self, _job: Job) {}
}

impl Backend for Still {
    fn name(&self) -> &'static str {
        "still"
    }
}

/// Counts its wakes.
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn woken() -> (Arc<Woken>, Waker) {
    let woken = Arc::new(Woken(AtomicUsize::new(0)));
    (woken.clone(), Waker::from(woken))
}

fn runtime() -> (Runtime, Arc<AtomicBool>) {
    let fired = Arc::new(AtomicBool::new(false));
    let now = Instant::now();
    (Runtime::new(Still { now, fired: fired.clone() }), fired)
}

fn node(role: Role, parent: &Link, runtime: &Runtime) -> Link {
    let node = erase(&Node::new(role, ()));
    node.link_in(parent.clone(), runtime.clone());
    node
}

fn reason() -> Cancelled {
    Cancelled::new(CancelReason::GroupFinished)
}

/// A task that is spawned, lives and ends; `alive` counts it.
fn live_and_die(group: &Link, runtime: &Runtime, alive: &AtomicUsize) -> bool {
    let task = erase(&Node::task(Tenure::Ordinary, None, ()));
    let admitted = group.adopt(&task, runtime).is_ok();
    if admitted {
        alive.fetch_add(1, Ordering::SeqCst);
        alive.fetch_sub(1, Ordering::SeqCst);
        task.retire();
    }
    admitted
}

/// Invariants 4 and 5: a thread spawns into a group while the scope around it exits. Whoever sees the scope closed
/// sees no task, and never will.
#[test]
fn a_closed_node_has_nothing_alive_below() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let scope = node(Role::Scope, runtime.root(), &runtime);
        let group = node(Role::Group, &scope, &runtime);
        let alive = Arc::new(AtomicUsize::new(0));
        let spawning = {
            let (group, runtime, alive) = (group.clone(), runtime.clone(), alive.clone());
            thread::spawn(move || live_and_die(&group, &runtime, &alive))
        };
        scope.begin_exit(None);
        if scope.is_closed() {
            assert_eq!(alive.load(Ordering::SeqCst), 0);
            assert!(!live_and_die(&group, &runtime, &alive), "admitted below a closed node");
        }
        spawning.join().unwrap();
        assert!(scope.is_closed(), "all is over, and yet it is not closed");
    });
}

/// A daemon is spawned while all else in the group ends: whoever comes first, it is cancelled, or refused.
#[test]
fn no_daemon_stays_behind() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let group = node(Role::Group, runtime.root(), &runtime);
        let ordinary = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&ordinary, &runtime).unwrap();
        let spawning = {
            let (group, runtime) = (group.clone(), runtime.clone());
            thread::spawn(move || {
                let daemon = erase(&Node::task(Tenure::Daemon, None, ()));
                group.adopt(&daemon, &runtime).ok().map(|()| daemon)
            })
        };
        group.begin_exit(None);
        ordinary.retire();
        let daemon = spawning.join().unwrap();
        assert!(group.is_refusing(), "only a daemon is left, and the group is open");
        assert_eq!(group.is_closed(), daemon.is_none());
        daemon.into_iter().for_each(|daemon| {
            assert!(daemon.is_eff(), "a daemon that nobody cancels");
            daemon.retire();
        });
        assert!(group.is_closed(), "all is over, and yet it is not closed");
    });
}

/// The same with two threads that spawn, whose raises and lowers of the chain overlap.
#[test]
fn overlapping_raises_leave_no_gap() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let (runtime, _) = runtime();
        let scope = node(Role::Scope, runtime.root(), &runtime);
        let group = node(Role::Group, &scope, &runtime);
        let alive = Arc::new(AtomicUsize::new(0));
        let threads = [(); 2].map(|()| {
            let (group, runtime, alive) = (group.clone(), runtime.clone(), alive.clone());
            thread::spawn(move || live_and_die(&group, &runtime, &alive))
        });
        scope.begin_exit(None);
        assert!(!scope.is_closed() || alive.load(Ordering::SeqCst) == 0);
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(scope.is_closed(), "all is over, and yet it is not closed");
    });
}

/// What the node of a group has of which nothing would be lost with its future.
struct Nothing;

impl Ext for Nothing {
    fn known(&self) -> &dyn Any {
        self
    }

    fn may_leave(&self) -> bool {
        true
    }
}

/// A group leaves once, with its last task or with its future, and takes nobody else's place in the list after that.
#[test]
fn a_group_leaves_once() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let around = node(Role::Task, runtime.root(), &runtime);
        let group = erase(&Node::new(Role::Group, Nothing));
        group.link_in(around.clone(), runtime.clone());
        let task = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&task, &runtime).unwrap();
        group.set_poller(Poller::Task);
        let ending = thread::spawn(move || task.retire());
        if !group.begin_exit(None) || group.is_closed() {
            assert!(!group.is_eff());
        }
        group.finish();
        ending.join().unwrap();
        assert!(around.lock().children.is_empty(), "a group that is gone is listed");
        let _other = node(Role::Scope, &around, &runtime);
        group.finish();
        assert!(!around.lock().children.is_empty(), "a group leaves in another one's place");
    });
}

/// Whoever waits for the exit of a node is woken when it closes.
#[test]
fn closing_wakes_whoever_waits() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let group = node(Role::Group, runtime.root(), &runtime);
        let task = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&task, &runtime).unwrap();
        let ending = thread::spawn(move || task.retire());
        let (count, waker) = woken();
        group.begin_exit(None);
        group.set_waker(&waker);
        let closed = group.is_closed();
        ending.join().unwrap();
        assert!(closed || count.0.load(Ordering::SeqCst) > 0, "the last task left without a word");
    });
}

/// Invariant 3: a node that is linked while its parent is cancelled learns of it, from one side or the other.
#[test]
fn a_node_linked_during_a_cancellation_is_cancelled() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let outer = node(Role::Scope, runtime.root(), &runtime);
        let inner = node(Role::Scope, &outer, &runtime);
        let cancelling = {
            let outer = outer.clone();
            thread::spawn(move || outer.cancel(reason()))
        };
        let late = node(Role::Scope, &inner, &runtime);
        cancelling.join().unwrap();
        assert!(late.is_eff());
    });
}

/// Invariant 3: a group that leaves while another thread cancels it leaves no task behind that does not learn of it.
#[test]
fn a_group_that_leaves_while_it_is_cancelled_tells_its_tasks() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let group = node(Role::Group, runtime.root(), &runtime);
        let task = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&task, &runtime).unwrap();
        let (count, waker) = woken();
        task.set_waker(&waker);
        let cancelling = {
            let group = group.clone();
            thread::spawn(move || group.cancel(reason()))
        };
        group.finish();
        cancelling.join().unwrap();
        assert!(task.is_eff(), "a task of a group that was cancelled and is gone goes on");
        assert!(task.cause().is_some(), "and nobody knows why");
        assert!(count.0.load(Ordering::SeqCst) > 0, "it is cancelled, and sleeps on");
        task.retire();
    });
}

/// Invariant 2: of two cancellations at once, everybody knows the outer one in the end.
#[test]
fn the_outermost_of_two_cancellations_prevails() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let outer = node(Role::Scope, runtime.root(), &runtime);
        let inner = node(Role::Scope, &outer, &runtime);
        let leaf = node(Role::Scope, &inner, &runtime);
        let cancelling = {
            let outer = outer.clone();
            thread::spawn(move || outer.cancel(reason()))
        };
        inner.cancel(reason());
        cancelling.join().unwrap();
        assert_eq!(leaf.cause().map(|cause| cause.depth), Some(outer.depth()));
    });
}

/// Invariant 6: a cancelled unit that has to wait for a hold is woken when it is free to drop its body.
#[test]
fn a_held_unit_is_woken_when_it_is_free() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let unit = node(Role::Scope, runtime.root(), &runtime);
        let group = node(Role::Group, &unit, &runtime);
        let task = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&task, &runtime).unwrap();
        unit.cancel(reason());
        let ending = thread::spawn(move || task.retire());
        let (count, waker) = woken();
        unit.set_waker(&waker);
        unit.begin_poll();
        let free = unit.has_to_drop();
        ending.join().unwrap();
        assert!(free || count.0.load(Ordering::SeqCst) > 0, "held for ever");
        unit.begin_poll();
        assert!(unit.has_to_drop());
    });
}

/// Invariant 6: a cancelled unit does not drop its body for a group that has closed in the midst of a poll, after it was
/// looked at: it is polled once more, and then the group is seen to have closed.
#[test]
fn a_unit_drops_nothing_that_was_not_collected() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let unit = node(Role::Scope, runtime.root(), &runtime);
        let group = node(Role::Group, &unit, &runtime);
        let task = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&task, &runtime).unwrap();
        unit.cancel(reason());
        group.begin_exit(None);
        let ending = thread::spawn(move || task.retire());
        let (count, waker) = woken();
        unit.set_waker(&waker);
        unit.begin_poll();
        let collected = group.is_closed();
        assert!(collected || !unit.has_to_drop());
        ending.join().unwrap();
        assert!(collected || count.0.load(Ordering::SeqCst) > 0, "nobody asks again");
        unit.begin_poll();
        assert!(group.is_closed() && unit.has_to_drop());
    });
}

/// A group that has closed and is not being released any more has let go of the unit around, so that its offer counts,
/// at once or in the poll that the unit is owed; and if it has to wait for that, it is woken after it.
#[test]
fn an_offer_is_made_to_a_unit_that_is_free() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let unit = node(Role::Scope, runtime.root(), &runtime);
        let group = node(Role::Group, &unit, &runtime);
        let task = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&task, &runtime).unwrap();
        unit.cancel(reason());
        let ending = thread::spawn(move || task.retire());
        let (count, waker) = woken();
        group.begin_exit(None);
        group.set_waker(&waker);
        let offers = group.is_closed() && !group.is_releasing();
        assert!(!offers || unit.is_owed() || unit.has_to_drop());
        ending.join().unwrap();
        unit.begin_poll();
        assert!(unit.has_to_drop());
        assert!(offers || count.0.load(Ordering::SeqCst) > 0, "nobody asks again");
    });
}

/// The same for a unit that is between the node that lets go and the unit around.
#[test]
fn a_unit_in_between_makes_its_offer_to_a_unit_that_is_free() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let outer = node(Role::Scope, runtime.root(), &runtime);
        let inner = node(Role::Scope, &outer, &runtime);
        let shield = node(Role::Shield, &inner, &runtime);
        outer.cancel(reason());
        let ending = thread::spawn(move || shield.finish());
        let (count, waker) = woken();
        inner.set_waker(&waker);
        let offers = inner.has_to_drop() && !inner.is_releasing();
        assert!(!offers || outer.has_to_drop());
        ending.join().unwrap();
        assert!(offers || count.0.load(Ordering::SeqCst) > 0, "nobody asks again");
    });
}

/// Whatever two threads make of a deadline at once, the alarm is set to what the deadline then is.
#[test]
fn the_alarm_follows_the_last_edit() {
    for edited in [Some(1), None] {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2); // all of them are too many
        model.check(move || {
            let (runtime, _) = runtime();
            let after = |seconds| runtime.now() + Duration::from_secs(seconds);
            let (edited, edited_too) = (edited.map(after), Some(after(2)));
            let scope = node(Role::Scope, runtime.root(), &runtime);
            let other = {
                let scope = scope.clone();
                thread::spawn(move || scope.set_deadline(edited))
            };
            scope.set_deadline(edited_too);
            other.join().unwrap();
            assert_eq!(scope.armed_for_test(), scope.deadline());
        });
    }
}

/// A timer that fires while it is being set, or looked at by another thread, is noticed.
#[test]
fn no_ring_is_missed() {
    loom::model(|| {
        let (runtime, fired) = runtime();
        let scope = node(Role::Scope, runtime.root(), &runtime);
        scope.set_deadline(Some(runtime.now() + Duration::from_secs(1)));
        let firing = {
            let scope = scope.clone();
            thread::spawn(move || {
                fired.store(true, Ordering::SeqCst);
                scope.ring_for_test();
            })
        };
        scope.set_deadline(Some(runtime.now() + Duration::from_secs(2)));
        firing.join().unwrap();
        assert!(scope.is_eff(), "the deadline has passed, and nobody noticed");
    });
}

/// A timer that is taken over from somebody fires for whoever has it then, although it fires while it changes hands.
#[test]
fn a_timer_that_is_taken_over_is_not_missed() {
    loom::model(|| {
        let (runtime, fired) = runtime();
        let reminder = Reminder::new(runtime.backend());
        let ((earlier, first), (count, second)) = (woken(), woken());
        // The clock stands at the deadlines; the timer fires when it is told to.
        reminder.set(runtime.now(), &first);
        let rope = reminder.rope_for_test();
        let firing = thread::spawn(move || {
            fired.store(true, Ordering::SeqCst);
            rope.wake();
        });
        let reminder = reminder.taken_over_for_test();
        assert!(!reminder.has_rung(), "it has rung for somebody before");
        reminder.set(runtime.now(), &second);
        firing.join().unwrap();
        assert!(reminder.has_rung() && count.0.load(Ordering::SeqCst) == 1, "nobody was woken");
        drop((earlier, reminder));
    });
}

/// Whoever lies down while the timer fires for another one, who has gone or has not, is woken as well.
#[test]
fn nobody_sleeps_on_when_the_timer_has_fired() {
    for stays in [true, false] {
        loom::model(move || {
            let (runtime, fired) = runtime();
            let shard = Sleepers::default().here();
            let ((earlier, first), (later, second)) = (woken(), woken());
            // The clock stands at the deadlines; the timer fires when it is told to.
            let (other, is_due) = shard.clone().add(runtime.now(), first, &**runtime.backend());
            assert!(!is_due);
            let rope = shard.rope_for_test();
            let firing = thread::spawn(move || {
                fired.store(true, Ordering::SeqCst);
                rope.wake();
            });
            let other = Some(other).filter(|_| stays);
            let (sleeper, is_due) = shard.add(runtime.now(), second, &**runtime.backend());
            let sleeper = if is_due { sleeper.ring() } else { Some(sleeper) };
            firing.join().unwrap();
            assert!(!stays || earlier.0.load(Ordering::SeqCst) == 1, "the first one was not woken");
            assert!(sleeper.is_none() || later.0.load(Ordering::SeqCst) == 1, "the second one was not woken");
            drop((other, sleeper));
        });
    }
}

/// Of those who lie down at once the one whose time comes first is the one for whom the timer is set.
#[test]
fn the_first_of_the_sleepers_counts() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let shard = Sleepers::default().here();
        let [sooner, later] = [1, 2].map(|hours| runtime.now() + Duration::from_secs(3600 * hours));
        let other = {
            let (shard, runtime) = (shard.clone(), runtime.clone());
            thread::spawn(move || shard.add(later, woken().1, &**runtime.backend()).0)
        };
        let sleeper = shard.clone().add(sooner, woken().1, &**runtime.backend()).0;
        let other = other.join().unwrap();
        assert!(shard.armed_for_test().is_some_and(|armed| armed <= sooner));
        drop((sleeper, other));
    });
}

/// A task that is adopted while the only other one ends is counted all the way up: a scope around that exits is not closed
/// before it is over.
#[test]
fn a_task_that_is_adopted_while_another_ends_stays_counted() {
    loom::model(|| {
        let (runtime, _) = runtime();
        let scope = node(Role::Scope, runtime.root(), &runtime);
        let group = node(Role::Group, &scope, &runtime);
        let first = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&first, &runtime).unwrap();
        let ending = thread::spawn(move || first.retire());
        let second = erase(&Node::task(Tenure::Ordinary, None, ()));
        group.adopt(&second, &runtime).unwrap();
        scope.begin_exit(None);
        assert!(!scope.is_closed(), "closed, and a task is alive");
        ending.join().unwrap();
        assert!(!scope.is_closed(), "closed, and a task is alive");
        second.retire();
        assert!(scope.is_closed(), "all is over, and yet it is not closed");
    });
}
