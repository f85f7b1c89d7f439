//! Channels: values that travel from task to task.
//!
//! # Which one?
//!
//! | for | use | asyncio | Trio | AnyIO | tokio |
//! |---|---|---|---|---|---|
//! | handing over, each waiting for the other | [`rendezvous`] | | `open_memory_channel(0)` | `create_memory_object_stream(0)` | |
//! | a queue that slows fast senders down | [`bounded`] | `Queue(n)` | `open_memory_channel(n)` | `create_memory_object_stream(n)` | `mpsc::channel` |
//! | a queue without a limit | [`unbounded`] | `Queue()` | `open_memory_channel(inf)` | `create_memory_object_stream(inf)` | `mpsc::unbounded_channel` |
//! | one answer to one question | [`oneshot`] | `Future` | | | `oneshot` |
//! | the latest value of something that changes | [`watch`] | | | | `watch` |
//! | every value to every receiver | [`broadcast`] | | | | `broadcast` |
//!
//! The first three give each item to one receiver, and both of their ends may be cloned.
//!
//! What [`sync`](crate::sync#what-they-have-in-common) says of its primitives holds here too: channels run anywhere, serve in
//! order, lose nothing when a wait is cancelled, and every wait is a checkpoint.

pub mod broadcast;
mod memory;
pub mod oneshot;
pub mod watch;

pub use self::memory::{
    Permit, Receiver, RecvError, SendError, Sender, Statistics, TryRecvError, TrySendError, bounded, rendezvous,
    unbounded,
};
