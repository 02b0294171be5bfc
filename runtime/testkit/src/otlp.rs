//! A trace collector: takes spans over OTLP/HTTP, reads them with the official protobuf types, and finds its way in them.

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span as Wire, span::SpanKind, status::StatusCode};
use prost::Message as _;

use crate::jaeger::Jaeger;
use crate::{Answer, HttpReceiver, Received, eventually};

/// One span, with who made it.
#[derive(Clone, Debug)]
pub struct Span {
    /// `service.name`.
    pub service: String,
    /// `service.instance.id`.
    pub instance: String,
    /// Name of the stage.
    pub stage: String,
    /// Trace id, hexadecimal.
    pub trace: String,
    /// Its own id, hexadecimal.
    pub id: String,
    /// Its parent's id, hexadecimal; empty for a root.
    pub parent: String,
    /// What it stands for.
    pub kind: SpanKind,
    /// Name.
    pub name: String,
    /// Begin, nanoseconds since 1970.
    pub start: u64,
    /// End, nanoseconds since 1970.
    pub end: u64,
    /// Attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// Names of the events, with their attributes.
    pub events: Vec<(String, BTreeMap<String, String>)>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Span {
    /// An attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Whether something of that name happened in it.
    pub fn has_event(&self, name: &str) -> bool {
        self.events.iter().any(|(known, _)| known == name)
    }
}

/// A collector that keeps every span: a receiver of the test's own, or the Jaeger that `JAEGER_URL` names.
pub struct Collector(Place);

enum Place {
    Own(HttpReceiver),
    Jaeger(Jaeger),
}

impl Collector {
    /// Listens, unless a Jaeger does.
    pub async fn listen() -> Self {
        Self(match std::env::var("JAEGER_URL") {
            Ok(url) if !url.is_empty() => Place::Jaeger(Jaeger::at(&url)),
            _ => Place::Own(HttpReceiver::scripted([Answer::status(200)]).await),
        })
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is set to.
    pub fn endpoint(&self) -> String {
        match &self.0 {
            Place::Own(receiver) => format!("http://{}", receiver.addr()),
            Place::Jaeger(jaeger) => jaeger.collector(),
        }
    }

    /// All spans so far.
    pub async fn spans(&self) -> Vec<Span> {
        match &self.0 {
            Place::Own(receiver) => receiver.received().iter().flat_map(spans).collect(),
            Place::Jaeger(jaeger) => jaeger.spans().await,
        }
    }

    /// Waits until what was sent so far answers `probe`.
    pub async fn until<T>(
        &self,
        within: Duration,
        what: &str,
        probe: impl Fn(&[Span]) -> Result<T, String>,
    ) -> T {
        eventually(within, what, async || probe(&self.spans().await)).await
    }
}

fn spans(request: &Received) -> Vec<Span> {
    assert_eq!(request.line, "POST /v1/traces");
    let request = ExportTraceServiceRequest::decode(request.body.clone()).expect("OTLP");
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let about = resource
            .resource
            .map(|resource| texts(&resource.attributes));
        let about = about.unwrap_or_default();
        let of = |name: &str| about.get(name).cloned().unwrap_or_default();
        for scope in resource.scope_spans {
            let stage = scope.scope.map(|scope| scope.name).unwrap_or_default();
            let read = |wire: &Wire| Span {
                service: of("service.name"),
                instance: of("service.instance.id"),
                stage: stage.clone(),
                ..span(wire)
            };
            spans.extend(scope.spans.iter().map(read));
        }
    }
    spans
}

fn span(wire: &Wire) -> Span {
    let status = wire.status.as_ref();
    let failed = status.filter(|status| status.code() == StatusCode::Error);
    let event = |event: &opentelemetry_proto::tonic::trace::v1::span::Event| {
        (event.name.clone(), texts(&event.attributes))
    };
    Span {
        service: String::new(),
        instance: String::new(),
        stage: String::new(),
        trace: hex(&wire.trace_id),
        id: hex(&wire.span_id),
        parent: hex(&wire.parent_span_id),
        kind: wire.kind(),
        name: wire.name.clone(),
        start: wire.start_time_unix_nano,
        end: wire.end_time_unix_nano,
        attributes: texts(&wire.attributes),
        events: wire.events.iter().map(event).collect(),
        error: failed.map(|status| status.message.clone()),
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| {
        let value = attribute.value.as_ref().and_then(|any| any.value.as_ref());
        let text = match value {
            Some(Value::StringValue(text)) => text.clone(),
            Some(Value::IntValue(number)) => number.to_string(),
            Some(Value::DoubleValue(number)) => number.to_string(),
            Some(Value::BoolValue(truth)) => truth.to_string(),
            other => format!("{other:?}"),
        };
        (attribute.key.clone(), text)
    };
    attributes.iter().map(text).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
