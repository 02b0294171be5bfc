//! Stages in Rust that panic: one stage fails, the others and the process go on.

use crate::build;
use crate::flow::{Running, Stage, assert_fails, start};
use pipeline_host::StartError;
use serde_json::json;

/// A flow with a sink that panics where it is told to.
fn start_sink(how: &str) -> Result<Running, StartError> {
    let source = build::fixture("misbehaving_source", &[]);
    let sink = build::rust("panicking_sink");
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

/// A flow with a filter that panics where it is told to.
fn start_filter(how: &str) -> Result<Running, StartError> {
    let source = build::fixture("misbehaving_source", &[]);
    let filter = build::rust("panicking_filter");
    let sink = build::fixture("misbehaving_sink", &[]);
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

#[test]
fn stages_that_do_not_panic_settle_everything() {
    for started in [start_sink(""), start_filter("")] {
        let running = started.expect("a flow");
        running.wait_until_settled();
        running.assert_ends();
    }
}

#[test]
fn a_panic_in_open_is_why_a_flow_does_not_start() {
    for started in [start_sink("open"), start_filter("open")] {
        let error = started
            .err()
            .expect("a flow that does not start")
            .to_string();
        assert!(error.contains("panic in open"), "{error}");
    }
}

#[test]
fn a_panic_in_run_is_why_a_sink_failed() {
    assert_fails("run", start_sink("run"), "panicked: panic in run", "");
}

#[test]
fn an_error_of_run_is_why_a_sink_failed() {
    assert_fails("error", start_sink("error"), "an error in run", "");
}

#[test]
fn a_panic_in_a_task_or_thread_of_a_stage_fails_the_stage() {
    for how in ["spawn", "thread"] {
        assert_fails(how, start_sink(how), "panicked: panic in ", how);
    }
}

#[test]
fn a_panic_while_draining_ends_with_a_settled_flow() {
    let running = start_sink("drain").expect("a flow");
    running.wait_until_settled();
    running.assert_ends();
}

#[test]
fn a_panic_in_drop_does_not_end_the_process() {
    let running = start_sink("drop").expect("a flow");
    running.wait_until_settled();
    running.assert_ends();
}

#[test]
fn a_panic_in_validate_is_an_answer() {
    let plugin = build::rust("panicking_sink").load();
    let answer = plugin.validate("panicking-sink", &json!({ "how": "validate" }));
    assert!(answer.expect_err("a failure").contains("status -2"));
}

#[test]
fn a_panic_in_process_is_why_a_filter_failed() {
    assert_fails(
        "process",
        start_filter("process"),
        "panicked: panic in process",
        "",
    );
}

#[test]
fn a_message_that_makes_a_stage_panic_is_rejected_and_no_other() {
    for (stage, started) in [
        ("bottom", start_sink("poison")),
        ("middle", start_filter("poison")),
    ] {
        let running = started.expect("a flow");
        running.wait_until_settled();
        assert_eq!(running.stage(stage).rejected, 1, "{}", running.log());
        assert!(running.stage(stage).restarts > 1, "{}", running.log());
        running.assert_ends();
    }
}
