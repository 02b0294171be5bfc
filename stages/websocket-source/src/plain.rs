//! Plain feeds: a frame becomes a message, or several, or none.
//!
//! What is not JSON, or has not the fields that were asked for, is handed on as it came: nothing is lost here.

use std::borrow::Cow;

use pipeline_sdk::prelude::*;

use crate::config::Config;
use crate::inbox::Frame;
use crate::pointer::{self, Pointer};
use crate::sequence::Gaps;
use crate::shared::Shared;
use crate::throttle::Throttle;
use crate::window::Window;

/// Makes messages of frames.
pub(crate) struct Plain {
    /// `split`, if set.
    split: Vec<Pointer>,
    /// What is looked up in each message; the fields below are places in it.
    pointers: Vec<Pointer>,
    key: Option<usize>,
    dedupe: Option<Dedupe>,
    sequence: Option<Sequence>,
    malformed: Throttle,
}

struct Dedupe {
    id: usize,
    key: Option<usize>,
    window: Window,
}

struct Sequence {
    number: usize,
    key: Option<usize>,
    gaps: Gaps,
    log: Throttle,
}

/// What was found in a message, by place.
type Found<'t> = [Option<&'t str>];

impl Plain {
    /// As the settings ask for it.
    pub(crate) fn new(config: &Config) -> Self {
        let mut pointers = Vec::new();
        let mut place = |pointer: &Pointer| {
            pointers
                .iter()
                .position(|known| known == pointer)
                .unwrap_or_else(|| {
                    pointers.push(pointer.clone());
                    pointers.len() - 1
                })
        };
        let key = config.key.as_ref().map(&mut place);
        let dedupe = config.dedupe.as_ref().map(|dedupe| Dedupe {
            id: place(&dedupe.pointer),
            key: dedupe.key.as_ref().map(&mut place),
            window: Window::new(dedupe.window as usize),
        });
        let sequence = config.sequence.as_ref().map(|sequence| Sequence {
            number: place(&sequence.pointer),
            key: sequence.key.as_ref().map(&mut place),
            gaps: Gaps::default(),
            log: Throttle::default(),
        });
        let split = config.split.iter().cloned().collect();
        Plain {
            split,
            pointers,
            key,
            dedupe,
            sequence,
            malformed: Throttle::default(),
        }
    }

    /// Hands the messages of `frame`, which came over the `connection`-th connection, to `push`.
    pub(crate) fn messages(
        &mut self,
        frame: &Frame,
        connection: u64,
        shared: &Shared,
        push: &mut dyn FnMut(Record<'_>),
    ) {
        let mut push = |record: Record<'_>| push(record.timestamp_ns(frame.received_ns));
        if self.split.is_empty() && self.pointers.is_empty() {
            return push(Record::new(&frame.payload));
        }
        let Ok(text) = std::str::from_utf8(&frame.payload) else {
            self.note_malformed(shared, "not UTF-8");
            return push(Record::new(&frame.payload));
        };
        let mut array = [None];
        match pointer::find(&self.split, text, &mut array[..self.split.len()]) {
            Ok(()) => {}
            Err(error) => {
                self.note_malformed(shared, &error.to_string());
                return push(Record::new(&frame.payload));
            }
        }
        match array[0].and_then(pointer::elements) {
            Some(elements) => elements
                .into_iter()
                .for_each(|element| self.message(element, connection, shared, &mut push)),
            None => self.message(text, connection, shared, &mut push),
        }
    }

    fn message(
        &mut self,
        text: &str,
        connection: u64,
        shared: &Shared,
        push: &mut dyn FnMut(Record<'_>),
    ) {
        let mut found = vec![None; self.pointers.len()];
        if let Err(error) = pointer::find(&self.pointers, text, &mut found) {
            self.note_malformed(shared, &error.to_string());
            return push(Record::new(text.as_bytes()));
        }
        if self.is_repeated(&found) {
            return shared.duplicates.add(1);
        }
        self.note_gap(&found, connection, shared);
        let key = self
            .key
            .and_then(|place| found[place])
            .and_then(pointer::content);
        push(Record::new(text.as_bytes()).key(key.as_deref().map(str::as_bytes)));
    }

    fn is_repeated(&mut self, found: &Found<'_>) -> bool {
        let Some(dedupe) = &mut self.dedupe else {
            return false;
        };
        let Some(id) = found[dedupe.id].filter(|id| *id != "null") else {
            return false;
        };
        let key = dedupe.key.and_then(|place| found[place]);
        !dedupe.window.is_new((key, id))
    }

    fn note_gap(&mut self, found: &Found<'_>, connection: u64, shared: &Shared) {
        let Some(sequence) = &mut self.sequence else {
            return;
        };
        let number = found[sequence.number]
            .and_then(pointer::content)
            .and_then(|text| text.parse().ok());
        let Some(number) = number else { return };
        let key = sequence
            .key
            .and_then(|place| found[place])
            .and_then(pointer::content)
            .unwrap_or(Cow::Borrowed(""));
        let Some(gap) = sequence.gaps.note(&key, number, connection) else {
            return;
        };
        shared.gap(&key, gap.missing);
        if let Some(missing) = sequence.log.pass(gap.missing) {
            tracing::warn!(missing, key = %key, after = gap.after, "messages are missing in the feed");
        }
    }

    fn note_malformed(&mut self, shared: &Shared, why: &str) {
        shared.malformed.add(1);
        if let Some(messages) = self.malformed.pass(1) {
            tracing::warn!(messages, "handed on as it came, expected JSON: {why}");
        }
    }
}

#[cfg(test)]
mod tests {
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
}
