//! [`OnceCell`]: a value that is made once, when it is needed first.

use std::convert::Infallible;
use std::fmt;
use std::sync::OnceLock;

use crate::lock::Mutex;

use super::event::Event;
use crate::line::{Left, Visitor, Wait, Waiters, Wakes, change};
use crate::operation::begin;

/// A value that is made once, asynchronously, when it is needed first.
///
/// One task makes it while the others wait. If that one fails, panics or is cancelled, the next in line has its turn.
///
/// Python's libraries have nothing of the kind; it is tokio's `OnceCell`, with a way to [`wait`](OnceCell::wait) for a value
/// that somebody else makes.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::sync::OnceCell;
///
/// static CONFIG: OnceCell<String> = OnceCell::new();
///
/// async fn config() -> &'static str {
///     CONFIG.get_or_init(async || {
///         anyio::checkpoint().await; // reads it from somewhere
///         String::from("verbose")
///     })
///     .await
/// }
/// assert_eq!(config().await, "verbose");
/// assert_eq!(config().await, "verbose");
/// # });
/// ```
pub struct OnceCell<T> {
    value: OnceLock<T>,
    turns: Mutex<Turns>,
    /// Set once the value is there.
    filled: Event,
}

/// There is a value already, or somebody is making one. Gives the value back.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError<T> {
    /// There is a value already.
    #[error("the cell has a value already")]
    AlreadySet(T),
    /// A task is making a value.
    #[error("the cell is being initialised")]
    Initialising(T),
}

impl<T> SetError<T> {
    /// The value that was not set.
    pub fn into_inner(self) -> T {
        match self {
            SetError::AlreadySet(value) | SetError::Initialising(value) => value,
        }
    }
}

impl<T> fmt::Debug for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetError::AlreadySet(_) => "AlreadySet(..)",
            SetError::Initialising(_) => "Initialising(..)",
        })
    }
}

struct Turns {
    stage: Stage,
    line: Waiters<(), Turn>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is no value, and nobody makes one.
    Empty,
    /// Somebody has the turn.
    Initialising,
    /// There is a value, for ever.
    Filled,
}

/// What one who waited finds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Initialise,
    Filled,
}

const FILLED: &str = "the cell has its value when it says so";

impl<T> OnceCell<T> {
    /// A cell without a value.
    #[must_use]
    pub const fn new() -> Self {
        let turns = Turns { stage: Stage::Empty, line: Waiters::new() };
        OnceCell { value: OnceLock::new(), turns: Mutex::new(turns), filled: Event::new() }
    }

    /// The value, if it is there.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if it is there; nobody else can be using it.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// The value, if it is there.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Sets the value, unless there is one or somebody is making one.
    ///
    /// # Errors
    ///
    /// [`SetError`], with the value.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let mut turns = self.turns.lock();
        match turns.stage {
            Stage::Filled => return Err(SetError::AlreadySet(value)),
            Stage::Initialising => return Err(SetError::Initialising(value)),
            Stage::Empty => turns.stage = Stage::Initialising,
        }
        drop(turns);
        Making(self).fill(value);
        Ok(())
    }

    /// The value; makes it if it is not there and nobody else makes it.
    ///
    /// # Cancel safety
    ///
    /// Whoever is cancelled while it makes the value leaves that to the next in line, with that one's `make`.
    ///
    /// A `make` that asks for the value of the same cell waits for itself, until it is cancelled.
    #[track_caller]
    pub fn get_or_init(&self, make: impl AsyncFnOnce() -> T) -> impl Future<Output = &T> {
        let begin = begin();
        async move {
            let made = self.fill(begin, async || Ok::<_, Infallible>(make().await));
            match made.await {
                Ok(value) => value,
            }
        }
    }

    /// The value; tries to make it if it is not there and nobody else makes it.
    ///
    /// # Errors
    ///
    /// Those of `make`. The next in line tries then.
    ///
    /// # Cancel safety
    ///
    /// That of [`get_or_init`](OnceCell::get_or_init).
    #[track_caller]
    pub fn get_or_try_init<E>(&self, make: impl AsyncFnOnce() -> Result<T, E>) -> impl Future<Output = Result<&T, E>> {
        self.fill(begin(), make)
    }

    async fn fill<E>(
        &self,
        begin: impl Future<Output = ()>,
        make: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        begin.await;
        if let Turn::Initialise = Wait::new(&self.turns, Take).await {
            let making = Making(self);
            making.fill(make().await?);
        }
        Ok(self.get().expect(FILLED))
    }

    /// Waits until there is a value, without making it.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = &T> {
        let filled = self.filled.wait();
        async move {
            filled.await;
            self.get().expect(FILLED)
        }
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        let cell = OnceCell::new();
        Making(&cell).fill(value);
        cell
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnceCell").field(&self.get()).finish()
    }
}

/// The turn to make the value; passed on when it is dropped.
struct Making<'a, T>(&'a OnceCell<T>);

impl<T> Making<'_, T> {
    fn fill(self, value: T) {
        let fresh = self.0.value.set(value).is_ok();
        debug_assert!(fresh, "one task at a time has the turn");
        change(&self.0.turns, |turns, wakes| {
            turns.stage = Stage::Filled;
            turns.line.serve_some(|()| true, |()| Turn::Filled, wakes);
        });
        self.0.filled.set();
    }
}

impl<T> Drop for Making<'_, T> {
    fn drop(&mut self) {
        change(&self.0.turns, Turns::pass_on);
    }
}

impl Turns {
    /// Whoever had the turn has given up, unless there is a value.
    fn pass_on(&mut self, wakes: &mut Wakes) {
        if self.stage == Stage::Initialising && self.line.serve(Turn::Initialise, wakes).is_none() {
            self.stage = Stage::Empty;
        }
    }
}

/// Wants the turn, or to hear that there is a value.
struct Take;

impl Visitor for Take {
    type State = Turns;
    type Want = ();
    type Grant = Turn;
    type Output = Turn;

    fn line(state: &mut Turns) -> &mut Waiters<(), Turn> {
        &mut state.line
    }

    fn try_now(&mut self, state: &mut Turns, _wakes: &mut Wakes) -> Option<Turn> {
        match state.stage {
            Stage::Filled => Some(Turn::Filled),
            Stage::Initialising => None,
            Stage::Empty => {
                state.stage = Stage::Initialising;
                Some(Turn::Initialise)
            }
        }
    }

    fn want(&mut self, _state: &mut Turns) {}

    fn collect(&mut self, _state: &mut Turns, turn: Turn, _wakes: &mut Wakes) -> Turn {
        turn
    }

    fn give_up(&mut self, state: &mut Turns, left: &Left<(), Turn>, wakes: &mut Wakes) {
        if let Left::Grant(Turn::Initialise) = left {
            state.pass_on(wakes);
        }
    }
}
