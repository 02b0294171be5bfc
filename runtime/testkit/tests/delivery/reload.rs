//! SIGHUP in the midst of a flow from Kafka.

use std::fs;

use pipeline_testkit::{Answer, HttpReceiver, Pipeline, Ports, Running, eventually, kafka};
use serde_json::Value;

use crate::scene::{Topic, WITHIN, envelopes, stage, trade};

async fn log_has(pipeline: &Running, text: &str) {
    eventually(WITHIN, text, async || match pipeline.stderr() {
        log if log.contains(text) => Ok(()),
        log => Err(log),
    })
    .await;
}

fn rewrite(pipeline: &Running, from: &str, to: &str) {
    let file = pipeline.folder().join("pipeline.yaml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&file, text.replace(from, to)).unwrap();
}

/// What must not change while another stage is changed, once the source has told it.
async fn membership(pipeline: &Running, status: &Ports) -> Value {
    eventually(WITHIN, "an assignment in the status", async || {
        let source = stage(pipeline, status.addr(0), "kafka-group-source").await?;
        let document = &source["document"];
        let generation = &document["partitions"][0]["generation"];
        let membership = serde_json::json!({
            "restarts": source["restarts"],
            "rebalances": document["rebalances"]["count"],
            "generation": generation,
        });
        if generation.is_null() {
            Err(source.to_string())
        } else {
            Ok(membership)
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_changes_nothing_and_a_good_one_only_what_differs() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 1).await;
    let receiver = HttpReceiver::scripted([Answer::status(200)]).await;
    let status = Ports::one();
    let yaml = format!(
        "flows:
           consumer:
             status: {}
             stages:
               - {}
               - use: http-post
                 with: {{ url: '{}', headers: {{ X-Edition: first }} }}",
        status.addr(0),
        topic.source(""),
        receiver.url()
    );
    let mut pipeline = Pipeline::run_text(&yaml).spawn();
    topic.write(100, trade).await;
    pipeline.ready().await;
    arrived(&receiver, 100).await;
    let before = membership(&pipeline, &status).await;

    rewrite(&pipeline, "headers:", "header:");
    pipeline.sighup();
    log_has(&pipeline, "unknown key `header`").await;
    log_has(&pipeline, "nothing was changed").await;
    topic.write(100, trade).await;
    arrived(&receiver, 200).await;

    rewrite(&pipeline, "header:", "headers:");
    rewrite(&pipeline, "first", "second");
    pipeline.sighup();
    log_has(&pipeline, "reloaded: consumer/0 http-post changed").await;
    topic.write(100, trade).await;
    arrived(&receiver, 300).await;

    let requests = receiver.received();
    let editions: Vec<_> = requests
        .iter()
        .map(|request| request.headers["x-edition"].to_str().unwrap())
        .collect();
    assert!(
        editions.is_sorted() && editions.ends_with(&["second"]),
        "{editions:?}"
    );
    let offsets: Vec<_> = envelopes(&requests)
        .iter()
        .map(|envelope| envelope["offset"].as_i64().unwrap())
        .collect();
    assert_eq!(offsets, (0..300).collect::<Vec<_>>());
    assert_eq!(membership(&pipeline, &status).await, before);
}

async fn arrived(receiver: &HttpReceiver, count: usize) {
    eventually(WITHIN, "messages", async || {
        match envelopes(&receiver.received()).len() {
            arrived if arrived >= count => Ok(()),
            arrived => Err(format!("{arrived} of {count}")),
        }
    })
    .await;
}
