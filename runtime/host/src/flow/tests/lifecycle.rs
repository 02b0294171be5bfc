use super::*;
use crate::flow::{OnReject, Restart, StartError};
use crate::metrics::Value;
use crate::supervise::HostEvent;
use crate::testing::{Act, eventually, made};
use pipeline_abi::{PL_AGAIN, PL_ERR_TIMEOUT, PL_EVENT_FINISHED, PL_EVENT_HEALTH};

#[test]
fn message_goes_down_and_done_comes_back_once() {
    let line = line();
    let batch = line.source.send(&["a", "b", "c"]);
    eventually("done", || batch.is_done() && batch.is_freed());
    assert_eq!(line.sink.seen(), ["a", "b", "c"]);
    line.end();
}

#[test]
fn stages_open_from_the_bottom_and_close_from_the_top() {
    let order: Arc<parking_lot::Mutex<Vec<&str>>> = Arc::default();
    let (opened, closed) = (order.clone(), order.clone());
    let (source, sink) = (Bench::new("source"), Bench::new("sink"));
    source.on_open(move |_| {
        opened.lock().push("source");
        Ok(())
    });
    sink.on_open(move |_| {
        closed.lock().push("sink");
        Ok(())
    });
    let (host, _told) = host();
    let spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("out", "sink", &sink, &["in"]),
    ]);
    let flow = host.start(spec).unwrap();
    end(&flow);
    assert_eq!(*order.lock(), ["sink", "source"]);
    assert_eq!(source.calls(), ["open", "start", "drain", "close"]);
    assert_eq!(sink.calls(), ["open", "start", "drain", "close"]);
}

#[test]
fn full_window_parks_the_producer_until_half_of_it_is_settled() {
    let line = line_with(|spec| spec.stages[1].buffer.messages = 10);
    line.sink.act(|_| Act::Keep);
    for number in 0..10 {
        line.source.send(&[number.to_string()]);
    }
    let (batch, _made) = made(&["one more"]);
    assert_eq!(line.source.try_send(batch), PL_AGAIN);
    assert_eq!(line.flow.left()[0].messages, 10);
    line.end();
}

#[test]
fn drain_settles_what_the_sink_keeps() {
    let line = line();
    line.sink.act(|_| Act::Keep);
    let batch = line.source.send(&["a", "b"]);
    eventually("kept", || line.sink.seen().len() == 2);
    assert!(!batch.is_done());
    line.end();
    assert!(batch.is_done() && batch.is_freed());
}

#[test]
fn drain_that_takes_too_long_says_what_is_left() {
    let line = line();
    line.sink.act(|_| Act::Forget);
    line.sink.take.lock().clone_from(&0);
    let batch = line.source.send(&["a", "b"]);
    let drained = line.flow.drain(Duration::from_millis(100));
    assert!(!drained.clean);
    assert_eq!(
        (drained.left[0].messages, drained.left[0].replayable),
        (2, true)
    );
    line.flow.close(Duration::from_secs(5)).unwrap();
    drop(line);
    eventually("the batch is freed with the flow", || batch.is_freed());
    assert_eq!(batch.done(), [0, 0]);
}

#[test]
fn first_open_that_fails_is_an_error_and_closes_what_was_opened() {
    let (source, sink) = (Bench::new("source"), Bench::new("sink"));
    source.on_open(|_| Err("address in use".into()));
    let (host, _told) = host();
    let spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("out", "sink", &sink, &["in"]),
    ]);
    let error = host.start(spec).err().unwrap();
    assert_eq!(error.to_string(), "stage `in`: address in use");
    assert!(matches!(error, StartError::Open { .. }));
    assert_eq!(sink.calls(), ["open", "start", "close"]);
}

#[test]
fn stage_that_may_not_restart_fails_the_flow() {
    let line = line_with(|spec| spec.stages[1].restart = Restart::Never);
    line.sink.act(|_| Act::Fail("broken"));
    line.source.send(&["a"]);
    eventually("told", || !line.told.events.lock().is_empty());
    let event = line.told.events.lock()[0].clone();
    assert!(
        matches!(event, HostEvent::Failed { stage, error, .. } if stage == "out" && error == "broken")
    );
    line.flow.close(Duration::from_secs(5)).unwrap();
    assert_eq!(line.flow.left()[0].messages, 1);
}

