//! What both ends of a channel share, and how it changes.
//!
//! # Invariants
//!
//! 1. `claimed` counts the receivers that were told to fetch an item and have not done so; `claimed <= buffer.len()`.
//!    Receivers that stand in line mean that every item is claimed. Items leave the buffer only by being received, so they
//!    come out in order, and a receiver that is dropped before it has fetched its item has taken nothing.
//! 2. `reserved` counts the slots that were promised: to senders that were told to go on, and to permits. Senders that
//!    stand in line mean that there is no [room](State::has_room).
//! 3. A channel without a buffer has room for as many items as receivers wait who were promised none. An item is in its
//!    buffer only between a sender that found a receiver waiting and that receiver, or the next if that one gives up. So
//!    it is the sender that sends, in a poll of its own: one that is dropped before has sent nothing. Senders stand in
//!    line with their items all the same, for those to fetch who do not wait.
//! 4. `senders` and `receivers` count open handles, and never rise again from 0. Without receivers there is no item and no
//!    sender in line. Without senders and items there is no receiver in line.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::mem;

use super::error::{RecvError, SendError, TryRecvError, TrySendError};
use crate::line::{Key, Left, Visitor, Waiters, Wakes};

pub(super) struct State<T> {
    buffer: VecDeque<T>,
    /// How many items may be in the buffer; `None`: any number.
    capacity: Option<usize>,
    reserved: usize,
    /// How many of these were granted to senders that stood in line and have not noticed yet.
    granted: usize,
    claimed: usize,
    /// The most items that were in the buffer at a time.
    peak: usize,
    senders: usize,
    receivers: usize,
    /// The number of the next handle.
    next_handle: u64,
    sending: Waiters<Sending<T>, Sent<T>>,
    receiving: Waiters<u64, Received>,
}

/// A sender in line. The number is that of its handle.
pub(super) enum Sending<T> {
    /// With an item, for a receiver to fetch.
    Item(u64, T),
    /// For a slot.
    Slot(u64),
}

/// What a sender was served with.
pub(super) enum Sent<T> {
    /// A slot, which is reserved for it, and its item if that was in line.
    Slot(Option<T>),
    /// Its item was fetched.
    Fetched,
    /// There is nobody left to send to, or its handle was closed.
    Refused(Refusal, Option<T>),
}

/// Why nothing can be sent.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    Closed,
    Disconnected,
}

/// What a receiver was served with.
pub(super) enum Received {
    /// One of the items in the buffer, which is claimed for it.
    Claim,
    /// None, ever.
    End(RecvError),
}

impl Refusal {
    pub(super) fn error<T>(self, item: T) -> SendError<T> {
        match self {
            Refusal::Closed => SendError::Closed(item),
            Refusal::Disconnected => SendError::Disconnected(item),
        }
    }
}

/// One end's own: which handle it is, and whether that was closed. Changes under the lock.
#[derive(Clone, Copy)]
pub(super) struct Handle {
    pub(super) number: u64,
    pub(super) is_closed: bool,
}

impl<T> State<T> {
    pub(super) fn new(capacity: Option<usize>) -> Self {
        State {
            buffer: VecDeque::new(),
            capacity,
            reserved: 0,
            granted: 0,
            claimed: 0,
            peak: 0,
            senders: 0,
            receivers: 0,
            next_handle: 0,
            sending: Waiters::new(),
            receiving: Waiters::new(),
        }
    }

    pub(super) fn statistics(&self) -> super::Statistics {
        super::Statistics {
            capacity: self.capacity,
            buffered: self.buffer.len(),
            peak_buffered: self.peak,
            open_senders: self.senders,
            open_receivers: self.receivers,
            tasks_waiting_to_send: self.sending.len(),
            tasks_waiting_to_receive: self.receiving.len(),
        }
    }

    pub(super) fn open_sender(&mut self) -> u64 {
        self.senders += 1;
        self.number()
    }

    pub(super) fn open_receiver(&mut self) -> u64 {
        self.receivers += 1;
        self.number()
    }

    fn number(&mut self) -> u64 {
        self.next_handle += 1;
        self.next_handle
    }

    /// Refuses what waits to send through this handle. Takes a time that grows with the line.
    pub(super) fn refuse_sender(&mut self, number: u64, wakes: &mut Wakes) {
        let own = |sending: &Sending<T>| match sending {
            Sending::Item(of, _) | Sending::Slot(of) => *of == number,
        };
        self.sending.serve_some(own, |sending| refused(Refusal::Closed, sending), wakes);
    }

