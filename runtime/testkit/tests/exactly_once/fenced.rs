//! Two processes that both claim to be the same member of the group.

use http::StatusCode;
use pipeline_testkit::kafka::{self, KafkaCluster};
use pipeline_testkit::{Answer, HttpReceiver, Pipeline, Running, eventually, unique};

use crate::live::WITHIN;

const FENCED: &str = "fenced: another member of group";

#[tokio::test(flavor = "multi_thread")]
async fn who_is_replaced_as_a_member_is_told_so_and_waits_until_the_other_has_left() {
    let kafka = kafka::cluster().shared();
    let (topic, group) = (unique("fenced"), unique("group"));
    kafka.create_topic(&topic, 1).await;
    let receivers = [
        HttpReceiver::scripted([Answer::status(200)]).await,
        HttpReceiver::scripted([Answer::status(200)]).await,
    ];
    let member = |receiver: &HttpReceiver| {
        Pipeline::run_text(&format!(
            "stages:
               - use: kafka-group-source
                 with: {{ brokers: '{}', topic: {topic}, group: {group}, instance_id: same, session_timeout: 1s }}
               - use: http-post
                 with: {{ url: '{}', encoding: json }}",
            kafka.brokers(),
            receiver.url()
        ))
        .spawn()
    };
    let mut older = member(&receivers[0]);
    older.ready().await;
    delivers(&kafka, &topic, &receivers[0], "to the older").await;

    let mut newer = member(&receivers[1]);
    is_fenced(&older).await;
    newer.ready().await;
    delivers(&kafka, &topic, &receivers[1], "to the newer").await;
    is_fenced(&older).await;
    assert!(older.stderr().contains(FENCED), "it is in the log too");

    newer.sigterm();
    assert_eq!(newer.exit_code(WITHIN).await, 0);
    older.ready().await;
    delivers(&kafka, &topic, &receivers[0], "to the older again").await;
}

/// `/readyz` says that another process has the place, and how to give each its own.
async fn is_fenced(pipeline: &Running) {
    eventually(WITHIN, "a fenced member", async || {
        match pipeline.readyz().await? {
            (StatusCode::SERVICE_UNAVAILABLE, text)
                if text.contains(FENCED) && text.contains("own `instance_id`") =>
            {
                Ok(())
            }
            (status, text) => Err(format!("{status}: {text}")),
        }
    })
    .await;
}

/// A message that is written now comes to this receiver.
async fn delivers(kafka: &KafkaCluster, topic: &str, receiver: &HttpReceiver, what: &str) {
    let message = format!("\"{what}\"");
    let record = (Some(0), what.to_owned(), message.clone().into_bytes());
    kafka.produce(topic, [record]).await;
    eventually(WITHIN, what, async || {
        let received = receiver.received();
        let found = received.iter().any(|request| request.text() == message);
        found.then_some(()).ok_or("not received")
    })
    .await;
}
