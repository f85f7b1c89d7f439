//! Every law on every backend that anyio comes with; and on tokio once more, with each task of a group as one of tokio's.

mod native;

anyio_conformance::conformance!(tokio_multi_thread, anyio::Tokio::multi_thread().worker_threads(2));
anyio_conformance::conformance!(tokio_current_thread, anyio::Tokio::current_thread());
anyio_conformance::conformance!(tokio_native, native::Native(anyio::Tokio::multi_thread().worker_threads(2)));
anyio_conformance::conformance!(smol_global, anyio::Smol::global());
anyio_conformance::conformance!(smol_owned, anyio::Smol::current_thread());
anyio_conformance::conformance!(async_std, anyio::AsyncStd::global());
anyio_conformance::conformance!(sim, anyio::Sim::new().watchdog(std::time::Duration::from_secs(60)));
