//! The part of librdkafka's statistics (a JSON document a second) that is of use here.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One statistics document.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Statistics {
    /// Messages in the producer's queues and in flight.
    pub msg_cnt: u64,
    /// Bytes of those messages.
    pub msg_size: u64,
    brokers: BTreeMap<String, Broker>,
    topics: BTreeMap<String, Topic>,
    /// The state of the consumer group's membership.
    pub cgrp: Option<GroupStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Broker {
    nodeid: i32,
    nodename: String,
    source: String,
    state: String,
    connects: u64,
    rtt: Window,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Window {
    avg: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Topic {
    partitions: BTreeMap<i32, PartitionStatus>,
}

/// A broker, as the status document shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BrokerStatus {
    /// Its id in the cluster; -1 for an address of the settings that has not answered.
    pub id: i32,
    /// `host:port`.
    pub address: String,
    /// State of the connection, librdkafka's word in lower case: `up`, `down`, `connect`, …
    pub state: String,
    /// Mean round trip of the last seconds.
    pub rtt_ms: f64,
    #[serde(skip)]
    tried: bool,
}

impl BrokerStatus {
    /// Whether requests can be sent to it now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.state.as_str(), "up" | "update")
    }

    /// Whether it was tried and cannot be reached; a broker that was not needed yet is not down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.tried && !self.is_up()
    }
}

impl Broker {
    fn status(&self) -> BrokerStatus {
        BrokerStatus {
            id: self.nodeid,
            address: self.nodename.clone(),
            state: self.state.to_lowercase(),
            rtt_ms: self.rtt.avg / 1000.0,
            tried: self.connects > 0,
        }
    }
}

/// The state of the membership in a consumer group.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct GroupStatus {
    /// State of the connection to the group's coordinator; `up` when it answers.
    pub state: String,
    /// State of the membership; `steady` when joined.
    pub join_state: String,
}

/// What the brokers told about a partition; negative numbers are not known.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct PartitionStatus {
    /// First offset that is still there.
    pub lo_offset: i64,
    /// Offset of the next message.
    pub hi_offset: i64,
    /// What the brokers last took as the group's offset.
    pub committed_offset: i64,
    /// Id of the broker that leads it.
    pub leader: i32,
}

impl Default for PartitionStatus {
    fn default() -> Self {
        PartitionStatus {
            lo_offset: -1,
            hi_offset: -1,
            committed_offset: -1,
            leader: -1,
        }
    }
}

impl Statistics {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The brokers, without librdkafka's pseudo brokers. One that is known by id hides the address it was found by, but librdkafka
    /// may be content with the connection to that address, so either one counts.
    #[must_use]
    pub fn brokers(&self) -> Vec<BrokerStatus> {
        let real = |broker: &&Broker| matches!(broker.source.as_str(), "configured" | "learned");
        let all = self.brokers.values().filter(real).map(Broker::status);
        let (mut known, found): (Vec<_>, Vec<_>) = all.partition(|broker| broker.id >= 0);
        for address in found {
            let same = |broker: &&mut BrokerStatus| broker.address == address.address;
            match known.iter_mut().find(same) {
                Some(broker) if address.is_up() && !broker.is_up() => {
                    *broker = BrokerStatus {
                        id: broker.id,
                        ..address
                    }
                }
                Some(_) => {}
                None => known.push(address),
            }
        }
        known
    }

    /// A partition of a topic, if the client deals with it.
    #[must_use]
    pub fn partition(&self, topic: &str, partition: i32) -> Option<PartitionStatus> {
        self.topics.get(topic)?.partitions.get(&partition).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: serde_json::Value) -> Statistics {
        Statistics::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_broker_is_listed_once_and_pseudo_brokers_are_not() {
        let statistics = parse(json!({"brokers": {
            "a:1/bootstrap": {"nodeid": -1, "nodename": "a:1", "source": "configured", "state": "UP", "connects": 1},
            "a:1/1": {"nodeid": 1, "nodename": "a:1", "source": "learned", "state": "UP", "connects": 1, "rtt": {"avg": 1500}},
            "b:1/2": {"nodeid": 2, "nodename": "b:1", "source": "learned", "state": "TRY_CONNECT", "connects": 3},
            "c:1/3": {"nodeid": 3, "nodename": "c:1", "source": "learned", "state": "INIT"},
            "GroupCoordinator": {"nodeid": 1, "nodename": "a:1", "source": "logical", "state": "UP"},
        }}));
        let seen: Vec<_> = statistics
            .brokers()
            .into_iter()
            .map(|broker| (broker.id, broker.is_up(), broker.is_down()))
            .collect();
        assert_eq!(
            seen,
            [(1, true, false), (2, false, true), (3, false, false)]
        );
    }

    #[test]
    fn a_broker_is_up_when_the_address_it_was_found_by_is() {
        let statistics = parse(json!({"brokers": {
            "a:1/bootstrap": {"nodeid": -1, "nodename": "a:1", "source": "configured", "state": "UP", "connects": 2},
            "a:1/1": {"nodeid": 1, "nodename": "a:1", "source": "learned", "state": "INIT", "connects": 7},
            "b:1/bootstrap": {"nodeid": -1, "nodename": "b:1", "source": "configured", "state": "INIT"},
        }}));
        let seen: Vec<_> = statistics
            .brokers()
            .into_iter()
            .map(|broker| (broker.id, broker.is_up(), broker.is_down()))
            .collect();
        assert_eq!(seen, [(1, true, false), (-1, false, false)]);
    }

    #[test]
    fn partitions_are_found_by_topic_and_number() {
        let statistics = parse(
            json!({"topics": {"t": {"partitions": {"-1": {}, "0": {"lo_offset": 3, "hi_offset": 9, "committed_offset": -1001, "leader": 2}}}}}),
        );
        assert_eq!(
            statistics.partition("t", 0),
            Some(PartitionStatus {
                lo_offset: 3,
                hi_offset: 9,
                committed_offset: -1001,
                leader: 2,
            })
        );
        assert_eq!(statistics.partition("t", 1), None);
        assert_eq!(statistics.partition("u", 0), None);
    }
}
