//! Where and when the laws were run: the machine, the versions, the time.

use std::fs;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// The packages whose versions a reader may want to know.
const PACKAGES: &[&str] = &["anyio", "tokio", "smol", "async-executor", "async-io", "async-std"];

/// Where the laws were run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Surroundings {
    /// The operating system.
    pub(crate) system: String,
    /// The processor, where it says what it is.
    pub(crate) processor: String,
    /// How many cores the program may use.
    pub(crate) cores: usize,
    /// What the program was built for.
    pub(crate) target: &'static str,
    /// With optimizations or without.
    pub(crate) profile: &'static str,
    /// What the laws depend on.
    pub(crate) versions: Vec<Version>,
}

/// The version of something.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Version {
    /// What it is.
    pub(crate) name: &'static str,
    /// Which version of it.
    pub(crate) version: &'static str,
}

impl Surroundings {
    /// This machine.
    pub(crate) fn here() -> Self {
        let rustc = Version { name: "rustc", version: env!("CONFORMANCE_RUSTC") };
        let packages = PACKAGES.iter().map(|name| Version { name, version: version_of(name) });
        Surroundings {
            system: system(),
            processor: processor(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            target: env!("CONFORMANCE_TARGET"),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" },
            versions: packages.chain([rustc]).collect(),
        }
    }
}

/// The version of a package, as the lock file has it.
pub(crate) fn version_of(package: &str) -> &'static str {
    static LOCK: &str = include_str!("../../Cargo.lock");
    let field = |line: &'static str, name: &str| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"');
    let mut lines = LOCK.lines().skip_while(|line| field(line, "name") != Some(package));
    lines.nth(1).and_then(|line| field(line, "version")).unwrap_or("unknown")
}

/// The name of the system, and where it tells, of the distribution.
fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| std::env::consts::OS.to_owned(), |name| name.trim_matches('"').to_owned())
}

fn processor() -> String {
    let cores = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cores.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned())
}

/// The time now, as in `2026-11-22T09:34:16Z`.
pub(crate) fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    timestamp(seconds)
}

/// The time so many seconds after 1970 began, by the rules of the Gregorian calendar.
fn timestamp(seconds: u64) -> String {
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", month + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_follow_the_calendar() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(timestamp(4_107_542_400), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn the_versions_are_those_of_the_lock_file() {
        assert_eq!(version_of("anyio"), env!("CARGO_PKG_VERSION"));
        assert!(version_of("tokio").starts_with("1."));
        assert_eq!(version_of("no such package"), "unknown");
    }
}
