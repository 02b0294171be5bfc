//! One message to be added to a batch.

use crate::Trace;
use std::time::{SystemTime, UNIX_EPOCH};

/// One message to be added to a batch. Everything is copied.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    pub(crate) timestamp_ns: Option<i64>,
    pub(crate) position: Option<(i32, i64)>,
    pub(crate) trace: Option<Trace>,
    pub(crate) replay: bool,
}

impl<'a> Record<'a> {
    /// A message with this payload, entering the system now.
    #[must_use]
    pub fn new(payload: &'a [u8]) -> Self {
        Record {
            payload,
            key: None,
            headers: &[],
            timestamp_ns: None,
            position: None,
            trace: None,
            replay: false,
        }
    }

    /// With a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Option<&'a [u8]>>) -> Self {
        self.key = key.into();
        self
    }

    /// With headers; at most 65,535, further ones are left out.
    #[must_use]
    pub fn headers(mut self, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        self.headers = headers;
        self
    }

    /// Having entered the system then, nanoseconds since the Unix epoch.
    #[must_use]
    pub fn timestamp_ns(mut self, timestamp_ns: i64) -> Self {
        self.timestamp_ns = Some(timestamp_ns);
        self
    }

    /// At this partition and offset of the batch's topic.
    #[must_use]
    pub fn position(mut self, partition: i32, offset: i64) -> Self {
        self.position = Some((partition, offset));
        self
    }

    /// Belonging to a trace.
    #[must_use]
    pub fn trace(mut self, trace: impl Into<Option<Trace>>) -> Self {
        self.trace = trace.into();
        self
    }

    /// When it entered the system, if that was said.
    #[must_use]
    pub fn entered_ns(&self) -> Option<i64> {
        self.timestamp_ns
    }

    /// The trace that it belongs to.
    #[must_use]
    pub fn belongs_to(&self) -> Option<Trace> {
        self.trace
    }

    /// Delivered before, sent again only to refill buffers.
    #[must_use]
    pub fn replay(mut self, replay: bool) -> Self {
        self.replay = replay;
        self
    }
}

/// Now, nanoseconds since the Unix epoch.
pub(crate) fn now_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_nanos() as i64)
}
