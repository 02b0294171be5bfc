//! A pipeline file as it is meant: every reference resolved, every default filled in.

use crate::catalogue::StageInfo;
use crate::config::address::Address;
use crate::config::fields::Located;
use crate::config::source::{SourceFile, Span};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    /// Where it was read.
    pub(crate) file: Arc<SourceFile>,
    /// From top to bottom.
    pub(crate) flows: Vec<Flow>,
    /// What is said about traces.
    pub(crate) telemetry: Telemetry,
}

/// Where traces go and how many.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Telemetry {
    /// URL of an OTLP/HTTP receiver.
    pub(crate) endpoint: Option<String>,
    /// Share of messages that are traced.
    pub(crate) ratio: Option<f64>,
    /// Messages traced each second whatever the ratio says.
    pub(crate) at_least_per_second: Option<f64>,
}

/// A chain of stages, perhaps in several copies.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// Its name.
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) span: Span,
    /// Copies.
    pub(crate) instances: Located<u32>,
    /// Status server of the first copy.
    pub(crate) status: Option<Located<Address>>,
    /// From top to bottom.
    pub(crate) stages: Vec<Stage>,
}

/// One stage.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// Its name in the flow.
    pub(crate) name: Located<String>,
    /// The word of `use`.
    pub(crate) kind: Located<String>,
    /// What its plugin says; missing only while problems are collected.
    pub(crate) info: Option<Arc<StageInfo>>,
    /// Its settings.
    pub(crate) config: Value,
    /// Addresses that it listens on.
    pub(crate) listens: Vec<Located<String>>,
    /// URLs that it posts to.
    pub(crate) posts: Vec<Located<String>>,
    /// Names of the stages that feed it, once wired.
    pub(crate) from: Vec<Located<String>>,
    /// Whether `from` was written.
    pub(crate) from_is_explicit: bool,
    /// Whether it takes only what others reject.
    pub(crate) takes_rejects: bool,
    /// The edge into it.
    pub(crate) buffer: Located<Buffer>,
    /// How it waits between tries.
    pub(crate) retry: Retry,
    /// What becomes of what it rejects.
    pub(crate) on_reject: Located<OnReject>,
    /// Whether it is opened again after a failure.
    pub(crate) restart: Restart,
}

/// Bounds of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buffer {
    /// Messages.
    pub(crate) messages: u32,
    /// Bytes.
    pub(crate) bytes: u64,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer {
            messages: 4096,
            bytes: 16 << 20,
        }
    }
}

/// Waiting between tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    /// First wait.
    pub(crate) initial: Duration,
    /// Longest wait.
    pub(crate) max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(30),
        }
    }
}

/// What becomes of a rejected message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnReject {
    /// Counted and logged.
    #[default]
    Drop,
    /// The process stops.
    Stop,
    /// Goes to another stage.
    To(String),
}

/// What becomes of a stage that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Restart {
    /// Opened again, with backoff.
    #[default]
    Always,
    /// The process exits.
    Never,
}