#[test]
fn reject_that_stops_fails_the_flow_and_settles_nothing() {
    let line = line_with(|spec| spec.stages[1].on_reject = OnReject::Stop);
    line.sink.act(|_| Act::Reject("no good"));
    let batch = line.source.send(&["a"]);
    eventually("told", || !line.told.events.lock().is_empty());
    let began = std::time::Instant::now();
    let patience = Duration::from_secs(60);
    let drained = line.flow.drain(patience);
    assert!(!drained.clean && began.elapsed() < patience);
    line.flow.close(Duration::from_secs(5)).unwrap();
    assert_eq!(batch.done(), [0]);
}

#[test]
fn flow_whose_sources_ended_settles_the_rest_and_says_so() {
    let line = line();
    let batch = line.source.send(&["a"]);
    line.source.event(PL_EVENT_FINISHED, 0, "");
    eventually("told", || !line.told.events.lock().is_empty());
    assert!(matches!(
        line.told.events.lock()[0],
        HostEvent::Finished { .. }
    ));
    assert!(batch.is_done());
    line.flow.close(Duration::from_secs(5)).unwrap();
}

#[test]
fn degraded_stage_is_open_but_not_ready() {
    let line = line();
    assert!(line.flow.is_ready().is_ok());
    line.sink.event(PL_EVENT_HEALTH, 1, "broker away");
    assert_eq!(
        line.flow.is_ready().unwrap_err(),
        ["stage `out` is degraded: broker away"]
    );
    assert!(line.flow.is_open());
    line.sink.event(PL_EVENT_HEALTH, 0, "");
    assert!(line.flow.is_ready().is_ok());
    line.end();
}

#[test]
fn stage_that_says_it_is_stuck_in_close_is_told() {
    let line = line();
    *line.sink.close_status.lock() = PL_ERR_TIMEOUT;
    line.flow.drain(Duration::from_secs(5));
    let stuck = line.flow.close(Duration::from_millis(100)).unwrap_err();
    assert_eq!(stuck.stages, ["out"]);
    assert!(matches!(
        line.told.events.lock()[0],
        HostEvent::Stuck { .. }
    ));
}

#[test]
fn stage_that_blocks_in_close_is_told() {
    let line = line();
    *line.sink.blocks_in_close.lock() = Duration::from_secs(4);
    let stuck = line.flow.close(Duration::from_millis(100)).unwrap_err();
    assert_eq!(stuck.stages, ["out"]);
    assert!(matches!(
        line.told.events.lock()[0],
        HostEvent::Stuck { .. }
    ));
}

#[test]
fn numbers_of_a_flow_are_in_the_snapshot() {
    let line = line();
    let batch = line.source.send(&["aa", "b"]);
    eventually("done", || batch.is_done());
    let snapshot = line.host.metrics();
    let edge = [
        ("flow", "flow"),
        ("stage", "out"),
        ("from", "in"),
        ("instance", "0"),
    ];
    assert_eq!(
        snapshot.get("pipeline_edge_messages", &edge),
        Some(&Value::Counter(2))
    );
    assert_eq!(
        snapshot.get("pipeline_edge_payload", &edge),
        Some(&Value::Counter(3))
    );
    assert_eq!(
        snapshot.get("pipeline_edge_done_messages", &edge),
        Some(&Value::Counter(2))
    );
    assert_eq!(
        snapshot.get("pipeline_edge_unsettled_messages", &edge),
        Some(&Value::Gauge(0.0))
    );
    assert_eq!(
        snapshot.get("pipeline_source_messages", &[("stage", "in")]),
        Some(&Value::Counter(2))
    );
    let Some(Value::Histogram { buckets, sum, .. }) = snapshot.get("pipeline_message_age", &edge)
    else {
        panic!()
    };
    assert_eq!(buckets.last().unwrap().1, 2);
    assert!(*sum > 1e9, "the messages are from 1970");
    line.end();
}
