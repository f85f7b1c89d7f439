//! Values that belong to what is going on, rather than to a thread: [`ContextVar`] and [`RunVar`].

mod context_var;
mod run_var;
mod values;

use std::sync::atomic::{AtomicUsize, Ordering};

pub use self::context_var::{ContextVar, WithValue};
pub(crate) use self::run_var::RunValues;
pub use self::run_var::RunVar;
pub(crate) use self::values::Values;

/// Tells variables apart; it is given out at the first use, since statics are made by constant expressions.
struct Key(AtomicUsize);

impl Key {
    const fn new() -> Self {
        Key(AtomicUsize::new(0))
    }

    /// Only uniqueness matters, so no order with anything else is needed.
    fn get(&self) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        match self.0.load(Ordering::Relaxed) {
            0 => {
                let new = NEXT.fetch_add(1, Ordering::Relaxed);
                let known = self.0.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed);
                known.err().unwrap_or(new)
            }
            known => known,
        }
    }
}
