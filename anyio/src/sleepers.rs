//! [`Sleepers`]: those who sleep in a runtime, each until a time of its own, and few timers of the backend's for all of them.
//!
//! Many are gone before their time has come: with a task that is cancelled, or as those who have lost a race. To put each of
//! them into the runtime's own store of timers and to take it out again costs up to as much as all the rest of cancelling a
//! task. Here a sleeper has a slot, and leaves nothing but that when it goes; what then is left of it in the queue, which is
//! ordered by time, is passed over, or swept out when the queue would have to grow.
//!
//! Threads do not wait for each other to lie down: each has a shard that it shares with few others.
//!
//! This is only for clocks that are the system's: one that jumps to the next timer would stop for sleepers that have gone
//! (law D9).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use anyio_core::{Backend, Timer};
use slab::Slab;
use smallvec::SmallVec;

use crate::context;
use crate::tree::{Alarm, Mutex, wake};

/// How many are woken at a time, while others may come and go.
const BATCH: usize = 32;

/// How many may have been there at once without their memory being given back as soon as nobody is there.
const KEPT: usize = 1024;

/// How many shards there are for the threads.
const SHARDS: usize = 8;

thread_local! {
    /// The thread's: one after the other, so that those of a runtime are spread evenly.
    static NUMBER: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// Those who sleep in a runtime.
#[derive(Default)]
pub(crate) struct Sleepers([OnceLock<Arc<Shard>>; SHARDS]);

/// Those who have lain down in some of the threads.
pub(crate) struct Shard {
    /// From when moments are counted.
    epoch: Instant,
    /// The backend's timer. It is set without the lock of the book, as a backend may have something to drop on that occasion, and
    /// that may be a sleeper.
    alarm: Alarm,
    book: Mutex<Book>,
}

/// A time, in nanoseconds since the epoch: enough for five centuries.
type Moment = u64;

/// The moment of one who was woken.
const WOKEN: Moment = 0;

/// The number of a slot.
type Key = u32;

#[derive(Default)]
struct Book {
    slots: Slab<Slot>,
    /// When who is to be woken, the first at the top. What is left in here of those who have gone, or were woken, is known by
    /// their slots, which are of another moment, or are none; but for the same moment there may be more than one of a slot.
    queue: BinaryHeap<Reverse<(Moment, Key)>>,
    /// For when the alarm is set, or is about to be: whoever writes this sets it then, and looks here again afterwards. When the
    /// alarm has fired whoever finds that rings.
    armed: Option<Moment>,
}

struct Slot {
    moment: Moment,
    waker: Waker,
}

/// One who sleeps until a time, or until it is dropped.
pub(crate) struct Sleeper {
    /// Until it was woken, and has noticed.
    shard: Option<Arc<Shard>>,
    key: Key,
    /// Whether it was polled in a task that is cancelled.
    is_cancelled: bool,
}

impl Sleepers {
    /// Where those of the current thread lie down.
    pub(crate) fn here(&self) -> Arc<Shard> {
        let number = NUMBER.try_with(|number| *number).unwrap_or_default();
        self.0[number % SHARDS].get_or_init(|| Arc::new(Shard::new())).clone()
    }
}

impl Shard {
    fn new() -> Self {
        Shard { epoch: Instant::now(), alarm: Alarm::new(), book: Mutex::new(Book::default()) }
    }

    /// One who is woken at `deadline`, and whether the alarm is due, so that the caller [has to ring](Sleeper::ring). If
    /// there is no timer yet it is one of `backend`, which is the same each time.
    pub(crate) fn add(self: Arc<Self>, deadline: Instant, waker: Waker, backend: &dyn Backend) -> (Sleeper, bool) {
        let moment = nanoseconds(deadline.saturating_duration_since(self.epoch)).max(WOKEN + 1);
        let mut book = self.book.lock();
        let key = book.insert(Slot { moment, waker });
        let is_first = book.armed.is_none_or(|armed| armed > moment);
        if is_first {
            book.armed = Some(moment);
        }
        drop(book);
        let sleeper = Sleeper { shard: Some(self), key, is_cancelled: false };
        let is_due = is_first && sleeper.shard().set(moment, |at| backend.timer(at));
        (sleeper, is_due)
    }

    /// Wakes those whose time has come, and sets the alarm, which has fired, for the next one.
    fn ring(self: &Arc<Self>) {
        let mut is_due = true;
        while is_due {
            let now = nanoseconds(self.epoch.elapsed());
            let mut due = Due::default();
            let mut book = self.book.lock();
            let next = book.take(&mut due, now);
            book.armed = next;
            drop(book);
            is_due = next.is_some_and(|next| next <= now || self.set(next, |_| unreachable!("it has been set before")));
        }
    }

    /// Sets the alarm for a moment that stands in the book; says whether it is due, so that the caller has to ring.
    fn set(self: &Arc<Self>, mut moment: Moment, timer: impl Fn(Instant) -> Pin<Box<dyn Timer>>) -> bool {
        loop {
            let at = self.epoch + Duration::from_nanos(moment);
            let rope = || Waker::from(Arc::new(Rope(Arc::downgrade(self))));
            match catch_unwind(AssertUnwindSafe(|| self.alarm.arm(at, || timer(at), rope))) {
                Ok(Some(_)) => return true,
                Ok(None) => {}
                Err(payload) => {
                    self.book.lock().armed = None;
                    resume_unwind(payload);
                }
            }
            // Another thread may have set it for an earlier one just before this one did.
            match self.book.lock().armed {
                Some(armed) if armed != moment => moment = armed,
                _ => return false,
            }
        }
    }
}

/// As many as fit: what is beyond is centuries away.
fn nanoseconds(duration: Duration) -> Moment {
    Moment::try_from(duration.as_nanos()).unwrap_or(Moment::MAX)
}

impl Book {
    fn insert(&mut self, slot: Slot) -> Key {
        if self.queue.len() == self.queue.capacity() {
            self.sweep();
        }
        if self.slots.len() == self.slots.capacity() && self.slots.len() >= KEPT {
            self.slots.reserve_exact(self.slots.len() / 2);
        }
        let moment = slot.moment;
        let key = Key::try_from(self.slots.insert(slot)).expect("so many fit in no memory");
        self.queue.push(Reverse((moment, key)));
        key
    }

    /// Sweeps out of the queue those who have gone, if they are many; else it grows, by half where that is a lot of memory.
    #[cold]
    fn sweep(&mut self) {
        let Book { slots, queue, .. } = self;
        if queue.len() / 2 > slots.len() {
            // Anew, as some are in there more than once: those who have lain down again for the same moment in the same slot.
            let asleep = slots.iter().filter(|(_, slot)| slot.moment != WOKEN);
            queue.clear();
            queue.extend(asleep.map(|(key, slot)| Reverse((slot.moment, key as Key))));
            queue.shrink_to(2 * queue.len().max(KEPT));
        } else if queue.len() >= KEPT {
            queue.reserve_exact(queue.len() / 2);
        }
    }

    /// Takes those whose time has come, as far as there is room for them; gives the moment of the next one.
    fn take(&mut self, due: &mut Due, now: Moment) -> Option<Moment> {
        while let Some(&Reverse((moment, key))) = self.queue.peek() {
            let slot = self.slots.get_mut(key as usize).filter(|slot| slot.moment == moment);
            if slot.is_some() && (moment > now || due.0.len() == BATCH) {
                return Some(moment);
            }
            self.queue.pop();
            if let Some(slot) = slot {
                slot.moment = WOKEN;
                due.0.push(mem::replace(&mut slot.waker, Waker::noop().clone()));
            }
        }
        None
    }

    /// Forgets those who have gone, as nobody is left; gives the memory that is too much to be kept.
    fn clear(&mut self) -> Option<Book> {
        self.queue.clear();
        let is_much = self.queue.capacity() > KEPT || self.slots.capacity() > KEPT;
        is_much.then(|| mem::replace(self, Book { armed: self.armed, ..Book::default() }))
    }
}

impl Sleeper {
    fn shard(&self) -> &Arc<Shard> {
        self.shard.as_ref().expect("it sleeps")
    }

    /// Rings the alarm, which is due, for the others; gives the sleeper back, unless its own time has come.
    pub(crate) fn ring(mut self) -> Option<Self> {
        let shard = self.shard().clone();
        let mut book = shard.book.lock();
        let mut left = None;
        if book.slots[self.key as usize].moment <= nanoseconds(shard.epoch.elapsed()) {
            // Not to be woken; its waker is dropped when the others have been, whatever that does.
            left = Some(book.slots.remove(self.key as usize));
            self.shard = None;
        }
        drop(book);
        shard.ring();
        if left.is_none() { Some(self) } else { None }
    }

    /// Ready when its time has come; otherwise `waker` is woken then.
    ///
    /// The alarm may lag behind the clock, which is asked therefore; but not when a task is polled because it is cancelled, to be
    /// dropped after that.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(shard) = &self.shard else { return Poll::Ready(()) };
        let mut book = shard.book.lock();
        let slot = &mut book.slots[self.key as usize];
        let moment = slot.moment;
        if moment != WOKEN {
            let is_known = slot.waker.will_wake(cx.waker());
            let old = (!is_known).then(|| mem::replace(&mut slot.waker, cx.waker().clone()));
            drop(book);
            drop(old);
            let was_cancelled = mem::replace(&mut self.is_cancelled, is_cancelled());
            if self.is_cancelled && !was_cancelled || nanoseconds(shard.epoch.elapsed()) < moment {
                return Poll::Pending;
            }
        } else {
            drop(book);
        }
        self.leave();
        Poll::Ready(())
    }

    fn leave(&mut self) {
        let Some(shard) = self.shard.take() else { return };
        let mut book = shard.book.lock();
        let slot = book.slots.remove(self.key as usize);
        let too_much = if book.slots.is_empty() { book.clear() } else { None };
        drop(book);
        drop((slot, too_much));
    }
}

