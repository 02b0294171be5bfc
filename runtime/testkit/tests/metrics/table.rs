//! The table of all metrics: one line each, as Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use pipeline_host::HOST_FAMILIES;
use pipeline_testkit::openmetrics::Family;

use crate::scene::Scrape;

/// Labels that the host adds to what is of a stage.
const PLACE: [&str; 3] = ["flow", "stage", "instance"];

/// Metrics that any stage has as soon as it uses that part of the SDK.
const OF_THE_SDK: [&str; 2] = [
    "pipeline_certificate_expiry_timestamp_seconds",
    "pipeline_stage_retries",
];

/// By name.
pub(crate) type Table = BTreeMap<String, Line>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    kind: String,
    unit: String,
    help: String,
    labels: BTreeSet<String>,
    /// Who registers it.
    by: BTreeSet<String>,
}

/// What is measured in these processes.
pub(crate) fn of(scrapes: &[Scrape]) -> Table {
    let mut table = Table::new();
    for scrape in scrapes {
        for family in &scrape.families {
            let total = if family.kind == "counter" {
                "_total"
            } else {
                ""
            };
            let line = table.entry(format!("{}{total}", family.name)).or_default();
            line.kind.clone_from(&family.kind);
            line.unit.clone_from(&family.unit);
            line.help.clone_from(&family.help);
            line.add(family, scrape);
        }
    }
    table
}

impl Line {
    fn add(&mut self, family: &Family, scrape: &Scrape) {
        for sample in &family.samples {
            let names = sample.labels.keys().map(String::as_str);
            let own = names.filter(|name| !PLACE.contains(name) && *name != "le");
            self.labels.extend(own.map(str::to_owned));
            self.by.insert(registrar(family, &sample.labels, scrape));
        }
    }
}

fn registrar(family: &Family, labels: &BTreeMap<String, String>, scrape: &Scrape) -> String {
    let Some(stage) = labels.get("stage") else {
        return "process".to_owned();
    };
    let is_host = HOST_FAMILIES.iter().any(|one| {
        let rest = family.name.strip_prefix(one.name);
        rest.is_some_and(|rest| rest.trim_start_matches('_') == one.unit)
    });
    if is_host {
        return "host".to_owned();
    }
    if OF_THE_SDK.contains(&family.name.as_str()) {
        return "stages".to_owned();
    }
    scrape.kinds[&(labels["flow"].clone(), stage.clone())].clone()
}

/// The table as Markdown.
pub(crate) fn markdown(table: &Table) -> String {
    let mut text =
        "| name | type | unit | labels | registered by | meaning |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for (name, line) in table {
        let words = |set: &BTreeSet<String>| {
            let quoted = set.iter().map(|word| format!("`{word}`"));
            quoted.collect::<Vec<_>>().join(" ")
        };
        let by = line.by.iter().cloned().collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            text,
            "| `{name}` | {} | {} | {} | {by} | {} |",
            line.kind,
            line.unit,
            words(&line.labels),
            line.help
        );
    }
    text
}
