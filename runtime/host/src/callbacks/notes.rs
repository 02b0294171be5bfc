//! Events of spans that are open: kept until the span is passed, and exported with it.
//!
//! A span is open in one stage, while others (a filter, the host itself when it rejects or delivers again) know what happens
//! to the message. Invariant: memory is bounded; events of a span that nobody ever passes make room for newer ones.

use super::{Field, FieldValue, SpanEvent, fields};
use crate::text::clipped;
use parking_lot::Mutex;
use pipeline_abi::{PlSpanEvent, PlTrace};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most open spans that have events.
const SPANS_MAX: usize = 4096;
/// Most events of one span.
const EVENTS_MAX: usize = 32;
/// Most attributes of one event.
const FIELDS_MAX: usize = 16;
/// Longest text of an event, bytes.
const TEXT_MAX: usize = 1024;

type SpanId = [u8; 8];

/// Events by the span that they happened in.
#[derive(Default)]
pub(crate) struct Notes {
    /// Spans with events: looked at without the lock, since most spans have none.
    count: AtomicUsize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    events: HashMap<SpanId, Vec<Note>>,
    /// Oldest first; also spans that have been passed since.
    order: VecDeque<SpanId>,
}

/// An event with texts of its own.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    ts_ns: i64,
    name: String,
    fields: Vec<(String, Owned)>,
    failure: Option<Failure>,
}

/// How the span fails by what happened in it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// A word of few.
    pub(super) kind: &'static str,
    /// For people.
    pub(super) why: String,
}

#[derive(Clone, Debug)]
enum Owned {
    Text(String),
    Plain(FieldValue<'static>),
}

impl Notes {
    /// Adds an event to the span that `trace` names.
    pub(crate) fn add(&self, trace: &PlTrace, note: Note) {
        let mut held = self.held.lock();
        if !held.events.contains_key(&trace.span_id) {
            held.make_room();
            held.order.push_back(trace.span_id);
        }
        let events = held.events.entry(trace.span_id).or_default();
        if events.len() < EVENTS_MAX {
            events.push(note);
        }
        self.count.store(held.events.len(), Ordering::Relaxed);
    }

    /// Takes the events of a span that has ended.
    pub(super) fn take(&self, span: SpanId) -> Vec<Note> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let mut held = self.held.lock();
        let events = held.events.remove(&span).unwrap_or_default();
        self.count.store(held.events.len(), Ordering::Relaxed);
        events
    }
}

impl Held {
    fn make_room(&mut self) {
        while self.order.len() >= SPANS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.events.remove(&oldest);
            }
        }
    }
}

impl Note {
    /// What happened then; texts are cut to a bearable length.
    pub(crate) fn of(ts_ns: i64, name: &str, fields: &[Field<'_>]) -> Self {
        Note {
            ts_ns,
            name: own(name),
            fields: fields
                .iter()
                .take(FIELDS_MAX)
                .map(|field| (own(field.name), Owned::of(field.value)))
                .collect(),
            failure: None,
        }
    }

    /// Says that the span fails by it.
    pub(crate) fn failing(mut self, kind: &'static str, why: &str) -> Self {
        let why = own(why);
        self.failure = Some(Failure { kind, why });
        self
    }

    /// How the span fails by it, if it does.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The event, as it is told to the sink of spans.
    pub(super) fn event(&self) -> SpanEvent<'_> {
        SpanEvent {
            ts_ns: self.ts_ns,
            name: &self.name,
            fields: self
                .fields
                .iter()
                .map(|(name, value)| Field {
                    name,
                    value: value.borrowed(),
                })
                .collect(),
        }
    }
}

impl Owned {
    fn of(value: FieldValue<'_>) -> Self {
        match value {
            FieldValue::Str(text) => Owned::Text(own(text)),
            FieldValue::I64(number) => Owned::Plain(FieldValue::I64(number)),
            FieldValue::U64(number) => Owned::Plain(FieldValue::U64(number)),
            FieldValue::F64(number) => Owned::Plain(FieldValue::F64(number)),
            FieldValue::Bool(truth) => Owned::Plain(FieldValue::Bool(truth)),
        }
    }

    fn borrowed(&self) -> FieldValue<'_> {
        match self {
            Owned::Text(text) => FieldValue::Str(text),
            Owned::Plain(value) => *value,
        }
    }
}

fn own(text: &str) -> String {
    clipped(text, TEXT_MAX).to_owned()
}

/// Takes an event that a plugin passed.
///
/// # Safety
/// `trace` and `event`, with all that they lead to, are valid for the call.
pub(super) unsafe fn take(cookie: u64, trace: &PlTrace, event: &PlSpanEvent) {
    let Some(seat) = super::cookies::find(cookie) else {
        return;
    };
    // SAFETY: promised by the caller.
    let (name, fields) = unsafe {
        (
            event.name.text(),
            fields::read(event.fields, event.n_fields),
        )
    };
    let note = Note::of(event.ts_ns, name, &fields);
    seat.host().notes.add(trace, note);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(span: u64) -> PlTrace {
        PlTrace {
            trace_id: [1; 16],
            span_id: span.to_be_bytes(),
            flags: 1,
            reserved: [0; 7],
            tracestate: pipeline_abi::PlStr::EMPTY,
        }
    }

    #[test]
    fn events_come_with_their_span_and_only_once() {
        let notes = Notes::default();
        let why = Field {
            name: "why",
            value: FieldValue::Str("late"),
        };
        let note = Note::of(5, "rejected", &[why]).failing("rejected", "late");
        notes.add(&trace(7), note);
        assert!(notes.take(8_u64.to_be_bytes()).is_empty());
        let taken = notes.take(7_u64.to_be_bytes());
        let event = taken[0].event();
        assert_eq!((event.ts_ns, event.name), (5, "rejected"));
        assert_eq!(event.fields, [why]);
        assert_eq!(taken[0].failure().unwrap().why, "late");
        assert!(notes.take(7_u64.to_be_bytes()).is_empty());
    }

    #[test]
    fn what_nobody_takes_makes_room() {
        let notes = Notes::default();
        for span in 1..=2 * SPANS_MAX as u64 {
            for _ in 0..2 * EVENTS_MAX {
                notes.add(&trace(span), Note::of(0, "x", &[]));
            }
        }
        assert!(notes.take(1_u64.to_be_bytes()).is_empty());
        let last = 2 * SPANS_MAX as u64;
        assert_eq!(notes.take(last.to_be_bytes()).len(), EVENTS_MAX);
        assert!(notes.held.lock().events.len() < SPANS_MAX);
    }
}
