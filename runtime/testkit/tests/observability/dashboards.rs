//! The dashboards as data.

use std::fs;

use pipeline_testkit::repository;
use serde_json::Value;

use crate::rules::yaml;

/// What Grafana puts in the place of its variables.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "1m"), ("$instance", ".*")];

/// Every dashboard, with the name of its file.
pub(crate) fn dashboards() -> Vec<(String, Value)> {
    let folder = repository().join("observability/grafana/dashboards");
    let entries = fs::read_dir(folder).expect("folder of dashboards");
    let read = entries.map(|entry| {
        let entry = entry.expect("entry of a folder");
        let text = fs::read_to_string(entry.path()).expect("a dashboard");
        let name = entry.file_name().to_string_lossy().into_owned();
        (
            name,
            serde_json::from_str(&text).expect("a dashboard as JSON"),
        )
    });
    read.collect()
}

/// Every query of every panel as Prometheus gets it, with where it stands.
pub(crate) fn queries() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for (file, dashboard) in dashboards() {
        for panel in list(&dashboard["panels"]) {
            for target in list(&panel["targets"]) {
                let expr = target["expr"].as_str().expect("a query").to_owned();
                let expr = VARIABLES
                    .iter()
                    .fold(expr, |expr, (name, value)| expr.replace(name, value));
                assert!(!expr.contains('$'), "unknown variable in {expr}");
                queries.push((format!("{file}: {}", panel["title"]), expr));
            }
        }
    }
    queries
}

#[test]
fn dashboards_ask_the_datasources_that_are_provisioned() {
    let provisioned = repository().join("observability/grafana/provisioning");
    let sources = yaml(&provisioned.join("datasources/datasources.yaml"));
    let known: Vec<&Value> = list(&sources["datasources"])
        .iter()
        .map(|source| &source["uid"])
        .collect();
    let exemplars = &sources["datasources"][0]["jsonData"]["exemplarTraceIdDestinations"][0];
    assert!(known.contains(&&exemplars["datasourceUid"]), "{exemplars}");
    for (file, dashboard) in dashboards() {
        for panel in list(&dashboard["panels"]) {
            let title = &panel["title"];
            assert!(
                known.contains(&&panel["datasource"]["uid"]),
                "{file}: {title}"
            );
            assert_ne!(
                panel["description"],
                Value::Null,
                "{file}: {title} says nothing"
            );
        }
    }
}

#[test]
fn dashboards_have_addresses_of_their_own() {
    let mut uids: Vec<String> = dashboards()
        .iter()
        .map(|(_, one)| one["uid"].to_string())
        .collect();
    let count = uids.len();
    uids.sort();
    uids.dedup();
    assert_eq!(uids.len(), count);
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}
