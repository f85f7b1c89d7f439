//! [`ResourceGuard`]: something that one task at a time may use, and where a second one is a mistake.

use std::sync::atomic::{AtomicBool, Ordering};

/// Something that one task at a time may use, and where a second one is a mistake rather than a reason to wait.
///
/// It is AnyIO's `ResourceGuard`. Two tasks that read from one stream at the same time would each get half of a message;
/// the guard turns that into an error that says so.
///
/// # Examples
///
/// ```
/// use anyio::sync::ResourceGuard;
///
/// let guard = ResourceGuard::new("reading from");
/// let reading = guard.enter().unwrap();
/// let error = guard.enter().unwrap_err();
/// assert!(error.to_string().contains("already reading from"));
/// drop(reading);
/// assert!(guard.enter().is_ok());
/// ```
#[derive(Debug)]
pub struct ResourceGuard {
    action: &'static str,
    /// Taken with Acquire and given back with Release, so that each user sees what the one before did.
    busy: AtomicBool,
}

/// Another task is using it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another task is already {action} this resource: take turns, with a lock around it for example")]
#[non_exhaustive]
pub struct Busy {
    /// What the other task does.
    pub action: &'static str,
}

impl ResourceGuard {
    /// Guards something that tasks are doing this to: `"reading from"`, `"using"`.
    #[must_use]
    pub const fn new(action: &'static str) -> Self {
        ResourceGuard { action, busy: AtomicBool::new(false) }
    }

    /// Begins to use it, until what this returns is dropped.
    ///
    /// # Errors
    ///
    /// [`Busy`], while another is using it.
    pub fn enter(&self) -> Result<ResourceUse<'_>, Busy> {
        if self.busy.swap(true, Ordering::Acquire) {
            return Err(Busy { action: self.action });
        }
        Ok(ResourceUse { guard: self })
    }
}

/// The use of what a [`ResourceGuard`] guards, over when this is dropped.
#[derive(Debug)]
#[must_use = "a use that is not kept is over at once"]
pub struct ResourceUse<'a> {
    guard: &'a ResourceGuard,
}

impl Drop for ResourceUse<'_> {
    fn drop(&mut self) {
        self.guard.busy.store(false, Ordering::Release);
    }
}
