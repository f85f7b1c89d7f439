//! What happens when others come in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyio::sync::{self, OnceCell};
use anyio::{TaskGroup, task_group};
use parking_lot::Mutex;

use super::{Version, round_trip, round_trips};

/// A value that is loaded when it is asked for.
struct Cache {
    version: Version,
    loads: AtomicUsize,
    value: Mutex<Option<u32>>,
    /// What is loaded once, in place of the above.
    once: OnceCell<u32>,
}

impl Cache {
    async fn get(&self) -> u32 {
        if self.version.is_fixed() {
            return *self.once.get_or_init(async || self.load().await).await;
        }
        let cached = *self.value.lock();
        if let Some(value) = cached {
            return value;
        }
        let value = self.load().await;
        *self.value.lock().insert(value)
    }

    async fn load(&self) -> u32 {
        self.loads.fetch_add(1, Ordering::Relaxed);
        round_trip().await;
        7
    }
}

pub(crate) async fn check_then_act(version: Version) {
    let (loads, value, once) = (AtomicUsize::new(0), Mutex::default(), OnceCell::new());
    let cache = Arc::new(Cache { version, loads, value, once });
    let group = task_group(async |tg| {
        for client in 0..3 {
            let cache = cache.clone();
            tg.spawn(async move {
                round_trips(2 * client).await; // logs in
                assert_eq!(cache.get().await, 7);
            });
        }
    });
    group.await.unwrap();
    assert_eq!(cache.loads.load(Ordering::Relaxed), 1, "it is loaded once");
}

pub(crate) async fn order_dependence(version: Version) {
    let port = Arc::new(OnceCell::new());
    let group = task_group(async |tg| {
        let loads = port.clone();
        tg.spawn(async move { loads.set(8080).unwrap() });
        let listens = port.clone();
        tg.spawn(async move {
            let port = match version {
                Version::Buggy => *listens.get().expect("the configuration is loaded"),
                Version::Fixed => *listens.wait().await,
            };
            assert_eq!(port, 8080);
        });
    });
    group.await.unwrap();
}

/// A stack of free slots in a store that is changed by compare-and-set.
struct FreeList {
    version: Version,
    store: Mutex<Store>,
    /// Which slots are in use.
    used: [AtomicBool; SLOTS],
}

const SLOTS: usize = 3;

#[derive(Clone, Copy)]
struct Store {
    head: Option<usize>,
    next: [Option<usize>; SLOTS],
    /// How often it was changed.
    revision: u64,
}

impl FreeList {
    fn new(version: Version) -> Self {
        let store = Store { head: Some(0), next: [Some(1), Some(2), None], revision: 0 };
        FreeList { version, store: Mutex::new(store), used: Default::default() }
    }

    async fn take(&self) -> Option<usize> {
        loop {
            let seen = *self.store.lock();
            let slot = seen.head?;
            if self.compare_and_set(&seen, seen.next[slot]).await {
                assert!(!self.used[slot].swap(true, Ordering::AcqRel), "slot {slot} is given to two");
                return Some(slot);
            }
        }
    }

    async fn put_back(&self, slot: usize) {
        self.used[slot].store(false, Ordering::Release);
        loop {
            let seen = {
                let mut store = self.store.lock();
                store.next[slot] = store.head;
                *store
            };
            if self.compare_and_set(&seen, Some(slot)).await {
                return;
            }
        }
    }

    async fn compare_and_set(&self, seen: &Store, head: Option<usize>) -> bool {
        round_trip().await;
        let mut store = self.store.lock();
        let is_same = match self.version {
            Version::Buggy => store.head == seen.head,
            Version::Fixed => store.revision == seen.revision,
        };
        if is_same {
            (store.head, store.revision) = (head, store.revision + 1);
        }
        is_same
    }
}

