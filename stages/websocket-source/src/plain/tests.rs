//! What plain frames become.

use super::*;
use futures_util::FutureExt as _;
use pipeline_sdk::testing::{self, Sent};
use serde_json::json;

struct Feed {
    plain: Plain,
    shared: Shared,
    output: Output,
    sent: Sent,
}

fn feed(mut settings: serde_json::Value) -> Feed {
    settings["urls"] = json!([]);
    let config: Config = serde_json::from_value(settings).unwrap();
    let context = Context::detached("feed");
    let (output, sent) = testing::output(&context);
    Feed {
        plain: Plain::new(&config),
        shared: Shared::new(&context, std::iter::empty()),
        output,
        sent,
    }
}

impl Feed {
    /// Payload and key of the messages that a frame becomes.
    fn take(&mut self, payload: &[u8]) -> Vec<(String, Option<String>)> {
        let frame = Frame {
            payload: payload.to_vec().into(),
            text: true,
            received_ns: 7,
        };
        let mut batch = self.output.batch();
        self.plain.messages(&frame, 1, &self.shared, &mut |record| {
            batch.push(record);
        });
        self.output.send(batch).now_or_never().unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Some(batch) = self.sent.next() else {
            return Vec::new();
        };
        assert!(batch.iter().all(|message| message.timestamp_ns() == 7));
        batch
            .iter()
            .map(|message| (text(message.payload()), message.key().map(text)))
            .collect()
    }
}

fn messages(expected: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    expected
        .iter()
        .map(|(payload, key)| ((*payload).to_owned(), key.map(str::to_owned)))
        .collect()
}

#[test]
fn without_settings_bytes_pass_as_they_are() {
    assert_eq!(
        feed(json!({})).take(b"\xff not json"),
        messages(&[("\u{fffd} not json", None)])
    );
}

#[test]
fn an_array_becomes_one_message_each_with_its_key() {
    let mut feed = feed(json!({"split": "/data", "key": "/s"}));
    let frame = br#"{"data":[{"s":"A","n": 1},{"s":2},{}],"x":0}"#;
    assert_eq!(
        feed.take(frame),
        messages(&[
            (r#"{"s":"A","n": 1}"#, Some("A")),
            (r#"{"s":2}"#, Some("2")),
            ("{}", None)
        ])
    );
    assert_eq!(
        feed.take(br#"{"event":"subscribed"}"#),
        messages(&[(r#"{"event":"subscribed"}"#, None)])
    );
    assert_eq!(feed.take(br#"{"data":[]}"#), []);
}

#[test]
fn repeated_ids_are_dropped_per_key() {
    let mut feed = feed(json!({"dedupe": {"pointer": "/id", "key": "/s", "window": 2}}));
    for (frame, passes) in [
        (r#"{"s":"A","id":1}"#, 1),
        (r#"{"s":"B","id":1}"#, 1),
        (r#"{"s":"A","id":1}"#, 0),
        (r#"{"s":"A","id":2}"#, 1),
        (r#"{"s":"A","id":1}"#, 1),
        (r#"{"s":"A"}"#, 1),
        (r#"{"s":"A"}"#, 1),
        (r#"{"s":"A","id":null}"#, 1),
    ] {
        assert_eq!(feed.take(frame.as_bytes()).len(), passes, "{frame}");
    }
    assert_eq!(feed.shared.duplicates.get(), 1);
}

#[test]
fn gaps_are_counted_per_key() {
    let mut feed = feed(json!({"sequence": {"pointer": "/n", "key": "/s"}}));
    for frame in [
        r#"{"s":"A","n":1}"#,
        r#"{"s":"B","n":7}"#,
        r#"{"s":"A","n":"4"}"#,
        r#"{"s":"B","n":8}"#,
        r#"{"s":"B","n":"x"}"#,
    ] {
        assert_eq!(feed.take(frame.as_bytes()).len(), 1);
    }
    let gaps = feed.shared.gaps();
    assert_eq!(
        (feed.shared.missing.get(), gaps.len(), gaps["A"].missing),
        (2, 1, 2)
    );
}

#[test]
fn what_is_not_json_is_handed_on_and_counted() {
    let mut feed = feed(json!({"split": "/data", "key": "/s"}));
    assert_eq!(feed.take(b"PONG"), messages(&[("PONG", None)]));
    assert_eq!(feed.take(b"\xff"), messages(&[("\u{fffd}", None)]));
    assert_eq!(feed.shared.malformed.get(), 2);
}

#[test]
fn fuzz_any_frame_is_handed_on() {
    bolero::check!()
        .with_iterations(300)
        .for_each(|bytes: &[u8]| {
            let mut feed = feed(
                json!({"split": "/a", "key": "/s", "sequence": {"pointer": "/n", "key": "/s"}}),
            );
            let is_split = serde_json::from_slice::<serde_json::Value>(bytes)
                .is_ok_and(|value| value["a"].is_array());
            assert!(is_split || feed.take(bytes).len() == 1);
        });
}
