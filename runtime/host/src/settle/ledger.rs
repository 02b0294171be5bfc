//! The books of one producer: what it handed over and what came back as done.

use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicU64, Ordering};

/// Messages that a source handed over and that it was told are done. The two sides are written by different threads, so
/// they live on different cache lines.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    taken: CachePadded<AtomicU64>,
    settled: CachePadded<AtomicU64>,
}

impl Ledger {
    /// Enters messages that the host took over; before they can be settled.
    pub(crate) fn take(&self, count: u32) {
        self.taken.fetch_add(u64::from(count), Ordering::Relaxed);
    }

    /// Enters messages that are done.
    pub(crate) fn settle(&self, count: u32) {
        self.settled.fetch_add(u64::from(count), Ordering::Release);
    }

    /// Messages taken so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Messages that are not done yet. Settled is read first, so that a message that comes and goes meanwhile can only make
    /// the answer larger.
    pub(crate) fn unsettled(&self) -> u64 {
        let settled = self.settled.load(Ordering::Acquire);
        self.taken.load(Ordering::Relaxed).saturating_sub(settled)
    }
}
