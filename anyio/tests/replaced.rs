//! What is replaced for the whole process, and runs code as it is dropped.

#![cfg(feature = "smol")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyio::{Runtime, SmolHandle, set_default, set_unhandled_hook};

/// Does something when it is dropped.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Fails, rather than hang, when `act` does not return.
fn ends(act: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        act();
        let _ = done.send(());
    });
    is_done.recv_timeout(Duration::from_secs(10)).expect("it returns");
}

#[test]
fn a_hook_that_is_replaced_may_set_another() {
    ends(|| {
        let sets = OnDrop(|| set_unhandled_hook(|_| {}));
        set_unhandled_hook(move |_| _ = &sets);
        set_unhandled_hook(|_| {});
    });
}

#[test]
fn a_default_that_is_replaced_may_set_another() {
    ends(|| {
        let runtime = || Runtime::new(SmolHandle::global());
        let sets = OnDrop(move || set_default(runtime()));
        set_default(runtime().with_hook(move |_| _ = &sets));
        set_default(runtime());
    });
}
