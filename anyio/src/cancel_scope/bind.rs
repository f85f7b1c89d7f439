//! Binding a future to the place where it stands.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::context;
use crate::tree::Link;

pin_project! {
    /// The future returned by [`FutureExt::bind`](crate::FutureExt::bind).
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Bind<F> {
        // Where the future was bound; `None`: in no scope.
        place: Option<Link>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Bind<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = context::enter(this.place);
            this.future.set(None);
        }
    }
}

impl<F> Bind<F> {
    pub(crate) fn new(future: F) -> Self {
        Bind { place: context::current(), future: Some(future) }
    }
}

impl<F: Future> Future for Bind<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = context::enter(this.place);
        this.future.as_pin_mut().expect("the future is there until the drop").poll(cx)
    }
}

impl<F> fmt::Debug for Bind<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bind").finish_non_exhaustive()
    }
}
