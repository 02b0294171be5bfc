//! A topic that is deleted and made again while everybody reads it.

use pipeline_testkit::{Pipeline, Ports, V1Client, kafka};

use crate::scene::{Topic, WITHIN, trade};

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_again_is_told_as_a_reset_and_goes_on() {
    made_again_with(40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_again_that_is_soon_longer_than_before_is_shown_from_its_beginning() {
    made_again_with(300).await;
}

/// A topic of 100 messages is made again with `messages`.
async fn made_again_with(messages: i32) {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 1).await;
    let ports = Ports::one();
    let yaml = format!(
        "stages:
           - {}
           - {{ use: ws-broadcast, with: {{ listen: '{}' }} }}",
        topic.source(""),
        ports.addr(0)
    );
    let mut pipeline = Pipeline::run_text(&yaml).spawn();
    pipeline.ready().await;
    let mut page = V1Client::connect(&format!("ws://{}/ws", ports.addr(0))).await;
    topic.write(100, trade).await;
    topic.is_shown(&mut page).await;

    kafka.delete_topic(&topic.name).await;
    kafka.create_topic(&topic.name, 1).await;
    topic.write(messages, trade).await;
    let all = |seen: &pipeline_testkit::Seen| {
        !seen.gaps().is_empty() && seen.count() == i64::from(messages)
    };
    page.read_until(WITHIN, all).await.unwrap();

    let gaps = page.seen().gaps();
    assert!(gaps.len() == 1 && gaps[0]["reason"] == "reset", "{gaps:?}");
    assert_eq!(page.seen().violations(), [] as [String; 0]);
    pipeline.sigterm();
    assert_eq!(pipeline.exit_code(WITHIN).await, 0);
    assert_eq!(topic.committed(), [i64::from(messages)]);
}
