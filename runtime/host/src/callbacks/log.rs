//! Log events of plugins, and of the host about them.

use super::{Field, cookies, fields};
use pipeline_abi::PlLog;
use std::sync::atomic::{AtomicU32, Ordering};

/// The most detailed level that is wanted; plugins read it before they build an event.
static LEVEL: AtomicU32 = AtomicU32::new(Level::Info as u32);

/// How serious an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is wrong, nothing is lost.
    Warn = 2,
    /// Worth knowing.
    Info = 3,
    /// For looking into something.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

/// One log event, borrowed for the call.
#[derive(Clone, Debug)]
pub struct LogRecord<'a> {
    /// How serious it is.
    pub level: Level,
    /// Nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// Flow, stage and index of the copy; none when the plugin did not say for whom it speaks.
    pub stage: Option<(&'a str, &'a str, u32)>,
    /// Where it comes from: a module path.
    pub target: &'a str,
    /// The message.
    pub message: &'a str,
    /// Source file, or empty.
    pub file: &'a str,
    /// Source line, or 0.
    pub line: u32,
    /// What else is known.
    pub fields: Vec<Field<'a>>,
    /// Trace and span that it belongs to; zero when none.
    pub trace_id: [u8; 16],
    /// See `trace_id`.
    pub span_id: [u8; 8],
}

/// Takes log events; on any thread, and must not block.
pub trait LogSink: Send + Sync {
    /// Takes one event.
    fn log(&self, record: &LogRecord<'_>);
}

/// Where plugins read the level.
pub(super) const fn level() -> *const u32 {
    LEVEL.as_ptr()
}

/// Says which events are wanted from now on; none: no events at all.
pub(crate) fn set_level(level: Option<Level>) {
    LEVEL.store(level.map_or(0, |level| level as u32), Ordering::Relaxed);
}

/// Whether events of a level are wanted.
pub(crate) fn is_wanted(level: Level) -> bool {
    level as u32 <= LEVEL.load(Ordering::Relaxed)
}

impl Level {
    fn from_code(code: u32) -> Level {
        match code {
            0 | 1 => Level::Error,
            2 => Level::Warn,
            3 => Level::Info,
            4 => Level::Debug,
            _ => Level::Trace,
        }
    }
}

/// Takes an event that a plugin passed.
pub(super) fn take(event: &PlLog) {
    let level = Level::from_code(event.level);
    if !is_wanted(level) {
        return;
    }
    let seat = cookies::find(event.cookie);
    let Some(host) = seat
        .as_ref()
        .map(|seat| seat.host().clone())
        .or_else(cookies::default_host)
    else {
        return;
    };
    // SAFETY: an event's texts and fields are borrowed for this call.
    let record = unsafe {
        LogRecord {
            level,
            ts_ns: event.ts_ns,
            stage: seat.as_ref().map(|seat| seat.identity()),
            target: event.target.text(),
            message: event.message.text(),
            file: event.file.text(),
            line: event.line,
            fields: fields::read(event.fields, event.n_fields),
            trace_id: event.trace_id,
            span_id: event.span_id,
        }
    };
    host.log.log(&record);
}
