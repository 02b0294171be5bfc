//! Carries out changes of the assignment: beginning, stopping and giving up partitions.

use super::{GROUP, Member};
use crate::assignment::Assignment;
use crate::listener::give_up;
use crate::partition::Partition;
use crate::rebalance::Todo;
use crate::start::{Known, Start, Why};
use crate::trace;
use crate::tracker::Tracker;
use pipeline_sdk::prelude::*;
use rdkafka::consumer::Consumer as _;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Member {
    pub(super) fn next_todo(&mut self, now: Instant) -> Option<Todo> {
        let settled = |partition: i32| {
            self.partitions
                .get(&partition)
                .is_none_or(|partition| partition.assignment().is_settled())
        };
        self.rebalance.next(now, settled)
    }

    pub(super) fn carry_out(&mut self, todo: Todo, now: Instant) {
        match todo {
            Todo::Resolve(partitions) if partitions.is_empty() => {
                self.answer(&TopicPartitionList::new(), now)
            }
            Todo::Resolve(partitions) => partitions
                .into_iter()
                .for_each(|partition| self.starts.ask(partition, None)),
            Todo::Stop(partitions) => {
                for number in partitions {
                    self.starts.forget(number);
                    if let Some(partition) = self.partitions.get_mut(&number) {
                        partition.stop();
                    }
                }
            }
            Todo::Release {
                partitions,
                commit,
                took,
            } => {
                let kind = if commit { "revoke" } else { "lose" };
                self.release(&partitions, commit);
                self.rebalanced(kind, &partitions, took);
            }
        }
    }

    /// Begins to read partitions whose starts are known, and answers the assignment that waits for them.
    pub(super) fn begin(&mut self, known: Vec<(i32, Known)>, now: Instant) -> Result<()> {
        let mut assigned = TopicPartitionList::new();
        for (number, known) in known {
            let start = known.start(self.settings.rewind, self.settings.offset_reset);
            self.tell(number, start);
            self.generation += 1;
            let assignment = Assignment::new(number, self.generation, start, self.wake.clone());
            let partition = Partition::new(
                &self.consumer,
                &self.settings.topic,
                assignment,
                self.wake.clone(),
            )?;
            self.partitions.insert(number, partition);
            assigned.add_partition_offset(
                &self.settings.topic,
                number,
                Offset::Offset(start.offset),
            )?;
        }
        self.answer(&assigned, now);
        // A start that was resolved by the setting is committed at once.
        let fresh = self.partitions.values().filter(|partition| {
            partition
                .assignment()
                .read(|tracker| tracker.committed().is_none())
        });
        self.commits.commit_all(&self.consumer, fresh);
        Ok(())
    }

    fn tell(&self, partition: i32, start: Start) {
        let offset = start.offset;
        match start.reset {
            None => tracing::info!(partition, offset, committed = start.committed, "begins"),
            Some(why @ Why::NeverCommitted) => {
                tracing::info!(partition, offset, "begins by `offset_reset`: {why}")
            }
            Some(why) => tracing::warn!(partition, offset, "begins by `offset_reset`: {why}"),
        }
        if start.reset.is_some() {
            self.metrics.resets.add(1);
        }
    }

    /// Adds partitions to what is read, and answers the assignment that waits, if one does.
    fn answer(&mut self, assigned: &TopicPartitionList, now: Instant) {
        let waited = self.rebalance.answered(now);
        if waited.is_none() && assigned.count() == 0 {
            return;
        }
        if let Err(error) = self.consumer.incremental_assign(assigned) {
            tracing::error!(%error, "partitions could not be added");
        }
        if let Some(took) = waited {
            let elements = assigned.elements();
            let partitions: Vec<i32> = elements
                .iter()
                .map(|partition| partition.partition())
                .collect();
            self.rebalanced("assign", &partitions, took);
            self.health().good(GROUP);
        }
    }

    /// Tells of a change that has been carried out.
    fn rebalanced(&mut self, kind: &'static str, partitions: &[i32], took: Duration) {
        self.rebalances.note(kind, partitions, took);
        self.metrics.rebalanced(kind, took);
        trace::rebalance(&self.context, &self.settings, kind, partitions, took);
    }

    /// Gives partitions up, after committing what is done of them.
    fn release(&mut self, numbers: &[i32], commit: bool) {
        let mut released = TopicPartitionList::new();
        let mut partitions = Vec::new();
        for number in numbers {
            self.starts.forget(*number);
            if let Some(partition) = self.partitions.remove(number) {
                released.add_partition(&self.settings.topic, *number);
                partitions.push(partition);
            }
        }
        if commit {
            self.commits.commit_all(&self.consumer, partitions.iter());
        }
        drop(partitions);
        if let Err(error) = give_up(&self.consumer, &released) {
            tracing::error!(%error, "a revocation could not be answered");
        }
    }

    /// Reads a partition, whose offset is out of range, in a new generation: from where it is done so far, or by the setting.
    pub(super) fn begin_anew(&mut self, number: i32) {
        let Some(partition) = self.partitions.remove(&number) else {
            return;
        };
        let done = partition.assignment().read(Tracker::end);
        drop(partition);
        let mut released = TopicPartitionList::new();
        released.add_partition(&self.settings.topic, number);
        if let Err(error) = self.consumer.incremental_unassign(&released) {
            tracing::error!(%error, partition = number, "the partition could not be taken out to begin anew");
        }
        self.starts.ask(number, Some(done));
    }

    /// Whether nothing more is handed out of this assignment.
    pub(crate) fn is_taken_away(&self, assignment: &Arc<Assignment>) -> bool {
        let partition = self.partitions.get(&assignment.partition());
        partition.is_none_or(|partition| {
            partition.is_stopped() || !Arc::ptr_eq(partition.assignment(), assignment)
        })
    }
}
