//! What a stage instance knows of itself and may ask of its host.

use crate::phase::{Control, Phase};
use crate::span::{self, Value};
use crate::workers::Threads;
use crate::{Backoff, Counter, Error, Gauge, Histogram, Roots, Span, SpanKind, Trace, host};
use pipeline_abi::*;
use std::borrow::Cow;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One stage instance's side of the host. Cheap to clone; every function may be called on any thread.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

/// How much unsettled work an edge takes before it makes its producer wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Most messages.
    pub messages: u32,
    /// Most payload and key bytes.
    pub bytes: u64,
}

struct Inner {
    cookie: u64,
    flow: String,
    stage: String,
    instance: u32,
    instances: u32,
    state_dir: Option<PathBuf>,
    retry: (Duration, Duration),
    window: Window,
    /// Share of the messages, and number each second, that begin a trace.
    sampling: (f64, f64),
    control: Control,
    /// The reason told last; `None` while ready.
    trouble: Mutex<Option<String>>,
    threads: Threads,
}

impl Inner {
    fn bare() -> Self {
        Inner {
            cookie: 0,
            flow: String::new(),
            stage: String::new(),
            instance: 0,
            instances: 1,
            state_dir: None,
            retry: (millis(100), millis(30_000)),
            window: Window {
                messages: 4096,
                bytes: 16 << 20,
            },
            sampling: (0.0, 0.0),
            control: Control::new(),
            trouble: Mutex::new(None),
            threads: Threads::default(),
        }
    }
}

impl Context {
    /// # Safety
    /// All that `open` points to is valid for the call.
    pub(crate) unsafe fn new(open: &PlOpen) -> Self {
        // SAFETY: promised by the caller.
        let (flow, stage, state_dir) =
            unsafe { (open.flow.text(), open.stage.text(), open.state_dir.text()) };
        Self::with(Inner {
            cookie: open.cookie,
            flow: flow.to_owned(),
            stage: stage.to_owned(),
            instance: open.instance,
            instances: open.instances,
            state_dir: (!state_dir.is_empty()).then(|| PathBuf::from(state_dir)),
            retry: (millis(open.retry_initial_ms), millis(open.retry_max_ms)),
            window: Window {
                messages: open.window_messages,
                bytes: open.window_bytes,
            },
            sampling: (open.trace_ratio, open.traces_per_second),
            ..Inner::bare()
        })
    }

    /// A context without a host, for a stage's own unit tests: what is told goes nowhere.
    #[must_use]
    pub fn detached(stage: &str) -> Self {
        Self::with(Inner {
            stage: stage.to_owned(),
            ..Inner::bare()
        })
    }

    fn with(inner: Inner) -> Self {
        Context(Arc::new(inner))
    }

    pub(crate) fn control(&self) -> &Control {
        &self.0.control
    }

    pub(crate) fn threads(&self) -> &Threads {
        &self.0.threads
    }

    pub(crate) fn cookie(&self) -> u64 {
        self.0.cookie
    }

    /// Name of the flow.
    #[must_use]
    pub fn flow(&self) -> &str {
        &self.0.flow
    }

