//! What `pipeline.v1` frames become.

use super::*;
use futures_util::FutureExt as _;
use pipeline_sdk::testing::{self, Sent};

struct Servers {
    relay: Relay,
    shared: Shared,
    output: Output,
    sent: Sent,
}

fn servers() -> Servers {
    let context = Context::detached("peers");
    let (output, sent) = testing::output(&context);
    let urls = (0..2).map(|index| format!("ws://h{index}/"));
    Servers {
        relay: Relay::new(1000, false),
        shared: Shared::new(&context, urls),
        output,
        sent,
    }
}

impl Servers {
    /// What is handed on when server `link` sends `text`.
    fn tell(&mut self, link: usize, text: &str) -> Option<Batch> {
        let frame = Frame {
            payload: text.as_bytes().to_vec().into(),
            text: true,
            received_ns: 9,
        };
        let mut batch = self.output.batch();
        self.relay
            .messages(&frame, link, &self.shared, &mut |topic, record| {
                batch.topic(topic.unwrap_or_default()).push(record);
            });
        self.output.send(batch).now_or_never().unwrap().unwrap();
        self.sent.next()
    }

    fn after(&self, link: usize) -> String {
        self.shared.link(link).after.to_string()
    }
}

fn message(offset: i64, timestamp: i64) -> String {
    format!(
        r#"{{"type":"message","from":"a","topic":"t","partition":1,"offset":{offset},"timestamp":{timestamp},"data":{{"n":{offset}}}}}"#
    )
}

#[test]
fn a_message_of_several_servers_is_handed_on_once_and_noted_for_each() {
    let mut servers = servers();
    assert!(servers.tell(0, &message(5, 100)).is_some());
    assert!(servers.tell(1, &message(5, 100)).is_none());
    assert_eq!(
        (servers.after(0), servers.after(1)),
        ("t/1:5".to_owned(), "t/1:5".to_owned())
    );
    assert_eq!(servers.shared.duplicates.get(), 1);
}

#[test]
fn all_that_belongs_to_a_message_is_kept() {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let text = format!(
        r#"{{"type":"message","from":"10.0.0.1:8080","topic":"t","partition":1,"offset":5,"timestamp":100,
             "times":{{"received":100,"accepted":200}},"trace":"{trace}","key":"k","replay":true,"data":{{"n": 5}}}}"#
    );
    let batch = servers().tell(0, &text).unwrap();
    let message = batch.get(0);
    assert_eq!(message.payload(), br#"{"n": 5}"#);
    assert_eq!(
        message.position(),
        Some(pipeline_sdk::Position {
            topic: "t",
            partition: 1,
            offset: 5
        })
    );
    assert_eq!(
        (message.key(), message.timestamp_ns(), message.is_replay()),
        (Some(&b"k"[..]), 100, true)
    );
    assert_eq!(message.trace().unwrap().to_string(), trace);
    assert_eq!(message.header(FROM_HEADER), Some(&b"10.0.0.1:8080"[..]));
    assert_eq!(
        message.header(TIMES_HEADER),
        Some(&br#"{"received":100,"accepted":200}"#[..])
    );
}

#[test]
fn the_same_offset_with_another_time_is_another_message() {
    let mut servers = servers();
    servers.tell(0, &message(5, 100));
    assert!(servers.tell(0, &message(5, 200)).is_some());
}

#[test]
fn late_messages_do_not_move_the_place_to_resume_from() {
    let mut servers = servers();
    servers.tell(0, &message(5, 100));
    assert!(servers.tell(0, &message(3, 90)).is_some());
    assert_eq!(servers.after(0), "t/1:5");
}

#[test]
fn the_past_comes_as_replay_if_it_is_older_than_the_stage() {
    let mut servers = servers();
    let hello = r#"{"type":"hello","server":"a","epoch":"e","head":"t/1:6,u/0:9"}"#;
    let mut is_replay = |text: &str| servers.tell(0, text).map(|batch| batch.get(0).is_replay());
    assert_eq!(is_replay(hello), None);
    assert_eq!(is_replay(&message(5, 100)), Some(true));
    // A server that was just added brings what nobody here has heard yet.
    assert_eq!(is_replay(&message(6, 1000)), Some(false));
    // Late, but not of the past: nobody has heard it before.
    assert_eq!(is_replay(&message(7, 100)), Some(false));
    // Connected again, behind what is known.
    assert_eq!(is_replay(&hello.replace("t/1:6", "t/1:9")), None);
    assert_eq!(is_replay(&message(8, 100)), Some(false));
}

#[test]
fn a_reset_forgets_the_place_to_resume_from() {
    let mut servers = servers();
    servers.tell(0, &message(5, 100));
    servers.tell(
        0,
        r#"{"type":"gap","topic":"t","partition":1,"from":0,"reason":"reset"}"#,
    );
    assert_eq!(servers.after(0), "");
    servers.tell(0, &message(2, 300));
    assert_eq!(servers.after(0), "t/1:2");
}

#[test]
fn gaps_are_counted() {
    let mut servers = servers();
    servers.tell(
        0,
        r#"{"type":"gap","topic":"t","partition":1,"from":3,"to":7,"reason":"evicted"}"#,
    );
    assert_eq!(
        (
            servers.shared.missing.get(),
            servers.shared.gaps()["t/1"].missing
        ),
        (5, 5)
    );
}

#[test]
fn what_another_server_told_is_not_missing() {
    let mut servers = servers();
    let gap = r#"{"type":"gap","topic":"t","partition":1,"from":3,"to":7,"reason":"evicted"}"#;
    servers.tell(1, &message(5, 100));
    servers.tell(0, gap);
    assert_eq!(servers.shared.missing.get(), 2);
    servers.tell(1, &message(7, 100));
    servers.tell(0, gap);
    assert_eq!(servers.shared.missing.get(), 2);
    assert_eq!(servers.shared.gaps()["t/1"].gaps, 1);
    // Each tells a part only: that the other is farther says nothing.
    servers.relay = Relay::new(1000, true);
    servers.tell(0, gap);
    assert_eq!(servers.shared.missing.get(), 7);
}

#[test]
fn what_is_no_frame_is_skipped_and_counted() {
    let mut servers = servers();
    for text in [
        "",
        "{}",
        r#"{"type":"message","from":"a","topic":"t","partition":-1,"offset":1,"data":1}"#,
    ] {
        assert!(servers.tell(0, text).is_none());
    }
    assert_eq!(servers.shared.malformed.get(), 3);
    assert!(servers.tell(0, r#"{"type":"news"}"#).is_none());
    assert_eq!(servers.shared.malformed.get(), 3);
}

#[test]
fn fuzz_any_frame_does_no_harm() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let mut relay = Relay::new(1000, false);
        let shared = Shared::new(
            &Context::detached("peers"),
            std::iter::once("ws://h/".to_owned()),
        );
        let frame = Frame {
            payload: bytes.to_vec().into(),
            text: true,
            received_ns: 9,
        };
        relay.messages(&frame, 0, &shared, &mut |_, _| {});
    });
}
