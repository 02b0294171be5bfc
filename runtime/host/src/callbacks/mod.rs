//! What the host offers to plugins: the one `PlHost` table of the process.
//!
//! Plugins keep the table for ever and may call it from any thread at any time, also after their instance was closed. So it
//! is static, and instances are named by cookies: a call with a cookie that is not known any more finds nobody and does
//! nothing. No function lets a panic of the host unwind into a plugin.

mod cookies;
mod fields;
mod log;
mod notes;
mod span;

#[cfg(test)]
mod tests;

pub use fields::{Field, FieldValue};
pub use log::{Level, LogRecord, LogSink};
pub use span::{SpanEvent, SpanRecord, SpanSink};

pub(crate) use cookies::{register, set_default, unregister};
pub(crate) use log::{is_wanted, set_level};
pub(crate) use notes::{Note, Notes};

use crate::metrics::{FamilyKind, Instrument, Spec};
use crate::text;
use pipeline_abi::*;
use std::ffi::c_void;
use std::mem::size_of;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Longest text of an event or of a name, bytes.
const TEXT_MAX: usize = 4096;
/// Longest status document, bytes.
const STATUS_MAX: usize = 256 << 10;

/// The table that every plugin gets.
pub(crate) static TABLE: PlHost = PlHost {
    struct_size: size_of::<PlHost>() as u32,
    abi_major: PL_ABI_MAJOR,
    abi_minor: PL_ABI_MINOR,
    features: 0,
    ctx: std::ptr::null_mut(),
    max_level: log::level(),
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

/// Runs `work`; if it panics, answers with `fallback` instead of unwinding over the boundary.
pub(crate) fn guard<T>(fallback: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(fallback)
}

/// Whether a structure that a plugin passed is there and has at least the fields of this version.
///
/// # Safety
/// `this` is null or points to a structure that begins with its size.
unsafe fn is_complete<T>(this: *const T) -> bool {
    // SAFETY: promised by the caller.
    !this.is_null()
        && this.is_aligned()
        && unsafe { this.cast::<u32>().read() } as usize >= size_of::<T>()
}

unsafe extern "C" fn log(_: *mut c_void, event: *const PlLog) {
    guard((), || {
        // SAFETY: borrowed for this call.
        if unsafe { is_complete(event) } {
            // SAFETY: as above.
            log::take(unsafe { &*event });
        }
    });
}

unsafe extern "C" fn span(_: *mut c_void, span: *const PlSpan) {
    guard((), || {
        // SAFETY: borrowed for this call.
        if unsafe { is_complete(span) } {
            // SAFETY: as above.
            span::take(unsafe { &*span });
        }
    });
}

unsafe extern "C" fn instrument(
    _: *mut c_void,
    spec: *const PlInstrumentSpec,
) -> *mut PlInstrument {
    guard(std::ptr::null_mut(), || {
        // SAFETY: borrowed for this call.
        if !unsafe { is_complete(spec) } {
            return std::ptr::null_mut();
        }
        // SAFETY: as above.
        let spec = unsafe { &*spec };
        let Some(seat) = cookies::find(spec.cookie) else {
            return std::ptr::null_mut();
        };
        match seat.instrument(&read_spec(spec)) {
            Ok(instrument) => std::ptr::from_ref(instrument).cast_mut().cast(),
            Err(refused) => {
                seat.log(Level::Warn, &format!("an instrument is refused: {refused}"));
                std::ptr::null_mut()
            }
        }
    })
}

fn read_spec(spec: &PlInstrumentSpec) -> Spec {
    let bounds = if spec.bounds.is_null() {
        &[]
    } else {
        // SAFETY: as many bounds as the plugin says, borrowed for this call.
        unsafe { std::slice::from_raw_parts(spec.bounds, spec.n_bounds as usize) }
    };
    // SAFETY: borrowed for this call.
    let text = |text| unsafe { text::owned(text, TEXT_MAX) };
    // SAFETY: as many labels as the plugin says, borrowed for this call.
    let labels = unsafe { fields::read(spec.labels, spec.n_labels) };
    Spec {
        name: text(spec.name),
        unit: text(spec.unit),
        help: text(spec.help),
        kind: match spec.kind {
            PL_INSTRUMENT_COUNTER => FamilyKind::Counter,
            PL_INSTRUMENT_GAUGE => FamilyKind::Gauge,
            _ => FamilyKind::Histogram,
        },
        labels: labels
            .iter()
            .map(|field| (field.name.to_owned(), field.value.to_string()))
            .collect(),
        bounds: bounds.to_vec(),
    }
}

unsafe extern "C" fn record(instrument: *mut PlInstrument, bits: u64) {
    guard((), || {
        // SAFETY: null, or a handle that the host gave out; instruments are never freed.
        if let Some(instrument) = unsafe { instrument.cast::<Instrument>().as_ref() } {
            instrument.record(bits);
        }
    });
}

unsafe extern "C" fn record_traced(
    instrument: *mut PlInstrument,
    bits: u64,
    trace: *const PlTrace,
) {
    guard((), || {
        // SAFETY: null, or a handle that the host gave out; instruments are never freed.
        let Some(instrument) = (unsafe { instrument.cast::<Instrument>().as_ref() }) else {
            return;
        };
        instrument.record(bits);
        if trace.is_aligned()
            // SAFETY: null, or borrowed for this call.
            && let Some(trace) = unsafe { trace.as_ref() }
        {
            instrument.exemplify(bits, trace);
        }
    });
}

unsafe extern "C" fn event(_: *mut c_void, cookie: u64, event: u32, status: i32, text: PlStr) {
    guard((), || {
        if let Some(seat) = cookies::find(cookie) {
            // SAFETY: borrowed for this call.
            seat.event(cookie, event, status, unsafe {
                text::owned(text, TEXT_MAX)
            });
        }
    });
}

unsafe extern "C" fn status(_: *mut c_void, cookie: u64, json: PlStr) {
    guard((), || {
        let Some(seat) = cookies::find(cookie) else {
            return;
        };
        if json.len > STATUS_MAX {
            let len = json.len;
            seat.log(
                Level::Warn,
                &format!(
                    "a status document of {len} bytes is refused, expected at most {STATUS_MAX}"
                ),
            );
            return;
        }
        // SAFETY: borrowed for this call.
        seat.set_document(unsafe { text::owned(json, STATUS_MAX) });
    });
}

unsafe extern "C" fn span_event(
    _: *mut c_void,
    cookie: u64,
    trace: *const PlTrace,
    event: *const PlSpanEvent,
) {
    guard((), || {
        if !trace.is_aligned() || !event.is_aligned() {
            return;
        }
        // SAFETY: null, or borrowed for this call.
        if let (Some(trace), Some(event)) = unsafe { (trace.as_ref(), event.as_ref()) } {
            // SAFETY: as above.
            unsafe { notes::take(cookie, trace, event) }
        }
    });
}

unsafe extern "C" fn get_ext(_: *mut c_void, _: PlStr) -> *const c_void {
    std::ptr::null()
}
