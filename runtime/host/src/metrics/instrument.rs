//! One instrument of a plugin: what its handle leads to.
//!
//! A gauge tells how something is, so it is there only while somebody keeps it: from its registration, or a value, until its
//! instance is closed or takes it out. What counters and histograms tell stays true.

use super::{Distribution, FamilyKind, Value};
use pipeline_abi::{PL_GAUGE_ABSENT, PlTrace};
use std::sync::atomic::{AtomicU64, Ordering};

/// A series that a plugin records into. Never freed, so that a late record is harmless.
#[derive(Debug)]
pub(crate) enum Instrument {
    Counter(AtomicU64),
    /// The bits of a double, or of an absent value.
    Gauge(AtomicU64),
    Histogram(Distribution),
}

impl Instrument {
    pub(crate) fn new(kind: FamilyKind, bounds: &[f64]) -> Self {
        match kind {
            FamilyKind::Counter => Instrument::Counter(AtomicU64::new(0)),
            FamilyKind::Gauge => Instrument::Gauge(AtomicU64::new(0)),
            FamilyKind::Histogram => Instrument::Histogram(Distribution::new(bounds)),
        }
    }

    /// Records what came over the boundary: an unsigned integer for counters, the bits of a double otherwise.
    pub(crate) fn record(&self, bits: u64) {
        match self {
            Instrument::Counter(count) => {
                count.fetch_add(bits, Ordering::Relaxed);
            }
            Instrument::Gauge(value) => value.store(bits, Ordering::Relaxed),
            Instrument::Histogram(distribution) => distribution.record(f64::from_bits(bits)),
        }
    }

    /// Remembers a value, which is recorded as well, as that of a traced message.
    pub(crate) fn exemplify(&self, bits: u64, trace: &PlTrace) {
        if let Instrument::Histogram(distribution) = self {
            distribution.exemplify(f64::from_bits(bits), trace);
        }
    }

    /// The value now; none of a gauge that is absent.
    pub(crate) fn value(&self) -> Option<Value> {
        match self {
            Instrument::Counter(count) => Some(Value::Counter(count.load(Ordering::Relaxed))),
            Instrument::Gauge(bits) => match bits.load(Ordering::Relaxed) {
                PL_GAUGE_ABSENT => None,
                bits => Some(Value::Gauge(f64::from_bits(bits))),
            },
            Instrument::Histogram(distribution) => Some(distribution.value()),
        }
    }

    /// Shows a gauge that was absent.
    pub(super) fn show(&self) {
        if let Instrument::Gauge(bits) = self {
            let zero = 0_f64.to_bits();
            // An error means that it is not absent.
            let _ =
                bits.compare_exchange(PL_GAUGE_ABSENT, zero, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Takes a gauge out until it is shown or recorded again.
    pub(super) fn hide(&self) {
        if let Instrument::Gauge(bits) = self {
            bits.store(PL_GAUGE_ABSENT, Ordering::Relaxed);
        }
    }
}
