//! The copy of one message.

use crate::batch::View;
use crate::text::owned;
use pipeline_abi::{PL_MSG_HAS_POSITION, PL_MSG_REPLAY, PlMsg, PlStr};

/// Longest payload that is copied whole, bytes.
const PAYLOAD_MAX: usize = 64 << 10;
/// Longest key, topic, header name or header value that is copied whole, bytes.
const TEXT_MAX: usize = 1 << 10;
/// Most headers that are copied.
const HEADERS_MAX: usize = 32;

/// A copy of a message that passed; long parts of it are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapped {
    /// The payload, or its beginning.
    pub payload: Vec<u8>,
    /// Length of the whole payload.
    pub payload_len: u32,
    /// The key, or its beginning.
    pub key: Option<Vec<u8>>,
    /// The first headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// When the message entered the system, nanoseconds since the Unix epoch.
    pub timestamp_ns: i64,
    /// Topic, partition and offset, if it came from Kafka.
    pub position: Option<(String, i32, i64)>,
    /// Trace id, span id and flags, if it is traced.
    pub trace: Option<([u8; 16], [u8; 8], u8)>,
    /// Whether it was delivered before and is sent again to refill buffers.
    pub is_replay: bool,
    /// Messages that passed since the last copy and were not copied.
    pub skipped: u64,
}

impl Tapped {
    /// Copies message `index` of a view. The caller holds the batch behind it.
    pub(super) fn copy(view: &View, index: u32, skipped: u64) -> Self {
        let message = view.message(index);
        let payload = PlStr {
            ptr: message.payload,
            len: message.payload_len as usize,
        };
        let key = PlStr {
            ptr: message.key,
            len: message.key_len as usize,
        };
        let position = || {
            // SAFETY: the topic is as alive as the batch, which the caller holds.
            let topic = unsafe { owned(view.topic(), TEXT_MAX) };
            (topic, message.partition, message.offset)
        };
        // SAFETY: a trace that is not null is as alive as the batch.
        let trace = unsafe { message.trace.as_ref() };
        Tapped {
            payload: beginning(payload, PAYLOAD_MAX),
            payload_len: message.payload_len,
            key: (!message.key.is_null()).then(|| beginning(key, TEXT_MAX)),
            headers: headers(message),
            timestamp_ns: message.ts_ns,
            position: (message.flags & PL_MSG_HAS_POSITION != 0).then(position),
            trace: trace.map(|trace| (trace.trace_id, trace.span_id, trace.flags)),
            is_replay: message.flags & PL_MSG_REPLAY != 0,
            skipped,
        }
    }
}

fn headers(message: &PlMsg) -> Vec<(String, Vec<u8>)> {
    if message.headers.is_null() {
        return Vec::new();
    }
    let count = usize::from(message.n_headers).min(HEADERS_MAX);
    // SAFETY: at least so many headers, as alive as the batch, which the caller holds.
    let headers = unsafe { std::slice::from_raw_parts(message.headers, count) };
    let pair = |header: &pipeline_abi::PlHeader| {
        // SAFETY: as above.
        let name = unsafe { owned(header.name, TEXT_MAX) };
        (name, beginning(header.value, TEXT_MAX))
    };
    headers.iter().map(pair).collect()
}

/// The first bytes of a part of a message that the caller holds.
fn beginning(part: PlStr, max: usize) -> Vec<u8> {
    // SAFETY: as alive as the batch.
    let bytes = unsafe { part.bytes() };
    bytes[..bytes.len().min(max)].to_vec()
}
