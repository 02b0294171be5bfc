//! Messages that their receiver never takes.

use std::collections::BTreeMap;

use pipeline_testkit::{Answer, HttpReceiver, Pipeline, kafka};
use serde_json::json;

use crate::scene::{Topic, WITHIN, envelopes, trade};

const BAD: [i32; 3] = [7, 31, 32];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_refuses_becomes_a_dead_letter_and_the_rest_goes_on() {
    let kafka = kafka::cluster().shared();
    let topic = Topic::make(&kafka, 1).await;
    let dead = topic.make_dead_letters().await;
    let receiver = HttpReceiver::answering(|request| match request.text().contains("bad") {
        true => Answer::status(400).body("what is this"),
        false => Answer::status(200),
    })
    .await;
    let yaml = format!(
        "stages:
           - {}
           - {{ use: http-post, with: {{ url: '{}' }}, on_reject: {{ to: dead-letters }} }}
           - {}",
        topic.source(""),
        receiver.url(),
        topic.dead_letters()
    );
    let mut pipeline = Pipeline::run_text(&yaml).spawn();
    let payload = |number| match BAD.contains(&number) {
        true => json!({ "bad": number }),
        false => trade(number),
    };
    topic.write(60, payload).await;
    pipeline.ready().await;
    pipeline_testkit::eventually(WITHIN, "all committed", async || match topic.committed() {
        committed if committed == [60] => Ok(()),
        committed => Err(format!("{committed:?}")),
    })
    .await;

    let requests = receiver.received();
    let taken: Vec<_> = requests
        .into_iter()
        .filter(|request| !request.text().contains("bad"))
        .collect();
    let offsets: Vec<_> = envelopes(&taken)
        .iter()
        .filter_map(|envelope| envelope["offset"].as_i64())
        .collect();
    let good: Vec<_> = (0..60).filter(|number| !BAD.contains(number)).collect();
    assert_eq!(offsets, good.into_iter().map(i64::from).collect::<Vec<_>>());

    let letters = kafka.read_topic(&dead).await;
    assert_eq!(letters.len(), BAD.len());
    for (letter, number) in letters.iter().zip(BAD) {
        let headers: BTreeMap<_, _> = letter
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value)))
            .collect();
        assert_eq!(
            letter.key.as_deref(),
            Some(format!("key-{number}").as_bytes())
        );
        assert_eq!(letter.payload, payload(number).to_string().into_bytes());
        assert_eq!(
            headers["pipeline-origin"],
            format!("{}/0:{number}", topic.name)
        );
        assert_eq!(headers["pipeline-reject-stage"], "http-post");
        let reason = &headers["pipeline-reject-reason"];
        assert!(
            reason.contains("400") && reason.contains("what is this"),
            "{reason}"
        );
        assert!(headers["pipeline-timestamp"].parse::<u64>().is_ok());
    }
    pipeline.sigterm();
    assert_eq!(pipeline.exit_code(WITHIN).await, 0);
}
