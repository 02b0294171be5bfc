//! A producer of librdkafka in a loop, with the properties that `kafka-sink` sets, but for the one request in flight to each
//! broker: that is the price of storing nothing twice, and it should be seen.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::figures::Run;
use crate::limit::tell;
use crate::process::Process;
use crate::trades::Trade;

const FLUSH: Duration = Duration::from_secs(60);

pub(super) fn run(brokers: &str, topic: &str, messages: u64) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("broker.address.family", "v4")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("queue.buffering.max.messages", "1000000")
        .set("queue.buffering.max.kbytes", "262144")
        .set("partitioner", "murmur2_random")
        .create()
        .expect("producer");
    let mut trade = Trade::new();
    let start = Instant::now();
    for id in 0..messages {
        let payload = trade.numbered(id);
        let key = &payload[Trade::ID];
        loop {
            match producer.send(BaseRecord::to(topic).key(key).payload(payload)) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    producer.poll(Duration::from_millis(10));
                }
                Err((error, _)) => panic!("not produced: {error}"),
            }
        }
        if id % 1024 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(FLUSH).expect("all delivered");
    tell(&Run::of(Process::own(), messages, start.elapsed()));
}
