//! What is so of a node, or is not, as its lock guards.

use super::lock::Locked;

#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// Causes from above stop here.
    Shield = 1 << 0,
    /// The node of a unit was ever among the children.
    HasUnits = 1 << 1,
    /// This node is one of its parent's `holds`.
    Leaning = 1 << 2,
    /// It leans on its own account.
    Holding = 1 << 3,
    /// It leans while something is live below it.
    Waiting = 1 << 4,
    /// The body is done (for a task: there is nothing but the task's own count).
    Exiting = 1 << 5,
    /// Invariant 5.
    Closed = 1 << 6,
    /// Invariant 7.
    Gone = 1 << 7,
}

/// The marks that a node has, in a byte.
#[derive(Clone, Copy)]
pub(super) struct Marks(u8);

impl Marks {
    pub(super) const NONE: Marks = Marks(0);

    #[inline]
    pub(super) const fn with(self, mark: Mark, is_so: bool) -> Self {
        let others = self.0 & !(mark as u8);
        Marks(if is_so { others | mark as u8 } else { others })
    }
}

impl Locked<'_> {
    #[inline]
    pub(super) fn is(&self, mark: Mark) -> bool {
        self.marks().0 & mark as u8 != 0
    }

    #[inline]
    pub(super) fn mark(&mut self, mark: Mark, is_so: bool) {
        self.set_marks(self.marks().with(mark, is_so));
    }

    /// Whether no task is below, nor will be again.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.is(Mark::Closed) && self.live == 0
    }
}
