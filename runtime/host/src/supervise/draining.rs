//! Draining a stage: it hands out nothing new, and settles what reached it.

use super::board::StageState;
use super::supervisor::{CLOSE_TIMEOUT, Phase, Supervisor};
use super::swap::Swap;
use crate::callbacks::Level;
use crate::loader::Role;
use std::time::Instant;

impl Supervisor {
    /// Everything above is drained: so should this stage be.
    pub(super) fn begin_drain(&mut self, until: Instant) {
        self.drain = Some(until);
        self.post.finish(true);
        match self.phase {
            Phase::Running { .. } => self.call_drain(),
            Phase::Finished => self.seat.set_state(StageState::Drained),
            Phase::Down { .. } if self.post.is_settled() => {
                self.phase = Phase::Drained;
                self.seat.set_state(StageState::Drained);
            }
            _ => {}
        }
    }

    /// Asks the instance, on behalf of a drain or of a swap.
    pub(super) fn call_drain(&mut self) {
        let until = match (&self.swap, self.drain) {
            (Some(Swap::Leaving { until, .. }), _) => *until,
            (_, Some(until)) => until,
            _ => return,
        };
        let within = until.saturating_duration_since(Instant::now());
        self.phase = Phase::Draining;
        self.seat.set_state(StageState::Draining);
        let asked = self
            .instance
            .as_ref()
            .map(|instance| instance.drain(within));
        if let Some(Err(error)) = asked {
            self.found(&error);
        }
    }

    /// The instance says that it is drained.
    pub(super) fn drained(&mut self) {
        if self.phase != Phase::Draining {
            return;
        }
        let replaced = self.swap.is_some();
        // One that is replaced leaves what is queued to the next.
        let settled = if replaced {
            self.post.owes_nothing()
        } else {
            self.post.is_settled()
        };
        if !settled {
            return self.found_innocent(
                "said that it was drained, but did not settle all messages (a bug of the stage)",
            );
        }
        self.phase = Phase::Drained;
        if !replaced {
            self.seat.set_state(StageState::Drained);
        }
    }

    /// The source says that it has reached its end.
    pub(super) fn finished(&mut self) {
        if let (Phase::Running { .. }, Role::Source) = (self.phase, self.post.role()) {
            self.phase = Phase::Finished;
            self.seat.set_state(StageState::Finished);
            self.seat.log(Level::Info, "reached its end");
            self.seat.source_finished();
        }
    }

    /// The drain was taken back: a new instance goes on where the drained one ended.
    pub(super) fn resume(&mut self) {
        if self.drain.take().is_none() || self.phase == Phase::Finished {
            return;
        }
        self.post.finish(false);
        if self.close_instance(CLOSE_TIMEOUT).is_ok() {
            self.post.recover(None);
            self.open();
        }
    }
}
