//! [`Pipe`]: one direction of a connection in memory.
//!
//! # Invariants
//!
//! 1. **One lock** for both directions of a connection: they break off together.
//! 2. **Pending means nothing.** An operation that is pending has moved no byte; those that it moves, it moves in the poll
//!    in which it is ready. So one that is dropped has lost nothing.
//! 3. In lockstep bytes go into the buffer only while a receive waits that asked for as many.
//! 4. Wakers are woken and dropped without the lock, as everywhere (see [`line`](crate::line)).

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::lock::Mutex;

use super::StreamError;
use super::faults::{Hook, Plan};
use crate::line::{Wakes, change};

/// Which end of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Send,
    Receive,
}

/// How many bytes may be on their way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Capacity {
    Unlimited,
    Bounded(usize),
    /// As many as the other end waits for.
    Lockstep,
}

/// An end of a pipe.
#[derive(Clone)]
pub(super) struct End {
    wire: Arc<Mutex<Wire>>,
    pipe: usize,
    side: Side,
}

/// The pipes of a connection.
struct Wire {
    pipes: Vec<Pipe>,
}

struct Pipe {
    capacity: Capacity,
    /// Sent and not received.
    buffer: VecDeque<u8>,
    /// Nothing more will be sent.
    is_ended: bool,
    /// Nothing more will be received.
    is_abandoned: bool,
    /// The connection broke off. What is in the buffer is received all the same.
    is_cut: bool,
    /// What was in the buffer has gone with the end that it was for.
    has_lost: bool,
    /// How much a receive that waits has asked for.
    wanted: Option<usize>,
    /// Whom to wake.
    wakers: PerSide<Option<std::task::Waker>>,
    /// What is to go wrong.
    plans: PerSide<Plan>,
}

#[derive(Default)]
struct PerSide<T> {
    send: T,
    receive: T,
}

impl<T> PerSide<T> {
    fn at(&mut self, side: Side) -> &mut T {
        match side {
            Side::Send => &mut self.send,
            Side::Receive => &mut self.receive,
        }
    }
}

/// A connection with that many directions; the ends of each, to send and to receive.
pub(super) fn connect<const DIRECTIONS: usize>(capacity: Capacity) -> [(End, End); DIRECTIONS] {
    let pipes = (0..DIRECTIONS).map(|_| Pipe::new(capacity)).collect();
    let wire = Arc::new(Mutex::new(Wire { pipes }));
    std::array::from_fn(|pipe| {
        let end = |side| End { wire: wire.clone(), pipe, side };
        (end(Side::Send), end(Side::Receive))
    })
}

impl End {
    pub(super) fn side(&self) -> Side {
        self.side
    }

    /// Moves bytes into the pipe, at least one unless there are none.
    pub(super) fn poll_send(&self, bytes: &[u8], cx: &Context<'_>) -> Poll<Result<usize, StreamError>> {
        change(&self.wire, |wire, wakes| {
            let polled = wire.pipes[self.pipe].poll_send(bytes, cx, wakes);
            wire.cut_if_due(self, wakes);
            polled
        })
    }

    /// Moves bytes out of the pipe; none at the end of the stream.
    pub(super) fn poll_receive(&self, max: usize, cx: &Context<'_>) -> Poll<Result<Vec<u8>, StreamError>> {
        change(&self.wire, |wire, wakes| {
            wire.pipes[self.pipe].lose(wakes);
            wire.cut_if_due(self, wakes);
            let polled = wire.pipes[self.pipe].poll_receive(max, cx, wakes);
            wire.cut_if_due(self, wakes);
            polled
        })
    }

    /// Ready when what was handed over in lockstep has been received.
    pub(super) fn poll_received(&self, cx: &Context<'_>) -> Poll<Result<(), StreamError>> {
        change(&self.wire, |wire, wakes| wire.pipes[self.pipe].poll_received(cx, wakes))
    }

    /// Closes this end.
    pub(super) fn close(&self) {
        change(&self.wire, |wire, wakes| wire.pipes[self.pipe].close(self.side, wakes));
    }

    pub(super) fn is_closed(&self) -> bool {
        let pipe = &self.wire.lock().pipes[self.pipe];
        match self.side {
            Side::Send => pipe.is_ended,
            Side::Receive => pipe.is_abandoned,
        }
    }

    /// Does what has to be done before an operation.
    pub(super) fn start(&self) -> impl Future<Output = Result<(), StreamError>> + Send + use<> {
        let end = self.clone();
        async move {
            end.hook(|plan| &plan.before_each).await;
            end.plan(Plan::begin_operation)
        }
    }

    /// Does what has to be done before this end is closed.
    pub(super) fn start_closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let end = self.clone();
        async move { end.hook(|plan| &plan.before_close).await }
    }

    /// Closes this end, unless it is closed, after what has to be done before.
    pub(super) async fn start_and_close(&self) {
        if !self.is_closed() {
            self.start_closing().await;
            self.close();
        }
    }

    async fn hook(&self, which: impl FnOnce(&Plan) -> &Option<Hook>) {
        let hook = self.plan(|plan| which(plan).clone());
        if let Some(hook) = hook {
            hook().await;
        }
    }

    /// Looks at, or changes, what is to go wrong at this end. Whatever is replaced has to be returned, not dropped.
    pub(super) fn plan<R>(&self, act: impl FnOnce(&mut Plan) -> R) -> R {
        change(&self.wire, |wire, wakes| {
            let result = act(wire.pipes[self.pipe].plans.at(self.side));
            wire.cut_if_due(self, wakes);
            result
        })
    }

    /// Until it is dropped, an operation waits at this end.
    pub(super) fn waiting(&self) -> Waiting<'_> {
        Waiting { end: self }
    }

    /// Waits until `poll` is ready, and takes the waiter back if it is dropped before.
    pub(super) async fn wait<T>(&self, poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let _waiting = self.waiting();
        poll_fn(poll).await
    }
}

