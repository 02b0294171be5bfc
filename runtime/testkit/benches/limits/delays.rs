//! A consumer of librdkafka that tells how old each message is.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message};

use crate::latency::{Delayed, times};
use crate::limit::tell;
use crate::paced::now_us;
use crate::process::Process;
use crate::scene::WITHIN;
use crate::trades::Trade;

const POLL: Duration = Duration::from_millis(100);

pub(super) fn run(brokers: &str, topic: &str, group: &str) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("broker.address.family", "v4")
        .set("group.id", group)
        .set("auto.offset.reset", "latest")
        .create()
        .expect("consumer");
    consumer.subscribe(&[topic]).expect("subscription");
    while consumer.assignment().expect("an assignment").count() == 0 {
        consumer.poll(POLL);
    }
    tell(&true);
    // Nothing is looked at before messages flow.
    let until = Instant::now() + WITHIN;
    while consumer.poll(POLL).is_none() {
        assert!(Instant::now() < until, "no message for {WITHIN:?}");
    }
    let (warm_up, time) = times();
    read(&consumer, warm_up);
    let (since, before) = (Instant::now(), Process::own().cpu());
    let delays = read(&consumer, time);
    tell(&Delayed::new(
        delays,
        Process::own().cpu() - before,
        since.elapsed(),
    ));
}

/// How old each message of this time is, in milliseconds.
fn read(consumer: &BaseConsumer, time: Duration) -> Vec<f64> {
    let (since, mut delays) = (Instant::now(), Vec::new());
    while since.elapsed() < time {
        let Some(message) = consumer.poll(POLL) else {
            continue;
        };
        let message = message.expect("a message");
        let payload = message.payload().expect("a payload");
        delays.push(Trade::age_us(payload, now_us()) as f64 / 1e3);
    }
    delays
}
