//! The cases, a module for each family of laws. Each is a plain async function that panics if its law does not hold.

pub mod cancel;
pub mod carried;
pub mod channels;
pub mod channels_shared;
pub mod clean_up;
pub mod combinators;
pub mod concurrency;
pub mod context;
pub mod deadlines;
pub mod foreign_drop;
pub mod going_down;
pub mod groups;
pub mod handles;
pub mod limiter;
pub mod locals;
pub mod policies;
pub mod regressions;
pub mod scoped;
pub mod scoped_failures;
pub mod shields;
pub mod start;
pub mod stopping;
pub mod sync_locks;
pub mod sync_meetings;
pub mod testing_kit;
pub mod threads;
