//! A stage with inputs, as its edges see it: what follows when it settles messages, and its care with suspects.

use super::{Delivery, Edge};
use crate::batch::View;
use crate::route::Outlet;
use crate::settle::{Claim, RejectRoute, Rejected, redelivered};
use crate::supervise::Seat;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// The consumer behind one or several edges.
///
/// While there are suspects (see [`crate::settle::Suspicion`]), the stage gets them one at a time over all its inputs and
/// nothing else, so that a further crash is evidence against that one message.
pub(crate) struct Station {
    seat: Arc<Seat>,
    /// Where a sink that is not last passes on what it delivered; empty for the last ones.
    next: Outlet,
    rejects: RejectRoute,
    /// Suspects that are not settled.
    suspects: AtomicUsize,
    /// One of them is in the stage's hands.
    busy: AtomicBool,
    inputs: OnceLock<Vec<Weak<Edge>>>,
}

impl Station {
    pub(crate) fn new(seat: Arc<Seat>, next: Outlet, rejects: RejectRoute) -> Arc<Self> {
        Arc::new(Station {
            seat,
            next,
            rejects,
            suspects: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            inputs: OnceLock::new(),
        })
    }

    /// Names the edges into this stage; once, when the flow is wired.
    pub(crate) fn set_inputs(&self, inputs: &[Arc<Edge>]) {
        let _ = self.inputs.set(inputs.iter().map(Arc::downgrade).collect());
    }

    /// Name of the stage.
    pub(crate) fn name(&self) -> &str {
        self.seat.name()
    }

    /// Messages were delivered by this stage.
    pub(super) fn delivered(&self, delivery: &Delivery, view: &View, run: Range<u32>) {
        if self.next.is_empty() {
            delivery.finish(run);
        } else {
            self.next.offer(
                view.slice(run.clone()),
                Claim::delivery(delivery.keep(), run.start),
            );
        }
    }

    /// Messages were rejected by this stage.
    pub(super) fn rejected(&self, delivery: &Delivery, view: &View, run: Range<u32>, why: &str) {
        let claim = Claim::delivery(delivery.keep(), run.start);
        self.rejects.take(
            &self.seat,
            &Rejected {
                view,
                range: run,
                why,
            },
            claim,
        );
    }

    /// Messages that the stage left unsettled will be given to it again.
    pub(super) fn redelivered(&self, view: &View, error: Option<&str>) {
        redelivered(&self.seat, view, error);
    }

    /// The stage dropped its last reference to messages about which it said nothing.
    pub(super) fn released_unsettled(&self) {
        self.seat
            .fail("released messages that it had not settled (a bug of the stage)");
    }

    /// Whether there are suspects.
    pub(super) fn is_careful(&self) -> bool {
        self.suspects.load(Ordering::SeqCst) > 0
    }

    /// More suspects.
    pub(super) fn suspect(&self, count: usize) {
        self.suspects.fetch_add(count, Ordering::SeqCst);
    }

    /// Asks to be given the next suspect: granted while no other one is out.
    pub(super) fn begin_alone(&self) -> bool {
        !self.busy.swap(true, Ordering::SeqCst)
    }

    /// The suspect that was out comes back unsettled.
    pub(super) fn return_alone(&self) {
        self.busy.store(false, Ordering::SeqCst);
    }

    /// A suspect was settled: the next one may go, or everything else.
    pub(super) fn end_alone(&self) {
        self.suspects.fetch_sub(1, Ordering::SeqCst);
        self.busy.store(false, Ordering::SeqCst);
        for edge in self
            .inputs
            .get()
            .into_iter()
            .flatten()
            .filter_map(Weak::upgrade)
        {
            edge.wake_consumer();
        }
    }
}
