//! Logs about things that repeat: the first at once, then one a while.

use std::time::Duration;

use tokio::time::Instant;

/// Pause between two logs of one kind.
const PAUSE: Duration = Duration::from_secs(10);

/// Lets one event through, then none for a while, and counts what it held back.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    last: Option<Instant>,
    held: u64,
}

impl Throttle {
    /// Whether to log this event; if so, how many there were since the last log, this one included.
    pub(crate) fn pass(&mut self, events: u64) -> Option<u64> {
        self.held += events;
        let now = Instant::now();
        if self
            .last
            .is_some_and(|last| now.duration_since(last) < PAUSE)
        {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_passes_and_later_ones_are_summed_up() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.pass(1), Some(1));
        assert_eq!((throttle.pass(2), throttle.pass(3)), (None, None));
        tokio::time::advance(PAUSE).await;
        assert_eq!(throttle.pass(1), Some(6));
    }
}
