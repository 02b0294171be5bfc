//! SIGTERM in the midst of work, and a second one.

use std::time::{Duration, Instant};

use pipeline_testkit::{
    Answer, HttpReceiver, Pipeline, Ports, Running, V1Client, eventually, kafka,
};
use serde_json::Value;

use crate::scene::{Topic, WITHIN, counter, envelopes, trade};

const MESSAGES: i32 = 20_000;
/// How long a drain takes at most by default: what ends sooner did not wait for it.
const DRAIN: Duration = Duration::from_secs(20);

/// Small requests, so that a drain finds much left to do.
fn consumer(topic: &Topic<'_>, url: &str) -> Running {
    let yaml = format!(
        "stages:
           - {}
           - {{ use: http-post, with: {{ url: '{url}', max_messages: 20 }} }}",
        topic.source("")
    );
    Pipeline::run_text(&yaml).spawn()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_stops_under_load_loses_nothing_and_sends_nothing_twice() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 3).await;
    topic.write(MESSAGES, trade).await;
    let ports = Ports::one();
    let yaml = format!(
        "stages: [{{ use: ws-broadcast, with: {{ listen: '{}' }} }}]",
        ports.addr(0)
    );
    let mut server = Pipeline::run_text(&yaml).spawn();
    server.ready().await;
    let mut page = V1Client::connect(&format!("ws://{}/ws", ports.addr(0))).await;
    let url = format!("http://{}/api/trades", ports.addr(0));

    let mut stopped = consumer(&topic, &url);
    page.read_until(WITHIN, |seen| seen.count() > 500)
        .await
        .unwrap();
    stopped.sigterm();
    assert_eq!(stopped.exit_code(WITHIN).await, 0);
    let committed = topic.committed();
    page.read_until(WITHIN, |seen| seen.reached(&topic.name, &committed))
        .await
        .unwrap();
    page.seen().assert_exactly_once(&topic.name, &committed);
    let done: i64 = committed.iter().sum();
    assert!(
        done < i64::from(MESSAGES),
        "there was nothing left to stop in the midst of"
    );

    let mut next = consumer(&topic, &url);
    topic.is_shown(&mut page).await;
    next.sigterm();
    assert_eq!(next.exit_code(WITHIN).await, 0);
    assert_eq!(topic.committed(), topic.ends());
    assert_eq!(
        counter(&server, "pipeline_ws_duplicate_messages_total").await,
        0.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_stops_under_load_has_written_all_that_it_took() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 1).await;
    let yaml = format!(
        "stages:
           - {{ use: trade-generator, with: {{ rate: 5000 }} }}
           - {{ use: kafka-sink, with: {{ brokers: '{}', topic: {} }} }}",
        kafka.brokers(),
        topic.name
    );
    let mut producer = Pipeline::run_text(&yaml).spawn();
    producer.ready().await;
    eventually(WITHIN, "load", async || match topic.ends()[0] {
        ..2000 => Err("too little"),
        _ => Ok(()),
    })
    .await;
    producer.sigterm();
    assert_eq!(producer.exit_code(WITHIN).await, 0);
    let records = kafka.read_topic(&topic.name).await;
    let ids: Vec<u64> = records
        .iter()
        .map(|record| serde_json::from_slice::<Value>(&record.payload).unwrap())
        .map(|trade| trade["sequential_id"].as_u64().expect("an id"))
        .collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sigterm_ends_at_once_and_kafka_keeps_what_was_not_done() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 1).await;
    topic.write(100, trade).await;
    let receiver = HttpReceiver::scripted([Answer::status(200), Answer::hang()]).await;
    let mut consumer = consumer(&topic, &receiver.url());
    receiver.wait_for(2, WITHIN).await;
    consumer.sigterm();
    eventually(WITHIN, "the drain", async || {
        match consumer.stderr().contains("draining") {
            true => Ok(()),
            false => Err("not begun"),
        }
    })
    .await;
    let again = Instant::now();
    consumer.sigterm();
    // Nothing is lost: the source delivers the rest again.
    assert_eq!(consumer.exit_code(WITHIN).await, 0);
    let took = again.elapsed();
    assert!(took < DRAIN, "{took:?}");
    assert!(consumer.stderr().contains("delivers them again"));
    assert!(topic.committed()[0] <= 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_whose_brokers_hang_ends_by_itself_and_nothing_is_lost() {
    let kafka = kafka::cluster().exclusive();
    let topic = Topic::make(&kafka, 1).await;
    topic.write(100, trade).await;
    let receiver = HttpReceiver::answering(|_| Answer::status(200)).await;
    let yaml = format!(
        "stages:
           - {}
           - {{ use: http-post, with: {{ url: '{}', max_messages: 100 }} }}",
        topic.source(", commit_interval: 1h"),
        receiver.url()
    );
    let mut hung = Pipeline::run_text(&yaml).spawn();
    delivered(&receiver, 99).await;
    (1..=3).for_each(|node| kafka.freeze(node));
    hung.sigterm();
    let code = hung.exit_code(WITHIN).await;
    (1..=3).for_each(|node| kafka.thaw(node));
    assert_eq!(code, 0, "{}", hung.stderr());
    assert!(hung.stderr().contains("does not let this member go"));

    // The brokers may find the last commit in their sockets when they wake: then only what is new comes, else all.
    topic.write(1, |_| trade(100)).await;
    let mut next = Pipeline::run_text(&yaml).spawn();
    delivered(&receiver, 100).await;
    next.sigterm();
    assert_eq!(next.exit_code(WITHIN).await, 0);
    assert_eq!(topic.committed(), topic.ends());
}

/// Waits until this message was sent.
async fn delivered(receiver: &HttpReceiver, number: i32) {
    eventually(WITHIN, "a message", async || {
        let sent = envelopes(&receiver.received());
        match sent.iter().any(|one| one["data"]["n"] == number) {
            true => Ok(()),
            false => Err(format!("{} came, not {number}", sent.len())),
        }
    })
    .await;
}
