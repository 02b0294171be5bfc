use super::*;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

fn family(name: &str, unit: &str, kind: FamilyKind, values: Vec<Value>) -> Family {
    let sample = |(index, value): (usize, Value)| Sample {
        labels: vec![
            (
                "flow".to_owned(),
                "a\"b\\c\nd\u{fffd}\r\u{1b}{},=".to_owned(),
            ),
            ("number".to_owned(), index.to_string()),
        ],
        value,
    };
    Family {
        name: name.to_owned(),
        unit: unit.to_owned(),
        help: "What \"it\" is,\nand more \\ than that.".to_owned(),
        kind,
        samples: values.into_iter().enumerate().map(sample).collect(),
    }
}

fn exemplar(value: f64) -> Exemplar {
    Exemplar {
        trace_id: [0xab; 16],
        span_id: [1; 8],
        value,
        at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
    }
}

fn histogram(sum: f64, counts: [u64; 3]) -> Value {
    let bounds = [0.001, 1.0, f64::INFINITY];
    Value::Histogram {
        buckets: bounds.into_iter().zip(counts).collect(),
        sum,
        exemplars: vec![(1, exemplar(0.5)), (2, exemplar(4.0))],
    }
}

/// One family of each kind, with values at the ends of what they can be.
fn snapshot() -> Snapshot {
    let gauges = [
        1.5,
        -0.0,
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    let counters = [0, 7, u64::MAX].map(Value::Counter).to_vec();
    let sums = [0.0, 0.25, f64::MAX].map(Value::Sum).to_vec();
    let histograms = vec![
        histogram(4.25, [1, 2, 3]),
        histogram(0.0, [0, 0, 0]),
        histogram(f64::INFINITY, [0, 0, u64::MAX]),
    ];
    Snapshot {
        families: vec![
            family("pipeline_messages", "", FamilyKind::Counter, counters),
            family("pipeline_time", "seconds", FamilyKind::Counter, sums),
            family(
                "pipeline_queue",
                "bytes",
                FamilyKind::Gauge,
                gauges.map(Value::Gauge).to_vec(),
            ),
            family("pipeline_age", "seconds", FamilyKind::Histogram, histograms),
            family("pipeline_nothing", "", FamilyKind::Gauge, vec![]),
        ],
    }
}

#[test]
fn families_are_written_as_the_specifications_ask() {
    let labels = "flow=\"a\\\"b\\\\c\\nd\u{fffd}\r\u{1b}{},=\",number=\"1\"";
    let has = |format, lines: &[String]| {
        let text = render(&snapshot(), format);
        for line in lines {
            assert!(text.contains(&format!("{line}\n")), "no {line} in\n{text}");
        }
        assert!(!text.contains("pipeline_nothing"), "{text}");
    };
    let exemplar = format!(
        "# {{trace_id=\"{}\",span_id=\"{}\"}} 0.5 1700000000.123",
        "ab".repeat(16),
        "01".repeat(8)
    );
    has(
        Format::OpenMetrics,
        &[
            "# TYPE pipeline_messages counter".into(),
            "# HELP pipeline_messages What \\\"it\\\" is,\\nand more \\\\ than that.".into(),
            format!("pipeline_messages_total{{{labels}}} 7"),
            "# UNIT pipeline_time_seconds seconds".into(),
            format!("pipeline_time_seconds_total{{{labels}}} 0.25"),
            format!("pipeline_queue_bytes{{{labels}}} -0.0"),
            format!("pipeline_age_seconds_bucket{{{labels},le=\"1.0\"}} 0 {exemplar}"),
            format!("{}\n# EOF", u64::MAX),
        ],
    );
    has(
        Format::Classic,
        &[
            "# TYPE pipeline_messages_total counter".into(),
            "# HELP pipeline_messages_total What \"it\" is,\\nand more \\\\ than that.".into(),
            format!("pipeline_age_seconds_bucket{{{labels},le=\"1.0\"}} 0"),
        ],
    );
}

#[test]
fn whoever_asks_for_openmetrics_gets_it() {
    let wanted = |accept: &str| Format::wanted([accept].into_iter());
    let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    assert_eq!(wanted(prometheus), Format::OpenMetrics);
    assert_eq!(wanted("text/plain;version=0.0.4"), Format::Classic);
    assert_eq!(wanted("*/*"), Format::Classic);
    assert_eq!(Format::wanted([].into_iter()), Format::Classic);
}

/// Feeds a text to a program, which must be satisfied with it.
fn accepted_by(program: &str, arguments: &[&str], text: &str) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("`{program}`: {error} (expected what `.ci/packages` installs)")
        });
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&told)
    );
}

#[test]
fn the_reference_parsers_take_values_and_labels_of_all_kinds() {
    accepted_by(
        "promtool",
        &["check", "metrics"],
        &render(&snapshot(), Format::Classic),
    );
    let parse = "import sys\nfrom prometheus_client.openmetrics import parser\nlist(parser.text_string_to_metric_families(sys.stdin.buffer.read().decode()))";
    accepted_by(
        "/usr/bin/python3",
        &["-c", parse],
        &render(&snapshot(), Format::OpenMetrics),
    );
}
