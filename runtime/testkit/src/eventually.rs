//! Waiting for something to become true, and names that no other test uses.

use std::fmt::Display;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(25);

/// Asks `probe` until it answers `Ok`, and returns that.
///
/// # Panics
///
/// When `within` has passed: with `what`, and with what the last probe said was missing.
pub async fn eventually<T, E: Display>(
    within: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        match probe().await {
            Ok(value) => return value,
            Err(missing) if Instant::now() > deadline => {
                panic!("{what}: not within {within:?}: {missing}")
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Returns `prefix-…` with a random part: topics and groups of one test, which share a cluster with all others.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{:012x}", rand::random::<u64>() & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_ok_ends_the_wait() {
        let mut asked = 0;
        let value = eventually(Duration::from_secs(5), "three probes", async || {
            asked += 1;
            (asked == 3).then_some("there").ok_or("not yet")
        })
        .await;
        assert_eq!((value, asked), ("there", 3));
    }

    #[tokio::test]
    #[should_panic(expected = "a thing: not within 1ms: still 7 to go")]
    async fn the_last_answer_is_in_the_panic() {
        eventually(Duration::from_millis(1), "a thing", async || {
            Err::<(), _>("still 7 to go")
        })
        .await;
    }
}
