//! Futures that are polled in the task of whoever owns them, each a unit of its own: the children of scoped groups, and
//! the branches of combinators.
//!
//! # Invariants
//!
//! 1. **Awake.** An index stands in the list of a [`Ready`] once at most, and from its wake until the owner takes it. Only
//!    what stands there is polled: ten thousand branches of which one was woken cost one poll.
//! 2. **Told.** While something stands in the list that came there after the owner's last poll had begun, the owner has
//!    been woken for it.
//! 3. **Not counted.** A branch is not `live`: it cannot run by itself, so that nobody could wait for one that was
//!    forgotten together with its owner. What holds inside it leans on the owner, and on the units around, as anything
//!    does that is polled in the same task; tasks spawned inside it are counted above.
//! 4. **Drained.** In the poll in which its owner is cancelled, each branch that nothing holds is dropped; so there is no
//!    moment at which the owner waits for nothing but its own next poll.

mod branch;
mod ready;
mod set;

pub(crate) use self::branch::{Below, Branch, Ended, Lane};
pub(crate) use self::ready::{Ready, Wakeup};
pub(crate) use self::set::{End, Lanes, Set};
