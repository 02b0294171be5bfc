//! What the configuration needs to know of the installed stages, whoever provides them.

#[cfg(test)]
pub(crate) mod fake;
mod installed;

use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use pipeline_host::{Finding, Role};

/// A role with its article.
pub(crate) fn noun(role: Role) -> &'static str {
    match role {
        Role::Source => "a source",
        Role::Filter => "a filter",
        Role::Sink => "a sink",
    }
}

/// One stage as its plugin describes it.
#[derive(Clone, Debug)]
pub(crate) struct StageInfo {
    /// The word of `use`.
    pub(crate) kind: String,
    /// What it does.
    pub(crate) role: Role,
    /// What it is for, in Markdown.
    pub(crate) doc: String,
    /// Fewest inputs.
    pub(crate) min_inputs: u32,
    /// Most inputs.
    pub(crate) max_inputs: u32,
    /// Whether it delivers again what was not done.
    pub(crate) replayable: bool,
    /// JSON Schema of `with`.
    pub(crate) schema: Value,
    /// Version of its plugin.
    pub(crate) version: String,
    /// Where its plugin was found.
    pub(crate) path: PathBuf,
}

/// Why a stage cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// No plugin of that name.
    #[error("no plugin provides `{kind}`")]
    NotInstalled {
        /// The word of `use`.
        kind: String,
        /// Every place that was looked at.
        tried: Vec<PathBuf>,
        /// The nearest installed name.
        nearest: Option<String>,
    },
    /// The plugin is there but was refused.
    #[error("{0}")]
    Broken(String),
}

/// The installed stages.
pub(crate) trait Catalogue {
    /// The stage of that name.
    fn stage(&self, kind: &str) -> Result<Arc<StageInfo>, Unusable>;

    /// Everything installed; what is broken says why.
    fn installed(&self) -> Vec<Result<Arc<StageInfo>, Unusable>>;

    /// Asks the stage what its schema cannot say.
    fn validate(&self, kind: &str, config: &Value) -> Result<Vec<Finding>, String>;
}
