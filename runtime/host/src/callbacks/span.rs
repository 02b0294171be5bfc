//! Finished spans of plugins.

use super::notes::{Failure, Note};
use super::{Field, FieldValue, cookies, fields};
use pipeline_abi::{PlSpan, PlSpanEvent};

/// Most events of one span that are read.
const EVENTS_MAX: usize = 128;
/// The status of a span that failed.
const ERROR: u32 = 2;

/// A finished span, borrowed for the call.
#[derive(Clone, Debug)]
pub struct SpanRecord<'a> {
    /// Flow, stage and index of the copy.
    pub stage: Option<(&'a str, &'a str, u32)>,
    /// As OpenTelemetry's `SpanKind`: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: u32,
    /// Trace id.
    pub trace_id: [u8; 16],
    /// The span's own id.
    pub span_id: [u8; 8],
    /// Its parent's id, zero for a root.
    pub parent_span_id: [u8; 8],
    /// Whether the parent came from another process.
    pub parent_is_remote: bool,
    /// As OpenTelemetry's status: 0 unset, 1 ok, 2 error.
    pub status: u32,
    /// Nanoseconds since the Unix epoch.
    pub start_ns: i64,
    /// Nanoseconds since the Unix epoch.
    pub end_ns: i64,
    /// What was done.
    pub name: &'a str,
    /// Why it failed.
    pub status_message: &'a str,
    /// The `tracestate` text.
    pub tracestate: &'a str,
    /// Attributes.
    pub fields: Vec<Field<'a>>,
    /// Events.
    pub events: Vec<SpanEvent<'a>>,
}

impl<'a> SpanRecord<'a> {
    /// Says that it failed, unless its stage said so already.
    fn fail(&mut self, failure: &'a Failure) {
        if self.status == ERROR {
            return;
        }
        self.status = ERROR;
        self.status_message = &failure.why;
        self.fields.push(Field {
            name: "error.type",
            value: FieldValue::Str(failure.kind),
        });
    }
}

/// Something that happened inside a span.
#[derive(Clone, Debug)]
pub struct SpanEvent<'a> {
    /// Nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// What happened.
    pub name: &'a str,
    /// Attributes.
    pub fields: Vec<Field<'a>>,
}

/// Takes finished spans; on any thread, and must not block.
pub trait SpanSink: Send + Sync {
    /// Takes one span.
    fn span(&self, span: &SpanRecord<'_>);
}

/// Takes a span that a plugin passed.
pub(super) fn take(span: &PlSpan) {
    let seat = cookies::find(span.cookie);
    let Some(host) = seat
        .as_ref()
        .map(|seat| seat.host().clone())
        .or_else(cookies::default_host)
    else {
        return;
    };
    let notes = host.notes.take(span.span_id);
    // SAFETY: a span's texts, fields and events are borrowed for this call.
    let mut record = unsafe {
        SpanRecord {
            stage: seat.as_ref().map(|seat| seat.identity()),
            kind: span.kind,
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            parent_is_remote: span.parent_is_remote != 0,
            status: span.status,
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            name: span.name.text(),
            status_message: span.status_message.text(),
            tracestate: span.tracestate.text(),
            fields: fields::read(span.fields, span.n_fields),
            events: events(span.events, span.n_events),
        }
    };
    record.events.extend(notes.iter().map(Note::event));
    if let Some(failure) = notes.iter().find_map(Note::failure) {
        record.fail(failure);
    }
    record.events.sort_by_key(|event| event.ts_ns);
    host.spans.span(&record);
}

/// # Safety
/// `events` is null or leads to `count` events that stay valid for `'a`.
unsafe fn events<'a>(events: *const PlSpanEvent, count: u32) -> Vec<SpanEvent<'a>> {
    if events.is_null() || !events.is_aligned() {
        return Vec::new();
    }
    // SAFETY: promised by the caller.
    let events = unsafe { std::slice::from_raw_parts(events, (count as usize).min(EVENTS_MAX)) };
    let read = |event: &PlSpanEvent| SpanEvent {
        ts_ns: event.ts_ns,
        // SAFETY: promised by the caller.
        name: unsafe { event.name.text() },
        // SAFETY: promised by the caller.
        fields: unsafe { fields::read(event.fields, event.n_fields) },
    };
    events.iter().map(read).collect()
}
