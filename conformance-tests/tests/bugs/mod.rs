//! Small pieces of libraries, each in a version with a mistake that real libraries have made, and in one without it.

pub(crate) mod cancelling;
pub(crate) mod sharing;
pub(crate) mod timing;
pub(crate) mod waking;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use anyio::checkpoint;
use anyio::testing::Trial;

/// Which version of a piece is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// With the mistake.
    Buggy,
    /// Without it.
    Fixed,
}

impl Version {
    pub(crate) fn is_fixed(self) -> bool {
        self == Version::Fixed
    }
}

/// A program around a piece that fails by a panic.
pub(crate) type Program = Pin<Box<dyn Future<Output = ()>>>;

/// What looks for the mistake.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    /// `explore`.
    Explore(fn(Version) -> Program),
    /// `explore`, where polls take time.
    ExploreSlowly(fn(Version) -> Program),
    /// `explore_exhaustively`.
    Walk(fn(Version) -> Program),
    /// `cancel_everywhere`.
    Everywhere(fn(Version) -> Trial<'static>),
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tool::Explore(_) => "`explore`",
            Tool::ExploreSlowly(_) => "`explore`, `slow_polls`",
            Tool::Walk(_) => "`explore_exhaustively`",
            Tool::Everywhere(_) => "`cancel_everywhere`",
        })
    }
}

/// Stands in for whatever takes a moment: a query, a write, a call to another service.
async fn round_trip() {
    checkpoint().await;
}

/// So many of them.
async fn round_trips(count: usize) {
    for _ in 0..count {
        round_trip().await;
    }
}
