//! The bar that a person at a terminal looks at while the cases run.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::{Status, Verdict};

/// A bar on the standard error, if that is a terminal; nothing otherwise.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many runs.
    pub(crate) fn new(runs: usize) -> Self {
        let bar = ProgressBar::new(runs as u64);
        let style = "{spinner:.cyan} {bar:32.cyan/dim} {pos}/{len}  {elapsed}  {wide_msg:.dim}";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is valid").progress_chars("━━╌"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(bar)
    }

    /// A case has begun.
    pub(crate) fn begin(&self, case: &str) {
        self.0.set_message(case.to_owned());
    }

    /// A case has ended.
    pub(crate) fn end(&self, case: &str, backend: &str, verdict: &Verdict) {
        if verdict.status != Status::Held {
            self.0.println(format!("{} {case} on {backend}", verdict.status));
        }
        self.0.inc(1);
    }

    /// All have ended: takes the bar away.
    pub(crate) fn finish(self) {
        self.0.finish_and_clear();
    }
}
