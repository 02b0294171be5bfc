//! What the producer calls back: delivery reports settle messages, failed ones wait here to be sent again.

use crate::in_flight::{Delivered, InFlight, Token};
use crate::outcome::{Outcome, judge};
use crate::status::Status;
use crate::trace::{Sends, delivered};
use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use rdkafka::ClientContext;
use rdkafka::Message as _;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, ProducerContext};
use stage_kafka_client::{Health, Monitor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

pub(crate) type Producer = BaseProducer<Reports>;

/// Subject of [`Health`]: messages wait although some broker answers.
const STALLED: &str = "stalled";
/// Without a report for so long, messages that wait are a trouble.
const PATIENCE: Duration = Duration::from_secs(5);

/// The producer's context.
pub(crate) struct Reports {
    context: Context,
    topic: String,
    monitor: Monitor,
    state: Mutex<State>,
    /// Messages that the producer has and has not reported. Only the stage's own thread adds to it.
    unreported: AtomicUsize,
    /// Something was delivered, failed or became empty: whoever waits looks again.
    changed: Notify,
    troubled: AtomicBool,
    /// An error was told that may be the end of the client.
    alarmed: AtomicBool,
    produced: Counter,
    errors: Counter,
    rejected: Counter,
    queued: Gauge,
    queued_bytes: Gauge,
}

struct State {
    in_flight: InFlight<Batch>,
    failures: Vec<Failure>,
    /// When a delivery was noticed last, or the producer got a message after it had none.
    progress: Instant,
    /// Something was delivered since then. The clock is asked once for all of it.
    has_progressed: bool,
    sends: Sends,
}

/// A message that was not delivered.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) token: Token,
    pub(crate) error: KafkaError,
}

impl Reports {
    pub(crate) fn new(context: &Context, topic: &str, monitor: Monitor) -> Self {
        let labels = &[("topic", topic)];
        Reports {
            produced: context.counter(
                "pipeline_kafka_produced_messages",
                "",
                "Messages that the brokers took",
                labels,
            ),
            errors: context.counter(
                "pipeline_kafka_produce_errors",
                "",
                "Reports of messages that were not taken; they are sent again",
                labels,
            ),
            rejected: context.counter(
                "pipeline_kafka_produce_rejected_messages",
                "",
                "Messages that the brokers can never take",
                labels,
            ),
            queued: context.gauge(
                "pipeline_kafka_producer_queue_messages",
                "",
                "Messages in the producer's queues and in flight",
                labels,
            ),
            queued_bytes: context.gauge(
                "pipeline_kafka_producer_queue",
                "bytes",
                "Bytes of the messages in the producer's queues and in flight",
                labels,
            ),
            context: context.clone(),
            topic: topic.to_owned(),
            monitor,
            state: Mutex::new(State {
                in_flight: InFlight::default(),
                failures: Vec::new(),
                progress: Instant::now(),
                has_progressed: false,
                sends: Sends::default(),
            }),
            unreported: AtomicUsize::new(0),
            changed: Notify::new(),
            troubled: AtomicBool::new(false),
            alarmed: AtomicBool::new(false),
        }
    }

    pub(crate) fn health(&self) -> &Arc<Health> {
        self.monitor.health()
    }

    /// Takes a batch that is about to be sent; gives its slot.
    pub(crate) fn insert(&self, batch: Batch) -> usize {
        let len = batch.len();
        self.state.lock().in_flight.insert(batch, len)
    }

