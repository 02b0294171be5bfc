//! Stages that break a rule while they run: contained, told, and the process goes on.

use crate::build::{self, Built};
use crate::flow::{Running, Stage, assert_fails, start};
use pipeline_host::StartError;
use std::time::Duration;

fn source() -> Built {
    build::fixture("misbehaving_source", &[])
}

fn filter() -> Built {
    build::fixture("misbehaving_filter", &[])
}

fn sink() -> Built {
    build::fixture("misbehaving_sink", &[])
}

/// A flow of the well-behaved source and a sink that misbehaves.
fn start_sink(how: &str) -> Result<Running, StartError> {
    let (source, sink) = (source(), sink());
    start(&[
        Stage {
            fixture: &source,
            how: "",
        },
        Stage {
            fixture: &sink,
            how,
        },
    ])
}

/// A flow of a source that misbehaves and the well-behaved sink.
fn start_source(how: &str) -> Result<Running, StartError> {
    let (source, sink) = (source(), sink());
    start(&[
        Stage {
            fixture: &source,
            how,
        },
        Stage {
            fixture: &sink,
            how: "",
        },
    ])
}

/// A flow with a filter that misbehaves between the two.
fn start_filter(how: &str) -> Result<Running, StartError> {
    let (source, filter, sink) = (source(), filter(), sink());
    start(&[
        Stage {
            fixture: &source,
            how: "",
        },
        Stage {
            fixture: &filter,
            how,
        },
        Stage {
            fixture: &sink,
            how: "",
        },
    ])
}

