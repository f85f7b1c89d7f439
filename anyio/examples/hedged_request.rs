//! A request is sent to a second replica when the first takes long, and to the next at once when one fails. The answer that
//! comes first counts; the other requests are cancelled and have cleaned up before it is handed on.
//!
//! `cargo run -p anyio --example hedged_request --features smol`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyio::combinators::RaceError;
use anyio::{Smol, finally, race_staggered, sleep, sleep_forever, timeout};

const PATIENCE: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error("{0} refused")]
    Refused(&'static str),
    #[error("no answer in time")]
    TooLate,
}

/// A replica, and how many connections to it are open.
struct Replica {
    name: &'static str,
    open: AtomicUsize,
}

impl Replica {
    const fn new(name: &'static str) -> Self {
        Replica { name, open: AtomicUsize::new(0) }
    }

    async fn get(&self, key: &str) -> Result<String, RequestError> {
        self.open.fetch_add(1, Ordering::Relaxed);
        let close = async {
            sleep(Duration::from_millis(1)).await; // say goodbye
            self.open.fetch_sub(1, Ordering::Relaxed);
        };
        match finally(self.answer(key), close).await {
            Ok(answer) => answer,
            Err(_cancelled) => Err(RequestError::TooLate),
        }
    }

    async fn answer(&self, key: &str) -> Result<String, RequestError> {
        match self.name {
            "stuck" => sleep_forever().await,
            "broken" => return Err(RequestError::Refused(self.name)),
            _ => sleep(Duration::from_millis(2)).await,
        }
        Ok(format!("{key} from {}", self.name))
    }
}

async fn get(replicas: &[Replica], key: &str) -> Result<String, RequestError> {
    let requests = replicas.iter().map(|replica| replica.get(key));
    match timeout(Duration::from_secs(5), race_staggered(PATIENCE, requests)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(RaceError::Failed(mut errors))) => Err(errors.pop().unwrap_or(RequestError::TooLate)),
        Ok(Err(_)) | Err(_) => Err(RequestError::TooLate),
    }
}

pub(crate) fn main() {
    anyio::run(Smol::current_thread(), async {
        let replicas = ["stuck", "broken", "good", "spare"].map(Replica::new);
        let answer = get(&replicas, "price").await.unwrap();
        assert_eq!(answer, "price from good");
        assert!(replicas.iter().all(|replica| replica.open.load(Ordering::Relaxed) == 0));

        let error = get(&[Replica::new("broken")], "price").await.unwrap_err();
        assert_eq!(error.to_string(), "broken refused");
        println!("{answer}");
    });
}
