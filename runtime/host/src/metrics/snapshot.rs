//! All numbers at one moment, for whoever renders them.

use super::Exemplar;

/// Every family with every sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// In alphabetical order.
    pub families: Vec<Family>,
}

/// One metric with all its label sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Without unit and without `_total`, for example `pipeline_edge_queue`.
    pub name: String,
    /// `seconds`, `bytes`, or empty.
    pub unit: String,
    /// One line for people.
    pub help: String,
    /// What its samples are.
    pub kind: FamilyKind,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// One label set with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Names and values.
    pub labels: Vec<(String, String)>,
    /// The value; of the family's kind.
    pub value: Value,
}

/// A value of one of the kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a counter.
    Counter(u64),
    /// Of a counter that is no whole number.
    Sum(f64),
    /// Of a gauge.
    Gauge(f64),
    /// Of a histogram.
    Histogram {
        /// Upper bound and cumulative count, ascending; the last bound is infinite.
        buckets: Vec<(f64, u64)>,
        /// Sum of all values.
        sum: f64,
        /// Values of traced messages, each with the index of its bucket; at most one a bucket.
        exemplars: Vec<(usize, Exemplar)>,
    },
}

impl Snapshot {
    /// The value of a sample that carries all the given labels. For tests and status pages.
    #[must_use]
    pub fn get(&self, family: &str, labels: &[(&str, &str)]) -> Option<&Value> {
        let has = |sample: &&Sample| {
            labels
                .iter()
                .all(|(name, value)| sample.labels.iter().any(|(n, v)| n == name && v == value))
        };
        let family = self
            .families
            .iter()
            .find(|candidate| candidate.name == family)?;
        family.samples.iter().find(has).map(|sample| &sample.value)
    }
}
