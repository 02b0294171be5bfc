//! Metrics as text: [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) for whoever asks for it, as Prometheus
//! does, else [the older format](https://prometheus.io/docs/instrumenting/exposition_formats/), which knows no units and exemplars.

use pipeline_host::{Exemplar, Family, FamilyKind, Sample, Snapshot, Value};
use std::fmt::Write;
use std::time::UNIX_EPOCH;

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Version 0.0.4.
    Classic,
}

impl Format {
    /// The format that fits the values of a request's `Accept`.
    pub(crate) fn wanted<'a>(accepted: impl Iterator<Item = &'a str>) -> Self {
        let types = accepted.flat_map(|value| value.split(','));
        let mut names = types.filter_map(|one| one.split(';').next());
        match names.any(|name| name.trim() == "application/openmetrics-text") {
            true => Format::OpenMetrics,
            false => Format::Classic,
        }
    }

    /// What the answer says it is.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Writes every family.
pub(crate) fn render(snapshot: &Snapshot, format: Format) -> String {
    let mut writer = Writer {
        out: String::new(),
        format,
    };
    let families = snapshot.families.iter();
    families
        .filter(|family| !family.samples.is_empty())
        .for_each(|family| writer.family(family));
    if format == Format::OpenMetrics {
        writer.out.push_str("# EOF\n");
    }
    writer.out
}

struct Writer {
    out: String,
    format: Format,
}

impl Writer {
    fn family(&mut self, family: &Family) {
        let name = match family.unit.as_str() {
            "" => family.name.clone(),
            unit => format!("{}_{unit}", family.name),
        };
        let kind = match family.kind {
            FamilyKind::Counter => "counter",
            FamilyKind::Gauge => "gauge",
            FamilyKind::Histogram => "histogram",
        };
        // The older format has a counter under the name of its sample.
        let total = match (self.format, family.kind) {
            (Format::Classic, FamilyKind::Counter) => "_total",
            _ => "",
        };
        self.line(format_args!("# TYPE {name}{total} {kind}"));
        if self.format == Format::OpenMetrics && !family.unit.is_empty() {
            self.line(format_args!("# UNIT {name} {}", family.unit));
        }
        if !family.help.is_empty() {
            let help = self.help(&family.help);
            self.line(format_args!("# HELP {name}{total} {help}"));
        }
        for sample in &family.samples {
            self.sample(&name, sample);
        }
    }

    fn sample(&mut self, name: &str, sample: &Sample) {
        let labels = labels(&sample.labels);
        match &sample.value {
            Value::Counter(count) => {
                self.line(format_args!("{name}_total{} {count}", braced(&labels)));
            }
            Value::Sum(sum) => {
                let sum = float(*sum);
                self.line(format_args!("{name}_total{} {sum}", braced(&labels)));
            }
            Value::Gauge(value) => {
                let value = float(*value);
                self.line(format_args!("{name}{} {value}", braced(&labels)));
            }
            Value::Histogram {
                buckets,
                sum,
                exemplars,
            } => {
                self.buckets(name, &labels, buckets, exemplars);
                let count = buckets.last().map_or(0, |(_, count)| *count);
                let labels = braced(&labels);
                self.line(format_args!("{name}_sum{labels} {}", float(*sum)));
                self.line(format_args!("{name}_count{labels} {count}"));
            }
        }
    }

    fn buckets(
        &mut self,
        name: &str,
        labels: &str,
        buckets: &[(f64, u64)],
        exemplars: &[(usize, Exemplar)],
    ) {
        let comma = if labels.is_empty() { "" } else { "," };
        for (index, (bound, count)) in buckets.iter().enumerate() {
            let bound = float(*bound);
            let exemplar = exemplars.iter().find(|(bucket, _)| *bucket == index);
            let exemplar = match (self.format, exemplar) {
                (Format::OpenMetrics, Some((_, exemplar))) => exemplar_text(exemplar),
                _ => String::new(),
            };
            self.line(format_args!(
                "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}{exemplar}"
            ));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.out, "{line}");
    }

    /// The older format does not escape quotes here.
    fn help(&self, text: &str) -> String {
        match self.format {
            Format::OpenMetrics => escape(text),
            Format::Classic => text.replace('\\', "\\\\").replace('\n', "\\n"),
        }
    }
}

fn exemplar_text(exemplar: &Exemplar) -> String {
    let trace = u128::from_be_bytes(exemplar.trace_id);
    let span = u64::from_be_bytes(exemplar.span_id);
    let at = exemplar.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!(
        " # {{trace_id=\"{trace:032x}\",span_id=\"{span:016x}\"}} {} {:.3}",
        float(exemplar.value),
        at.as_secs_f64()
    )
}

fn labels(labels: &[(String, String)]) -> String {
    let pairs = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escape(value)));
    pairs.collect::<Vec<_>>().join(",")
}

fn braced(labels: &str) -> String {
    if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    // `{:?}` keeps the point: OpenMetrics wants bounds as floats.
    format!("{value:?}")
}

#[cfg(test)]
mod tests;
