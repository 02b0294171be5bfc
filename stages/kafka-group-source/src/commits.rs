//! When to commit, and whether it worked.
//!
//! A commit is sent without waiting for its answer. librdkafka lets no partition go before the commits sent until then are
//! answered, so a commit ahead of a release needs no wait either. That a commit worked is seen in the statistics, once a second;
//! that it failed is told in the client's log only, which does not say for what, so everything unconfirmed is asked again then.

use crate::assignment::Assignment;
use crate::listener::Consumer;
use crate::metrics::Metrics;
use crate::partition::Partition;
use crate::tracker::Tracker;
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use stage_kafka_client::{Health, Statistics};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Subject of [`Health`].
const COMMIT: &str = "commit";
/// A commit that was not confirmed for so long is sent again, and told.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Commits {
    topic: String,
    interval: Duration,
    next: Instant,
    /// Why a commit failed since.
    failure: Option<String>,
}

impl Commits {
    pub(crate) fn new(topic: &str, interval: Duration) -> Self {
        Commits {
            topic: topic.to_owned(),
            interval,
            next: Instant::now() + interval,
            failure: None,
        }
    }

    /// Commits what is done, if it is time.
    pub(crate) fn commit_if_due(
        &mut self,
        consumer: &Consumer,
        partitions: &BTreeMap<i32, Partition>,
        now: Instant,
    ) {
        if now >= self.next {
            self.next = now + self.interval;
            self.commit(consumer, partitions.values());
        }
    }

    /// Commits what is done of these partitions and was not asked for yet.
    fn commit<'a>(&self, consumer: &Consumer, partitions: impl Iterator<Item = &'a Partition>) {
        self.send(consumer, partitions, Tracker::committable);
    }

    /// Commits what is done of these partitions and is not confirmed yet: they may never be asked for again.
    pub(crate) fn commit_all<'a>(
        &self,
        consumer: &Consumer,
        partitions: impl Iterator<Item = &'a Partition>,
    ) {
        self.send(consumer, partitions, Tracker::uncommitted);
    }

    fn send<'a>(
        &self,
        consumer: &Consumer,
        partitions: impl Iterator<Item = &'a Partition>,
        offset: fn(&Tracker) -> Option<i64>,
    ) {
        let (offsets, asked) = self.offsets(partitions, offset);
        if asked.is_empty() {
            return;
        }
        let now = Instant::now();
        match consumer.commit(&offsets, CommitMode::Async) {
            Ok(()) => {
                for (assignment, offset) in asked {
                    assignment.write(|tracker| tracker.set_requested(offset, now));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "offsets could not be committed; they are tried again")
            }
        }
    }

    /// The offsets of these partitions as the client wants them, and whose they are.
    pub(crate) fn offsets<'a>(
        &self,
        partitions: impl Iterator<Item = &'a Partition>,
        offset: fn(&Tracker) -> Option<i64>,
    ) -> (TopicPartitionList, Vec<(Arc<Assignment>, i64)>) {
        let mut offsets = TopicPartitionList::new();
        let mut asked = Vec::new();
        for partition in partitions {
            let assignment = partition.assignment();
            let Some(offset) = assignment.read(offset) else {
                continue;
            };
            let number = assignment.partition();
            match offsets.add_partition_offset(&self.topic, number, Offset::Offset(offset)) {
                Ok(()) => asked.push((assignment.clone(), offset)),
                Err(error) => {
                    tracing::error!(%error, offset, "an offset that cannot be committed")
                }
            }
        }
        (offsets, asked)
    }

    /// Takes the word that a commit failed. While a rebalance goes on that is no trouble: the offsets are committed later or, by
    /// whoever has the partition then, read again.
    pub(crate) fn failed(
        &mut self,
        why: String,
        partitions: &BTreeMap<i32, Partition>,
        metrics: &Metrics,
    ) {
        metrics.commit_errors.add(1);
        tracing::info!("{why}");
        self.failure = Some(why);
        for partition in partitions.values() {
            partition.assignment().write(Tracker::ask_again);
        }
    }

    /// Sees what the group has committed.
    pub(crate) fn confirm(
        &mut self,
        statistics: &Statistics,
        partitions: &BTreeMap<i32, Partition>,
        health: &Health,
    ) {
        let now = Instant::now();
        let mut silent = Vec::new();
        for (number, partition) in partitions {
            let committed = statistics
                .partition(&self.topic, *number)
                .map(|status| status.committed_offset);
            let assignment = partition.assignment();
            if let Some(committed) = committed.filter(|offset| *offset >= 0) {
                assignment.write(|tracker| tracker.set_committed(committed, now));
            }
            let since = assignment.read(Tracker::unconfirmed);
            if since.is_some_and(|since| now > since + PATIENCE) {
                silent.push(assignment);
            }
        }
        if silent.is_empty() {
            self.failure = None;
            health.good(COMMIT);
        } else {
            let why = self.failure.as_deref().unwrap_or("no answer");
            health.bad(
                COMMIT,
                format!("offsets of `{}` cannot be committed: {why}", self.topic),
            );
            silent
                .iter()
                .for_each(|assignment| assignment.write(Tracker::ask_again));
        }
    }
}
