//! What the host offers to a plugin: logs, spans, instruments, events, status.

use crate::{PlStr, PlTrace};
use core::ffi::c_void;

/// `PlField::kind`: text in `s`.
pub const PL_FIELD_STR: u32 = 0;
/// `PlField::kind`: a signed integer in `n`.
pub const PL_FIELD_I64: u32 = 1;
/// `PlField::kind`: an unsigned integer in `n`.
pub const PL_FIELD_U64: u32 = 2;
/// `PlField::kind`: the bits of a double in `n`.
pub const PL_FIELD_F64: u32 = 3;
/// `PlField::kind`: 0 or 1 in `n`.
pub const PL_FIELD_BOOL: u32 = 4;

/// A name with a typed value: of a log, a span or an instrument.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlField {
    /// Text.
    pub name: PlStr,
    /// `PL_FIELD_*`.
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// The value if `PL_FIELD_STR`.
    pub s: PlStr,
    /// The value otherwise.
    pub n: u64,
}

/// One log event.
#[repr(C)]
#[derive(Debug)]
pub struct PlLog {
    /// Bytes of this structure that the plugin filled in.
    pub struct_size: u32,
    /// 1 error, 2 warn, 3 info, 4 debug, 5 trace.
    pub level: u32,
    /// The instance, or 0 when it is not known.
    pub cookie: u64,
    /// Nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// Where it comes from (a module path), text.
    pub target: PlStr,
    /// Text.
    pub message: PlStr,
    /// Source file, text.
    pub file: PlStr,
    /// Source line, 0 when unknown.
    pub line: u32,
    /// Number of fields.
    pub n_fields: u32,
    /// The fields.
    pub fields: *const PlField,
    /// Trace that it belongs to, zero when none.
    pub trace_id: [u8; 16],
    /// Span that it belongs to, zero when none.
    pub span_id: [u8; 8],
}

/// Something that happened inside a span.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlSpanEvent {
    /// Nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// Text.
    pub name: PlStr,
    /// The attributes.
    pub fields: *const PlField,
    /// Number of attributes.
    pub n_fields: u32,
    /// Zero.
    pub reserved: u32,
}

/// A finished span; its ids were made in the plugin. Borrowed for the call.
#[repr(C)]
#[derive(Debug)]
pub struct PlSpan {
    /// Bytes of this structure that the plugin filled in.
    pub struct_size: u32,
    /// As OpenTelemetry's `SpanKind`: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: u32,
    /// The instance.
    pub cookie: u64,
    /// Trace id.
    pub trace_id: [u8; 16],
    /// The span's own id.
    pub span_id: [u8; 8],
    /// Its parent's id, zero for a root.
    pub parent_span_id: [u8; 8],
    /// 1 when the parent came from another process.
    pub parent_is_remote: u32,
    /// As OpenTelemetry's status: 0 unset, 1 ok, 2 error.
    pub status: u32,
    /// Nanoseconds since the Unix epoch.
    pub start_ns: i64,
    /// Nanoseconds since the Unix epoch.
    pub end_ns: i64,
    /// Text.
    pub name: PlStr,
    /// Text, for status 2.
    pub status_message: PlStr,
    /// The `tracestate` text.
    pub tracestate: PlStr,
    /// The attributes.
    pub fields: *const PlField,
    /// The events.
    pub events: *const PlSpanEvent,
    /// Number of attributes.
    pub n_fields: u32,
    /// Number of events.
    pub n_events: u32,
}

/// `PlInstrumentSpec::kind`: adds; recorded bits are an unsigned integer.
pub const PL_INSTRUMENT_COUNTER: u32 = 0;
/// `PlInstrumentSpec::kind`: the last value counts; recorded bits are a double.
pub const PL_INSTRUMENT_GAUGE: u32 = 1;
/// `PlInstrumentSpec::kind`: a distribution over `bounds`; recorded bits are a double.
pub const PL_INSTRUMENT_HISTOGRAM: u32 = 2;

