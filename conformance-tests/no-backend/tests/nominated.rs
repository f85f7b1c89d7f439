//! The default that an application nominates is used where nothing else is to be found (law X2). It is one for the whole
//! process, hence the file of its own.

use std::time::Duration;

use anyio::{Runtime, set_default, sleep, task_group};
use anyio_core::Run as _;
use backend_futures::FuturesPool;

#[test]
fn a_nominated_backend_is_used_everywhere() {
    let started = Box::new(FuturesPool).start().unwrap();
    set_default(Runtime::from_backend(started.backend()));
    let name = started.backend().name();
    let work = || {
        task_group(async |tg| {
            let task = tg.spawn(async { (Runtime::current().unwrap().name(), sleep(Duration::from_millis(5)).await) });
            task.value().await.0
        })
    };
    assert_eq!(futures::executor::block_on(work()), Ok(name));
    assert_eq!(anyio::block_on(work()), Ok(name));
    assert_eq!(std::thread::spawn(move || futures::executor::block_on(work())).join().unwrap(), Ok(name));
}
