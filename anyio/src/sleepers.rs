//! [`Sleepers`]: those who sleep in a runtime, each until a time of its own, and one timer of the backend's for all of them.
//!
//! Many are gone before their time has come: with a task that is cancelled, or as those who have lost a race. To put each of
//! them into the runtime's own store of timers and to take it out again costs up to as much as all the rest of cancelling a
//! task. Here a sleeper has a slot, and leaves nothing but that when it goes; what then is left of it in the queue, which is
//! ordered by time, is passed over, or swept out when the queue would have to grow.
//!
//! This is only for clocks that are the system's: one that jumps to the next timer would stop for sleepers that have gone
//! (law D9).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use anyio_core::Backend;
use slab::Slab;
use smallvec::SmallVec;

use crate::context;
use crate::tree::{Alarm, Mutex, wake};

/// How many are woken at a time, while others may come and go.
const BATCH: usize = 32;

/// How many may have been there at once without their memory being given back as soon as nobody is there.
const KEPT: usize = 1024;

/// Those who sleep in a runtime.
pub(crate) struct Sleepers {
    /// Who sleeps does not keep a runtime alive.
    backend: Weak<dyn Backend>,
    /// From when moments are counted.
    epoch: Instant,
    /// The backend's timer.
    alarm: Alarm,
    book: Mutex<Book>,
}

/// A time, in nanoseconds since the epoch: enough for five centuries.
type Moment = u64;

/// The moment of one who was woken.
const WOKEN: Moment = 0;

#[derive(Default)]
struct Book {
    slots: Slab<Slot>,
    /// When who is to be woken, the first at the top. Whoever has gone, or was woken, has no slot of that moment any more.
    queue: BinaryHeap<Reverse<(Moment, usize)>>,
    /// For when the alarm is armed, unless it has fired since, and nobody has seen to that.
    armed: Option<Moment>,
}

struct Slot {
    moment: Moment,
    waker: Waker,
}

/// One who sleeps until a time, or until it is dropped.
pub(crate) struct Sleeper {
    /// Until it was woken, and has noticed.
    sleepers: Option<Arc<Sleepers>>,
    key: usize,
}

impl Sleepers {
    /// For a backend whose clock is the system's.
    pub(crate) fn of(backend: &Arc<dyn Backend>) -> Arc<Self> {
        let (backend, epoch) = (Arc::downgrade(backend), Instant::now());
        Arc::new(Sleepers { backend, epoch, alarm: Alarm::new(), book: Mutex::new(Book::default()) })
    }

    /// One who is woken at `deadline`; none, if that is centuries away. Somebody must have a handle to the runtime.
    pub(crate) fn add(self: Arc<Self>, deadline: Instant, waker: &Waker) -> Option<Sleeper> {
        let moment = u64::try_from(deadline.saturating_duration_since(self.epoch).as_nanos()).ok()?.max(WOKEN + 1);
        let slot = Slot { moment, waker: waker.clone() };
        let mut book = self.book.lock();
        let key = book.insert(slot);
        let is_first = book.is_before_alarm(moment);
        drop(book);
        let sleeper = Sleeper { sleepers: Some(self), key };
        if is_first {
            sleeper.sleepers.as_ref().expect("it sleeps").hurry(moment);
        }
        Some(sleeper)
    }

    /// Sees to it that the alarm is not too late for somebody.
    fn hurry(self: &Arc<Self>, moment: Moment) {
        let mut book = self.book.lock();
        let is_due = book.is_before_alarm(moment) && self.set(&mut book, moment);
        drop(book);
        if is_due {
            self.ring();
        }
    }

    /// The alarm has fired: wakes those whose time has come, and sets it for the next one.
    fn ring(self: &Arc<Self>) {
        let mut is_due = true;
        while is_due {
            let now = Moment::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(Moment::MAX);
            let mut due = Due::default();
            let mut book = self.book.lock();
            book.armed = None;
            let next = book.take(&mut due, now);
            is_due = next.is_some_and(|next| next <= now || self.set(&mut book, next));
            drop(book);
        }
    }

