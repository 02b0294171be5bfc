//! The one way into the ring, for what came by POST and for what came from other stages.
//!
//! Invariant: a message is encoded once, and only when it is new, or new to who is told what comes by POST.

use pipeline_sdk::Span;
use stage_envelope::{Data, Envelope, write_message};

use crate::ring::{Admission, Entry, Kind, Payload, Ring, TooManyPartitions};
use crate::trace::Unclaimed;
use crate::wire::text_frame;

/// What became of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) accepted: u64,
    pub(crate) duplicates: u64,
    pub(crate) out_of_order: u64,
    pub(crate) resets: u64,
}

/// Puts messages into the ring and counts what became of them.
pub(crate) struct Intake<'a> {
    ring: &'a mut Ring,
    scratch: &'a mut Vec<u8>,
    local: bool,
    taken: Taken,
    /// The span that the next message is taken in.
    span: Option<Span>,
    /// Whether the message that is being taken has one: the last one below.
    is_traced: bool,
    /// Of messages that were taken.
    ended: Vec<Span>,
}

impl<'a> Intake<'a> {
    /// `local` says that the messages come by POST; `scratch` is only memory to write in.
    pub(crate) fn new(ring: &'a mut Ring, scratch: &'a mut Vec<u8>, local: bool) -> Self {
        Self {
            ring,
            scratch,
            local,
            taken: Taken::default(),
            span: None,
            is_traced: false,
            ended: Vec::new(),
        }
    }

    /// The next message is taken in this span.
    pub(crate) fn within(&mut self, span: Option<Span>) -> &mut Self {
        self.span = span;
        self
    }

    /// The spans of the messages that were taken.
    pub(crate) fn ended(self) -> Vec<Span> {
        self.ended
    }

    /// Puts one message into the ring, unless it is there.
    pub(crate) fn take(
        &mut self,
        from: &str,
        message: &Envelope<'_>,
    ) -> Result<(), TooManyPartitions> {
        self.is_traced = self.span.is_some();
        self.ended.extend(self.span.take());
        let admission = match &message.position {
            None => None,
            Some(position) => Some((
                self.ring.admit(position, message.timestamp, self.local)?,
                position.offset,
            )),
        };
        let at = match admission {
            Some((Admission::Duplicate, _)) => {
                self.taken.duplicates += 1;
                self.note("duplicate");
                return Ok(());
            }
            Some((Admission::Repeat(id), offset)) => {
                self.taken.duplicates += 1;
                self.note("duplicate");
                self.put(from, message, Kind::Repeat((id, offset)));
                return Ok(());
            }
            None => None,
            Some((Admission::InOrder(id), offset)) => Some((id, offset)),
            Some((Admission::OutOfOrder(id), offset)) => {
                self.taken.out_of_order += 1;
                Some((id, offset))
            }
            Some((Admission::NewEpoch(id), offset)) => {
                self.taken.resets += 1;
                Some((id, offset))
            }
        };
        let kind = Kind::Message {
            at,
            payload: payload(message),
            local: self.local,
            replay: message.replay,
        };
        self.put(from, message, kind);
        self.taken.accepted += 1;
        Ok(())
    }

    fn put(&mut self, from: &str, message: &Envelope<'_>, kind: Kind) {
        let frame = text_frame(self.scratch, |out| write_message(out, from, message));
        let mut entry = Entry::message(frame, kind);
        if let Some(span) = self.ended.last().filter(|_| self.is_traced) {
            entry.trace = Some(Unclaimed::new(span.trace()).into());
        }
        self.ring.push(entry, message.timestamp);
    }

    /// Tells the trace of a message what became of it.
    fn note(&mut self, what: &'static str) {
        if let Some(span) = self.ended.last_mut().filter(|_| self.is_traced) {
            span.event(what, Vec::new());
        }
    }

    /// What became of the messages so far.
    pub(crate) fn taken(&self) -> Taken {
        self.taken
    }
}

fn payload(message: &Envelope<'_>) -> Payload {
    match &message.data {
        Data::Json(raw) => Payload::InFrame(raw.get().len()),
        // Nobody is ever sent the payload of a replayed message alone.
        Data::Binary(_) if message.replay => Payload::Apart {
            bytes: Box::default(),
            text: false,
        },
        Data::Binary(bytes) => Payload::Apart {
            bytes: Box::from(&**bytes),
            text: std::str::from_utf8(bytes).is_ok(),
        },
    }
}