/// Whether what is being polled here is cancelled.
fn is_cancelled() -> bool {
    context::peek(|link| link.is_some_and(|link| link.is_eff()))
}

impl Drop for Sleeper {
    #[inline]
    fn drop(&mut self) {
        self.leave();
    }
}

/// Those whose time has come. They are woken when this is dropped, whatever happens until then.
#[derive(Default)]
struct Due(SmallVec<[Waker; BATCH]>);

impl Drop for Due {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|waker| wake(Some(waker)));
    }
}

/// What the backend's timer pulls.
struct Rope(Weak<Shard>);

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(shard) = self.0.upgrade() else { return };
        // Nobody needs it: not even the timer is looked at, which the runtime may fire because it shuts down.
        if let Some(mut book) = shard.book.try_lock()
            && book.slots.is_empty()
        {
            book.armed = None;
            return;
        }
        if shard.alarm.answer().is_some() {
            shard.ring();
        }
    }
}

#[cfg(all(test, anyio_loom))]
impl Shard {
    /// What the backend's timer does when it fires.
    pub(crate) fn rope_for_test(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::new(Rope(Arc::downgrade(self))))
    }

    /// When the backend's timer is to fire.
    pub(crate) fn armed_for_test(&self) -> Option<Instant> {
        self.alarm.armed_for_test()
    }
}

