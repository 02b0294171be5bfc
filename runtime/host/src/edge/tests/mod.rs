//! An edge by itself: a model of its promises, and threads that try to break them.

mod model;
mod threads;

use super::{Edge, Limits, Station};
use crate::batch::{Held, checked};
use crate::route::Outlet;
use crate::settle::{Claim, Ledger, RejectRoute};
use crate::testing::{Made, made, payloads, seat};
use pipeline_abi::PlBatch;
use std::sync::Arc;

/// An edge whose consumer is the test.
struct Bare {
    edge: Arc<Edge>,
    ledger: Arc<Ledger>,
}

impl Bare {
    fn new(messages: u64, bytes: u64) -> Self {
        let (seat, _told) = seat("out");
        let station = Station::new(seat, Outlet::default(), RejectRoute::Drop);
        let edge = Edge::new("in".into(), station.clone(), Limits { messages, bytes });
        station.set_inputs(std::slice::from_ref(&edge));
        Bare {
            edge,
            ledger: Arc::default(),
        }
    }

    fn push<S: AsRef<str>>(&self, texts: &[S]) -> Arc<Made> {
        let (batch, log) = made(texts);
        // SAFETY: just made, and the reference is the edge's from now on.
        let (view, held) = unsafe {
            (
                checked(batch).unwrap(),
                Held::adopt(batch, Some(self.ledger.clone())),
            )
        };
        self.ledger.take(view.len());
        self.edge.push(view, Claim::batch(held));
        log
    }

    fn receive(&self, max: usize) -> Vec<Received> {
        let mut room = vec![std::ptr::null(); max];
        let count = self.edge.receive(&mut room).max(0) as usize;
        room.into_iter().take(count).map(Received).collect()
    }
}

/// A reference of the consumer's.
struct Received(*const PlBatch);

// SAFETY: a batch's functions may be called on any thread.
unsafe impl Send for Received {}

impl Received {
    fn payloads(&self) -> Vec<String> {
        payloads(self.0)
    }

    fn done(&self, first: u32, count: u32) {
        // SAFETY: a batch that we hold.
        unsafe { ((*(*self.0).vt).done)(self.0, first, count) }
    }
}

impl Clone for Received {
    fn clone(&self) -> Self {
        // SAFETY: as above.
        unsafe { ((*(*self.0).vt).retain)(self.0) };
        Received(self.0)
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        // SAFETY: gives back the reference that we own.
        unsafe { ((*(*self.0).vt).release)(self.0) }
    }
}

#[test]
fn settles_out_of_range_or_twice_are_ignored_and_counted() {
    let bare = Bare::new(10, 100);
    let log = bare.push(&["a", "b", "c"]);
    let received = bare.receive(8);
    received[0].done(7, 1);
    received[0].done(u32::MAX, u32::MAX);
    received[0].done(0, 0);
    assert_eq!(log.done(), [0, 0, 0]);
    received[0].done(1, u32::MAX);
    assert_eq!(log.done(), [0, 1, 1]);
    received[0].done(0, 3);
    received[0].done(0, 3);
    assert_eq!(log.done(), [1, 1, 1]);
    assert_eq!(bare.edge.stats.counts().ignored, 5);
    drop(received);
    assert!(log.is_freed());
}

#[test]
fn message_lives_as_long_as_a_reference_to_it() {
    let bare = Bare::new(10, 100);
    let log = bare.push(&["a"]);
    let received = bare.receive(8);
    let again = received[0].clone();
    received[0].done(0, 1);
    drop(received);
    assert!(log.is_done() && !log.is_freed());
    assert_eq!(again.payloads(), ["a"]);
    drop(again);
    assert!(log.is_freed());
    assert!(bare.edge.is_unused());
}

#[test]
fn late_words_about_what_was_given_to_somebody_else_are_ignored() {
    let bare = Bare::new(10, 100);
    let log = bare.push(&["a", "b"]);
    let leaked = bare.receive(8).remove(0);
    assert_eq!(bare.edge.recover(Some("crash")), 2);
    let again = bare.receive(8);
    leaked.done(0, 2);
    assert_eq!(log.done(), [0, 0]);
    again[0].done(0, 2);
    assert_eq!(log.done(), [1, 1]);
    drop(again);
    drop(leaked);
    assert!(log.is_freed() && bare.edge.is_unused());
}

#[test]
fn window_is_full_by_messages_or_bytes_and_opens_when_they_are_settled() {
    let bare = Bare::new(2, 4);
    bare.push(&["a"]);
    assert!(bare.edge.has_credit());
    bare.push(&["bbbb"]);
    assert!(!bare.edge.has_credit());
    let received = bare.receive(8);
    received[1].done(0, 1);
    assert!(bare.edge.has_credit());
}

#[test]
fn finished_edge_is_closed_when_everything_was_received() {
    let bare = Bare::new(10, 100);
    bare.push(&["a"]);
    bare.edge.finish();
    let received = bare.receive(1);
    assert_eq!(received.len(), 1);
    let mut room = [std::ptr::null(); 1];
    assert_eq!(bare.edge.receive(&mut room), pipeline_abi::PL_CLOSED);
    assert!(!bare.edge.is_consumed());
    received[0].done(0, 1);
    assert!(bare.edge.is_consumed());
}

#[test]
fn flow_that_ends_frees_what_nobody_settled() {
    let bare = Bare::new(10, 100);
    let logs = [bare.push(&["a"]), bare.push(&["b"]), bare.push(&["c"])];
    let received = bare.receive(2);
    drop(received);
    bare.edge.abandon();
    assert!(logs.iter().all(|log| log.is_freed() && log.done() == [0]));
    assert!(bare.edge.is_unused());
    assert_eq!(bare.ledger.unsettled(), 3);
}
