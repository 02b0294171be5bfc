//! What the service manager is told. Without one, every call does nothing.

use sd_notify::NotifyState;
use std::time::Duration;

/// Listeners are open and the configuration is loaded.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A stop has begun.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// A line for `systemctl status`.
pub(crate) fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// The process is alive.
pub(crate) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often the service manager wants to hear that: half of what it waits.
pub(crate) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|wait| wait / 2)
}

/// The service manager may be gone; the pipeline goes on.
fn tell(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
