//! Copies of messages as they pass, for whoever looks at a running flow.
//!
//! Invariant: what passes never waits for who looks. While nobody does, a passing batch costs one relaxed load; while somebody
//! does, a few copies a second, each of bounded size, and whoever cannot take them misses them.

mod message;
mod point;

pub use message::Tapped;
pub(crate) use point::TapPoint;

use crate::batch::View;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Instant;

/// Most copies a second that a tap makes, whatever it is asked for.
const MOST_PER_SECOND: u32 = 1000;

/// Takes the copies of one tap, on the threads that carry the messages.
pub trait TapSink: Send + Sync {
    /// Whether copies are still wanted; after a no the tap ends.
    fn is_wanted(&self) -> bool;

    /// Takes a copy, without ever waiting. No: there was no room, it is counted with those that were not copied.
    fn take(&self, message: Tapped) -> bool;
}

/// Somebody who looks at messages as they pass; may be attached to several stages.
pub struct Tap {
    sink: Box<dyn TapSink>,
    per_second: f64,
    budget: Mutex<Budget>,
}

/// Which messages are copied.
struct Budget {
    copies: f64,
    since: Instant,
    skipped: u64,
}

impl Tap {
    /// A tap that copies at most so many messages a second, 1 to 1,000.
    #[must_use]
    pub fn new(per_second: u32, sink: Box<dyn TapSink>) -> Arc<Self> {
        let per_second = f64::from(per_second.clamp(1, MOST_PER_SECOND));
        Arc::new(Tap {
            sink,
            per_second,
            budget: Mutex::new(Budget {
                copies: per_second,
                since: Instant::now(),
                skipped: 0,
            }),
        })
    }

    /// Copies what the budget allows of passing messages. Answers no when nobody wants copies any more.
    fn offer(&self, view: &View) -> bool {
        if !self.sink.is_wanted() {
            return false;
        }
        let mut budget = self.budget.lock();
        let now = Instant::now();
        budget.refill(self.per_second, now);
        let mut index = 0;
        while index < view.len() && budget.copies >= 1.0 {
            let message = Tapped::copy(view, index, budget.skipped);
            if !self.sink.take(message) {
                break;
            }
            budget.copies -= 1.0;
            budget.skipped = 0;
            index += 1;
        }
        budget.skipped += u64::from(view.len() - index);
        true
    }
}

impl Budget {
    fn refill(&mut self, per_second: f64, now: Instant) {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
        self.copies = (self.copies + passed * per_second).min(per_second);
    }
}

#[cfg(test)]
mod tests;
