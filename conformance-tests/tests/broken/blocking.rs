//! What can be wrong with blocking work.

use anyio_core::{Job, Task};

use super::{Fault, Good};

/// Cancels a job whose handle is dropped, and drops the handle.
pub(crate) struct CancelsJobs;

impl Fault for CancelsJobs {
    fn spawn_blocking(&self, _good: &Good, job: Job) {
        drop(job);
    }
}

/// Leaks every job.
pub(crate) struct LosesJobs;

impl Fault for LosesJobs {
    fn spawn_blocking(&self, _good: &Good, job: Job) {
        std::mem::forget(job);
    }
}

/// Runs a job inside the call.
pub(crate) struct RunsJobsInline;

impl Fault for RunsJobsInline {
    fn spawn_blocking(&self, _good: &Good, job: Job) {
        job();
    }
}

/// Runs a job where tasks are polled.
pub(crate) struct RunsJobsAmongTasks;

impl Fault for RunsJobsAmongTasks {
    fn spawn_blocking(&self, good: &Good, job: Job) {
        good.spawn(Task::new(async { job() }));
    }
}
