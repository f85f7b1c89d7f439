//! First signs of life, on every backend.
#![allow(missing_docs)]
use anyio::*;
use std::time::Duration;

fn everywhere(test: impl AsyncFn() + Copy) {
    run(Tokio::multi_thread(), test());
    run(Tokio::current_thread(), test());
    run(Smol::global(), test());
    run(Smol::current_thread(), test());
    run(AsyncStd::global(), test());
}

#[test]
fn groups() {
    everywhere(async || {
        let r = task_group(async |tg| {
            let a = tg.spawn(async {
                sleep(Duration::from_millis(3)).await;
                1
            });
            let b = tg.spawn(async { 2 });
            a.value().await + b.value().await
        })
        .await;
        assert_eq!(r, Ok(3));
    });
}

#[test]
fn failing() {
    everywhere(async || {
        let r = try_task_group(async |tg| {
            tg.spawn(async {
                sleep_forever().await;
                Ok(())
            });
            let h = tg.spawn(async { Err::<(), _>("x".to_string()) });
            h.value().await;
            Ok(())
        })
        .await;
        assert_eq!(r.unwrap_err().to_string(), "x");
    });
}

#[test]
fn timeouts() {
    everywhere(async || {
        assert!(timeout(Duration::from_millis(5), sleep_forever()).await.is_err());
        assert_eq!(
            timeout(Duration::from_secs(5), async {
                checkpoint().await;
                3
            })
            .await,
            Ok(3)
        );
        assert!(
            timeout(
                Duration::from_millis(5),
                task_group(async |tg| {
                    tg.spawn(sleep_forever());
                    sleep_forever().await
                })
            )
            .await
            .is_err()
        );
        assert!(timeout(Duration::ZERO, sleep(Duration::ZERO)).await.is_err());
        assert_eq!(timeout(Duration::ZERO, async { 1 }).await, Ok(1));
    });
}

#[test]
fn starts() {
    everywhere(async || {
        let r = task_group(async |tg| {
            let v = tg
                .start(async |s| {
                    sleep(Duration::from_millis(1)).await;
                    s.started(5).ok();
                    sleep_forever().await
                })
                .await
                .unwrap();
            let e = tg
                .start(async |s: Started<(), _>| {
                    drop(s);
                    sleep_forever().await
                })
                .await;
            assert!(matches!(e, Err(StartError::NotStarted)), "{e:?}");
            tg.cancel();
            v
        })
        .await;
        assert_eq!(r, Ok(5));
    });
}

#[test]
fn deep() {
    fn level(n: u32) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if n == 0 {
                return sleep_forever().await;
            }
            task_group(async |tg| {
                tg.spawn(level(n - 1));
            })
            .await
            .ok();
        })
    }
    everywhere(async || {
        let t = std::time::Instant::now();
        assert!(timeout(Duration::from_millis(500), level(100_000)).await.is_err());
        eprintln!("{:?}", t.elapsed());
    });
}

#[test]
fn wide() {
    everywhere(async || {
        let t = std::time::Instant::now();
        assert!(
            timeout(
                Duration::from_millis(500),
                task_group(async |tg| {
                    for _ in 0..100_000 {
                        tg.spawn(sleep_forever());
                    }
                })
            )
            .await
            .is_err()
        );
        eprintln!("{:?}", t.elapsed());
    });
}
