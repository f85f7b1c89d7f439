//! [`Tally`]: how often something ran.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how often something ran: destructors by a [`token`](Tally::token), anything else by a [`mark`](Tally::mark).
///
/// Clones count together.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # anyio::block_on(async {
/// use anyio::testing::Tally;
///
/// let (guards, clean_ups) = (Tally::new(), Tally::new());
/// let token = guards.token();
/// let body = async move {
///     let _token = token;
///     anyio::sleep_forever().await;
/// };
/// let session = anyio::finally(body, async { clean_ups.mark() });
/// let _ = anyio::timeout(std::time::Duration::from_millis(5), session).await;
/// guards.assert_once();
/// clean_ups.assert_once();
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counted: Arc<AtomicUsize>,
}

/// Counts once, when it is dropped: see [`Tally::token`].
#[derive(Debug)]
#[must_use = "a token that is not kept counts at once"]
pub struct TallyToken {
    tally: Tally,
}

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one.
    pub fn mark(&self) {
        // Whoever reads the count after it sees what was done before.
        self.counted.fetch_add(1, Ordering::AcqRel);
    }

    /// Something that counts when it is dropped; put it where a destructor has to run.
    pub fn token(&self) -> TallyToken {
        TallyToken { tally: self.clone() }
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.counted.load(Ordering::Acquire)
    }

    /// Asserts that exactly `expected` were counted.
    ///
    /// # Panics
    ///
    /// If not.
    ///
    /// # Examples
    ///
    /// ```
    /// let tally = anyio::testing::Tally::new();
    /// tally.mark();
    /// drop(tally.token());
    /// tally.assert_count(2);
    /// ```
    #[track_caller]
    pub fn assert_count(&self, expected: usize) {
        let counted = self.count();
        assert!(counted == expected, "ran {counted} times, where {expected} were expected");
    }

    /// Asserts that exactly one was counted.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_once(&self) {
        match self.count() {
            0 => panic!("has not run, where once was expected"),
            1 => {}
            counted => panic!("ran {counted} times, where once was expected"),
        }
    }

    /// Asserts that nothing was counted (yet).
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_never(&self) {
        let counted = self.count();
        assert!(counted == 0, "ran {counted} times, where it was not to run");
    }
}

impl Drop for TallyToken {
    fn drop(&mut self) {
        self.tally.mark();
    }
}
