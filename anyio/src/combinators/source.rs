//! What `map_concurrent` and its kin take their items from: iterators and streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

/// Where items come from, one by one as they are wanted: whatever is an [`IntoIterator`], or a [`Stream`].
///
/// `M` says which of the two, and is found by the compiler. Nobody but this crate implements it.
pub trait Source<M>: sealed::Sealed<M> {
    /// What comes.
    type Item;
    #[doc(hidden)]
    type Stream: Stream<Item = Self::Item>;
    #[doc(hidden)]
    fn into_stream(self) -> Self::Stream;
}

/// Marks what is an iterator: see [`Source`].
#[derive(Debug)]
pub enum FromIterator {}

/// Marks what is a stream: see [`Source`].
#[derive(Debug)]
pub enum FromStream {}

impl<I: IntoIterator> Source<FromIterator> for I {
    type Item = I::Item;
    type Stream = Iter<I::IntoIter>;

    fn into_stream(self) -> Self::Stream {
        Iter(self.into_iter())
    }
}

impl<S: Stream> Source<FromStream> for S {
    type Item = S::Item;
    type Stream = S;

    fn into_stream(self) -> S {
        self
    }
}

/// An iterator as a stream.
#[derive(Debug)]
pub struct Iter<I>(I);

// The iterator is never pinned.
impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

mod sealed {
    pub trait Sealed<M> {}
    impl<I: IntoIterator> Sealed<super::FromIterator> for I {}
    impl<S: futures_core::Stream> Sealed<super::FromStream> for S {}
}
