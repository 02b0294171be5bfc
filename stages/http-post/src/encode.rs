//! Messages as the body of a request.
//!
//! Invariant: the encoding alone decides what a body looks like, never how many messages there are.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::HeaderValue;
use pipeline_sdk::TraceText;
use pipeline_sdk::prelude::*;
use serde_json::value::RawValue;
use stage_envelope::{EnvelopeFields, NDJSON, TIMES_HEADER, Times, write_envelope};

use crate::answer::Rejected;
use crate::config::Encoding;
use crate::trace::Posts;

/// Header in which the Kafka source tells the time of the record, in milliseconds.
const KAFKA_TIMESTAMP: &str = "kafka-timestamp";

/// The body of a request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Encoded {
    /// The body.
    pub(crate) body: Bytes,
    /// For each message in the body, its place in the chunk.
    pub(crate) places: Vec<usize>,
    /// Messages that cannot be in a body of this encoding, by their place in the chunk, and why.
    pub(crate) unfit: Rejected,
}

impl Encoding {
    pub(crate) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Envelope => NDJSON,
            Self::Json | Self::JsonArray => "application/json",
        })
    }
}

/// Writes messages as the body of a request.
pub(crate) fn encode<'a>(
    encoding: Encoding,
    messages: impl Iterator<Item = Message<'a>>,
    posts: &Posts,
) -> Encoded {
    match encoding {
        Encoding::Envelope => envelopes(messages, posts),
        Encoding::Json => json(messages.map(|message| message.payload()), b"", b""),
        Encoding::JsonArray => json(messages.map(|message| message.payload()), b"[", b"]"),
    }
}

fn envelopes<'a>(messages: impl Iterator<Item = Message<'a>>, posts: &Posts) -> Encoded {
    let posted = now_ns();
    let mut body = Vec::new();
    let mut places = Vec::new();
    for (place, message) in messages.enumerate() {
        let position = message.position();
        let trace = posts.trace(place).or_else(|| message.trace());
        let traceparent = trace.map(|trace| trace.text());
        let fields = EnvelopeFields {
            topic: position.map(|position| position.topic),
            position: position.map(|position| (position.partition, position.offset)),
            timestamp: Some(message.timestamp_ns()),
            key: message.key(),
            traceparent: traceparent.as_ref().map(TraceText::as_str),
            times: times(&message, posted),
            replay: message.is_replay(),
            payload: message.payload(),
        };
        write_envelope(&mut body, &fields);
        places.push(place);
    }
    Encoded {
        body: body.into(),
        places,
        unfit: Rejected::new(),
    }
}

/// What the message itself carries, completed by what is known here.
fn times(message: &Message<'_>, posted: i64) -> Times {
    let carried: Times = message
        .header(TIMES_HEADER)
        .and_then(|json| serde_json::from_slice(json).ok())
        .unwrap_or_default();
    Times {
        received: carried.received.or(Some(message.timestamp_ns())),
        produced: carried.produced.or_else(|| kafka_timestamp(message)),
        consumed: carried.consumed.or(Some(message.made_ns())),
        posted: Some(posted),
        accepted: None,
    }
}

fn kafka_timestamp(message: &Message<'_>) -> Option<i64> {
    let text = std::str::from_utf8(message.header(KAFKA_TIMESTAMP)?).ok()?;
    text.parse::<i64>()
        .ok()?
        .checked_mul(1_000_000)
        .filter(|ns| *ns >= 0)
}

fn json<'a>(payloads: impl Iterator<Item = &'a [u8]>, open: &[u8], close: &[u8]) -> Encoded {
    let mut body = open.to_vec();
    let mut encoded = Encoded::default();
    for (place, payload) in payloads.enumerate() {
        if let Err(error) = serde_json::from_slice::<&RawValue>(payload) {
            encoded
                .unfit
                .insert(place, format!("payload is not JSON: {error}"));
            continue;
        }
        if !encoded.places.is_empty() {
            body.push(b',');
        }
        body.extend_from_slice(payload);
        encoded.places.push(place);
    }
    body.extend_from_slice(close);
    encoded.body = body.into();
    encoded
}

fn now_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(payloads: &[&'static [u8]]) -> Encoded {
        json(payloads.iter().copied(), b"[", b"]")
    }

    #[test]
    fn an_array_of_one_is_still_an_array() {
        assert_eq!(array(&[b"{\"a\":1}"]).body, "[{\"a\":1}]");
        assert_eq!(array(&[b"1", b" 2\n"]).body, "[1, 2\n]");
    }

    #[test]
    fn one_payload_is_sent_as_it_is() {
        let encoded = json([&b" {\"a\":1.0}\n"[..]].into_iter(), b"", b"");
        assert_eq!(encoded.body, " {\"a\":1.0}\n");
    }

    #[test]
    fn what_is_not_json_is_left_out_and_told() {
        let encoded = array(&[b"1", b"", b"{", b"\"\xff\"", b"2", b"1,1"]);
        assert_eq!(encoded.body, "[1,2]");
        assert_eq!(encoded.places, [0, 4]);
        assert_eq!(
            encoded.unfit.keys().copied().collect::<Vec<_>>(),
            [1, 2, 3, 5]
        );
        assert!(encoded.unfit[&2].starts_with("payload is not JSON: "));
    }
}
