//! What a filter makes of one message.

use crate::builder::BatchBuilder;
use crate::{Message, Record};
use std::fmt::Display;

/// A message that a filter cannot process, and why. The stage's `on_reject` says what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject(pub(crate) String);

impl Reject {
    /// Says why, as a lowercase fragment.
    pub fn new(why: impl Display) -> Self {
        Reject(why.to_string())
    }
}

impl<E: Display> From<E> for Reject {
    fn from(why: E) -> Self {
        Reject::new(why)
    }
}

/// Takes what a filter makes of one message: nothing, one message or several.
pub struct Emit<'a> {
    builder: &'a mut BatchBuilder,
    input: Message<'a>,
    origin: u32,
    overflow: &'a mut bool,
}

impl<'a> Emit<'a> {
    pub(crate) fn new(
        builder: &'a mut BatchBuilder,
        input: Message<'a>,
        origin: u32,
        overflow: &'a mut bool,
    ) -> Self {
        Emit {
            builder,
            input,
            origin,
            overflow,
        }
    }

    /// Passes the message on as it is, without a copy.
    pub fn keep(&mut self) {
        if self.has_room() {
            self.builder.push_from(self.input, self.origin, None);
        }
    }

    /// Passes the message on with another payload; its key, headers, timestamp, trace and position stay.
    pub fn emit(&mut self, payload: &[u8]) {
        if self.has_room() {
            self.builder
                .push_from(self.input, self.origin, Some(payload));
        }
    }

    /// Passes on another message. It has no position, unless the record says so.
    pub fn emit_record(&mut self, record: Record<'_>) {
        if self.has_room() {
            self.builder.push_record(self.origin, record);
        }
    }

    /// A full batch is told to the host, which calls again with fewer messages.
    fn has_room(&mut self) -> bool {
        *self.overflow |= self.builder.is_full();
        !*self.overflow
    }
}
