//! Work is fanned out to workers and their results come back in, all of it borrowing what the caller owns: nothing is
//! cloned, shared by `Arc`, or left behind.
//!
//! `cargo run -p anyio --example fan_out_fan_in --features tokio`

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyio::{Cancelled, GroupError, ScopedGroup, Tokio, map_concurrent, scoped_group, try_gather};

struct Page {
    name: String,
    text: String,
}

/// Workers that take pages until there are no more, and count words into one table.
async fn count_words(pages: &[Page]) -> Result<BTreeMap<&str, usize>, Cancelled> {
    let (queue, counts) = (Mutex::new(pages.iter()), Mutex::new(BTreeMap::new()));
    let work = async || {
        while let Some(page) = { queue.lock().unwrap().next() } {
            for word in page.text.split_whitespace() {
                *counts.lock().unwrap().entry(word).or_default() += 1;
                anyio::checkpoint().await;
            }
        }
    };
    scoped_group(async |workers: ScopedGroup<'_>| {
        for number in 0..3 {
            workers.task().name(format!("worker {number}")).spawn(work());
        }
    })
    .await?;
    Ok(counts.into_inner().unwrap())
}

/// No more than two pages at a time; the lengths come in the order of the pages.
async fn lengths(pages: &[Page]) -> Result<Vec<usize>, Cancelled> {
    map_concurrent(pages, 2, async |page| {
        anyio::checkpoint().await;
        page.text.len()
    })
    .await
}

/// Two different things at once; if one fails the other is cancelled, and is gone when the error arrives.
async fn header(pages: &[Page]) -> Result<(&str, usize), GroupError<&'static str>> {
    let title = async { pages.first().map(|page| page.name.as_str()).ok_or("no pages") };
    let size = async { Ok(pages.iter().map(|page| page.text.len()).sum::<usize>()) };
    try_gather((title, size)).await
}

pub(crate) fn main() {
    let page = |name: &str, text: &str| Page { name: name.to_owned(), text: text.to_owned() };
    let pages = [page("index", "one two"), page("about", "two three two"), page("empty", "")];
    anyio::run(Tokio::multi_thread(), async {
        let counts = count_words(&pages).await.unwrap();
        assert_eq!(counts, BTreeMap::from([("one", 1), ("two", 3), ("three", 1)]));
        assert_eq!(lengths(&pages).await, Ok(vec![7, 13, 0]));
        assert_eq!(header(&pages).await.unwrap(), ("index", 20));
        assert_eq!(header(&[]).await.unwrap_err().to_string(), "no pages");
        println!("{counts:?}");
    });
}
