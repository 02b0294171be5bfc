//! `GET /tap` of the control socket: copies of messages as they pass a stage, one JSON object a line, as they come.
//!
//! The threads that carry the messages only hand a bounded copy to a bounded queue; the text is made here, at the reader's
//! pace. A reader that is too slow misses messages, which the next line counts.

use super::app::App;
use super::fleet::FlowCopy;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::body::{Bytes, Frame};
use pipeline_host::{Tap, TapSink, Tapped};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

/// Copies that wait for the reader.
const QUEUE: usize = 64;
/// How long one answer goes on; whoever wants more asks again. Less than a connection may live.
const LIFE: Duration = Duration::from_secs(100);

/// What a reader asks for.
#[derive(Deserialize)]
pub(super) struct Wish {
    stage: String,
    flow: Option<String>,
    /// Messages a second, from each copy of the flow.
    rate: u32,
}

/// A copy, and the copy of the flow in which it passed.
type Passed = (Arc<Json>, Tapped);

/// Answers with what passes, until the reader goes away, the flow is built anew, or the time is over.
pub(super) async fn tap(State(app): State<Arc<App>>, Query(wish): Query<Wish>) -> Response {
    let (tell, passed) = mpsc::channel(QUEUE);
    let copies = app.fleet.copies();
    let attached = copies
        .iter()
        .filter(|copy| wish.flow.as_ref().is_none_or(|flow| *flow == copy.flow))
        .filter(|copy| attach(copy, &wish, tell.clone()))
        .count();
    if attached == 0 {
        return (StatusCode::NOT_FOUND, not_there(&wish, &copies)).into_response();
    }
    let lines = Lines {
        passed,
        end: Box::pin(sleep(LIFE)),
    };
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (kind, Body::new(lines)).into_response()
}

fn attach(copy: &FlowCopy, wish: &Wish, tell: mpsc::Sender<Passed>) -> bool {
    let place = json!({ "flow": copy.flow, "instance": copy.instance, "stage": wish.stage });
    let queue = Queue {
        place: Arc::new(place),
        tell,
    };
    copy.handle
        .tap(&wish.stage, &Tap::new(wish.rate, Box::new(queue)))
}

fn not_there(wish: &Wish, copies: &[FlowCopy]) -> String {
    let stages: BTreeSet<String> = copies
        .iter()
        .flat_map(|copy| copy.handle.status().stages)
        .map(|stage| format!("`{}`", stage.name))
        .collect();
    let place = match &wish.flow {
        Some(flow) => format!("flow `{flow}` has no stage `{}`", wish.stage),
        None => format!("no flow has a stage `{}`", wish.stage),
    };
    let stages: Vec<_> = stages.into_iter().collect();
    format!("{place} (stages that run: {})\n", stages.join(", "))
}

/// Takes copies on the threads of a flow.
struct Queue {
    place: Arc<Json>,
    tell: mpsc::Sender<Passed>,
}

impl TapSink for Queue {
    fn is_wanted(&self) -> bool {
        !self.tell.is_closed()
    }

    fn take(&self, message: Tapped) -> bool {
        self.tell.try_send((self.place.clone(), message)).is_ok()
    }
}

/// A body of lines.
struct Lines {
    passed: mpsc::Receiver<Passed>,
    end: Pin<Box<Sleep>>,
}

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        let passed = self.passed.poll_recv(context);
        passed.map(|passed| passed.map(|(place, copy)| Ok(Frame::data(line(&place, &copy).into()))))
    }
}

