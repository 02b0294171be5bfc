//! When to poll.
//!
//! Invariant: moments only move forward, and a poll that took long is followed by one poll, not by all that were missed.

use std::time::Duration;

use rand::Rng;
use tokio::time::Instant;

/// The longest that the first poll waits: enough to spread many URLs, short enough for a page that was just opened.
const FIRST: Duration = Duration::from_secs(1);

/// The moments at which one URL is polled.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval: Duration,
    next: Instant,
}

impl Schedule {
    pub(crate) fn new(interval: Duration) -> Self {
        let first = interval
            .min(FIRST)
            .mul_f64(rand::rng().random_range(0.0..1.0));
        Self {
            interval,
            next: Instant::now() + first,
        }
    }

    /// Waits for the next poll.
    pub(crate) async fn tick(&mut self) {
        tokio::time::sleep_until(self.next).await;
        self.next = Instant::now() + self.interval.mul_f64(rand::rng().random_range(0.9..1.1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_poll_comes_within_a_second() {
        for interval in [Duration::from_millis(100), Duration::from_secs(3600)] {
            let now = Instant::now();
            let first = Schedule::new(interval).next - now;
            assert!(first <= interval.min(FIRST), "{first:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn polls_are_an_interval_apart_give_or_take_a_tenth() {
        let mut schedule = Schedule::new(Duration::from_secs(10));
        for _ in 0..100 {
            schedule.next = Instant::now();
            schedule.tick().await;
            let wait = schedule.next - Instant::now();
            assert!((8.9..11.0).contains(&wait.as_secs_f64()), "{wait:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn missed_polls_are_not_made_up_for() {
        let mut schedule = Schedule::new(Duration::from_secs(1));
        schedule.next = Instant::now() - Duration::from_secs(60);
        schedule.tick().await;
        assert!(schedule.next > Instant::now() + Duration::from_millis(500));
    }
}
