//! The timeouts around the code here that have no node.
//!
//! They stand in a list, outermost first; how many there are the [context](super) knows.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Instant;

use crate::tree::Link;

/// How many have a place that is always there.
const FIRST: usize = 32;

thread_local! {
    /// The deadlines of the timeouts that are being polled without a node, or had none when their poll began: the outermost
    /// ones. They need no destructor, which every look at them would have to ask for.
    static OUTER: [Cell<Option<Instant>>; FIRST] = const { [const { Cell::new(None) }; FIRST] };
    /// Those of the others. After them there is room that was needed before.
    static INNER: RefCell<Vec<Option<Instant>>> = const { RefCell::new(Vec::new()) };
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
#[inline]
pub(super) fn put(index: usize, deadline: Option<Instant>) -> bool {
    if index >= FIRST {
        return put_inner(index - FIRST, deadline);
    }
    OUTER.with(|outer| outer[index].set(deadline));
    true
}

#[inline(never)]
fn put_inner(index: usize, deadline: Option<Instant>) -> bool {
    let put = INNER.try_with(|inner| {
        let mut inner = inner.borrow_mut();
        match inner.get_mut(index) {
            Some(entry) => *entry = deadline,
            None => inner.push(deadline),
        }
    });
    put.is_ok()
}

pub(super) fn deadline(index: usize) -> Option<Instant> {
    match index.checked_sub(FIRST) {
        None => OUTER.with(|outer| outer[index].get()),
        Some(index) => INNER.with_borrow(|inner| inner[index]),
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
