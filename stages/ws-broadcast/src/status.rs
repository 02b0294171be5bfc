//! The stage's part of `/status`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use serde::Serialize;

use crate::gate::Gate;
use crate::hub::Hub;
use crate::intake::Taken;
use crate::ring::Lag;

/// Counts that the status document shows, since the stage was opened.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) skipped: AtomicU64,
    pub(crate) sent_away: AtomicU64,
    posted: AtomicU64,
    passed_on: AtomicU64,
    duplicates: AtomicU64,
    came: AtomicU64,
    left: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    /// Counts what became of messages; `local` says that they came by POST.
    pub(crate) fn took(&self, taken: Taken, local: bool) {
        let accepted = if local { &self.posted } else { &self.passed_on };
        accepted.fetch_add(taken.accepted, Ordering::Relaxed);
        self.duplicates
            .fetch_add(taken.duplicates, Ordering::Relaxed);
    }

    /// Counts a client that was let in.
    pub(crate) fn came(&self) {
        self.came.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a client that left, or was sent away.
    pub(crate) fn left(&self, reason: &'static str) {
        *self.left.lock().entry(reason).or_default() += 1;
    }
}

#[derive(Serialize)]
struct Status<'a> {
    server: &'a str,
    clients: Clients,
    ring: Ring,
    /// Messages put into the ring.
    accepted: Accepted,
    /// Messages that were in it already.
    duplicates: u64,
    slowest_client: Waiting,
    /// What waits for the client in the middle: half of all wait for less.
    median_client: Waiting,
    /// Messages that slow clients were moved over.
    skipped: u64,
    /// Clients that were sent away because they were too slow.
    sent_away: u64,
    /// Clients that left, by reason.
    left: BTreeMap<&'static str, u64>,
    partitions: Vec<Partition>,
}

#[derive(Serialize)]
struct Clients {
    plain: usize,
    v1: usize,
    /// Clients that were ever let in.
    ever: u64,
}

#[derive(Serialize)]
struct Accepted {
    post: u64,
    input: u64,
}

#[derive(Serialize)]
struct Ring {
    messages: usize,
    bytes: u64,
}

#[derive(Serialize)]
struct Waiting {
    messages: u64,
    bytes: u64,
}

impl From<Lag> for Waiting {
    fn from(lag: Lag) -> Self {
        Self {
            messages: lag.messages,
            bytes: lag.bytes,
        }
    }
}

#[derive(Serialize)]
struct Partition {
    topic: String,
    partition: i32,
    /// The newest offset, and when its message entered the system.
    offset: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
}

/// Most partitions that the document shows.
const SHOWN: usize = 256;

/// Publishes the status document and the gauges once a second, for ever.
pub(crate) async fn keep_publishing(context: Context, hub: Arc<Hub>, gate: Arc<Gate>) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        publish(&context, &hub, &gate);
    }
}

fn publish(context: &Context, hub: &Hub, gate: &Gate) {
    let ((messages, bytes), partitions) = hub.look(|ring| (ring.fill(), partitions(ring)));
    let (plain, v1) = gate.clients();
    let (slowest, median) = (hub.slowest(), hub.median());
    let metrics = &hub.metrics;
    metrics.plain_clients.set(plain as f64);
    metrics.v1_clients.set(v1 as f64);
    metrics.ring_messages.set(messages as f64);
    metrics.ring_bytes.set(bytes as f64);
    metrics.slowest.set(slowest.messages as f64);
    metrics.slowest_bytes.set(slowest.bytes as f64);
    let tally = &hub.tally;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    context.publish_status(&Status {
        server: &hub.name,
        clients: Clients {
            plain,
            v1,
            ever: count(&tally.came),
        },
        accepted: Accepted {
            post: count(&tally.posted),
            input: count(&tally.passed_on),
        },
        duplicates: count(&tally.duplicates),
        ring: Ring { messages, bytes },
        slowest_client: slowest.into(),
        median_client: median.into(),
        skipped: count(&tally.skipped),
        sent_away: count(&tally.sent_away),
        left: tally.left.lock().clone(),
        partitions,
    });
}

fn partitions(ring: &crate::ring::Ring) -> Vec<Partition> {
    let known = ring.partitions().iter().filter_map(|(_, known)| {
        let newest = known.newest()?;
        Some(Partition {
            topic: known.topic.clone(),
            partition: known.partition,
            offset: newest.offset,
            timestamp: newest.timestamp,
        })
    });
    known.take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_by_post_is_counted_apart_from_the_rest() {
        let tally = Tally::default();
        let taken = Taken {
            accepted: 2,
            duplicates: 1,
            ..Taken::default()
        };
        tally.took(taken, true);
        tally.took(taken, false);
        tally.took(taken, false);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        assert_eq!((count(&tally.posted), count(&tally.passed_on)), (2, 4));
        assert_eq!(count(&tally.duplicates), 3);
    }

    #[test]
    fn who_left_is_counted_by_reason() {
        let tally = Tally::default();
        for reason in ["closed", "slow", "closed"] {
            tally.left(reason);
        }
        assert_eq!(
            *tally.left.lock(),
            BTreeMap::from([("closed", 2), ("slow", 1)])
        );
    }
}
