//! Traces: takes the finished spans of all stages and exports them over OTLP/HTTP, in the background.
//!
//! Invariant: nothing here makes a stage wait. A span that finds the queue full is dropped and counted, and so is a batch
//! that the collector does not take in time; memory is bounded by the queue.

mod control;
mod exporter;
mod origin;
mod settings;
mod span;

pub(crate) use control::{Control, current};
pub(crate) use settings::TraceSettings;

use crate::logs::Logger;
use exporter::Exporter;
use opentelemetry_sdk::trace::SpanData;
use origin::Origin;
use parking_lot::Mutex;
use pipeline_host::{Family, FamilyKind, Sample, Snapshot, SpanRecord, SpanSink, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

/// How long the end of the process waits for the last spans to be exported.
const LAST_EXPORT: Duration = Duration::from_secs(2);

/// A finished span and what finished it.
type Finished = (Origin, SpanData);

/// Takes spans and exports them.
pub(crate) struct Telemetry {
    /// Nothing where nobody wants traces.
    queue: Option<Queue>,
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    exporter: Mutex<Option<JoinHandle<()>>>,
}

/// What waits for the exporter.
struct Queue {
    sender: mpsc::Sender<Finished>,
    /// Spans that are exported together.
    batch: usize,
    /// Tells the exporter that so many wait.
    filled: Arc<Notify>,
}

impl Queue {
    /// False when it is full. Any thread; never waits.
    fn push(&self, finished: Finished) -> bool {
        if self.sender.try_send(finished).is_err() {
            return false;
        }
        // The exporter has the first one of its batch in hand.
        let waiting = self.sender.max_capacity() - self.sender.capacity();
        if waiting + 1 >= self.batch {
            self.filled.notify_one();
        }
        true
    }
}

/// What became of spans.
#[derive(Debug, Default)]
struct Counts {
    exported: AtomicU64,
    queue_full: AtomicU64,
    not_taken: AtomicU64,
}

impl Telemetry {
    /// Starts exporting, if the settings say where to.
    pub(crate) fn start(settings: TraceSettings, logger: Arc<Logger>) -> Result<Arc<Self>, String> {
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = watch::channel(false);
        let Some(export) = settings.export else {
            return Ok(Arc::new(Telemetry {
                queue: None,
                counts,
                stop,
                exporter: Mutex::default(),
            }));
        };
        let (sender, finished) = mpsc::channel(export.queue);
        let queue = Queue {
            sender,
            batch: export.batch,
            filled: Arc::default(),
        };
        let filled = queue.filled.clone();
        let exporter = Exporter::new(export, finished, filled, stopped, counts.clone(), logger)?;
        let thread = std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(|| exporter.run())
            .map_err(|error| format!("cannot start exporting traces: {error}"))?;
        Ok(Arc::new(Telemetry {
            queue: Some(queue),
            counts,
            stop,
            exporter: Mutex::new(Some(thread)),
        }))
    }

    /// Exports what waits, if that does not take long, and ends.
    pub(crate) fn finish(&self) {
        let Some(exporter) = self.exporter.lock().take() else {
            return;
        };
        // Nobody listens any more when the thread has ended already.
        let _ = self.stop.send(true);
        let _ = exporter.join();
    }

    fn take(&self, finished: Finished) {
        if let Some(queue) = &self.queue
            && !queue.push(finished)
        {
            self.counts.queue_full.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Adds what became of spans to the numbers of the host.
    pub(crate) fn add_to(&self, snapshot: &mut Snapshot) {
        let sample = |labels: &[(&str, &str)], count: &AtomicU64| Sample {
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            value: Value::Counter(count.load(Ordering::Relaxed)),
        };
        let family = |(name, help): (&str, &str), samples| Family {
            name: name.to_owned(),
            unit: String::new(),
            help: help.to_owned(),
            kind: FamilyKind::Counter,
            samples,
        };
        let counts = &self.counts;
        snapshot.families.extend([
            family(EXPORTED, vec![sample(&[], &counts.exported)]),
            family(
                DROPPED,
                vec![
                    sample(&[("reason", "queue_full")], &counts.queue_full),
                    sample(&[("reason", "not_taken")], &counts.not_taken),
                ],
            ),
        ]);
    }
}

/// Name and help of the counter of spans that the collector took.
const EXPORTED: (&str, &str) = (
    "pipeline_spans_exported",
    "Spans that the trace collector took",
);
/// Name and help of the counter of spans that it did not get.
const DROPPED: (&str, &str) = (
    "pipeline_spans_dropped",
    "Spans that were dropped: the queue was full, or the collector did not take them",
);

impl SpanSink for Telemetry {
    fn span(&self, record: &SpanRecord<'_>) {
        if self.queue.is_some() {
            self.take((Origin::of(record), span::data(record)));
        }
    }
}

#[cfg(test)]
mod tests;
