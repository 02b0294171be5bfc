//! Writes envelopes and frames straight into a buffer, without a value in between.

use base64::display::Base64Display;
use base64::engine::general_purpose::GeneralPurpose;
use base64::prelude::BASE64_STANDARD;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::data::as_json;
use crate::frame::{Gap, Hello};
use crate::{Data, Envelope, Times};

/// What a sender knows of one message.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvelopeFields<'a> {
    /// Topic that the message belongs to.
    pub topic: Option<&'a str>,
    /// Partition and offset; needs a topic.
    pub position: Option<(i32, i64)>,
    /// When the message entered the system, in nanoseconds.
    pub timestamp: Option<i64>,
    /// The message's key.
    pub key: Option<&'a [u8]>,
    /// W3C trace context.
    pub traceparent: Option<&'a str>,
    /// When it passed each place.
    pub times: Times,
    /// True when it was read again to refill a ring.
    pub replay: bool,
    /// The payload, JSON or not.
    pub payload: &'a [u8],
}

impl<'a> From<&'a Envelope<'a>> for EnvelopeFields<'a> {
    fn from(envelope: &'a Envelope<'a>) -> Self {
        Self {
            topic: envelope.topic.as_deref(),
            position: envelope
                .position
                .as_ref()
                .map(|position| (position.partition, position.offset)),
            timestamp: envelope.timestamp,
            key: envelope.key.as_deref(),
            traceparent: envelope.traceparent.as_deref(),
            times: envelope.times,
            replay: envelope.replay,
            payload: envelope.data.as_bytes(),
        }
    }
}

/// Appends one envelope and its line end.
pub fn write_envelope(out: &mut Vec<u8>, fields: &EnvelopeFields<'_>) {
    // A line end can stand between two tokens of a JSON payload, but not inside a line.
    let one_line = memchr::memchr2(b'\n', b'\r', fields.payload).is_none();
    let json = if one_line {
        as_json(fields.payload)
    } else {
        None
    };
    append(
        out,
        &Wire {
            traceparent: fields.traceparent,
            ..Wire::new(fields, json)
        },
    );
    out.push(b'\n');
}

/// Appends one message frame. When the payload is JSON it ends one byte before the frame does, so that a server can
/// keep one copy of both.
pub fn write_message(out: &mut Vec<u8>, from: &str, message: &Envelope<'_>) {
    let fields = EnvelopeFields::from(message);
    let json = match message.data {
        Data::Json(raw) => Some(raw),
        Data::Binary(_) => None,
    };
    let wire = Wire {
        kind: Some("message"),
        from: Some(from),
        trace: fields.traceparent,
        ..Wire::new(&fields, json)
    };
    append(out, &wire);
}

/// Appends a `hello` frame.
pub fn write_hello(out: &mut Vec<u8>, hello: &Hello) {
    append(
        out,
        &Tagged {
            kind: "hello",
            rest: hello,
        },
    );
}

/// Appends a `gap` frame.
pub fn write_gap(out: &mut Vec<u8>, gap: &Gap) {
    append(
        out,
        &Tagged {
            kind: "gap",
            rest: gap,
        },
    );
}

fn append(out: &mut Vec<u8>, value: &impl Serialize) {
    // Neither a `Vec` nor these types can fail, and no caller could do anything about it.
    let written = serde_json::to_writer(out, value);
    debug_assert!(
        written.is_ok(),
        "writing JSON into memory failed: {written:?}"
    );
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    rest: &'a T,
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Times::is_empty")]
    times: Times,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    replay: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<Base64<'a>>,
    // Last, so that a JSON payload is the end of its frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

impl<'a> Wire<'a> {
    fn new(fields: &EnvelopeFields<'a>, json: Option<&'a RawValue>) -> Self {
        let key = fields.key.map(std::str::from_utf8);
        Self {
            kind: None,
            from: None,
            topic: fields.topic,
            partition: fields.position.map(|(partition, _)| partition),
            offset: fields.position.map(|(_, offset)| offset),
            timestamp: fields.timestamp,
            times: fields.times,
            traceparent: None,
            trace: None,
            replay: fields.replay,
            key: key.and_then(Result::ok),
            key_base64: key.filter(Result::is_err).and(fields.key).map(Base64),
            data_base64: json.is_none().then_some(Base64(fields.payload)),
            data: json,
        }
    }
}

struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Base64Display::<GeneralPurpose>::new(
            self.0,
            &BASE64_STANDARD,
        ))
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
