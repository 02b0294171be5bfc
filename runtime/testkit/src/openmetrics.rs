//! Metrics, read by the format's reference parser: what it does not take is a mistake of whoever wrote it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde::Deserialize;

/// What asks for the format that Prometheus asks for.
pub const ACCEPT: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// One metric.
#[derive(Clone, Debug, Deserialize)]
pub struct Family {
    /// With its unit, without `_total`.
    pub name: String,
    /// `counter`, `gauge`, `histogram`, …
    pub kind: String,
    /// `seconds`, `bytes` or empty.
    pub unit: String,
    /// For people.
    pub help: String,
    /// Every line.
    pub samples: Vec<Sample>,
}

/// One line.
#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    /// Name of the line: `…_bucket`, `…_total`, …
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value as text: JSON has no infinity.
    pub value: String,
    /// The labels of its exemplar.
    pub exemplar: Option<BTreeMap<String, String>>,
}

const PARSE: &str = r#"
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
def family(one):
    return {"name": one.name, "kind": one.type, "unit": one.unit, "help": one.documentation, "samples": [sample(s) for s in one.samples]}
def sample(one):
    return {"name": one.name, "labels": one.labels, "value": repr(one.value), "exemplar": one.exemplar and one.exemplar.labels}
json.dump([[family(one) for one in parse(text)] for text in json.load(sys.stdin)], sys.stdout)
"#;

/// Reads texts. Panics with what is wrong with the first one that is no OpenMetrics.
pub fn parse(texts: &[String]) -> Vec<Vec<Family>> {
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", PARSE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3, which `.ci/packages` installs");
    let input = serde_json::to_vec(texts).expect("texts as JSON");
    let mut stdin = child.stdin.take().expect("its input");
    let feeding = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("its output");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the parser says:\n{told}");
    feeding.join().expect("a writer").expect("a reader");
    serde_json::from_slice(&output.stdout).expect("its JSON")
}
