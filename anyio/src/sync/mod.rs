//! What tasks wait for together: events.

mod event;

pub use self::event::Event;
