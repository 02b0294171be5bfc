//! One running copy of a flow.

use super::adopt::Report;
use super::flow_span;
use pipeline_host::{FlowHandle, FlowSpec};
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

    /// The copy after a change to `spec`; it is the old one where that fails.
    pub(super) fn reload(self, spec: FlowSpec, report: &mut Report) -> FlowCopy {
        let _reload = flow_span("reload", &spec).entered();
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
                tracing::error!(error = %error);
                report.failed.push(format!(
                    "flow `{}`, copy {}: {error}",
                    self.flow, self.instance
                ));
                self
            }
        }
    }
}
