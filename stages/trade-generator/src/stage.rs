//! The stage: sends what is due, then sleeps until the next message is.

use std::time::{Duration, SystemTime};

use pipeline_sdk::prelude::*;
use serde::Serialize;
use tokio::time::Instant;

use crate::config::Config;
use crate::faults::Faults;
use crate::feed::Feed;

/// Time between two status documents.
const STATUS_EVERY: Duration = Duration::from_secs(1);

struct TradeGenerator {
    feed: Feed,
    faults: Faults,
    context: Context,
    started: Instant,
    status: Status,
    published: Option<Instant>,
}

/// The status document.
#[derive(Default, Serialize)]
struct Status {
    messages: u64,
    gaps: u64,
    duplicates: u64,
    skipped_lines: u64,
    /// How far the feed is behind its schedule, because the stages behind are slower.
    behind_ms: u64,
    finished: bool,
}

impl Source for TradeGenerator {
    const NAME: &'static str = "trade-generator";
    type Config = Config;

    fn validate(config: &Config) -> Vec<Invalid> {
        config.problems()
    }

    async fn open(config: Config, context: Context) -> Result<Self> {
        let (wall, started) = (SystemTime::now(), Instant::now());
        let feed = Feed::open(&config, wall)?;
        let faults = Faults::new(config.seed, config.gaps, config.duplicates);
        context.ready();
        Ok(TradeGenerator {
            feed,
            faults,
            context,
            started,
            status: Status::default(),
            published: None,
        })
    }

    async fn run(&mut self, output: &mut Output) -> Result<()> {
        while let Some(due) = self.feed.due() {
            let due = self.started + due;
            self.publish(due);
            if output
                .until_draining(tokio::time::sleep_until(due))
                .await
                .is_none()
            {
                break;
            }
            let batch = self.due_now(output.batch())?;
            self.status.messages += batch.len() as u64;
            output.send(batch).await?;
        }
        self.status.finished = self.feed.due().is_none();
        self.published = None;
        self.publish(Instant::now());
        Ok(())
    }
}

impl TradeGenerator {
    /// Puts all that is due into a batch, as far as it fits.
    fn due_now(&mut self, mut batch: BatchBuilder) -> Result<BatchBuilder> {
        let elapsed = self.started.elapsed();
        // A message that is sent twice needs two places.
        while batch.len() + 2 <= MAX_BATCH && self.feed.due().is_some_and(|due| due <= elapsed) {
            let copies = self.faults.copies();
            self.feed.take(|text| {
                for _ in 0..copies {
                    batch.push(Record::new(text));
                }
            })?;
        }
        Ok(batch)
    }

    /// Publishes the status, at most once a second.
    fn publish(&mut self, due: Instant) {
        let now = Instant::now();
        if self
            .published
            .is_some_and(|published| now.duration_since(published) < STATUS_EVERY)
        {
            return;
        }
        self.published = Some(now);
        self.status.gaps = self.faults.withheld;
        self.status.duplicates = self.faults.repeated;
        self.status.skipped_lines = self.feed.skipped();
        self.status.behind_ms =
            u64::try_from(now.duration_since(due).as_millis()).unwrap_or(u64::MAX);
        self.context.publish_status(&self.status);
    }
}

#[cfg(test)]
mod tests;

export_stage!(source TradeGenerator);
