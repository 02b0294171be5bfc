//! One batch on its way to one consumer: the host's own header over the producer's messages.
//!
//! # Life
//!
//! `FREE → QUEUED → GIVEN → FREE`. The thread that took it from the pool owns a free delivery and fills it; the receiver owns
//! a queued one and stamps it; from `GIVEN` on, everything but the atomics is immutable until the last hold is gone, and the
//! thread that drops the last hold owns it again. The queue and the pool's free list carry the happens-before edges.
//!
//! # Two counts
//!
//! `refs` are the consumer's references (`retain`, `release`). `holds` are the reasons to keep the delivery at all: the
//! consumer's references together are one, the unsettled messages together are another, and each [`DeliveryRef`] of a stage
//! further down is one. So the host notices the consumer's last `release` and can tell a batch that was released unsettled,
//! and the memory stays until upstream has been told.
//!
//! A delivery whose references the consumer leaked past its `close` is `DEAD`: its header is never used again, so that a
//! late call finds it and is ignored.

use super::calls::VT;
use super::{DeliveryRef, Edge};
use crate::batch::View;
use crate::settle::{Claim, Once, Suspicion};
use pipeline_abi::{PlBatch, PlStr};
use std::cell::UnsafeCell;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering, fence};
use std::time::Instant;

const FREE: u8 = 0;
const QUEUED: u8 = 1;
const GIVEN: u8 = 2;
const DEAD: u8 = 3;

/// The header that a consumer sees, and what the host knows about it.
#[repr(C)]
pub(crate) struct Delivery {
    /// First, so that the consumer's pointer is the delivery's.
    header: UnsafeCell<PlBatch>,
    phase: AtomicU8,
    refs: AtomicU32,
    holds: AtomicU32,
    /// Messages that upstream has not been told about.
    open: AtomicU32,
    once: Once,
    body: UnsafeCell<Option<Body>>,
}

/// Messages to deliver.
pub(super) struct Cargo {
    pub(super) view: View,
    pub(super) claim: Claim,
    /// Of consumers that failed while they had these messages unsettled.
    pub(super) suspicion: Suspicion,
}

impl Cargo {
    /// Whether this is a suspect: one message, given while nothing else is in the consumer's hands.
    pub(super) fn comes_alone(&self) -> bool {
        self.suspicion.comes_alone()
    }
}

/// What a delivery in use knows.
pub(super) struct Body {
    edge: NonNull<Edge>,
    pub(super) cargo: Cargo,
    pub(super) pushed: Instant,
    pub(super) given: Instant,
    /// Place in edge order, set when received.
    pub(super) place: u64,
}

/// What a consumer says about messages.
#[derive(Clone, Copy)]
pub(super) enum Word<'a> {
    Done,
    Reject(&'a str),
}

impl Delivery {
    /// An unused delivery.
    pub(super) fn new() -> NonNull<Delivery> {
        let header = PlBatch {
            struct_size: 0,
            msg_stride: 0,
            n_msgs: 0,
            flags: 0,
            topic: PlStr::EMPTY,
            msgs: std::ptr::null(),
            vt: &VT,
            bytes: 0,
            made_ns: 0,
        };
        NonNull::from(Box::leak(Box::new(Delivery {
            header: UnsafeCell::new(header),
            phase: AtomicU8::new(FREE),
            refs: AtomicU32::new(0),
            holds: AtomicU32::new(0),
            open: AtomicU32::new(0),
            once: Once::default(),
            body: UnsafeCell::new(None),
        })))
    }

    /// Puts messages in.
    ///
    /// # Safety
    /// The caller took the delivery from the pool of `edge` and has not shared it; `edge` outlives the delivery's use.
    pub(super) unsafe fn fill(&self, edge: &Edge, cargo: Cargo) {
        let now = Instant::now();
        let len = cargo.view.len();
        // SAFETY: exclusively ours, as promised; others look at most at the atomics.
        unsafe {
            *self.header.get() = cargo.view.header(&VT);
            *self.body.get() = Some(Body {
                edge: NonNull::from(edge),
                cargo,
                pushed: now,
                given: now,
                place: 0,
            });
        }
        self.once.reset(len);
        self.refs.store(1, Ordering::Relaxed);
        self.holds.store(2, Ordering::Relaxed);
        self.open.store(len, Ordering::Relaxed);
        self.phase.store(QUEUED, Ordering::Release);
    }

    /// Stamps a delivery that is about to be given to the consumer.
    ///
    /// # Safety
    /// The caller is the receiver and has just taken the delivery out of the queue.
    pub(super) unsafe fn give(&self, place: u64, now: Instant) {
        // SAFETY: a queued delivery belongs to the receiver alone.
        if let Some(body) = unsafe { &mut *self.body.get() } {
            body.given = now;
            body.place = place;
        }
        self.phase.store(GIVEN, Ordering::Release);
    }

