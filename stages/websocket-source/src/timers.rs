//! What a connection has to do at which time.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Config;

/// A time so far away that it never comes.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The times of one connection.
#[derive(Debug)]
pub(crate) struct Timers {
    ping_every: Option<Duration>,
    idle_timeout: Option<Duration>,
    stale_after: Option<Duration>,
    next_ping: Option<Instant>,
    /// When the next message of `subscribe` may be sent.
    pub(crate) subscribe: Option<Instant>,
}

/// What is too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// No byte for `idle_timeout`.
    Bytes(Duration),
    /// No message for `stale_after`.
    Data(Duration),
}

impl Timers {
    /// The times of a connection that was made now.
    pub(crate) fn new(config: &Config) -> Self {
        let now = Instant::now();
        let ping_every = config.ping.as_ref().map(|ping| *ping.every);
        Timers {
            ping_every,
            idle_timeout: config.idle_timeout.map(|timeout| *timeout),
            stale_after: config.stale_after.map(|after| *after),
            next_ping: ping_every.map(|every| now + every),
            subscribe: (!config.subscribe.is_empty()).then_some(now),
        }
    }

    /// Whether to ping now; if so the next one is set.
    pub(crate) fn ping_due(&mut self, now: Instant) -> bool {
        let due = self.next_ping.is_some_and(|next| next <= now);
        if due {
            self.next_ping = self.ping_every.map(|every| now + every);
        }
        due
    }

    /// What is overdue while the connection is read, given when the last byte and the last message came.
    pub(crate) fn overdue(
        &self,
        now: Instant,
        last_byte: Instant,
        last_data: Instant,
    ) -> Option<Overdue> {
        let passed = |limit: &Duration, since: Instant| now.duration_since(since) >= *limit;
        let bytes = self
            .idle_timeout
            .filter(|limit| passed(limit, last_byte))
            .map(Overdue::Bytes);
        bytes.or_else(|| {
            self.stale_after
                .filter(|limit| passed(limit, last_data))
                .map(Overdue::Data)
        })
    }

    /// When to look again while the connection is read.
    pub(crate) fn next(&self, now: Instant, last_byte: Instant, last_data: Instant) -> Instant {
        let silence = [
            self.idle_timeout.map(|limit| last_byte + limit),
            self.stale_after.map(|limit| last_data + limit),
        ];
        silence
            .into_iter()
            .chain([Some(self.next_sending(now))])
            .flatten()
            .min()
            .unwrap_or(now + NEVER)
    }

    /// When to look again while the connection is not read.
    pub(crate) fn next_sending(&self, now: Instant) -> Instant {
        [self.next_ping, self.subscribe]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + NEVER)
    }
}
