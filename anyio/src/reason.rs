//! Why something was cancelled.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::task_group::TaskInfo;

/// The outcome of a body that was cut short by a cancellation, and why.
///
/// Cheap to clone. It reports the *outermost* scope that was cancelled: when both a task group and the scope around it
/// were cancelled, the reason is that of the scope around.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::{CancelReason, CancelScope};
///
/// let scope = CancelScope::new();
/// scope.handle().cancel_with("the user went away");
/// let cancelled = scope.run(anyio::sleep_forever()).await.unwrap_err();
///
/// assert!(matches!(cancelled.reason(), CancelReason::Requested { .. }));
/// assert!(cancelled.to_string().starts_with("cancelled: the user went away"));
/// # });
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Cancelled(Arc<CancelReason>);

/// Why a scope was cancelled: see [`Cancelled::reason`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelReason {
    /// Somebody asked for it.
    #[non_exhaustive]
    Requested {
        /// What the caller said, if anything.
        text: Option<Cow<'static, str>>,
        /// Where the request was made.
        location: &'static Location<'static>,
    },
    /// A deadline passed.
    DeadlinePassed,
    /// It was asked to [stop](crate::CancelHandle::stop), and the grace that it was given is over.
    #[non_exhaustive]
    Stopped {
        /// Where the request was made.
        location: &'static Location<'static>,
    },
    /// A task of the same group failed or panicked; `None`: the group's body did.
    SiblingFailed(Option<TaskInfo>),
    /// The group had finished: what was left in it is not waited for.
    GroupFinished,
    /// The future of the group or scope was dropped before it was done.
    GroupDropped,
    /// The runtime shut down, or the run ended.
    Shutdown,
}

impl Cancelled {
    pub(crate) fn new(reason: CancelReason) -> Self {
        Cancelled(Arc::new(reason))
    }

    #[track_caller]
    pub(crate) fn requested(text: Option<Cow<'static, str>>) -> Self {
        Self::new(CancelReason::Requested { text, location: Location::caller() })
    }

    /// Why it was cancelled.
    #[must_use]
    pub fn reason(&self) -> &CancelReason {
        &self.0
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelled").field(&self.0).finish()
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {}", self.0)
    }
}

impl std::error::Error for Cancelled {}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CancelReason::Requested { text: Some(text), location } => write!(f, "{text} (at {location})"),
            CancelReason::Requested { text: None, location } => write!(f, "requested at {location}"),
            CancelReason::DeadlinePassed => f.write_str("a deadline passed"),
            CancelReason::Stopped { location } => write!(f, "asked to stop at {location}, and the grace is over"),
            CancelReason::SiblingFailed(Some(task)) => write!(f, "{task} of the same group failed"),
            CancelReason::SiblingFailed(None) => f.write_str("the body of the group failed"),
            CancelReason::GroupFinished => f.write_str("the group finished"),
            CancelReason::GroupDropped => f.write_str("the future around it was dropped"),
            CancelReason::Shutdown => f.write_str("the runtime shut down"),
        }
    }
}
