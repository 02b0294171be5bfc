//! Whole flows of fake stages.

mod branches;
mod crashes;
mod filters;
mod lifecycle;
mod reloads;

use crate::flow::{FlowHandle, FlowSpec};
use crate::supervise::Host;
use crate::testing::{Bench, Told, flow, host, stage};
use std::sync::Arc;
use std::time::Duration;

/// A source and a sink, started.
struct Line {
    source: Arc<Bench>,
    sink: Arc<Bench>,
    flow: FlowHandle,
    host: Arc<Host>,
    told: Arc<Told>,
}

fn line() -> Line {
    line_with(|_| ())
}

fn line_with(change: impl FnOnce(&mut FlowSpec)) -> Line {
    let (source, sink) = (Bench::new("source"), Bench::new("sink"));
    let mut spec = flow(vec![
        stage("in", "source", &source, &[]),
        stage("out", "sink", &sink, &["in"]),
    ]);
    change(&mut spec);
    let (host, told) = host();
    let flow = host.start(spec).unwrap();
    Line {
        source,
        sink,
        flow,
        host,
        told,
    }
}

impl Line {
    /// Drains and closes; everything is settled.
    fn end(self) {
        end(&self.flow);
    }
}

fn end(flow: &FlowHandle) {
    let drained = flow.drain(Duration::from_secs(10));
    assert!(drained.clean, "{drained:?} {:#?}", flow.status());
    flow.close(Duration::from_secs(5)).unwrap();
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}
