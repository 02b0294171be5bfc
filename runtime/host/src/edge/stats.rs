//! What an edge measures of the messages that pass.

use crate::batch::View;
use crate::metrics::Timings;
use crossbeam_utils::CachePadded;
use pipeline_abi::PlTrace;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Counters and distributions of one edge; the producer's and the consumer's on different cache lines.
#[derive(Default)]
pub(crate) struct EdgeStats {
    sent: CachePadded<Sent>,
    seen: CachePadded<Seen>,
    /// From push to receive, a batch.
    pub(crate) queued: Timings,
    /// From receive to the consumer's word, a call.
    pub(crate) settling: Timings,
    /// From the message's entry into the system to `done`, a message.
    pub(crate) age: Timings,
}

#[derive(Default)]
struct Sent {
    batches: AtomicU64,
    messages: AtomicU64,
    bytes: AtomicU64,
}

#[derive(Default)]
struct Seen {
    received: AtomicU64,
    done: AtomicU64,
    rejected: AtomicU64,
    redelivered: AtomicU64,
    ignored: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct EdgeCounts {
    /// Batches that came in.
    pub batches: u64,
    /// Messages that came in.
    pub messages: u64,
    /// Payload and key bytes that came in.
    pub bytes: u64,
    /// Messages that the stage has not taken yet.
    pub queued: u64,
    /// Messages that the stage delivered.
    pub done: u64,
    /// Messages that the stage rejected.
    pub rejected: u64,
    /// Messages that were delivered again after the stage failed.
    pub redelivered: u64,
    /// Calls that settled a message a second time, or one that is not in the batch.
    pub ignored: u64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl EdgeStats {
    pub(super) fn pushed(&self, view: &View) {
        add(&self.sent.batches, 1);
        add(&self.sent.messages, u64::from(view.len()));
        add(&self.sent.bytes, view.bytes());
    }

    pub(super) fn received(&self, view: &View, waited: Duration) {
        add(&self.seen.received, u64::from(view.len()));
        self.queued.record(waited, 1);
    }

    pub(super) fn answered(&self, view: &View, run: Range<u32>, given: Instant, done: bool) {
        let count = run.len() as u64;
        let took = given.elapsed();
        self.settling.record(took, 1);
        if let Some(trace) = run.clone().find_map(|index| sampled(view, index)) {
            let ns = took.as_nanos().min(u128::from(u64::MAX)) as u64;
            self.settling.exemplify(ns, trace);
        }
        if !done {
            add(&self.seen.rejected, count);
            return;
        }
        add(&self.seen.done, count);
        self.record_ages(view, run);
    }

    pub(super) fn redelivered(&self, count: u64) {
        add(&self.seen.redelivered, count);
    }

    pub(super) fn ignored(&self) {
        add(&self.seen.ignored, 1);
    }

    /// Messages of one batch mostly have the same time or nearly so: those that fall in one bucket are recorded together.
    fn record_ages(&self, view: &View, run: Range<u32>) {
        let now = now_ns();
        let age = |index| {
            now.saturating_sub(view.message(index).ts_ns)
                .max(0)
                .cast_unsigned()
        };
        self.age.record_many(run.clone().map(age));
        for index in run {
            if let Some(trace) = sampled(view, index) {
                self.age.exemplify(age(index), trace);
            }
        }
    }

    /// The counters now.
    pub(crate) fn counts(&self) -> EdgeCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (sent, seen) = (&self.sent, &self.seen);
        let received = get(&seen.received);
        EdgeCounts {
            batches: get(&sent.batches),
            messages: get(&sent.messages),
            bytes: get(&sent.bytes),
            queued: (get(&sent.messages) + get(&seen.redelivered)).saturating_sub(received),
            done: get(&seen.done),
            rejected: get(&seen.rejected),
            redelivered: get(&seen.redelivered),
            ignored: get(&seen.ignored),
        }
    }
}

/// The trace of a message; most have none.
fn sampled(view: &View, index: u32) -> Option<&PlTrace> {
    let trace = view.message(index).trace;
    if !trace.is_aligned() {
        return None;
    }
    // SAFETY: a message's trace is null or lives as long as its batch, which the view's holder has.
    unsafe { trace.as_ref() }
}

/// Nanoseconds since the Unix epoch.
pub(crate) fn now_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as i64)
}
