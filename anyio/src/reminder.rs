//! [`Reminder`]: wakes somebody at a deadline, and is kept for the next one.
//!
//! Most timeouts do not pass. To put each into the runtime's own store of timers and to take it out again costs more than
//! all the rest of a timeout, so a timer that was armed stays armed: whoever needs one next, in the same thread, takes it
//! over. It may then fire too early, and is armed anew; it is moved only for a deadline that is earlier.
//!
//! Where the clock is virtual nothing is kept, since a clock that jumps to the next timer would stop at it for nothing
//! (law D9).

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Instant;

use anyio_core::Backend;

use crate::context;
use crate::detect;
use crate::runtime::Runtime;
use crate::tree::{Alarm, AtomicBool, Mutex, Ordering, wake};

/// How many a thread keeps.
const KEPT: usize = 32;

thread_local! {
    /// Those that nobody needs at the moment, all of one backend.
    static IDLE: RefCell<Vec<Arc<Clockwork>>> = const { RefCell::new(Vec::new()) };
}

/// Wakes somebody at a deadline.
pub(crate) struct Reminder {
    /// Until it is dropped.
    clockwork: Option<Arc<Clockwork>>,
}

struct Clockwork {
    /// What is kept does not keep a runtime alive. Nor need it: a timer that is there can be set again without.
    backend: Weak<dyn Backend>,
    /// Whose memory is not used for another one as long as this is there.
    backend_id: BackendId,
    /// Whether its clock is never virtual.
    is_always_real: bool,
    alarm: Alarm,
    /// Whether the deadline of `set` has passed. Stored with Release under the lock.
    rung: AtomicBool,
    /// Whether others rely on what is set. Only who has the reminder looks at it.
    has_others: AtomicBool,
    set: Mutex<Set>,
}

#[derive(Default)]
struct Set {
    deadline: Option<Instant>,
    waker: Option<Waker>,
    /// For when the alarm is armed, unless it has fired since.
    armed: Option<Instant>,
}

/// Tells one backend from another as long as both exist.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BackendId(usize);

impl BackendId {
    pub(crate) const NONE: BackendId = BackendId(0);

    #[inline]
    pub(crate) fn of(backend: &Arc<dyn Backend>) -> Self {
        BackendId(Arc::as_ptr(backend).cast::<()>().addr())
    }
}

impl Reminder {
    /// One that this thread has kept, if there is one for this backend.
    #[inline]
    pub(crate) fn kept(backend: BackendId) -> Option<Self> {
        let last = IDLE.try_with(|idle| idle.borrow_mut().pop_if(|last| last.backend_id == backend));
        last.ok().flatten().map(|clockwork| Reminder { clockwork: Some(clockwork) })
    }

    pub(crate) fn new(backend: &Arc<dyn Backend>) -> Self {
        let (alarm, set) = (Alarm::new(), Mutex::new(Set::default()));
        let (rung, has_others) = (AtomicBool::new(false), AtomicBool::new(false));
        let backend_id = BackendId::of(backend);
        let (is_always_real, backend) = (backend.is_always_real(), Arc::downgrade(backend));
        let clockwork = Arc::new(Clockwork { backend, backend_id, is_always_real, alarm, rung, has_others, set });
        Reminder { clockwork: Some(clockwork) }
    }

    /// The time, as long as anybody has a handle to the backend.
    pub(crate) fn now(&self) -> Option<Instant> {
        self.clockwork().with_backend(|backend| backend.now())
    }

    #[inline]
    fn clockwork(&self) -> &Arc<Clockwork> {
        self.clockwork.as_ref().expect("it is there until the drop")
    }

    #[inline]
    pub(crate) fn backend(&self) -> BackendId {
        self.clockwork().backend_id
    }

    /// Whether the deadline has passed.
    #[inline]
    pub(crate) fn has_rung(&self) -> bool {
        self.clockwork().rung.load(Ordering::Acquire)
    }

    /// Others rely on what is set: when it is so no more, whoever was to be woken is.
    pub(crate) fn note_others(&self) {
        self.clockwork().has_others.store(true, Ordering::Relaxed);
    }

    /// Has `waker` woken at `deadline`, instead of what was asked for before.
    #[inline]
    pub(crate) fn set(&self, deadline: Instant, waker: &Waker) {
        let clockwork = self.clockwork();
        let mut set = clockwork.set.lock();
        let known = set.waker.as_ref().is_some_and(|known| known.will_wake(waker));
        if known && set.deadline == Some(deadline) {
            return;
        }
        set.deadline = Some(deadline);
        let old = if known { None } else { set.waker.replace(waker.clone()) };
        let is_late = set.armed.is_none_or(|armed| armed > deadline);
        let due = is_late && clockwork.arm(&mut set, deadline);
        drop(set);
        clockwork.release(old);
        if due {
            clockwork.ring(deadline);
        }
    }
}

impl Drop for Reminder {
    // Where it is hot it was given back before.
    #[inline]
    fn drop(&mut self) {
        if self.clockwork.is_some() {
            self.drop_late();
        }
    }
}

