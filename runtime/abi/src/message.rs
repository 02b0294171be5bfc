//! Messages and batches: what flows.

use crate::PlStr;

/// A name and a value that travel with a message.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlHeader {
    /// Text.
    pub name: PlStr,
    /// Any bytes.
    pub value: PlStr,
}

/// W3C trace context in binary form (<https://www.w3.org/TR/trace-context/>).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlTrace {
    /// Trace id; all zero is invalid.
    pub trace_id: [u8; 16],
    /// Id of the span that was current when the message was handed on: the parent of the next one.
    pub span_id: [u8; 8],
    /// Trace flags; bit 0 is `sampled`.
    pub flags: u8,
    /// Zero.
    pub reserved: [u8; 7],
    /// The `tracestate` text, or empty.
    pub tracestate: PlStr,
}

/// `PlMsg::flags`: the message was delivered before and is sent again to refill buffers; it must not move a commit.
pub const PL_MSG_REPLAY: u16 = 1;
/// `PlMsg::flags`: `partition` and `offset` are meant, and the batch names the topic.
pub const PL_MSG_HAS_POSITION: u16 = 2;

/// One message, exactly one cache line.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PlMsg {
    /// Payload bytes.
    pub payload: *const u8,
    /// Key bytes; null means no key.
    pub key: *const u8,
    /// Length of the payload.
    pub payload_len: u32,
    /// Length of the key.
    pub key_len: u32,
    /// `n_headers` headers; may be null when there are none.
    pub headers: *const PlHeader,
    /// Number of headers.
    pub n_headers: u16,
    /// `PL_MSG_*`.
    pub flags: u16,
    /// Kafka partition, if `PL_MSG_HAS_POSITION`.
    pub partition: i32,
    /// Kafka offset, if `PL_MSG_HAS_POSITION`.
    pub offset: i64,
    /// When the message entered the system, nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// Trace context; null means none.
    pub trace: *const PlTrace,
}

/// Most messages that one batch may hold.
pub const PL_BATCH_MAX: u32 = 4096;

/// An immutable, reference-counted group of messages, owned by whoever made it.
///
/// All that is reachable from it stays valid and unchanged until the last `release`. Message `i` is at
/// `msgs + i * msg_stride` bytes, so that a newer peer may have longer messages.
#[repr(C)]
#[derive(Debug)]
pub struct PlBatch {
    /// Bytes of this structure that its maker filled in.
    pub struct_size: u32,
    /// Distance of two messages in bytes, at least 64.
    pub msg_stride: u32,
    /// 1 to `PL_BATCH_MAX`.
    pub n_msgs: u32,
    /// Zero.
    pub flags: u32,
    /// Topic of the messages' positions, text; empty when they have none.
    pub topic: PlStr,
    /// The messages.
    pub msgs: *const PlMsg,
    /// What can be done with the batch.
    pub vt: *const PlBatchVt,
    /// Sum of payload and key bytes: what the batch costs of an edge's byte window.
    pub bytes: u64,
    /// When the batch was made, nanoseconds since the Unix epoch.
    pub made_ns: i64,
}

/// The functions of a batch. Callable on any thread; none blocks, unwinds, or calls back into a port.
#[repr(C)]
#[derive(Debug)]
pub struct PlBatchVt {
    /// Bytes of this structure that its maker filled in.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Takes one more reference.
    pub retain: unsafe extern "C" fn(*const PlBatch),
    /// Gives one reference back; the last one frees.
    pub release: unsafe extern "C" fn(*const PlBatch),
    /// Messages `first .. first + count` are delivered. Each message is settled once: the first word counts, whatever comes
    /// later is ignored and counted. The host calls it on a producer's batch; a sink calls it on what it received.
    pub done: unsafe extern "C" fn(*const PlBatch, first: u32, count: u32),
    /// Messages `first .. first + count` can never be delivered; `why` is text, borrowed for the call. Sinks only: the host
    /// routes what was rejected and tells the producer `done` when that is settled.
    pub reject: unsafe extern "C" fn(*const PlBatch, first: u32, count: u32, why: PlStr),
}

// SAFETY: all that is reachable from a batch is immutable until its last release.
unsafe impl Send for PlMsg {}
// SAFETY: as above.
unsafe impl Sync for PlMsg {}
// SAFETY: as above.
unsafe impl Send for PlHeader {}
// SAFETY: as above.
unsafe impl Sync for PlHeader {}
// SAFETY: as above.
unsafe impl Send for PlBatch {}
// SAFETY: as above.
unsafe impl Sync for PlBatch {}
