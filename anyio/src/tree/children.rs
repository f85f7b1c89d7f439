//! The nodes directly below a node.

use std::mem::{self, ManuallyDrop};

use slab::Slab;

use super::Link;

/// Where a node is listed by its parent.
pub(super) type Key = usize;

/// Most nodes have nobody below them, or one; that takes no memory of its own.
#[derive(Default)]
pub(super) enum Children {
    #[default]
    None,
    /// Under the key 0.
    One(Link),
    Many(Box<Many>),
}

/// Nodes that are dropped with the list, and not by the slab: what needs no destructor is put into it without a detour
/// through memory.
pub(super) struct Many(Slab<ManuallyDrop<Link>>);

impl Children {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Children::None => true,
            Children::One(_) => false,
            Children::Many(many) => many.0.is_empty(),
        }
    }

    /// Lists a node, which learns its key.
    #[inline]
    pub(super) fn insert(&mut self, node: Link) {
        if let Children::One(_) = self {
            self.make_room();
        }
        match self {
            Children::Many(many) => many.insert(node),
            _ => {
                node.set_key(0);
                *self = Children::One(node);
            }
        }
    }

    /// Lists the only node in such a way that others can be, too.
    fn make_room(&mut self) {
        if let Children::One(first) = mem::take(self) {
            let mut nodes = Slab::with_capacity(4);
            nodes.insert(ManuallyDrop::new(first));
            *self = Children::Many(Box::new(Many(nodes)));
        }
    }

    /// Takes out what was listed under the key, if nobody has taken all of them before.
    pub(super) fn remove(&mut self, key: Key) -> Option<Link> {
        match self {
            Children::One(_) if key == 0 => match mem::take(self) {
                Children::One(node) => Some(node),
                _ => unreachable!("looked at just now"),
            },
            Children::Many(many) => many.0.try_remove(key).map(ManuallyDrop::into_inner),
            Children::None | Children::One(_) => None,
        }
    }

    /// The node that is alone here, if it has never been otherwise.
    #[inline]
    pub(super) fn only(&self) -> Option<&Link> {
        if let Children::One(node) = self { Some(node) } else { None }
    }

    #[inline]
    pub(super) fn for_each(&self, mut look: impl FnMut(&Link)) {
        match self {
            Children::None => {}
            Children::One(node) => look(node),
            Children::Many(many) => many.0.iter().for_each(|(_, node)| look(node)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        let (one, many) = match self {
            Children::None => (None, None),
            Children::One(node) => (Some(node), None),
            Children::Many(many) => (None, Some(many.0.iter().map(|(_, node)| &**node))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

impl Many {
    #[inline]
    fn insert(&mut self, node: Link) {
        let nodes = &mut self.0;
        if nodes.len() == nodes.capacity() && nodes.len() < 1024 {
            // More than the doubling that is usual: groups are filled in one go.
            nodes.reserve(3 * nodes.len());
        }
        let entry = nodes.vacant_entry();
        node.set_key(entry.key());
        entry.insert(ManuallyDrop::new(node));
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        self.0.drain().for_each(|node| drop(ManuallyDrop::into_inner(node)));
    }
}
