//! [`Operation`]: what makes a future of any origin an operation of anyio.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::unit::{Entry, noted};

pin_project! {
    /// A future that acts only after it has offered itself to a cancelled scope around it (law C6) and has spent a part
    /// of the budget (law X5). What it comes to is made into the operation's output on the spot.
    #[must_use = "futures do nothing unless polled"]
    pub(crate) struct Operation<F, M> {
        entry: Entry,
        #[pin]
        future: F,
        // Taken when the future is ready.
        finish: Option<M>,
    }
}

impl<F: Future, M, O> Operation<F, M>
where
    M: FnOnce(F::Output) -> O,
{
    #[track_caller]
    pub(crate) fn new(future: F, finish: M) -> Self {
        Operation { entry: Entry::new(), future, finish: Some(finish) }
    }
}

impl<F: Future, M, O> Future for Operation<F, M>
where
    M: FnOnce(F::Output) -> O,
{
    type Output = O;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let this = self.project();
        let output = ready!(noted(|| {
            ready!(this.entry.poll(cx));
            this.future.poll(cx)
        }));
        let finish = this.finish.take().expect("not polled after it was ready");
        Poll::Ready(finish(output))
    }
}

/// The beginning of an operation that is an `async` block: ready when it may act.
///
/// To be made where the operation is called, which reports tell, and awaited inside.
#[track_caller]
pub(crate) fn begin() -> impl Future<Output = ()> + Send + Sync {
    let mut entry = Entry::new();
    poll_fn(move |cx| entry.poll(cx))
}
