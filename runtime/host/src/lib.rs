//! The host: finds, loads and checks plugins, connects their stages by bounded edges, keeps every message until it is
//! settled, and supervises the stages.
//!
//! * [`PluginStore`] finds a plugin by name and refuses what is not one.
//! * [`Host`] runs flows; a [`FlowSpec`] says what a flow is, a [`FlowHandle`] is what the program holds of it.
//! * Inside, a message passes a `port`, a `route` (fan-out and filters) and an `edge` on its way down, and what is settled
//!   of it goes back up by `settle`.
//!
//! Invariant: what a source handed over is in exactly one place (an edge, a filter's waiting list, a stage's hands) until
//! the source has been told that it is done, whatever stages do in between.

mod batch;
mod callbacks;
mod edge;
mod flow;
mod loader;
mod metrics;
mod port;
mod route;
mod settle;
mod supervise;
mod tap;
mod text;

#[cfg(test)]
mod testing;

pub use callbacks::{
    Field, FieldValue, Level, LogRecord, LogSink, SpanEvent, SpanRecord, SpanSink,
};
pub use edge::EdgeCounts;
pub use flow::{
    Buffer, Drained, EdgeStatus, FlowHandle, FlowSpec, FlowStatus, Left, OnReject, ReloadError,
    ReloadReport, Restart, Retry, StageSpec, StageStatus, StartError, Stuck,
};
pub use loader::{Finding, LoadError, Plugin, PluginStore, Role, StageKind, search_path};
pub use metrics::{
    Exemplar, Family, FamilyKind, HOST_FAMILIES, HostFamily, Sample, Snapshot, Value,
};
pub use supervise::{Health, Host, HostEvent, HostOptions, Sampling, StageState};
pub use tap::{Tap, TapSink, Tapped};
