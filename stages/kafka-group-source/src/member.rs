//! This member of the group: the consumer, its partitions, and the answers to rebalances.
//!
//! Everything here happens on the instance's own thread, which is the one that polls the consumer; nothing in it waits.

use crate::assignment::{Assignment, Share};
use crate::commits::Commits;
use crate::fatal;
use crate::listener::{Consumer, Event, give_up};
use crate::metrics::Metrics;
use crate::partition::{Outgoing, Partition};
use crate::rebalance::{Rebalance, Todo};
use crate::settings::Settings;
use crate::start::Known;
use crate::starts::Starts;
use crate::status::{PartitionLine, Rebalances, Status};
use crate::tracker::Tracker;
use pipeline_sdk::prelude::*;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use stage_kafka_client::{GroupStatus, Health, Monitor, Statistics, TOPIC, watch_topic};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Notify;

/// Subjects of [`Health`].
pub(crate) const GROUP: &str = "group";
const START: &str = "start";

pub(crate) struct Member {
    context: Context,
    settings: Settings,
    /// Static id in the group.
    id: String,
    consumer: Arc<Consumer>,
    wake: Arc<Notify>,
    rebalance: Rebalance,
    starts: Starts,
    commits: Commits,
    partitions: BTreeMap<i32, Partition>,
    /// Counts assignments of partitions.
    generation: u64,
    /// The partition that was served last.
    turn: i32,
    metrics: Metrics,
    rebalances: Rebalances,
    statistics: Option<Box<Statistics>>,
    /// The state of the membership a second ago.
    group: GroupStatus,
}

impl Member {
    pub(crate) fn new(
        settings: Settings,
        id: String,
        context: &Context,
        consumer: Consumer,
        wake: Arc<Notify>,
    ) -> Self {
        Member {
            starts: Starts::new(context, &settings.topic, wake.clone()),
            commits: Commits::new(&settings.topic, *settings.commit_interval),
            metrics: Metrics::new(context, &settings.topic),
            context: context.clone(),
            settings,
            id,
            consumer: Arc::new(consumer),
            wake,
            rebalance: Rebalance::default(),
            partitions: BTreeMap::new(),
            generation: 0,
            turn: -1,
            rebalances: Rebalances::default(),
            statistics: None,
            group: GroupStatus::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn consumer(&self) -> &Arc<Consumer> {
        &self.consumer
    }

    fn monitor(&self) -> &Monitor {
        self.consumer.context().monitor()
    }

    fn health(&self) -> &Arc<Health> {
        self.monitor().health()
    }

    /// Serves the consumer: callbacks, rebalances, starts, commits. To be called often, also while nothing is read.
    ///
    /// # Errors
    /// What keeps the member from going on.
    pub(crate) fn serve(&mut self) -> Result<()> {
        self.poll()?;
        while let Some(event) = self.consumer.context().next_event() {
            self.take(event);
        }
        let now = Instant::now();
        while let Some(todo) = self.next_todo(now) {
            self.carry_out(todo, now);
        }
        self.starts.go_on(&self.consumer, now)?;
        if let Some(found) = self.starts.take(now) {
            match found.trouble {
                Some(trouble) => self.health().bad(START, trouble),
                None => self.health().good(START),
            }
            self.begin(found.known, now)?;
        }
        self.commits
            .commit_if_due(&self.consumer, &self.partitions, now);
        Ok(())
    }

    /// Serves the consumer's common queue until it is empty.
    fn poll(&mut self) -> Result<()> {
        loop {
            let calls = self.consumer.context().calls();
            match self.consumer.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    let position = (
                        rdkafka::Message::partition(&message),
                        rdkafka::Message::offset(&message),
                    );
                    return Err(
                        format!("a record came past its partition's queue: {position:?}").into(),
                    );
                }
                Some(Err(error)) => self.trouble(&error)?,
                None if calls == self.consumer.context().calls() => break,
                None => {}
            }
        }
        if self.consumer.context().take_alarm()
            && let Some(error) = fatal::error(self.consumer.client(), &self.settings, &self.id)
        {
            return Err(error);
        }
        Ok(())
    }

    /// An error of the topic or of no partition in particular.
    fn trouble(&self, error: &KafkaError) -> Result<()> {
        use RDKafkaErrorCode::{TopicAuthorizationFailed, UnknownTopic, UnknownTopicOrPartition};
        match error.rdkafka_error_code() {
            Some(UnknownTopic | UnknownTopicOrPartition | TopicAuthorizationFailed)
                if !self.health().is_bad(TOPIC) =>
            {
                self.health().bad(
                    TOPIC,
                    format!("topic `{}` cannot be read: {error}", self.settings.topic),
                );
                self.watch_topic()
            }
            // The listener's `error` told it already.
            _ => Ok(()),
        }
    }

