//! One running copy of a flow.

use super::adopt::Report;
use pipeline_host::{FlowHandle, FlowSpec, StageState};
use std::sync::Arc;

/// One running copy of a flow.
#[derive(Clone)]
pub(crate) struct FlowCopy {
    /// The flow's name.
    pub(crate) flow: String,
    /// Index of the copy.
    pub(crate) instance: u32,
    /// What it was started with.
    pub(super) spec: Arc<FlowSpec>,
    /// The host's end.
    pub(crate) handle: Arc<FlowHandle>,
}

impl FlowCopy {
    /// Why this copy is not ready, each with its flow.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let reasons = self.handle.is_ready().err().unwrap_or_default();
        reasons
            .into_iter()
            .map(|why| format!("{}/{}: {why}", self.flow, self.instance))
            .collect()
    }

    /// Tells about stages that failed to open.
    pub(super) fn check_opened(&self) -> Result<(), String> {
        let status = self.handle.status();
        let failed = status
            .stages
            .into_iter()
            .filter(|stage| stage.state == StageState::Failed);
        let told: Vec<_> = failed
            .map(|stage| {
                format!(
                    "flow `{}`: stage `{}`: {}",
                    self.flow,
                    stage.name,
                    stage.reason.unwrap_or_default()
                )
            })
            .collect();
        if told.is_empty() {
            Ok(())
        } else {
            Err(told.join("\n"))
        }
    }

    pub(super) fn is_replayable(&self, stage: &str) -> bool {
        let spec = self.spec.stages.iter().find(|spec| spec.name == stage);
        spec.and_then(|spec| spec.plugin.kind(&spec.kind))
            .is_some_and(|kind| kind.replayable)
    }

    /// The copy after a change to `spec`; it is the old one where that fails.
    pub(super) fn reload(self, spec: FlowSpec, report: &mut Report) -> FlowCopy {
        match self.handle.reload(spec.clone()) {
            Ok(done) => {
                if done.rebuilt {
                    report
                        .done
                        .push(format!("{}/{} built anew", self.flow, self.instance));
                }
                report.done.extend(
                    done.changed
                        .iter()
                        .map(|stage| format!("{}/{} {stage} changed", self.flow, self.instance)),
                );
                FlowCopy {
                    spec: Arc::new(spec),
                    ..self
                }
            }
            Err(error) => {
                report.failed.push(format!(
                    "flow `{}`, copy {}: {error}",
                    self.flow, self.instance
                ));
                self
            }
        }
    }
}
