//! Changing a running flow.

use super::handle::Handle;
use super::running::{Flow, Member};
use super::{FlowSpec, StageSpec, StartError};
use crate::supervise::{Command, StageState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a stage, or the whole flow, may take to drain for a change.
const DRAIN: Duration = Duration::from_secs(20);
/// How much longer a change of settings may take than its drain: closing and opening, twice if the new ones do not open.
const CHANGE: Duration = Duration::from_secs(90);
/// How long each stage may take to close when the flow is built anew.
const CLOSE: Duration = Duration::from_secs(10);

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadReport {
    /// Stages that run with new settings or a new plugin.
    pub changed: Vec<String>,
    /// Stages that were not touched.
    pub unchanged: Vec<String>,
    /// The structure differed: the whole flow was built anew.
    pub rebuilt: bool,
}

/// Why a reload changed nothing, or not everything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// A stage did not open with its new settings. It runs with the old ones; stages named before it were changed.
    #[error(
        "stage `{stage}` did not open with its new settings (it runs with the old ones again): {error}"
    )]
    Stage {
        /// The stage.
        stage: String,
        /// How it failed.
        error: String,
        /// Stages that run with their new settings.
        changed: Vec<String>,
    },
    /// The flow did not drain in time to be built anew. It goes on as it was.
    #[error("the flow did not drain within {} s to be built anew (it goes on as it was)", DRAIN.as_secs())]
    NotDrained,
    /// The new structure cannot be wired. The flow goes on as it was.
    #[error("the new flow cannot be built (the old one was not touched): {0}")]
    Build(StartError),
    /// A stage of the new flow did not open.
    #[error("the new flow did not open (the old one runs again): {0}")]
    Open(StartError),
    /// Neither the new flow nor the old one opened: nothing runs.
    #[error("neither the new flow nor the old one opened: {0}")]
    Lost(StartError),
    /// A stage did not end.
    #[error("a stage is stuck in `close`")]
    Stuck,
}

impl Handle {
    pub(super) fn reload(self: &Arc<Self>, spec: FlowSpec) -> Result<ReloadReport, ReloadError> {
        let mut current = self.control.lock();
        if !same_structure(&current, &spec) {
            self.rebuild(&current, &spec)?;
            *current = spec;
            return Ok(ReloadReport {
                rebuilt: true,
                ..ReloadReport::default()
            });
        }
        let flow = self.flow();
        let report = flow.change(&spec);
        current.stages = current
            .stages
            .iter()
            .map(|stage| flow.spec_of(stage))
            .collect();
        report
    }

    fn rebuild(self: &Arc<Self>, old: &FlowSpec, new: &FlowSpec) -> Result<(), ReloadError> {
        let next = self.build(new).map_err(ReloadError::Build)?;
        let flow = self.flow();
        if !flow.drain(Instant::now() + DRAIN).clean {
            flow.resume();
            return Err(ReloadError::NotDrained);
        }
        if !flow.close(CLOSE).is_empty() {
            return Err(ReloadError::Stuck);
        }
        drop(flow);
        self.replace(next).map_err(|error| {
            let back = self.build(old).and_then(|flow| self.replace(flow));
            back.map_or_else(ReloadError::Lost, |()| ReloadError::Open(error))
        })
    }
}

/// Whether the stages can take each other's place one by one.
fn same_structure(old: &FlowSpec, new: &FlowSpec) -> bool {
    old.name == new.name
        && old.instance == new.instance
        && old.instances == new.instances
        && old.stages.len() == new.stages.len()
        && old
            .stages
            .iter()
            .zip(&new.stages)
            .all(|(old, new)| old.same_place(new))
}

impl Flow {
    /// Changes the stages that differ, from the bottom to the top, so that each is there when new messages come.
    fn change(&self, spec: &FlowSpec) -> Result<ReloadReport, ReloadError> {
        let mut report = ReloadReport::default();
        for member in self.members.iter().rev() {
            let name = member.seat.name().to_owned();
            let Some(next) = spec.stages.iter().find(|stage| stage.name == name) else {
                continue;
            };
            if member.spec.lock().same_settings(next) {
                report.unchanged.push(name);
                continue;
            }
            match member.swap(next) {
                Ok(()) => report.changed.push(name),
                Err(error) => {
                    return Err(ReloadError::Stage {
                        stage: name,
                        error,
                        changed: report.changed,
                    });
                }
            }
        }
        Ok(report)
    }

    /// What the stage of that name runs with now.
    fn spec_of(&self, stage: &StageSpec) -> StageSpec {
        let member = self
            .members
            .iter()
            .find(|member| member.seat.name() == stage.name);
        member.map_or_else(|| stage.clone(), |member| member.spec.lock().clone())
    }
}

impl Member {
    fn swap(&self, next: &StageSpec) -> Result<(), String> {
        let until = Instant::now() + DRAIN;
        self.seat.command(Command::Swap {
            spec: Box::new(next.clone()),
            until,
        });
        let swapped = self.seat.wait(until + CHANGE, |board| match board.state {
            StageState::Closed | StageState::Stuck => {
                Some(Err("it was closed meanwhile".to_owned()))
            }
            _ => board.swapped.take(),
        });
        let result = swapped.unwrap_or_else(|| Err("it did not answer in time".to_owned()));
        if result.is_ok() {
            *self.spec.lock() = next.clone();
        }
        result
    }
}
