//! What is written is read again unchanged, and nothing that comes from outside can break a reader.

use proptest::prelude::*;

use crate::*;

fn payloads() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        "[ \\n]?\\{\"price\": ?\"[0-9]{1,6}\",?[ \\n]?\\}".prop_map(String::into_bytes),
        Just(br#"{"a":[1,2,{"b":null}],"c":"\u00e9\ud800"}"#.to_vec()),
        Just(b"{\n  \"pretty\": true\n}".to_vec()),
        Just(b" 1".to_vec()),
        Just(b"1 ".to_vec()),
        Just(b"\"\xff\"".to_vec()),
    ]
}

prop_compose! {
    fn times()(
        received in prop::option::of(0..i64::MAX), produced in prop::option::of(0..i64::MAX),
        consumed in prop::option::of(0..i64::MAX), posted in prop::option::of(0..i64::MAX),
        accepted in prop::option::of(0..i64::MAX),
    ) -> Times {
        Times { received, produced, consumed, posted, accepted }
    }
}

proptest! {
    #[test]
    fn an_envelope_and_a_frame_carry_a_message_unchanged(
        topic in "[a-zA-Z0-9._-]{1,20}x",
        position in prop::option::of((0..i32::MAX, 0..i64::MAX - 1)),
        timestamp in prop::option::of(0..i64::MAX),
        key in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
        trace in prop::option::of("[ -~]{0,60}"),
        times in times(),
        replay: bool,
        payload in payloads(),
    ) {
        let fields = EnvelopeFields {
            topic: Some(&topic), position, timestamp, key: key.as_deref(), traceparent: trace.as_deref(),
            times, replay, payload: &payload,
        };
        let mut line = Vec::new();
        write_envelope(&mut line, &fields);
        prop_assert_eq!(lines(&line).count(), 1);
        let envelope = parse_line(&line).unwrap();
        prop_assert_eq!(envelope.data.as_bytes(), payload.as_slice());
        prop_assert_eq!(envelope.position.as_ref().map(|at| (at.partition, at.offset)), position);
        prop_assert_eq!(envelope.key.as_deref(), key.as_deref());

        let mut frame = Vec::new();
        write_message(&mut frame, "server", &envelope);
        let text = std::str::from_utf8(&frame).unwrap();
        let Frame::Message(read) = parse_frame(text).unwrap() else { panic!("{text}") };
        prop_assert_eq!(read.from.as_ref(), "server");
        prop_assert_eq!(read.message.data.as_bytes(), payload.as_slice());
        if read.message.data.is_json() {
            prop_assert_eq!(&frame[frame.len() - 1 - payload.len()..frame.len() - 1], payload.as_slice());
        }
        let mut again = Vec::new();
        write_envelope(&mut again, &EnvelopeFields::from(&read.message));
        prop_assert_eq!(again, line);
    }
}

