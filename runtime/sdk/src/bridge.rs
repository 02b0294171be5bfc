//! Forwards this plugin's `tracing` events and panics to the host. Each shared object has its own copy of `tracing` and of the
//! standard library, so each forwards its own.

use crate::record::now_ns;
use crate::{Trace, host};
use pipeline_abi::*;
use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Installs the forwarding, once a plugin.
pub(crate) fn install() {
    // A second call, or a test with a subscriber of its own, keeps what is there.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Forward));
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panicked: {}", message(panic.payload()));
    }));
}

/// What a panic said.
pub(crate) fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

struct Forward;

impl<S: Subscriber> Layer<S> for Forward {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The host changes its level at run time: ask each time.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        host::get().is_some_and(|host| {
            // SAFETY: the host's live level, valid until the process ends and only accessed atomically.
            let max = unsafe { &*host.max_level.cast::<AtomicU32>() }.load(Ordering::Relaxed);
            level(metadata.level()) <= max
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        forward(event.metadata(), &fields);
    }
}

fn forward(metadata: &Metadata<'_>, fields: &Fields) {
    let Some(host) = host::get() else {
        return;
    };
    let text = |text: &str| PlStr::new(text.as_bytes());
    let raw: Vec<PlField> = fields
        .others
        .iter()
        .map(|(name, value)| {
            let (kind, s, n) = match value {
                Value::Text(value) => (PL_FIELD_STR, text(value), 0),
                Value::Signed(value) => (PL_FIELD_I64, PlStr::EMPTY, value.cast_unsigned()),
                Value::Unsigned(value) => (PL_FIELD_U64, PlStr::EMPTY, *value),
                Value::Double(value) => (PL_FIELD_F64, PlStr::EMPTY, value.to_bits()),
                Value::Bool(value) => (PL_FIELD_BOOL, PlStr::EMPTY, u64::from(*value)),
            };
            PlField {
                name: text(name),
                kind,
                reserved: 0,
                s,
                n,
            }
        })
        .collect();
    let log = PlLog {
        struct_size: size_of::<PlLog>() as u32,
        level: level(metadata.level()),
        cookie: host::current_cookie(),
        ts_ns: now_ns(),
        target: text(metadata.target()),
        message: text(&fields.message),
        file: metadata.file().map_or(PlStr::EMPTY, text),
        line: metadata.line().unwrap_or(0),
        n_fields: raw.len() as u32,
        fields: raw.as_ptr(),
        trace_id: fields.trace.map_or([0; 16], |trace| trace.trace_id),
        span_id: fields.trace.map_or([0; 8], |trace| trace.span_id),
    };
    // SAFETY: the host's own function and context; everything is borrowed for the call.
    unsafe { (host.log)(host.ctx, &log) }
}

fn level(level: &Level) -> u32 {
    match *level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

enum Value {
    Text(String),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    Bool(bool),
}

#[derive(Default)]
struct Fields {
    message: String,
    /// The trace that a field `traceparent` names: that of the message which the event is about.
    trace: Option<Trace>,
    others: Vec<(&'static str, Value)>,
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.others.push((field.name(), Value::Double(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.others.push((field.name(), Value::Signed(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.others.push((field.name(), Value::Unsigned(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.others.push((field.name(), Value::Bool(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a string cannot fail.
            let _ = write!(self.message, "{value:?}");
        } else if let ("traceparent", Some(trace)) =
            (field.name(), Trace::parse(&format!("{value:?}")))
        {
            self.trace = Some(trace);
        } else {
            self.others
                .push((field.name(), Value::Text(format!("{value:?}"))));
        }
    }
}
