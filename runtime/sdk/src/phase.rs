//! Where an instance is in its life, as the host's control calls move it on.

use crate::Error;
use crate::wake::PortWaker;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// The phases of an instance, in the order in which they are passed; some may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Opening,
    Running,
    Draining,
    Closing,
}

/// What the control calls, the stage's tasks and its threads share.
pub(crate) struct Control {
    phase: watch::Sender<Phase>,
    failure: Mutex<Option<Error>>,
    failed: watch::Sender<bool>,
    pub(crate) ports: PortWaker,
}

impl Control {
    pub(crate) fn new() -> Self {
        Control {
            phase: watch::Sender::new(Phase::Opening),
            failure: Mutex::new(None),
            failed: watch::Sender::new(false),
            ports: PortWaker::new(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Moves on to `phase`, unless the instance is already there or further.
    pub(crate) fn advance(&self, phase: Phase) {
        self.phase.send_if_modified(|now| {
            let later = *now < phase;
            *now = phase.max(*now);
            later
        });
        self.ports.wake();
    }

    /// Waits until the instance is in `phase` or further.
    pub(crate) async fn reached(&self, phase: Phase) {
        // The sender is `self`: the wait cannot end by its drop.
        let _ = self.phase.subscribe().wait_for(|now| *now >= phase).await;
    }

    /// Makes the instance fail; the first error counts.
    pub(crate) fn fail(&self, error: Error) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
        self.failed.send_replace(true);
    }

    /// Waits until the instance has failed.
    pub(crate) async fn failure(&self) -> Error {
        loop {
            if let Some(error) = self
                .failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
            {
                return error;
            }
            let mut failed = self.failed.subscribe();
            failed.borrow_and_update();
            if self
                .failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_none()
            {
                let _ = failed.changed().await;
            }
        }
    }
}
