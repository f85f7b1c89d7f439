//! What is left behind when something is cut short.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyio::channel::{self, Receiver};
use anyio::testing::{MemoryStream, Trial, memory_stream_pair};
use anyio::{Event, shield, shield_for, sleep, sync, task_group};
use parking_lot::Mutex;

use super::Version;

/// Takes a moment of the clock.
async fn wait_a_moment() {
    sleep(Duration::from_millis(1)).await;
}

/// Two accounts under one lock.
struct Accounts {
    version: Version,
    balances: sync::Mutex<[i64; 2]>,
}

impl Accounts {
    async fn transfer(&self, amount: i64) {
        let mut balances = self.balances.lock().await;
        if self.version.is_fixed() {
            wait_a_moment().await;
            balances[0] -= amount;
        } else {
            balances[0] -= amount;
            wait_a_moment().await; // writes to the journal
        }
        balances[1] += amount;
    }
}

pub(crate) fn lock_held_over_a_cancelled_await(version: Version) -> Trial<'static> {
    let accounts = Arc::new(Accounts { version, balances: sync::Mutex::new([50, 50]) });
    let transfers = accounts.clone();
    Trial::new(async move {
        let group = task_group(async |tg| {
            for amount in 1..=2 {
                let accounts = transfers.clone();
                tg.spawn(async move { accounts.transfer(amount).await });
            }
        });
        _ = group.await;
    })
    .afterwards(async move { assert_eq!(accounts.balances.lock().await.iter().sum::<i64>(), 100) })
}

pub(crate) fn unbounded_shield(version: Version) -> Trial<'static> {
    Trial::new(async move {
        let (orders, inbox) = channel::bounded(1);
        let (confirms, confirmed) = channel::bounded(1);
        let group = task_group(async |tg| {
            let confirms = confirms.clone();
            tg.spawn(async move {
                let order: u32 = inbox.recv().await.unwrap();
                wait_a_moment().await;
                confirms.send(order).await.unwrap();
            });
            orders.send(1).await.unwrap();
            // Whether the order was taken must be known, cancelled or not.
            let confirmation = confirmed.recv();
            _ = match version {
                Version::Buggy => shield(confirmation).await,
                Version::Fixed => shield_for(Duration::from_secs(1), confirmation).await,
            };
        });
        _ = group.await;
    })
}

/// How many visitors there are.
#[derive(Default)]
struct Visitors(AtomicUsize);

/// Has a visitor leave when it is dropped.
struct Leaves<'a>(&'a Visitors);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Visitors {
    async fn visit(&self, version: Version) {
        self.0.fetch_add(1, Ordering::Relaxed);
        if version.is_fixed() {
            let _leaves = Leaves(self);
            return wait_a_moment().await;
        }
        wait_a_moment().await;
        drop(Leaves(self)); // unless it was cut short
    }
}

pub(crate) fn forgotten_finalizer(version: Version) -> Trial<'static> {
    let visitors = Arc::new(Visitors::default());
    let visited = visitors.clone();
    Trial::new(async move { visited.visit(version).await })
        .afterwards(async move { assert_eq!(visitors.0.load(Ordering::Relaxed), 0, "nobody is left") })
}

/// A seat that is taken until it is released.
struct Seat {
    version: Version,
    free: Arc<AtomicUsize>,
    released: bool,
}

impl Seat {
    fn take(free: Arc<AtomicUsize>, version: Version) -> Self {
        free.fetch_sub(1, Ordering::Relaxed);
        Seat { version, free, released: false }
    }

