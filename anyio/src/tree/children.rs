//! The nodes directly below a node.

use std::mem::{self, ManuallyDrop};

use slab::Slab;

use super::Link;

/// Where a node is listed by its parent.
pub(super) type Key = u32;

/// Most nodes have nobody below them, or one; that takes no memory of its own.
///
/// Which one it is shows in the reference to the one.
pub(super) enum Children {
    /// Under the key 0.
    One(Link),
    /// `None`: nobody.
    Many(Option<Box<Many>>),
}

/// Nodes that are dropped with the list, and not by the slab: what needs no destructor is put into it without a detour
/// through memory.
pub(super) struct Many(Slab<ManuallyDrop<Link>>);

impl Children {
    pub(super) const NONE: Children = Children::Many(None);

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Children::One(_) => false,
            Children::Many(many) => many.as_ref().is_none_or(|many| many.0.is_empty()),
        }
    }

    /// Takes all of them.
    pub(super) fn take(&mut self) -> Self {
        mem::replace(self, Children::NONE)
    }

    /// Lists a node, which learns its key.
    #[inline]
    pub(super) fn insert(&mut self, node: Link) {
        if let Children::One(_) = self {
            self.make_room();
        }
        match self {
            Children::Many(Some(many)) => many.insert(node),
            _ => {
                node.place.set_key(0);
                *self = Children::One(node);
            }
        }
    }

    /// Lists the only node in such a way that others can be, too.
    fn make_room(&mut self) {
        if let Children::One(first) = self.take() {
            let mut nodes = Slab::with_capacity(4);
            nodes.insert(ManuallyDrop::new(first));
            *self = Children::Many(Some(Box::new(Many(nodes))));
        }
    }

    /// Takes out what was listed under the key, if nobody has taken all of them before.
    #[inline]
    pub(super) fn remove(&mut self, key: Key) -> Option<Link> {
        match self {
            Children::One(_) if key == 0 => match self.take() {
                Children::One(node) => Some(node),
                Children::Many(_) => unreachable!("looked at just now"),
            },
            Children::Many(Some(many)) => many.0.try_remove(key as usize).map(ManuallyDrop::into_inner),
            Children::One(_) | Children::Many(None) => None,
        }
    }

    /// Whether there is one node here, and has never been another beside it.
    #[inline]
    pub(super) fn is_one(&self) -> bool {
        matches!(self, Children::One(_))
    }

    /// Looks at all of them, the last one first.
    #[inline]
    pub(super) fn for_each_backwards(&self, mut look: impl FnMut(&Link)) {
        match self {
            Children::One(node) => look(node),
            Children::Many(many) => many.iter().flat_map(|many| many.0.iter().rev()).for_each(|(_, node)| look(node)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        let (one, many) = match self {
            Children::One(node) => (Some(node), None),
            Children::Many(many) => (None, many.as_ref()),
        };
        one.into_iter().chain(many.into_iter().flat_map(|many| many.0.iter().map(|(_, node)| &**node)))
    }
}

impl Many {
    #[inline]
    fn insert(&mut self, node: Link) {
        let nodes = &mut self.0;
        if nodes.len() == nodes.capacity() {
            // At first more than the doubling that is usual, since groups are filled in one go; less where it is a lot of memory.
            nodes.reserve_exact(if nodes.len() < 1024 { 3 * nodes.len() } else { nodes.len() / 2 });
        }
        let entry = nodes.vacant_entry();
        node.place.set_key(Key::try_from(entry.key()).expect("so many nodes fit in no memory"));
        entry.insert(ManuallyDrop::new(node));
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        self.0.drain().for_each(|node| drop(ManuallyDrop::into_inner(node)));
    }
}
