//! Metrics as OpenMetrics text (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).

use pipeline_host::{Family, FamilyKind, Sample, Snapshot, Value};
use std::fmt::Write;

/// What the answer says it is.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Writes every family.
pub(crate) fn render(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for family in &snapshot.families {
        write_family(&mut out, family);
    }
    out + "# EOF\n"
}

fn write_family(out: &mut String, family: &Family) {
    let name = match family.unit.as_str() {
        "" => family.name.clone(),
        unit => format!("{}_{unit}", family.name),
    };
    let kind = match family.kind {
        FamilyKind::Counter => "counter",
        FamilyKind::Gauge => "gauge",
        FamilyKind::Histogram => "histogram",
    };
    let _ = writeln!(out, "# TYPE {name} {kind}");
    if !family.unit.is_empty() {
        let _ = writeln!(out, "# UNIT {name} {}", family.unit);
    }
    if !family.help.is_empty() {
        let _ = writeln!(out, "# HELP {name} {}", escape(&family.help));
    }
    for sample in &family.samples {
        write_sample(out, &name, sample);
    }
}

fn write_sample(out: &mut String, name: &str, sample: &Sample) {
    let labels = labels(&sample.labels);
    let _ = match &sample.value {
        Value::Counter(count) => writeln!(out, "{name}_total{} {count}", braced(&labels)),
        Value::Gauge(value) => writeln!(out, "{name}{} {}", braced(&labels), float(*value)),
        Value::Histogram { buckets, sum } => write_histogram(out, name, &labels, buckets, *sum),
    };
}

fn write_histogram(
    out: &mut String,
    name: &str,
    labels: &str,
    buckets: &[(f64, u64)],
    sum: f64,
) -> std::fmt::Result {
    let comma = if labels.is_empty() { "" } else { "," };
    for (bound, count) in buckets {
        writeln!(
            out,
            "{name}_bucket{{{labels}{comma}le=\"{}\"}} {count}",
            float(*bound)
        )?;
    }
    let count = buckets.last().map_or(0, |(_, count)| *count);
    writeln!(out, "{name}_sum{} {}", braced(labels), float(sum))?;
    writeln!(out, "{name}_count{} {count}", braced(labels))
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
mod tests {
    use super::*;

    fn family(name: &str, unit: &str, kind: FamilyKind, value: Value) -> Family {
        let labels = vec![("flow".to_owned(), "a\"b\\c\nd".to_owned())];
        Family {
            name: name.to_owned(),
            unit: unit.to_owned(),
            help: "What it is.".to_owned(),
            kind,
            samples: vec![Sample { labels, value }],
        }
    }

    #[test]
    fn families_are_written_as_the_specification_asks() {
        let buckets = vec![(0.001, 1), (1.0, 2), (f64::INFINITY, 3)];
        let snapshot = Snapshot {
            families: vec![
                family(
                    "pipeline_messages",
                    "",
                    FamilyKind::Counter,
                    Value::Counter(7),
                ),
                family(
                    "pipeline_queue",
                    "bytes",
                    FamilyKind::Gauge,
                    Value::Gauge(1.5),
                ),
                family(
                    "pipeline_age",
                    "seconds",
                    FamilyKind::Histogram,
                    Value::Histogram { buckets, sum: 4.25 },
                ),
            ],
        };
        insta::assert_snapshot!(render(&snapshot));
    }
}
