//! What tasks wait for together: events, and tokens of a limiter.

mod event;
mod limiter;

pub use self::event::Event;
pub(crate) use self::limiter::Acquire;
pub use self::limiter::{
    AlreadyBorrowing, Borrower, CapacityLimiter, LimiterStatistics, LimiterToken, TryAcquireError,
};