    async fn release(mut self) {
        self.released = self.version.is_fixed();
        self.free.fetch_add(1, Ordering::Relaxed);
        wait_a_moment().await; // tells those who wait
        self.released = true;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.released {
            self.free.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) fn double_release(version: Version) -> Trial<'static> {
    let free = Arc::new(AtomicUsize::new(3));
    let seats = free.clone();
    Trial::new(async move {
        let seat = Seat::take(seats, version);
        wait_a_moment().await;
        seat.release().await;
    })
    .afterwards(async move { assert_eq!(free.load(Ordering::Relaxed), 3, "seats that are free") })
}

/// Numbers, two by two.
struct Pairs {
    version: Version,
    numbers: Receiver<u32>,
    first: Option<u32>,
}

impl Pairs {
    async fn next(&mut self) -> (u32, u32) {
        if !self.version.is_fixed() {
            return (self.number().await, self.number().await);
        }
        if self.first.is_none() {
            self.first = Some(self.number().await);
        }
        let second = self.number().await;
        (self.first.take().expect("it has come"), second)
    }

    async fn number(&self) -> u32 {
        self.numbers.recv().await.expect("the sender is there")
    }
}

pub(crate) fn message_lost_on_a_cancelled_receive(version: Version) -> Trial<'static> {
    let (sender, numbers) = channel::unbounded();
    let keeps = sender.clone();
    let pairs = Arc::new(sync::Mutex::new(Pairs { version, numbers, first: None }));
    let receives = pairs.clone();
    let sent = Arc::new(AtomicUsize::new(0));
    let sends = sent.clone();
    let received = Arc::new(AtomicUsize::new(0));
    let gets = received.clone();
    Trial::new(async move {
        let group = task_group(async |tg| {
            tg.spawn(async move {
                for number in 0..4 {
                    sender.try_send(number).unwrap();
                    sends.fetch_add(1, Ordering::Relaxed);
                    wait_a_moment().await;
                }
            });
            for _ in 0..2 {
                receives.lock().await.next().await;
                gets.fetch_add(2, Ordering::Relaxed);
            }
        });
        _ = group.await;
    })
    .afterwards(async move {
        let pairs = pairs.lock().await;
        let waiting = std::iter::from_fn(|| pairs.numbers.try_recv().ok()).count();
        let known = received.load(Ordering::Relaxed) + usize::from(pairs.first.is_some()) + waiting;
        assert_eq!(known, sent.load(Ordering::Relaxed), "all that was sent is received, or yet to be");
        drop(keeps);
    })
}

/// Permits that are handed over to those who wait.
struct Permits {
    version: Version,
    state: Mutex<State>,
}

struct State {
    free: usize,
    waiting: VecDeque<Arc<Waiter>>,
}

#[derive(Default)]
struct Waiter {
    granted: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Permits {
    fn acquire(&self) -> Acquire<'_> {
        Acquire { permits: self, waiter: None }
    }

    fn release(&self) {
        let mut state = self.state.lock();
        let Some(waiter) = state.waiting.pop_front() else {
            state.free += 1;
            return;
        };
        drop(state);
        waiter.granted.store(true, Ordering::Release);
        let waker = waiter.waker.lock().take();
        waker.into_iter().for_each(Waker::wake);
    }
}

struct Acquire<'a> {
    permits: &'a Permits,
    waiter: Option<Arc<Waiter>>,
}

impl<'a> Future for Acquire<'a> {
    type Output = Permit<'a>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<'a>> {
        let permits = self.permits;
        if let Some(waiter) = self.waiter.take_if(|waiter| waiter.granted.load(Ordering::Acquire)) {
            drop(waiter);
            return Poll::Ready(Permit(permits));
        }
        let mut state = permits.state.lock();
        if self.waiter.is_none() && state.free > 0 {
            state.free -= 1;
            return Poll::Ready(Permit(permits));
        }
        let waiter = self.waiter.get_or_insert_with(|| {
            let waiter = Arc::<Waiter>::default();
            state.waiting.push_back(waiter.clone());
            waiter
        });
        *waiter.waker.lock() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let Some(waiter) = self.waiter.take() else { return };
        self.permits.state.lock().waiting.retain(|other| !Arc::ptr_eq(other, &waiter));
        if self.permits.version.is_fixed() && waiter.granted.load(Ordering::Acquire) {
            self.permits.release();
        }
    }
}

