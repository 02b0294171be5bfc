//! One instrument of a plugin: what its handle leads to.

use super::{Distribution, FamilyKind, Value};
use std::sync::atomic::{AtomicU64, Ordering};

/// A series that a plugin records into. Never freed, so that a late record is harmless.
#[derive(Debug)]
pub(crate) enum Instrument {
    Counter(AtomicU64),
    /// The bits of a double.
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

    /// The value now.
    pub(crate) fn value(&self) -> Value {
        match self {
            Instrument::Counter(count) => Value::Counter(count.load(Ordering::Relaxed)),
            Instrument::Gauge(bits) => Value::Gauge(f64::from_bits(bits.load(Ordering::Relaxed))),
            Instrument::Histogram(distribution) => distribution.value(),
        }
    }
}