    /// Tells while the topic does not exist.
    pub(crate) fn watch_topic(&self) -> Result<()> {
        let consumer = self.consumer.clone();
        let fetch =
            move |topic: &str, timeout| consumer.client().fetch_metadata(Some(topic), timeout);
        watch_topic(
            &self.context,
            self.health().clone(),
            &self.settings.topic,
            fetch,
        )
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Change(change) => {
                tracing::info!(?change, "the group changes the assignment");
                self.rebalance.push(change, Instant::now());
            }
            Event::CommitFailed(why) => self.commits.failed(why, &self.metrics),
            Event::Statistics(statistics) => self.statistics = Some(statistics),
        }
    }

    /// What the client told in the last second, once.
    pub(crate) fn take_statistics(&mut self) -> Option<Box<Statistics>> {
        self.statistics.take()
    }

    fn next_todo(&mut self, now: Instant) -> Option<Todo> {
        let settled = |partition: i32| {
            self.partitions
                .get(&partition)
                .is_none_or(|partition| partition.assignment().is_settled())
        };
        self.rebalance.next(now, settled)
    }

    fn carry_out(&mut self, todo: Todo, now: Instant) {
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
                self.rebalances.note(kind, &partitions, took);
                self.metrics.rebalanced(kind, took);
            }
        }
    }

    /// Begins to read partitions whose starts are known, and answers the assignment that waits for them.
    fn begin(&mut self, known: Vec<(i32, Known)>, now: Instant) -> Result<()> {
        let mut assigned = TopicPartitionList::new();
        for (number, known) in known {
            let start = known.start(self.settings.rewind, self.settings.offset_reset);
            match start.reset {
                Some(why) => {
                    self.metrics.resets.add(1);
                    tracing::warn!(
                        partition = number,
                        offset = start.offset,
                        "begins by `offset_reset`: {why}"
                    );
                }
                None => tracing::info!(
                    partition = number,
                    offset = start.offset,
                    committed = start.committed,
                    "begins"
                ),
            }
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
        self.commits.commit(&self.consumer, fresh);
        Ok(())
    }

    fn answer(&mut self, assigned: &TopicPartitionList, now: Instant) {
        if let Err(error) = self.consumer.incremental_assign(assigned) {
            tracing::error!(%error, "an assignment could not be answered");
        }
        if let Some(took) = self.rebalance.answered(now) {
            let partitions: Vec<i32> = assigned
                .elements()
                .iter()
                .map(|partition| partition.partition())
                .collect();
            self.rebalances.note("assign", &partitions, took);
            self.metrics.rebalanced("assign", took);
        }
        self.health().good(GROUP);
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
            self.commits.commit(&self.consumer, partitions.iter());
        }
        drop(partitions);
        if let Err(error) = give_up(&self.consumer, &released) {
            tracing::error!(%error, "a revocation could not be answered");
        }
    }

    /// The next batch, of the partitions in turn.
    ///
    /// # Errors
    /// What keeps the member from going on.
    pub(crate) fn next(&mut self, output: &Output) -> Result<Option<Outgoing>> {
        let share = self.share();
        let after = self
            .partitions
            .range(self.turn + 1..)
            .map(|(number, _)| *number);
        let order: Vec<i32> = after
            .chain(
                self.partitions
                    .range(..=self.turn)
                    .map(|(number, _)| *number),
            )
            .collect();
        for number in order {
            let Some(partition) = self.partitions.get_mut(&number) else {
                continue;
            };
            let outgoing = partition.next(&self.settings.topic, share, output);
            if let Some(error) = partition.take_trouble() {
                self.partition_trouble(number, &error)?;
            }
            if outgoing.is_some() {
                self.turn = number;
                return Ok(outgoing);
            }
        }
        Ok(None)
    }

    /// What each partition may have in flight: its part of the window of the edge behind.
    fn share(&self) -> Share {
        let window = self.context.window();
        let count = self.partitions.len().max(1);
        Share {
            messages: (window.messages as usize / count).max(1),
            bytes: window.bytes / count as u64,
        }
    }

    /// An error that came in place of a record.
    fn partition_trouble(&mut self, number: i32, error: &KafkaError) -> Result<()> {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) {
            self.begin_anew(number);
            return Ok(());
        }
        tracing::warn!(partition = number, %error, "the partition cannot be read now");
        self.trouble(error)
    }

    /// Reads a partition, whose offset is out of range, in a new generation: from where it is done so far, or by the setting.
    fn begin_anew(&mut self, number: i32) {
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
        self.commits.confirm(
            statistics,
            &self.partitions,
            self.consumer.context().monitor().health(),
        );
        let lines: Vec<PartitionLine> = self.partitions.iter().map(line).collect();
        self.metrics.show(&lines);
        self.context.publish_status(&Status {
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
        });
    }

    /// Whether nothing that was handed out waits to be settled.
    pub(crate) fn is_settled(&self) -> bool {
        self.partitions
            .values()
            .all(|partition| partition.assignment().is_settled())
    }

    /// When [`serve`](Self::serve) has to be called at the latest, if nothing wakes the source before.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        /// Keeps the membership alive and catches what no callback tells.
        const TICK: Duration = Duration::from_millis(100);
        self.rebalance
            .deadline()
            .map_or(now + TICK, |deadline| deadline.min(now + TICK))
    }

    /// Commits what is done now.
    pub(crate) fn commit(&mut self) {
        self.commits
            .commit(&self.consumer, self.partitions.values());
    }

    /// Leaves nothing that holds the consumer but the consumer itself.
    pub(crate) fn abandon(&mut self) {
        self.consumer.context().abandon();
        self.partitions.clear();
    }
}