    /// Notes that the producer is about to get a message. Before it is sent: the report may come before `send` returns.
    pub(crate) fn sending(&self) {
        if self.is_quiet() {
            self.state.lock().progress = Instant::now();
        }
        self.unreported.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the producer did not take a message after all.
    pub(crate) fn not_sent(&self) {
        self.unreported.fetch_sub(1, Ordering::Release);
    }

    /// The trace to send with a sampled message: that of its span, which `start` makes when it is sent for the first time.
    pub(crate) fn trace(&self, token: Token, start: impl FnOnce() -> Span) -> Trace {
        self.state.lock().sends.trace(token, start)
    }

    /// The batch of a message.
    pub(crate) fn batch(&self, token: Token) -> Option<Batch> {
        self.state.lock().in_flight.batch(token).cloned()
    }

    /// Keeps a message to be sent again.
    pub(crate) fn failed(&self, token: Token, error: KafkaError) {
        self.keep(&mut self.state.lock(), token, error);
    }

    fn keep(&self, state: &mut State, token: Token, error: KafkaError) {
        self.errors.add(1);
        state.sends.retried(token, &error);
        if judge(&error) == Outcome::Fatal {
            self.alarmed.store(true, Ordering::Relaxed);
        }
        state.failures.push(Failure { token, error });
        self.troubled.store(true, Ordering::Release);
    }

    /// Whether somebody should look: a message waits to be sent again, or the client may have come to its end.
    pub(crate) fn is_troubled(&self) -> bool {
        self.has_failures() || self.alarmed.load(Ordering::Relaxed)
    }

    /// Whether some message waits to be sent again.
    pub(crate) fn has_failures(&self) -> bool {
        self.troubled.load(Ordering::Acquire)
    }

    /// Whether an error was told since the last call: it may be the end of the client.
    pub(crate) fn take_alarm(&self) -> bool {
        self.alarmed.swap(false, Ordering::Relaxed)
    }

    /// The messages to be sent again, in the order in which they came.
    pub(crate) fn take_failures(&self) -> Vec<Failure> {
        let mut state = self.state.lock();
        self.troubled.store(false, Ordering::Release);
        let mut failures = std::mem::take(&mut state.failures);
        failures.sort_by_key(|failure| state.in_flight.order(failure.token));
        failures
    }

    /// Settles a message that can never be delivered.
    pub(crate) fn reject(&self, token: Token, why: &str) {
        self.rejected.add(1);
        let (rejected, span) = {
            let mut state = self.state.lock();
            (state.in_flight.rejected(token), state.sends.take(token))
        };
        if let Some(mut span) = span {
            span.fail("rejected", why);
        }
        if let Some((batch, complete)) = rejected {
            let index = token.index() as u32;
            batch.reject(index..index + 1, why);
            complete.iter().for_each(settle);
        }
    }

    /// How many messages the producer has and has not reported.
    pub(crate) fn unreported(&self) -> usize {
        self.unreported.load(Ordering::Acquire)
    }

    /// Whether the producer has reported all that it has.
    pub(crate) fn is_quiet(&self) -> bool {
        self.unreported() == 0
    }

    /// Whether every message is settled.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().in_flight.is_empty()
    }

    /// Settles what was reported since the last call.
    pub(crate) fn settle_reported(&self) {
        let reported = self.state.lock().in_flight.take_reported();
        reported.iter().for_each(settle);
    }

    /// Waits until something changed; may also return without a change.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// For how long nothing was delivered, as far as was noticed: to be asked every now and then.
    fn without_progress(&self) -> Duration {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.has_progressed) {
            state.progress = Instant::now();
        }
        state.progress.elapsed()
    }

    fn show(&self, messages: u64, bytes: u64) {
        self.queued.set(messages as f64);
        self.queued_bytes.set(bytes as f64);
        let waiting = self.unreported.load(Ordering::Relaxed);
        if waiting > 0 && self.without_progress() > PATIENCE {
            let down = self.monitor.down().map_or_else(
                || "no broker takes them".to_owned(),
                |down| format!("not reachable: {down}"),
            );
            self.health().bad(
                STALLED,
                format!("messages for topic `{}` wait: {down}", self.topic),
            );
        } else {
            self.health().good(STALLED);
        }
        let status = Status {
            topic: &self.topic,
            queued: messages,
            queued_bytes: bytes,
            waiting,
            brokers: self.monitor.brokers(),
        };
        self.context.publish_status(&status);
    }
}

/// Whether the message was only given back, because the producer ends.
fn is_purged(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight)
    )
}

/// Passes a run on as done.
fn settle(delivered: &Delivered<Batch>) {
    for run in &delivered.runs {
        delivered.batch.done_range(run.clone());
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.monitor.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.monitor.error(&error, reason);
        self.alarmed.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    fn stats_raw(&self, json: &[u8]) {
        if let Some(statistics) = self.monitor.statistics(json) {
            self.show(statistics.msg_cnt, statistics.msg_size);
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, token: usize) {
        let token = Token(token);
        let mut state = self.state.lock();
        let mut span = None;
        let complete = match result {
            Ok(_) => {
                state.has_progressed = true;
                span = state.sends.take(token);
                state.in_flight.delivered(token)
            }
            Err((error, _)) => {
                if !is_purged(error) {
                    self.keep(&mut state, token, error.clone());
                }
                None
            }
        };
        drop(state);
        // Last: whoever finds the producer quiet finds the failures too.
        let quiet = self.unreported.fetch_sub(1, Ordering::AcqRel) == 1;
        if let Ok(record) = result {
            self.produced.add(1);
            if let Some(mut span) = span {
                self.monitor
                    .note_leader(&mut span, &self.topic, record.partition());
                delivered(span, record.partition(), record.offset());
            }
        }
        complete.iter().for_each(settle);
        if quiet || complete.is_some() {
            self.changed.notify_one();
        }
    }
}
