//! The rule files as data.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline_testkit::repository;
use serde_json::Value;

/// A recording or an alerting rule.
pub(crate) struct Rule(pub(crate) Value);

impl Rule {
    /// A field of text; an absent one is empty.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// An annotation.
    pub(crate) fn annotation(&self, name: &str) -> &str {
        self.0["annotations"][name].as_str().unwrap_or_default()
    }
}

/// The folder of Prometheus's configuration.
pub(crate) fn folder() -> PathBuf {
    repository().join("observability/prometheus")
}

/// The rules that record.
pub(crate) fn recording() -> Vec<Rule> {
    rules("rules/recording.yaml")
}

/// The rules that alert.
pub(crate) fn alerting() -> Vec<Rule> {
    rules("rules/alerts.yaml")
}

/// Each case of promtool's tests: the expression and the labels that are expected.
pub(crate) fn cases() -> Vec<(String, Vec<String>)> {
    let mut cases = Vec::new();
    for file in tests() {
        for case in elements(&yaml(&file)["tests"], "promql_expr_test") {
            let samples = case["exp_samples"].as_array().cloned().unwrap_or_default();
            let labels = samples.iter().map(|sample| text(&sample["labels"]));
            cases.push((text(&case["expr"]), labels.collect()));
        }
    }
    cases
}

/// The files of promtool's tests.
pub(crate) fn tests() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join("tests")).expect("folder of tests");
    entries
        .map(|entry| entry.expect("entry of a folder").path())
        .collect()
}

/// A YAML file as JSON.
pub(crate) fn yaml(file: &Path) -> Value {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn rules(file: &str) -> Vec<Rule> {
    let rules = elements(&yaml(&folder().join(file))["groups"], "rules");
    assert!(!rules.is_empty(), "no rules in {file}");
    rules.into_iter().map(Rule).collect()
}

/// What the objects of a list have in their lists called `field`.
fn elements(list: &Value, field: &str) -> Vec<Value> {
    let list = list.as_array().expect("a list");
    let inner = |one: &Value| one[field].as_array().expect("a list").clone();
    list.iter().flat_map(inner).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
