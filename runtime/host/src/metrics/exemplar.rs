//! Exemplars: for each bucket of a distribution the newest value whose message is traced.
//!
//! They take memory from the first one on, and whoever records never waits: of two at once one is lost.

use parking_lot::Mutex;
use pipeline_abi::PlTrace;
use std::sync::OnceLock;
use std::time::SystemTime;

/// A value, and the span of the message that it was measured of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The span in it.
    pub span_id: [u8; 8],
    /// The value, in the unit of the metric.
    pub value: f64,
    /// When it was measured.
    pub at: SystemTime,
}

impl Exemplar {
    /// A value that was measured now; none if the trace is not recorded.
    pub(crate) fn of(trace: &PlTrace, value: f64) -> Option<Self> {
        let is_sampled = trace.flags & 1 == 1 && trace.trace_id != [0; 16];
        (is_sampled && value.is_finite() && value >= 0.0).then(|| Exemplar {
            trace_id: trace.trace_id,
            span_id: trace.span_id,
            value,
            at: SystemTime::now(),
        })
    }
}

/// The newest exemplar of each bucket.
#[derive(Debug, Default)]
pub(crate) struct Exemplars(OnceLock<Box<[Mutex<Option<Exemplar>>]>>);

impl Exemplars {
    /// Keeps an exemplar of one of the buckets.
    pub(super) fn keep(&self, bucket: usize, buckets: usize, exemplar: Exemplar) {
        let slots = self
            .0
            .get_or_init(|| (0..buckets).map(|_| Mutex::default()).collect());
        if let Some(mut slot) = slots.get(bucket).and_then(Mutex::try_lock) {
            *slot = Some(exemplar);
        }
    }

    /// The exemplars, each with its bucket.
    pub(super) fn newest(&self) -> Vec<(usize, Exemplar)> {
        let slots = self.0.get().map_or(&[][..], |slots| slots);
        let slots = slots.iter().enumerate();
        slots
            .filter_map(|(bucket, slot)| Some((bucket, (*slot.lock())?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_abi::PlStr;

    #[test]
    fn only_a_recorded_trace_makes_an_exemplar() {
        let trace = |flags, id| PlTrace {
            trace_id: [id; 16],
            span_id: [2; 8],
            flags,
            reserved: [0; 7],
            tracestate: PlStr::EMPTY,
        };
        assert_eq!(Exemplar::of(&trace(0, 1), 0.5), None);
        assert_eq!(Exemplar::of(&trace(1, 0), 0.5), None);
        assert_eq!(Exemplar::of(&trace(1, 1), f64::NAN), None);
        assert_eq!(Exemplar::of(&trace(1, 1), 0.5).unwrap().trace_id, [1; 16]);
    }
}
