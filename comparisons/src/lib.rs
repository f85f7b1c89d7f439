//! anyio beside what users would pick instead.
//!
//! A [`Workload`](workloads::Workload) is a job that is done in several ways: by anyio and by its rivals. Each
//! [`Comparison`](comparison::Comparison) sets them side by side on one [`Ground`](ground::Ground), [`measure`] takes them in
//! turns within one process, and [`report`] tells the ratios and whether they are as good as they should be.

pub mod comparison;
pub mod ground;
pub mod growth;
pub mod instructions;
pub mod measure;
pub mod report;
pub mod workloads;
