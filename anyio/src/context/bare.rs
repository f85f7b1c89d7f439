//! The timeouts around the code here that have no node.
//!
//! They stand in a list, outermost first; how many there are the [context](super) knows.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Instant;

use std::task::Waker;

use crate::reminder::BackendId;
use crate::tree::Link;

/// A timeout without a node, while it is being polled.
#[derive(Clone, Copy)]
pub(crate) struct Bare {
    /// None, if it cannot be reached.
    deadline: Option<Instant>,
    /// Where the waker is that it is polled with: nobody moves it before the end of the poll.
    waker: usize,
    backend: BackendId,
}

impl Bare {
    const NONE: Bare = Bare { deadline: None, waker: 0, backend: BackendId::NONE };

    #[inline(always)]
    pub(crate) fn new(deadline: Option<Instant>, waker: &Waker, backend: BackendId) -> Self {
        Bare { deadline, waker: std::ptr::from_ref(waker).addr(), backend }
    }

    /// Whether it wakes the same at the `deadline` of one inside, or before.
    #[inline]
    pub(super) fn wakes(&self, deadline: Instant, waker: &Waker, backend: BackendId) -> bool {
        let is_same = self.waker == std::ptr::from_ref(waker).addr() && self.backend == backend;
        is_same && self.deadline.is_some_and(|earlier| earlier <= deadline)
    }

    #[inline]
    pub(super) fn backend(&self) -> BackendId {
        self.backend
    }
}

/// How many have a place that is always there.
const FIRST: usize = 32;

thread_local! {
    /// The timeouts that are being polled without a node, or had none when their poll began: the outermost ones. They need no
    /// destructor, which every look at them would have to ask for.
    static OUTER: [Cell<Bare>; FIRST] = const { [const { Cell::new(Bare::NONE) }; FIRST] };
    /// The others. After them there is room that was needed before.
    static INNER: RefCell<Vec<Bare>> = const { RefCell::new(Vec::new()) };
    /// The nodes that some of them have got meanwhile.
    static GIVEN: RefCell<Vec<Given>> = const { RefCell::new(Vec::new()) };
}

/// The node that a timeout has got while it was polled.
struct Given {
    /// Which timeout it is.
    index: usize,
    link: Link,
    /// What was current outside of it.
    outer: Option<Link>,
}

/// Puts a timeout at a place, which is the first that is free; `false`: the thread ends, and there is no room.
#[inline(always)]
pub(super) fn put(index: usize, bare: Bare) -> bool {
    if index >= FIRST {
        return put_inner(index - FIRST, bare);
    }
    OUTER.with(|outer| outer[index].set(bare));
    true
}

#[inline(never)]
fn put_inner(index: usize, bare: Bare) -> bool {
    let put = INNER.try_with(|inner| {
        let mut inner = inner.borrow_mut();
        match inner.get_mut(index) {
            Some(entry) => *entry = bare,
            None => inner.push(bare),
        }
    });
    put.is_ok()
}

pub(super) fn deadline(index: usize) -> Option<Instant> {
    look(index, |bare| bare.deadline)
}

/// Looks at the timeout at this place.
#[inline]
pub(super) fn look<R>(index: usize, look: impl FnOnce(&Bare) -> R) -> R {
    match index.checked_sub(FIRST) {
        None => OUTER.with(|outer| look(&outer[index].get())),
        Some(index) => INNER.with_borrow(|inner| look(&inner[index])),
    }
}

/// Those at these places, the innermost ones, that have no node.
pub(super) fn without_node(indexes: Range<usize>) -> Range<usize> {
    // Whoever has a node is outside of all who have none.
    let first = GIVEN.with_borrow(|given| given.last().map_or(0, |last| last.index + 1));
    first.max(indexes.start)..indexes.end
}

/// The timeout at this place, which is the outermost without a node, has got one, inside `outer`.
pub(super) fn give(index: usize, link: Link, outer: Option<Link>) {
    GIVEN.with_borrow_mut(|given| given.push(Given { index, link, outer }));
}

/// The node of the timeout at this place, and what was current outside of it, if it has got one.
pub(super) fn take_given(index: usize) -> Option<(Link, Option<Link>)> {
    let given = GIVEN.with_borrow_mut(|given| given.pop_if(|last| last.index == index))?;
    Some((given.link, given.outer))
}