    /// Sets the alarm; says whether that is due already.
    fn set(self: &Arc<Self>, book: &mut Book, moment: Moment) -> bool {
        let at = self.epoch + Duration::from_nanos(moment);
        let backend = || self.backend.upgrade().expect("whoever lies down first has a handle to the runtime");
        let rope = || Waker::from(Arc::new(Rope(Arc::downgrade(self))));
        let is_due = self.alarm.arm(at, || backend().timer(at), rope).is_some();
        book.armed = Some(moment);
        is_due
    }
}

impl Book {
    /// Whether the alarm is too late for somebody.
    fn is_before_alarm(&self, moment: Moment) -> bool {
        self.armed.is_none_or(|armed| armed > moment)
    }

    fn insert(&mut self, slot: Slot) -> usize {
        if self.queue.len() == self.queue.capacity() {
            self.sweep();
        }
        if self.slots.len() == self.slots.capacity() && self.slots.len() >= KEPT {
            self.slots.reserve_exact(self.slots.len() / 2);
        }
        let moment = slot.moment;
        let key = self.slots.insert(slot);
        self.queue.push(Reverse((moment, key)));
        key
    }

    /// Sweeps out of the queue those who have gone, if they are many; else it grows, by half where that is a lot of memory.
    #[cold]
    fn sweep(&mut self) {
        let Book { slots, queue, .. } = self;
        if queue.len() / 2 > slots.len() {
            queue.retain(|&Reverse((moment, key))| slots.get(key).is_some_and(|slot| slot.moment == moment));
        } else if queue.len() >= KEPT {
            queue.reserve_exact(queue.len() / 2);
        }
    }

    /// Takes those whose time has come, as far as there is room for them; gives the moment of the next one.
    fn take(&mut self, due: &mut Due, now: Moment) -> Option<Moment> {
        while let Some(&Reverse((moment, key))) = self.queue.peek() {
            let slot = self.slots.get_mut(key).filter(|slot| slot.moment == moment);
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
    /// Ready when its time has come; otherwise `waker` is woken then.
    ///
    /// The alarm may lag behind the clock, which is asked therefore; unless the task is cancelled, and is polled for that.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(sleepers) = &self.sleepers else { return Poll::Ready(()) };
        let mut book = sleepers.book.lock();
        let slot = &mut book.slots[self.key];
        let moment = slot.moment;
        if moment != WOKEN {
            let is_known = slot.waker.will_wake(cx.waker());
            let old = (!is_known).then(|| mem::replace(&mut slot.waker, cx.waker().clone()));
            drop(book);
            drop(old);
            let is_cancelled = context::peek(|link| link.is_some_and(|link| link.is_eff()));
            if is_cancelled || sleepers.epoch.elapsed() < Duration::from_nanos(moment) {
                return Poll::Pending;
            }
        } else {
            drop(book);
        }
        self.leave();
        Poll::Ready(())
    }

    fn leave(&mut self) {
        let Some(sleepers) = self.sleepers.take() else { return };
        let mut book = sleepers.book.lock();
        let slot = book.slots.remove(self.key);
        let too_much = if book.slots.is_empty() { book.clear() } else { None };
        drop(book);
        drop((slot, too_much));
    }
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
struct Rope(Weak<Sleepers>);

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(sleepers) = self.0.upgrade() else { return };
        // Nobody needs it: not even the timer is looked at, which the runtime may fire because it shuts down.
        if let Some(mut book) = sleepers.book.try_lock()
            && book.slots.is_empty()
        {
            book.armed = None;
            return;
        }
        if sleepers.alarm.answer().is_some() {
            sleepers.ring();
        }
    }
}

#[cfg(all(test, anyio_loom))]
impl Sleepers {
    /// What the backend's timer does when it fires.
    pub(crate) fn rope_for_test(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::new(Rope(Arc::downgrade(self))))
    }
}

