//! How long to wait before a failed stage is opened again.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
/// An instance that ran this long was well: the waits begin again with the first.
const STABLE: Duration = Duration::from_secs(60);

/// Exponential waits with jitter, from 100 ms to 30 s.
pub(super) struct Backoff(ExponentialBackoff);

impl Default for Backoff {
    fn default() -> Self {
        Backoff(
            ExponentialBuilder::new()
                .with_min_delay(FIRST)
                .with_max_delay(LONGEST)
                .with_factor(2.0)
                .with_jitter()
                .without_max_times()
                .build(),
        )
    }
}

impl Backoff {
    /// The wait after an instance that ran for `ran` failed.
    pub(super) fn after(&mut self, ran: Duration) -> Duration {
        if ran >= STABLE {
            *self = Backoff::default();
        }
        self.0.next().unwrap_or(LONGEST).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_begin_again_after_a_stable_run() {
        let mut backoff = Backoff::default();
        let first = backoff.after(Duration::ZERO);
        assert!(first >= FIRST && first <= 2 * FIRST, "{first:?}");
        let last = (0..20)
            .map(|_| backoff.after(Duration::ZERO))
            .last()
            .unwrap();
        assert_eq!(last, LONGEST);
        assert!(backoff.after(STABLE) <= 2 * FIRST);
    }
}
