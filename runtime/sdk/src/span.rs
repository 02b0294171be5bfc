//! Spans: what a stage did to one sampled message, handed to the host as data when it is over.
//!
//! A span exists only for a message whose trace is sampled: whoever starts one has asked
//! [`Message::sampled`](crate::Message::sampled) or [`Roots`](crate::Roots) before, which is the one branch that all other
//! messages cost.

mod value;

use crate::record::now_ns;
use crate::{Trace, host};
use pipeline_abi::*;
use std::borrow::Cow;
pub use value::Value;

/// What a span stands for, as OpenTelemetry's `SpanKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SpanKind {
    /// Something inside of the process.
    Internal = 1,
    /// An answered request.
    Server = 2,
    /// A request, until its answer.
    Client = 3,
    /// A message handed to others.
    Producer = 4,
    /// A message taken from others.
    Consumer = 5,
}

/// Something that one sampled message goes through. It ends when it is dropped.
#[derive(Debug)]
pub struct Span(Box<Open>);

#[derive(Debug)]
struct Open {
    cookie: u64,
    kind: SpanKind,
    name: Cow<'static, str>,
    trace: Trace,
    parent: [u8; 8],
    is_remote: bool,
    start_ns: i64,
    /// Zero: when it is dropped.
    end_ns: i64,
    error: Option<String>,
    attributes: Vec<(&'static str, Value)>,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    ts_ns: i64,
    name: &'static str,
    attributes: Vec<(&'static str, Value)>,
}

impl Span {
    /// A span that begins now, in its parent's trace or in a new one.
    pub(crate) fn start(
        cookie: u64,
        kind: SpanKind,
        name: Cow<'static, str>,
        parent: Option<Trace>,
    ) -> Self {
        let (trace_id, flags) =
            parent.map_or_else(|| (not_zero(), 1), |parent| (parent.trace_id, parent.flags));
        let span_id = not_zero();
        Span(Box::new(Open {
            cookie,
            kind,
            name,
            trace: Trace {
                trace_id,
                span_id,
                flags,
            },
            parent: parent.map_or([0; 8], |parent| parent.span_id),
            is_remote: false,
            start_ns: now_ns(),
            end_ns: 0,
            error: None,
            attributes: Vec::new(),
            events: Vec::new(),
        }))
    }

    /// What a message carries on from here: this span is the parent of the next one.
    #[must_use]
    pub fn trace(&self) -> Trace {
        self.0.trace
    }

    /// Says that the parent is a span of another process.
    #[must_use]
    pub fn remote(mut self) -> Self {
        self.0.is_remote = true;
        self
    }

    /// Sets when it began, nanoseconds since the Unix epoch.
    #[must_use]
    pub fn started_ns(mut self, start_ns: i64) -> Self {
        self.0.start_ns = start_ns;
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds an attribute.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.attributes.push((name, value.into()));
    }

    /// Notes something that happens now.
    pub fn event(&mut self, name: &'static str, attributes: Vec<(&'static str, Value)>) {
        self.0.events.push(Event {
            ts_ns: now_ns(),
            name,
            attributes,
        });
    }

    /// Says that what the span stands for has failed, and how: `kind` is a word of few, `why` is for people.
    pub fn fail(&mut self, kind: impl Into<Value>, why: impl Into<String>) {
        let (kind, why) = (kind.into(), why.into());
        let exception = vec![
            ("exception.type", kind.clone()),
            ("exception.message", why.clone().into()),
        ];
        self.event("exception", exception);
        self.set("error.type", kind);
        self.0.error = Some(why);
    }

    /// Ends it at a given time, nanoseconds since the Unix epoch.
    pub fn end_at(mut self, end_ns: i64) {
        self.0.end_ns = end_ns.max(self.0.start_ns);
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.0.end_ns == 0 {
            self.0.end_ns = now_ns().max(self.0.start_ns);
        }
        self.0.hand_over();
    }
}

impl Open {
    fn hand_over(&self) {
        let Some(host) = host::get() else { return };
        let attributes = value::fields(&self.attributes);
        let held: Vec<Vec<PlField>> = self
            .events
            .iter()
            .map(|event| value::fields(&event.attributes))
            .collect();
        let events: Vec<PlSpanEvent> = self
            .events
            .iter()
            .zip(&held)
            .map(|(event, fields)| raw_event(event.ts_ns, event.name, fields))
            .collect();
        let text = |text: &str| PlStr::new(text.as_bytes());
        let span = PlSpan {
            struct_size: size_of::<PlSpan>() as u32,
            kind: self.kind as u32,
            cookie: self.cookie,
            trace_id: self.trace.trace_id,
            span_id: self.trace.span_id,
            parent_span_id: self.parent,
            parent_is_remote: self.is_remote.into(),
            status: if self.error.is_some() { 2 } else { 0 },
            start_ns: self.start_ns,
            end_ns: self.end_ns,
            name: text(&self.name),
            status_message: self.error.as_deref().map_or(PlStr::EMPTY, text),
            tracestate: PlStr::EMPTY,
            fields: attributes.as_ptr(),
            events: events.as_ptr(),
            n_fields: attributes.len() as u32,
            n_events: events.len() as u32,
        };
        // SAFETY: the host's own function and context; everything is borrowed for the call.
        unsafe { (host.span)(host.ctx, &span) }
    }
}

/// Adds an event to the span that another stage of this process holds open for a message.
pub(crate) fn note(
    cookie: u64,
    trace: Trace,
    name: &'static str,
    attributes: &[(&'static str, Value)],
) {
    let Some(host) = host::get() else { return };
    let fields = value::fields(attributes);
    let event = raw_event(now_ns(), name, &fields);
    // SAFETY: the host's own function and context; everything is borrowed for the call.
    unsafe { (host.span_event)(host.ctx, cookie, &trace.to_abi(), &event) }
}

fn raw_event(ts_ns: i64, name: &str, fields: &[PlField]) -> PlSpanEvent {
    PlSpanEvent {
        ts_ns,
        name: PlStr::new(name.as_bytes()),
        fields: fields.as_ptr(),
        n_fields: fields.len() as u32,
        reserved: 0,
    }
}

/// A random id. All zero means none.
fn not_zero<const N: usize>() -> [u8; N] {
    loop {
        let mut id = [0; N];
        fastrand::fill(&mut id);
        if id != [0; N] {
            return id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(parent: Option<Trace>) -> Span {
        Span::start(0, SpanKind::Internal, "test".into(), parent)
    }

    #[test]
    fn a_child_stays_in_the_trace_of_its_parent() {
        let root = span(None);
        let child = span(Some(root.trace()));
        assert_eq!(child.trace().trace_id, root.trace().trace_id);
        assert_eq!(child.0.parent, root.trace().span_id);
        assert_ne!(child.trace().span_id, root.trace().span_id);
        assert!(root.trace().is_sampled() && child.trace().is_sampled());
    }

    #[test]
    fn no_span_ends_before_it_starts() {
        let mut early = span(None).started_ns(i64::MAX);
        early.0.end_ns = 0;
        let start_ns = early.0.start_ns;
        early.end_at(5);
        assert_eq!(start_ns, i64::MAX);
    }
}
