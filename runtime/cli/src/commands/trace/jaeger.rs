//! Jaeger's query API: `/api/services`, `/api/traces`, and the links of its pages.

use crate::args::Position;
use crate::http_client::Transport;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use url::form_urlencoded::Serializer;

/// Where Jaeger's page is when nothing else is said.
pub(super) const LOCAL: &str = "http://127.0.0.1:16686";
/// How far back a trace is looked for.
pub(super) const DAYS: u64 = 7;

/// From a question to the last byte of its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer, bytes.
const ANSWER_MAX: usize = 32 << 20;

/// A Jaeger to ask.
pub(super) struct Jaeger {
    base: String,
    transport: Transport,
}

/// A trace, as Jaeger tells it.
#[derive(Debug, Deserialize)]
pub(super) struct Trace {
    #[serde(rename = "traceID")]
    pub(super) id: String,
    pub(super) spans: Vec<Span>,
    processes: HashMap<String, Process>,
}

/// A span; times are microseconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    #[serde(rename = "spanID")]
    pub(super) id: String,
    pub(super) operation_name: String,
    #[serde(default)]
    references: Vec<Reference>,
    pub(super) start_time: u64,
    pub(super) duration: u64,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    logs: Vec<Log>,
    #[serde(rename = "processID")]
    process: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "spanID")]
    span: String,
}

#[derive(Debug, Deserialize)]
struct Tag {
    key: String,
    value: Value,
}

#[derive(Debug, Deserialize)]
struct Log {
    fields: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
}

impl Trace {
    /// The service that made a span.
    pub(super) fn service(&self, span: &Span) -> &str {
        let process = self.processes.get(&span.process);
        process.map_or("?", |process| &process.service_name)
    }
}

impl Span {
    pub(super) fn parent(&self) -> Option<&str> {
        let parent = self.references.iter().find(|to| to.ref_type == "CHILD_OF");
        parent.map(|to| to.span.as_str())
    }

    /// An attribute that is text.
    pub(super) fn tag(&self, name: &str) -> Option<&str> {
        text(&self.tags, name)
    }

    /// Names of what happened in it.
    pub(super) fn events(&self) -> impl Iterator<Item = &str> {
        self.logs
            .iter()
            .filter_map(|log| text(&log.fields, "event"))
    }

    /// Why it failed, if it did.
    pub(super) fn error(&self) -> Option<&str> {
        let failed = self.tag("otel.status_code") == Some("ERROR");
        failed.then(|| self.tag("otel.status_description").unwrap_or("failed"))
    }
}

fn text<'a>(tags: &'a [Tag], name: &str) -> Option<&'a str> {
    let tag = tags.iter().find(|tag| tag.key == name)?;
    tag.value.as_str()
}

impl Jaeger {
    /// The Jaeger whose page is at `base`.
    pub(super) fn at(base: &str) -> Result<Self, String> {
        Ok(Jaeger {
            base: base.trim_end_matches('/').to_owned(),
            transport: Transport::new(TIMEOUT, ANSWER_MAX)?,
        })
    }

    /// The trace of the message at a position. Jaeger looks for attributes in one service at a time, so each is asked.
    pub(super) async fn find(&self, position: &Position) -> Result<Option<Trace>, String> {
        let services: Vec<String> = self.get("/api/services").await?;
        for service in services {
            let query = query(&service, position, &recent());
            let found: Vec<Trace> = self.get(&format!("/api/traces?{query}")).await?;
            if let Some(trace) = found.into_iter().next() {
                return Ok(Some(trace));
            }
        }
        Ok(None)
    }

    /// The page of a trace.
    pub(super) fn trace_link(&self, trace: &Trace) -> String {
        format!("{}/trace/{}", self.base, trace.id)
    }

    async fn get<T: DeserializeOwned + Default>(&self, path: &str) -> Result<T, String> {
        let answer = self.transport.get(&format!("{}{path}", self.base)).await?;
        let answer: Answer<T> = serde_json::from_slice(&answer)
            .map_err(|error| format!("expected the answer of its query API: {error}"))?;
        Ok(answer.data.unwrap_or_default())
    }
}

/// The page that looks for the trace of a position.
pub(super) fn search_link(base: &str, service: &str, position: &Position) -> String {
    let lookback = [("lookback", format!("{DAYS}d"))];
    format!("{base}/search?{}", query(service, position, &lookback))
}

fn query(service: &str, position: &Position, when: &[(&str, String)]) -> String {
    let tags = json!({
        "messaging.destination.name": position.topic,
        "messaging.destination.partition.id": position.partition.to_string(),
        "messaging.kafka.offset": position.offset.to_string(),
    });
    let mut query = Serializer::new(String::new());
    query.append_pair("service", service);
    query.append_pair("tags", &tags.to_string());
    query.append_pair("limit", "1");
    for (name, value) in when {
        query.append_pair(name, value);
    }
    query.finish()
}

fn recent() -> [(&'static str, String); 2] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default();
    let begin = now.saturating_sub(Duration::from_secs(DAYS * 86_400));
    [
        ("start", begin.as_micros().to_string()),
        ("end", now.as_micros().to_string()),
    ]
}
