//! From a stage's finished span to OpenTelemetry's.

use opentelemetry::trace::{
    Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use pipeline_host::{Field, FieldValue, SpanEvent, SpanRecord};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest text of an attribute, bytes.
const TEXT_MAX: usize = 1024;

/// Copies a record; texts are cut to a bearable length.
pub(super) fn data(record: &SpanRecord<'_>) -> SpanData {
    let stage = record
        .stage
        .map_or("pipeline", |(_, stage, _)| stage)
        .to_owned();
    let mut events = SpanEvents::default();
    events.events = record.events.iter().map(event).collect();
    SpanData {
        span_context: SpanContext::new(
            TraceId::from_bytes(record.trace_id),
            SpanId::from_bytes(record.span_id),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::from_bytes(record.parent_span_id),
        parent_span_is_remote: record.parent_is_remote,
        span_kind: kind(record.kind),
        name: clipped(record.name).into(),
        start_time: time(record.start_ns),
        end_time: time(record.end_ns.max(record.start_ns)),
        attributes: record.fields.iter().map(attribute).collect(),
        dropped_attributes_count: 0,
        events,
        links: SpanLinks::default(),
        status: match record.status {
            1 => Status::Ok,
            2 => Status::error(clipped(record.status_message)),
            _ => Status::Unset,
        },
        instrumentation_scope: InstrumentationScope::builder(stage)
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

fn event(event: &SpanEvent<'_>) -> Event {
    let attributes = event.fields.iter().map(attribute).collect();
    Event::new(clipped(event.name), time(event.ts_ns), attributes, 0)
}

fn attribute(field: &Field<'_>) -> KeyValue {
    let value = match field.value {
        FieldValue::Str(text) => Value::from(clipped(text)),
        FieldValue::I64(number) => Value::I64(number),
        FieldValue::U64(number) => Value::I64(i64::try_from(number).unwrap_or(i64::MAX)),
        FieldValue::F64(number) => Value::F64(number),
        FieldValue::Bool(truth) => Value::Bool(truth),
    };
    KeyValue::new(clipped(field.name), value)
}

fn kind(kind: u32) -> SpanKind {
    match kind {
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

/// A time before 1970 is none that a span can have.
fn time(ns: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
}

fn clipped(text: &str) -> String {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_extreme_is_bounded() {
        let long = "ü".repeat(TEXT_MAX);
        let field = Field {
            name: "n",
            value: FieldValue::Str(&long),
        };
        let largest = Field {
            name: "u",
            value: FieldValue::U64(u64::MAX),
        };
        let record = SpanRecord {
            stage: Some(("consumer", "http-post", 0)),
            kind: 77,
            trace_id: [1; 16],
            span_id: [2; 8],
            parent_span_id: [0; 8],
            parent_is_remote: true,
            status: 2,
            start_ns: i64::MAX,
            end_ns: i64::MIN,
            name: &long,
            status_message: "why",
            tracestate: "",
            fields: vec![field, largest],
            events: Vec::new(),
        };
        let span = data(&record);
        assert_eq!(
            (span.name.len(), span.span_kind),
            (TEXT_MAX, SpanKind::Internal)
        );
        assert_eq!(span.end_time, span.start_time);
        assert_eq!(span.attributes[0].value.as_str().len(), TEXT_MAX);
        assert_eq!(span.attributes[1].value, Value::I64(i64::MAX));
        assert_eq!(span.status, Status::error("why"));
        assert_eq!(span.instrumentation_scope.name(), "http-post");
    }
}
