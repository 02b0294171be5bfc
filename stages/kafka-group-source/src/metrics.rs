//! The stage's instruments.

use crate::status::PartitionLine;
use pipeline_sdk::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const SECONDS: &[f64] = &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
/// What a rebalance does to a member.
const KINDS: [&str; 3] = ["assign", "revoke", "lose"];

pub(crate) struct Metrics {
    context: Context,
    topic: String,
    pub(crate) commit_errors: Counter,
    pub(crate) resets: Counter,
    rebalances: [Histogram; KINDS.len()],
    joined: Gauge,
    assigned: Gauge,
    partitions: BTreeMap<i32, PartitionGauges>,
}

struct PartitionGauges {
    assigned: Gauge,
    lag: Gauge,
    lag_seconds: Gauge,
}

impl Metrics {
    pub(crate) fn new(context: &Context, topic: &str) -> Self {
        let labels = &[("topic", topic)];
        let counter = |name, help| context.counter(name, "", help, labels);
        let gauge = |name, help| context.gauge(name, "", help, labels);
        let rebalance = |kind| {
            let help = "From the group's word to this member's answer";
            let labels = &[("topic", topic), ("kind", kind)];
            context.histogram("pipeline_kafka_rebalance", "seconds", help, labels, SECONDS)
        };
        Metrics {
            commit_errors: counter(
                "pipeline_kafka_commit_errors",
                "Offset commits that failed; they are tried again",
            ),
            resets: counter(
                "pipeline_kafka_offset_resets",
                "Partitions that did not begin at a committed offset",
            ),
            rebalances: KINDS.map(rebalance),
            joined: gauge(
                "pipeline_kafka_group_joined",
                "1 while this is a member of the group, with partitions or without, else 0",
            ),
            assigned: gauge(
                "pipeline_kafka_assigned_partitions",
                "Partitions that this member reads",
            ),
            partitions: BTreeMap::new(),
            context: context.clone(),
            topic: topic.to_owned(),
        }
    }

    /// Notes a rebalance of this member; `kind` is one of [`KINDS`].
    pub(crate) fn rebalanced(&self, kind: &'static str, took: Duration) {
        if let Some(index) = KINDS.iter().position(|known| *known == kind) {
            self.rebalances[index].record(took.as_secs_f64());
        }
    }

    /// Shows the membership and the partitions of this member, and that it does not read the others of `known`.
    pub(crate) fn show(
        &mut self,
        joined: bool,
        lines: &[PartitionLine],
        known: impl Iterator<Item = i32>,
    ) {
        self.joined.set(f64::from(u8::from(joined)));
        self.assigned.set(lines.len() as f64);
        for partition in known {
            self.partition(partition);
        }
        for gauges in self.partitions.values() {
            gauges.assigned.set(0.0);
            gauges.lag.hide();
            gauges.lag_seconds.hide();
        }
        for line in lines {
            let gauges = self.partition(line.partition);
            gauges.assigned.set(1.0);
            if let Some(lag) = line.lag {
                gauges.lag.set(lag as f64);
            }
            if let Some(seconds) = line.lag_seconds {
                gauges.lag_seconds.set(seconds);
            }
        }
    }

    fn partition(&mut self, partition: i32) -> &PartitionGauges {
        let (context, topic) = (&self.context, self.topic.as_str());
        self.partitions.entry(partition).or_insert_with(|| {
            let number = partition.to_string();
            let labels = &[("topic", topic), ("partition", number.as_str())];
            let gauge = |name, unit, help| context.gauge(name, unit, help, labels);
            PartitionGauges {
                assigned: gauge(
                    "pipeline_kafka_partition_assigned",
                    "",
                    "1 for a partition that this member reads, 0 for the other ones of the topic",
                ),
                lag: gauge(
                    "pipeline_kafka_lag_messages",
                    "",
                    "Messages written to a partition of this member and not done",
                ),
                lag_seconds: gauge(
                    "pipeline_kafka_lag",
                    "seconds",
                    "Age of the oldest message of a partition of this member that is not done",
                ),
            }
        })
    }
}
