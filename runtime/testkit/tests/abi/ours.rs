//! Our stages keep the ABI, without anything to talk to: no broker, no server, no client.

use crate::battery::assert_conforms;
use pipeline_testkit::profile_folder;

/// Asserts it of the stage in `libstage_<name>.so`.
fn assert_stage_conforms(name: &str, arguments: &[&str]) {
    let object = profile_folder().join(format!("libstage_{name}.so"));
    assert!(
        object.exists(),
        "{} is missing: build the workspace first",
        object.display()
    );
    assert_conforms(&object, arguments);
}

#[test]
fn kafka_group_source_keeps_the_abi() {
    let settings = r#"{"brokers":"127.0.0.1:1","topic":"t","group":"g"}"#;
    assert_stage_conforms("kafka_group_source", &["--with", settings]);
}

#[test]
fn kafka_sink_keeps_the_abi() {
    assert_stage_conforms(
        "kafka_sink",
        &["--with", r#"{"brokers":"127.0.0.1:1","topic":"t"}"#],
    );
}

#[test]
fn http_post_keeps_the_abi() {
    assert_stage_conforms("http_post", &["--with", r#"{"url":"http://127.0.0.1:1/"}"#]);
}

/// Failures are messages too, so that it delivers without a server.
#[test]
fn http_poll_source_keeps_the_abi() {
    let settings = r#"{"urls":["http://127.0.0.1:1/"],"interval":"100ms"}"#;
    assert_stage_conforms("http_poll_source", &["--delivers", "--with", settings]);
}

#[test]
fn websocket_source_keeps_the_abi() {
    assert_stage_conforms(
        "websocket_source",
        &["--with", r#"{"urls":["ws://127.0.0.1:1/"]}"#],
    );
}

/// A message is done when it is in the ring, so that it delivers without a client.
#[test]
fn ws_broadcast_keeps_the_abi() {
    assert_stage_conforms(
        "ws_broadcast",
        &["--delivers", "--with", r#"{"listen":"127.0.0.1:0"}"#],
    );
}

#[test]
fn trade_generator_keeps_the_abi() {
    assert_stage_conforms(
        "trade_generator",
        &["--delivers", "--with", r#"{"rate":1000}"#],
    );
}

#[test]
fn trade_normalizer_keeps_the_abi() {
    assert_stage_conforms("trade_normalizer", &["--delivers"]);
}