/// An operation that may wait at an end.
pub(super) struct Waiting<'a> {
    end: &'a End,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        change(&self.end.wire, |wire, wakes| {
            let pipe = &mut wire.pipes[self.end.pipe];
            wakes.discard_some(pipe.wakers.at(self.end.side).take());
            if self.end.side == Side::Receive {
                pipe.wanted = None;
            }
        });
    }
}

impl Wire {
    fn cut_if_due(&mut self, end: &End, wakes: &mut Wakes) {
        let at_fault = &mut self.pipes[end.pipe];
        if !at_fault.plans.at(end.side).is_cut_due() {
            return;
        }
        if end.side == Side::Receive {
            at_fault.forget_buffer();
        }
        for pipe in &mut self.pipes {
            pipe.is_cut = true;
            pipe.wake_both(wakes);
        }
    }
}

impl Pipe {
    fn new(capacity: Capacity) -> Self {
        Pipe {
            capacity,
            buffer: VecDeque::new(),
            is_ended: false,
            is_abandoned: false,
            is_cut: false,
            has_lost: false,
            wanted: None,
            wakers: PerSide::default(),
            plans: PerSide::default(),
        }
    }

    fn poll_send(&mut self, bytes: &[u8], cx: &Context<'_>, wakes: &mut Wakes) -> Poll<Result<usize, StreamError>> {
        self.may_send()?;
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let plan = &mut self.plans.send;
        let allowed = plan.allowed(bytes.len());
        let lost = plan.lose(allowed);
        if lost > 0 {
            return Poll::Ready(Ok(lost));
        }
        let sent = allowed.min(self.room());
        if sent == 0 {
            self.wait(Side::Send, cx, wakes);
            return Poll::Pending;
        }
        self.buffer.extend(&bytes[..sent]);
        self.plans.send.passed(sent);
        wakes.extend(self.wakers.receive.take());
        Poll::Ready(Ok(sent))
    }

    fn may_send(&self) -> Result<(), StreamError> {
        match self {
            Pipe { is_ended: true, .. } => Err(StreamError::Closed),
            Pipe { is_cut: true, .. } => Err(StreamError::Reset),
            Pipe { is_abandoned: true, .. } => Err(StreamError::Broken),
            _ => Ok(()),
        }
    }

    fn room(&self) -> usize {
        match self.capacity {
            Capacity::Unlimited => usize::MAX,
            Capacity::Bounded(capacity) => capacity.saturating_sub(self.buffer.len()),
            Capacity::Lockstep if self.buffer.is_empty() => self.wanted.unwrap_or(0),
            Capacity::Lockstep => 0,
        }
    }

    fn poll_receive(&mut self, max: usize, cx: &Context<'_>, wakes: &mut Wakes) -> Poll<Result<Vec<u8>, StreamError>> {
        if self.is_abandoned {
            return Poll::Ready(Err(StreamError::Closed));
        }
        let allowed = self.plans.receive.allowed(max);
        let received: Vec<_> = self.buffer.drain(..allowed.min(self.buffer.len())).collect();
        if !received.is_empty() || max == 0 {
            self.wanted = None;
            self.plans.receive.passed(received.len());
            wakes.extend(self.wakers.send.take());
            return Poll::Ready(Ok(received));
        }
        if self.is_cut {
            return Poll::Ready(Err(StreamError::Reset));
        }
        if self.is_ended {
            return Poll::Ready(Ok(Vec::new()));
        }
        self.wanted = Some(allowed);
        wakes.extend(self.wakers.send.take());
        self.wait(Side::Receive, cx, wakes);
        Poll::Pending
    }

    /// Drops what the receiving end is to lose.
    fn lose(&mut self, wakes: &mut Wakes) {
        let plan = &mut self.plans.receive;
        let arrived = plan.allowed_to_pass(self.buffer.len());
        let lost = plan.lose(arrived);
        if lost > 0 {
            self.buffer.drain(..lost);
            wakes.extend(self.wakers.send.take());
        }
    }

    fn poll_received(&mut self, cx: &Context<'_>, wakes: &mut Wakes) -> Poll<Result<(), StreamError>> {
        if self.has_lost {
            return Poll::Ready(Err(if self.is_cut { StreamError::Reset } else { StreamError::Broken }));
        }
        if !matches!(self.capacity, Capacity::Lockstep) || self.buffer.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.wait(Side::Send, cx, wakes);
        Poll::Pending
    }

    fn close(&mut self, side: Side, wakes: &mut Wakes) {
        match side {
            Side::Send => self.is_ended = true,
            Side::Receive => {
                self.is_abandoned = true;
                self.forget_buffer();
            }
        }
        self.wake_both(wakes);
    }

    fn forget_buffer(&mut self) {
        self.has_lost |= !self.buffer.is_empty();
        self.buffer = VecDeque::new();
    }

    fn wait(&mut self, side: Side, cx: &Context<'_>, wakes: &mut Wakes) {
        let known = self.wakers.at(side);
        if !known.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            wakes.discard_some(known.replace(cx.waker().clone()));
        }
    }

    fn wake_both(&mut self, wakes: &mut Wakes) {
        wakes.extend(self.wakers.send.take());
        wakes.extend(self.wakers.receive.take());
    }
}
