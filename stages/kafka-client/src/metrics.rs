//! The gauges of what a client knows of the brokers and of its topic.

use crate::{BrokerStatus, Layout, PartitionPlace};
use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use std::collections::BTreeMap;

/// Most brokers of a cluster that are shown one by one.
const SHOWN: usize = 64;

/// The connections to the brokers.
pub(crate) struct BrokerGauges {
    context: Context,
    known: Gauge,
    up: Gauge,
    /// By id.
    one_by_one: Mutex<BTreeMap<i32, (Gauge, Gauge)>>,
}

impl BrokerGauges {
    pub(crate) fn new(context: &Context) -> Self {
        let gauge = |name, help| context.gauge(name, "", help, &[]);
        BrokerGauges {
            known: gauge("pipeline_kafka_brokers", "Brokers that the client knows of"),
            up: gauge(
                "pipeline_kafka_brokers_up",
                "Brokers that the client is connected to",
            ),
            context: context.clone(),
            one_by_one: Mutex::default(),
        }
    }

    /// Shows the brokers; one that is not known any more is shown no longer.
    pub(crate) fn show(&self, brokers: &[BrokerStatus]) {
        self.known.set(brokers.len() as f64);
        let up = brokers.iter().filter(|broker| broker.is_up());
        self.up.set(up.count() as f64);
        let mut gauges = self.one_by_one.lock();
        for (id, (up, round_trip)) in gauges.iter() {
            if brokers.iter().all(|broker| broker.id != *id) {
                up.hide();
                round_trip.hide();
            }
        }
        // One that has not answered yet has no id.
        for broker in brokers.iter().filter(|broker| broker.id >= 0) {
            if gauges.len() == SHOWN && !gauges.contains_key(&broker.id) {
                continue;
            }
            let (up, round_trip) = gauges
                .entry(broker.id)
                .or_insert_with(|| self.of_broker(broker.id));
            up.set(f64::from(u8::from(broker.is_up())));
            round_trip.set(broker.rtt_ms / 1000.0);
        }
    }

    fn of_broker(&self, id: i32) -> (Gauge, Gauge) {
        let id = id.to_string();
        let gauge = |name, unit, help| {
            self.context
                .gauge(name, unit, help, &[("broker", id.as_str())])
        };
        let up = gauge(
            "pipeline_kafka_broker_up",
            "",
            "1 while the client is connected to the broker, else 0; a broker that is not needed has no connection",
        );
        let round_trip = gauge(
            "pipeline_kafka_broker_round_trip",
            "seconds",
            "Mean round trip of the last requests to the broker",
        );
        (up, round_trip)
    }
}

/// Where a topic is on the brokers, and who reads it.
pub(crate) struct LayoutGauges {
    partitions: Gauge,
    offline: Gauge,
    under_replicated: Gauge,
    members: Gauge,
}

impl LayoutGauges {
    /// Nothing is shown before it is known.
    pub(crate) fn new(context: &Context, topic: &str) -> Self {
        let gauge = |name, help| {
            let gauge = context.gauge(name, "", help, &[("topic", topic)]);
            gauge.hide();
            gauge
        };
        LayoutGauges {
            partitions: gauge("pipeline_kafka_topic_partitions", "Partitions of the topic"),
            offline: gauge(
                "pipeline_kafka_topic_offline_partitions",
                "Partitions of the topic that have no leader",
            ),
            under_replicated: gauge(
                "pipeline_kafka_topic_under_replicated_partitions",
                "Partitions of the topic of which some replica is not in sync",
            ),
            members: gauge(
                "pipeline_kafka_group_members",
                "Members of the consumer group, in whatever program",
            ),
        }
    }

    /// Shows what the brokers told.
    pub(crate) fn show(&self, layout: &Layout) {
        let count = |is: fn(&PartitionPlace) -> bool| {
            let partitions = layout.partitions.iter();
            partitions.filter(|place| is(place)).count() as f64
        };
        self.partitions.set(layout.partitions.len() as f64);
        self.offline.set(count(|place| place.leader.is_none()));
        self.under_replicated
            .set(count(|place| place.isr.len() < place.replicas.len()));
        match &layout.group {
            Some(group) => self.members.set(group.members as f64),
            None => self.members.hide(),
        }
    }
}
