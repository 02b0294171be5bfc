//! The host's table: notes every call of the plugin and checks what it says.

use crate::violations::{expect, note};
use pipeline_abi::*;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Everything is wanted, so that every log call is made and checked.
static LEVEL: u32 = 5;
static NEXT_COOKIE: AtomicU64 = AtomicU64::new(1);
static BOOK: Mutex<Book> = Mutex::new(Book {
    events: Vec::new(),
    live: BTreeSet::new(),
});
static CHANGED: Condvar = Condvar::new();

struct Book {
    events: Vec<Event>,
    live: BTreeSet<u64>,
}

/// An event that an instance told.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) cookie: u64,
    pub(crate) event: u32,
    pub(crate) status: i32,
    pub(crate) text: String,
}

/// The table that the plugin's entry is given.
pub(crate) static TABLE: PlHost = PlHost {
    struct_size: size_of::<PlHost>() as u32,
    abi_major: PL_ABI_MAJOR,
    abi_minor: PL_ABI_MINOR,
    features: 0,
    ctx: std::ptr::null_mut(),
    max_level: &raw const LEVEL,
    log,
    span,
    instrument,
    record,
    event,
    status,
    get_ext,
    span_event,
    record_traced,
};

fn book() -> MutexGuard<'static, Book> {
    BOOK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A cookie that no instance had; the instance is expected to call the host until [`forget`].
pub(crate) fn new_cookie() -> u64 {
    let cookie = NEXT_COOKIE.fetch_add(1, Ordering::Relaxed);
    book().live.insert(cookie);
    cookie
}

/// From now on each event of the instance is a violation.
pub(crate) fn forget(cookie: u64) {
    book().live.remove(&cookie);
}

/// The events of an instance so far, in order.
pub(crate) fn events(cookie: u64) -> Vec<Event> {
    book()
        .events
        .iter()
        .filter(|event| event.cookie == cookie)
        .cloned()
        .collect()
}

