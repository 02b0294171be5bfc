//! A sink that crashes with batches in hand and more of them queued: chance costs nothing, poison is found.

use pipeline_testkit::{Pipeline, Ports, V1Client, kafka, profile_folder};
use serde_json::{Value, json};

use crate::scene::{Topic, WITHIN, stage, trade};

const PARTITIONS: i32 = 3;
const MESSAGES: i32 = 1500;
/// From the second crash on the sink gets what it left one message at a time.
const CRASHES: [i32; 2] = [250, 751];

/// One message in so many crashes the sink, whichever it is.
const CHANCE: i32 = 250;

/// A flow through a sink that crashes to a page; port 0 listens, port 1 tells the status.
fn crashing(topic: &Topic<'_>, ports: &Ports, settings: &str) -> Pipeline {
    let yaml = format!(
        "flows:
           crashing:
             status: {status}
             stages:
               - {source}
               - use: crashing-sink
                 with: {{ {settings} }}
                 retry: {{ initial: 10ms, max: 50ms }}
                 on_reject: {{ to: dead-letters }}
               - {{ use: ws-broadcast, with: {{ listen: '{listen}' }} }}
               - {dead_letters}",
        source = topic.source(""),
        dead_letters = topic.dead_letters(),
        listen = ports.addr(0),
        status = ports.addr(1),
    );
    let fixtures = profile_folder().join("examples");
    Pipeline::run_text(&yaml).env("PIPELINE_PLUGIN_PATH", fixtures.display())
}

async fn page(ports: &Ports) -> V1Client {
    V1Client::connect(&format!("ws://{}/ws", ports.addr(0))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_with_queued_batches_keeps_order_and_loses_nothing() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, PARTITIONS).await;
    topic.make_dead_letters().await;
    let ports = Ports::reserve(2);
    let mut pipeline = crashing(&topic, &ports, "pause: 5ms").spawn();
    pipeline.ready().await;
    let mut page = page(&ports).await;

    let payload = |number| match CRASHES.contains(&number) {
        true => json!({ "n": number, "crash": "once" }),
        false => trade(number),
    };
    topic.write(MESSAGES, payload).await;
    topic.is_shown(&mut page).await;

    let sink = stage(&pipeline, ports.addr(1), "crashing-sink")
        .await
        .unwrap();
    assert_eq!(
        (&sink["restarts"], &sink["rejected"]),
        (&json!(CRASHES.len()), &json!(0))
    );
    pipeline.sigterm();
    assert_eq!(pipeline.exit_code(WITHIN).await, 0);
    assert_eq!(topic.committed(), topic.ends());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_crashes_by_chance_again_and_again_costs_no_message() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, PARTITIONS).await;
    let dead = topic.make_dead_letters().await;
    let ports = Ports::reserve(2);
    let settings = format!("pause: 1ms, every: {CHANCE}");
    let mut pipeline = crashing(&topic, &ports, &settings).spawn();
    pipeline.ready().await;
    let mut page = page(&ports).await;

    topic.write(MESSAGES, trade).await;
    topic.is_shown(&mut page).await;

    let sink = stage(&pipeline, ports.addr(1), "crashing-sink")
        .await
        .unwrap();
    assert_eq!(sink["rejected"], 0);
    assert!(
        sink["restarts"].as_i64() >= Some((MESSAGES / CHANCE).into()),
        "{sink}"
    );
    pipeline.sigterm();
    assert_eq!(pipeline.exit_code(WITHIN).await, 0);
    assert!(kafka.read_topic(&dead).await.is_empty());
    assert_eq!(topic.committed(), topic.ends());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_always_crashes_its_sink_becomes_the_only_dead_letter() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 1).await;
    let dead = topic.make_dead_letters().await;
    let ports = Ports::reserve(2);
    let mut pipeline = crashing(&topic, &ports, "pause: 5ms").spawn();
    pipeline.ready().await;
    let mut page = page(&ports).await;

    let poison = json!({ "crash": "always" });
    let payload = |number| {
        if number == 50 {
            poison.clone()
        } else {
            trade(number)
        }
    };
    topic.write(100, payload).await;
    let mut shown = Vec::new();
    while shown.last() != Some(&99) {
        let frame = page.next().await.expect("a page that stays connected");
        shown.extend(frame["offset"].as_i64());
    }
    assert_eq!(
        shown,
        (0..100).filter(|&offset| offset != 50).collect::<Vec<_>>()
    );

    pipeline.sigterm();
    assert_eq!(pipeline.exit_code(WITHIN).await, 0);
    let letters = kafka.read_topic(&dead).await;
    let payloads: Vec<Value> = letters
        .iter()
        .map(|letter| serde_json::from_slice(&letter.payload).unwrap())
        .collect();
    assert_eq!(payloads, [poison]);
    assert_eq!(topic.committed(), [100]);
}