    /// What is in a delivery.
    ///
    /// # Safety
    /// The delivery is queued or given, and somebody has a hold on it for as long as the answer is used.
    pub(super) unsafe fn body(&self) -> &Body {
        // SAFETY: a delivery in use has a body, which nobody changes while it is held.
        unsafe { (*self.body.get()).as_ref().unwrap_unchecked() }
    }

    /// Whether the consumer has it and owes a word about some of it.
    ///
    /// The phase is read again at the end: a delivery that was recycled meanwhile was free before its settle word was reset,
    /// and it is not given again while its consumer does not receive.
    pub(super) fn is_owed(&self) -> bool {
        self.is_given() && !self.once.is_settled() && self.is_given()
    }

    /// Whether a closed consumer left something of it: messages unsettled or references not given back.
    pub(super) fn is_left(&self) -> bool {
        self.is_owed()
            || (self.is_given() && self.refs.load(Ordering::Acquire) > 0 && self.is_given())
    }

    /// Whether somebody has a hold on it.
    pub(super) fn is_held(&self) -> bool {
        self.holds.load(Ordering::Acquire) > 0
    }

    fn is_given(&self) -> bool {
        self.phase.load(Ordering::Acquire) == GIVEN
    }

    /// Takes the consumer's word about a range that it named. What is out of range or was settled before is ignored.
    pub(super) fn settle(&self, first: u32, count: u32, word: Word<'_>) {
        if !self.is_given() {
            return;
        }
        // SAFETY: the caller has a reference, which is a hold.
        let body = unsafe { self.body() };
        // SAFETY: an edge outlives its deliveries.
        let edge = unsafe { body.edge.as_ref() };
        let len = body.cargo.view.len();
        let range = first.min(len)..first.saturating_add(count).min(len);
        let claimed = if range.is_empty() {
            0
        } else {
            self.once.claim(range, |run| edge.answered(self, run, word))
        };
        if claimed < count {
            edge.stats.ignored();
        }
    }

    /// Tells upstream that messages are done and, with the last of them, gives the credit back. Each message once.
    pub(super) fn finish(&self, range: Range<u32>) {
        // SAFETY: messages that are not finished are a hold.
        unsafe { self.body() }.cargo.claim.done(range.clone());
        self.close(range.len() as u32);
    }

    /// Counts messages as finished without telling upstream: somebody else will.
    pub(super) fn close(&self, count: u32) {
        // SAFETY: as for `finish`.
        let body = unsafe { self.body() };
        if self.open.fetch_sub(count, Ordering::AcqRel) == count {
            // SAFETY: an edge outlives its deliveries.
            unsafe { body.edge.as_ref() }.credit(&body.cargo.view);
            self.drop_hold();
        }
    }

    /// One more hold.
    pub(super) fn keep(&self) -> DeliveryRef {
        self.holds.fetch_add(1, Ordering::Relaxed);
        DeliveryRef::new(NonNull::from(self))
    }

    /// Takes everything unsettled away from a consumer that was closed, and its references if it leaked them. The runs that
    /// are answered are the caller's to settle. The caller has a hold.
    pub(super) fn surrender(&self) -> Vec<Range<u32>> {
        // SAFETY: held.
        let len = unsafe { self.body() }.cargo.view.len();
        let mut runs = Vec::new();
        self.once.claim(0..len, |run| runs.push(run));
        if self.refs.swap(0, Ordering::AcqRel) > 0 {
            if self.is_given() {
                self.phase.store(DEAD, Ordering::Release);
            }
            self.drop_hold();
        }
        runs
    }

    /// Takes everything back without telling upstream, when the flow ends. The caller has a hold and is the only one left.
    pub(super) fn write_off(&self) {
        self.surrender();
        let open = self.open.load(Ordering::Acquire);
        if open > 0 {
            self.close(open);
        }
    }

    /// One more of the consumer's references.
    pub(super) fn retain(&self) {
        self.refs.fetch_add(1, Ordering::Relaxed);
    }

    /// One hold less; the last one makes the delivery free.
    pub(super) fn drop_hold(&self) {
        if self.holds.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        fence(Ordering::Acquire);
        // SAFETY: that was the last hold, so nobody else refers to what is inside.
        let body = unsafe { (*self.body.get()).take() };
        let Some(Body { edge, cargo, .. }) = body else {
            return;
        };
        drop(cargo);
        let dead = self.phase.load(Ordering::Relaxed) == DEAD;
        // SAFETY: an edge outlives its deliveries.
        let pool = unsafe { &edge.as_ref().pool };
        if !dead {
            self.phase.store(FREE, Ordering::Release);
            pool.give_back(NonNull::from(self));
        }
    }

    /// Takes one of the consumer's references back.
    pub(super) fn release(&self) {
        if !self.is_given() || self.refs.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        if !self.once.is_settled() {
            // SAFETY: the consumer's references are a hold, which is dropped below; an edge outlives its deliveries.
            unsafe { self.body().edge.as_ref() }
                .station()
                .released_unsettled();
        }
        self.drop_hold();
    }
}