impl Reminder {
    #[inline(never)]
    fn drop_late(&mut self) {
        self.give_back();
    }

    /// Wakes nobody any more, if nobody else relies on that, and is kept for the next one.
    #[inline]
    pub(crate) fn give_back(&mut self) {
        let Some(clockwork) = self.clockwork.take() else { return };
        let mut set = clockwork.set.lock();
        set.deadline = None;
        let waker = set.waker.take();
        let is_armed = set.armed.is_some();
        clockwork.rung.store(false, Ordering::Release);
        drop(set);
        clockwork.release(waker);
        clockwork.has_others.store(false, Ordering::Relaxed);
        if !is_armed {
            return;
        }
        if clockwork.is_always_real || clockwork.with_backend(|backend| backend.is_virtual()) == Some(false) {
            clockwork.keep();
        } else {
            clockwork.alarm.disarm();
        }
    }
}

impl Clockwork {
    /// Arms the alarm; says whether it was due already.
    fn arm(self: &Arc<Self>, set: &mut Set, at: Instant) -> bool {
        set.armed = Some(at);
        let backend = || self.backend.upgrade().expect("whoever sets it first has a handle to its runtime");
        let rope = || Waker::from(Arc::new(Rope(Arc::downgrade(self))));
        self.alarm.arm(at, || backend().timer(at), rope).is_some()
    }

    /// Nobody is to wake this one at the deadline any more: it is woken at once if others rely on it.
    #[inline]
    fn release(&self, waker: Option<Waker>) {
        if self.has_others.load(Ordering::Relaxed) { wake(waker) } else { drop(waker) }
    }

    /// The alarm, which was armed for `at`, has fired: wakes whoever asked for it, or is armed anew if it was for somebody
    /// before.
    fn ring(self: &Arc<Self>, at: Instant) {
        let mut set = self.set.lock();
        set.armed = None;
        let Some(deadline) = set.deadline else { return };
        if deadline > at {
            if !self.arm(&mut set, deadline) {
                return;
            }
            set.armed = None;
        }
        self.rung.store(true, Ordering::Release);
        let waker = set.waker.take();
        drop(set);
        wake(waker);
    }

    /// Looks at the backend, if it exists still. To find it in use here costs less than to see that it exists.
    #[inline]
    fn with_backend<R>(&self, look: impl FnOnce(&dyn Backend) -> R) -> Option<R> {
        let mut look = Some(look);
        let mut look = |backend: &dyn Backend| look.take().expect("called once")(backend);
        let is_it = |runtime: &&Runtime| runtime.backend_id() == self.backend_id;
        let around = context::peek(|link| {
            let runtime = link.and_then(|link| link.try_runtime());
            runtime.filter(is_it).map(|runtime| look(&**runtime.backend()))
        });
        around
            .or_else(|| {
                detect::with_last(|runtime| Some(runtime).filter(is_it).map(|runtime| look(&**runtime.backend())))
            })
            .or_else(|| self.backend.upgrade().map(|backend| look(&*backend)))
    }

    /// Keeps the timer for the next who needs one.
    #[inline]
    fn keep(self: Arc<Self>) {
        let mut kept = Some(self);
        let _ = IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            let fits = idle.len() < KEPT;
            if let Some(clockwork) = kept.take_if(|kept| fits && idle.first().is_none_or(|first| first.goes_with(kept)))
            {
                idle.push(clockwork);
            }
        });
        if let Some(clockwork) = kept {
            clockwork.keep_alone();
        }
    }

    /// Keeps the timer if those that are kept are of another backend, and none of those.
    #[cold]
    fn keep_alone(self: Arc<Self>) {
        let left = IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            let others = idle.first().is_some_and(|first| !first.goes_with(&self));
            if others { std::mem::replace(&mut *idle, vec![self]) } else { vec![self] }
        });
        // Not while they are borrowed: a timer may do anything as it is dropped.
        drop(left);
    }

    fn goes_with(&self, other: &Clockwork) -> bool {
        self.backend_id == other.backend_id
    }
}

/// What the backend's timer pulls.
struct Rope(Weak<Clockwork>);

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(clockwork) = self.0.upgrade() else { return };
        // Nobody needs it: not even the timer is looked at, which the runtime may fire because it shuts down.
        if let Some(mut set) = clockwork.set.try_lock()
            && set.deadline.is_none()
        {
            set.armed = None;
            return;
        }
        if let Some(at) = clockwork.alarm.answer() {
            clockwork.ring(at);
        }
    }
}

#[cfg(all(test, anyio_loom))]
impl Reminder {
    /// What the backend's timer does when it fires.
    pub(crate) fn rope_for_test(&self) -> Waker {
        Waker::from(Arc::new(Rope(Arc::downgrade(self.clockwork()))))
    }

    /// Gives it up, and takes it over at once, as if it had been kept in between.
    pub(crate) fn taken_over_for_test(self) -> Self {
        let clockwork = self.clockwork().clone();
        drop(self);
        Reminder { clockwork: Some(clockwork) }
    }
}
