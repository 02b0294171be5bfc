//! Draining: from the top to the bottom, each stage settled before the next.

use super::running::{Flow, Member};
use crate::supervise::{Command, Post, StageState};
use std::time::{Duration, Instant};

/// How often it is looked whether the last settles have arrived.
const POLL: Duration = Duration::from_millis(1);
/// How long the last settles may be on their way when every stage is drained.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a drain ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Everything that was taken from the sources is settled.
    pub clean: bool,
    /// What is not, per source.
    pub left: Vec<Left>,
}

/// What a source sent that is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The source.
    pub stage: String,
    /// Its unsettled messages.
    pub messages: u64,
    /// Whether it delivers them again in the next run.
    pub replayable: bool,
}

impl Flow {
    /// Drains the flow until a moment, then says what is left.
    pub(super) fn drain(&self, until: Instant) -> Drained {
        let in_time = self.members.iter().all(|member| member.drain(until));
        // Every stage has said its word about everything; the last ones may still be on their way up. What a stage rejected
        // under `on_reject: stop` never arrives.
        let until = until.min(Instant::now() + LAST_WORDS);
        while in_time && !self.left().is_empty() && Instant::now() < until {
            std::thread::sleep(POLL);
        }
        let left = self.left();
        Drained {
            clean: in_time && left.is_empty(),
            left,
        }
    }

    /// Takes a drain back: every stage that was drained is opened again, from the bottom to the top.
    pub(super) fn resume(&self) {
        for member in self.members.iter().rev() {
            member.seat.command(Command::Resume);
        }
    }

    /// What is unsettled, per source that has any.
    pub(super) fn left(&self) -> Vec<Left> {
        let left = |member: &Member| match &member.post {
            Post::Source(exit) => Some(Left {
                stage: member.seat.name().to_owned(),
                messages: exit.ledger.unsettled(),
                replayable: member.spec.lock().is_replayable(),
            }),
            Post::Filter(_) | Post::Sink(..) => None,
        };
        self.members
            .iter()
            .filter_map(left)
            .filter(|left| left.messages > 0)
            .collect()
    }
}

impl Member {
    /// Drains one stage; whether it was done in time.
    fn drain(&self, until: Instant) -> bool {
        self.seat.command(Command::Drain { until });
        let drained = self.seat.wait(until, |board| match board.state {
            StageState::Drained | StageState::Closed => Some(true),
            StageState::Stuck => Some(false),
            StageState::Failed if board.given_up => Some(false),
            _ => None,
        });
        drained == Some(true)
    }
}
