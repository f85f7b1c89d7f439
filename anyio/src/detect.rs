//! Which runtime is the current thread inside? The only file that names runtimes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use parking_lot::Mutex;

use crate::from_thread::host;
use crate::runtime::{self, NoBackend, Runtime, WeakRuntime};

/// Tells runtimes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Id),
    #[cfg(feature = "async-std")]
    AsyncStd,
    #[cfg(feature = "smol")]
    Smol,
    #[cfg(feature = "sim")]
    Sim(u64),
}

/// One root per runtime: the handles in use, found again by every thread of the runtime.
static KNOWN: LazyLock<Mutex<HashMap<Key, WeakRuntime>>> = LazyLock::new(Mutex::default);

thread_local! {
    /// The handle that this thread found last, which also keeps it from being built and probed again and again.
    static LAST: RefCell<Option<Found>> = const { RefCell::new(None) };
}

/// What a thread has found.
struct Found {
    key: Key,
    runtime: Runtime,
    /// Whether its clock can be read from everywhere, at no other price than that.
    is_always_real: bool,
}

/// Looks at the runtime around, if this thread found it last and its clock is always real. `look` may be called in vain,
/// must not call into anyio, and have no effect but to read the clock.
///
/// That is done before it is known whether it is the runtime around: to ask for that writes to memory that all threads share,
/// and the processor reads a clock only when all that came before is done.
#[inline]
pub(crate) fn with_last_ambient<R>(look: impl FnOnce(&Runtime) -> R) -> Option<R> {
    let seen = |last: &RefCell<Option<Found>>| {
        let last = last.borrow();
        let found = last.as_ref().filter(|found| found.is_always_real)?;
        Some((found.key, look(&found.runtime)))
    };
    let (key, seen) = LAST.try_with(seen).ok().flatten()?;
    (inside()? == key).then_some(seen)
}

/// Looks at the runtime around, the nominated default, or smol. `look` must not call into anyio.
pub(crate) fn with_ambient<R>(look: impl FnOnce(&Runtime) -> R) -> Result<R, NoBackend> {
    if let Some(key) = inside() {
        return with_known(key, look);
    }
    if let Some(runtime) = host::runtime() {
        return Ok(look(&runtime));
    }
    if let Some(runtime) = runtime::default() {
        return Ok(look(&runtime));
    }
    with_known(fallback().ok_or(NoBackend::NotFound)?, look)
}

/// The runtime that polls the current thread's task.
#[inline]
fn inside() -> Option<Key> {
    // A simulation first: it may be run inside another runtime, and none runs inside it.
    #[cfg(feature = "sim")]
    if let Some(id) = anyio_backend_sim::SimHandle::current_id() {
        return Some(Key::Sim(id));
    }
    #[cfg(feature = "tokio")]
    if let Ok(handle) = tokio::runtime::Handle::try_current() {
        return Some(Key::Tokio(handle.id()));
    }
    #[cfg(feature = "async-std")]
    if anyio_backend_async_std::AsyncStdHandle::current().is_some() {
        return Some(Key::AsyncStd);
    }
    None
}

fn fallback() -> Option<Key> {
    #[cfg(feature = "smol")]
    return Some(Key::Smol);
    #[cfg(not(feature = "smol"))]
    None
}

/// Looks at the handle for `key`, which this thread or another may have made before.
#[inline]
fn with_known<R>(key: Key, look: impl FnOnce(&Runtime) -> R) -> Result<R, NoBackend> {
    let mut look = Some(look);
    let mut look = |runtime: &Runtime| look.take().expect("called once")(runtime);
    let last = LAST.try_with(|last| match &*last.borrow() {
        Some(found) if found.key == key => Some(look(&found.runtime)),
        _ => None,
    });
    match last {
        Ok(Some(result)) => Ok(result),
        _ => remembered(key).map(|runtime| look(&runtime)),
    }
}

