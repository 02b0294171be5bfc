//! A sink under test: the stage running on the test's own thread, fed by hand.

use crate::settings::Settings;
use crate::sink::KafkaSink;
use pipeline_sdk::prelude::*;
use pipeline_sdk::testing::{self, Feed, Settled};
use pipeline_testkit::eventually;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::{JoinHandle, LocalSet};

pub(super) const SOON: Duration = Duration::from_secs(30);

pub(super) struct Running {
    context: Context,
    pub(super) feed: Feed,
    run: JoinHandle<(KafkaSink, Result<()>)>,
}

/// Runs a test whose stages live on its own thread.
pub(super) async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

/// Opens a sink; `more` is added to the settings.
pub(super) async fn open(brokers: &str, topic: &str, more: Value) -> Running {
    let mut all = json!({"brokers": brokers, "topic": topic});
    all.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let settings: Settings = serde_json::from_value(all).unwrap();
    assert_eq!(settings.validate(), []);
    let context = Context::detached("test");
    let mut sink = KafkaSink::open(settings, context.clone()).await.unwrap();
    let (feed, mut input) = testing::input(&context);
    let run = tokio::task::spawn_local(async move {
        let ended = sink.run(&mut input).await;
        (sink, ended)
    });
    Running { context, feed, run }
}

impl Running {
    /// Messages delivered and messages rejected so far.
    pub(super) fn counts(&self) -> (u32, u32) {
        let settled = self.feed.settled();
        let count = |rejected: bool| {
            let of_kind = settled
                .iter()
                .filter(|one| one.rejected.is_some() == rejected);
            of_kind.map(|one| one.range.len() as u32).sum()
        };
        (count(false), count(true))
    }

    /// Waits until so many messages are delivered and so many rejected.
    pub(super) async fn settled(&self, delivered: u32, rejected: u32) {
        eventually(SOON, "settled", async || match self.counts() {
            counts if counts == (delivered, rejected) => Ok(()),
            other => Err(format!("{other:?}, {:?}", testing::trouble(&self.context))),
        })
        .await;
    }

    /// Why messages were rejected.
    pub(super) fn rejections(&self) -> Vec<Settled> {
        self.feed
            .settled()
            .into_iter()
            .filter(|one| one.rejected.is_some())
            .collect()
    }

    pub(super) async fn ready(&self) {
        eventually(SOON, "ready", async || {
            testing::trouble(&self.context).map_or(Ok(()), Err)
        })
        .await;
    }

    pub(super) async fn degraded(&self, text: &str) {
        eventually(SOON, text, async || match testing::trouble(&self.context) {
            Some(trouble) if trouble.contains(text) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    /// Ends in the middle of everything.
    pub(super) async fn abort(self) {
        self.run.abort();
        let _ = self.run.await;
    }

    /// Drains; everything that was fed is settled then.
    pub(super) async fn drain(self) -> Vec<Settled> {
        testing::drain(&self.context);
        let (_sink, ended) = tokio::time::timeout(SOON, self.run)
            .await
            .expect("drains")
            .unwrap();
        ended.unwrap();
        testing::close(&self.context);
        self.feed.settled()
    }
}
