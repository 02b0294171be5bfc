//! Credit: how much unsettled work an edge may carry.

use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicU64, Ordering};

/// The size of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Unsettled messages.
    pub(crate) messages: u64,
    /// Unsettled payload and key bytes.
    pub(crate) bytes: u64,
}

/// Credit accounting in messages and bytes.
///
/// Work in flight is what was sent less what was settled. Each of the two only grows and is written by one side, so the
/// sides do not share a cache line; the producer keeps a copy of the settled side and looks again only when the window seems
/// full by it. A stale copy can only show too much in flight, never too little.
///
/// A batch is admitted while what is in flight is below both limits, so one batch larger than the window passes alone.
#[derive(Debug)]
pub(crate) struct Window {
    limits: Limits,
    sent: CachePadded<Sent>,
    settled: CachePadded<Totals>,
}

#[derive(Debug, Default)]
struct Sent {
    totals: Totals,
    /// What the producer last saw of the settled side.
    seen: Totals,
}

#[derive(Debug, Default)]
struct Totals {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Totals {
    fn add(&self, messages: u32, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
        self.messages
            .fetch_add(u64::from(messages), Ordering::SeqCst);
    }

    fn load(&self, order: Ordering) -> Limits {
        Limits {
            messages: self.messages.load(order),
            bytes: self.bytes.load(order),
        }
    }
}

impl Window {
    /// An empty window. A limit of zero counts as one: nothing could ever be sent.
    pub(crate) fn new(limits: Limits) -> Self {
        let limits = Limits {
            messages: limits.messages.max(1),
            bytes: limits.bytes.max(1),
        };
        Window {
            limits,
            sent: CachePadded::default(),
            settled: CachePadded::default(),
        }
    }

    /// Takes credit for what is sent.
    pub(crate) fn charge(&self, messages: u32, bytes: u64) {
        self.sent.totals.add(messages, bytes);
    }

    /// Gives credit back for what is settled.
    pub(crate) fn credit(&self, messages: u32, bytes: u64) {
        self.settled.add(messages, bytes);
    }

    /// Whether a batch is admitted now.
    pub(crate) fn has_credit(&self) -> bool {
        if self.fits(&self.sent.seen.load(Ordering::Relaxed)) {
            return true;
        }
        let settled = self.settled.load(Ordering::SeqCst);
        self.sent
            .seen
            .messages
            .store(settled.messages, Ordering::Relaxed);
        self.sent.seen.bytes.store(settled.bytes, Ordering::Relaxed);
        self.fits(&settled)
    }

    /// As [`Window::has_credit`], for those who are not the producer.
    pub(crate) fn has_room(&self) -> bool {
        self.fits(&self.settled.load(Ordering::SeqCst))
    }

    /// Whether at most half of the window is in flight.
    pub(crate) fn is_low(&self) -> bool {
        let now = self.in_flight();
        now.messages <= self.limits.messages / 2 && now.bytes <= self.limits.bytes / 2
    }

    /// What is unsettled.
    pub(crate) fn in_flight(&self) -> Limits {
        // Settled first: what is sent and settled in between can then only make the answer larger, never negative.
        let settled = self.settled.load(Ordering::SeqCst);
        let sent = self.sent.totals.load(Ordering::SeqCst);
        Limits {
            messages: sent.messages.saturating_sub(settled.messages),
            bytes: sent.bytes.saturating_sub(settled.bytes),
        }
    }

    /// The limits.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    fn fits(&self, settled: &Limits) -> bool {
        let sent = self.sent.totals.load(Ordering::SeqCst);
        sent.messages.saturating_sub(settled.messages) < self.limits.messages
            && sent.bytes.saturating_sub(settled.bytes) < self.limits.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(messages: u64, bytes: u64) -> Window {
        Window::new(Limits { messages, bytes })
    }

    #[test]
    fn batch_larger_than_the_window_passes_alone() {
        let window = window(10, 100);
        assert!(window.has_credit());
        window.charge(4000, 9999);
        assert!(!window.has_credit());
        window.credit(4000, 9999);
        assert!(window.has_credit());
    }

    #[test]
    fn bytes_alone_close_the_window() {
        let window = window(10, 100);
        window.charge(1, 100);
        assert!(!window.has_credit());
        assert!(!window.has_room());
        window.credit(1, 100);
        assert!(window.is_low());
    }

    #[test]
    fn low_is_half_of_both_limits() {
        let window = window(10, 100);
        window.charge(5, 50);
        assert!(window.is_low());
        window.charge(0, 1);
        assert!(!window.is_low());
    }

    #[test]
    fn zero_limits_still_admit_one_batch() {
        assert!(window(0, 0).has_credit());
    }
}