/// Looks at the handle that this thread has found last. `look` must not call into anyio.
pub(crate) fn with_last<R>(look: impl FnOnce(&Runtime) -> Option<R>) -> Option<R> {
    LAST.try_with(|last| last.borrow().as_ref().and_then(|found| look(&found.runtime))).ok().flatten()
}

/// The handle for `key`, which this thread remembers from now on.
#[cold]
fn remembered(key: Key) -> Result<Runtime, NoBackend> {
    let runtime = found_or_made(key)?;
    let is_always_real = runtime.backend().is_always_real();
    let found = Found { key, runtime: runtime.clone(), is_always_real };
    let old = LAST.try_with(|last| last.replace(Some(found)));
    drop(old);
    Ok(runtime)
}

fn found_or_made(key: Key) -> Result<Runtime, NoBackend> {
    if let Some(runtime) = KNOWN.lock().get(&key).and_then(WeakRuntime::upgrade) {
        return Ok(runtime);
    }
    let made = make(key)?;
    let mut known = KNOWN.lock();
    if let Some(runtime) = known.get(&key).and_then(WeakRuntime::upgrade) {
        return Ok(runtime);
    }
    known.retain(|_, runtime| !runtime.is_gone());
    known.insert(key, made.downgrade());
    Ok(made)
}

fn make(key: Key) -> Result<Runtime, NoBackend> {
    match key {
        #[cfg(feature = "tokio")]
        Key::Tokio(_) => anyio_backend_tokio::TokioHandle::current()
            .map(Runtime::new)
            .map_err(|error| NoBackend::Unusable(error.to_string())),
        #[cfg(feature = "async-std")]
        Key::AsyncStd => Ok(Runtime::new(anyio_backend_async_std::AsyncStdHandle::global())),
        #[cfg(feature = "sim")]
        Key::Sim(_) => anyio_backend_sim::SimHandle::current().map(Runtime::new).ok_or(NoBackend::NotFound),
        #[cfg(feature = "smol")]
        Key::Smol => Ok(Runtime::new(anyio_backend_smol::SmolHandle::global())),
    }
}

/// Makes `runtime`, whose main future is being polled right now, the one that is found inside it: groups opened in
/// tasks spawned with the runtime's own functions are counted in the run as well.
///
/// Only for runtimes that belong to one run alone.
pub(crate) fn adopt(runtime: &Runtime) {
    #[cfg(feature = "tokio")]
    if let Some(key @ Key::Tokio(_)) = inside() {
        know(key, runtime);
    }
    #[cfg(feature = "sim")]
    if let Some(key @ Key::Sim(_)) = inside() {
        know(key, runtime);
    }
    #[cfg(not(any(feature = "sim", feature = "tokio")))]
    let _ = runtime;
}

#[cfg(any(feature = "sim", feature = "tokio"))]
fn know(key: Key, runtime: &Runtime) {
    let mut known = KNOWN.lock();
    known.retain(|_, runtime| !runtime.is_gone());
    known.insert(key, runtime.downgrade());
}

/// Whether the current thread polls a task of a runtime that can tell. (tokio tells by what [`may_block`] asks.)
pub(crate) fn in_task() -> bool {
    #[cfg(feature = "sim")]
    if anyio_backend_sim::SimHandle::current_id().is_some() {
        return true;
    }
    // smol cannot tell; the threads of its global executor are known by their names.
    #[cfg(feature = "smol")]
    if std::thread::current().name().is_some_and(|name| name.starts_with("smol-")) {
        return true;
    }
    #[cfg(feature = "async-std")]
    if anyio_backend_async_std::AsyncStdHandle::current().is_some() {
        return true;
    }
    false
}

/// Whether the current thread may be blocked, as far as the runtime around it is concerned.
pub(crate) fn may_block() -> bool {
    #[cfg(feature = "tokio")]
    if let Ok(handle) = tokio::runtime::Handle::try_current() {
        // tokio has no question for this; it refuses by a panic.
        return std::panic::catch_unwind(|| handle.block_on(async {})).is_ok();
    }
    true
}
