//! The stage's settings and the Kafka client's configuration that follows from them.

use crate::start::Reset;
use pipeline_sdk::prelude::*;
use rdkafka::ClientConfig;
use serde::Serialize;
use stage_kafka_client::{Connection, GroupStatus, Reserved, check_topic};

/// Reads a Kafka topic as a member of a consumer group, and commits a message's offset only when every sink behind has
/// delivered it.
///
/// The group spreads the partitions over its members and moves them when a member comes or goes. Messages carry their position
/// (topic, partition, offset), the time at which they entered the system (header `pipeline-timestamp`, else the record's own
/// timestamp), their trace (header `traceparent`) and the header `kafka-timestamp` (the record's timestamp in milliseconds).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(flatten)]
    pub(crate) connection: Connection,
    /// Topic to read.
    pub(crate) topic: String,
    /// Consumer group to be a member of.
    pub(crate) group: String,
    /// This member's static id, by which a restarted member gets its partitions back; `{instance}` and `{host}` are replaced.
    #[serde(default = "default_instance_id")]
    pub(crate) instance_id: String,
    /// Protocol of the group: `classic` works with every broker; with `consumer` (Kafka 4) only the members concerned notice a
    /// rebalance.
    #[serde(default)]
    pub(crate) group_protocol: GroupProtocol,
    /// Silence after which the group takes a member's partitions away (default 6s). `classic` only: the brokers set it for
    /// `consumer`.
    pub(crate) session_timeout: Option<HumanDuration>,
    /// Messages before the committed offset that are sent again, flagged as replay, when a partition is assigned: they refill
    /// the rings of the servers behind.
    #[serde(default)]
    pub(crate) rewind: u64,
    /// Where to begin without a committed offset, and when its messages are gone: `earliest` or `latest`.
    #[serde(default)]
    pub(crate) offset_reset: Reset,
    /// How often what is done is committed; at a rebalance and at the end it is committed in any case.
    #[serde(default = "default_commit_interval")]
    pub(crate) commit_interval: HumanDuration,
}

/// How the members of a group agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupProtocol {
    /// The members agree among themselves, cooperatively.
    #[default]
    Classic,
    /// The brokers decide (KIP-848).
    Consumer,
}

impl GroupProtocol {
    /// The protocol's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            GroupProtocol::Classic => "classic",
            GroupProtocol::Consumer => "consumer",
        }
    }

    /// Whether this is a member of the group: `now`, or `now` and a second `before`.
    pub(crate) fn is_joined(self, now: &GroupStatus, before: &GroupStatus) -> bool {
        let steady = now.join_state == "steady";
        // A member that never had a partition stays in `init` with this protocol, although its heartbeats are answered.
        let idle = self == GroupProtocol::Consumer && now.join_state == "init" && now == before;
        now.state == "up" && (steady || idle)
    }
}

fn default_instance_id() -> String {
    "{instance}-{host}".to_owned()
}

const fn default_commit_interval() -> HumanDuration {
    HumanDuration::from_secs(1)
}

/// As short as brokers allow unless told otherwise, so that a dead member's partitions move soon.
const SESSION_TIMEOUT: HumanDuration = HumanDuration::from_secs(6);

const RESERVED: &[Reserved] = &[
    ("group.id", "use `group`"),
    ("group.instance.id", "use `instance_id`"),
    ("group.protocol", "use `group_protocol`"),
    ("session.timeout.ms", "use `session_timeout`"),
    (
        "partition.assignment.strategy",
        "the stage is written for `cooperative-sticky`",
    ),
    ("enable.auto.commit", "the stage commits what is done"),
    ("enable.auto.offset.store", "the stage commits what is done"),
    ("auto.commit.interval.ms", "use `commit_interval`"),
    ("auto.offset.reset", "use `offset_reset`"),
    ("enable.partition.eof", "the stage has no use for it"),
];

impl Settings {
    pub(crate) fn validate(&self) -> Vec<Invalid> {
        let mut found = self
            .connection
            .validate(RESERVED, &self.client_config(None, "0-host"));
        found.extend(check_topic(&self.topic));
        if self.group.is_empty() {
            found.push(Invalid::new(
                "/group",
                "expected the name of a consumer group",
            ));
        }
        if self.instance_id.is_empty() {
            found.push(Invalid::new(
                "/instance_id",
                "expected a name, such as `{instance}-{host}`",
            ));
        }
        if self.commit_interval.is_zero() {
            found.push(Invalid::new("/commit_interval", "expected more than zero"));
        }
        if self.group_protocol == GroupProtocol::Consumer && self.session_timeout.is_some() {
            let why =
                "expected no `session_timeout` with `group_protocol: consumer`: the brokers set it";
            found.push(Invalid::new("/session_timeout", why));
        }
        found
    }

