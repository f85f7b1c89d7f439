//! The watchdog: a thread in real time that looks after the thread that polls.
//!
//! A poll that blocks cannot be ended from outside, and no panic can be raised there. So what is left is to say which
//! task it is, and to end the process: a test run that hangs tells nothing.

use std::process;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Once, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::report;
use crate::world::{Stuck, World};

/// The simulations that run.
static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

/// How often the watchdog looks.
const TURN: Duration = Duration::from_millis(200);

struct Watched {
    world: Weak<World>,
    /// How many polls there had been when that was last seen to change, and when that was.
    polls: u64,
    since: Instant,
}

/// Has `world` looked after for as long as it lives.
pub(crate) fn watch(world: &Arc<World>) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let thread = thread::Builder::new().name("anyio-sim-watchdog".to_owned());
        // Without it everything works but the report of a blocked poll.
        let _ = thread.spawn(look);
    });
    WATCHED.lock().push(Watched { world: Arc::downgrade(world), polls: 0, since: Instant::now() });
}

fn look() {
    loop {
        thread::sleep(TURN);
        let blocked = {
            let mut watched = WATCHED.lock();
            watched.retain(|watched| watched.world.strong_count() > 0);
            watched.iter_mut().find_map(Watched::is_blocked)
        };
        if let Some(world) = blocked {
            end(&world);
        }
    }
}

impl Watched {
    fn is_blocked(&mut self) -> Option<Arc<World>> {
        let world = self.world.upgrade()?;
        let polls = world.polls.load(Ordering::Relaxed);
        if polls != self.polls || !world.polling.load(Ordering::Relaxed) {
            (self.polls, self.since) = (polls, Instant::now());
        }
        (self.since.elapsed() > world.settings.watchdog).then_some(world)
    }
}

fn end(world: &World) -> ! {
    let why = Stuck::Poll;
    let text = match world.try_lock() {
        Some(state) => report::report(world, &state, &why, state.last.as_ref()),
        None => format!("the simulation cannot go on: {why}, in a call into the simulator"),
    };
    eprintln!("{text}\n  (the watchdog ends the process after {:?}: see Sim::watchdog)", world.settings.watchdog);
    process::abort();
}
