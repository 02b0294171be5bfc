//! One message, as a stage sees it.

use crate::Trace;
use pipeline_abi::*;

/// Where a message is in Kafka: what identifies it from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

/// A view of one message of a batch. Nothing is copied.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    raw: &'a PlMsg,
    batch: &'a PlBatch,
}

impl<'a> Message<'a> {
    /// # Safety
    /// `raw` is a message of `batch`, and all that is reachable from them stays valid and unchanged for `'a`.
    pub(crate) unsafe fn new(raw: &'a PlMsg, batch: &'a PlBatch) -> Self {
        Message { raw, batch }
    }

    pub(crate) fn raw(&self) -> &'a PlMsg {
        self.raw
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        // SAFETY: promised to `new`.
        unsafe {
            PlStr {
                ptr: self.raw.payload,
                len: self.raw.payload_len as usize,
            }
            .bytes()
        }
    }

    /// The key; `None` and an empty key are different things.
    #[must_use]
    pub fn key(&self) -> Option<&'a [u8]> {
        let key = PlStr {
            ptr: self.raw.key,
            len: self.raw.key_len as usize,
        };
        // SAFETY: promised to `new`.
        (!key.ptr.is_null()).then(|| unsafe { key.bytes() })
    }

    /// The headers, in order.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let headers: &'a [PlHeader] = if self.raw.headers.is_null() {
            &[]
        } else {
            // SAFETY: promised to `new`: `n_headers` headers.
            unsafe { std::slice::from_raw_parts(self.raw.headers, usize::from(self.raw.n_headers)) }
        };
        // SAFETY: promised to `new`.
        headers
            .iter()
            .map(|header| unsafe { (header.name.text(), header.value.bytes()) })
    }

    /// The last header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers()
            .filter(|(n, _)| *n == name)
            .last()
            .map(|(_, value)| value)
    }

    /// When the message entered the system, nanoseconds since the Unix epoch.
    #[must_use]
    pub fn timestamp_ns(&self) -> i64 {
        self.raw.ts_ns
    }

    /// When the batch that holds the message was made, nanoseconds since the Unix epoch: for one from Kafka, when it was
    /// consumed.
    #[must_use]
    pub fn made_ns(&self) -> i64 {
        self.batch.made_ns
    }

    /// Where the message is in Kafka, if it came from there.
    #[must_use]
    pub fn position(&self) -> Option<Position<'a>> {
        // SAFETY: promised to `new`.
        let topic = unsafe { self.batch.topic.text() };
        let known = self.raw.flags & PL_MSG_HAS_POSITION != 0;
        known.then_some(Position {
            topic,
            partition: self.raw.partition,
            offset: self.raw.offset,
        })
    }

    /// The trace that the message belongs to.
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        // SAFETY: promised to `new`: null or a trace.
        unsafe { self.raw.trace.as_ref() }.and_then(Trace::from_abi)
    }

    /// The message's trace, if it is recorded: only then is there reason to start a span.
    #[must_use]
    pub fn sampled(&self) -> Option<Trace> {
        self.trace().filter(Trace::is_sampled)
    }

    /// Whether the message was delivered before and is sent again only to refill buffers.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.raw.flags & PL_MSG_REPLAY != 0
    }
}