/// Waits until the instance told one of `wanted`.
pub(crate) fn wait(cookie: u64, wanted: &[u32], time: Duration) -> Option<Event> {
    let until = Instant::now() + time;
    let mut book = book();
    loop {
        let found = book
            .events
            .iter()
            .find(|event| event.cookie == cookie && wanted.contains(&event.event));
        if let Some(event) = found {
            return Some(event.clone());
        }
        let left = until.checked_duration_since(Instant::now())?;
        book = CHANGED
            .wait_timeout(book, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}

/// The text, noted when it is none.
fn text(what: &str, text: PlStr) -> String {
    expect(!text.ptr.is_null() || text.len == 0, || {
        format!("{what} is null with a length of {}", text.len)
    });
    // SAFETY: the plugin promises that the bytes are there for the call.
    let bytes = unsafe { text.bytes() };
    expect(std::str::from_utf8(bytes).is_ok(), || {
        format!("{what} is not UTF-8")
    });
    String::from_utf8_lossy(bytes).into_owned()
}

fn fields(what: &str, fields: *const PlField, count: u32) {
    expect(!fields.is_null() || count == 0, || {
        format!("the fields of {what} are null")
    });
    if fields.is_null() {
        return;
    }
    // SAFETY: the plugin promises `count` fields for the call.
    for field in unsafe { std::slice::from_raw_parts(fields, count as usize) } {
        let name = text("a field's name", field.name);
        expect(field.kind <= PL_FIELD_BOOL, || {
            format!("field `{name}` of {what} has the kind {}", field.kind)
        });
        if field.kind == PL_FIELD_STR {
            text("a field's text", field.s);
        }
    }
}

unsafe extern "C" fn log(_: *mut c_void, log: *const PlLog) {
    // SAFETY: borrowed for the call.
    let Some(log) = (unsafe { log.as_ref() }) else {
        return note("`log` was called with null");
    };
    expect(log.struct_size as usize >= size_of::<PlLog>(), || {
        format!("a log has a struct_size of {}", log.struct_size)
    });
    expect((1..=5).contains(&log.level), || {
        format!("a log has the level {}", log.level)
    });
    text("a log's message", log.message);
    text("a log's target", log.target);
    fields("a log", log.fields, log.n_fields);
}

unsafe extern "C" fn span(_: *mut c_void, span: *const PlSpan) {
    // SAFETY: borrowed for the call.
    let Some(span) = (unsafe { span.as_ref() }) else {
        return note("`span` was called with null");
    };
    let name = text("a span's name", span.name);
    expect(span.struct_size as usize >= size_of::<PlSpan>(), || {
        format!("span `{name}` has a struct_size of {}", span.struct_size)
    });
    expect(span.trace_id != [0; 16] && span.span_id != [0; 8], || {
        format!("span `{name}` has no id")
    });
    expect(span.end_ns >= span.start_ns, || {
        format!("span `{name}` ends before it starts")
    });
    fields("a span", span.fields, span.n_fields);
}

unsafe extern "C" fn instrument(
    _: *mut c_void,
    spec: *const PlInstrumentSpec,
) -> *mut PlInstrument {
    static HANDLE: u8 = 0;
    // SAFETY: borrowed for the call.
    let Some(spec) = (unsafe { spec.as_ref() }) else {
        note("`instrument` was called with null");
        return std::ptr::null_mut();
    };
    let name = text("an instrument's name", spec.name);
    expect(name.starts_with("pipeline_"), || {
        format!("instrument `{name}` does not begin with `pipeline_`")
    });
    expect(!name.ends_with("_total"), || {
        format!("instrument `{name}` ends with `_total`")
    });
    expect(spec.kind <= PL_INSTRUMENT_HISTOGRAM, || {
        format!("instrument `{name}` has the kind {}", spec.kind)
    });
    expect(!text("an instrument's help", spec.help).is_empty(), || {
        format!("instrument `{name}` has no help")
    });
    text("an instrument's unit", spec.unit);
    fields("an instrument", spec.labels, spec.n_labels);
    (&raw const HANDLE).cast_mut().cast()
}

unsafe extern "C" fn record(_: *mut PlInstrument, _: u64) {}

unsafe extern "C" fn record_traced(_: *mut PlInstrument, _: u64, trace: *const PlTrace) {
    // SAFETY: borrowed for the call.
    let Some(trace) = (unsafe { trace.as_ref() }) else {
        return note("`record_traced` was called with null");
    };
    expect(trace.trace_id != [0; 16] && trace.flags & 1 != 0, || {
        "`record_traced` was called for no sampled trace".to_owned()
    });
}

unsafe extern "C" fn event(_: *mut c_void, cookie: u64, event: u32, status: i32, reason: PlStr) {
    let text = text("an event's text", reason);
    expect((PL_EVENT_OPENED..=PL_EVENT_HEALTH).contains(&event), || {
        format!("there is no event {event}")
    });
    expect(event != PL_EVENT_FAILED || status < 0, || {
        format!("a failure has the status {status}")
    });
    expect(event != PL_EVENT_FAILED || !text.is_empty(), || {
        "a failure has no text".to_owned()
    });
    let mut book = book();
    expect(book.live.contains(&cookie), || {
        format!("event {event} of instance {cookie}, which is closed or was never open")
    });
    book.events.push(Event {
        cookie,
        event,
        status,
        text,
    });
    CHANGED.notify_all();
}

unsafe extern "C" fn status(_: *mut c_void, cookie: u64, json: PlStr) {
    let json = text("a status document", json);
    let document = serde_json::from_str::<serde_json::Map<_, _>>(&json);
    expect(document.is_ok(), || {
        format!("a status document is no JSON object: {json}")
    });
    expect(book().live.contains(&cookie), || {
        format!("a status document of instance {cookie}, which is not open")
    });
}

unsafe extern "C" fn span_event(
    _: *mut c_void,
    _: u64,
    trace: *const PlTrace,
    event: *const PlSpanEvent,
) {
    // SAFETY: borrowed for the call.
    let (Some(trace), Some(event)) = (unsafe { (trace.as_ref(), event.as_ref()) }) else {
        return note("`span_event` was called with null");
    };
    let name = text("a span event's name", event.name);
    expect(trace.trace_id != [0; 16] && trace.flags & 1 != 0, || {
        format!("event `{name}` belongs to no sampled trace")
    });
    fields("a span event", event.fields, event.n_fields);
}

unsafe extern "C" fn get_ext(_: *mut c_void, name: PlStr) -> *const c_void {
    text("the name of an extension", name);
    std::ptr::null()
}
