//! The span `send TOPIC`: from the producer's queue to the delivery report, however often the message is sent.

use crate::in_flight::Token;
use pipeline_sdk::prelude::*;
use std::collections::HashMap;

/// Longest key that is shown, bytes.
const KEY_MAX: usize = 256;

/// The spans of sampled messages that the producer has.
#[derive(Default)]
pub(crate) struct Sends(HashMap<usize, Span>);

impl Sends {
    /// The trace to send with a sampled message: that of its span, which `start` makes when it is sent for the first time.
    pub(crate) fn trace(&mut self, token: Token, start: impl FnOnce() -> Span) -> Trace {
        self.0.entry(token.0).or_insert_with(start).trace()
    }

    /// The span of a message that is settled.
    pub(crate) fn take(&mut self, token: Token) -> Option<Span> {
        if self.0.is_empty() {
            return None;
        }
        self.0.remove(&token.0)
    }

    /// Notes that a message is sent again.
    pub(crate) fn retried(&mut self, token: Token, why: impl ToString) {
        if let Some(span) = self.0.get_mut(&token.0) {
            let why = why.to_string();
            span.event("retried", vec![("exception.message", why.into())]);
        }
    }
}

impl Drop for Sends {
    fn drop(&mut self) {
        for span in self.0.values_mut() {
            span.fail(
                "unsettled",
                "the stage ended before the message was delivered",
            );
        }
    }
}

/// Starts the span of a message.
pub(crate) fn send(
    context: &Context,
    topic: &str,
    message: Message<'_>,
    key: Option<&[u8]>,
    parent: Trace,
) -> Span {
    let mut span = context
        .span(SpanKind::Producer, format!("send {topic}"), parent)
        .with("messaging.system", "kafka")
        .with("messaging.operation.name", "send")
        .with("messaging.operation.type", "send")
        .with("messaging.destination.name", topic.to_owned())
        .with("messaging.message.body.size", message.payload().len());
    let shown = key.filter(|key| key.len() <= KEY_MAX);
    if let Some(key) = shown.and_then(|key| std::str::from_utf8(key).ok()) {
        span.set("messaging.kafka.message.key", key.to_owned());
    }
    span
}

/// Ends the span of a message that the brokers took.
pub(crate) fn delivered(mut span: Span, partition: i32, offset: i64) {
    span.set("messaging.destination.partition.id", partition.to_string());
    span.set("messaging.kafka.offset", offset);
}
