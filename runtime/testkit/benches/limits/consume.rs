//! A consumer of librdkafka in a loop, with the properties that `kafka-group-source` sets.

use std::time::Instant;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::BorrowedMessage;

use crate::figures::Run;
use crate::limit::tell;
use crate::process::Process;
use crate::scene::WITHIN;

pub(super) fn run(brokers: &str, topic: &str, group: &str, messages: u64) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("broker.address.family", "v4")
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "true")
        .create()
        .expect("consumer");
    consumer.subscribe(&[topic]).expect("subscription");
    let (mut start, mut bytes) = (None, 0);
    for _ in 0..messages {
        let message = next(&consumer);
        start.get_or_insert_with(Instant::now);
        bytes += message.payload_len();
    }
    assert!(bytes > 0, "messages without payload");
    let time = start.expect("a first message").elapsed();
    tell(&Run::of(Process::own(), messages, time));
}

/// Waits for a message. A poll that served a callback instead, such as a rebalance, has none and returns at once.
fn next(consumer: &BaseConsumer) -> BorrowedMessage<'_> {
    let until = Instant::now() + WITHIN;
    loop {
        if let Some(message) = consumer.poll(WITHIN) {
            return message.expect("a message");
        }
        assert!(Instant::now() < until, "no message for {WITHIN:?}");
    }
}