    /// Refuses what waits to receive through this handle. Takes a time that grows with the line.
    pub(super) fn refuse_receiver(&mut self, number: u64, wakes: &mut Wakes) {
        self.receiving.serve_some(|of| *of == number, |_| Received::End(RecvError::Closed), wakes);
    }

    /// One sender is gone.
    pub(super) fn close_sender(&mut self, wakes: &mut Wakes) {
        self.senders -= 1;
        self.end_if_over(wakes);
    }

    /// One receiver is gone; what is returned is to be dropped without the lock.
    pub(super) fn close_receiver(&mut self, wakes: &mut Wakes) -> VecDeque<T> {
        self.receivers -= 1;
        if self.receivers > 0 {
            return VecDeque::new();
        }
        self.claimed = 0;
        self.sending.serve_some(|_| true, |sending| refused(Refusal::Disconnected, sending), wakes);
        mem::take(&mut self.buffer)
    }

    /// Why nothing can be sent through this handle, if so.
    pub(super) fn refusal(&self, handle: Handle) -> Option<Refusal> {
        match (handle.is_closed, self.receivers) {
            (true, _) => Some(Refusal::Closed),
            (false, 0) => Some(Refusal::Disconnected),
            _ => None,
        }
    }

    /// Whether an item may be sent, or a slot promised, with nobody ahead.
    fn has_room(&self) -> bool {
        match self.capacity {
            None => true,
            Some(0) => self.receiving.len() > self.reserved,
            Some(capacity) => self.buffer.len() + self.reserved < capacity,
        }
    }

    fn is_rendezvous(&self) -> bool {
        self.capacity == Some(0)
    }

    #[inline]
    pub(super) fn try_send(&mut self, item: T, handle: Handle, wakes: &mut Wakes) -> Result<(), TrySendError<T>> {
        match self.refusal(handle) {
            Some(refusal) => Err(refusal.error(item).into()),
            None if self.sending.is_empty() && self.has_room() => {
                self.push(item, wakes);
                Ok(())
            }
            None => Err(TrySendError::Full(item)),
        }
    }

    pub(super) fn try_reserve(&mut self, handle: Handle) -> Result<(), TrySendError<()>> {
        match self.refusal(handle) {
            Some(refusal) => Err(refusal.error(()).into()),
            None if self.sending.is_empty() && self.has_room() => {
                self.reserved += 1;
                Ok(())
            }
            None => Err(TrySendError::Full(())),
        }
    }

    #[inline]
    pub(super) fn try_recv(&mut self, handle: Handle, wakes: &mut Wakes) -> Result<T, TryRecvError> {
        if handle.is_closed {
            return Err(TryRecvError::Closed);
        }
        if self.buffer.len() > self.claimed {
            return Ok(self.fetch(wakes));
        }
        if self.is_over() { Err(TryRecvError::EndOfStream) } else { Err(TryRecvError::Empty) }
    }

    /// The item of the first sender in line, if that is in line with it: where there is no buffer. Not while there are
    /// items before it, or receivers: those that wait, a sender that was told to go on, an item on its way.
    pub(super) fn try_fetch_from_line(&mut self, wakes: &mut Wakes) -> Option<T> {
        if !self.receiving.is_empty() || self.granted > 0 || !self.buffer.is_empty() {
            return None;
        }
        let Some(Sending::Item(..)) = self.sending.front() else { return None };
        match self.sending.serve(Sent::Fetched, wakes) {
            Some(Sending::Item(_, item)) => Some(item),
            _ => unreachable!("looked at above"),
        }
    }

    /// A slot that was promised is not needed.
    pub(super) fn give_slot_back(&mut self, wakes: &mut Wakes) {
        self.reserved -= 1;
        self.admit(wakes);
    }

    /// Uses a slot that was promised, unless nobody is left to receive.
    pub(super) fn send_reserved(&mut self, item: T, handle: Handle, wakes: &mut Wakes) -> Result<(), SendError<T>> {
        self.reserved -= 1;
        if let Some(refusal) = self.refusal(handle) {
            self.admit(wakes);
            return Err(refusal.error(item));
        }
        self.push(item, wakes);
        Ok(())
    }

