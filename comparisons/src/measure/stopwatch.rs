//! Reading the clock on the wall, and that of the processors.

use std::future::Future;
use std::time::Instant;

use cpu_time::ProcessTime;

/// What was read in one round.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// What counts, in the unit of the comparison: nanoseconds on the wall, mostly.
    pub value: f64,
    /// Nanoseconds of all processors together; NaN where they were not read.
    pub cpu: f64,
    /// How many tasks still lived when it was said that all were gone.
    pub left_behind: usize,
}

impl Reading {
    /// A reading of something else than time.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Reading { value, cpu: f64::NAN, left_behind: 0 }
    }

    /// The processors' time in place of the wall's.
    #[must_use]
    pub fn by_cpu(self) -> Self {
        Reading { value: self.cpu, ..self }
    }

    /// Tasks that still lived when it was said that all were gone.
    #[must_use]
    pub fn leaving(self, left_behind: usize) -> Self {
        Reading { left_behind, ..self }
    }
}

/// Runs from its start to its stop.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    cpu: ProcessTime,
    wall: Instant,
}

impl Stopwatch {
    /// Starts.
    #[must_use]
    pub fn start() -> Self {
        Stopwatch { cpu: ProcessTime::now(), wall: Instant::now() }
    }

    /// What has passed.
    #[must_use]
    pub fn stop(self) -> Reading {
        let wall = self.wall.elapsed();
        let cpu = self.cpu.elapsed();
        Reading { value: wall.as_nanos() as f64, cpu: cpu.as_nanos() as f64, left_behind: 0 }
    }

    /// What had passed on the wall at `end`, where the processors' time is not known.
    #[must_use]
    pub fn until(self, end: Instant) -> Reading {
        Reading { value: end.duration_since(self.wall).as_nanos() as f64, ..self.stop() }
    }
}

/// Times a job that is done so many times: often enough that reading the clocks does not count.
pub async fn timed<F: Future>(times: usize, job: impl Fn() -> F) -> Reading {
    let watch = Stopwatch::start();
    for _ in 0..times {
        job().await;
    }
    watch.stop()
}
