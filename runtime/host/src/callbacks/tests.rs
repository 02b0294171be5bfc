use super::*;
use crate::metrics::Value;
use crate::testing::{Bench, Told, eventually, flow, host, stage};
use std::sync::Arc;

/// A running flow with one stage that calls back.
fn running() -> (Arc<Bench>, crate::FlowHandle, Arc<crate::Host>, Arc<Told>) {
    let (host, told) = host();
    let sink = Bench::new("sink");
    let source = Bench::new("source");
    let spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("out", "sink", &sink, &["in"]),
    ]);
    (sink, host.start(spec).unwrap(), host, told)
}

fn text(text: &'static str) -> PlStr {
    PlStr::new(text.as_bytes())
}

fn spec(cookie: u64, labels: &[PlField]) -> PlInstrumentSpec {
    PlInstrumentSpec {
        struct_size: size_of::<PlInstrumentSpec>() as u32,
        kind: PL_INSTRUMENT_COUNTER,
        cookie,
        name: text("pipeline_things"),
        unit: text(""),
        help: text("Things."),
        labels: labels.as_ptr(),
        bounds: std::ptr::null(),
        n_labels: labels.len() as u32,
        n_bounds: 0,
    }
}

#[test]
fn calls_with_an_unknown_cookie_are_ignored() {
    // SAFETY: the host's own table, with arguments that live for the calls.
    unsafe {
        (TABLE.event)(TABLE.ctx, u64::MAX, PL_EVENT_FAILED, -1, text("late"));
        (TABLE.status)(TABLE.ctx, u64::MAX, text("{}"));
        assert!((TABLE.instrument)(TABLE.ctx, &spec(u64::MAX, &[])).is_null());
        (TABLE.record)(std::ptr::null_mut(), 1);
        assert!((TABLE.get_ext)(TABLE.ctx, text("pl.unknown/1")).is_null());
    }
}

#[test]
fn events_of_a_closed_instance_do_not_reach_the_next_one() {
    let (sink, flow, _host, told) = running();
    let old = sink.cookie();
    sink.event(PL_EVENT_FAILED, -1, "first");
    eventually("opened again", || sink.cookie() != old && flow.is_open());
    // SAFETY: the host's own table.
    unsafe { (TABLE.event)(TABLE.ctx, old, PL_EVENT_FAILED, -1, text("late")) };
    assert!(flow.drain(std::time::Duration::from_secs(5)).clean);
    assert!(!told.logged("late"));
    assert_eq!(flow.status().stages[1].restarts, 1);
    flow.close(std::time::Duration::from_secs(5)).unwrap();
}

#[test]
fn instrument_of_a_stage_carries_its_labels_and_counts() {
    let (sink, flow, host, told) = running();
    let label = PlField {
        name: text("kind"),
        kind: PL_FIELD_STR,
        reserved: 0,
        s: text("good"),
        n: 0,
    };
    // SAFETY: the host's own table, with arguments that live for the calls.
    unsafe {
        let instrument = (TABLE.instrument)(TABLE.ctx, &spec(sink.cookie(), &[label]));
        (TABLE.record)(instrument, 3);
        let same = (TABLE.instrument)(TABLE.ctx, &spec(sink.cookie(), &[label]));
        assert_eq!(instrument, same);
        let reserved = PlField {
            name: text("flow"),
            ..label
        };
        assert!((TABLE.instrument)(TABLE.ctx, &spec(sink.cookie(), &[reserved])).is_null());
    }
    let labels = [
        ("flow", "flow"),
        ("stage", "out"),
        ("instance", "0"),
        ("kind", "good"),
    ];
    assert_eq!(
        host.metrics().get("pipeline_things", &labels),
        Some(&Value::Counter(3))
    );
    assert!(told.logged("an instrument is refused: the label `flow`"));
    flow.close(std::time::Duration::from_secs(5)).unwrap();
}

