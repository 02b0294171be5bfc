//! What is known about a stage, for whoever asks.

use serde::Serialize;
use std::fmt;
use std::time::Instant;

/// Where a stage is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StageState {
    /// `open` was called, the instance did not answer yet.
    Opening,
    /// Open and started.
    Running,
    /// Asked to hand out nothing new and to settle what it has.
    Draining,
    /// Has done so.
    Drained,
    /// A source that has reached its end.
    Finished,
    /// Failed; closed, and opened again after a wait.
    Failed,
    /// Closed for good.
    Closed,
    /// Ignored `close` for longer than its time.
    Stuck,
}

impl fmt::Display for StageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StageState::Opening => "opening",
            StageState::Running => "running",
            StageState::Draining => "draining",
            StageState::Drained => "drained",
            StageState::Finished => "finished",
            StageState::Failed => "failed",
            StageState::Closed => "closed",
            StageState::Stuck => "stuck",
        })
    }
}

/// What a running stage says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Works as it should.
    #[default]
    Ready,
    /// Works, but something is wrong now; nothing is lost.
    Degraded,
}

/// The state of one stage.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    pub(crate) state: StageState,
    pub(crate) since: Instant,
    pub(crate) health: Health,
    /// Why it is degraded.
    pub(crate) complaint: Option<String>,
    /// Why it is failed.
    pub(crate) failure: Option<String>,
    /// It is failed and will not be opened again.
    pub(crate) given_up: bool,
    pub(crate) restarts: u64,
    /// How the first `open` ended, once it has.
    pub(crate) first_open: Option<Result<(), String>>,
    /// The stage's own status document, unparsed.
    pub(crate) document: Option<String>,
    /// How the last swap of settings ended, while nobody has asked.
    pub(crate) swapped: Option<Result<(), String>>,
}

impl Board {
    pub(super) fn new() -> Self {
        Board {
            state: StageState::Opening,
            since: Instant::now(),
            health: Health::Ready,
            complaint: None,
            failure: None,
            given_up: false,
            restarts: 0,
            first_open: None,
            document: None,
            swapped: None,
        }
    }

    /// Why it is failed or degraded.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.failure.as_deref().or(self.complaint.as_deref())
    }

    /// Whether the stage works or has nothing left to do.
    pub(crate) fn is_open(&self) -> bool {
        use StageState::{Drained, Draining, Finished, Running};
        matches!(self.state, Running | Draining | Drained | Finished)
    }
}
