//! What anyio does where no backend is compiled in: see the tests.
//!
//! ```sh
//! cargo test --manifest-path conformance-tests/no-backend/Cargo.toml
//! ```
