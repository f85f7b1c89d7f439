//! [`Spawner`]: a group of whatever kind.

use std::future::Future;
use std::time::Duration;

use super::{LocalScopedGroup, ScopedGroup};
use crate::cancel_scope::CancelHandle;
use crate::task_group::{Kind, Shape, TaskGroup, TaskHandle};

/// A group of whatever kind, for helpers that spawn into one and need not know which.
///
/// Tasks may borrow for `'env`, which is `'static` for a [`TaskGroup`]. Nobody but this crate implements it.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::{Plain, Spawner, TaskHandle, scoped_group, task_group};
///
/// fn measure<'env>(group: &impl Spawner<'env, Kind = Plain>, words: &'env [&str]) -> Vec<TaskHandle<usize>> {
///     words.iter().map(|word| group.spawn(async move { word.len() })).collect()
/// }
///
/// let borrowed = vec!["one", "three"];
/// scoped_group(async |s| assert_eq!(measure(&s, &borrowed).len(), 2)).await.unwrap();
/// task_group(async |tg| assert_eq!(measure(&tg, &["one", "three"]).len(), 2)).await.unwrap();
/// # });
/// ```
pub trait Spawner<'env>: Clone + sealed::Sealed {
    /// Whether its tasks may fail.
    type Kind: Kind;

    /// [`TaskGroup::spawn`].
    #[track_caller]
    fn spawn<T, F>(&self, future: F) -> TaskHandle<T>
    where
        F: Future<Output = <Self::Kind as Shape>::Output<T>> + Send + 'env,
        T: Send + 'env;

    /// [`TaskGroup::spawn_ok`].
    #[track_caller]
    fn spawn_ok<T, F>(&self, future: F) -> TaskHandle<T>
    where
        F: Future<Output = T> + Send + 'env,
        T: Send + 'env;

    /// A handle to the group's scope.
    fn scope(&self) -> CancelHandle;

    /// Whether the group has closed.
    fn is_closed(&self) -> bool;

    /// Cancels the group: its tasks and its body.
    #[track_caller]
    fn cancel(&self) {
        self.scope().cancel();
    }

    /// Asks the group to stop, and cancels it when `grace` is over: see [`CancelHandle::stop`].
    #[track_caller]
    fn stop(&self, grace: Duration) {
        self.scope().stop(grace);
    }
}

macro_rules! spawner {
    ($env:lifetime, $group:ty, [$($generics:tt)*]) => {
        impl<$($generics)* K: Kind> Spawner<$env> for $group {
            type Kind = K;

            fn spawn<T, F>(&self, future: F) -> TaskHandle<T>
            where
                F: Future<Output = K::Output<T>> + Send + $env,
                T: Send + $env,
            {
                Self::spawn(self, future)
            }

            fn spawn_ok<T, F>(&self, future: F) -> TaskHandle<T>
            where
                F: Future<Output = T> + Send + $env,
                T: Send + $env,
            {
                Self::spawn_ok(self, future)
            }

            fn scope(&self) -> CancelHandle {
                Self::scope(self)
            }

            fn is_closed(&self) -> bool {
                Self::is_closed(self)
            }
        }

        impl<$($generics)* K: Kind> sealed::Sealed for $group {}
    };
}

spawner!('static, TaskGroup<K>, []);
spawner!('env, ScopedGroup<'env, K>, ['env,]);
spawner!('env, LocalScopedGroup<'env, K>, ['env,]);

mod sealed {
    pub trait Sealed {}
}
