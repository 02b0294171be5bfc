//! Figures of several runs: their median, and how far they spread.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::process::Process;

/// What one run moved, and what that cost.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Run {
    pub(crate) messages: u64,
    pub(crate) time: Duration,
    pub(crate) cpu: Duration,
    /// The most memory that the process had, in bytes.
    pub(crate) peak: u64,
}

impl Run {
    /// A run that `process` has just ended; what its start cost is part of it.
    pub(crate) fn of(process: Process, messages: u64, time: Duration) -> Self {
        Self {
            messages,
            time,
            cpu: process.cpu(),
            peak: process.peak(),
        }
    }

    pub(crate) fn thousands_a_second(&self) -> f64 {
        self.messages as f64 / self.time.as_secs_f64() / 1e3
    }

    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.messages as f64
    }

    pub(crate) fn peak_mb(&self) -> f64 {
        self.peak as f64 / 1e6
    }
}

/// One figure of several runs.
#[derive(Clone, Debug)]
pub(crate) struct Figure(Vec<f64>);

impl Figure {
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        assert!(!values.is_empty(), "a figure needs a run");
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub(crate) fn of<T>(runs: &[T], figure: impl Fn(&T) -> f64) -> Self {
        Self::new(runs.iter().map(figure))
    }

    pub(crate) fn median(&self) -> f64 {
        percentile(&self.0, 0.5)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0[0], self.0[self.0.len() - 1]);
        write!(
            out,
            "{} ({}–{})",
            short(self.median()),
            short(first),
            short(last)
        )
    }
}

/// The value below which a part of `sorted` lies.
pub(crate) fn percentile(sorted: &[f64], part: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

/// Three digits, which is more than a run on a shared machine repeats; a whole number is left whole.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