pub(crate) async fn aba_in_a_pool(version: Version) {
    let slots = Arc::new(FreeList::new(version));
    let group = task_group(async |tg| {
        for _ in 0..2 {
            let slots = slots.clone();
            tg.spawn(async move {
                let (one, other) = (slots.take().await, slots.take().await);
                for slot in one.into_iter().chain(other) {
                    slots.put_back(slot).await;
                    round_trips(3).await; // uses the other one
                }
            });
        }
    });
    group.await.unwrap();
}

/// Accounts that are locked one by one.
struct Bank {
    version: Version,
    accounts: [sync::Mutex<i64>; 2],
}

impl Bank {
    async fn transfer(&self, from: usize, to: usize) {
        let (first, second) = if self.version.is_fixed() { (from.min(to), from.max(to)) } else { (from, to) };
        let first_guard = self.accounts[first].lock().await;
        round_trip().await; // checks the account
        let second_guard = self.accounts[second].lock().await;
        let (mut debit, mut credit) =
            if first == from { (first_guard, second_guard) } else { (second_guard, first_guard) };
        *debit -= 1;
        *credit += 1;
    }
}

pub(crate) async fn deadlock_by_lock_order(version: Version) {
    let bank = Arc::new(Bank { version, accounts: [sync::Mutex::new(10), sync::Mutex::new(10)] });
    let group = task_group(async |tg| {
        for (from, to) in [(0, 1), (1, 0)] {
            let bank = bank.clone();
            tg.spawn(async move {
                round_trips(2 * from).await; // reads the order
                bank.transfer(from, to).await;
            });
        }
    });
    group.await.unwrap();
}

/// Messages that are accepted until it is closed.
struct Outbox {
    version: Version,
    state: Mutex<Messages>,
}

#[derive(Default)]
struct Messages {
    queued: Vec<u32>,
    closed: bool,
}

impl Outbox {
    /// Whether the message was accepted: then it will be delivered.
    async fn send(&self, message: u32) -> bool {
        if self.state.lock().closed {
            return false;
        }
        round_trip().await; // encodes it
        let mut state = self.state.lock();
        if self.version.is_fixed() && state.closed {
            return false;
        }
        state.queued.push(message);
        true
    }

    /// What is to be delivered.
    fn close(&self) -> Vec<u32> {
        let mut state = self.state.lock();
        state.closed = true;
        std::mem::take(&mut state.queued)
    }
}

pub(crate) async fn close_and_send_race(version: Version) {
    let outbox = Arc::new(Outbox { version, state: Mutex::default() });
    let group = task_group(async |tg| {
        let sends = outbox.clone();
        let accepted = tg.spawn(async move {
            let mut accepted = Vec::new();
            for message in 0..2 {
                if sends.send(message).await {
                    accepted.push(message);
                }
            }
            accepted
        });
        let closes = outbox.clone();
        let delivered = tg.spawn(async move {
            round_trips(4).await;
            closes.close()
        });
        assert_eq!(accepted.value().await, delivered.value().await, "what is accepted is delivered");
    });
    group.await.unwrap();
}

/// What a node turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Leader,
    Follower,
}

/// Nodes of which one leads at a time.
#[derive(Clone)]
struct Cluster {
    version: Version,
    leads: Arc<sync::Mutex<()>>,
}

impl Cluster {
    /// Starts a node in `group`, and waits until it knows what it is.
    async fn join(&self, group: &TaskGroup) -> Role {
        let cluster = self.clone();
        let node = group.start(|started| async move {
            let Ok(_leads) = cluster.leads.try_lock() else {
                if cluster.version.is_fixed() {
                    _ = started.started(Role::Follower);
                }
                return;
            };
            round_trip().await; // loads what a leader has to know
            _ = started.started(Role::Leader);
        });
        node.await.expect("a node that joins becomes something")
    }
}

pub(crate) async fn start_without_started(version: Version) {
    let cluster = Cluster { version, leads: Arc::default() };
    let group = task_group(async |tg| {
        for node in 0..2 {
            let (cluster, group) = (cluster.clone(), tg.clone());
            tg.spawn(async move {
                round_trips(8 * node).await; // finds the others
                cluster.join(&group).await;
            });
        }
    });
    group.await.unwrap();
}
