//! What `run` was told, and the files that it reads again at a reload.

use crate::args::RunArgs;
use crate::config::Loader;
use crate::config::environment::ProcessEnvironment;
use crate::config::model::Pipeline;
use crate::config::nearest::{expected, nearest};
use crate::config::problem::FileReport;
use pipeline_host::PluginStore;

/// Command line and plugins.
pub(crate) struct Settings {
    /// The command line.
    pub(crate) args: RunArgs,
    /// The plugins.
    pub(crate) store: PluginStore,
}

/// Why there is nothing to run.
pub(crate) enum Refusal {
    /// The files are wrong.
    Files(Vec<FileReport>),
    /// `--flow` names no flow.
    Flow(String),
}

impl Settings {
    /// Reads the files and picks the flows that are wanted.
    pub(crate) fn load(&self) -> Result<Vec<Pipeline>, Refusal> {
        let _load =
            tracing::info_span!("load", pipeline.files = self.args.files.join(", ")).entered();
        let loader = Loader {
            catalogue: &self.store,
            environment: &ProcessEnvironment,
            metrics: self.args.metrics.address().cloned(),
        };
        let mut pipelines = loader.load(&self.args.files).map_err(|reports| {
            tracing::error!(error = %"the files are wrong");
            Refusal::Files(reports)
        })?;
        self.check_flow_names(&pipelines)?;
        if !self.args.flows.is_empty() {
            for pipeline in &mut pipelines {
                pipeline
                    .flows
                    .retain(|flow| self.args.flows.contains(&flow.name));
            }
        }
        Ok(pipelines)
    }

    fn check_flow_names(&self, pipelines: &[Pipeline]) -> Result<(), Refusal> {
        let names: Vec<&str> = pipelines
            .iter()
            .flat_map(|pipeline| &pipeline.flows)
            .map(|flow| flow.name.as_str())
            .collect();
        let Some(unknown) = self
            .args
            .flows
            .iter()
            .find(|flow| !names.contains(&flow.as_str()))
        else {
            return Ok(());
        };
        let list = expected(unknown, names.iter().copied());
        let hint = nearest(unknown, names)
            .map(|name| format!(", did you mean `{name}`?"))
            .unwrap_or_default();
        Err(Refusal::Flow(format!(
            "`--flow {unknown}` names no flow of these files ({list}){hint}"
        )))
    }
}
