//! Every law of anyio on the pool of `futures`: the one line that shows a backend to be right.

anyio_conformance::conformance!(futures_pool, backend_futures::FuturesPool);
