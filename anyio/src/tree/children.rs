//! The nodes directly below a node.

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
    Many(Box<Slab<Link>>),
}

impl Children {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Children::None => true,
            Children::One(_) => false,
            Children::Many(nodes) => nodes.is_empty(),
        }
    }

    /// Lists a node, which learns its key.
    pub(super) fn insert(&mut self, node: Link) {
        match self {
            Children::None => {
                node.set_key(0);
                *self = Children::One(node);
            }
            Children::One(_) => {
                let Children::One(first) = std::mem::take(self) else { unreachable!("looked at just now") };
                let mut nodes = Slab::with_capacity(4);
                nodes.insert(first);
                insert(&mut nodes, node);
                *self = Children::Many(Box::new(nodes));
            }
            Children::Many(nodes) => {
                if nodes.len() == nodes.capacity() && nodes.len() < 1024 {
                    // More than the doubling that is usual: groups are filled in one go.
                    nodes.reserve(3 * nodes.len());
                }
                insert(nodes, node);
            }
        }
    }

    /// Takes out what was listed under the key, if nobody has taken all of them before.
    pub(super) fn remove(&mut self, key: Key) -> Option<Link> {
        match self {
            Children::One(_) if key == 0 => match std::mem::take(self) {
                Children::One(node) => Some(node),
                _ => unreachable!("looked at just now"),
            },
            Children::Many(nodes) => nodes.try_remove(key),
            Children::None | Children::One(_) => None,
        }
    }

    #[inline]
    pub(super) fn for_each(&self, mut look: impl FnMut(&Link)) {
        match self {
            Children::None => {}
            Children::One(node) => look(node),
            Children::Many(nodes) => nodes.iter().for_each(|(_, node)| look(node)),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        let (one, many) = match self {
            Children::None => (None, None),
            Children::One(node) => (Some(node), None),
            Children::Many(nodes) => (None, Some(nodes.iter().map(|(_, node)| node))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

fn insert(nodes: &mut Slab<Link>, node: Link) {
    let entry = nodes.vacant_entry();
    node.set_key(entry.key());
    entry.insert(node);
}
