//! The stage's instruments.

use crate::status::PartitionLine;
use pipeline_sdk::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const SECONDS: &[f64] = &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

pub(crate) struct Metrics {
    context: Context,
    topic: String,
    pub(crate) commit_errors: Counter,
    pub(crate) resets: Counter,
    assigned: Gauge,
    lags: BTreeMap<i32, (Gauge, Gauge)>,
}

impl Metrics {
    pub(crate) fn new(context: &Context, topic: &str) -> Self {
        let labels = &[("topic", topic)];
        Metrics {
            commit_errors: context.counter(
                "pipeline_kafka_commit_errors",
                "Offset commits that failed; they are tried again",
                labels,
            ),
            resets: context.counter(
                "pipeline_kafka_offset_resets",
                "Partitions that did not begin at a committed offset",
                labels,
            ),
            assigned: context.gauge(
                "pipeline_kafka_assigned_partitions",
                "",
                "Partitions that this member reads",
                labels,
            ),
            lags: BTreeMap::new(),
            context: context.clone(),
            topic: topic.to_owned(),
        }
    }

    /// Notes a rebalance of this member; `kind` is one of a few words.
    pub(crate) fn rebalanced(&self, kind: &'static str, took: Duration) {
        let help = "From the group's word to this member's answer";
        let labels = &[("topic", self.topic.as_str()), ("kind", kind)];
        self.context
            .histogram("pipeline_kafka_rebalance", "seconds", help, labels, SECONDS)
            .record(took.as_secs_f64());
    }

    /// Shows the lag of the partitions; one that moved away shows none.
    pub(crate) fn show(&mut self, lines: &[PartitionLine]) {
        self.assigned.set(lines.len() as f64);
        for (messages, seconds) in self.lags.values() {
            messages.set(0.0);
            seconds.set(0.0);
        }
        for line in lines {
            let (context, topic) = (&self.context, self.topic.as_str());
            let (messages, seconds) = self.lags.entry(line.partition).or_insert_with(|| {
                let number = line.partition.to_string();
                let labels = &[("topic", topic), ("partition", number.as_str())];
                (
                    context.gauge(
                        "pipeline_kafka_lag_messages",
                        "",
                        "Messages written to the partition and not done",
                        labels,
                    ),
                    context.gauge(
                        "pipeline_kafka_lag",
                        "seconds",
                        "Age of the oldest message that is not done",
                        labels,
                    ),
                )
            });
            messages.set(line.lag.unwrap_or_default() as f64);
            seconds.set(line.lag_seconds.unwrap_or_default());
        }
    }
}