#[cfg(all(test, not(anyio_loom)))]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;

    use anyio_core::{Blocking, Checkpoint, Clock, Job, Spawn, Task, Timer};

    use super::*;

    /// A backend with one timer, which fires when it is told to.
    #[derive(Clone, Default)]
    struct Still(Arc<AtomicBool>);

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

        fn timer(&self, _deadline: Instant) -> Pin<Box<dyn Timer>> {
            Box::pin(self.clone())
        }

        fn is_always_real(&self) -> bool {
            true
        }
    }

    impl Timer for Still {
        fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
            if self.0.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        }

        fn reset(self: Pin<&mut Self>, _deadline: Instant) {}
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

    fn still(fired: bool) -> (Arc<dyn Backend>, Arc<Sleepers>, Arc<AtomicBool>) {
        let fired = Arc::new(AtomicBool::new(fired));
        let backend: Arc<dyn Backend> = Arc::new(Still(fired.clone()));
        let sleepers = Sleepers::of(&backend);
        (backend, sleepers, fired)
    }

    fn fire(sleepers: &Arc<Sleepers>, fired: &AtomicBool) {
        fired.store(true, Ordering::SeqCst);
        Waker::from(Arc::new(Rope(Arc::downgrade(sleepers)))).wake();
    }

    fn lie_down(sleepers: &Arc<Sleepers>, deadline: Instant, waker: &Waker) -> Sleeper {
        sleepers.clone().add(deadline, waker).expect("it is not that far away")
    }

    /// Those who lie down at once, when nobody sleeps, are all woken.
    #[test]
    fn nobody_is_forgotten_who_lies_down_beside_another() {
        for _ in 0..5_000 {
            let (_backend, sleepers, _) = still(true);
            let (woken, barrier) = (Arc::new(Woken::default()), AtomicUsize::new(0));
            let waker = Waker::from(woken.clone());
            let lie_down = || {
                barrier.fetch_add(1, Ordering::SeqCst);
                while barrier.load(Ordering::SeqCst) < 2 {
                    std::hint::spin_loop();
                }
                std::mem::forget(lie_down(&sleepers, Instant::now(), &waker));
            };
            thread::scope(|scope| {
                scope.spawn(lie_down);
                lie_down();
            });
            assert_eq!(woken.count.load(Ordering::SeqCst), 2);
        }
    }

    /// The clock is asked, whether the timer has fired or not.
    #[test]
    fn whoever_asks_in_time_has_slept() {
        let (_backend, sleepers, _) = still(false);
        let cx = Context::from_waker(Waker::noop());
        let mut late = lie_down(&sleepers, Instant::now(), Waker::noop());
        let mut early = lie_down(&sleepers, Instant::now() + Duration::from_secs(3600), Waker::noop());
        assert!(late.poll(&cx).is_ready());
        assert!(late.poll(&cx).is_ready());
        assert!(early.poll(&cx).is_pending());
    }

    /// A waker that panics does not keep others asleep.
    #[test]
    fn a_waker_that_panics_wakes_the_others() {
        let (_backend, sleepers, fired) = still(false);
        let woken = [false, true, false].map(|panics| Arc::new(Woken { panics, ..Woken::default() }));
        let now = Instant::now();
        let asleep = woken.each_ref().map(|woken| lie_down(&sleepers, now, &Waker::from(woken.clone())));
        fire(&sleepers, &fired);
        assert_eq!(woken.map(|woken| woken.count.load(Ordering::SeqCst)), [1; 3]);
        drop(asleep);
    }

    /// What is kept for sleepers is bounded by how many there are, and given back when there are none.
    #[test]
    fn those_who_have_gone_take_no_room() {
        let (_backend, sleepers, _) = still(false);
        let soon = Instant::now() + Duration::from_secs(3600);
        let first = lie_down(&sleepers, soon, Waker::noop());
        for n in 0..100_000 {
            drop(lie_down(&sleepers, soon + Duration::from_secs(n), Waker::noop()));
        }
        assert!(sleepers.book.lock().queue.capacity() < 10);
        let crowd: Vec<_> = (0..10_000).map(|_| lie_down(&sleepers, soon, Waker::noop())).collect();
        drop((first, crowd));
        let book = sleepers.book.lock();
        assert_eq!((book.queue.capacity(), book.slots.capacity()), (0, 0));
    }
}
