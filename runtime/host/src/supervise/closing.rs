//! Closing a stage's instance, for the next one or for good.

use super::board::StageState;
use super::instance::{Closed, StuckInClose};
use super::supervisor::{Phase, Supervisor};
use std::time::{Duration, Instant};

/// How much longer than its time `close` may take before it is told.
const CLOSE_GRACE: Duration = Duration::from_secs(1);
/// Ports of closed instances that are kept for late calls.
const RETIRED_PORTS: usize = 16;

impl Supervisor {
    /// Closes the stage for good.
    pub(super) fn end(&mut self, timeout: Duration) {
        if self.close_instance(timeout).is_ok() {
            self.phase = Phase::Ended;
            self.seat.set_state(StageState::Closed);
        }
    }

    /// Closes the instance, if there is one, and answers with how it says that it failed meanwhile. A stage that is stuck in
    /// `close` ends its supervisor.
    pub(super) fn close_instance(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<String>, StuckInClose> {
        self.post.detach();
        let Some(instance) = self.instance.take() else {
            return Ok(None);
        };
        let until = Instant::now() + timeout + CLOSE_GRACE;
        let watch = self.seat.host().watchdog.watch(&self.seat, until);
        let closed = instance.close(&self.seat, timeout);
        drop(watch);
        let Closed { ports, said } = closed.inspect_err(|StuckInClose| {
            self.phase = Phase::Ended;
            self.seat.stuck();
        })?;
        self.retired.push_back(ports);
        if self.retired.len() > RETIRED_PORTS {
            self.retired.pop_front();
        }
        Ok(said)
    }
}
