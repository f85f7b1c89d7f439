//! Running the cases, a few at a time, in an order of chance.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyio_conformance::Case;
use fastrand::Rng;

use crate::flavours::Flavour;
use crate::isolated;
use crate::progress::Progress;
use crate::report::{Conditions, Report, Verdict};
use crate::selection::Selection;
use crate::surroundings::{self, Surroundings};

/// What to run, and how.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The cases and the backends.
    pub(crate) selection: Selection,
    /// What decides the order.
    pub(crate) seed: u64,
    /// How many cases run at a time.
    pub(crate) jobs: NonZeroUsize,
    /// After how long a case counts as hung.
    pub(crate) limit: Duration,
}

impl Plan {
    /// Runs every case on every backend.
    pub(crate) fn run(&self) -> Report {
        let started = surroundings::now();
        let start = Instant::now();
        let verdicts = self.verdicts();
        let conditions = Conditions {
            started,
            seconds: start.elapsed().as_secs_f64(),
            seed: self.seed,
            jobs: self.jobs.get(),
            limit: self.limit.as_secs_f64(),
            filters: self.selection.filters.clone(),
            surroundings: Surroundings::here(),
        };
        Report::new(conditions, &self.selection, verdicts)
    }

    /// What became of each case (in the order of the selection) on each backend.
    fn verdicts(&self) -> Vec<Vec<Verdict>> {
        let runs = self.runs();
        let (next, verdicts) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let progress = Progress::new(runs.len());
        let work = || {
            // Relaxed: only the count matters; the verdicts have a lock.
            while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let verdict = run.execute(self.limit, &progress);
                verdicts.lock().expect("no worker panics").push((run.place, verdict));
            }
        };
        thread::scope(|scope| (0..self.jobs.get().min(runs.len())).for_each(|_| drop(scope.spawn(work))));
        progress.finish();
        let mut verdicts = verdicts.into_inner().expect("no worker panics");
        verdicts.sort_by_key(|(place, _)| *place);
        let mut verdicts = verdicts.into_iter().map(|(_, verdict)| verdict);
        let width = self.selection.backends.len();
        self.selection.cases.iter().map(|_| verdicts.by_ref().take(width).collect()).collect()
    }

    /// Every case on every backend, shuffled.
    fn runs(&self) -> Vec<PlannedRun> {
        let Selection { backends, cases, .. } = &self.selection;
        let pairs = cases.iter().flat_map(|case| backends.iter().map(move |flavour| (*case, *flavour)));
        let runs = pairs.enumerate().map(|(place, (case, flavour))| PlannedRun { place, case, flavour });
        let mut runs: Vec<_> = runs.collect();
        Rng::with_seed(self.seed).shuffle(&mut runs);
        runs
    }
}

/// A case on a backend.
#[derive(Debug)]
struct PlannedRun {
    /// Where the verdict belongs, counted case by case and, within a case, backend by backend.
    place: usize,
    case: &'static Case,
    flavour: Flavour,
}

impl PlannedRun {
    fn execute(&self, limit: Duration, progress: &Progress) -> Verdict {
        let name = self.flavour.name();
        progress.begin(self.case.name);
        let verdict = isolated::run(self.case, &name, limit);
        progress.end(self.case.name, &name, &verdict);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(seed: u64) -> Vec<usize> {
        let selection = Selection::new(&[], &[]).unwrap();
        let plan = Plan { selection, seed, jobs: NonZeroUsize::MIN, limit: Duration::ZERO };
        plan.runs().iter().map(|run| run.place).collect()
    }

    #[test]
    fn a_seed_is_an_order_and_every_order_is_complete() {
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
        let mut sorted = order(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..sorted.len()).collect::<Vec<_>>());
    }
}
