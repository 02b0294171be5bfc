//! Messages that other stages pass on: what another server's clients would get, or what was never in Kafka.

use std::borrow::Cow;

use pipeline_sdk::prelude::*;
use stage_envelope::{Data, Envelope, FROM_HEADER, TIMES_HEADER, Times, is_topic};

use crate::hub::{Hub, now_ns};
use crate::trace::broadcast;

/// Time of the Kafka record, in milliseconds, as the source of a consumer tells it.
const KAFKA_TIMESTAMP: &str = "kafka-timestamp";

/// Puts a batch into the ring and settles it.
pub(crate) fn take(hub: &Hub, batch: &Batch) {
    let accepted = now_ns();
    let (rejected, _) = hub.take(false, |intake| {
        let mut rejected = Vec::new();
        for (index, message) in (0_u32..).zip(batch.iter()) {
            let from = message
                .header(FROM_HEADER)
                .and_then(|name| std::str::from_utf8(name).ok());
            let mut envelope = envelope(&message, batch);
            envelope.times.accepted = Some(accepted);
            let span = message
                .sampled()
                .map(|parent| broadcast(&hub.context, &mut envelope, parent));
            let taken = intake
                .within(span)
                .take(from.unwrap_or(&hub.name), &envelope);
            if let Err(error) = taken {
                rejected.push((index, error.to_string()));
            }
        }
        rejected
    });
    settle(batch, &rejected);
    hub.metrics.rejected.add(rejected.len() as u64);
}

fn settle(batch: &Batch, rejected: &[(u32, String)]) {
    let mut next = 0;
    for (index, why) in rejected {
        if next < *index {
            batch.done_range(next..*index);
        }
        batch.reject(*index..*index + 1, why);
        next = *index + 1;
    }
    let end = u32::try_from(batch.len()).unwrap_or(u32::MAX);
    if next < end {
        batch.done_range(next..end);
    }
}

fn envelope<'a>(message: &Message<'a>, batch: &'a Batch) -> Envelope<'a> {
    let topic = Some(batch.topic())
        .filter(|topic| is_topic(topic))
        .map(Cow::Borrowed);
    let position = message
        .position()
        .filter(|position| position.partition >= 0 && position.offset >= 0);
    Envelope {
        position: topic
            .clone()
            .zip(position)
            .map(|(topic, position)| stage_envelope::Position {
                topic,
                partition: position.partition,
                offset: position.offset,
            }),
        topic,
        timestamp: Some(message.timestamp_ns()),
        key: message.key().map(Cow::Borrowed),
        traceparent: message.trace().map(|trace| trace.to_string().into()),
        times: times(message),
        replay: message.is_replay(),
        data: Data::of(message.payload()),
    }
}

/// What another server told, or what can be known of a message that no server has seen.
fn times(message: &Message<'_>) -> Times {
    let told = message
        .header(TIMES_HEADER)
        .and_then(|json| serde_json::from_slice(json).ok());
    told.unwrap_or_else(|| Times {
        received: Some(message.timestamp_ns()),
        produced: message.header(KAFKA_TIMESTAMP).and_then(nanoseconds),
        consumed: message.position().map(|_| message.made_ns()),
        ..Times::default()
    })
}

fn nanoseconds(millis: &[u8]) -> Option<i64> {
    std::str::from_utf8(millis)
        .ok()?
        .parse::<i64>()
        .ok()?
        .checked_mul(1_000_000)
}