fn error_of(started: Result<Running, StartError>) -> String {
    match started {
        Ok(running) => panic!("it started:\n{}", running.log()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn fixtures_that_do_not_misbehave_settle_everything() {
    let running = start_filter("").expect("a flow");
    running.wait_until_settled();
    running.assert_ends();
}

#[test]
fn a_message_that_is_settled_twice_counts_once() {
    for how in ["double-done", "out-of-range"] {
        let running = start_sink(how).expect("a flow");
        running.wait_until_settled();
        let edge = &running.stage("bottom").inputs[0];
        assert_eq!((edge.counts.done, edge.counts.rejected), (42, 0), "{how}");
        assert!(edge.counts.ignored > 0, "{how}: {edge:?}");
        running.assert_ends();
    }
}

#[test]
fn messages_may_be_settled_in_any_order() {
    let running = start_sink("reverse").expect("a flow");
    running.wait_until_settled();
    assert_eq!(running.stage("bottom").inputs[0].counts.ignored, 0);
    running.assert_ends();
}

#[test]
fn a_rejection_without_a_text_is_a_rejection() {
    let running = start_sink("reject-nothing-said").expect("a flow");
    running.wait_until_settled();
    assert_eq!(running.stage("bottom").rejected, 42);
    running.assert_ends();
}

#[test]
fn a_sink_that_never_settles_is_left_with_its_messages() {
    let running = start_sink("never-settles").expect("a flow");
    running.wait_until_sent();
    let drained = running.handle.drain(Duration::from_millis(300));
    assert!(
        !drained.clean && drained.left[0].messages == 42,
        "{drained:?}"
    );
    running.close();
}

#[test]
fn a_sink_that_releases_unsettled_messages_fails_and_gets_them_again() {
    let running = start_sink("releases-unsettled").expect("a flow");
    running.wait_until_failed("");
    assert!(running.has_logged("unsettled"), "{}", running.log());
    running.close();
}

#[test]
fn calls_that_make_no_sense_do_no_harm() {
    for how in ["nonsense", "wrong-end", "drains-twice"] {
        let running = start_sink(how).expect("a flow");
        running.wait_until_settled();
        running.assert_ends();
    }
}

#[test]
fn callbacks_after_close_are_nobodys() {
    for how in ["calls-late", "settles-late"] {
        let running = start_sink(how).expect("a flow");
        running.handle.drain(Duration::from_millis(300));
        running.close();
        // They come for a second; another flow of the same plugin does not notice.
        let next = start_sink("").expect("a flow");
        next.wait_until_settled();
        next.assert_ends();
    }
}

#[test]
fn an_instance_that_cannot_be_used_is_not_opened() {
    for (how, expected) in [
        ("open-fails", "stage `bottom`: failed to open: xxx"),
        ("open-fails-silently", "`open` failed with status -1234"),
        ("null-instance", "null or misaligned stage"),
        ("no-functions", "the stage has no functions"),
        ("null-functions", "no function `start`"),
        ("small-functions", "has 8 bytes, expected at least 40"),
        ("fails-opening", "failed while it opened"),
        ("start-fails", "`start` failed with status -1"),
    ] {
        let error = error_of(start_sink(how));
        assert!(
            error.contains(expected),
            "expected `{expected}` of `{how}`, got `{error}`"
        );
        assert!(error.len() < 5000, "a text of {} bytes", error.len());
    }
}

#[test]
fn a_sink_that_fails_is_opened_again_and_gets_its_messages() {
    let running = start_sink("fails-later").expect("a flow");
    running.wait_until_failed("failed after it had received");
    running.wait_until_settled();
    running.close();
}

#[test]
fn a_sink_that_never_drains_is_closed_in_time() {
    let running = start_sink("never-drains").expect("a flow");
    running.wait_until_settled();
    assert!(!running.handle.drain(Duration::from_millis(300)).clean);
    running.close();
}

#[test]
fn a_sink_that_does_not_close_is_stuck_and_told() {
    for how in ["close-times-out", "blocks-in-close"] {
        let running = start_sink(how).expect("a flow");
        let stuck = running.handle.close(Duration::from_millis(300));
        assert_eq!(stuck.expect_err("stuck").stages, ["bottom"], "{how}");
        assert_eq!(running.wait_until_stuck(), "bottom", "{how}");
    }
}

#[test]
fn a_batch_that_breaks_a_rule_fails_its_source() {
    for (how, expected) in [
        (
            "huge-n-msgs",
            "the batch holds 4294967295 messages, expected 1 to 4096",
        ),
        ("too-many-messages", "the batch holds 4097 messages"),
        ("no-messages", "the batch holds 0 messages"),
        (
            "zero-stride",
            "`msg_stride` is 0, expected a multiple of 8 from 64",
        ),
        ("odd-stride", "`msg_stride` is 65"),
        ("null-messages", "`msgs` is a null or misaligned pointer"),
        ("small-struct", "`struct_size` of the batch is 16"),
        ("null-functions", "functions are missing or incomplete"),
        ("no-functions", "functions are missing or incomplete"),
        ("small-functions", "functions are missing or incomplete"),
        ("null-batch", "null or misaligned pointer"),
    ] {
        assert_fails(how, start_source(how), "sent an invalid batch: ", expected);
    }
}

#[test]
fn a_batch_that_lies_about_itself_is_delivered() {
    for how in ["null-topic", "huge-bytes"] {
        let running = start_source(how).expect("a flow");
        running.wait_until_settled();
        running.assert_ends();
    }
}

#[test]
fn a_source_that_sends_after_it_has_drained_loses_nothing() {
    let running = start_source("sends-after-drained").expect("a flow");
    running.wait_until_settled();
    running.handle.drain(Duration::from_secs(2));
    running.close();
}

#[test]
fn an_answer_that_breaks_a_rule_fails_its_filter() {
    for (how, expected) in [
        (
            "decreasing-origin",
            "output message 1 came from input message 0",
        ),
        ("origin-out-of-range", "came from input message 4294967295"),
        ("null-origin", "null or misaligned `origin`"),
        ("too-many-messages", "8192 messages"),
        ("zero-stride", "`msg_stride` is 0"),
        ("reject-out-of-range", "rejected message 4294967295 of 2"),
        ("null-rejects", "5 rejects for 2 messages"),
        ("huge-n-rejects", "4294967295 rejects for 2 messages"),
        ("fails", "status -1"),
        ("unknown-status", "status 4711"),
    ] {
        assert_fails(how, start_filter(how), "", expected);
    }
}

#[test]
fn a_filter_without_process_is_not_opened() {
    assert!(error_of(start_filter("null-process")).contains("no function `process`"));
}

#[test]
fn a_message_whose_output_never_fits_is_rejected() {
    let running = start_filter("always-again").expect("a flow");
    running.wait_until_settled();
    assert_eq!(running.stage("middle").rejected, 42);
    running.assert_ends();
}

#[test]
fn a_filter_that_rejects_without_a_text_goes_on() {
    let running = start_filter("reject-nothing-said").expect("a flow");
    running.wait_until_settled();
    running.assert_ends();
}
