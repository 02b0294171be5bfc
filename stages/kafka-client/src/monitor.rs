//! Ears at a Kafka client: its logs become the stage's logs, its errors and statistics the stage's health.

use crate::metrics::BrokerGauges;
use crate::{BrokerStatus, Health, PartitionStatus, Statistics, reason};
use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::sync::Arc;

/// The subject of [`Health`] that is well while some broker answers.
pub(crate) const BROKERS: &str = "brokers";

/// Takes what a client tells by its callbacks. A stage's client context forwards to it.
pub struct Monitor {
    health: Arc<Health>,
    brokers: String,
    gauges: BrokerGauges,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seen: Vec<BrokerStatus>,
    statistics: Arc<Statistics>,
    /// Why the last connection failed.
    trouble: Option<String>,
}

impl Monitor {
    /// Listens for a client of these `brokers`. The stage is degraded until one of them answers.
    #[must_use]
    pub fn new(context: Context, brokers: &str) -> Self {
        let gauges = BrokerGauges::new(&context);
        let health = Arc::new(Health::new(context));
        health.bad(BROKERS, format!("connecting to `{brokers}`"));
        Monitor {
            health,
            brokers: brokers.to_owned(),
            gauges,
            state: Mutex::default(),
        }
    }

    /// The stage's health.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// A line of the client's log.
    pub fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // A connection that the broker closes is no error to the client, but told here.
        if facility == "FAIL" {
            self.state.lock().trouble = Some(reason::plain(message));
        }
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "librdkafka", facility, "{message}")
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
        }
    }

    /// An error of the client as a whole. Fatal ones are the stage's own to handle.
    pub fn error(&self, error: &KafkaError, reason: &str) {
        let reason = reason::plain(reason);
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                let why = self.state.lock().trouble.clone().unwrap_or(reason);
                self.health.bad(
                    BROKERS,
                    format!("no broker of `{}` is reachable: {why}", self.brokers),
                );
            }
            // Every other broker will refuse as well: this is told although some may still be connected.
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL) => {
                self.state.lock().trouble = Some(reason.clone());
                self.health.bad(
                    BROKERS,
                    format!(
                        "a broker of `{}` refuses the connection: {reason}",
                        self.brokers
                    ),
                );
            }
            Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::Resolve) => {
                tracing::debug!(%error, reason, "connection trouble");
                self.state.lock().trouble = Some(reason);
            }
            _ => tracing::warn!(%error, reason, "the Kafka client reports an error"),
        }
    }

    /// The client's statistics, also for the stage's own use.
    pub fn statistics(&self, json: &[u8]) -> Option<Arc<Statistics>> {
        let statistics = Statistics::parse(json)
            .inspect_err(|error| tracing::warn!(%error, "the client's statistics cannot be read"))
            .ok()?;
        let brokers = statistics.brokers();
        self.gauges.show(&brokers);
        if brokers.iter().any(BrokerStatus::is_up) {
            self.health.good(BROKERS);
        } else if !self.health.is_bad(BROKERS) {
            self.health.bad(
                BROKERS,
                format!("no broker is connected; tried {}", addresses(&brokers)),
            );
        }
        let statistics = Arc::new(statistics);
        let mut state = self.state.lock();
        state.seen = brokers;
        state.statistics = statistics.clone();
        Some(statistics)
    }

    /// Notes in a span which broker leads a partition, as last seen.
    pub fn note_leader(&self, span: &mut Span, topic: &str, partition: i32) {
        let state = self.state.lock();
        let Some(PartitionStatus { leader, .. }) = state.statistics.partition(topic, partition)
        else {
            return;
        };
        let broker = state.seen.iter().find(|broker| broker.id == leader);
        if let Some((host, port)) = broker.and_then(|broker| broker.address.rsplit_once(':')) {
            span.set("server.address", host.to_owned());
            span.set("server.port", port.parse::<u16>().unwrap_or_default());
        }
    }

    /// The brokers, as last seen.
    #[must_use]
    pub fn brokers(&self) -> Vec<BrokerStatus> {
        self.state.lock().seen.clone()
    }

    /// The addresses of the brokers that cannot be reached, and why; `None` when there are none.
    #[must_use]
    pub fn down(&self) -> Option<String> {
        let state = self.state.lock();
        let down: Vec<BrokerStatus> = state
            .seen
            .iter()
            .filter(|broker| broker.is_down())
            .cloned()
            .collect();
        if down.is_empty() {
            return None;
        }
        let why = state
            .trouble
            .as_deref()
            .map_or_else(String::new, |why| format!(" ({why})"));
        Some(format!("{}{why}", addresses(&down)))
    }
}

fn addresses(brokers: &[BrokerStatus]) -> String {
    brokers
        .iter()
        .map(|broker| format!("`{}`", broker.address))
        .collect::<Vec<_>>()
        .join(", ")
}
