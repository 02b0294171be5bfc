//! One entry of the ring: a message, or the announcement that a partition began again.

use std::sync::Arc;

use stage_envelope::{Gap, write_gap};

use super::PartitionId;
use crate::trace::Unclaimed;
use crate::wire::text_frame;

/// What an entry costs beside its bytes: itself and its place in the index.
const OVERHEAD: u64 = (size_of::<Entry>() + 48) as u64;

/// One entry of the ring.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// A whole WebSocket frame for clients of `pipeline.v1`.
    pub(crate) frame: Box<[u8]>,
    pub(crate) kind: Kind,
    /// Whose delivery to a client is traced.
    pub(crate) trace: Option<Arc<Unclaimed>>,
    /// Bytes of all entries up to this one; kept by the ring.
    pub(super) passed: u64,
}

/// What an entry is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// One message.
    Message {
        /// Where it stands in Kafka.
        at: Option<(PartitionId, i64)>,
        /// What plain clients get.
        payload: Payload,
        /// It came by POST and not from another stage.
        local: bool,
        /// It was read again to refill the ring: not for clients that know no positions.
        replay: bool,
    },
    /// A message that is in the ring as another server told it, and then came by POST. Whoever it came by first may be
    /// gone, so the servers that are told what comes by POST here are told it too.
    Repeat((PartitionId, i64)),
    /// The partition began again.
    Reset(PartitionId),
}

/// A payload without anything around it.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// JSON: so many bytes of the frame, before its last one.
    InFrame(usize),
    /// Anything else.
    Apart {
        /// The payload.
        bytes: Box<[u8]>,
        /// It is UTF-8.
        text: bool,
    },
}

impl Entry {
    pub(crate) fn message(frame: Box<[u8]>, kind: Kind) -> Self {
        Self {
            frame,
            kind,
            trace: None,
            passed: 0,
        }
    }

    pub(super) fn reset(partition: PartitionId, gap: &Gap) -> Self {
        let frame = text_frame(&mut Vec::new(), |out| write_gap(out, gap));
        Self {
            frame,
            kind: Kind::Reset(partition),
            trace: None,
            passed: 0,
        }
    }

    /// Memory that the entry holds.
    pub(super) fn cost(&self) -> u64 {
        let apart = match &self.kind {
            Kind::Message {
                payload: Payload::Apart { bytes, .. },
                ..
            } => bytes.len(),
            Kind::Message { .. } | Kind::Repeat(_) | Kind::Reset(_) => 0,
        };
        (self.frame.len() + apart) as u64 + OVERHEAD
    }

    /// What a plain client gets: the payload, and whether it is text.
    pub(crate) fn plain(&self) -> Option<(&[u8], bool)> {
        match &self.kind {
            Kind::Message { replay: true, .. } | Kind::Repeat(_) | Kind::Reset(_) => None,
            Kind::Message {
                payload: Payload::InFrame(length),
                ..
            } => {
                let end = self.frame.len() - 1;
                Some((&self.frame[end - length..end], true))
            }
            Kind::Message {
                payload: Payload::Apart { bytes, text },
                ..
            } => Some((bytes, *text)),
        }
    }
}
