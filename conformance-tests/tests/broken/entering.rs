//! What can be wrong with entering a runtime, and with its end.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::task::Poll;

use anyio_core::BlockOn;

use super::Fault;

/// Returns from `block_on` when the future is pending.
pub(crate) struct ReturnsEarly;

impl Fault for ReturnsEarly {
    fn block_on(&self, good: &dyn BlockOn, mut future: Pin<&mut (dyn Future<Output = ()> + '_)>) {
        let once = poll_fn(|cx| {
            let _ = future.as_mut().poll(cx);
            Poll::Ready(())
        });
        good.block_on(pin!(once));
    }
}

/// Is never shut down, and keeps the tasks that are left for ever.
pub(crate) struct NeverShutsDown;

impl Fault for NeverShutsDown {
    fn shut_down(&self, good: Box<dyn BlockOn>) {
        mem::forget(good);
    }
}
