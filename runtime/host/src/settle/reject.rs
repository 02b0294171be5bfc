//! What becomes of messages that a stage rejects.

use super::{Claim, Letter, traced};
use crate::batch::View;
use crate::route::Outlet;
use crate::supervise::Seat;
use std::ops::Range;

/// Where a stage's rejects go.
pub(crate) enum RejectRoute {
    /// Counted, told at most once a second, and done.
    Drop,
    /// The flow fails; the messages stay unsettled, so that their source delivers them again in the next run.
    Stop,
    /// To a stage; upstream hears done when the dead letter is done.
    To(Outlet),
}

/// Messages that a stage rejected.
pub(crate) struct Rejected<'a> {
    /// What the stage was given.
    pub(crate) view: &'a View,
    /// Which of it were rejected.
    pub(crate) range: Range<u32>,
    /// The stage's reason.
    pub(crate) why: &'a str,
}

impl RejectRoute {
    /// Routes rejects of the stage at `seat`. `claim` is on the first message of the range.
    pub(crate) fn take(&self, seat: &Seat, rejected: &Rejected<'_>, claim: Claim) {
        let count = rejected.range.len() as u32;
        seat.count_rejects(count);
        traced::rejected(seat, rejected, self.name());
        match self {
            RejectRoute::Drop => {
                let view = rejected.view.slice(rejected.range.clone());
                seat.tell_drop(count, rejected.why, traced::recorded(&view).next());
                claim.done(0..count);
            }
            RejectRoute::Stop => seat.stop_flow(rejected.why),
            RejectRoute::To(outlet) => {
                let (view, claim) = Letter::write(seat.name(), rejected, claim);
                outlet.offer(view, claim);
            }
        }
    }

    /// What `on_reject` says, as traces tell it.
    fn name(&self) -> &str {
        match self {
            RejectRoute::Drop => "drop",
            RejectRoute::Stop => "stop",
            RejectRoute::To(outlet) => outlet.names().first().copied().unwrap_or_default(),
        }
    }
}
