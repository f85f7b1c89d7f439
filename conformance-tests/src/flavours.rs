//! The backends to run on: each runtime, in each of its forms.

use std::sync::Arc;

use anyio::{AsyncStd, Sim, Smol, Tokio};
use anyio_conformance::Recipe;
use clap::ValueEnum;

use crate::surroundings;

/// A runtime in one of its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flavour {
    /// tokio, on two threads
    #[value(alias = "tokio_multi_thread")]
    TokioMultiThread,
    /// tokio, on the thread in `run`
    #[value(alias = "tokio_current_thread")]
    TokioCurrentThread,
    /// smol's global executor
    #[value(alias = "smol_global")]
    SmolGlobal,
    /// an executor of smol's, on the thread in `run`
    #[value(alias = "smol_owned")]
    SmolOwned,
    /// async-std's global executor
    #[value(alias = "async_std")]
    AsyncStd,
    /// the simulator, first come, first served
    Sim,
}

impl Flavour {
    /// Every flavour, in the order of the report.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// The name on the command line and in the report.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().expect("no flavour is skipped").get_name().to_owned()
    }

    /// What it is, in a few words.
    pub(crate) fn about(self) -> String {
        let value = self.to_possible_value().expect("no flavour is skipped");
        value.get_help().map(ToString::to_string).unwrap_or_default()
    }

    /// The package of the runtime, and its version.
    pub(crate) fn runtime(self) -> (&'static str, &'static str) {
        let package = match self {
            Flavour::TokioMultiThread | Flavour::TokioCurrentThread => "tokio",
            Flavour::SmolGlobal | Flavour::SmolOwned => "smol",
            Flavour::AsyncStd => "async-std",
            Flavour::Sim => "anyio-backend-sim",
        };
        (package, surroundings::version_of(package))
    }

    /// What makes its runtimes.
    pub(crate) fn recipe(self) -> Recipe {
        match self {
            Flavour::TokioMultiThread => Arc::new(|| Box::new(Tokio::multi_thread().worker_threads(2))),
            Flavour::TokioCurrentThread => Arc::new(|| Box::new(Tokio::current_thread())),
            Flavour::SmolGlobal => Arc::new(|| Box::new(Smol::global())),
            Flavour::SmolOwned => Arc::new(|| Box::new(Smol::current_thread())),
            Flavour::AsyncStd => Arc::new(|| Box::new(AsyncStd::global())),
            Flavour::Sim => Arc::new(|| Box::new(Sim::new())),
        }
    }
}
