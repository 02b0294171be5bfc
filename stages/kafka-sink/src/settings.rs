//! The stage's settings and the Kafka client's configuration that follows from them.

use crate::key::Pointer;
use pipeline_sdk::prelude::*;
use rdkafka::ClientConfig;
use serde::Serialize;
use stage_kafka_client::{Connection, Reserved, check_topic};

/// Writes messages to a Kafka topic; a message is done when all in-sync replicas have it.
///
/// The producer is idempotent, so a retry neither doubles nor reorders. While brokers are away messages wait, they are never
/// dropped. A record carries the headers of its message, `traceparent`, and the time at which the message entered the system
/// (`pipeline-timestamp`). The stage makes no topics.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(flatten)]
    pub(crate) connection: Connection,
    /// Topic to write to; it must exist.
    pub(crate) topic: String,
    /// JSON pointer to the record's key in the payload, such as `/symbol`: records with one key go to one partition, in order.
    /// The message's own key if left out, or if nothing is there.
    pub(crate) key: Option<String>,
    /// Compression of the records: `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    #[serde(default)]
    pub(crate) compression: Compression,
    /// How long a record waits for others to travel with.
    #[serde(default = "default_linger")]
    pub(crate) linger: HumanDuration,
}

/// How records are compressed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4: little work, a good ratio on JSON.
    #[default]
    Lz4,
    /// Zstandard: the best ratio.
    Zstd,
}

const fn default_linger() -> HumanDuration {
    HumanDuration::from_millis(5)
}

const RESERVED: &[Reserved] = &[
    ("enable.idempotence", "the stage is always idempotent"),
    ("acks", "the stage waits for all in-sync replicas"),
    (
        "request.required.acks",
        "the stage waits for all in-sync replicas",
    ),
    ("message.timeout.ms", "a message waits as long as it takes"),
    ("delivery.timeout.ms", "a message waits as long as it takes"),
    ("retries", "a message waits as long as it takes"),
    (
        "message.send.max.retries",
        "a message waits as long as it takes",
    ),
    (
        "delivery.report.only.error",
        "the stage settles on the report",
    ),
    ("transactional.id", "the stage has no transactions"),
    ("partitioner", "records are spread as the Java client does"),
    ("compression.codec", "use `compression`"),
    ("compression.type", "use `compression`"),
    ("linger.ms", "use `linger`"),
    ("queue.buffering.max.ms", "use `linger`"),
];

impl Settings {
    pub(crate) fn validate(&self) -> Vec<Invalid> {
        let mut found = self
            .connection
            .validate(RESERVED, &self.client_config(None));
        found.extend(check_topic(&self.topic));
        if self
            .key
            .as_deref()
            .is_some_and(|key| Pointer::parse(key).is_none())
        {
            found.push(Invalid::new(
                "/key",
                "expected a JSON pointer, such as `/symbol`",
            ));
        }
        if self.linger.as_secs() >= 60 {
            found.push(Invalid::new("/linger", "expected less than a minute"));
        }
        found
    }

    /// The producer's configuration; `context` is missing while settings are only checked.
    pub(crate) fn client_config(&self, context: Option<&Context>) -> ClientConfig {
        let mut config = self.connection.client_config(context);
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // Where a request fails that another followed, librdkafka asks for a new producer epoch, and with it the brokers
            // forget what they have: whatever waits for an answer on any partition may then be stored twice. Alone in
            // flight, a failed request is sent again under its own sequence number.
            .set("max.in.flight.requests.per.connection", "1")
            .set("message.timeout.ms", "0")
            .set("partitioner", "murmur2_random")
            .set("compression.type", self.compression.name())
            .set("linger.ms", self.linger.as_millis().to_string())
            // The edge in front bounds what waits here; these bounds hold however large that edge is made.
            .set("queue.buffering.max.messages", "1000000")
            .set("queue.buffering.max.kbytes", "262144")
            // A topic that does not exist is told soon; its messages are tried again.
            .set("topic.metadata.propagation.max.ms", "3000");
        self.connection.finish(&mut config);
        config
    }
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn findings(more: Value) -> Vec<Invalid> {
        let mut all = json!({"brokers": "kafka:9092", "topic": "stock_trade"});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value::<Settings>(all).unwrap().validate()
    }

    #[test]
    fn brokers_and_topic_are_enough() {
        assert_eq!(findings(json!({})), []);
    }

    #[test]
    fn every_compression_is_built_in() {
        for name in ["none", "gzip", "snappy", "lz4", "zstd"] {
            assert_eq!(findings(json!({ "compression": name })), [], "{name}");
        }
    }

    #[test]
    fn wrong_values_are_told_where_they_are() {
        for (more, pointer) in [
            (json!({"topic": ""}), "/topic"),
            (json!({"key": "symbol"}), "/key"),
            (json!({"linger": "2m"}), "/linger"),
            (json!({"properties": {"acks": 1}}), "/properties/acks"),
        ] {
            let found = findings(more);
            assert!(
                found.len() == 1 && format!("{found:?}").contains(pointer),
                "{found:?}"
            );
        }
    }
}
