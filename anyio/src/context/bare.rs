//! The timeouts around the code here that have no node.
//!
//! They stand in a list, outermost first; how many there are the [context](super) knows.

use std::cell::RefCell;
use std::ops::Range;
use std::thread::AccessError;
use std::time::Instant;

use crate::tree::Link;

thread_local! {
    /// The timeouts that are being polled without a node, or had none when their poll began. After those there is room that
    /// was needed before.
    static ENTRIES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    /// The nodes that some of them have got meanwhile.
    static GIVEN: RefCell<Vec<Given>> = const { RefCell::new(Vec::new()) };
}

struct Entry {
    deadline: Option<Instant>,
}

/// The node that a timeout has got while it was polled.
struct Given {
    /// Which timeout it is.
    index: usize,
    link: Link,
    /// What was current outside of it.
    outer: Option<Link>,
}

/// Puts a timeout at a place, which is the first that is free.
///
/// It is written field by field, and not taken out again as a whole: the processor would wait for what it has just written.
#[inline]
pub(super) fn put(index: usize, deadline: Option<Instant>) -> Result<(), AccessError> {
    ENTRIES.try_with(|entries| {
        let mut entries = entries.borrow_mut();
        match entries.get_mut(index) {
            Some(entry) => entry.deadline = deadline,
            None => entries.push(Entry { deadline }),
        }
    })
}

pub(super) fn deadline(index: usize) -> Option<Instant> {
    ENTRIES.with_borrow(|entries| entries[index].deadline)
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
