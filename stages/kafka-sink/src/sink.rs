//! The stage: gives messages to the producer and sends again what failed.
//!
//! A failed delivery stops the flow: what is in the producer is waited for, then the failed messages are sent again in the order
//! in which they came, the first one alone, and only then anything newer.

use crate::headers;
use crate::in_flight::{InFlight, Token};
use crate::key::Pointer;
use crate::outcome::{Outcome, explain, explain_end, judge};
use crate::reports::{Failure, Producer, Reports};
use crate::round::Round;
use crate::settings::Settings;
use crate::trace;
use pipeline_sdk::prelude::*;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer as _};
use stage_kafka_client::{Monitor, watch_topic};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Subject of the stage's health.
const DELIVERY: &str = "delivery";
/// How often what was reported of incomplete batches is settled; complete ones are settled at once.
const SETTLE: Duration = Duration::from_secs(1);
/// How soon the end of the stage is noticed by the thread that takes the reports.
const GLANCE: Duration = Duration::from_millis(100);
/// How long a full queue is waited for before it is tried again.
const FULL: Duration = Duration::from_millis(50);

pub(crate) struct KafkaSink {
    context: Context,
    settings: Settings,
    key: Option<Pointer>,
    keyless: Counter,
    producer: Arc<Producer>,
    round: Round,
    stop: Arc<AtomicBool>,
}

impl Sink for KafkaSink {
    const NAME: &'static str = "kafka-sink";
    type Config = Settings;

    fn validate(config: &Settings) -> Vec<Invalid> {
        config.validate()
    }

    async fn open(settings: Settings, context: Context) -> Result<Self> {
        settings.connection.check_files(&context)?;
        let monitor = Monitor::new(context.clone(), &settings.connection.brokers);
        let reports = Reports::new(&context, &settings.topic, monitor);
        let producer: Arc<Producer> = Arc::new(
            settings
                .client_config(Some(&context))
                .create_with_context(reports)?,
        );
        let stop = Arc::new(AtomicBool::new(false));
        let sink = KafkaSink {
            key: settings.key.as_deref().and_then(Pointer::parse),
            keyless: context.counter(
                "pipeline_kafka_keyless_messages",
                "",
                "Messages without the key that `key` names",
                &[("topic", &settings.topic)],
            ),
            round: Round::new(*settings.linger),
            context,
            settings,
            producer,
            stop,
        };
        sink.start_threads()?;
        Ok(sink)
    }

    async fn run(&mut self, input: &mut Input) -> Result<()> {
        loop {
            self.mend().await?;
            let now = Instant::now();
            let held = self.round.holds_until(self.reports().unreported(), now);
            tokio::select! {
                batch = input.recv(), if held.is_none() => match batch {
                    Some(batch) => self.produce(&batch).await?,
                    None => break,
                },
                () = self.reports().changed() => {}
                () = tokio::time::sleep_until(held.unwrap_or(now).into()), if held.is_some() => {}
            }
        }
        while !self.reports().is_empty() {
            self.mend().await?;
            if !self.reports().is_empty() {
                self.reports().changed().await;
            }
        }
        Ok(())
    }
}

impl KafkaSink {
    fn reports(&self) -> &Reports {
        self.producer.context()
    }

    fn start_threads(&self) -> Result<()> {
        let (producer, stop) = (self.producer.clone(), self.stop.clone());
        self.context.thread("kafka-reports", move || {
            let mut settled = Instant::now();
            while !stop.load(Ordering::Relaxed) {
                producer.poll(GLANCE);
                if settled.elapsed() >= SETTLE {
                    producer.context().settle_reported();
                    settled = Instant::now();
                }
            }
        })?;
        watch_topic(
            &self.context,
            &self.producer,
            self.reports().health().clone(),
            &self.settings.topic,
            |producer, topic, patience| producer.client().fetch_metadata(Some(topic), patience),
        );
        Ok(())
    }

    /// Gives a batch to the producer.
    async fn produce(&mut self, batch: &Batch) -> Result<()> {
        let unreported = self.reports().unreported();
        self.round.takes(unreported, Instant::now());
        let slot = self.reports().insert(batch.clone());
        for index in 0..batch.len() {
            if self.reports().is_troubled() {
                self.mend().await?;
            }
            self.send(batch, InFlight::<Batch>::token(slot, index))
                .await;
        }
        Ok(())
    }

