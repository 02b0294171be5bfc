//! Whether a client is still there: a ping after some time, and anything at all back in time.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// What is to be done with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// It is to be sent a ping.
    Ping,
    /// It answered in time.
    Nothing,
    /// It did not answer in time.
    GiveUp,
}

/// When the next ping is due, or the answer to the last.
pub(crate) struct Liveness {
    every: Duration,
    timeout: Duration,
    timer: Pin<Box<Sleep>>,
    asked: bool,
    heard: bool,
}

impl Liveness {
    /// `first` is the time to the first ping, so that clients that came together are not asked together.
    pub(crate) fn new(every: Duration, timeout: Duration, first: Duration) -> Self {
        Self {
            every,
            timeout,
            timer: Box::pin(sleep(first)),
            asked: false,
            heard: false,
        }
    }

    /// Waits for the next moment at which something is due.
    pub(crate) fn due(&mut self) -> impl Future<Output = ()> {
        self.timer.as_mut()
    }

    /// The client gave a sign of life.
    pub(crate) fn heard(&mut self) {
        self.heard = true;
    }

    /// Says what is due now, and sets the timer for what comes after it.
    pub(crate) fn next(&mut self) -> Due {
        if self.asked && !self.heard {
            return Due::GiveUp;
        }
        self.asked = !self.asked;
        self.heard = false;
        let (due, wait) = if self.asked {
            (Due::Ping, self.timeout)
        } else {
            (Due::Nothing, self.every)
        };
        self.timer.as_mut().reset(Instant::now() + wait);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(20);
    const TIMEOUT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn who_answers_is_asked_again_and_who_does_not_is_given_up() {
        let begin = Instant::now();
        let mut liveness = Liveness::new(EVERY, TIMEOUT, EVERY);
        liveness.due().await;
        assert_eq!(
            (liveness.next(), begin.elapsed().as_secs()),
            (Due::Ping, 20)
        );
        liveness.heard();
        liveness.due().await;
        assert_eq!(
            (liveness.next(), begin.elapsed().as_secs()),
            (Due::Nothing, 25)
        );
        liveness.due().await;
        assert_eq!(
            (liveness.next(), begin.elapsed().as_secs()),
            (Due::Ping, 45)
        );
        liveness.due().await;
        assert_eq!(
            (liveness.next(), begin.elapsed().as_secs()),
            (Due::GiveUp, 50)
        );
    }
}
