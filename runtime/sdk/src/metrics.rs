//! Instruments: numbers that the host exports for a stage.

use crate::{Trace, host};
use pipeline_abi::*;
use std::ptr;

/// What an instrument is, before the host knows it.
pub(crate) struct Spec<'a> {
    pub(crate) kind: u32,
    pub(crate) name: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) help: &'a str,
    pub(crate) labels: &'a [(&'a str, &'a str)],
    pub(crate) bounds: &'a [f64],
}

#[derive(Clone, Copy, Debug)]
struct Instrument(*mut PlInstrument);
// SAFETY: an instrument is recorded through the host, on any thread.
unsafe impl Send for Instrument {}
// SAFETY: as above.
unsafe impl Sync for Instrument {}

impl Instrument {
    fn register(cookie: u64, spec: &Spec<'_>) -> Self {
        let Some(host) = host::get() else {
            return Instrument(ptr::null_mut());
        };
        let text = |text: &str| PlStr::new(text.as_bytes());
        let labels: Vec<PlField> = spec
            .labels
            .iter()
            .map(|(name, value)| PlField {
                name: text(name),
                kind: PL_FIELD_STR,
                reserved: 0,
                s: text(value),
                n: 0,
            })
            .collect();
        let spec = PlInstrumentSpec {
            struct_size: size_of::<PlInstrumentSpec>() as u32,
            kind: spec.kind,
            cookie,
            name: text(spec.name),
            unit: text(spec.unit),
            help: text(spec.help),
            labels: labels.as_ptr(),
            bounds: spec.bounds.as_ptr(),
            n_labels: labels.len() as u32,
            n_bounds: spec.bounds.len() as u32,
        };
        // SAFETY: the host's own function and context; everything is borrowed for the call.
        Instrument(unsafe { (host.instrument)(host.ctx, &spec) })
    }

    fn record(self, bits: u64) {
        if let (Some(host), false) = (host::get(), self.0.is_null()) {
            // SAFETY: a handle of this host's, which is never freed.
            unsafe { (host.record)(self.0, bits) }
        }
    }

    fn record_traced(self, bits: u64, trace: Trace) {
        if let (Some(host), false) = (host::get(), self.0.is_null()) {
            // SAFETY: a handle of this host's, which is never freed; the trace is borrowed for the call.
            unsafe { (host.record_traced)(self.0, bits, &trace.to_abi()) }
        }
    }
}

/// A number that only grows.
#[derive(Clone, Debug)]
pub struct Counter(Instrument);

impl Counter {
    pub(crate) fn register(
        cookie: u64,
        name: &str,
        unit: &str,
        help: &str,
        labels: &[(&str, &str)],
    ) -> Self {
        let spec = Spec {
            kind: PL_INSTRUMENT_COUNTER,
            name,
            unit,
            help,
            labels,
            bounds: &[],
        };
        Counter(Instrument::register(cookie, &spec))
    }

    /// Adds.
    pub fn add(&self, count: u64) {
        self.0.record(count);
    }
}

/// A number that is what it was set to last.
#[derive(Clone, Debug)]
pub struct Gauge(Instrument);

impl Gauge {
    pub(crate) fn register(
        cookie: u64,
        name: &str,
        unit: &str,
        help: &str,
        labels: &[(&str, &str)],
    ) -> Self {
        let spec = Spec {
            kind: PL_INSTRUMENT_GAUGE,
            name,
            unit,
            help,
            labels,
            bounds: &[],
        };
        Gauge(Instrument::register(cookie, &spec))
    }

    /// Sets.
    pub fn set(&self, value: f64) {
        self.0.record(value.to_bits());
    }

    /// Takes it out of the metrics until it is set again: what it told about is not there any more.
    pub fn hide(&self) {
        self.0.record(PL_GAUGE_ABSENT);
    }
}

/// A distribution of values.
#[derive(Clone, Debug)]
pub struct Histogram(Instrument);

impl Histogram {
    pub(crate) fn register(
        cookie: u64,
        name: &str,
        unit: &str,
        help: &str,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Self {
        let spec = Spec {
            kind: PL_INSTRUMENT_HISTOGRAM,
            name,
            unit,
            help,
            labels,
            bounds,
        };
        Histogram(Instrument::register(cookie, &spec))
    }

    /// Adds a value.
    pub fn record(&self, value: f64) {
        self.0.record(value.to_bits());
    }

    /// Adds a value that was measured of a traced message: the metrics name the trace as an example.
    pub fn record_traced(&self, value: f64, trace: Trace) {
        self.0.record_traced(value.to_bits(), trace);
    }
}
