//! Counting futures that foreign code runs.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::cell::OfGroup;
use super::error::TaskError;
use super::info::TaskInfo;
use super::kind::{Kind, Shape};
use super::record::InNode;
use super::spawned::{Owner, Spawned};
use super::{Admitted, TaskGroup, TaskHandle};
use crate::tree::Tenure;

type Convert<K, F, T> = fn(<F as Future>::Output) -> Result<T, <K as Shape>::Error>;

impl<K: Kind> TaskGroup<K> {
    /// Makes `future` a task of the group that somebody else runs: a foreign `tokio::spawn`, a thread's `block_on`, a
    /// library that wants futures.
    ///
    /// What is spawned past the group escapes it, and nothing can prevent that. This does not escape: it counts as a
    /// task of the group from this call until it has ended or was dropped, it is cancelled with the group, and its
    /// failure is the group's; a [limit](crate::GroupBuilder::limit) does not count it. A future that is attached but neither run nor dropped keeps its group waiting for ever.
    ///
    /// If the group has closed, the future ends with [`TaskError::Closed`] at its first poll.
    ///
    /// To find calls that escape, list them in `clippy.toml`:
    ///
    /// ```toml
    /// disallowed-methods = [
    ///     { path = "tokio::spawn", reason = "escapes its task group: use tg.spawn, or tg.attach" },
    ///     { path = "smol::spawn", reason = "escapes its task group: use tg.spawn, or tg.attach" },
    /// ]
    /// ```
    ///
    /// # Errors
    ///
    /// The future's: [`TaskError`], when there is no value.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the task.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "smol")]
    /// # anyio::block_on(async {
    /// anyio::task_group(async |tg| {
    ///     smol::spawn(tg.attach(anyio::sleep_forever())).detach();
    ///     tg.cancel(); // reaches it
    /// })
    /// .await
    /// .unwrap();
    /// # });
    /// ```
    #[track_caller]
    pub fn attach<T, F>(&self, future: F) -> Attached<K, F, T>
    where
        F: Future<Output = K::Output<T>> + Send + 'static,
        T: Send + 'static,
    {
        let info = TaskInfo::new(None, Location::caller());
        match self.admit(info, Tenure::Ordinary) {
            Ok(Admitted { node, link }) => Attached {
                task: Some(Spawned::new(link, InNode, future, K::into_result, OfGroup, Owner::Foreign)),
                handle: TaskHandle::new(node),
            },
            Err(info) => Attached { task: None, handle: self.refused(info) },
        }
    }
}

pin_project! {
    /// The future returned by [`TaskGroup::attach`].
    #[must_use = "an attached future keeps its group waiting until it is run or dropped"]
    pub struct Attached<K: Kind, F: Future, T>
    where
        T: Send,
        T: 'static,
    {
        #[pin]
        task: Option<Spawned<F, InNode, T, K::Error, OfGroup, Convert<K, F, T>>>,
        handle: TaskHandle<T>,
    }
}

impl<K: Kind, F: Future, T: Send + 'static> Future for Attached<K, F, T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(task) = this.task.as_mut().as_pin_mut() {
            std::task::ready!(task.poll(cx));
            this.task.set(None);
        }
        Pin::new(this.handle).poll(cx)
    }
}

impl<K: Kind, F: Future, T: Send + 'static> fmt::Debug for Attached<K, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").field("handle", &self.handle).finish_non_exhaustive()
    }
}
