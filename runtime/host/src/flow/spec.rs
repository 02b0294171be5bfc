//! What a flow is to be: the checked and resolved form of a pipeline file's flow.

use crate::loader::{Plugin, Role};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One copy of one flow.
#[derive(Clone, Debug)]
pub struct FlowSpec {
    /// Name of the flow.
    pub name: String,
    /// Index of this copy, from 0.
    pub instance: u32,
    /// Number of copies.
    pub instances: u32,
    /// The stages, in the order of the file.
    pub stages: Vec<StageSpec>,
}

/// One stage of a flow.
#[derive(Clone, Debug)]
pub struct StageSpec {
    /// Name in the flow.
    pub name: String,
    /// The word of `use:`.
    pub kind: String,
    /// The plugin that has this kind.
    pub plugin: Arc<Plugin>,
    /// The stage's own settings, an object.
    pub config: Value,
    /// Names of the stages whose messages come in; empty for sources and for stages that take only rejects.
    pub from: Vec<String>,
    /// Window of each edge into this stage.
    pub buffer: Buffer,
    /// How a sink waits between tries.
    pub retry: Retry,
    /// What becomes of rejected messages.
    pub on_reject: OnReject,
    /// Whether a failed stage is opened again.
    pub restart: Restart,
    /// Folder where the stage may keep state.
    pub state_dir: Option<PathBuf>,
}

/// How much unsettled work an edge may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Messages.
    pub messages: u32,
    /// Payload and key bytes.
    pub bytes: u64,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer {
            messages: 4096,
            bytes: 16 << 20,
        }
    }
}

/// Bounds of the wait between two tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// First wait.
    pub initial: Duration,
    /// Longest wait.
    pub max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(30),
        }
    }
}

/// What becomes of messages that a stage rejects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnReject {
    /// They are counted and told.
    #[default]
    Drop,
    /// The flow fails, and they stay unsettled.
    Stop,
    /// They go to the named stage.
    To(String),
}

/// Whether a failed stage is opened again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Always, with backoff.
    #[default]
    Always,
    /// Never: the flow fails.
    Never,
}

impl StageSpec {
    /// The role of the stage's kind; a kind that its plugin does not have counts as a sink and fails to open.
    pub(crate) fn role(&self) -> Role {
        self.plugin
            .kind(&self.kind)
            .map_or(Role::Sink, |kind| kind.role)
    }

    /// Whether the source delivers again what was not done.
    pub(crate) fn is_replayable(&self) -> bool {
        self.plugin
            .kind(&self.kind)
            .is_some_and(|kind| kind.replayable)
    }

    /// Whether `other` can take this stage's place without wiring the flow anew.
    pub(crate) fn same_place(&self, other: &StageSpec) -> bool {
        self.name == other.name
            && self.role() == other.role()
            && self.from == other.from
            && self.buffer == other.buffer
            && self.on_reject == other.on_reject
    }

    /// Whether `other` runs with the same settings.
    pub(crate) fn same_settings(&self, other: &StageSpec) -> bool {
        self.kind == other.kind
            && Arc::ptr_eq(&self.plugin, &other.plugin)
            && self.config == other.config
            && self.retry == other.retry
            && self.restart == other.restart
            && self.state_dir == other.state_dir
    }
}
