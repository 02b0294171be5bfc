//! A Jaeger that is there already: its collector takes the spans of a test, its query API tells them.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::Value;

use crate::http::{self, StatusCode};
use crate::otlp::Span;

/// Most traces of one service; a test makes fewer.
const LIMIT: u32 = 1500;

/// A Jaeger, from now on.
pub(crate) struct Jaeger {
    url: String,
    since_us: u128,
}

impl Jaeger {
    /// The Jaeger whose page is at `url`.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            since_us: now_us(),
        }
    }

    /// Its collector: port 4318 of the same host.
    pub(crate) fn collector(&self) -> String {
        let (host, _) = self.url.rsplit_once(':').expect("a URL with a port");
        format!("{host}:4318")
    }

    /// All spans so far.
    pub(crate) async fn spans(&self) -> Vec<Span> {
        let mut spans = BTreeMap::new();
        for service in list(&self.get("/api/services").await["data"]) {
            let service = service.as_str().expect("a name");
            let (start, end) = (self.since_us, now_us());
            let query =
                format!("/api/traces?service={service}&start={start}&end={end}&limit={LIMIT}");
            for trace in list(&self.get(&query).await["data"]) {
                let read = list(&trace["spans"]).iter().map(|one| span(trace, one));
                spans.extend(read.map(|span| (span.id.clone(), span)));
            }
        }
        spans.into_values().collect()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.url);
        match http::get(&url).await {
            Ok((StatusCode::OK, text)) => serde_json::from_str(&text).expect("JSON of Jaeger"),
            other => panic!("`{url}`: {other:?}"),
        }
    }
}

fn span(trace: &Value, span: &Value) -> Span {
    let word = |name: &str| text(&span[name]);
    let number = |name: &str| span[name].as_u64().expect("a number");
    let process = &trace["processes"][word("processID")];
    let of_process = tags(&process["tags"]);
    let mut attributes = tags(&span["tags"]);
    let mut take = |name: &str| attributes.remove(name);
    let parent = list(&span["references"])
        .iter()
        .find(|to| to["refType"] == "CHILD_OF");
    let failed = take("otel.status_code").is_some_and(|code| code == "ERROR");
    let why = take("otel.status_description").unwrap_or_default();
    let start = number("startTime") * 1000;
    Span {
        service: text(&process["serviceName"]),
        instance: of_process
            .get("service.instance.id")
            .cloned()
            .unwrap_or_default(),
        stage: take("otel.scope.name").unwrap_or_default(),
        trace: word("traceID"),
        id: word("spanID"),
        parent: parent.map_or_else(String::new, |to| text(&to["spanID"])),
        kind: kind(take("span.kind").as_deref()),
        name: word("operationName"),
        start,
        end: start + number("duration") * 1000,
        attributes,
        events: list(&span["logs"]).iter().map(event).collect(),
        error: failed.then_some(why),
    }
}

fn event(log: &Value) -> (String, BTreeMap<String, String>) {
    let mut fields = tags(&log["fields"]);
    let name = fields.remove("event").unwrap_or_default();
    (name, fields)
}

fn kind(kind: Option<&str>) -> SpanKind {
    match kind {
        Some("server") => SpanKind::Server,
        Some("client") => SpanKind::Client,
        Some("producer") => SpanKind::Producer,
        Some("consumer") => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn tags(tags: &Value) -> BTreeMap<String, String> {
    let tag = |tag: &Value| (text(&tag["key"]), text(&tag["value"]));
    list(tags).iter().map(tag).collect()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn now_us() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time after 1970").as_micros()
}
