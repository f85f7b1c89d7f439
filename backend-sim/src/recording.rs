//! Recordings: what happened in a simulation, step by step.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyio_core::{Label, Waiting};
use parking_lot::Mutex;

/// A recording of what happens in a simulation that was told to [`record`](crate::Sim::record) it.
///
/// Its [`Display`](fmt::Display) is the transcript, a line for each step. The same program under the same schedule gives
/// the same transcript, byte for byte. Tasks are numbered in the order in which they were spawned; the main future has
/// number 0.
///
/// # Examples
///
/// ```
/// use std::pin::pin;
///
/// use anyio_backend_sim::{Recording, Sim};
/// use anyio_core::Run;
///
/// let recording = Recording::new();
/// let simulation = Box::new(Sim::new().record(&recording)).start()?;
/// simulation.block_on(pin!(async {}));
/// assert_eq!(recording.to_string(), "poll 0: ready\n");
/// # Ok::<(), anyio_core::StartError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<Vec<Event>>>);

/// A step.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Spawned { number: u32, label: Option<Label> },
    Polled { number: u32, ready: bool, waiting: Option<Waiting> },
    Job { number: u32 },
    Time(Duration),
    Outsider,
}

impl Recording {
    /// Nothing is recorded yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many steps were recorded.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.0.lock().len()
    }

    /// How many polls there were that did not come to the end of what was polled.
    #[must_use]
    pub fn suspensions(&self) -> usize {
        self.0.lock().iter().filter(|event| matches!(event, Event::Polled { ready: false, .. })).count()
    }

    /// Whether the same schedule gives the same again: no thread from outside was [announced](crate::SimHandle::follow_real_time).
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        !self.0.lock().iter().any(|event| matches!(event, Event::Outsider))
    }

    pub(crate) fn note(&self, event: Event) {
        self.0.lock().push(event);
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.lock().iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Spawned { number, label: Some(label) } => {
                write!(f, "spawn {number}: ")?;
                label.name.iter().try_for_each(|name| write!(f, "{name:?} "))?;
                write!(f, "at {}", label.location)
            }
            Event::Spawned { number, label: None } => write!(f, "spawn {number}"),
            Event::Polled { number, ready: true, .. } => write!(f, "poll {number}: ready"),
            Event::Polled { number, waiting: Some(waiting), .. } => write!(f, "poll {number}: waits {waiting}"),
            Event::Polled { number, waiting: None, .. } => write!(f, "poll {number}: pending"),
            Event::Job { number } => write!(f, "job {number}"),
            Event::Outsider => f.write_str("a thread from outside is at work"),
            Event::Time(time) => write!(f, "time {time:?}"),
        }
    }
}
