//! Stages made by hand for tests: batches that log what is settled, and a plugin inside the test binary whose stages do
//! what the test says.

mod batch;
mod bench;
mod filter;
mod host;
mod plugin;
mod sink;

pub(crate) use batch::payloads;
pub(crate) use batch::{Made, made};
pub(crate) use bench::{Act, Bench, Notified, notify};
pub(crate) use host::{Told, host, seat};
pub(crate) use plugin::{flow, stage};

use std::time::{Duration, Instant};

/// Waits until a condition holds; panics when it does not for a minute.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < until, "not in 60 s: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
