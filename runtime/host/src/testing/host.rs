//! A host whose logs and events can be looked at.

use crate::callbacks::{Level, LogRecord, LogSink, SpanRecord, SpanSink};
use crate::supervise::{Host, HostEvent, HostOptions, Hub, Seat};
use parking_lot::Mutex;
use std::sync::Arc;

/// What a test's host told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) logs: Mutex<Vec<String>>,
    pub(crate) spans: Mutex<Vec<String>>,
    pub(crate) events: Mutex<Vec<HostEvent>>,
}

impl Told {
    pub(crate) fn logged(&self, part: &str) -> bool {
        self.logs.lock().iter().any(|line| line.contains(part))
    }
}

impl LogSink for Told {
    fn log(&self, record: &LogRecord<'_>) {
        let stage = record.stage.map_or("?", |(_, stage, _)| stage);
        self.logs
            .lock()
            .push(format!("{stage}: {}", record.message));
    }
}

impl SpanSink for Told {
    fn span(&self, span: &SpanRecord<'_>) {
        self.spans.lock().push(span.name.to_owned());
    }
}

/// A host.
pub(crate) fn host() -> (Arc<Host>, Arc<Told>) {
    let told = Arc::new(Told::default());
    let events = told.clone();
    let host = Host::new(HostOptions {
        log: told.clone(),
        spans: told.clone(),
        sampling: Default::default(),
        level: Some(Level::Debug),
        events: Arc::new(move |event| events.events.lock().push(event)),
    });
    (host, told)
}

/// A seat without a supervisor.
pub(crate) fn seat(name: &str) -> (Arc<Seat>, Arc<Told>) {
    let (host, told) = host();
    let identity = ("flow".into(), 0, 1);
    let hub = Hub::new(host.shared().clone(), identity, 1, Box::new(|| ()));
    (Seat::new(hub, name.into()), told)
}
