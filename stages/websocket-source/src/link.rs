//! Keeps one connection up: connects, reads, waits, and connects again, to the next address if there are several.

use std::sync::Arc;
use std::time::Duration;

use pipeline_sdk::prelude::*;
use rustls::ClientConfig;
use tokio::sync::mpsc;

use crate::address::Address;
use crate::config::{Config, Protocol};
use crate::connect::{Socket, connect};
use crate::failure::Failure;
use crate::session::{End, Group, Session, Surroundings};
use crate::shared::Shared;
use crate::throttle::Throttle;
use crate::transport::Meter;

/// One connection that is kept up.
pub(crate) struct Link {
    /// Its number among the stage's connections.
    pub(crate) index: usize,
    /// Where to connect to; the next one when one fails.
    pub(crate) addresses: Vec<Address>,
    pub(crate) config: Arc<Config>,
    /// Set if an address asks for TLS.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) context: Context,
    pub(crate) shared: Arc<Shared>,
    pub(crate) groups: mpsc::Sender<Group>,
}

impl Link {
    /// Runs until the stage is asked to drain.
    pub(crate) async fn run(self) {
        let mut course = Course {
            waits: Waits::new(&self.config, self.addresses.len()),
            connected: Throttle::default(),
            failed: Throttle::default(),
        };
        for address in self.addresses.iter().cycle() {
            let failure = match self.connection(address, &mut course).await {
                End::Drained => return,
                End::Failed(failure) => failure,
            };
            let wait = course.waits.after(&failure);
            if let Some(times) = course.failed.pass(1) {
                tracing::warn!(times, "`{address}`: {}; next try in {wait:?}", failure.why);
            }
            self.note(|link| link.error = Some(failure.why));
            tokio::select! {
                biased;
                () = self.context.draining() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Makes one connection and keeps it until it ends.
    async fn connection(&self, address: &Address, course: &mut Course) -> End {
        self.note(|link| link.url = address.to_string());
        let parameters = self.parameters();
        let opened = tokio::select! {
            biased;
            () = self.context.draining() => return End::Drained,
            opened = connect(&self.config, self.tls.as_ref(), address, &parameters) => opened,
        };
        match opened {
            Ok((socket, meter)) => self.session(address, socket, meter, course).await,
            Err(failure) => End::Failed(failure),
        }
    }

    async fn session(
        &self,
        address: &Address,
        socket: Socket,
        meter: Meter,
        course: &mut Course,
    ) -> End {
        let mut connection = 0;
        self.note(|link| {
            link.connected = true;
            link.connects += 1;
            connection = link.connects;
        });
        if connection > 1 {
            self.shared.reconnects.add(1);
        }
        if let Some(times) = course.connected.pass(1) {
            tracing::info!(times, "connected to `{address}`");
        }
        let around = Surroundings {
            config: &self.config,
            context: &self.context,
            shared: &self.shared,
            groups: &self.groups,
            link: self.index,
            connection,
        };
        let (end, had_data) = Session::new(around, socket, meter).run().await;
        self.note(|link| {
            link.connected = false;
            link.parked = None;
        });
        if had_data {
            course.waits.reset();
        }
        end
    }

    /// What to ask a server of another pipeline for: what comes after what it told before.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        if self.config.protocol == Protocol::Plain {
            return Vec::new();
        }
        let mut parameters = Vec::new();
        if self.config.local_only {
            parameters.push(("local_only", "true".to_owned()));
        }
        let after = self.shared.link(self.index).after.to_string();
        if !after.is_empty() {
            parameters.push(("after", after));
        } else if self.config.recent > 0 {
            parameters.push(("recent", self.config.recent.to_string()));
        }
        parameters
    }

    fn note(&self, change: impl FnOnce(&mut crate::shared::LinkState)) {
        change(&mut self.shared.link(self.index));
        self.shared.changed.notify_one();
    }
}

/// What is kept from one connection to the next.
struct Course {
    waits: Waits,
    connected: Throttle,
    failed: Throttle,
}

/// How long to wait after a failure: not at all while there is an address that was not tried since, then longer and longer.
struct Waits {
    backoff: Backoff,
    addresses: usize,
    failed: usize,
    /// The longest wait that a server asked for in this round.
    asked: Duration,
}

impl Waits {
    fn new(config: &Config, addresses: usize) -> Self {
        let backoff = Backoff::new(*config.reconnect.initial, *config.reconnect.max);
        Waits {
            backoff,
            addresses,
            failed: 0,
            asked: Duration::ZERO,
        }
    }

    fn reset(&mut self) {
        self.backoff.reset();
        (self.failed, self.asked) = (0, Duration::ZERO);
    }

    fn after(&mut self, failure: &Failure) -> Duration {
        self.failed += 1;
        self.asked = self.asked.max(failure.wait.unwrap_or_default());
        if self.failed < self.addresses {
            return Duration::ZERO;
        }
        self.failed = 0;
        self.backoff
            .next_delay()
            .max(std::mem::take(&mut self.asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(addresses: usize) -> Waits {
        let config =
            serde_json::json!({"urls": [], "reconnect": {"initial": "100ms", "max": "1s"}});
        Waits::new(&serde_json::from_value(config).unwrap(), addresses)
    }

    #[test]
    fn every_address_is_tried_before_waiting() {
        let mut waits = waits(3);
        let failure = Failure::new("x");
        assert_eq!(
            (waits.after(&failure), waits.after(&failure)),
            (Duration::ZERO, Duration::ZERO)
        );
        assert!(waits.after(&failure) <= Duration::from_millis(100));
        assert_eq!(waits.after(&failure), Duration::ZERO);
    }

    #[test]
    fn a_server_can_ask_for_a_longer_wait() {
        let mut waits = waits(1);
        let busy = Failure {
            why: "429".into(),
            wait: Some(Duration::from_secs(7)),
        };
        assert_eq!(waits.after(&busy), Duration::from_secs(7));
        assert!(waits.after(&Failure::new("x")) <= Duration::from_millis(200));
    }
}
