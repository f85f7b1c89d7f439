//! Channels: values that travel from task to task.

mod memory;

pub use self::memory::{
    Permit, Receiver, RecvError, SendError, Sender, Statistics, TryRecvError, TrySendError, bounded, rendezvous,
    unbounded,
};