    /// The static member id of an instance on this host.
    pub(crate) fn member_id(&self, instance: u32, host: &str) -> String {
        self.instance_id
            .replace("{instance}", &instance.to_string())
            .replace("{host}", host)
    }

    /// The consumer's configuration; `context` is missing while settings are only checked.
    pub(crate) fn client_config(&self, context: Option<&Context>, member_id: &str) -> ClientConfig {
        let mut config = self.connection.client_config(context);
        config
            .set("group.id", &self.group)
            .set("group.instance.id", member_id)
            .set("group.protocol", self.group_protocol.name())
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset out of range becomes an error, which the stage tells before it resets.
            .set("auto.offset.reset", "error")
            // Messages wait in librdkafka per partition while that partition's share of the window is in flight.
            .set("queued.max.messages.kbytes", "16384")
            .set("fetch.queue.backoff.ms", "20")
            // A topic that is made later is noticed within ten seconds.
            .set("topic.metadata.refresh.interval.ms", "10000");
        match self.group_protocol {
            GroupProtocol::Classic => {
                let timeout = self.session_timeout.unwrap_or(SESSION_TIMEOUT);
                config
                    .set("partition.assignment.strategy", "cooperative-sticky")
                    .set("session.timeout.ms", timeout.as_millis().to_string())
                    .set(
                        "heartbeat.interval.ms",
                        (timeout.as_millis() / 3).clamp(1, 3000).to_string(),
                    );
            }
            // The brokers set the times.
            GroupProtocol::Consumer => {}
        }
        self.connection.finish(&mut config);
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn settings(more: Value) -> Result<Settings, serde_json::Error> {
        let mut all = json!({"brokers": "kafka:9092", "topic": "stock_trade", "group": "g"});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(all)
    }

    fn findings(more: Value) -> Vec<Invalid> {
        settings(more).unwrap().validate()
    }

    #[test]
    fn brokers_topic_and_group_are_enough() {
        assert_eq!(findings(json!({})), []);
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = settings(json!({"topics": "a"})).unwrap_err().to_string();
        assert!(error.contains("unknown field `topics`"), "{error}");
    }

    #[test]
    fn the_schema_has_the_connection_settings_and_refuses_unknown_keys() {
        let schema = serde_json::to_value(schemars::schema_for!(Settings)).unwrap();
        assert!(
            schema["properties"]["brokers"].is_object()
                && schema["properties"]["rewind"].is_object(),
            "{schema:#}"
        );
        assert_eq!(schema["required"], json!(["brokers", "topic", "group"]));
        let closed = |key: &str| schema[key] == json!(false);
        assert!(
            closed("additionalProperties") || closed("unevaluatedProperties"),
            "{schema:#}"
        );
    }

    #[test]
    fn a_session_timeout_is_for_the_classic_protocol() {
        assert_eq!(findings(json!({"session_timeout": "10s"})), []);
        assert_eq!(
            findings(json!({"session_timeout": "10s", "group_protocol": "consumer"})).len(),
            1
        );
        let config = settings(json!({"group_protocol": "consumer"}))
            .unwrap()
            .client_config(None, "0-a");
        assert_eq!(config.get("session.timeout.ms"), None);
    }

    #[test]
    fn wrong_values_are_told_where_they_are() {
        for (more, pointer) in [
            (json!({"topic": "^a"}), "/topic"),
            (json!({"group": ""}), "/group"),
            (json!({"commit_interval": "0s"}), "/commit_interval"),
            (json!({"instance_id": ""}), "/instance_id"),
            (
                json!({"properties": {"group.id": "x"}}),
                "/properties/group.id",
            ),
            (
                json!({"properties": {"fetch.wait.max.ms": -5}}),
                "/properties/fetch.wait.max.ms",
            ),
        ] {
            let found = findings(more);
            assert!(
                found.len() == 1 && format!("{found:?}").contains(pointer),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_member_id_begins_with_the_instance() {
        assert_eq!(settings(json!({})).unwrap().member_id(2, "vm1"), "2-vm1");
        assert_eq!(
            settings(json!({"instance_id": "{instance}-blue"}))
                .unwrap()
                .member_id(0, "vm1"),
            "0-blue"
        );
    }
}