/// A copy as a line. Names and the two forms of a payload are those of the envelope; times are text, for people.
fn line(place: &Json, copy: &Tapped) -> String {
    let mut fields = Map::new();
    if let Json::Object(place) = place {
        fields.extend(place.clone());
    }
    let entered = UNIX_EPOCH + Duration::from_nanos(copy.timestamp_ns.max(0).cast_unsigned());
    let entered = humantime::format_rfc3339_nanos(entered).to_string();
    fields.insert("timestamp".to_owned(), entered.into());
    if let Some((topic, partition, offset)) = &copy.position {
        let position = json!({ "topic": topic, "partition": partition, "offset": offset });
        fields.extend(position.as_object().cloned().unwrap_or_default());
    }
    if let Some(key) = &copy.key {
        fields.insert("key".to_owned(), text(key));
    }
    if !copy.headers.is_empty() {
        let headers = copy.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), text(value)));
        fields.insert("headers".to_owned(), Json::Object(headers.collect()));
    }
    if let Some(trace) = &copy.trace {
        fields.insert("traceparent".to_owned(), traceparent(trace).into());
    }
    if copy.is_replay {
        fields.insert("replay".to_owned(), true.into());
    }
    if copy.skipped > 0 {
        fields.insert("skipped".to_owned(), copy.skipped.into());
    }
    with_payload(fields, copy)
}

/// JSON goes in as it is; what is not JSON, or was cut, as base64.
fn with_payload(mut fields: Map<String, Json>, copy: &Tapped) -> String {
    let is_whole = copy.payload.len() == copy.payload_len as usize;
    let raw = std::str::from_utf8(&copy.payload)
        .ok()
        .filter(|text| is_whole && serde_json::from_str::<&RawValue>(text).is_ok())
        // A line is a line, whatever the payload looks like.
        .map(|text| text.replace(['\n', '\r'], " "));
    if !is_whole {
        fields.insert("payload_bytes".to_owned(), copy.payload_len.into());
    }
    if raw.is_none() {
        fields.insert(
            "data_base64".to_owned(),
            BASE64.encode(&copy.payload).into(),
        );
    }
    let mut line = Json::Object(fields).to_string();
    if let Some(raw) = raw {
        line.pop();
        let _ = write!(line, ",\"data\":{raw}}}");
    }
    line.push('\n');
    line
}

fn text(bytes: &[u8]) -> Json {
    String::from_utf8_lossy(bytes).into()
}

fn traceparent((trace, span, flags): &([u8; 16], [u8; 8], u8)) -> String {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    format!("00-{}-{}-{flags:02x}", hex(trace), hex(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(payload: &[u8]) -> Tapped {
        Tapped {
            payload: payload.to_vec(),
            payload_len: payload.len() as u32,
            key: None,
            headers: Vec::new(),
            timestamp_ns: 1_700_000_000_000_000_123,
            position: None,
            trace: None,
            is_replay: false,
            skipped: 0,
        }
    }

    fn parsed(copy: &Tapped) -> Json {
        let line = line(&json!({ "stage": "kafka-sink" }), copy);
        assert_eq!(line.find('\n'), Some(line.len() - 1), "{line}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_message_is_one_line_of_json_with_all_that_it_has() {
        let full = Tapped {
            key: Some(b"KRW-BTC".to_vec()),
            headers: vec![("kept".to_owned(), b"yes".to_vec())],
            position: Some(("stock_trade".to_owned(), 2, 41)),
            trace: Some(([0xab; 16], [1; 8], 1)),
            is_replay: true,
            skipped: 9,
            ..copy(b"{\n \"price\": 1.10}")
        };
        assert_eq!(
            parsed(&full),
            json!({
                "stage": "kafka-sink", "timestamp": "2023-11-14T22:13:20.000000123Z",
                "topic": "stock_trade", "partition": 2, "offset": 41, "key": "KRW-BTC",
                "headers": { "kept": "yes" },
                "traceparent": "00-abababababababababababababababab-0101010101010101-01",
                "replay": true, "skipped": 9, "data": { "price": 1.10 },
            })
        );
    }

    #[test]
    fn what_is_no_json_or_was_cut_comes_as_base64() {
        assert_eq!(parsed(&copy(b"\xff\n"))["data_base64"], "/wo=");
        let cut = Tapped {
            payload_len: 100_000,
            ..copy(b"12")
        };
        let line = parsed(&cut);
        assert_eq!(
            (&line["payload_bytes"], &line["data_base64"], &line["data"]),
            (&json!(100_000), &json!("MTI="), &Json::Null)
        );
    }
}