/// Recorded for a gauge, takes it out of the metrics until another value is: what it told about is not there any more. The bits
/// are a NaN, Prometheus' own mark of a series that ended.
pub const PL_GAUGE_ABSENT: u64 = 0x7ff0_0000_0000_0002;

/// What an instrument is. Borrowed for the call.
#[repr(C)]
#[derive(Debug)]
pub struct PlInstrumentSpec {
    /// Bytes of this structure that the plugin filled in.
    pub struct_size: u32,
    /// `PL_INSTRUMENT_*`.
    pub kind: u32,
    /// The instance; flow, stage and instance become labels.
    pub cookie: u64,
    /// Name without unit and `_total`, text, `pipeline_…`.
    pub name: PlStr,
    /// `seconds`, `bytes`, or empty, text.
    pub unit: PlStr,
    /// One line for people, text.
    pub help: PlStr,
    /// Labels; few values, all bounded.
    pub labels: *const PlField,
    /// Upper bounds of a histogram's buckets, ascending.
    pub bounds: *const f64,
    /// Number of labels.
    pub n_labels: u32,
    /// Number of bounds.
    pub n_bounds: u32,
}

/// An instrument's handle; never freed. The same specification gives the same instrument, also after a restart.
#[repr(C)]
#[derive(Debug)]
pub struct PlInstrument {
    _opaque: [u8; 0],
}

/// The host, as a plugin sees it: one per process, valid until the process ends. Every function may be called on any
/// thread, does not block, and borrows its arguments for the call.
#[repr(C)]
#[derive(Debug)]
pub struct PlHost {
    /// Bytes of this structure that the host filled in.
    pub struct_size: u32,
    /// `PL_ABI_MAJOR` of the host.
    pub abi_major: u16,
    /// `PL_ABI_MINOR` of the host.
    pub abi_minor: u16,
    /// Zero.
    pub features: u64,
    /// First argument of the functions.
    pub ctx: *mut c_void,
    /// The most detailed level that is wanted now, 0 (none) to 5: read with a relaxed atomic load before building a log.
    pub max_level: *const u32,
    /// Takes a log event.
    pub log: unsafe extern "C" fn(*mut c_void, *const PlLog),
    /// Takes a finished span.
    pub span: unsafe extern "C" fn(*mut c_void, *const PlSpan),
    /// Gives the instrument of a specification; null when the specification is refused (which is logged).
    pub instrument: unsafe extern "C" fn(*mut c_void, *const PlInstrumentSpec) -> *mut PlInstrument,
    /// Records a value; a null instrument is ignored.
    pub record: unsafe extern "C" fn(*mut PlInstrument, bits: u64),
    /// Takes a `PL_EVENT_*` of an instance.
    pub event: unsafe extern "C" fn(*mut c_void, cookie: u64, event: u32, status: i32, text: PlStr),
    /// Takes the instance's status document, a JSON object, which replaces the one before.
    pub status: unsafe extern "C" fn(*mut c_void, cookie: u64, json: PlStr),
    /// Optional features by versioned name; null when not offered.
    pub get_ext: unsafe extern "C" fn(*mut c_void, name: PlStr) -> *const c_void,
    /// Adds an event to the span that a message's trace names, which another instance of this process holds open.
    pub span_event: unsafe extern "C" fn(
        *mut c_void,
        cookie: u64,
        trace: *const PlTrace,
        event: *const PlSpanEvent,
    ),
    /// Records a value, and keeps it as an example of its bucket together with the trace of the message that it is of.
    pub record_traced:
        unsafe extern "C" fn(instrument: *mut PlInstrument, bits: u64, trace: *const PlTrace),
}

// SAFETY: the functions may be called on any thread, the data does not change.
unsafe impl Send for PlHost {}
// SAFETY: as above.
unsafe impl Sync for PlHost {}
