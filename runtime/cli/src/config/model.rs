//! A pipeline file as it is meant: every reference resolved, every default filled in.

use crate::catalogue::StageInfo;
use crate::config::address::Address;
use crate::config::fields::Located;
use crate::config::source::{SourceFile, Span};
use serde_json::Value;
use std::sync::Arc;

pub(crate) use pipeline_host::{Buffer, OnReject, Restart, Retry};

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
