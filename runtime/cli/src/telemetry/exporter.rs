//! The thread that exports: collects spans for a while, and gives them to the collector, one request for each service
//! instance.

use super::origin::Origin;
use super::settings::Export;
use super::{Counts, Finished, LAST_EXPORT};
use crate::http_client::Transport;
use crate::logs::Logger;
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, watch};

/// How often it is told that spans are not taken.
const COMPLAIN: Duration = Duration::from_secs(30);
/// Longest answer that is read, bytes: it only says how many spans were refused.
const ANSWER_MAX: usize = 64 << 10;
/// Service instances that are remembered; a process has a few.
const ORIGINS_MAX: usize = 256;

/// Exports until it is asked to stop.
pub(super) struct Exporter {
    settings: Export,
    transport: Transport,
    finished: mpsc::Receiver<Finished>,
    /// Told when a batch is waiting.
    filled: Arc<Notify>,
    stop: watch::Receiver<bool>,
    counts: Arc<Counts>,
    logger: Arc<Logger>,
    collectors: HashMap<Origin, Otlp>,
    complained: Option<Instant>,
    /// Spans that are being given to the collector.
    in_hand: u64,
}

impl Exporter {
    pub(super) fn new(
        settings: Export,
        finished: mpsc::Receiver<Finished>,
        filled: Arc<Notify>,
        stop: watch::Receiver<bool>,
        counts: Arc<Counts>,
        logger: Arc<Logger>,
    ) -> Result<Self, String> {
        Ok(Exporter {
            transport: Transport::new(settings.timeout, ANSWER_MAX)?,
            settings,
            finished,
            filled,
            stop,
            counts,
            logger,
            collectors: HashMap::new(),
            complained: None,
            in_hand: 0,
        })
    }

    /// Runs on a thread of its own: the runtime of the process serves probes, and must not wait for a collector.
    pub(super) fn run(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.export_all()),
            Err(error) => self
                .logger
                .error(format!("cannot start exporting traces: {error}")),
        }
    }

    async fn export_all(&mut self) {
        let mut stop = self.stop.clone();
        let too_late = async {
            stopped(&mut stop).await;
            tokio::time::sleep(LAST_EXPORT).await;
        };
        tokio::select! {
            () = self.export_until_stopped() => {}
            () = too_late => {}
        }
        // What was cut off in the middle of a request.
        self.counts
            .not_taken
            .fetch_add(self.in_hand, Ordering::Relaxed);
    }

    async fn export_until_stopped(&mut self) {
        let mut batch = Vec::with_capacity(self.settings.batch);
        while self.collect(&mut batch).await {
            self.export(&mut batch).await;
        }
    }

    /// Collects until the batch is full, the time is up or the process ends. False when there is nothing more.
    ///
    /// Between the first span and the end of the batch it sleeps: a thread that is woken for each span costs stages more
    /// than the span does.
    async fn collect(&mut self, batch: &mut Vec<Finished>) -> bool {
        let Exporter {
            finished,
            filled,
            stop,
            settings,
            ..
        } = self;
        let first = tokio::select! {
            first = finished.recv() => first,
            () = stopped(stop), if !finished.is_closed() => {
                finished.close();
                finished.recv().await
            }
        };
        batch.extend(first);
        let until = tokio::time::Instant::now() + settings.delay;
        while !finished.is_closed() && batch.len() + finished.len() < settings.batch {
            tokio::select! {
                () = tokio::time::sleep_until(until) => break,
                // It may have been told of spans that went with the last batch.
                () = filled.notified() => {}
                () = stopped(stop) => finished.close(),
            }
        }
        while batch.len() < settings.batch
            && let Ok(next) = finished.try_recv()
        {
            batch.push(next);
        }
        !batch.is_empty()
    }

    async fn export(&mut self, batch: &mut Vec<Finished>) {
        self.in_hand = batch.len() as u64;
        let mut by_origin: HashMap<Origin, Vec<SpanData>> = HashMap::new();
        for (origin, span) in batch.drain(..) {
            by_origin.entry(origin).or_default().push(span);
        }
        for (origin, spans) in by_origin {
            let count = spans.len() as u64;
            let counter = match self.export_one(origin, spans).await {
                Ok(()) => &self.counts.exported,
                Err(why) => {
                    self.complain(&why);
                    &self.counts.not_taken
                }
            };
            counter.fetch_add(count, Ordering::Relaxed);
            self.in_hand -= count;
        }
    }

    async fn export_one(&mut self, origin: Origin, spans: Vec<SpanData>) -> Result<(), String> {
        if self.collectors.len() >= ORIGINS_MAX {
            self.collectors.clear();
        }
        if !self.collectors.contains_key(&origin) {
            let collector = self.collector(&origin)?;
            self.collectors.insert(origin.clone(), collector);
        }
        let collector = &self.collectors[&origin];
        collector
            .export(spans)
            .await
            .map_err(|error| error.to_string())
    }

    /// The exporter of one service instance. It reads the `OTEL_EXPORTER_OTLP_*` variables itself.
    fn collector(&self, origin: &Origin) -> Result<Otlp, String> {
        let mut builder = Otlp::builder()
            .with_http()
            .with_http_client(self.transport.clone());
        if let Some(endpoint) = &self.settings.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let mut collector = builder.build().map_err(|error| error.to_string())?;
        collector.set_resource(&origin.resource(self.settings.service_name.as_deref()));
        Ok(collector)
    }

    /// Says what is wrong, now and then.
    fn complain(&mut self, why: &str) {
        let due = self
            .complained
            .is_none_or(|before| before.elapsed() >= COMPLAIN);
        if due {
            self.complained = Some(Instant::now());
            self.logger.warn(format!(
                "traces are not exported: the collector does not take them: {why}"
            ));
        }
    }
}

/// Waits until the process ends. An error means that the process has let go of it: that is an end, too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
