//! The last commit of a member that stops: its answer is waited for, and a refusal tried again, because nobody commits after it.
//!
//! The group refuses commits while it rebalances. A rebalance waits for the slowest member's heartbeat, so for seconds.
//!
//! Invariant: an offset counts as committed only when the group has said so.

use crate::assignment::Assignment;
use crate::commits::Commits;
use crate::listener::Consumer;
use crate::partition::Partition;
use crate::tracker::Tracker;
use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::KafkaResult;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(6);
/// From a refusal to the next try.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(crate) struct LastCommit {
    until: Option<Instant>,
    asked: Option<Asked>,
    not_before: Option<Instant>,
}

/// A commit whose answer is waited for.
struct Asked {
    offsets: Vec<(Arc<Assignment>, i64)>,
    /// Filled by the thread that asks.
    answer: Arc<Mutex<Option<KafkaResult<()>>>>,
}

impl LastCommit {
    /// Goes on with it; whether it is over, one way or the other.
    ///
    /// # Errors
    /// No thread for it.
    pub(crate) fn go_on<'a>(
        &mut self,
        consumer: &Arc<Consumer>,
        commits: &Commits,
        partitions: impl Iterator<Item = &'a Partition>,
        wake: &Arc<Notify>,
    ) -> Result<bool> {
        let now = Instant::now();
        self.take_answer(now);
        let (offsets, asked) = commits.offsets(partitions, Tracker::uncommitted);
        if asked.is_empty() {
            return Ok(true);
        }
        if now >= *self.until.get_or_insert(now + PATIENCE) {
            tracing::warn!(
                ?offsets,
                "the group has not confirmed the last commit; what it does not know is read again"
            );
            return Ok(true);
        }
        if self.asked.is_some() || self.not_before.is_some_and(|at| now < at) {
            return Ok(false);
        }
        let answer = Arc::new(Mutex::new(None));
        self.asked = Some(Asked {
            offsets: asked,
            answer: answer.clone(),
        });
        let (consumer, wake) = (consumer.clone(), wake.clone());
        // Not a thread that the instance waits for: the client waits without end while brokers hang or a rebalance does not end.
        let thread = std::thread::Builder::new().name("kafka-commit".to_owned());
        thread.spawn(move || {
            let committed = consumer.commit(&offsets, CommitMode::Sync);
            // Before the answer is seen: who sees it may drop the consumer, which must happen on the source's thread.
            drop(consumer);
            *answer.lock() = Some(committed);
            wake.notify_one();
        })?;
        Ok(false)
    }

    fn take_answer(&mut self, now: Instant) {
        let Some(answer) = self
            .asked
            .as_ref()
            .and_then(|asked| asked.answer.lock().take())
        else {
            return;
        };
        let asked = self.asked.take();
        match answer {
            Ok(()) => {
                for (assignment, offset) in asked.into_iter().flat_map(|asked| asked.offsets) {
                    assignment.write(|tracker| tracker.set_committed(offset, now));
                }
            }
            Err(error) => {
                tracing::info!(%error, "the last commit is tried again");
                self.not_before = Some(now + PAUSE);
            }
        }
    }
}
