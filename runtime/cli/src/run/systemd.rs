//! What the service manager is told. Without one, every call does nothing.

use sd_notify::NotifyState;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Listeners are open and the configuration is loaded.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A reload has begun.
pub(crate) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// A reload has ended, well or not.
pub(crate) fn reloaded() {
    tell(&[NotifyState::Ready]);
}

/// A stop has begun.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The process is alive, and why it is not ready.
pub(crate) fn alive(reasons: &[String]) {
    let status = match reasons {
        [] => "ready".to_owned(),
        reasons => reasons.join("; "),
    };
    tell(&[NotifyState::Watchdog, NotifyState::Status(&status)]);
}

/// The service manager may be gone; the pipeline goes on.
fn tell(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}

/// When the service manager wants to hear that the process is alive.
pub(crate) struct Watchdog {
    interval: Option<Interval>,
}

impl Watchdog {
    /// Twice in the time that the service manager waits; never without one.
    pub(crate) fn start() -> Self {
        let wait =
            sd_notify::watchdog_enabled().map(|wait| (wait / 2).max(Duration::from_millis(1)));
        let ticks = |wait| {
            let mut ticks = interval(wait);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        Watchdog {
            interval: wait.map(ticks),
        }
    }

    /// Waits until it is time.
    pub(crate) async fn due(&mut self) {
        match &mut self.interval {
            Some(interval) => drop(interval.tick().await),
            None => std::future::pending().await,
        }
    }
}