#[test]
fn extreme_values_and_texts_spoil_nothing() {
    let (sink, flow, host, _told) = running();
    let label = PlField {
        name: text("what"),
        kind: PL_FIELD_STR,
        reserved: 0,
        s: PlStr::new(b"\xff\xfe"),
        n: 0,
    };
    let labels = [label];
    let bounds = [1.0];
    let spec = |kind, name| PlInstrumentSpec {
        kind,
        name,
        ..spec(sink.cookie(), &labels)
    };
    let trace = PlTrace {
        trace_id: [1; 16],
        span_id: [2; 8],
        flags: 1,
        reserved: [0; 7],
        tracestate: PlStr::EMPTY,
    };
    // SAFETY: the host's own table, with arguments that live for the calls.
    unsafe {
        let counter =
            (TABLE.instrument)(TABLE.ctx, &spec(PL_INSTRUMENT_COUNTER, text("pipeline_a")));
        (TABLE.record)(counter, u64::MAX);
        let gauge = (TABLE.instrument)(TABLE.ctx, &spec(PL_INSTRUMENT_GAUGE, text("pipeline_b")));
        (TABLE.record)(gauge, u64::MAX);
        let histogram = PlInstrumentSpec {
            bounds: bounds.as_ptr(),
            n_bounds: 1,
            ..spec(PL_INSTRUMENT_HISTOGRAM, text("pipeline_c"))
        };
        let histogram = (TABLE.instrument)(TABLE.ctx, &histogram);
        for value in [f64::NAN, f64::NEG_INFINITY, -1.0, f64::MAX, 0.5] {
            (TABLE.record_traced)(histogram, value.to_bits(), &raw const trace);
        }
        (TABLE.record_traced)(histogram, 0, std::ptr::null());
        (TABLE.record_traced)(std::ptr::null_mut(), 0, &raw const trace);
    }
    let labels = [("stage", "out"), ("what", "<not UTF-8>")];
    let metrics = host.metrics();
    assert_eq!(
        metrics.get("pipeline_a", &labels),
        Some(&Value::Counter(u64::MAX))
    );
    assert!(
        matches!(metrics.get("pipeline_b", &labels), Some(Value::Gauge(bits)) if bits.is_nan())
    );
    let Some(Value::Histogram {
        buckets,
        sum,
        exemplars,
    }) = metrics.get("pipeline_c", &labels)
    else {
        panic!("expected a histogram")
    };
    assert_eq!(*buckets, [(1.0, 2), (f64::INFINITY, 3)]);
    assert_eq!(*sum, f64::MAX);
    let values: Vec<_> = exemplars
        .iter()
        .map(|(bucket, exemplar)| (*bucket, exemplar.value, exemplar.trace_id))
        .collect();
    assert_eq!(values, [(0, 0.5, [1; 16]), (1, f64::MAX, [1; 16])]);
    flow.close(std::time::Duration::from_secs(5)).unwrap();
}

#[test]
fn status_document_is_shown_and_bounded() {
    let (sink, flow, _host, told) = running();
    let say = |json: &str| {
        let json = PlStr {
            ptr: json.as_ptr(),
            len: json.len(),
        };
        // SAFETY: the host's own table, with text that lives for the call.
        unsafe { (TABLE.status)(TABLE.ctx, sink.cookie(), json) };
    };
    say(r#"{"lag": 3}"#);
    assert_eq!(flow.status().stages[1].document.as_ref().unwrap()["lag"], 3);
    say(&"x".repeat(STATUS_MAX + 1));
    assert_eq!(flow.status().stages[1].document.as_ref().unwrap()["lag"], 3);
    assert!(told.logged("a status document of 262145 bytes is refused"));
    flow.close(std::time::Duration::from_secs(5)).unwrap();
}

#[test]
fn logs_and_spans_reach_the_sinks_with_the_name_of_the_stage() {
    let (sink, flow, _host, told) = running();
    let log = PlLog {
        struct_size: size_of::<PlLog>() as u32,
        level: 2,
        cookie: sink.cookie(),
        ts_ns: 1,
        target: text("target"),
        message: text("hello"),
        file: text(""),
        line: 0,
        n_fields: 9,
        fields: std::ptr::null(),
        trace_id: [0; 16],
        span_id: [0; 8],
    };
    let span = PlSpan {
        struct_size: size_of::<PlSpan>() as u32,
        kind: 3,
        cookie: sink.cookie(),
        trace_id: [1; 16],
        span_id: [2; 8],
        parent_span_id: [0; 8],
        parent_is_remote: 0,
        status: 0,
        start_ns: 1,
        end_ns: 2,
        name: text("POST"),
        status_message: text(""),
        tracestate: text(""),
        fields: std::ptr::null(),
        events: std::ptr::null(),
        n_fields: 0,
        n_events: 0,
    };
    // SAFETY: the host's own table, with arguments that live for the calls.
    unsafe {
        (TABLE.log)(TABLE.ctx, &raw const log);
        (TABLE.log)(TABLE.ctx, std::ptr::null());
        (TABLE.log)(
            TABLE.ctx,
            &PlLog {
                struct_size: 8,
                ..log
            },
        );
        (TABLE.span)(TABLE.ctx, &raw const span);
    }
    let told_once = told
        .logs
        .lock()
        .iter()
        .filter(|line| *line == "out: hello")
        .count();
    assert_eq!(told_once, 1, "one that is null or too short is ignored");
    assert_eq!(*told.spans.lock(), ["POST"]);
    flow.close(std::time::Duration::from_secs(5)).unwrap();
}

#[test]
fn panic_of_the_host_does_not_reach_the_plugin() {
    let answer = guard(7, || -> i32 { std::panic::resume_unwind(Box::new("oops")) });
    assert_eq!(answer, 7);
}
