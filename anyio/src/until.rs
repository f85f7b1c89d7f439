//! [`Until`]: waiting for what all who wait are told of.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use event_listener::{Event, EventListener};

/// Looks again whenever the event is notified, until there is something to be seen. For events that notify all: nobody
/// takes a notification from anybody, so a wait may be dropped at any time.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Until<'a, L> {
    event: &'a Event,
    look: L,
    /// There while it waits.
    listener: Option<EventListener>,
}

impl<'a, L> Until<'a, L> {
    pub(crate) fn new(event: &'a Event, look: L) -> Self {
        Until { event, look, listener: None }
    }
}

impl<L: FnMut() -> Option<T> + Unpin, T> Future for Until<'_, L> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        loop {
            if let Some(seen) = (self.look)() {
                self.listener = None;
                return Poll::Ready(seen);
            }
            match &mut self.listener {
                // Look once more after enlisting: it may have happened in between.
                None => self.listener = Some(self.event.listen()),
                Some(listener) => {
                    ready!(Pin::new(listener).poll(cx));
                    self.listener = None;
                }
            }
        }
    }
}