#[cfg(all(test, not(anyio_loom)))]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use anyio_core::{Blocking, Checkpoint, Clock, Job, Spawn, Task, Timer};
    use futures::FutureExt as _;

    use super::*;
    use crate::{CancelScope, Runtime, enter, sleep};

    /// A backend with one timer, which fires when it is told to, and panics when it is told to as it is moved.
    #[derive(Clone, Default)]
    struct Still {
        has_fired: Arc<AtomicBool>,
        panics: Arc<AtomicBool>,
    }

    impl Spawn for Still {
        fn spawn(&self, _task: Task) {}
    }

    impl Checkpoint for Still {
        fn checkpoint(&self, _waker: &Waker) {}
    }

    impl Clock for Still {
        fn now(&self) -> Instant {
            Instant::now()
        }

        fn is_always_real(&self) -> bool {
            true
        }

        fn timer(&self, _deadline: Instant) -> Pin<Box<dyn Timer>> {
            Box::pin(self.clone())
        }
    }

    impl Timer for Still {
        fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
            if self.has_fired.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        }

        fn reset(self: Pin<&mut Self>, _deadline: Instant) {
            assert!(!self.panics.load(Ordering::SeqCst), "this backend panics");
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

    /// Counts its wakes, and panics at each, if it is told to.
    #[derive(Default)]
    struct Woken {
        count: AtomicUsize,
        panics: bool,
    }

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.count.fetch_add(1, Ordering::SeqCst);
            assert!(!self.panics, "this waker panics");
        }
    }

    /// A shard with a timer that has fired, or not yet.
    fn shard(fired: bool) -> (Arc<Shard>, Still) {
        let still = Still::default();
        still.has_fired.store(fired, Ordering::SeqCst);
        (Sleepers::default().here(), still)
    }

    fn fire(shard: &Arc<Shard>, still: &Still) {
        still.has_fired.store(true, Ordering::SeqCst);
        Waker::from(Arc::new(Rope(Arc::downgrade(shard)))).wake();
    }

    /// One who lies down while it is not time yet.
    fn lie_down(shard: &Arc<Shard>, deadline: Instant, waker: &Waker, still: &Still) -> Sleeper {
        let (sleeper, is_due) = shard.clone().add(deadline, waker.clone(), still);
        assert!(!is_due);
        sleeper
    }

    fn in_an_hour() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    /// Those who lie down at once, when nobody sleeps, and so late that the timer is due, are all told.
    #[test]
    fn nobody_is_forgotten_who_lies_down_beside_another() {
        for _ in 0..1_000 {
            let (shard, still) = shard(true);
            let ready = AtomicUsize::new(0);
            let lie_down = || {
                let woken = Arc::new(Woken::default());
                ready.fetch_add(1, Ordering::SeqCst);
                while ready.load(Ordering::SeqCst) < 2 {
                    std::hint::spin_loop();
                }
                let (sleeper, is_due) = shard.clone().add(Instant::now(), Waker::from(woken.clone()), &still);
                let sleeper = if is_due { sleeper.ring() } else { Some(sleeper) };
                (sleeper, woken)
            };
            let both = thread::scope(|scope| {
                let other = scope.spawn(lie_down);
                [lie_down(), other.join().unwrap()]
            });
            for (sleeper, woken) in both {
                assert!(sleeper.is_none() || woken.count.load(Ordering::SeqCst) == 1);
            }
        }
    }

    /// Whoever lies down so late that it is time already is told that, and is not woken in the middle of its poll.
    #[test]
    fn whoever_is_late_is_not_woken() {
        let (shard, still) = shard(true);
        let woken = Arc::new(Woken::default());
        let (sleeper, is_due) = shard.clone().add(Instant::now(), Waker::from(woken.clone()), &still);
        assert!(is_due && sleeper.ring().is_none());
        assert_eq!(woken.count.load(Ordering::SeqCst), 0);
        // The timer is due for somebody else.
        let (sleeper, is_due) = shard.add(in_an_hour(), Waker::from(woken), &still);
        still.has_fired.store(false, Ordering::SeqCst);
        assert!(is_due && sleeper.ring().is_some());
    }

    /// The clock is asked, whether the timer has fired or not.
    #[test]
    fn whoever_asks_in_time_has_slept() {
        let (shard, still) = shard(false);
        let cx = Context::from_waker(Waker::noop());
        let mut late = lie_down(&shard, Instant::now(), Waker::noop(), &still);
        let mut early = lie_down(&shard, in_an_hour(), Waker::noop(), &still);
        assert!(late.poll(&cx).is_ready());
        assert!(late.poll(&cx).is_ready());
        assert!(early.poll(&cx).is_pending());
    }

    /// Somebody who is asked because of a cancellation, and lives on, has slept when it is asked again.
    #[test]
    fn whoever_asks_again_in_a_cancelled_scope_has_slept() {
        let scope = CancelScope::new();
        let handle = scope.handle();
        let asked = scope.run(async {
            let mut sleeper = sleep(Duration::from_millis(1));
            assert!((&mut sleeper).now_or_never().is_none());
            handle.cancel();
            thread::sleep(Duration::from_millis(2));
            let once = (&mut sleeper).now_or_never();
            (once, (&mut sleeper).now_or_never())
        });
        let asked = enter(Runtime::new(Still::default()), asked).now_or_never();
        assert_eq!(asked.unwrap().unwrap(), (None, Some(())));
    }

    /// A backend that panics as the timer is moved keeps nobody from setting it later.
    #[test]
    fn a_backend_that_panics_may_be_asked_again() {
        let (shard, still) = shard(true);
        let (late, is_due) = shard.clone().add(Instant::now(), Waker::noop().clone(), &still);
        still.has_fired.store(false, Ordering::SeqCst);
        let other = lie_down(&shard, in_an_hour(), Waker::noop(), &still);
        still.panics.store(true, Ordering::SeqCst);
        assert!(is_due && catch_unwind(AssertUnwindSafe(|| late.ring())).is_err());
        assert_eq!(shard.book.lock().armed, None);
        still.panics.store(false, Ordering::SeqCst);
        drop(lie_down(&shard, in_an_hour(), Waker::noop(), &still));
        assert!(shard.book.lock().armed.is_some());
        drop(other);
    }

    /// A waker that panics does not keep others asleep.
    #[test]
    fn a_waker_that_panics_wakes_the_others() {
        let (shard, still) = shard(false);
        let woken = [false, true, false].map(|panics| Arc::new(Woken { panics, ..Woken::default() }));
        let now = Instant::now();
        let asleep = woken.each_ref().map(|woken| lie_down(&shard, now, &Waker::from(woken.clone()), &still));
        fire(&shard, &still);
        assert_eq!(woken.map(|woken| woken.count.load(Ordering::SeqCst)), [1; 3]);
        drop(asleep);
    }

    /// What is kept for sleepers is bounded by how many there are, and given back when there are none.
    #[test]
    fn those_who_have_gone_take_no_room() {
        let (shard, still) = shard(false);
        let soon = in_an_hour();
        let first = lie_down(&shard, soon, Waker::noop(), &still);
        for n in 0..100_000 {
            drop(lie_down(&shard, soon + Duration::from_secs(n), Waker::noop(), &still));
        }
        assert!(shard.book.lock().queue.capacity() < 10);
        let crowd: Vec<_> = (0..10_000).map(|_| lie_down(&shard, soon, Waker::noop(), &still)).collect();
        drop((first, crowd));
        let book = shard.book.lock();
        assert_eq!((book.queue.capacity(), book.slots.capacity()), (0, 0));
    }

    /// Nor do those who lie down again, and again for the same moment, as everybody does whose connection is idle for too long
    /// at a time that does not change.
    #[test]
    fn those_who_lie_down_again_take_no_room() {
        let (shard, still) = shard(false);
        let soon = in_an_hour();
        let lie_down = |n| lie_down(&shard, soon + Duration::from_secs(n), Waker::noop(), &still);
        let mut asleep: Vec<_> = (0..100).map(lie_down).collect();
        for n in 0..200_000 {
            let slot = n * 7_919 % 100;
            asleep.remove(slot);
            asleep.insert(slot, lie_down(slot as u64));
            if n % 50 == 0 {
                drop(lie_down(n as u64));
            }
        }
        assert!(shard.book.lock().queue.capacity() < 1_000);
    }
}
