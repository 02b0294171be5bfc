//! Reload: by signal, by `--watch`, of good files and of bad ones.

use crate::support::{SOON, broadcast, flow, log_has, relay};
use pipeline_testkit::{Pipeline, Ports, Running, eventually};
use serde_json::Value;
use std::path::PathBuf;

fn config(running: &Running) -> PathBuf {
    running.folder().join("pipeline.yaml")
}

fn rewrite(running: &Running, change: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(config(running)).unwrap();
    std::fs::write(config(running), change(&text)).unwrap();
}

fn stage<'a>(status: &'a Value, name: &str) -> &'a Value {
    let stages = status["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["name"] == name).unwrap()
}

#[tokio::test]
async fn a_reload_changes_what_differs_and_leaves_the_rest_alone() {
    let ports = Ports::reserve(2);
    let mut running = Pipeline::run_text(&relay(&ports, 100)).spawn();
    running.ready().await;
    rewrite(&running, |text| text.replace("rate: 100", "rate: 50"));
    running.sighup();
    log_has(&running, "reloaded: relay/0 trade-generator changed").await;
    let status = running.status(ports.addr(1)).await.unwrap();
    assert!(
        stage(&status, "trade-generator")["state_seconds"].as_f64()
            < stage(&status, "ws-broadcast")["state_seconds"].as_f64()
    );
    running.sighup();
    log_has(&running, "reloaded: nothing differs").await;
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_told() {
    let ports = Ports::reserve(2);
    let mut running = Pipeline::run_text(&relay(&ports, 100)).spawn();
    running.ready().await;
    let before = running.status(ports.addr(1)).await.unwrap();
    rewrite(&running, |text| text.replace("rate: 100", "rate: fast"));
    running.sighup();
    log_has(
        &running,
        "stage `trade-generator`: `rate` is `fast` (expected a number)",
    )
    .await;
    log_has(&running, "nothing was changed").await;
    let after = running.status(ports.addr(1)).await.unwrap();
    assert!(
        stage(&after, "trade-generator")["sent"].as_u64()
            >= stage(&before, "trade-generator")["sent"].as_u64()
    );
}

#[tokio::test]
async fn settings_that_do_not_open_are_taken_back() {
    let ports = Ports::reserve(2);
    let mut running = Pipeline::run_text(&relay(&ports, 100)).spawn();
    running.ready().await;
    let other = Ports::one();
    let _taken = std::net::TcpListener::bind(other.addr(0)).unwrap();
    let (old, new) = (ports.addr(0).to_string(), other.addr(0).to_string());
    rewrite(&running, |text| text.replace(&old, &new));
    running.sighup();
    log_has(
        &running,
        "did not open with its new settings (it runs with the old ones again)",
    )
    .await;
    running.ready().await;
    std::net::TcpStream::connect(ports.addr(0)).unwrap();
}

#[tokio::test]
async fn a_watched_file_is_reloaded_and_flows_come_and_go() {
    let ports = Ports::reserve(4);
    let mut running = Pipeline::run_text(&relay(&ports, 100))
        .arg("--watch")
        .spawn();
    running.ready().await;
    let alone = std::fs::read_to_string(config(&running)).unwrap();
    let (listen, status) = (ports.addr(2), ports.addr(3));
    let second = flow("second", Some(status), &[broadcast(listen)]);
    rewrite(&running, |text| format!("{text}{second}"));
    log_has(&running, "second/0 started").await;
    assert_eq!(running.status(status).await.unwrap()["flow"], "second");
    rewrite(&running, |_| alone.clone());
    log_has(&running, "second/0 stopped").await;
    assert!(std::net::TcpStream::connect(listen).is_err());
    eventually(SOON, "the status server to end", async || {
        match running.status(status).await {
            Ok(_) => Err("it answers"),
            Err(_) => Ok(()),
        }
    })
    .await;
}
