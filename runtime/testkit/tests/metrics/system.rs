//! The whole system, scraped.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pipeline_testkit::openmetrics::{Family, Sample};
use pipeline_testkit::{eventually, kafka, repository};

use crate::scene::{Scene, Scrape, WITHIN};
use crate::table::{self, Table, markdown};

/// Around the table in the file.
const BEGIN: &str = "<!-- metrics -->\n";
const END: &str = "<!-- /metrics -->";
/// Most label sets that one metric has in one process of this system: an edge's, three instances of three stages; a disconnect's
/// reasons; a partition's.
const SERIES: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn the_running_system_measures_what_the_table_says() {
    let kafka = kafka::cluster().shared();
    let mut scene = Scene::start(&kafka).await;
    let file = repository().join("observability/METRICS.md");
    let scrapes = if std::env::var("METRICS").is_ok_and(|wish| wish == "write") {
        let scrapes = settled(&mut scene).await;
        write(&file, &markdown(&table::of(&scrapes)));
        scrapes
    } else {
        held_against(&scene, &written(&file)).await
    };
    for scrape in &scrapes {
        scrape.families.iter().for_each(well_formed);
    }
    exemplars(&scene, &scrapes).await;
    scene.classic().await.iter().for_each(|text| lint(text));
}

/// Waits until what is measured is what was written down.
async fn held_against(scene: &Scene, wanted: &str) -> Vec<Scrape> {
    eventually(WITHIN, "the metrics of observability/METRICS.md", async || {
        let scrapes = scene.scrape().await;
        let found = markdown(&table::of(&scrapes));
        if found == wanted {
            return Ok(scrapes);
        }
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<HashSet<_>>();
        let (found, wanted) = (lines(&found), lines(wanted));
        let missing: Vec<_> = wanted.difference(&found).collect();
        let unknown: Vec<_> = found.difference(&wanted).collect();
        Err(format!(
            "written and not measured: {missing:#?}\nmeasured and not written: {unknown:#?}\n(expected what `METRICS=write` writes)"
        ))
    })
    .await
}

/// Waits until no metric has come for a while.
async fn settled(scene: &mut Scene) -> Vec<Scrape> {
    let mut known = Table::new();
    let mut same = 0;
    loop {
        let scrapes = scene.scrape().await;
        let table = table::of(&scrapes);
        same = if table == known { same + 1 } else { 0 };
        if same == 5 {
            return scrapes;
        }
        known = table;
        let seen = scene.page.seen().count();
        let read = scene
            .page
            .read_until(WITHIN, |now| now.count() >= seen + 20);
        read.await.expect("a page that stays connected");
    }
}

fn written(file: &PathBuf) -> String {
    let text = fs::read_to_string(file).expect("observability/METRICS.md");
    let (_, rest) = text.split_once(BEGIN).expect("a table");
    rest.split_once(END).expect("its end").0.to_owned()
}

fn write(file: &PathBuf, table: &str) {
    let text = fs::read_to_string(file).expect("observability/METRICS.md");
    let (before, rest) = text.split_once(BEGIN).expect("a table");
    let (_, after) = rest.split_once(END).expect("its end");
    fs::write(file, format!("{before}{BEGIN}{table}{END}{after}")).expect("a file to write");
}

/// Base units, words, and few label sets, none of which tells a secret or grows with what is traded.
fn well_formed(family: &Family) {
    let name = &family.name;
    assert!(
        name.starts_with("pipeline_") || name.starts_with("process_"),
        "{name}"
    );
    assert!(
        ["counter", "gauge", "histogram"].contains(&family.kind.as_str()),
        "{name}"
    );
    assert!(
        ["", "seconds", "bytes"].contains(&family.unit.as_str()),
        "{name}"
    );
    let help = &family.help;
    assert!(!help.is_empty() && !help.contains('\n'), "{name}: {help}");
    let mut series: BTreeMap<_, Vec<&Sample>> = BTreeMap::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        labels.remove("le");
        series.entry(labels).or_default().push(sample);
    }
    assert!(
        series.len() <= SERIES,
        "{name} has {} label sets",
        series.len()
    );
    for (label, value) in series.keys().flatten() {
        let is_told = ["://", "?", "@", "KRW"]
            .iter()
            .all(|word| !value.contains(word));
        assert!(is_told && value.len() < 200, "{name}: {label}={value}");
    }
}

/// The histograms name traces that the collector has.
async fn exemplars(scene: &Scene, scrapes: &[Scrape]) {
    for name in [
        "pipeline_message_age_seconds",
        "pipeline_edge_settle_seconds",
        "pipeline_http_request_duration_seconds",
    ] {
        let families = scrapes.iter().flat_map(|scrape| &scrape.families);
        let samples = families
            .filter(|family| family.name == name)
            .flat_map(|family| &family.samples);
        let traces: HashSet<String> = samples
            .filter_map(|sample| sample.exemplar.as_ref())
            .map(|labels| labels["trace_id"].clone())
            .collect();
        assert!(!traces.is_empty(), "no exemplar of {name}");
        let known = |spans: &[pipeline_testkit::otlp::Span]| {
            let has = spans.iter().any(|span| traces.contains(&span.trace));
            has.then_some(())
                .ok_or_else(|| format!("none of {traces:?} in {} spans", spans.len()))
        };
        scene
            .collector()
            .until(WITHIN, "a trace that is named", known)
            .await;
    }
}

/// The older format, and the names, as Prometheus' own tool has them.
fn lint(text: &str) {
    assert!(!text.contains("trace_id"), "only OpenMetrics has exemplars");
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, which `.ci/packages` installs");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(text.as_bytes()).expect("a reader");
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    let told = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && told.is_empty(),
        "{}",
        String::from_utf8_lossy(&told)
    );
}
