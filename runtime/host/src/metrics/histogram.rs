//! Distributions that many threads record into without waiting.

use super::{Exemplar, Exemplars, Value};
use pipeline_abi::PlTrace;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the host's own time distributions, nanoseconds: from a thread's wake-up to a broker's outage.
const BOUNDS_NS: [u64; 20] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
    60_000_000_000,
    300_000_000_000,
];

/// A distribution of durations over fixed bounds.
#[derive(Debug, Default)]
pub(crate) struct Timings {
    buckets: [AtomicU64; BOUNDS_NS.len() + 1],
    sum_ns: AtomicU64,
    exemplars: Exemplars,
}

impl Timings {
    /// Records `count` times the same duration.
    pub(crate) fn record(&self, duration: Duration, count: u64) {
        let ns = duration.as_nanos().min(u128::from(u64::MAX)) as u64;
        self.add(bucket(ns), count, ns.saturating_mul(count));
    }

    /// Records several durations in nanoseconds; neighbours in one bucket cost one addition together.
    pub(crate) fn record_many(&self, durations: impl Iterator<Item = u64>) {
        let (mut at, mut count, mut sum) = (0, 0, 0_u64);
        for ns in durations {
            if !is_in(at, ns) {
                self.add(at, count, sum);
                (at, count, sum) = (bucket(ns), 0, 0);
            }
            count += 1;
            sum = sum.saturating_add(ns);
        }
        self.add(at, count, sum);
    }

    /// Remembers a duration, which is recorded as well, as that of a traced message.
    pub(crate) fn exemplify(&self, ns: u64, trace: &PlTrace) {
        if let Some(exemplar) = Exemplar::of(trace, ns as f64 / 1e9) {
            self.exemplars
                .keep(bucket(ns), self.buckets.len(), exemplar);
        }
    }

    /// The distribution now, in seconds.
    pub(crate) fn value(&self) -> Value {
        let bounds = BOUNDS_NS.map(|ns| ns as f64 / 1e9);
        cumulative(
            &bounds,
            &self.buckets,
            self.sum_ns.load(Ordering::Relaxed) as f64 / 1e9,
            &self.exemplars,
        )
    }

    fn add(&self, bucket: usize, count: u64, sum_ns: u64) {
        if count == 0 {
            return;
        }
        self.buckets[bucket].fetch_add(count, Ordering::Relaxed);
        self.sum_ns.fetch_add(sum_ns, Ordering::Relaxed);
    }
}

fn bucket(ns: u64) -> usize {
    BOUNDS_NS.partition_point(|bound| *bound < ns)
}

/// Whether a duration falls into a bucket.
fn is_in(bucket: usize, ns: u64) -> bool {
    let above = bucket == 0 || ns > BOUNDS_NS[bucket - 1];
    above && BOUNDS_NS.get(bucket).is_none_or(|bound| ns <= *bound)
}

/// A distribution over a plugin's own bounds.
#[derive(Debug)]
pub(crate) struct Distribution {
    bounds: Box<[f64]>,
    buckets: Box<[AtomicU64]>,
    sum_bits: AtomicU64,
    exemplars: Exemplars,
}

impl Distribution {
    /// An empty distribution over ascending bounds.
    pub(crate) fn new(bounds: &[f64]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Distribution {
            bounds: bounds.into(),
            buckets,
            sum_bits: AtomicU64::new(0),
            exemplars: Exemplars::default(),
        }
    }

    /// Records a value; what no time or size can be is left out: it would make the sum useless.
    pub(crate) fn record(&self, value: f64) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        let _ = self
            .sum_bits
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Remembers a value, which is recorded as well, as that of a traced message.
    pub(crate) fn exemplify(&self, value: f64, trace: &PlTrace) {
        if let Some(exemplar) = Exemplar::of(trace, value) {
            let bucket = self.bounds.partition_point(|bound| *bound < value);
            self.exemplars.keep(bucket, self.buckets.len(), exemplar);
        }
    }

    /// The distribution now.
    pub(crate) fn value(&self) -> Value {
        cumulative(
            &self.bounds,
            &self.buckets,
            f64::from_bits(self.sum_bits.load(Ordering::Relaxed)),
            &self.exemplars,
        )
    }
}

fn cumulative(bounds: &[f64], buckets: &[AtomicU64], sum: f64, exemplars: &Exemplars) -> Value {
    let mut total = 0;
    let bounds = bounds.iter().copied().chain([f64::INFINITY]);
    let add = |(bound, bucket): (f64, &AtomicU64)| {
        total += bucket.load(Ordering::Relaxed);
        (bound, total)
    };
    Value::Histogram {
        buckets: bounds.zip(buckets).map(add).collect(),
        sum,
        exemplars: exemplars.newest(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(value: &Value) -> Vec<u64> {
        match value {
            Value::Histogram { buckets, .. } => buckets.iter().map(|(_, count)| *count).collect(),
            _ => panic!("expected a histogram"),
        }
    }

    #[test]
    fn value_on_a_bound_falls_below_it() {
        let distribution = Distribution::new(&[1.0, 2.0]);
        let useless = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0];
        [1.0, 1.5, 2.0, 9.0]
            .into_iter()
            .chain(useless)
            .for_each(|value| distribution.record(value));
        assert_eq!(counts(&distribution.value()), vec![1, 3, 4]);
    }

    #[test]
    fn many_durations_count_like_single_ones() {
        let (many, single) = (Timings::default(), Timings::default());
        let durations = [1, 2, 900, 1, 70_000_000].map(Duration::from_micros);
        many.record_many(durations.iter().map(|duration| duration.as_nanos() as u64));
        durations
            .into_iter()
            .for_each(|duration| single.record(duration, 1));
        assert_eq!(many.value(), single.value());
        assert_eq!(counts(&many.value()).last(), Some(&5));
    }
}
