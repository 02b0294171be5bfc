//! What happens to a message shows in its trace: rejects, dead letters, retries, crashes.

use pipeline_testkit::otlp::Span;
use pipeline_testkit::{Answer, HttpReceiver, kafka};
use serde_json::json;

use crate::line::{Line, children};
use crate::tree::text;

#[tokio::test(flavor = "multi_thread")]
async fn a_reject_fails_the_trace_that_its_dead_letter_belongs_to() {
    let kafka = kafka::cluster().shared();
    let receiver = HttpReceiver::answering(|request| match request.text().contains("bad") {
        true => Answer::status(400).body("what is this"),
        false => Answer::status(200),
    })
    .await;
    let stage = format!(
        "{{ use: http-post, with: {{ url: '{}' }}, on_reject: {{ to: dead-letters }} }}",
        receiver.url()
    );
    let line = Line::start(&kafka, &stage).await;
    line.write(&[json!({ "n": 0 }), json!({ "bad": 1 }), json!({ "n": 2 })])
        .await;

    let (process, trace) = line.processed(1).await;
    println!("{}", text(&trace));
    let why = process.error.as_deref().expect("a failed span");
    assert!(why.contains("400") && why.contains("what is this"), "{why}");
    assert_eq!(process.get("error.type"), Some("rejected"));
    let (_, rejected) = event(&process, "rejected");
    assert_eq!(rejected["pipeline.stage"], "http-post");
    assert_eq!(rejected["pipeline.route"], "dead-letters");
    assert_eq!(rejected["pipeline.reason"], why);

    let children = children(&trace, &process);
    let (letter, posts) = children.split_last().expect("children");
    assert_eq!(letter.name, format!("send {}.dead", line.topic));
    assert_eq!(letter.get("messaging.kafka.offset"), Some("0"));
    assert_eq!(letter.error, None);
    let post = posts.last().expect("a POST before the dead letter");
    assert_eq!(post.get("http.response.status_code"), Some("400"));
    assert_eq!(post.get("error.type"), Some("400"));
    assert_eq!(event(post, "exception").1["exception.type"], "400");

    for offset in [0, 2] {
        let (process, trace) = line.processed(offset).await;
        assert_eq!(process.error, None, "{}", text(&trace));
        let rejected = process.events.iter().any(|(name, _)| name == "rejected");
        assert!(!rejected, "{:?}", process.events);
    }
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_try_is_a_span_that_says_how_often_it_was_sent() {
    let kafka = kafka::cluster().shared();
    let answers = [
        Answer::status(503),
        Answer::status(429),
        Answer::status(200),
    ];
    let receiver = HttpReceiver::scripted(answers).await;
    let stage = format!(
        "{{ use: http-post, with: {{ url: '{}' }}, retry: {{ initial: 10ms, max: 50ms }}, \
         on_reject: {{ to: dead-letters }} }}",
        receiver.url()
    );
    let line = Line::start(&kafka, &stage).await;
    line.write(&[json!({ "n": 0 })]).await;

    let (process, trace) = line.processed(0).await;
    assert_eq!(process.error, None, "it was delivered at last");
    let told: Vec<_> = children(&trace, &process)
        .into_iter()
        .map(|post| {
            let get = |name| post.get(name).map(str::to_owned);
            (
                get("http.request.resend_count"),
                get("http.response.status_code"),
                get("error.type"),
            )
        })
        .collect();
    let word = |word: &str| Some(word.to_owned());
    assert_eq!(
        told,
        [
            (None, word("503"), word("503")),
            (word("1"), word("429"), word("429")),
            (word("2"), word("200"), None),
        ]
    );
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_is_redelivered_in_the_same_trace() {
    let kafka = kafka::cluster().shared();
    let stage = "{ use: crashing-sink, with: { pause: 1ms }, retry: { initial: 10ms, max: 50ms }, \
                 on_reject: { to: dead-letters } }";
    let line = Line::start(&kafka, stage).await;
    line.write(&[json!({ "crash": "once" }), json!({ "crash": "always" })])
        .await;

    let (once, trace) = line.processed(0).await;
    let (_, redelivered) = event(&once, "redelivered");
    assert_eq!(redelivered["pipeline.stage"], "crashing-sink");
    assert!(
        redelivered["exception.message"].contains("told to crash"),
        "{redelivered:?}"
    );
    assert_eq!(once.error, None, "{}", text(&trace));

    let (always, trace) = line.processed(1).await;
    println!("{}", text(&trace));
    let names: Vec<_> = always.events.iter().map(|(name, _)| &**name).collect();
    let (last, before) = names.split_last().expect("events");
    assert_eq!(*last, "rejected");
    assert!(before.len() >= 3 && before.iter().all(|name| *name == "redelivered"));
    assert_eq!(always.get("error.type"), Some("rejected"));
    let letter = format!("send {}.dead", line.topic);
    assert_eq!(children(&trace, &always)[0].name, letter);
    line.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_trace_context_costs_no_message() {
    let kafka = kafka::cluster().shared();
    let receiver = HttpReceiver::scripted([Answer::status(200)]).await;
    let stage = format!(
        "{{ use: http-post, with: {{ url: '{}' }}, on_reject: {{ to: dead-letters }} }}",
        receiver.url()
    );
    let line = Line::start(&kafka, &stage).await;
    let long = "x=y,".repeat(2560);
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let contexts: [(&[u8], &[u8]); 4] = [
        (b"00-nonsense", b""),
        (long.as_bytes(), long.as_bytes()),
        (&[0xff; 55], &[0; 10 << 10]),
        (good.as_bytes(), long.as_bytes()),
    ];
    for (traceparent, tracestate) in contexts {
        let headers = [("traceparent", traceparent), ("tracestate", tracestate)];
        kafka
            .produce_with_headers(&line.topic, b"{}".to_vec(), &headers)
            .await;
    }
    for offset in 0..contexts.len() as u64 {
        let (process, trace) = line.processed(offset).await;
        assert_eq!(process.error, None, "{}", text(&trace));
        let kept = process.trace == good[3..35] && process.parent == good[36..52];
        assert_eq!(kept, offset == 3, "only what is valid is gone on with");
    }
    line.stop().await;
}

/// What happened in a span, which is one of its events.
fn event<'a>(
    span: &'a Span,
    name: &str,
) -> &'a (String, std::collections::BTreeMap<String, String>) {
    let found = span.events.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no `{name}` in {:?}", span.events))
}
