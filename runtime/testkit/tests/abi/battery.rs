//! The conformance battery: that it finds what a plugin breaks.

use crate::build::{self, Built};
use std::path::Path;
use std::process::Command;

/// Runs the battery.
pub(crate) fn run(object: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pipeline-conformance"))
        .arg(object)
        .args(arguments)
        .output()
        .expect("start pipeline-conformance");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Asserts that the plugin passes each check.
pub(crate) fn assert_conforms(object: &Path, arguments: &[&str]) {
    let (passed, report) = run(object, arguments);
    assert!(passed && !report.contains("skipped  "), "{report}");
}

/// Asserts that the battery says `expected` of a stage that misbehaves as `how`.
fn assert_told(plugin: &Built, how: &str, expected: &str) {
    let settings = format!(r#"{{"how":"{how}"}}"#);
    let (passed, report) = run(&plugin.object, &["--delivers", "--with", &settings]);
    assert!(
        !passed && report.contains(expected),
        "expected `{expected}` of `{how}`:\n{report}"
    );
}

#[test]
fn a_stage_that_keeps_every_rule_passes() {
    for fixture in [
        "misbehaving_sink",
        "misbehaving_source",
        "misbehaving_filter",
    ] {
        assert_conforms(&build::fixture(fixture, &[]).object, &["--delivers"]);
    }
}

#[test]
fn a_sink_that_breaks_a_rule_is_told_which() {
    let sink = build::fixture("misbehaving_sink", &[]);
    for (how, expected) in [
        ("null-instance", "answers 0 and no instance"),
        ("no-functions", "the instance has no functions"),
        ("null-functions", "`start` is null"),
        ("small-functions", "struct_size of 8"),
        ("open-fails-silently", "fails without a text"),
        (
            "fails-opening",
            "the instance failed: failed while it opened",
        ),
        ("start-fails", "`start` answers -1"),
        ("close-times-out", "`close` answers -5"),
        ("double-done", "was settled twice"),
        ("out-of-range", "was settled of a batch of"),
        ("reject-nothing-said", "says no reason"),
        ("wrong-end", "on the wrong end of an edge"),
        ("nonsense", "`log` was called with null"),
        ("drains-twice", "it told the events [1, 2, 2]"),
        ("calls-late", "which is closed or was never open"),
        ("releases-unsettled", "not all messages were settled"),
    ] {
        assert_told(&sink, how, expected);
    }
}

#[test]
fn a_source_that_breaks_a_rule_is_told_which() {
    let source = build::fixture("misbehaving_source", &[]);
    for (how, expected) in [
        ("no-messages", "a batch has 0 messages"),
        ("small-struct", "a batch has a struct_size of 16"),
        ("no-functions", "a batch has no functions"),
        ("null-functions", "a batch's `retain` is null"),
        ("small-functions", "functions have a struct_size of 8"),
        ("huge-n-msgs", "a batch has 4294967295 messages"),
        ("zero-stride", "a batch has a msg_stride of 0"),
        ("odd-stride", "a batch has a msg_stride of 65"),
        ("null-messages", "a batch's messages are null"),
        ("null-topic", "a batch's topic is null"),
        ("null-batch", "a null batch was sent"),
        ("huge-bytes", "a batch says 18446744073709551615 bytes"),
    ] {
        assert_told(&source, how, expected);
    }
}

#[test]
fn a_filter_that_breaks_a_rule_is_told_which() {
    let filter = build::fixture("misbehaving_filter", &[]);
    for (how, expected) in [
        ("null-process", "`process` is null"),
        ("fails", "`process` answers -1"),
        ("decreasing-origin", "the origins decrease"),
        ("zero-stride", "a batch has a msg_stride of 0"),
        ("too-many-messages", "a batch has 8192 messages"),
        ("null-origin", "the origins are null"),
        ("reject-out-of-range", "is rejected"),
        ("null-rejects", "the rejects are null"),
    ] {
        assert_told(&filter, how, expected);
    }
}

#[test]
fn a_plugin_that_must_be_refused_is_refused() {
    for (definition, expected) in [
        ("ENTRY=some_other_symbol", "find the entry"),
        ("ANSWER=NULL", "the entry answers null"),
        ("MAGIC=1", "`magic` is 0x1"),
        ("STRUCT_SIZE=24", "`struct_size` is 24"),
        ("MAJOR=2", "`abi_major` is 2"),
        ("MIN_HOST_MINOR=9", "`min_host_minor` is 9"),
        ("OPEN=NULL", "`open` is null"),
        ("DESCRIBE_STATUS=PL_ERR", "`describe` answers -1"),
    ] {
        let (passed, report) = run(&build::fixture("refused", &[definition]).object, &[]);
        assert!(
            !passed && report.contains(expected),
            "expected `{expected}`:\n{report}"
        );
    }
}
