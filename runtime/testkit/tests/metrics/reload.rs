//! Scrapes while everything changes.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use pipeline_testkit::{Pipeline, Ports, WsClient, openmetrics};

const RELOADS: u32 = 10;
/// Between two scrapes: a reload takes longer.
const BETWEEN: Duration = Duration::from_millis(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_in_the_middle_of_a_reload_is_whole_and_disturbs_nothing() {
    let listen = Ports::one().addr(0);
    let yaml = |round: u32| {
        format!(
            "flows:\n  trades:\n    stages:\n      - {{ use: trade-generator, with: {{ rate: {} }} }}\n      - {{ use: ws-broadcast, with: {{ listen: '{listen}' }} }}\n  extra{round}:\n    stages:\n      - {{ use: trade-generator, with: {{ rate: 5 }} }}\n      - {{ use: ws-broadcast, with: {{ listen: '127.0.0.1:0' }} }}\n",
            100 + round
        )
    };
    let pipeline = Pipeline::run_text(&yaml(0));
    let mut running = pipeline.spawn();
    running.ready().await;
    let file = running.folder().join("pipeline.yaml");
    let mut page = WsClient::connect(&format!("ws://{listen}/ws")).await;
    let mut texts = Vec::new();
    for round in 1..=RELOADS {
        fs::write(&file, yaml(round)).unwrap();
        running.sighup();
        loop {
            texts.push(running.openmetrics().await);
            if reloads(&texts[texts.len() - 1]) >= round {
                break;
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }
    // It was connected all the time, and trades still come.
    assert!(page.text().await.is_some());
    let scrapes = openmetrics::parse(&texts);
    assert!(scrapes.len() >= RELOADS as usize);
    for families in &scrapes {
        let names: HashSet<_> = families.iter().map(|family| &family.name).collect();
        assert_eq!(names.len(), families.len(), "each metric comes once");
    }
    // Of a flow that is gone no gauge stays behind.
    let gone = format!("extra{}", RELOADS - 1);
    let last = scrapes.last().unwrap().iter();
    let stale = last
        .filter(|family| family.kind == "gauge")
        .flat_map(|family| &family.samples)
        .find(|sample| sample.labels.get("flow") == Some(&gone));
    assert!(stale.is_none(), "{stale:?}");
}

fn reloads(text: &str) -> u32 {
    let name = "pipeline_config_reloads_total{result=\"done\"} ";
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}
