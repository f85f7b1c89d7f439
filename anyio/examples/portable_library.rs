//! One library function, which names no runtime, on every runtime: inside one that is running already, and in `run`.
//!
//! `cargo run -p anyio --example portable_library --all-features`

use std::path::PathBuf;
use std::time::Duration;

use anyio::{AsyncStd, Smol, Tokio};

/// The library. Its only dependency is `anyio`, without any feature.
mod library {
    use std::path::PathBuf;
    use std::time::Duration;
    use std::{fs, io};

    use anyio::{Cancelled, GroupError, TimedOut, timeout, try_task_group};

    #[derive(Debug, thiserror::Error)]
    pub(crate) enum CountError {
        #[error("{0}: {1}")]
        Read(PathBuf, io::Error),
        #[error(transparent)]
        TimedOut(#[from] TimedOut),
        #[error(transparent)]
        Cancelled(#[from] Cancelled),
    }

    /// Counts the lines of all files, in parallel, within `limit`.
    pub(crate) async fn count_lines(paths: &[PathBuf], limit: Duration) -> Result<usize, CountError> {
        let counting = try_task_group(async |tg| {
            let paths = paths.iter().cloned();
            let counts: Vec<_> = paths.map(|path| tg.spawn_blocking(move || count(path))).collect();
            let mut sum = 0;
            for count in counts {
                sum += count.value().await;
            }
            Ok(sum)
        });
        timeout(limit, counting).await?.map_err(GroupError::first_error)
    }

    fn count(path: PathBuf) -> Result<usize, CountError> {
        let text = fs::read_to_string(&path).map_err(|error| CountError::Read(path, error))?;
        Ok(text.lines().count())
    }
}

/// What every application calls.
async fn lines(files: &[&str]) -> Result<usize, library::CountError> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let paths: Vec<_> = files.iter().map(|file| folder.join(file)).collect();
    library::count_lines(&paths, Duration::from_secs(60)).await
}

pub(crate) fn main() {
    let files = ["lib.rs", "run.rs", "runtime.rs"];

    // Inside a runtime that the application runs by itself, as under `#[tokio::main]`.
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let expected = tokio.block_on(lines(&files)).unwrap();
    assert_eq!(smol::block_on(lines(&files)).unwrap(), expected);
    assert_eq!(async_std::task::block_on(lines(&files)).unwrap(), expected);

    // On one that anyio runs.
    assert_eq!(anyio::run(Tokio::current_thread(), lines(&files)).unwrap(), expected);
    assert_eq!(anyio::run(Smol::current_thread(), lines(&files)).unwrap(), expected);
    assert_eq!(anyio::run(AsyncStd::global(), lines(&files)).unwrap(), expected);

    // As a task among others, on a thread pool: the future is `Send`.
    let task = tokio.spawn(async { lines(&["lib.rs", "no-such-file.rs"]).await });
    let error = tokio.block_on(task).unwrap().unwrap_err();
    assert!(error.to_string().contains("no-such-file.rs"), "{error}");

    println!("{expected} lines on every runtime; and {error}");
}
