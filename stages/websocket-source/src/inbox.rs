//! What was read and not yet handed on.
//!
//! Invariant: bounded by number and bytes, up to one message that may be as long as `max_message_bytes`. While it is full
//! nothing is read, so that the server feels the backpressure; until then pings are seen, and answered.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

/// Most messages that are held.
const MOST: usize = 4096;
/// Most bytes that are held.
const MOST_BYTES: usize = 8 << 20;

/// One message of a server.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Its payload.
    pub(crate) payload: Bytes,
    /// Whether it was sent as text.
    pub(crate) text: bool,
    /// When it was read, nanoseconds since 1970.
    pub(crate) received_ns: i64,
}

/// What was read and not yet handed on.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    frames: Vec<Frame>,
    bytes: usize,
}

impl Inbox {
    /// Whether more may be read.
    pub(crate) fn has_room(&self) -> bool {
        self.frames.len() < MOST && self.bytes < MOST_BYTES
    }

    /// Whether there is anything to hand on.
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Takes a message that was read now.
    pub(crate) fn push(&mut self, payload: Bytes, text: bool) {
        self.bytes += payload.len();
        self.frames.push(Frame {
            payload,
            text,
            received_ns: now_ns(),
        });
    }

    /// All that is there.
    pub(crate) fn take(&mut self) -> Vec<Frame> {
        self.bytes = 0;
        std::mem::take(&mut self.frames)
    }
}

/// Now, nanoseconds since 1970.
pub(crate) fn now_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
