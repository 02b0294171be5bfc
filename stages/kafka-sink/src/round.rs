//! Batches by what waits: while a few messages are on their way, newer ones wait in front of the stage and go together.
//!
//! What librdkafka was given beyond the request in flight, and is older than `linger`, makes its threads, one a broker, ask clock
//! and socket without a pause until the answer comes (2.12, `rd_kafka_toppar_producer_serve`). So a round takes in what comes
//! before `linger` is over, and is waited for. Where more is on its way, processors have something to do anyway.

use std::time::{Duration, Instant};

/// The longest that a round holds others back: one partition may be without a leader while the others are not.
const HOLD: Duration = Duration::from_millis(250);
/// As many messages on their way hold nothing back. An edge has room for 4,096 if nothing else is said: what is left of it is for the
/// next round, which is made ready meanwhile.
const FULL: usize = 3072;

pub(crate) struct Round {
    began: Instant,
    /// For how long it takes in what comes.
    fill: Duration,
}

impl Round {
    pub(crate) fn new(linger: Duration) -> Self {
        Round {
            began: Instant::now(),
            // Handing over takes time as well.
            fill: linger * 3 / 4,
        }
    }

    /// Notes that messages are about to be given to a producer which has `unreported` others.
    pub(crate) fn takes(&mut self, unreported: usize, now: Instant) {
        if unreported == 0 {
            self.began = now;
        }
    }

    /// Until when newer messages wait, if they do, unless all `unreported` ones are reported before.
    pub(crate) fn holds_until(&self, unreported: usize, now: Instant) -> Option<Instant> {
        let time = self.began + self.fill..self.began + HOLD;
        ((1..FULL).contains(&unreported) && time.contains(&now)).then_some(time.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn round() -> (Round, Instant) {
        let mut round = Round::new(8 * MS);
        let start = Instant::now();
        round.takes(0, start);
        (round, start)
    }

    #[test]
    fn a_round_takes_in_what_comes_before_linger_is_over_and_then_holds_back() {
        let (mut round, start) = round();
        assert_eq!(round.holds_until(1, start), None);
        round.takes(1, start + 5 * MS);
        assert_eq!(round.holds_until(2, start + 5 * MS), None);
        assert_eq!(round.holds_until(2, start + 6 * MS), Some(start + HOLD));
    }

    #[test]
    fn a_round_that_is_answered_full_or_too_old_holds_nothing_back() {
        let (round, start) = round();
        assert_eq!(round.holds_until(0, start + 6 * MS), None);
        assert_eq!(round.holds_until(FULL, start + 6 * MS), None);
        assert_eq!(
            round.holds_until(FULL - 1, start + 6 * MS),
            Some(start + HOLD)
        );
        assert_eq!(round.holds_until(1, start + HOLD), None);
    }
}