    /// Name of the stage in its flow.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.0.stage
    }

    /// Index of this copy of the flow, from 0.
    #[must_use]
    pub fn instance(&self) -> u32 {
        self.0.instance
    }

    /// Number of copies of the flow.
    #[must_use]
    pub fn instances(&self) -> u32 {
        self.0.instances
    }

    /// How much unsettled work the edge behind the output takes.
    #[must_use]
    pub fn window(&self) -> Window {
        self.0.window
    }

    /// Folder where this stage may keep state, if the operator gave one.
    #[must_use]
    pub fn state_dir(&self) -> Option<&Path> {
        self.0.state_dir.as_deref()
    }

    /// Says that all is well again. Costs little when nothing changed.
    pub fn ready(&self) {
        let was_in_trouble = self.trouble().take().is_some();
        if was_in_trouble {
            host::emit(self.0.cookie, PL_EVENT_HEALTH, PL_HEALTH_READY, "");
        }
    }

    /// Says what is wrong now, while nothing is lost: `/readyz` shows it. Costs little when the text is the same as before.
    pub fn degraded(&self, reason: impl Display) {
        let reason = reason.to_string();
        let mut trouble = self.trouble();
        if trouble.as_deref() != Some(&reason) {
            host::emit(self.0.cookie, PL_EVENT_HEALTH, PL_HEALTH_DEGRADED, &reason);
            *trouble = Some(reason);
        }
    }

    pub(crate) fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a JSON object as this stage's part of `/status`, in place of the one before. At most about one a second.
    pub fn publish_status(&self, status: &impl serde::Serialize) {
        match serde_json::to_vec(status) {
            Ok(json) => host::publish_status(self.0.cookie, &json),
            Err(error) => tracing::warn!(%error, "a status document cannot be written as JSON"),
        }
    }

    /// A counter `pipeline_…` (without its unit and `_total`) with these labels; the same arguments give the same counter.
    #[must_use]
    pub fn counter(&self, name: &str, unit: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
        Counter::register(self.0.cookie, name, unit, help, labels)
    }

    /// A gauge `pipeline_…` (without its unit) with these labels; the same arguments give the same gauge.
    #[must_use]
    pub fn gauge(&self, name: &str, unit: &str, help: &str, labels: &[(&str, &str)]) -> Gauge {
        Gauge::register(self.0.cookie, name, unit, help, labels)
    }

    /// A histogram `pipeline_…` (without its unit) over buckets with these upper bounds; the same arguments give the same one.
    #[must_use]
    pub fn histogram(
        &self,
        name: &str,
        unit: &str,
        help: &str,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Histogram {
        Histogram::register(self.0.cookie, name, unit, help, labels, bounds)
    }

    /// Whether spans go anywhere: asked before one is made that belongs to no message.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.0.sampling != (0.0, 0.0)
    }

    /// What picks the messages that begin a trace, for a source.
    #[must_use]
    pub fn roots(&self) -> Roots {
        let (ratio, per_second) = self.0.sampling;
        Roots::new(ratio, per_second)
    }

    /// A span that begins now, as a child of `parent` or as the first one of a new trace. Only for what is sampled.
    #[must_use]
    pub fn span(
        &self,
        kind: SpanKind,
        name: impl Into<Cow<'static, str>>,
        parent: impl Into<Option<Trace>>,
    ) -> Span {
        Span::start(self.0.cookie, kind, name.into(), parent.into())
    }

    /// Adds an event to the span that another stage of this process holds open for a sampled message.
    pub fn span_event(
        &self,
        trace: Trace,
        name: &'static str,
        attributes: &[(&'static str, Value)],
    ) {
        span::note(self.0.cookie, trace, name, attributes);
    }

    /// Makes the instance fail, as if `run` had returned the error: the host closes and reopens it and delivers again what was
    /// not settled.
    pub fn fail(&self, error: impl Into<Error>) {
        self.0.control.fail(error.into());
    }

    /// Waits until the stage is asked to drain (or to close).
    pub async fn draining(&self) {
        self.0.control.reached(Phase::Draining).await;
    }

    /// Whether the stage was asked to drain (or to close).
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.control.phase() >= Phase::Draining
    }

    /// Waits until the stage is asked to close: its threads must end now.
    pub async fn closing(&self) {
        self.0.control.reached(Phase::Closing).await;
    }

    /// Whether the stage was asked to close.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.0.control.phase() >= Phase::Closing
    }

    /// New waits between tries, as the stage's `retry` says; counted in `pipeline_stage_retries_total`.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        let (initial, max) = self.0.retry;
        let help = "Times that the stage waited before it tried something again";
        let retries = self.counter("pipeline_stage_retries", "", help, &[]);
        Backoff::new(initial, max).counted(retries)
    }
}

fn millis(millis: u32) -> Duration {
    Duration::from_millis(u64::from(millis))
}
