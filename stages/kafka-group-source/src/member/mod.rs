//! This member of the group: the consumer, its partitions, and the answers to rebalances.
//!
//! Everything here happens on the instance's own thread, which is the one that polls the consumer; nothing in it waits.

mod changes;
mod layout;
mod publish;
mod reading;

use crate::commits::Commits;
use crate::fatal;
use crate::fence;
use crate::last_commit::LastCommit;
use crate::listener::{Consumer, Event};
use crate::metrics::Metrics;
use crate::partition::Partition;
use crate::rebalance::Rebalance;
use crate::settings::Settings;
use crate::starts::Starts;
use crate::status::Rebalances;
use crate::trace::Tracer;
use pipeline_sdk::prelude::*;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use stage_kafka_client::{
    GroupStatus, Health, LayoutWatch, Monitor, Statistics, TOPIC, watch_topic,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Subjects of [`Health`].
const GROUP: &str = "group";
const START: &str = "start";

/// How long leaving the group may take.
const LEAVING: Duration = Duration::from_secs(4);

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
    last_commit: LastCommit,
    partitions: BTreeMap<i32, Partition>,
    /// Counts assignments of partitions.
    generation: u64,
    /// The partition that was served last.
    turn: i32,
    metrics: Metrics,
    rebalances: Rebalances,
    tracer: Tracer,
    layout: LayoutWatch,
    statistics: Option<Arc<Statistics>>,
    /// The state of the membership a second ago.
    group: GroupStatus,
    /// Another member has the id; this one waits outside until it has left.
    fenced: bool,
    /// Leaving may take until then.
    leaving: Option<Instant>,
}

impl Member {
    pub(crate) fn new(
        settings: Settings,
        id: String,
        context: &Context,
        consumer: Consumer,
        wake: Arc<Notify>,
    ) -> Self {
        let consumer = Arc::new(consumer);
        Member {
            starts: Starts::new(context, &settings.topic, wake.clone()),
            commits: Commits::new(&settings.topic, *settings.commit_interval),
            last_commit: LastCommit::default(),
            metrics: Metrics::new(context, &settings.topic),
            tracer: Tracer::new(context, &settings.group, consumer.clone()),
            context: context.clone(),
            settings,
            id,
            consumer,
            wake,
            rebalance: Rebalance::default(),
            partitions: BTreeMap::new(),
            generation: 0,
            turn: -1,
            rebalances: Rebalances::default(),
            layout: LayoutWatch::default(),
            statistics: None,
            group: GroupStatus::default(),
            fenced: false,
            leaving: None,
        }
    }

    /// Joins the group, unless this member was fenced: then as soon as the other one has left.
    pub(crate) fn join_when_allowed(&mut self) -> Result<()> {
        let (group, id) = (&self.settings.group, &self.id);
        if fence::is_closed(group, id) {
            self.health().bad(
                GROUP,
                format!(
                    "{}; it joins again when that one has left",
                    fatal::fenced(group, id)
                ),
            );
            self.fenced = true;
            fence::watch(&self.context, &self.consumer, group, id, self.wake.clone());
            return Ok(());
        }
        self.join()
    }

    fn join(&mut self) -> Result<()> {
        self.fenced = false;
        self.health()
            .bad(GROUP, format!("joining group `{}`", self.settings.group));
        self.consumer.subscribe(&[&self.settings.topic])?;
        tracing::info!(
            group = self.settings.group,
            topic = self.settings.topic,
            member = self.id,
            "joining"
        );
        Ok(())
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
        if self.fenced && !fence::is_closed(&self.settings.group, &self.id) {
            self.join()?;
        }
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
                self.watch_topic();
                Ok(())
            }
            // The listener's `error` told it already.
            _ => Ok(()),
        }
    }

    /// Tells while the topic does not exist.
    pub(crate) fn watch_topic(&self) {
        watch_topic(
            &self.context,
            &self.consumer,
            self.health().clone(),
            &self.settings.topic,
            |consumer, topic, patience| consumer.client().fetch_metadata(Some(topic), patience),
        );
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Change(change) => {
                tracing::info!(?change, "the group changes the assignment");
                self.rebalance.push(change, Instant::now());
            }
            Event::CommitFailed(why) => {
                self.commits.failed(why, &self.partitions, &self.metrics);
            }
            Event::Statistics(statistics) => self.statistics = Some(statistics),
        }
    }

    /// What the client told in the last second, once.
    pub(crate) fn take_statistics(&mut self) -> Option<Arc<Statistics>> {
        self.statistics.take()
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

    /// Commits what is done, waiting for the group's word. To be called, after [`serve`](Self::serve), until it answers that this
    /// is over: all is committed, or there is no more time.
    ///
    /// # Errors
    /// No thread for it.
    pub(crate) fn commit_at_last(&mut self) -> Result<bool> {
        self.last_commit.go_on(
            &self.consumer,
            &self.commits,
            self.partitions.values(),
            &self.wake,
        )
    }

    /// Asks the group to let this member go. [`serve`](Self::serve) has to be called until [`has_left`](Self::has_left).
    pub(crate) fn leave(&mut self) -> Result<()> {
        self.leaving = Some(Instant::now() + LEAVING);
        Ok(self.consumer.close_queue()?)
    }

    /// Whether the group has let this member go, or had its time to.
    pub(crate) fn has_left(&self) -> bool {
        self.consumer.closed() || self.leaving.is_some_and(|until| Instant::now() >= until)
    }
}

impl Drop for Member {
    /// Leaves although nobody serves the member any more; what is done is committed if it still can be.
    fn drop(&mut self) {
        let consumer = self.consumer.clone();
        if consumer.client().fatal_error().is_none() && !consumer.closed() {
            self.commits.commit_all(&consumer, self.partitions.values());
        }
        // Each partition's queue holds the consumer.
        self.partitions.clear();
        consumer.context().abandon();
        let until = self.leaving.unwrap_or_else(|| Instant::now() + LEAVING);
        if consumer.close_queue().is_ok() {
            while !consumer.closed() && Instant::now() < until {
                let _ = consumer.poll(Duration::from_millis(50));
            }
            if !consumer.closed() {
                tracing::error!(
                    group = self.settings.group,
                    "the group does not let this member go; its client is left behind"
                );
                // Its drop would wait for the group without end.
                std::mem::forget(consumer);
            }
        }
    }
}
