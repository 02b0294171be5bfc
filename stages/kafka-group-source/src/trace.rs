//! The span `process TOPIC`: from the poll until the message is done. Usually the trace comes with the record; one begins
//! here for records that no pipeline wrote.

use pipeline_sdk::prelude::*;
use rdkafka::consumer::Consumer as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::listener::Consumer;
use crate::settings::Settings;

/// Longest key that is shown, bytes.
const KEY_MAX: usize = 256;

/// Starts the spans of records.
pub(crate) struct Tracer {
    context: Context,
    roots: Roots,
    group: String,
    consumer: Arc<Consumer>,
    /// When the batch that is being filled was begun: its records entered then, as far as traces care.
    now_ns: i64,
}

/// What is shown of a record.
pub(crate) struct Polled<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) size: usize,
    pub(crate) replay: bool,
}

impl Tracer {
    pub(crate) fn new(context: &Context, group: &str, consumer: Arc<Consumer>) -> Self {
        Tracer {
            roots: context.roots(),
            context: context.clone(),
            group: group.to_owned(),
            consumer,
            now_ns: 0,
        }
    }

    /// Notes that a batch is begun. Asking the clock for each record takes longer than looking at the record does.
    pub(crate) fn begin_batch(&mut self) {
        self.now_ns = now_ns();
    }

    /// Whether a record's trace is recorded. Where a pipeline wrote it (`entered`) without a trace, that was decided.
    pub(crate) fn is_recorded(&mut self, trace: Option<Trace>, entered: bool) -> bool {
        match trace {
            Some(trace) => trace.is_sampled(),
            None => !entered && self.roots.pick(self.now_ns),
        }
    }

    /// Starts the span of a record.
    pub(crate) fn process(&self, parent: Option<Trace>, polled: &Polled<'_>) -> Span {
        let name = format!("process {}", polled.topic);
        let mut span = self
            .context
            .span(SpanKind::Consumer, name, parent)
            .with("messaging.system", "kafka")
            .with("messaging.operation.name", "process")
            .with("messaging.operation.type", "process")
            .with("messaging.consumer.group.name", self.group.clone())
            .with("messaging.destination.name", polled.topic.to_owned())
            .with(
                "messaging.destination.partition.id",
                polled.partition.to_string(),
            )
            .with("messaging.kafka.offset", polled.offset)
            .with("messaging.message.body.size", polled.size);
        let shown = polled.key.filter(|key| key.len() <= KEY_MAX);
        if let Some(key) = shown.and_then(|key| std::str::from_utf8(key).ok()) {
            span.set("messaging.kafka.message.key", key.to_owned());
        }
        let monitor = self.consumer.context().monitor();
        monitor.note_leader(&mut span, polled.topic, polled.partition);
        if polled.replay {
            span.set("pipeline.replay", true);
            span.event("replayed", Vec::new());
        }
        if parent.is_some() {
            span = span.remote();
        }
        span
    }
}

/// Tells of a change of the assignment that took so long, in a trace of its own.
pub(crate) fn rebalance(
    context: &Context,
    settings: &Settings,
    kind: &'static str,
    partitions: &[i32],
    took: Duration,
) {
    if !context.is_traced() {
        return;
    }
    let numbers: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    let took_ns = i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
    let span = context
        .span(SpanKind::Internal, format!("rebalance {kind}"), None)
        .started_ns(now_ns().saturating_sub(took_ns))
        .with("messaging.system", "kafka")
        .with("messaging.consumer.group.name", settings.group.clone())
        .with("messaging.destination.name", settings.topic.clone())
        .with("pipeline.rebalance", kind)
        .with("pipeline.partitions", numbers.join(","));
    drop(span);
}

fn now_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
