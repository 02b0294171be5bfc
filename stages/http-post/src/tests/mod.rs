//! The whole stage: messages in, requests out, settlements back.

mod anew;
mod faults;
mod requests;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pipeline_sdk::testing::{self, Feed, Settled};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use super::*;
use crate::server::{Request, answer, serve};

const OK: &str = "200 OK";

/// A running stage.
struct Running {
    context: Context,
    feed: Feed,
    stage: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(address: SocketAddr, mut settings: Value) -> Self {
        settings["url"] = json!(format!("http://{address}/in"));
        let context = Context::detached("http-post");
        let (feed, mut input) = testing::input(&context);
        let config = serde_json::from_value(settings).unwrap();
        let mut stage = HttpPost::open(config, context.clone()).await.unwrap();
        let stage = tokio::task::spawn_local(async move { stage.run(&mut input).await.unwrap() });
        Self {
            context,
            feed,
            stage,
        }
    }

    /// Adds one batch of partition `partition` whose payloads are `offsets`.
    fn push(&self, partition: i32, offsets: std::ops::Range<i64>) {
        let payloads: Vec<String> = offsets.clone().map(|offset| offset.to_string()).collect();
        let records: Vec<Record<'_>> = payloads
            .iter()
            .zip(offsets)
            .map(|(payload, offset)| Record::new(payload.as_bytes()).position(partition, offset))
            .collect();
        self.feed.push_topic("trades", &records);
    }

    /// Drains the stage; returns how many messages are done, and the reasons of the others.
    async fn drain(self) -> (usize, Vec<String>) {
        testing::drain(&self.context);
        self.stage.await.unwrap();
        let mut done = 0;
        let mut reasons = Vec::new();
        for Settled {
            range, rejected, ..
        } in self.feed.settled()
        {
            match rejected {
                None => done += range.len(),
                Some(why) => reasons.extend(range.map(|_| why.clone())),
            }
        }
        (done, reasons)
    }
}

/// Runs a test where tasks need not be `Send`, as in a stage.
async fn local(test: impl Future<Output = ()>) {
    tokio::task::LocalSet::new().run_until(test).await;
}

/// The payloads of a request of envelopes.
fn numbers(request: &Request) -> Vec<i64> {
    request
        .body()
        .lines()
        .map(|line| envelope(line)["data"].as_i64().unwrap())
        .collect()
}

fn envelope(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Waits for something that another task does.
async fn eventually(mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