fn error(line: &str) -> String {
    parse_line(line.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_payload_alone_is_an_envelope() {
    let envelope = parse_line(br#"{"data": {"p":1} , "unknown":[1]}"#).unwrap();
    assert_eq!(envelope.data, Data::of(br#"{"p":1}"#));
    assert_eq!(envelope.position, None);
}

#[test]
fn impossible_positions_are_named() {
    let with = |fields: &str| error(&format!(r#"{{{fields},"data":1}}"#));
    assert_eq!(
        with(r#""offset":1,"partition":0"#),
        "`offset` without `topic`: a position is `topic`, `partition` and `offset`"
    );
    assert_eq!(
        with(r#""topic":"t","offset":1"#),
        "`offset` without `partition`: a position is `topic`, `partition` and `offset`"
    );
    assert_eq!(
        with(r#""topic":"t","partition":1"#),
        "`partition` without `offset`: a position is `topic`, `partition` and `offset`"
    );
    assert_eq!(
        with(r#""topic":"t","partition":-1,"offset":1"#),
        "impossible `partition` -1: expected 0 to 2147483647"
    );
    assert_eq!(
        with(r#""topic":"t","partition":4294967296,"offset":1"#),
        "impossible `partition` 4294967296: expected 0 to 2147483647"
    );
    assert_eq!(
        with(r#""topic":"t","partition":1,"offset":-1"#),
        "impossible `offset` -1: expected 0 to 9223372036854775806"
    );
    assert!(
        with(r#""topic":"a b","partition":1,"offset":1"#).starts_with("impossible `topic` \"a b\"")
    );
    assert_eq!(
        with(r#""timestamp":-1"#),
        "impossible `timestamp` -1: expected nanoseconds since 1970"
    );
    assert_eq!(
        with(r#""times":{"posted":-1}"#),
        "impossible `times.posted` -1: expected nanoseconds since 1970"
    );
}

#[test]
fn a_line_without_exactly_one_payload_is_an_error() {
    assert_eq!(error("{}"), "no payload: expected `data` or `data_base64`");
    assert_eq!(
        error(r#"{"data":1,"data_base64":"AA=="}"#),
        "both `data` and `data_base64`: expected one of them"
    );
    assert!(error(r#"{"data_base64":"?"}"#).starts_with("`data_base64` is not base64: "));
    assert_eq!(
        error(r#"{"key":"a","key_base64":"AA==","data":1}"#),
        "both `key` and `key_base64`: expected one of them"
    );
}

#[test]
fn what_is_no_object_is_no_envelope() {
    for line in [
        "",
        "x",
        "[]",
        "1",
        "{\"data\":1",
        "{\"data\":1}{}",
        "{\"topic\":7,\"data\":1}",
    ] {
        assert!(error(line).starts_with("not an envelope: "), "{line}");
    }
    assert!(parse_line(b"{\"data\":\"\xff\"}").is_err());
}

#[test]
fn a_number_that_does_not_fit_is_told_with_its_field() {
    let expected = "expected a whole number from 0 to 9223372036854775806";
    for (field, text) in [
        (
            "offset",
            r#"{"topic":"t","partition":0,"offset":9223372036854775808,"data":1}"#,
        ),
        (
            "offset",
            r#"{"topic":"t","partition":0,"offset":1e30,"data":1}"#,
        ),
        (
            "partition",
            r#"{"topic":"t","partition":"0","offset":1,"data":1}"#,
        ),
        ("timestamp", r#"{"timestamp":1.5,"data":1}"#),
        (
            "times.received",
            r#"{"times":{"received":99999999999999999999},"data":1}"#,
        ),
    ] {
        let error = parse_line(text.as_bytes()).unwrap_err().to_string();
        let named = format!("not an envelope: `{field}`: ");
        assert!(
            error.starts_with(&named) && error.contains(expected),
            "{error}"
        );
    }
    let error = parse_line(br#"{"replay":"yes","data":1}"#)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("not an envelope: `replay`: invalid type: string"),
        "{error}"
    );
    let error = parse_line(br#"{"data":1"#).unwrap_err().to_string();
    assert!(error.starts_with("not an envelope: EOF"), "{error}");
    let frame = r#"{"type":"message","from":"a","offset":9223372036854775808,"data":1}"#;
    let error = parse_frame(frame).unwrap_err().to_string();
    assert!(
        error.starts_with("not a frame: `offset`: ") && error.contains(expected),
        "{error}"
    );
}

#[test]
fn null_data_is_a_payload() {
    assert_eq!(
        parse_line(br#"{"data":null}"#).unwrap().data,
        Data::of(b"null")
    );
}

#[test]
fn blank_lines_do_not_count() {
    let body = b"\n{\"data\":1}\r\n  \n{\"data\":2}";
    assert_eq!(
        lines(body)
            .map(|line| line.trim_ascii())
            .collect::<Vec<_>>(),
        [b"{\"data\":1}", b"{\"data\":2}"]
    );
    assert_eq!(lines(b"").count(), 0);
}

#[test]
fn hello_and_gap_are_read_as_they_were_written() {
    let hello = Hello {
        server: "a".to_owned(),
        epoch: "1".to_owned(),
        peers: vec!["ws://b/ws".to_owned()],
        head: "t/0:1".to_owned(),
    };
    let gap = Gap {
        topic: "t".to_owned(),
        partition: 1,
        from: 2,
        to: Some(3),
        reason: GapReason::Evicted,
    };
    let mut text = Vec::new();
    write_hello(&mut text, &hello);
    assert_eq!(
        parse_frame(std::str::from_utf8(&text).unwrap()),
        Ok(Frame::Hello(hello))
    );
    text.clear();
    write_gap(&mut text, &gap);
    assert_eq!(
        text,
        br#"{"type":"gap","topic":"t","partition":1,"from":2,"to":3,"reason":"evicted"}"#,
    );
    assert_eq!(
        parse_frame(std::str::from_utf8(&text).unwrap()),
        Ok(Frame::Gap(gap))
    );
}

#[test]
fn frames_of_another_type_are_told_apart() {
    assert_eq!(
        parse_frame(r#"{"type":"later","x":1}"#),
        Ok(Frame::Unknown("later".to_owned()))
    );
    assert!(matches!(parse_frame("[]"), Err(FrameError::Json(_))));
    assert!(matches!(
        parse_frame(r#"{"type":"message","from":"a"}"#),
        Err(FrameError::Message(EnvelopeError::NoData))
    ));
}

/// Texts that fuzzing starts from: random bytes alone hardly ever get past the first bracket.
const SEEDS: [&str; 6] = [
    r#"{"topic":"stock_trade","partition":0,"offset":42,"timestamp":1700000000000000000,"key":"KRW-BTC","data":{"p":"1"}}"#,
    r#"{"traceparent":"00-ab-cd-01","times":{"received":1,"posted":2},"replay":true,"data_base64":"AQID"}"#,
    r#"{"key_base64":"/w==","data":["\u00e9",null,-1.5e3]}"#,
    r#"{"type":"message","from":"a:1","topic":"t","partition":1,"offset":2,"trace":"00","data":"x"}"#,
    r#"{"type":"gap","topic":"t","partition":1,"from":2,"to":3,"reason":"evicted"}"#,
    r#"{"type":"hello","server":"a","epoch":"1","peers":["ws://b/ws"],"head":"t/0:1"}"#,
];

/// Seeds with a few bytes changed, and plain random bytes. One test, for a fuzzer takes a target by the name of its test.
#[test]
fn fuzz_lines_and_frames() {
    type Changes = (u8, Vec<(u16, u8)>, Vec<u8>);
    bolero::check!()
        .with_type::<Changes>()
        .for_each(|(seed, changes, random)| {
            let mut text = SEEDS[usize::from(*seed) % SEEDS.len()].as_bytes().to_vec();
            for (place, byte) in changes.iter().take(8) {
                let place = usize::from(*place) % text.len();
                text[place] = *byte;
            }
            for bytes in [&text, random] {
                what_parses_is_written_back(bytes);
                any_text_is_a_frame_or_an_error(bytes);
            }
        });
}

fn what_parses_is_written_back(bytes: &[u8]) {
    let Ok(envelope) = parse_line(bytes) else {
        return;
    };
    let mut line = Vec::new();
    write_envelope(&mut line, &EnvelopeFields::from(&envelope));
    let again = parse_line(&line).unwrap();
    assert_eq!(again.data.as_bytes(), envelope.data.as_bytes());
    assert_eq!(
        (&again.position, &again.key, again.times),
        (&envelope.position, &envelope.key, envelope.times)
    );
    let mut frame = Vec::new();
    write_message(&mut frame, "server", &envelope);
    let Ok(Frame::Message(read)) = parse_frame(std::str::from_utf8(&frame).unwrap()) else {
        panic!()
    };
    assert_eq!(read.message, envelope);
}

fn any_text_is_a_frame_or_an_error(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = parse_frame(text);
    }
}