    #[inline]
    fn push(&mut self, item: T, wakes: &mut Wakes) {
        self.buffer.push_back(item);
        self.peak = self.peak.max(self.buffer.len());
        self.offer(wakes);
    }

    /// Has receivers in line fetch what nobody has claimed.
    #[inline]
    fn offer(&mut self, wakes: &mut Wakes) {
        while !self.receiving.is_empty()
            && self.claimed < self.buffer.len()
            && self.receiving.serve(Received::Claim, wakes).is_some()
        {
            self.claimed += 1;
        }
    }

    /// A receiver does not fetch the item that it has claimed, which is offered again.
    fn unclaim(&mut self, wakes: &mut Wakes) {
        if self.receivers > 0 {
            self.claimed -= 1;
            self.offer(wakes);
        }
    }

    /// A receiver leaves the line, or does not fetch what it has claimed.
    pub(super) fn stop_receiving(&mut self, key: Key, wakes: &mut Wakes) {
        if let Left::Grant(Received::Claim) = self.receiving.leave(key, wakes) {
            self.unclaim(wakes);
        }
    }

    /// Takes the first item out of the buffer, which is not empty.
    #[inline]
    fn fetch(&mut self, wakes: &mut Wakes) -> T {
        let item = self.buffer.pop_front().expect("looked at before");
        self.admit(wakes);
        self.end_if_over(wakes);
        item
    }

    /// Lets senders in line go on as far as there is room.
    #[inline]
    fn admit(&mut self, wakes: &mut Wakes) {
        while !self.sending.is_empty() && self.has_room() {
            self.reserved += 1;
            self.granted += 1;
            let slot = |sending| match sending {
                Sending::Slot(_) => Sent::Slot(None),
                Sending::Item(_, item) => Sent::Slot(Some(item)),
            };
            self.sending.serve_with(slot, wakes);
        }
    }

    /// Whether no item will ever come.
    pub(super) fn is_over(&self) -> bool {
        self.senders == 0 && self.buffer.is_empty()
    }

    fn end_if_over(&mut self, wakes: &mut Wakes) {
        if self.is_over() {
            self.receiving.serve_some(|_| true, |_| Received::End(RecvError::EndOfStream), wakes);
        }
    }
}

fn refused<T>(refusal: Refusal, sending: Sending<T>) -> Sent<T> {
    match sending {
        Sending::Item(_, item) => Sent::Refused(refusal, Some(item)),
        Sending::Slot(_) => Sent::Refused(refusal, None),
    }
}

/// Wants to send an item.
pub(super) struct Send<'a, T, H> {
    pub(super) item: Option<T>,
    pub(super) handle: &'a H,
}

impl<T, H> Unpin for Send<'_, T, H> {}

/// Wants a slot for an item.
pub(super) struct Reserve<'a, T, H> {
    pub(super) handle: &'a H,
    pub(super) item: PhantomData<fn() -> T>,
}

/// Wants an item.
pub(super) struct Receive<T, H> {
    pub(super) handle: H,
    pub(super) item: PhantomData<fn() -> T>,
}

/// What knows its [`Handle`]. Asked under the lock.
pub(super) trait Numbered {
    fn handle(&self) -> Handle;

    /// Where this handle stands in line as a stream that is not being polled. It stands there no longer.
    fn take_stream_key(&self) -> Option<Key> {
        None
    }
}

impl Numbered for Handle {
    fn handle(&self) -> Handle {
        *self
    }
}

const ITEM: &str = "the item is in one place";

impl<T, H: Numbered> Visitor for Send<'_, T, H> {
    type State = State<T>;
    type Want = Sending<T>;
    type Grant = Sent<T>;
    type Output = Result<(), SendError<T>>;

    fn line(state: &mut State<T>) -> &mut Waiters<Sending<T>, Sent<T>> {
        &mut state.sending
    }

    fn try_now(&mut self, state: &mut State<T>, wakes: &mut Wakes) -> Option<Self::Output> {
        let item = self.item.take().expect(ITEM);
        match state.try_send(item, self.handle.handle(), wakes) {
            Ok(()) => Some(Ok(())),
            Err(TrySendError::Full(item)) => {
                self.item = Some(item);
                None
            }
            Err(TrySendError::Closed(item)) => Some(Err(SendError::Closed(item))),
            Err(TrySendError::Disconnected(item)) => Some(Err(SendError::Disconnected(item))),
        }
    }

    fn want(&mut self, state: &mut State<T>) -> Sending<T> {
        let number = self.handle.handle().number;
        if !state.is_rendezvous() {
            return Sending::Slot(number);
        }
        Sending::Item(number, self.item.take().expect(ITEM))
    }

    fn collect(&mut self, state: &mut State<T>, sent: Sent<T>, wakes: &mut Wakes) -> Self::Output {
        match sent {
            Sent::Fetched => Ok(()),
            Sent::Slot(item) => {
                state.granted -= 1;
                let item = item.or(self.item.take()).expect(ITEM);
                state.send_reserved(item, self.handle.handle(), wakes)
            }
            Sent::Refused(refusal, item) => Err(refusal.error(item.or(self.item.take()).expect(ITEM))),
        }
    }

    fn give_up(&mut self, state: &mut State<T>, left: &Left<Sending<T>, Sent<T>>, wakes: &mut Wakes) {
        if let Left::Grant(Sent::Slot(_)) = left {
            state.granted -= 1;
            state.give_slot_back(wakes);
        }
    }
}

