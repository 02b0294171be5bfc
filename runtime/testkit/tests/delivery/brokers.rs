//! All brokers away at once.

use std::time::{Duration, Instant};

use pipeline_testkit::kafka::{self, KafkaCluster};
use pipeline_testkit::{Browser, Deployment, Feed, eventually};
use serde_json::Value;

use crate::scene::{WITHIN, is_degraded};

const AWAY: Duration = Duration::from_secs(60);
/// At this pace the outage fits into what the producer keeps.
const RATE: u64 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_away_for_a_minute_delay_trades_and_cost_none() {
    let own = kafka::cluster().another().await;
    let kafka = own.exclusive();
    let deployment = Deployment::new(&kafka, 1).await;
    let feed = Feed::listen(RATE).await;
    let mut producer = deployment.producer(feed.url()).spawn();
    producer.ready().await;
    stored(&kafka, &deployment, 100).await;

    let (since, sent) = (Instant::now(), feed.sent());
    (1..=3).for_each(|node| kafka.kill(node));
    is_degraded(&producer, "kafka-sink", "no broker").await;
    tokio::time::sleep_until((since + AWAY).into()).await;
    let kept = feed.sent() - sent;
    assert!(
        kept >= RATE * AWAY.as_secs() * 8 / 10,
        "the exchange was held up after {kept} trades"
    );
    tokio::join!(kafka.start(1), kafka.start(2), kafka.start(3));
    producer.ready().await;

    let sent = feed.stop_at(0, WITHIN).await;
    stored(&kafka, &deployment, sent as i64).await;
    producer.sigterm();
    assert_eq!(producer.exit_code(WITHIN).await, 0);
    every_trade_is_stored_once_in_order(&kafka, deployment.topic(), sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_killed_again_and_again_cost_no_trade_and_double_none() {
    let kafka = kafka::cluster().exclusive();
    let deployment = Deployment::new(&kafka, 1).await;
    let feed = Feed::listen(RATE).await;
    let mut consumer = deployment.consumer(1).spawn();
    consumer.ready().await;
    let page = Browser::open(&[deployment.socket(1)]).await;
    let mut producer = deployment.producer(feed.url()).spawn();
    producer.ready().await;
    page.goes_on(100, WITHIN).await;

    for _ in 0..3 {
        (1..=3).for_each(|node| kafka.kill(node));
        is_degraded(&producer, "kafka-sink", "no broker").await;
        is_degraded(&consumer, "kafka-group-source", "no broker").await;
        is_degraded(&consumer, "dead-letters", "no broker").await;
        tokio::join!(kafka.start(1), kafka.start(2), kafka.start(3));
        producer.ready().await;
        consumer.ready().await;
        page.goes_on(100, WITHIN).await;
    }

    let sent = feed.stop_at(0, WITHIN).await;
    stored(&kafka, &deployment, sent as i64).await;
    let (topic, ends) = (deployment.topic(), kafka.end_offsets(deployment.topic()));
    page.reaches(topic, &ends, WITHIN).await;
    page.seen().assert_exactly_once(topic, &ends);
    assert_eq!(page.trades() as u64, sent, "different trades");
    every_trade_is_stored_once_in_order(&kafka, topic, sent).await;
    for pipeline in [&mut producer, &mut consumer] {
        pipeline.sigterm();
        assert_eq!(pipeline.exit_code(WITHIN).await, 0);
    }
    let committed = kafka.committed(deployment.group(), topic);
    assert_eq!(committed, ends.into_iter().map(Some).collect::<Vec<_>>());
}

/// Waits until so many trades are in Kafka.
async fn stored(kafka: &KafkaCluster, deployment: &Deployment, trades: i64) {
    eventually(WITHIN, "trades in Kafka", async || {
        match kafka.end_offsets(deployment.topic()).iter().sum::<i64>() {
            stored if stored >= trades => Ok(()),
            stored => Err(format!("{stored} of {trades}")),
        }
    })
    .await;
}

async fn every_trade_is_stored_once_in_order(kafka: &KafkaCluster, topic: &str, sent: u64) {
    let records = kafka.read_topic(topic).await;
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
    let twice: Vec<_> = ids.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "stored twice: {twice:?}");
    let lost: Vec<_> = (0..sent)
        .filter(|id| ids.binary_search(id).is_err())
        .collect();
    assert!(lost.is_empty(), "not stored: {lost:?}");
    assert_eq!(ids.len() as u64, sent, "more than was sent");
}

fn trade_id(payload: &[u8]) -> u64 {
    let trade: Value = serde_json::from_slice(payload).expect("a trade");
    let id = trade["trade_id"].as_str().expect("an id");
    id.parse().expect("an id of digits")
}
