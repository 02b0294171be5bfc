//! The stage's part of `/status`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pipeline_sdk::prelude::*;
use serde::Serialize;

use crate::gate::Gate;
use crate::hub::Hub;

/// Counts that the status document shows, since the stage was opened.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) skipped: AtomicU64,
    pub(crate) sent_away: AtomicU64,
}

#[derive(Serialize)]
struct Status<'a> {
    server: &'a str,
    clients: Clients,
    ring: Ring,
    slowest_client: Waiting,
    /// Messages that slow clients were moved over.
    skipped: u64,
    /// Clients that were sent away because they were too slow.
    sent_away: u64,
    partitions: Vec<Partition>,
}

#[derive(Serialize)]
struct Clients {
    plain: usize,
    v1: usize,
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
    let slowest = hub.slowest();
    let metrics = &hub.metrics;
    metrics.plain_clients.set(plain as f64);
    metrics.v1_clients.set(v1 as f64);
    metrics.ring_messages.set(messages as f64);
    metrics.ring_bytes.set(bytes as f64);
    metrics.slowest.set(slowest.messages as f64);
    context.publish_status(&Status {
        server: &hub.name,
        clients: Clients { plain, v1 },
        ring: Ring { messages, bytes },
        slowest_client: Waiting {
            messages: slowest.messages,
            bytes: slowest.bytes,
        },
        skipped: hub.tally.skipped.load(Ordering::Relaxed),
        sent_away: hub.tally.sent_away.load(Ordering::Relaxed),
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
