//! Waits between tries: exponential with full jitter.

use crate::Counter;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;

/// Waits between tries, growing from an initial to a longest wait.
///
/// Each wait is drawn between zero and the grown wait (full jitter), so that many clients that lost the same server do not
/// come back at the same time.
#[derive(Debug)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    waits: ExponentialBackoff,
    count: Option<Counter>,
}

impl Backoff {
    /// Waits that double from `initial` up to `max`.
    #[must_use]
    pub fn new(initial: Duration, max: Duration) -> Self {
        Backoff {
            initial,
            max,
            waits: doubling(initial, max),
            count: None,
        }
    }

    /// The same, and counts the waits.
    pub(crate) fn counted(self, counter: Counter) -> Self {
        Backoff {
            count: Some(counter),
            ..self
        }
    }

    /// How long to wait before the next try.
    pub fn next_delay(&mut self) -> Duration {
        if let Some(counter) = &self.count {
            counter.add(1);
        }
        let grown = self.waits.next().unwrap_or(self.max);
        grown.mul_f64(fastrand::f64())
    }

    /// Starts again from the initial wait: the last try worked.
    pub fn reset(&mut self) {
        self.waits = doubling(self.initial, self.max);
    }
}

fn doubling(initial: Duration, max: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(initial)
        .with_max_delay(max)
        .with_factor(2.0)
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_below_the_doubling_bound_and_the_longest_wait() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
        for round in 0..20 {
            let bound = Duration::from_millis(100 << round.min(9)).min(Duration::from_secs(30));
            let wait = backoff.next_delay();
            assert!(wait <= bound, "{wait:?} > {bound:?}");
        }
    }

    #[test]
    fn a_reset_starts_small_again() {
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(30));
        for _ in 0..20 {
            backoff.next_delay();
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(1));
    }
}
