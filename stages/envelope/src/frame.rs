//! What a WebSocket client of `pipeline.v1` is sent: one JSON text a frame, told apart by `type`.
//!
//! ```json
//! {"type":"hello","server":"10.0.0.1:8080","epoch":"17a3…","peers":["ws://10.0.0.2:8080/ws"],
//!  "head":"stock_trade/0:41,stock_trade/1:17"}
//! {"type":"message","from":"10.0.0.1:8080","topic":"stock_trade","partition":0,"offset":42,
//!  "timestamp":1700000000000000000,"times":{"received":1700000000000000000},"trace":"00-…-01","key":"KRW-BTC","data":{…}}
//! {"type":"gap","topic":"stock_trade","partition":0,"from":43,"to":99,"reason":"evicted"}
//! ```
//!
//! A client ignores frames whose `type` it does not know.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::envelope::{Wire, starts_object};
use crate::position::shorten;
use crate::read::named;
use crate::{Envelope, EnvelopeError};

/// The first frame on every connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Name of the server.
    pub server: String,
    /// Changes whenever the server starts with an empty ring.
    pub epoch: String,
    /// WebSocket addresses of other servers that carry the same messages.
    #[serde(default)]
    pub peers: Vec<String>,
    /// The newest offset of each partition when the connection was made, written as in `after`: what is not beyond it is
    /// of the past.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub head: String,
}

/// Messages of one partition that the client does not get on this connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Topic of the partition.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// First offset that is missing; for `reset` the first offset of the new epoch that the server saw.
    pub from: i64,
    /// Last offset that is missing; absent for `reset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// Why.
    pub reason: GapReason,
}

/// Why messages are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The ring holds them no longer, or never did.
    Evicted,
    /// The client was too slow and was moved forward.
    Skipped,
    /// The partition began again (topic made anew, tail cut): offsets known so far mean nothing any more.
    Reset,
}

/// One message, and the server that it came in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFrame<'a> {
    /// Name of the server.
    pub from: Cow<'a, str>,
    /// The message; its `traceparent` stands in the frame as `trace`.
    pub message: Envelope<'a>,
}

/// Any frame that a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The first frame on every connection.
    Hello(Hello),
    /// One message.
    Message(Box<MessageFrame<'a>>),
    /// Messages that the client does not get.
    Gap(Gap),
    /// A frame of a type that this version does not know, to be ignored.
    Unknown(String),
}

/// Why a text is no frame.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// It is no JSON object of the right shape.
    #[error("not a frame: {0}")]
    Json(String),
    /// It holds a message that cannot be.
    #[error("a frame with an impossible message: {0}")]
    Message(#[from] EnvelopeError),
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct From<'a> {
    #[serde(borrow)]
    from: Cow<'a, str>,
}

/// Reads one text frame.
pub fn parse_frame(text: &str) -> Result<Frame<'_>, FrameError> {
    if !starts_object(text.as_bytes()) {
        return Err(FrameError::Json("expected a JSON object".to_owned()));
    }
    let head: Head<'_> = read(text)?;
    Ok(match head.kind.as_ref() {
        "message" => {
            let from = read::<From<'_>>(text)?.from;
            let message = Envelope::try_from(read::<Wire<'_>>(text)?)?;
            Frame::Message(Box::new(MessageFrame { from, message }))
        }
        "hello" => Frame::Hello(read(text)?),
        "gap" => Frame::Gap(read(text)?),
        other => Frame::Unknown(shorten(other)),
    })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, FrameError> {
    serde_json::from_str(text)
        .map_err(|error| FrameError::Json(named::<T>(text.as_bytes(), &error)))
}
