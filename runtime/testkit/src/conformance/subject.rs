//! What is checked: one kind of a plugin, with settings that it can be opened with.

use crate::Arguments;
use crate::plugin::Plugin;
use serde::Deserialize;
use serde_json::Value;

/// What a stage is for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Source,
    Filter,
    Sink,
}

/// The description of a plugin.
#[derive(Debug, Deserialize)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) stages: Vec<Kind>,
}

/// The description of one kind of stage.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Kind {
    pub(crate) kind: String,
    pub(crate) role: Role,
    pub(crate) doc: String,
    pub(crate) inputs: Inputs,
    pub(crate) config_schema: Value,
}

/// How many inputs a stage takes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Inputs {
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
}

/// A plugin, the kind of it that is checked, and how.
pub(crate) struct Subject {
    pub(crate) plugin: Plugin,
    pub(crate) description: Description,
    pub(crate) kind: Kind,
    pub(crate) settings: String,
    pub(crate) delivers: bool,
    pub(crate) runtime_threads: bool,
}

impl Subject {
    pub(crate) fn new(plugin: Plugin, arguments: &Arguments) -> Result<Self, String> {
        let text = plugin.describe()?;
        let description: Description =
            serde_json::from_str(text).map_err(|error| format!("read the description: {error}"))?;
        let kind = match &arguments.kind {
            None => description.stages.first(),
            Some(wanted) => description
                .stages
                .iter()
                .find(|stage| stage.kind == *wanted),
        };
        let kind = kind.cloned().ok_or("there is no such stage")?;
        Ok(Subject {
            plugin,
            description,
            kind,
            settings: arguments.with.clone(),
            delivers: arguments.delivers,
            runtime_threads: arguments.runtime_threads,
        })
    }

    /// Number of inputs that a chain would give to it.
    pub(crate) fn inputs(&self) -> u32 {
        match self.kind.role {
            Role::Sink => self.kind.inputs.min.clamp(1, 4),
            Role::Source | Role::Filter => 0,
        }
    }

    /// Number of outputs that a chain would give to it.
    pub(crate) fn outputs(&self) -> u32 {
        u32::from(self.kind.role == Role::Source)
    }
}
