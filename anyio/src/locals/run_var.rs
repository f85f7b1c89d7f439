//! [`RunVar`]: a value for a whole run.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Key;
use crate::runtime::{NoBackend, Runtime};

/// A variable with one value in each run, such as a cache or a client that all tasks of a runtime share.
///
/// It is AnyIO's `RunVar`. The values of a [`run`](crate::run) are dropped at its end, when its last task is gone; those
/// of a runtime that anyio has found go with the last handle to it. For a value that differs from task to task see
/// [`ContextVar`](crate::ContextVar).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")] {
/// use std::sync::Arc;
/// use anyio::{RunVar, Smol};
///
/// static CACHE: RunVar<String> = RunVar::new();
///
/// anyio::run(Smol::current_thread(), async {
///     let cache = CACHE.get_or_init(|| "warm".to_owned()).unwrap();
///     assert!(Arc::ptr_eq(&cache, &CACHE.get().unwrap()));
/// });
/// anyio::run(Smol::current_thread(), async {
///     assert!(CACHE.get().is_none());
/// });
/// # }
/// ```
pub struct RunVar<T: 'static> {
    key: Key,
    value: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> RunVar<T> {
    /// A variable without a value, for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        RunVar { key: Key::new(), value: PhantomData }
    }

    /// The value in this run; `None` if it was not set, and where there is no runtime.
    #[must_use]
    pub fn get(&'static self) -> Option<Arc<T>> {
        self.look()
    }

    fn look(&self) -> Option<Arc<T>> {
        let runtime = Runtime::current().ok()?;
        runtime.values().0.lock().get(&self.key.get()).map(typed)
    }

    /// Sets the value in this run; gives the one that it replaces.
    ///
    /// # Errors
    ///
    /// [`NoBackend`], where there is no runtime.
    pub fn set(&'static self, value: T) -> Result<Option<Arc<T>>, NoBackend> {
        let runtime = Runtime::current()?;
        let old = runtime.values().0.lock().insert(self.key.get(), Arc::new(value));
        Ok(old.as_ref().map(typed))
    }

    /// The value in this run, which is made by `init` if there is none. If several threads do so at once, the first to
    /// finish wins, and all get its value.
    ///
    /// # Errors
    ///
    /// [`NoBackend`], where there is no runtime.
    pub fn get_or_init(&'static self, init: impl FnOnce() -> T) -> Result<Arc<T>, NoBackend> {
        let runtime = Runtime::current()?;
        if let Some(value) = runtime.values().0.lock().get(&self.key.get()) {
            return Ok(typed(value));
        }
        // Not under the lock: it is the caller's.
        let made: Arc<dyn Any + Send + Sync> = Arc::new(init());
        let value = runtime.values().0.lock().entry(self.key.get()).or_insert_with(|| made.clone()).clone();
        Ok(typed(&value))
    }
}

fn typed<T: Send + Sync + 'static>(value: &Arc<dyn Any + Send + Sync>) -> Arc<T> {
    value.clone().downcast().expect("a variable has one type")
}

impl<T: Send + Sync + 'static> Default for RunVar<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + Sync + fmt::Debug + 'static> fmt::Debug for RunVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunVar").field(&self.look()).finish()
    }
}

/// The values of one run, by the keys of their variables.
#[derive(Default)]
pub(crate) struct RunValues(Mutex<BTreeMap<usize, Arc<dyn Any + Send + Sync>>>);

impl RunValues {
    /// Takes them out, to be dropped one by one without the lock; what a destructor sets goes as well.
    pub(crate) fn pop(&self) -> Option<impl Sized + use<>> {
        self.0.lock().pop_first().map(|(_, value)| value)
    }
}
