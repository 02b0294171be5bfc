//! The runtime's own work as traces: `load`, `start`, `open`, `reload`, `stop`.
//!
//! Made with `tracing` by this program and the host, while stages hand over their spans as data. None of it is on the way of
//! a message. What ends before it is known where traces go waits for that, as far as there is room.

use super::Telemetry;
use super::origin::Origin;
use opentelemetry::trace::{
    Link, SpanKind, TraceContextExt, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample, Span, SpanData,
    SpanProcessor,
};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

/// Most spans that wait until it is known where traces go.
const EARLY_MAX: usize = 64;
/// What spans of this program and of the host are called by `tracing`.
const TARGETS: [&str; 2] = ["pipeline_cli", "pipeline_host"];

/// Takes the spans of the runtime itself.
#[derive(Clone)]
pub(crate) struct Control(Arc<Mutex<State>>);

enum State {
    Early(Vec<SpanData>),
    /// Nothing where nobody wants traces.
    Known(Option<Arc<Telemetry>>),
}

impl Control {
    /// Takes spans from now on, once a process.
    pub(crate) fn install() -> Self {
        let control = Control(Arc::new(Mutex::new(State::Early(Vec::new()))));
        let provider = SdkTracerProvider::builder()
            .with_sampler(control.clone())
            .with_span_processor(control.clone())
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("pipeline"))
            .with_error_events_to_status(true)
            .with_error_events_to_exceptions(true)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(
                Targets::new().with_targets(TARGETS.map(|name| (name, tracing::Level::INFO))),
            );
        // A test's own subscriber stays.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
        control
    }

    /// Says where traces go; nothing: nowhere.
    pub(crate) fn goes_to(&self, telemetry: Option<Arc<Telemetry>>) {
        let before = std::mem::replace(&mut *self.0.lock(), State::Known(telemetry));
        if let State::Early(spans) = before {
            spans.into_iter().for_each(|span| self.on_end(span));
        }
    }
}

/// Trace and span that are worked on now, in hexadecimal, if they are exported.
pub(crate) fn current() -> Option<(String, String)> {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    let exported = span.is_valid() && span.is_sampled();
    exported.then(|| (span.trace_id().to_string(), span.span_id().to_string()))
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}

impl ShouldSample for Control {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let is_wanted = !matches!(*self.0.lock(), State::Known(None));
        SamplingResult {
            decision: match is_wanted {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::Drop,
            },
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}

impl SpanProcessor for Control {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        match &mut *self.0.lock() {
            State::Early(spans) if spans.len() < EARLY_MAX => spans.push(span),
            State::Known(Some(telemetry)) => telemetry.take((Origin::runtime(), span)),
            State::Early(_) | State::Known(None) => {}
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
