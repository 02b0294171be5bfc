//! When to commit, and what came of it.
//!
//! Commits are sent without waiting. librdkafka lets no partition go before the commits sent until then are answered, so a commit
//! ahead of a release needs no wait either.

use crate::listener::Consumer;
use crate::metrics::Metrics;
use crate::partition::Partition;
use crate::tracker::Tracker;
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use stage_kafka_client::Health;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Subject of [`Health`].
const COMMIT: &str = "commit";
/// A commit that was not answered for so long counts as failed.
const ANSWER: Duration = Duration::from_secs(30);

pub(crate) struct Commits {
    topic: String,
    interval: Duration,
    next: Instant,
    sent: Option<Instant>,
}

impl Commits {
    pub(crate) fn new(topic: &str, interval: Duration) -> Self {
        Commits {
            topic: topic.to_owned(),
            interval,
            next: Instant::now() + interval,
            sent: None,
        }
    }

    /// Commits what is done, if it is time and the last commit was answered.
    pub(crate) fn commit_if_due(
        &mut self,
        consumer: &Consumer,
        partitions: &BTreeMap<i32, Partition>,
        now: Instant,
    ) {
        let answered = self.sent.is_none_or(|sent| now > sent + ANSWER);
        if now >= self.next && answered {
            self.next = now + self.interval;
            self.commit(consumer, partitions.values(), now);
        }
    }

    /// Commits what is done of these partitions now.
    pub(crate) fn commit<'a>(
        &mut self,
        consumer: &Consumer,
        partitions: impl Iterator<Item = &'a Partition>,
        now: Instant,
    ) {
        let mut offsets = TopicPartitionList::new();
        for partition in partitions {
            let assignment = partition.assignment();
            if let Some(offset) = assignment.read(Tracker::committable)
                && let Err(error) = offsets.add_partition_offset(
                    &self.topic,
                    assignment.partition(),
                    Offset::Offset(offset),
                )
            {
                tracing::error!(%error, offset, "an offset that cannot be committed");
            }
        }
        if offsets.count() > 0 {
            match consumer.commit(&offsets, CommitMode::Async) {
                Ok(()) => self.sent = Some(now),
                Err(error) => {
                    tracing::warn!(%error, "offsets could not be committed; they are tried again")
                }
            }
        }
    }

    /// Takes the answer to a commit.
    pub(crate) fn answered(
        &mut self,
        answer: KafkaResult<Vec<(i32, i64)>>,
        partitions: &BTreeMap<i32, Partition>,
        health: &Health,
        metrics: &Metrics,
    ) {
        self.sent = None;
        match answer {
            Ok(committed) => {
                for (partition, offset) in committed {
                    if let Some(partition) = partitions.get(&partition) {
                        partition.assignment().set_committed(offset);
                    }
                }
                metrics.commits.add(1);
                health.good(COMMIT);
            }
            Err(error) => {
                metrics.commit_errors.add(1);
                if is_passing(&error) {
                    tracing::info!(%error, "a commit was refused because the group changes; what it was for is committed later or read again");
                } else {
                    health.bad(
                        COMMIT,
                        format!("offsets of `{}` cannot be committed: {error}", self.topic),
                    );
                }
            }
        }
    }
}

/// Whether the group is just changing: its word on the partitions follows.
fn is_passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        IllegalGeneration, NoOffset, RebalanceInProgress, StaleMemberEpoch, UnknownMemberId,
    };
    let passing = [
        IllegalGeneration,
        NoOffset,
        RebalanceInProgress,
        StaleMemberEpoch,
        UnknownMemberId,
    ];
    error
        .rdkafka_error_code()
        .is_some_and(|code| passing.contains(&code))
}
