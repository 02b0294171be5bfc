//! Shows the state of the membership once a second.

use super::{GROUP, Member};
use crate::partition::Partition;
use crate::status::{PartitionLine, Status, millis};
use stage_kafka_client::Statistics;
use std::time::SystemTime;

impl Member {
    /// Shows the state of the membership, which the statistics complete.
    pub(crate) fn publish(&mut self, statistics: &Statistics) {
        let group = statistics.cgrp.clone().unwrap_or_default();
        let joined = self.settings.group_protocol.is_joined(&group, &self.group);
        self.group = group.clone();
        if joined {
            self.health().good(GROUP);
        }
        let (topic, now) = (self.settings.topic.as_str(), SystemTime::now());
        let line = |(number, partition): (&i32, &Partition)| {
            PartitionLine::new(
                partition,
                statistics.partition(topic, *number).unwrap_or_default(),
                now,
            )
        };
        let health = self.health().clone();
        self.commits.confirm(statistics, &self.partitions, &health);
        let lines: Vec<PartitionLine> = self.partitions.iter().map(line).collect();
        let layout = self.layout.last();
        let places = layout.iter().flat_map(|layout| &layout.partitions);
        let known = places.map(|place| place.partition);
        self.metrics.show(joined, &lines, known);
        self.context.publish_status(&Status {
            at_ms: millis(now),
            topic,
            group: &self.settings.group,
            protocol: self.settings.group_protocol.name(),
            member: &self.id,
            joined,
            state: format!("{}/{}", group.state, group.join_state),
            lag: lines.iter().filter_map(|line| line.lag).sum(),
            partitions: lines,
            rebalances: &self.rebalances,
            brokers: self.monitor().brokers(),
            layout,
        });
    }
}
