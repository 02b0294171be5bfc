//! One message on its way from `http-post` to `ws-broadcast`: a line of `application/x-ndjson`.
//!
//! ```json
//! {"topic":"stock_trade","partition":0,"offset":42,"timestamp":1700000000000000000,"key":"KRW-BTC",
//!  "traceparent":"00-…-01","times":{"received":1700000000000000000},"replay":true,"data":{"price":"1"}}
//! ```
//!
//! Only the payload (`data`, or `data_base64` for what is not JSON) must be there. Unknown fields are ignored, so that
//! a newer sender can talk to an older server.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::data::key_from_fields;
use crate::read::{named, whole};
use crate::{Data, EnvelopeError, Position, Times};

/// One message as it was read from a line; borrows from the line whatever needs no decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Topic that the message belongs to; may be there without a position.
    pub topic: Option<Cow<'a, str>>,
    /// Where the message stands in Kafka. Without one it is neither deduplicated nor resumable.
    pub position: Option<Position<'a>>,
    /// When the message entered the system, in nanoseconds; part of what tells it from another epoch's message.
    pub timestamp: Option<i64>,
    /// The message's key.
    pub key: Option<Cow<'a, [u8]>>,
    /// W3C trace context, as it was sent.
    pub traceparent: Option<Cow<'a, str>>,
    /// When it passed each place.
    pub times: Times,
    /// True when a consumer read it again, from before its committed offset, to refill a ring.
    pub replay: bool,
    /// The payload.
    pub data: Data<'a>,
}

/// The fields as they stand in JSON, in an envelope as in a message frame.
#[derive(Deserialize)]
pub(crate) struct Wire<'a> {
    #[serde(borrow, default)]
    topic: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "whole")]
    partition: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    offset: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    timestamp: Option<i64>,
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    key_base64: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "trace")]
    traceparent: Option<Cow<'a, str>>,
    #[serde(default)]
    times: Times,
    #[serde(default)]
    replay: bool,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data_base64: Option<Cow<'a, str>>,
}

impl<'a> TryFrom<Wire<'a>> for Envelope<'a> {
    type Error = EnvelopeError;

    fn try_from(wire: Wire<'a>) -> Result<Self, EnvelopeError> {
        check_time("timestamp", wire.timestamp)?;
        check_times(&wire.times)?;
        Ok(Self {
            position: Position::from_parts(wire.topic.as_ref(), wire.partition, wire.offset)?,
            topic: wire.topic,
            timestamp: wire.timestamp,
            key: key_from_fields(wire.key, wire.key_base64.as_deref())?,
            traceparent: wire.traceparent,
            times: wire.times,
            replay: wire.replay,
            data: Data::from_fields(wire.data, wire.data_base64.as_deref())?,
        })
    }
}

/// Reads one line and checks that its position is possible.
pub fn parse_line(line: &[u8]) -> Result<Envelope<'_>, EnvelopeError> {
    if !starts_object(line) {
        return Err(EnvelopeError::Json("expected a JSON object".to_owned()));
    }
    let wire: Wire<'_> = serde_json::from_slice(line)
        .map_err(|error| EnvelopeError::Json(named::<Wire<'_>>(line, &error)))?;
    Envelope::try_from(wire)
}

/// Tells whether a text can only be a JSON object; serde would take an array for a struct too.
pub(crate) fn starts_object(text: &[u8]) -> bool {
    text.trim_ascii_start().first() == Some(&b'{')
}

/// Reads a field that is there, so that `null` is a payload and not the lack of one.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// Splits a body into its lines; blank ones do not count. The n-th line is the one that an answer calls `index` n.
pub fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        let (line, after) = match memchr::memchr(b'\n', text) {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(line)
    })
    .filter(|line| !line.trim_ascii().is_empty())
}

fn check_times(times: &Times) -> Result<(), EnvelopeError> {
    check_time("times.received", times.received)?;
    check_time("times.produced", times.produced)?;
    check_time("times.consumed", times.consumed)?;
    check_time("times.posted", times.posted)?;
    check_time("times.accepted", times.accepted)
}

fn check_time(field: &'static str, value: Option<i64>) -> Result<(), EnvelopeError> {
    match value {
        Some(value) if value < 0 => Err(EnvelopeError::Time { field, value }),
        _ => Ok(()),
    }
}
