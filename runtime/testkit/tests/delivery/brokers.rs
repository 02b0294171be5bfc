//! All brokers away at once.

use std::time::{Duration, Instant};

use pipeline_testkit::kafka;
use pipeline_testkit::{Deployment, Feed, eventually};
use serde_json::Value;

use crate::scene::{WITHIN, is_degraded};

/// Longer than any time-out of the client's connections after which it could give up; an operator's outage is longer, and
/// nothing in between depends on how much.
const AWAY: Duration = Duration::from_secs(20);
/// At this pace the outage fits into what the producer keeps.
const RATE: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_away_for_20_s_delay_trades_and_cost_none() {
    let kafka = kafka::cluster().exclusive();
    let deployment = Deployment::new(&kafka, 1).await;
    let feed = Feed::listen(RATE).await;
    let mut producer = deployment.producer(feed.url()).spawn();
    producer.ready().await;
    eventually(WITHIN, "trades in Kafka", async || {
        match kafka.end_offsets(deployment.topic()).iter().sum::<i64>() {
            0 => Err("none"),
            _ => Ok(()),
        }
    })
    .await;

    let (since, sent) = (Instant::now(), feed.sent());
    (1..=3).for_each(|node| kafka.kill(node));
    is_degraded(&producer, "kafka-sink", "broker").await;
    tokio::time::sleep_until((since + AWAY).into()).await;
    let kept = feed.sent() - sent;
    assert!(
        kept >= RATE * AWAY.as_secs() * 8 / 10,
        "the exchange was held up after {kept} trades"
    );
    tokio::join!(kafka.start(1), kafka.start(2), kafka.start(3));
    producer.ready().await;

    let sent = feed.stop_at(0, WITHIN).await;
    eventually(WITHIN, "all trades in Kafka", async || {
        match kafka.end_offsets(deployment.topic()).iter().sum::<i64>() {
            stored if stored == sent as i64 => Ok(()),
            stored => Err(format!("{stored} of {sent}")),
        }
    })
    .await;
    producer.sigterm();
    assert_eq!(producer.exit_code(WITHIN).await, 0);
    let records = kafka.read_topic(deployment.topic()).await;
    let mut ids = Vec::new();
    for partition in 0..3 {
        let records = records
            .iter()
            .filter(|record| record.partition == partition);
        let own: Vec<u64> = records.map(|record| trade_id(&record.payload)).collect();
        assert!(own.is_sorted(), "partition {partition} is out of order");
        ids.extend(own);
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..sent).collect::<Vec<_>>());
}

fn trade_id(payload: &[u8]) -> u64 {
    let trade: Value = serde_json::from_slice(payload).expect("a trade");
    let id = trade["trade_id"].as_str().expect("an id");
    id.parse().expect("an id of digits")
}
