//! A member under test: the stage running on the test's own thread, and what it handed out.

use crate::settings::Settings;
use crate::source::KafkaGroupSource;
use pipeline_sdk::prelude::*;
use pipeline_sdk::testing::{self, Sent};
use pipeline_testkit::eventually;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::time::Duration;
use tokio::task::{JoinHandle, LocalSet};

pub(super) const SOON: Duration = Duration::from_secs(60);

pub(super) struct Member {
    pub(super) context: Context,
    pub(super) sent: Sent,
    run: JoinHandle<(KafkaGroupSource, Result<()>)>,
    unsettled: RefCell<Vec<Batch>>,
}

/// A message that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) payload: String,
    pub(super) replay: bool,
}

/// Runs a test whose stages live on its own thread.
pub(super) async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

/// Joins a group; `more` is added to the settings.
pub(super) async fn join(brokers: &str, topic: &str, group: &str, more: Value) -> Member {
    let mut all = json!({"brokers": brokers, "topic": topic, "group": group, "properties": {"fetch.wait.max.ms": 50}});
    all.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let settings: Settings = serde_json::from_value(all).unwrap();
    assert_eq!(settings.validate(), []);
    let context = Context::detached("test");
    let mut source = KafkaGroupSource::open(settings, context.clone())
        .await
        .unwrap();
    let (mut output, sent) = testing::output(&context);
    let run = tokio::task::spawn_local(async move {
        let ended = source.run(&mut output).await;
        (source, ended)
    });
    Member {
        context,
        sent,
        run,
        unsettled: RefCell::default(),
    }
}

impl Member {
    /// What was handed out since the last call; it stays unsettled.
    pub(super) fn take(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(batch) = self.sent.next() {
            for message in &batch {
                let position = message.position().unwrap();
                seen.push(Seen {
                    partition: position.partition,
                    offset: position.offset,
                    payload: String::from_utf8(message.payload().to_vec()).unwrap(),
                    replay: message.is_replay(),
                });
            }
            self.unsettled.borrow_mut().push(batch);
        }
        seen
    }

    /// Waits until so many messages were handed out, in any order of partitions.
    pub(super) async fn take_exactly(&self, count: usize) -> Vec<Seen> {
        let mut seen = Vec::new();
        eventually(SOON, "messages handed out", async || {
            seen.extend(self.take());
            if seen.len() >= count {
                Ok(())
            } else {
                Err(format!("{} of {count}", seen.len()))
            }
        })
        .await;
        assert_eq!(seen.len(), count);
        seen
    }

    /// Settles everything that was handed out.
    pub(super) fn settle(&self) {
        self.unsettled
            .borrow_mut()
            .drain(..)
            .for_each(|batch| batch.done());
    }

    /// Takes and settles whatever comes for as long as `until` is not true.
    pub(super) async fn serve_until(
        &self,
        what: &str,
        mut until: impl FnMut(&[Seen]) -> bool,
    ) -> Vec<Seen> {
        let mut seen = Vec::new();
        eventually(SOON, what, async || {
            seen.extend(self.take());
            self.settle();
            if until(&seen) {
                Ok(())
            } else {
                Err(format!("{} messages so far", seen.len()))
            }
        })
        .await;
        seen
    }

    /// Waits until the stage is ready: it has joined.
    pub(super) async fn ready(&self) {
        eventually(SOON, "ready", async || {
            testing::trouble(&self.context).map_or(Ok(()), Err)
        })
        .await;
    }

    /// Waits until the stage is degraded for a reason that contains `text`.
    pub(super) async fn degraded(&self, text: &str) {
        eventually(SOON, text, async || match testing::trouble(&self.context) {
            Some(trouble) if trouble.contains(text) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    /// Drains and leaves in order.
    pub(super) async fn leave(self) {
        testing::drain(&self.context);
        let drained = tokio::time::timeout(SOON, self.run).await;
        let (source, ended) = drained.expect("everything is settled").unwrap();
        ended.unwrap();
        testing::close(&self.context);
        source.close().await.unwrap();
    }

    /// Ends in the middle of everything.
    pub(super) async fn crash(self) {
        self.run.abort();
        let _ = self.run.await;
    }

    /// Waits for the stage to fail by itself.
    pub(super) async fn failure(self) -> String {
        let (_source, ended) = tokio::time::timeout(SOON, self.run)
            .await
            .expect("the stage fails")
            .unwrap();
        ended.unwrap_err().to_string()
    }
}
