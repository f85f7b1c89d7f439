//! The races among the cases, a million rounds each: hand-overs against cancellations.
//!
//! `ANYIO_RACE_ROUNDS` says how many rounds.

use anyio_conformance::races;

/// How many rounds each race has: `ANYIO_RACE_ROUNDS`, or 100,000.
fn rounds() -> usize {
    std::env::var("ANYIO_RACE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100_000)
}

macro_rules! races {
    ($($flavour:ident $recipe:expr, [$($race:ident)*];)*) => {
        $(mod $flavour {
            $(#[test]
            #[ignore = "takes minutes: see CONTRIBUTING.md"]
            fn $race() {
                anyio::run($recipe, super::races::$race(super::rounds()));
            })*
        })*
    };
}

races! {
    tokio_multi_thread anyio::Tokio::multi_thread().worker_threads(2), [
        permits locks read_write_locks conditions barriers once_cells
        buffered rendezvous reserved sent_and_received oneshots watched broadcasts
    ];
    smol anyio::Smol::global(), [
        permits locks read_write_locks conditions barriers once_cells
        buffered rendezvous reserved sent_and_received oneshots watched broadcasts
    ];
}
