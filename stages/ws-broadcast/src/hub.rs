//! What all connections share: the ring, the news that it has more, and who is connected.
//!
//! Invariant: the ring's lock is never held across an await, nor while bytes are written, and no other lock is taken
//! under it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use stage_envelope::{After, Hello, write_hello};
use tokio::sync::watch;

use crate::config::Config;
use crate::intake::{Intake, Taken};
use crate::metrics::Metrics;
use crate::ring::{Lag, Ring};
use crate::status::Tally;
use crate::wire::text_frame;

/// Memory that is kept for the next use; what a huge message needed is given back.
const KEPT: usize = 1 << 20;

/// The ring, and memory to encode in.
struct Shared {
    ring: Ring,
    encode: Vec<u8>,
}

/// What all connections share.
pub(crate) struct Hub {
    pub(crate) name: String,
    epoch: String,
    epoch_tag: HeaderValue,
    peers: Vec<String>,
    pub(crate) context: Context,
    pub(crate) metrics: Metrics,
    pub(crate) tally: Tally,
    shared: Mutex<Shared>,
    /// Memory to collect one write in.
    scratch: Mutex<Vec<u8>>,
    head: watch::Sender<u64>,
    readers: Mutex<HashMap<u64, Arc<AtomicU64>>>,
    next_reader: AtomicU64,
}

impl Hub {
    pub(crate) fn new(config: &Config, name: String, context: &Context) -> Self {
        let epoch = format!("{:x}", now_ns());
        Self {
            epoch_tag: epoch_tag(&epoch),
            epoch,
            peers: config.peers.clone(),
            name,
            context: context.clone(),
            metrics: Metrics::new(context, config.ring_limits()),
            tally: Tally::default(),
            shared: Mutex::new(Shared {
                ring: Ring::new(config.ring_limits()),
                encode: Vec::new(),
            }),
            scratch: Mutex::default(),
            head: watch::Sender::new(0),
            readers: Mutex::default(),
            next_reader: AtomicU64::new(0),
        }
    }

    /// Puts messages into the ring and wakes the clients. `local` says that they came by POST.
    pub(crate) fn take<R>(
        &self,
        local: bool,
        put: impl FnOnce(&mut Intake<'_>) -> R,
    ) -> (R, Taken) {
        let mut shared = self.shared.lock();
        let Shared { ring, encode } = &mut *shared;
        let before = ring.head();
        let mut intake = Intake::new(ring, encode, local);
        let result = put(&mut intake);
        let taken = intake.taken();
        let spans = intake.ended();
        let head = ring.head();
        encode.clear();
        encode.shrink_to(KEPT);
        drop(shared);
        self.metrics.took(taken, local);
        self.tally.took(taken, local);
        if head > before {
            self.head.send_replace(head);
        }
        // They end here: the clients are told, and no lock is held.
        drop(spans);
        (result, taken)
    }

    /// The name of this ring, as an entity tag: a server that starts anew has another.
    pub(crate) fn epoch_tag(&self) -> &HeaderValue {
        &self.epoch_tag
    }

    /// Looks into the ring.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Ring) -> R) -> R {
        look(&self.shared.lock().ring)
    }

    /// Makes the frame that greets a client.
    pub(crate) fn hello(&self, ring: &Ring) -> Box<[u8]> {
        let mut head = After::default();
        for (_, partition) in ring.partitions().iter().take(After::MOST) {
            if let Some(newest) = partition.newest() {
                head.set(&partition.topic, partition.partition, newest.offset);
            }
        }
        let hello = Hello {
            server: self.name.clone(),
            epoch: self.epoch.clone(),
            peers: self.peers.clone(),
            head: head.to_string(),
        };
        text_frame(&mut Vec::new(), |out| write_hello(out, &hello))
    }

    /// Lends empty memory in which one write is collected.
    pub(crate) fn with_scratch<R>(&self, work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut scratch = self.scratch.lock();
        let result = work(&mut scratch);
        scratch.clear();
        scratch.shrink_to(KEPT);
        result
    }

    /// Tells when there is more in the ring.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Registers a client's place in the ring, for as long as the answer lives.
    pub(crate) fn reader(self: &Arc<Self>, next: u64) -> Reader {
        let id = self.next_reader.fetch_add(1, Ordering::Relaxed);
        let place = Arc::new(AtomicU64::new(next));
        self.readers.lock().insert(id, Arc::clone(&place));
        self.tally.came();
        Reader {
            hub: Arc::clone(self),
            id,
            place,
        }
    }

    /// Counts a client that left, or was sent away.
    pub(crate) fn left(&self, reason: &'static str) {
        self.metrics.left(reason);
        self.tally.left(reason);
    }

    /// How far the client in the middle is behind: half of all are less.
    pub(crate) fn median(&self) -> Lag {
        let mut places: Vec<u64> = {
            let readers = self.readers.lock();
            let places = readers.values();
            places.map(|place| place.load(Ordering::Relaxed)).collect()
        };
        if places.is_empty() {
            return Lag::default();
        }
        let middle = places.len() / 2;
        let (_, &mut next, _) = places.select_nth_unstable(middle);
        self.look(|ring| ring.lag(next))
    }

    /// How far the slowest client is behind.
    pub(crate) fn slowest(&self) -> Lag {
        let slowest = self
            .readers
            .lock()
            .values()
            .map(|place| place.load(Ordering::Relaxed))
            .min();
        slowest.map_or_else(Lag::default, |next| self.look(|ring| ring.lag(next)))
    }
}

/// A client's place in the ring, as others see it.
pub(crate) struct Reader {
    hub: Arc<Hub>,
    id: u64,
    place: Arc<AtomicU64>,
}

impl Reader {
    /// Tells how far the client is.
    pub(crate) fn at(&self, next: u64) {
        self.place.store(next, Ordering::Relaxed);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.hub.readers.lock().remove(&self.id);
    }
}

fn epoch_tag(epoch: &str) -> HeaderValue {
    // Hexadecimal digits fit into a header.
    HeaderValue::from_str(&format!("\"{epoch}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Nanoseconds since 1970.
pub(crate) fn now_ns() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A hub of default settings.
    pub(crate) fn hub() -> Arc<Hub> {
        let config = serde_json::from_str(r#"{"listen":"127.0.0.1:0"}"#).unwrap();
        Arc::new(Hub::new(
            &config,
            "server".to_owned(),
            &Context::detached("ws"),
        ))
    }

    #[test]
    fn the_slowest_client_is_known_until_it_leaves() {
        let hub = hub();
        let quick = hub.reader(5);
        let slow = hub.reader(0);
        assert_eq!(hub.slowest(), Lag::default());
        quick.at(7);
        slow.at(1);
        assert_eq!(hub.readers.lock().len(), 2);
        drop((quick, slow));
        assert!(hub.readers.lock().is_empty());
    }
}
