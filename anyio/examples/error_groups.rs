//! A group returns all errors. What one makes of them, with an enum of one's own, with `anyhow`, with `Box<dyn Error>`.
//!
//! ```text
//! cargo run -p anyio --example error_groups --features tokio
//! ```

use std::error::Error;

use anyhow::Context as _;
use anyio::{Cancelled, GroupError, Tokio, try_task_group};

#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("no such page: {0}")]
    Missing(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

async fn load(page: &str) -> Result<usize, LoadError> {
    anyio::checkpoint().await;
    if page.starts_with("no") { Err(LoadError::Missing(page.to_owned())) } else { Ok(page.len()) }
}

/// An enum of one's own, of which a library wants one: the error that came first.
async fn load_all(pages: &[&'static str]) -> Result<usize, LoadError> {
    try_task_group(async |tg| {
        let sizes: Vec<_> = pages.iter().map(|page| tg.task().name(*page).spawn(load(page))).collect();
        let mut sum = 0;
        for size in sizes {
            sum += size.value().await;
        }
        Ok(sum)
    })
    .await
    .map_err(GroupError::first_error)
}

/// All errors, of tasks that do not give up for one another: each catches its own.
async fn check_all(pages: &[&'static str]) -> Vec<String> {
    let checked = anyio::task_group(async |tg| {
        let checks: Vec<_> = pages.iter().map(|page| tg.spawn(load(page))).collect();
        let mut missing = Vec::new();
        for check in checks {
            missing.extend(check.value().await.err().map(|error| error.to_string()));
        }
        missing
    });
    checked.await.expect("nothing around cancels it")
}

/// With `anyhow`, `?` does it, also through groups in groups. The whole group is still to be had by a downcast.
async fn build_site() -> anyhow::Result<usize> {
    let size = try_task_group(async |tg| {
        let pages = tg.spawn(async { load_all(&["index", "nowhere"]).await.context("loading the pages") });
        let styles = tg.spawn(async { anyhow::Ok(load("style").await?) });
        Ok(pages.value().await + styles.value().await)
    });
    Ok(size.await?)
}

/// With `Box<dyn Error>` as well.
async fn build_boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
    try_task_group(async |tg| {
        tg.spawn(async { Ok(load("nowhere").await.map(drop)?) });
        Ok(())
    })
    .await?;
    Ok(())
}

async fn errors() {
    assert_eq!(load_all(&["index", "about"]).await.unwrap(), 10);
    assert_eq!(load_all(&["index", "nowhere"]).await.unwrap_err().to_string(), "no such page: nowhere");
    assert_eq!(check_all(&["nowhere", "index", "nothing"]).await.len(), 2);

    let error = build_site().await.unwrap_err();
    assert_eq!(error.to_string(), "loading the pages");
    let group: &GroupError<anyhow::Error> = error.downcast_ref().unwrap();
    let failure = group.failures().next().unwrap();
    println!("{failure:#}, in {}", failure.task().unwrap());
    assert_eq!(build_boxed().await.unwrap_err().to_string(), "no such page: nowhere");
}

pub(crate) fn main() {
    anyio::run(Tokio::multi_thread(), errors());
}
