//! Changing a stage's settings: the instance with the old ones drains and is closed, one with the new ones is opened; if it
//! does not open, the old ones are opened again.

use super::supervisor::{CLOSE_TIMEOUT, Phase, Supervisor};
use crate::callbacks::Level;
use crate::flow::StageSpec;
use std::time::Instant;

/// A change under way.
pub(super) enum Swap {
    /// The instance with the old settings drains.
    Leaving {
        next: Box<StageSpec>,
        until: Instant,
    },
    /// The instance with the new settings opens.
    Trying { old: Box<StageSpec> },
}

impl Supervisor {
    pub(super) fn begin_swap(&mut self, next: Box<StageSpec>, until: Instant) {
        self.seat.change(|board| board.swapped = None);
        self.swap = Some(Swap::Leaving { next, until });
        self.post.hold(true);
        match self.phase {
            Phase::Running { .. } => self.call_drain(),
            _ => self.change_over(),
        }
    }

    /// What is due of a change at a moment.
    pub(super) fn tick_swap(&mut self, now: Instant) {
        let Some(Swap::Leaving { until, .. }) = &self.swap else {
            return;
        };
        let late = now >= *until;
        match self.phase {
            // A source is closed when it has heard of everything that it sent.
            Phase::Drained if late || self.post.is_sent_settled() => self.change_over(),
            Phase::Draining if late => {
                self.seat.log(
                    Level::Warn,
                    "did not drain in time to be replaced: what is unsettled is delivered again",
                );
                self.change_over();
            }
            _ => {}
        }
    }

    fn change_over(&mut self) {
        let Some(Swap::Leaving { next, .. }) = self.swap.take() else {
            return;
        };
        if self.phase == Phase::Finished {
            self.seat.source_resumed();
        }
        if self.close_instance(CLOSE_TIMEOUT).is_ok() {
            self.post.recover(None);
            self.try_settings(*next);
        }
    }

    /// Opens with new settings; nothing is open now.
    pub(super) fn try_settings(&mut self, next: StageSpec) {
        let old = std::mem::replace(&mut self.spec, next);
        self.swap = Some(Swap::Trying { old: Box::new(old) });
        self.reopen();
    }

    /// The new settings did not open.
    pub(super) fn go_back(&mut self, old: StageSpec, error: &str) {
        self.seat.log(
            Level::Error,
            &format!("did not open with its new settings, back to the old ones: {error}"),
        );
        self.spec = old;
        self.seat
            .change(|board| board.swapped = Some(Err(error.to_owned())));
        self.reopen();
    }
}
