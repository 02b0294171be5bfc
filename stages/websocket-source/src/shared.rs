//! What the stage knows about its connections and messages: written where it happens, read by [`crate::report`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline_sdk::prelude::*;
use serde::Serialize;
use stage_envelope::After;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Most keys whose gaps are shown.
const MOST_KEYS: usize = 100;

/// What is known about the stage.
pub(crate) struct Shared {
    links: Vec<Mutex<LinkState>>,
    /// The server that is filled.
    filled: Option<Mutex<LinkState>>,
    /// Told when the health may have changed.
    pub(crate) changed: Notify,
    /// Messages handed on.
    pub(crate) messages: Count,
    /// Connections made after the first one.
    pub(crate) reconnects: Count,
    /// Messages dropped because they were seen before.
    pub(crate) duplicates: Count,
    /// Times that a server left messages out.
    holes: Count,
    /// Messages that a server left out.
    pub(crate) missing: Count,
    /// Messages that were not what they should be.
    pub(crate) malformed: Count,
    gaps: Mutex<BTreeMap<String, KeyGaps>>,
}

/// What is known about one connection.
#[derive(Debug)]
pub(crate) struct LinkState {
    /// The address, fit to be shown.
    pub(crate) url: String,
    /// When the stage began to connect.
    pub(crate) begun: Instant,
    /// Whether it is open.
    pub(crate) connected: bool,
    /// Connections made.
    pub(crate) connects: u64,
    /// When the last message came.
    pub(crate) last_data: Option<Instant>,
    /// Whether the feed fell silent and has not spoken since.
    pub(crate) stale: bool,
    /// Since when nothing more fits.
    pub(crate) parked: Option<Instant>,
    /// Why the last connection failed.
    pub(crate) error: Option<String>,
    /// What the server told so far, to resume from.
    pub(crate) after: After,
}

/// Gaps of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct KeyGaps {
    /// Gaps.
    pub(crate) gaps: u64,
    /// Messages missing in them.
    pub(crate) missing: u64,
}

/// A total that is a metric as well.
pub(crate) struct Count {
    total: AtomicU64,
    counter: Counter,
}

impl Count {
    fn new(context: &Context, name: &str, help: &str) -> Self {
        Count {
            total: AtomicU64::new(0),
            counter: context.counter(name, "", help, &[]),
        }
    }

    /// Counts `more`.
    pub(crate) fn add(&self, more: u64) {
        self.total.fetch_add(more, Ordering::Relaxed);
        self.counter.add(more);
    }

    /// The total of this instance.
    pub(crate) fn get(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// Nothing is known yet about the connections to `urls`.
    pub(crate) fn new(context: &Context, urls: impl Iterator<Item = String>) -> Self {
        let count = |name, help| Count::new(context, name, help);
        Shared {
            links: urls.map(|url| Mutex::new(LinkState::new(url))).collect(),
            filled: None,
            changed: Notify::new(),
            messages: count("pipeline_websocket_source_messages", "Messages handed on"),
            reconnects: count(
                "pipeline_websocket_source_reconnects",
                "Connections made after the first one",
            ),
            duplicates: count(
                "pipeline_websocket_source_duplicate_messages",
                "Messages dropped because they were seen before",
            ),
            holes: count(
                "pipeline_websocket_source_gaps",
                "Times that a server left messages out, by its own numbers",
            ),
            missing: count(
                "pipeline_websocket_source_missing_messages",
                "Messages that a server left out, by its own numbers",
            ),
            malformed: count(
                "pipeline_websocket_source_malformed_messages",
                "Messages that were not what they should be",
            ),
            gaps: Mutex::default(),
        }
    }

    /// The same, with a server that is filled.
    pub(crate) fn filling(mut self, url: Option<String>) -> Self {
        self.filled = url.map(|url| Mutex::new(LinkState::new(url)));
        self
    }

    /// The state of the connection to the server that is filled.
    pub(crate) fn filled(&self) -> Option<MutexGuard<'_, LinkState>> {
        self.filled.as_ref().map(lock)
    }

    /// Notes whether the server that is filled is there, and why it is not.
    pub(crate) fn note_filled(&self, connected: bool, error: Option<String>) {
        if let Some(mut filled) = self.filled() {
            filled.connects += u64::from(connected);
            filled.connected = connected;
            filled.error = error.or_else(|| filled.error.take());
        }
        self.changed.notify_one();
    }

    /// All connections were given up; with `forget` so is what the servers told on them.
    pub(crate) fn given_up(&self, forget: bool) {
        for mut link in self.links() {
            link.begun = Instant::now();
            link.connected = false;
            link.parked = None;
            if forget {
                link.after = After::default();
            }
        }
        self.changed.notify_one();
    }

    /// The state of one connection. Not to be held over an await.
    pub(crate) fn link(&self, index: usize) -> MutexGuard<'_, LinkState> {
        lock(&self.links[index])
    }

    /// The states of all connections, one after the other.
    pub(crate) fn links(&self) -> impl Iterator<Item = MutexGuard<'_, LinkState>> {
        self.links.iter().map(lock)
    }

    /// Counts a gap of `key`.
    pub(crate) fn gap(&self, key: &str, missing: u64) {
        self.holes.add(1);
        self.missing.add(missing);
        let mut gaps = lock(&self.gaps);
        if gaps.len() < MOST_KEYS || gaps.contains_key(key) {
            let of_key = gaps.entry(key.to_owned()).or_default();
            of_key.gaps += 1;
            of_key.missing += missing;
        }
    }

    /// The gaps of the first keys that had any.
    pub(crate) fn gaps(&self) -> BTreeMap<String, KeyGaps> {
        lock(&self.gaps).clone()
    }
}

impl LinkState {
    fn new(url: String) -> Self {
        LinkState {
            url,
            begun: Instant::now(),
            connected: false,
            connects: 0,
            last_data: None,
            stale: false,
            parked: None,
            error: None,
            after: After::default(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds a lock can leave a state half written.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
