//! Alerts as promtool sees them, and as the person reads them who is woken up.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use crate::rules::{alerting, cases, folder, tests};

const RUNBOOK: &str =
    "https://github.com/live-trades/pipeline/blob/main/observability/prometheus/RUNBOOK.md#";

#[test]
fn prometheus_takes_the_configuration() {
    promtool([
        "check",
        "config",
        "--lint=all",
        "--lint-fatal",
        "prometheus.yml",
    ]);
}

#[test]
fn alerts_fire_when_they_should_and_not_otherwise() {
    let files = tests();
    let words = ["test", "rules"].map(OsStr::new).into_iter();
    promtool(words.chain(files.iter().map(|file| file.as_os_str())));
}

#[test]
fn every_alert_is_tested_to_fire_and_not_to() {
    let cases = cases();
    for alert in alerting() {
        let name = alert.text("alert");
        let expression = format!(r#"ALERTS{{alertname="{name}",alertstate="firing"}}"#);
        let fires: Vec<bool> = cases
            .iter()
            .filter(|(expr, _)| *expr == expression)
            .map(|(_, expected)| !expected.is_empty())
            .collect();
        assert!(fires.contains(&true), "no test in which `{name}` fires");
        assert!(
            fires.contains(&false),
            "no test in which `{name}` does not fire"
        );
    }
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do() {
    let sections: BTreeSet<String> = runbook();
    let mut known = BTreeSet::new();
    for alert in alerting() {
        let name = alert.text("alert");
        let severity = alert.0["labels"]["severity"].as_str().unwrap_or_default();
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{name}: `{severity}`"
        );
        assert_ne!(alert.text("for"), "", "{name}: no `for`");
        assert_ne!(alert.annotation("summary"), "", "{name}: no summary");
        assert_ne!(
            alert.annotation("description"),
            "",
            "{name}: no description"
        );
        let section = name.to_lowercase();
        assert_eq!(
            alert.annotation("runbook_url"),
            format!("{RUNBOOK}{section}")
        );
        known.insert(section);
    }
    assert_eq!(sections, known, "sections of the runbook, alerts");
}

/// A label that an alert does not have would leave a hole in the sentence.
#[test]
fn alerts_speak_of_labels_that_they_have() {
    let cases = cases();
    for alert in alerting() {
        let name = alert.text("alert");
        let mut fired = cases
            .iter()
            .filter(|(expr, _)| expr.contains(&format!("{name:?}")))
            .flat_map(|(_, expected)| expected);
        let fired = fired.next().expect("a test in which it fires");
        let words = format!(
            "{} {}",
            alert.annotation("summary"),
            alert.annotation("description")
        );
        for named in words.split("$labels.").skip(1) {
            let label = named.split(' ').next().unwrap_or_default();
            assert!(
                fired.contains(&format!("{label}=")),
                "{name}: no `{label}` in {fired}"
            );
        }
    }
}

/// The sections of the runbook, each with what it is to tell.
fn runbook() -> BTreeSet<String> {
    let text = fs::read_to_string(folder().join("RUNBOOK.md")).expect("runbook");
    let sections = text.split("\n## ").skip(1);
    let checked = sections.map(|section| {
        for part in ["**Means.**", "**Look at.**", "**Do.**"] {
            assert!(section.contains(part), "no {part} in {section}");
        }
        section.lines().next().unwrap_or_default().to_lowercase()
    });
    checked.collect()
}

fn promtool<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(folder());
    let output = command.output().unwrap_or_else(|error| {
        panic!("cannot run {command:?}: {error}; `make packages` installs it")
    });
    let say = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        say(&output.stdout),
        say(&output.stderr)
    );
}