impl<T, H: Numbered> Visitor for Reserve<'_, T, H> {
    type State = State<T>;
    type Want = Sending<T>;
    type Grant = Sent<T>;
    type Output = Result<(), SendError<()>>;

    fn line(state: &mut State<T>) -> &mut Waiters<Sending<T>, Sent<T>> {
        &mut state.sending
    }

    fn try_now(&mut self, state: &mut State<T>, _wakes: &mut Wakes) -> Option<Self::Output> {
        match state.try_reserve(self.handle.handle()) {
            Ok(()) => Some(Ok(())),
            Err(TrySendError::Full(())) => None,
            Err(TrySendError::Closed(())) => Some(Err(SendError::Closed(()))),
            Err(TrySendError::Disconnected(())) => Some(Err(SendError::Disconnected(()))),
        }
    }

    fn want(&mut self, _state: &mut State<T>) -> Sending<T> {
        Sending::Slot(self.handle.handle().number)
    }

    fn collect(&mut self, state: &mut State<T>, sent: Sent<T>, wakes: &mut Wakes) -> Self::Output {
        match sent {
            Sent::Refused(refusal, _) => Err(refusal.error(())),
            Sent::Fetched => unreachable!("there was no item"),
            Sent::Slot(_) => {
                state.granted -= 1;
                match state.refusal(self.handle.handle()) {
                    None => Ok(()),
                    Some(refusal) => {
                        state.give_slot_back(wakes);
                        Err(refusal.error(()))
                    }
                }
            }
        }
    }

    fn give_up(&mut self, state: &mut State<T>, left: &Left<Sending<T>, Sent<T>>, wakes: &mut Wakes) {
        if let Left::Grant(Sent::Slot(_)) = left {
            state.granted -= 1;
            state.give_slot_back(wakes);
        }
    }
}

impl<T, H: Numbered> Visitor for Receive<T, H> {
    type State = State<T>;
    type Want = u64;
    type Grant = Received;
    type Output = Result<T, RecvError>;

    fn line(state: &mut State<T>) -> &mut Waiters<u64, Received> {
        &mut state.receiving
    }

    fn try_now(&mut self, state: &mut State<T>, wakes: &mut Wakes) -> Option<Self::Output> {
        if let Some(key) = self.handle.take_stream_key() {
            state.stop_receiving(key, wakes);
        }
        match state.try_recv(self.handle.handle(), wakes) {
            Ok(item) => Some(Ok(item)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::EndOfStream) => Some(Err(RecvError::EndOfStream)),
            Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        }
    }

    fn want(&mut self, _state: &mut State<T>) -> u64 {
        self.handle.handle().number
    }

    /// There may be room for a sender now (invariant 3).
    fn joined(&mut self, state: &mut State<T>, wakes: &mut Wakes) {
        state.admit(wakes);
    }

    fn collect(&mut self, state: &mut State<T>, received: Received, wakes: &mut Wakes) -> Self::Output {
        match received {
            Received::End(error) => Err(error),
            Received::Claim if state.receivers == 0 => Err(RecvError::Closed),
            Received::Claim => {
                state.claimed -= 1;
                Ok(state.fetch(wakes))
            }
        }
    }

    fn give_up(&mut self, state: &mut State<T>, left: &Left<u64, Received>, wakes: &mut Wakes) {
        if let Left::Grant(Received::Claim) = left {
            state.unclaim(wakes);
        }
    }
}
