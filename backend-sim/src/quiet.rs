//! Keeping panics that are caught and tried again from being printed a thousand times.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// No panic of this thread is printed while this lives.
struct Quiet {
    /// Whether it was so before.
    before: bool,
}

impl Quiet {
    fn new() -> Self {
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

/// Runs `test`, and returns what its panic said, if it panics, in place of printing it.
///
/// # Errors
///
/// The text of the panic.
///
/// # Examples
///
/// ```
/// use anyio_backend_sim::attempt;
///
/// assert_eq!(attempt(|| 1), Ok(1));
/// assert_eq!(attempt(|| -> i32 { panic!("no") }), Err("no".to_owned()));
/// ```
pub fn attempt<T>(test: impl FnOnce() -> T) -> Result<T, String> {
    let _quiet = Quiet::new();
    catch_unwind(AssertUnwindSafe(test)).map_err(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "(a panic without a text)".to_owned())
}

pub(crate) fn is_quiet() -> bool {
    QUIET.try_with(Cell::get).unwrap_or_default()
}
