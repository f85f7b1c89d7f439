//! Keeping panics that are caught and tried again from being printed a thousand times.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// No panic of this thread is printed while this lives.
pub(crate) struct Quiet {
    /// Whether it was so before.
    before: bool,
}

impl Quiet {
    pub(crate) fn new() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let hook = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !is_quiet() {
                    hook(info);
                }
            }));
        });
        Quiet { before: QUIET.replace(true) }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(self.before);
    }
}

pub(crate) fn is_quiet() -> bool {
    QUIET.try_with(Cell::get).unwrap_or_default()
}
