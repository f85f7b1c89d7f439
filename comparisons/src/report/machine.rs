//! Where a report was measured, and by what.

use std::collections::BTreeMap;
use std::thread::available_parallelism;

use serde::Serialize;
use sysinfo::System;

/// The packages that are told with their versions.
const PACKAGES: &[&str] = &[
    "tokio",
    "tokio-util",
    "futures",
    "futures-concurrency",
    "smol",
    "async-executor",
    "async-io",
    "async-std",
    "async_nursery",
    "moro",
    "async-channel",
    "async-lock",
    "flume",
    "kanal",
];

/// The machine, the compiler, and the contenders' versions.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor.
    pub cpu: String,
    /// How many of its cores may be used.
    pub cores: usize,
    /// The system.
    pub kernel: String,
    /// The load in the last minute, when the run began.
    pub load: f64,
    /// The compiler.
    pub rustc: &'static str,
    /// The contenders, with their versions.
    pub versions: Vec<(&'static str, &'static str)>,
}

impl Machine {
    /// Looks around.
    #[must_use]
    pub fn here() -> Self {
        let mut system = System::new();
        system.refresh_cpu_all();
        let cpu = system.cpus().first().map(|cpu| cpu.brand().to_owned());
        Machine {
            cpu: cpu.unwrap_or_else(|| "unknown".to_owned()),
            cores: available_parallelism().map_or(1, usize::from),
            kernel: System::long_os_version()
                .into_iter()
                .chain(System::kernel_version())
                .collect::<Vec<_>>()
                .join(", "),
            load: System::load_average().one,
            rustc: env!("RUSTC_VERSION"),
            versions: versions(include_str!("../../../Cargo.lock")),
        }
    }

    /// The contenders with their versions, in one line.
    #[must_use]
    pub fn versions(&self) -> String {
        let named: Vec<String> = self.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        named.join(", ")
    }
}

/// The versions in a lock file, whose packages are written as `name = "…"` and `version = "…"` on lines that follow. The
/// older of two versions comes first there, and is what some contender needs: only the last is told.
fn versions(lock: &'static str) -> Vec<(&'static str, &'static str)> {
    let value = |line: &'static str, key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
    let named = lock.lines().zip(lock.lines().skip(1));
    let all = named.filter_map(|(name, version)| Some((value(name, "name")?, value(version, "version")?)));
    let newest: BTreeMap<_, _> = all.filter(|(name, _)| PACKAGES.contains(name)).collect();
    newest.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"tokio\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n";
        assert_eq!(versions(lock), [("tokio", "1.2.3")]);
        assert_eq!(Machine::here().versions.len(), PACKAGES.len());
    }
}