struct Permit<'a>(&'a Permits);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

pub(crate) fn permit_leaked_by_a_cancelled_wait(version: Version) -> Trial<'static> {
    let state = Mutex::new(State { free: 1, waiting: VecDeque::new() });
    let permits = Arc::new(Permits { version, state });
    let uses = permits.clone();
    Trial::new(async move {
        let group = task_group(async |tg| {
            let holds = uses.clone();
            tg.spawn(async move {
                let permit = holds.acquire().await;
                wait_a_moment().await;
                drop(permit);
                wait_a_moment().await;
            });
            wait_a_moment().await;
            drop(uses.acquire().await);
        });
        _ = group.await;
    })
    .afterwards(async move { assert_eq!(permits.state.lock().free, 1, "permits that are free") })
}

/// A value that the first who asks loads for all.
struct SingleFlight {
    version: Version,
    flight: Mutex<Flight>,
}

#[derive(Clone, Default)]
enum Flight {
    #[default]
    Grounded,
    /// Somebody loads it; the event tells that it is over.
    Flying(Arc<Event>),
    Landed(u32),
}

impl SingleFlight {
    async fn get(&self) -> u32 {
        loop {
            let flight = self.flight.lock().clone();
            match flight {
                Flight::Landed(value) => return value,
                Flight::Flying(over) => over.wait().await,
                Flight::Grounded => self.fly().await,
            }
        }
    }

    async fn fly(&self) {
        let over = Arc::new(Event::new());
        *self.flight.lock() = Flight::Flying(over.clone());
        let _crash = self.version.is_fixed().then(|| Crash(self));
        wait_a_moment().await; // loads it
        *self.flight.lock() = Flight::Landed(7);
        over.set();
    }
}

/// Lets another one try if the flight was cut short.
struct Crash<'a>(&'a SingleFlight);

impl Drop for Crash<'_> {
    fn drop(&mut self) {
        let mut flight = self.0.flight.lock();
        if let Flight::Flying(over) = &*flight {
            let over = over.clone();
            *flight = Flight::Grounded;
            drop(flight);
            over.set();
        }
    }
}

pub(crate) fn single_flight_whose_leader_is_cancelled(version: Version) -> Trial<'static> {
    let value = Arc::new(SingleFlight { version, flight: Mutex::default() });
    let asks = value.clone();
    Trial::new(async move { asks.get().await }).afterwards(async move { assert_eq!(value.get().await, 7) })
}

/// A client of a server that answers one request after the other.
struct Client {
    version: Version,
    connection: MemoryStream,
    number: AtomicU8,
}

impl Client {
    /// Asks the server to say a number, and tells what was asked for and what was answered.
    async fn ask(&self) -> (u8, u8) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.connection.send_all(&[number]).await.unwrap();
        loop {
            let answer = self.connection.receive_some(1).await.unwrap()[0];
            if answer == number || !self.version.is_fixed() {
                return (number, answer);
            }
        }
    }
}

/// Asks while the server is there.
async fn session(client: &Client, server: &Arc<MemoryStream>) {
    let group = task_group(async |tg| {
        let server = server.clone();
        let serves = async move {
            loop {
                let request = server.receive_some(1).await.unwrap();
                server.send_all(&request).await.unwrap();
            }
        };
        tg.task().daemon().spawn(serves);
        let (asked, answered) = client.ask().await;
        assert_eq!(asked, answered, "the answer is that to another request");
    });
    _ = group.await;
}

pub(crate) fn answer_to_the_request_before(version: Version) -> Trial<'static> {
    let (connection, server) = memory_stream_pair();
    let client = Arc::new(Client { version, connection, number: AtomicU8::new(0) });
    let server = Arc::new(server);
    let (asks, serves) = (client.clone(), server.clone());
    Trial::new(async move { session(&asks, &serves).await }).afterwards(async move { session(&client, &server).await })
}
