//! What the consumer calls back: remembered here, carried out by the source's own loop.
//!
//! Invariant: a rebalance is only answered by that loop, until [`Listener::abandon`]; from then on it is answered at once, so
//! that a consumer that is dropped can always leave.

use crate::rebalance::Change;
use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};
use stage_kafka_client::{Monitor, Statistics};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) type Consumer = BaseConsumer<Listener>;

/// Something that the consumer told.
pub(crate) enum Event {
    /// The group changes the assignment and waits for the answer.
    Change(Change),
    /// A commit failed.
    CommitFailed(String),
    /// A second has passed.
    Statistics(Arc<Statistics>),
}

/// The consumer's context.
pub(crate) struct Listener {
    monitor: Monitor,
    events: Mutex<VecDeque<Event>>,
    /// Counts calls, so that the loop knows whether a poll that gave no message served something.
    calls: AtomicU64,
    /// An error was told that may be the end of the client.
    alarmed: AtomicBool,
    abandoned: AtomicBool,
}

impl Listener {
    pub(crate) fn new(monitor: Monitor) -> Self {
        Listener {
            monitor,
            events: Mutex::default(),
            calls: AtomicU64::new(0),
            alarmed: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
        }
    }

    pub(crate) fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn next_event(&self) -> Option<Event> {
        self.events.lock().pop_front()
    }

    /// Whether an error was told since the last call: it may be the end of the client.
    pub(crate) fn take_alarm(&self) -> bool {
        self.alarmed.swap(false, Ordering::Relaxed)
    }

    /// From now on nobody listens: rebalances are answered by giving everything up.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn tell(&self, event: Event) {
        self.called();
        self.events.lock().push_back(event);
    }
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.called();
        // The answer to a commit that nobody waits for comes this way only, and only if it is no.
        match facility {
            "COMMITFAIL" => self.tell(Event::CommitFailed(message.to_owned())),
            _ => self.monitor.log(level, facility, message),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.called();
        self.alarmed.store(true, Ordering::Relaxed);
        self.monitor.error(&error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.called();
        if let Some(statistics) = self.monitor.statistics(json) {
            self.tell(Event::Statistics(statistics));
        }
    }
}

impl ConsumerContext for Listener {
    fn rebalance(
        &self,
        consumer: &Consumer,
        kind: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assign = kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.abandoned.load(Ordering::Relaxed) {
            self.called();
            let answered = if assign {
                consumer.incremental_assign(&TopicPartitionList::new())
            } else {
                give_up(consumer, partitions)
            };
            answered.unwrap_or_else(
                |error| tracing::warn!(%error, "a rebalance at the end could not be answered"),
            );
            return;
        }
        let numbers = partitions
            .elements()
            .iter()
            .map(|partition| partition.partition())
            .collect();
        self.tell(Event::Change(match assign {
            true => Change::Assign(numbers),
            false if consumer.assignment_lost() => Change::Lose(numbers),
            false => Change::Revoke(numbers),
        }));
    }
}

/// Gives partitions up, in the words of the protocol that the group agreed on.
pub(crate) fn give_up(consumer: &Consumer, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    }
}
