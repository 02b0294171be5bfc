//! A stage instance: how it is opened, controlled and, for a filter, called.

use crate::{PlBatch, PlPort, PlStr};

/// What a stage instance is opened with. All pointers are borrowed for the call, but for ports, which live until `close`.
#[repr(C)]
#[derive(Debug)]
pub struct PlOpen {
    /// Bytes of this structure that the host filled in.
    pub struct_size: u32,
    /// Index of this copy of the flow, from 0.
    pub instance: u32,
    /// Number of copies of the flow.
    pub instances: u32,
    /// Number of input ports.
    pub n_inputs: u32,
    /// Number of output ports, 0 or 1.
    pub n_outputs: u32,
    /// First wait between two tries of a sink, milliseconds.
    pub retry_initial_ms: u32,
    /// Longest wait between two tries of a sink, milliseconds.
    pub retry_max_ms: u32,
    /// Most unsettled messages that the edge behind the output takes; 0 without an output.
    pub window_messages: u32,
    /// Names this instance in every call to the host.
    pub cookie: u64,
    /// Name of the flow, text.
    pub flow: PlStr,
    /// Name of the stage in the flow, text.
    pub stage: PlStr,
    /// The word of `use:`, text.
    pub kind: PlStr,
    /// Folder where this stage may keep state, text; empty when the host has none.
    pub state_dir: PlStr,
    /// The stage's settings, a JSON object that passed the schema and `validate`.
    pub config_json: PlStr,
    /// Input ports.
    pub inputs: *const *mut PlPort,
    /// Name of the stage behind each input, text.
    pub input_names: *const PlStr,
    /// Output ports.
    pub outputs: *const *mut PlPort,
    /// Name of what is behind each output, text.
    pub output_names: *const PlStr,
    /// Most unsettled bytes that the edge behind the output takes; 0 without an output.
    pub window_bytes: u64,
    /// Share of the messages without a trace that a source begins one for, 0 to 1.
    pub trace_ratio: f64,
    /// Traces that a source begins each second at least, if it has messages; 0: none.
    pub traces_per_second: f64,
}

/// The instance is open: its listeners listen and `start` may be called.
pub const PL_EVENT_OPENED: u32 = 1;
/// Asked by `drain`: nothing more will be sent, all that was received is settled or handed on.
pub const PL_EVENT_DRAINED: u32 = 2;
/// All threads of the instance have ended by themselves.
pub const PL_EVENT_CLOSED: u32 = 3;
/// The instance cannot go on; the status and the text say why. The host closes and reopens it.
pub const PL_EVENT_FAILED: u32 = 4;
/// A source that has an end has reached it.
pub const PL_EVENT_FINISHED: u32 = 5;
/// Health changed: the status is a `PL_HEALTH_*`, the text says why.
pub const PL_EVENT_HEALTH: u32 = 6;

/// Works as it should.
pub const PL_HEALTH_READY: i32 = 0;
/// Works, but something is wrong now (retrying, reconnecting): nothing is lost.
pub const PL_HEALTH_DEGRADED: i32 = 1;

/// A stage instance. Opaque behind `vt`; made by `open`, freed by `close`.
#[repr(C)]
#[derive(Debug)]
pub struct PlStage {
    /// The instance's functions.
    pub vt: *const PlStageVt,
}

/// The functions of a stage instance. The host serialises the control calls of one instance; each returns promptly and is
/// answered by an event.
#[repr(C)]
#[derive(Debug)]
pub struct PlStageVt {
    /// Bytes of this structure that the plugin filled in.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// After `PL_EVENT_OPENED`, once: ports may be used from now on.
    pub start: unsafe extern "C" fn(*mut PlStage) -> i32,
    /// Once. A source hands out nothing new; a sink settles what its ports still hold. Answered by `PL_EVENT_DRAINED`.
    /// `deadline_ms` says how long the host will wait.
    pub drain: unsafe extern "C" fn(*mut PlStage, deadline_ms: u32) -> i32,
    /// Once, in any state, last. Joins the instance's threads and frees it; no event and no port call after it returned
    /// `PL_OK`. `PL_ERR_TIMEOUT`: threads still run, the instance is leaked and the host ends the process.
    pub close: unsafe extern "C" fn(*mut PlStage, timeout_ms: u32) -> i32,
    /// Filters only, else null. Called between `start` and `close`, on one thread at a time, which belongs to a
    /// neighbouring stage: must not block. On an error status the input counts as not processed.
    pub process:
        Option<unsafe extern "C" fn(*mut PlStage, *const PlBatch, out: *mut PlFiltered) -> i32>,
}

/// A message that a filter cannot process.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlReject {
    /// Index of the input message.
    pub index: u32,
    /// Zero.
    pub reserved: u32,
    /// Why, text.
    pub why: PlStr,
}

/// What a filter answers: at most one batch, and rejects. The host zeroes it before the call.
///
/// An input message that is in neither list was dropped on purpose and is done.
#[repr(C)]
#[derive(Debug)]
pub struct PlFiltered {
    /// Bytes of this structure that the host filled in.
    pub struct_size: u32,
    /// Number of rejects.
    pub n_rejects: u32,
    /// The output, one reference of which moves to the host; null when there is none. It may point into the input, which the
    /// host keeps until the output is released. Its `done` and `reject` are never called.
    pub batch: *const PlBatch,
    /// For every output message the index of the input message that it came from, never decreasing; valid as long as `batch`.
    pub origin: *const u32,
    /// The rejects; valid until the next `process` or `close`.
    pub rejects: *const PlReject,
}
