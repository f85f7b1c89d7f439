//! A group returns all errors. What one makes of them, with an enum of one's own, with `anyhow`, with `Box<dyn Error>`.
//!
//! `cargo run -p anyio --example error_groups --features tokio`

use std::error::Error;

use anyhow::Context as _;
use anyio::{Cancelled, GroupError, Tokio, try_task_group};

type BoxError = Box<dyn Error + Send + Sync>;

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
        let mut sum = 0;
        for size in pages.iter().map(|page| tg.spawn(load(page))).collect::<Vec<_>>() {
            sum += size.value().await;
        }
        Ok(sum)
    })
    .await
    .map_err(GroupError::first_error)
}

/// Tasks that do not give up for one another cannot fail, as far as their group knows: what they return is a value.
async fn check_all(pages: &[&'static str]) -> Result<usize, Cancelled> {
    anyio::task_group(async |tg| {
        let mut missing = 0;
        for check in pages.iter().map(|page| tg.spawn(load(page))).collect::<Vec<_>>() {
            missing += usize::from(check.value().await.is_err());
        }
        missing
    })
    .await
}

/// With `anyhow`, `?` does it. The whole group is still to be had by a downcast.
async fn build_site() -> anyhow::Result<usize> {
    let size = try_task_group(async |tg| {
        let pages = async { load_all(&["index", "nowhere"]).await.context("loading the pages") };
        Ok(tg.task().name("pages").spawn(pages).value().await)
    });
    Ok(size.await?)
}

/// With `Box<dyn Error>` as well; where all errors come by `?`, the type is said once.
async fn build_boxed() -> Result<usize, BoxError> {
    let size = try_task_group(async |tg| {
        let page = tg.spawn(async { Ok(load("nowhere").await?) });
        let number = tg.spawn(async { Ok("12".parse::<usize>()?) });
        Ok::<_, BoxError>(page.value().await + number.value().await)
    });
    Ok(size.await?)
}

pub(crate) fn main() {
    anyio::run(Tokio::multi_thread(), async {
        assert_eq!(load_all(&["index", "about"]).await.unwrap(), 10);
        assert_eq!(load_all(&["index", "nowhere"]).await.unwrap_err().to_string(), "no such page: nowhere");
        assert_eq!(check_all(&["nowhere", "index", "nothing"]).await.unwrap(), 2);
        assert_eq!(build_boxed().await.unwrap_err().to_string(), "no such page: nowhere");

        let error = build_site().await.unwrap_err();
        assert_eq!(error.to_string(), "loading the pages");
        let group: &GroupError<anyhow::Error> = error.downcast_ref().unwrap();
        for failure in group.failures() {
            println!("{failure:#}, in {}", failure.task().unwrap());
        }
    });
}