    /// Gives a message to the producer, waiting while its queue is full. A message that it does not take has failed.
    async fn send(&self, batch: &Batch, token: Token) {
        loop {
            self.reports().sending();
            let Err(error) = self.try_send(batch.get(token.index()), token) else {
                return;
            };
            self.reports().not_sent();
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return self.reports().failed(token, error);
            }
            // Backpressure: the batch stays unsettled, so the edge in front fills up and parks whoever sends.
            let _ = tokio::time::timeout(FULL, self.reports().changed()).await;
        }
    }

    fn try_send(&self, message: Message<'_>, token: Token) -> Result<(), KafkaError> {
        let key = self.key(message);
        let key = key.as_deref();
        let trace = match message.sampled() {
            Some(parent) => Some(self.reports().trace(token, || {
                trace::send(&self.context, &self.settings.topic, message, key, parent)
            })),
            None => message.trace(),
        };
        let record = BaseRecord::with_opaque_to(&self.settings.topic, token.0)
            .payload(message.payload())
            .headers(headers::of(message, trace));
        let record = match key {
            Some(key) => record.key(key),
            None => record,
        };
        self.producer.send(record).map_err(|(error, _)| error)
    }

    fn key<'m>(&self, message: Message<'m>) -> Option<Cow<'m, [u8]>> {
        let own = || message.key().map(Cow::Borrowed);
        let Some(pointer) = &self.key else {
            return own();
        };
        pointer.find(message.payload()).or_else(|| {
            self.keyless.add(1);
            own()
        })
    }

    /// Sends failed messages again until none is left.
    async fn mend(&mut self) -> Result<()> {
        self.check()?;
        let mut backoff = self.context.backoff();
        while self.reports().has_failures() {
            self.quiet().await?;
            self.check()?;
            let failures = self.reports().take_failures();
            let Some(first) = failures.first() else {
                continue;
            };
            if judge(&first.error) == Outcome::Retry {
                self.reports()
                    .health()
                    .bad(DELIVERY, explain(&first.error, &self.settings.topic));
                tokio::time::sleep(backoff.next_delay()).await;
            }
            self.send_again(failures).await?;
            self.quiet().await?;
        }
        self.reports().health().good(DELIVERY);
        Ok(())
    }

    /// Sends messages again. The first goes alone: while it fails the others need not be tried. So does each that the brokers
    /// may have refused for its own sake: then it is known which one it was.
    async fn send_again(&self, failures: Vec<Failure>) -> Result<()> {
        let mut failures = failures.into_iter().enumerate();
        while let Some((index, Failure { token, error })) = failures.next() {
            let Some(batch) = self.reports().batch(token) else {
                continue;
            };
            let suspect = judge(&error) == Outcome::Suspect;
            if suspect {
                self.quiet().await?;
            }
            self.send(&batch, token).await;
            if index > 0 && !suspect {
                continue;
            }
            self.quiet().await?;
            if self.reports().has_failures() && !self.reject_if_refused(token) {
                failures
                    .for_each(|(_, failure)| self.reports().failed(failure.token, failure.error));
                return Ok(());
            }
        }
        Ok(())
    }

    /// Rejects a message that was sent alone and refused for its own sake.
    fn reject_if_refused(&self, alone: Token) -> bool {
        let mut refused = true;
        for Failure { token, error } in self.reports().take_failures() {
            if token == alone && judge(&error) == Outcome::Suspect {
                self.reports().reject(
                    token,
                    &format!(
                        "topic `{}` cannot take the message: {error}",
                        self.settings.topic
                    ),
                );
            } else {
                refused = false;
                self.reports().failed(token, error);
            }
        }
        refused
    }

    /// Waits until the producer has reported all that it has.
    async fn quiet(&self) -> Result<()> {
        while !self.reports().is_quiet() {
            self.reports().changed().await;
            self.check()?;
        }
        Ok(())
    }

    /// Whether the client can go on.
    fn check(&self) -> Result<()> {
        if self.reports().take_alarm()
            && let Some((code, why)) = self.producer.client().fatal_error()
        {
            return Err(explain_end(code, &why, &self.settings.topic).into());
        }
        Ok(())
    }
}

impl Drop for KafkaSink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
