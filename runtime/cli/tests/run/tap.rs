//! `pipeline tap`: what passes a stage of a running pipeline.

use crate::support::{SOON, broadcast, flow, generator, log_has, relay};
use pipeline_testkit::{Pipeline, Ports, Running};
use serde_json::{Value, json};
use std::process::Output;
use tokio::task::JoinHandle;

/// `pipeline tap` on a process.
fn command(running: &Running, arguments: &[&str]) -> Pipeline {
    let socket = running.folder().join("control.sock");
    let command = Pipeline::command(["tap", "--control"]).arg(socket);
    arguments.iter().fold(command, |all, one| all.arg(*one))
}

/// Runs it to its end.
async fn tap(running: &Running, arguments: &[&str]) -> Output {
    let command = command(running, arguments);
    tokio::task::spawn_blocking(|| command.output())
        .await
        .unwrap()
}

/// Runs it for `ws-broadcast` beside the test.
fn follow(running: &Running, arguments: &[&str]) -> JoinHandle<Output> {
    let command = command(running, arguments).arg("ws-broadcast");
    tokio::task::spawn_blocking(|| command.output())
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn messages_are_shown_as_they_pass_a_stage() {
    let ports = Ports::reserve(2);
    let mut running = Pipeline::run_text(&relay(&ports, 200)).spawn();
    running.ready().await;
    for stage in ["trade-generator", "ws-broadcast"] {
        let shown = tap(&running, &[stage, "-n", "20", "--rate", "5"]).await;
        let lines = lines(&shown);
        assert_eq!(shown.status.code(), Some(0), "{}", told(&shown));
        assert_eq!(lines.len(), 20);
        let place = |line: &Value| json!([line["flow"], line["instance"], line["stage"]]);
        assert!(
            lines
                .iter()
                .all(|line| place(line) == json!(["relay", 0, stage]))
        );
        assert!(lines.iter().all(|line| line["data"].is_object()));
        let skipped: u64 = lines
            .iter()
            .filter_map(|line| line["skipped"].as_u64())
            .sum();
        assert!(
            skipped > 20,
            "200 messages a second, 5 of them shown: {skipped}"
        );
    }
    let all = tap(&running, &["trade-generator", "-n", "50", "--rate", "1000"]).await;
    assert_eq!(lines(&all).len(), 50);
    running.sigterm();
    assert_eq!(running.exit_code(SOON).await, 0);
}

#[tokio::test]
async fn each_copy_of_a_flow_is_shown_and_another_flow_is_not() {
    let ports = Ports::reserve(2);
    let several = |name: &str, port: u16| {
        let post = format!(
            "use: http-post, with: {{ url: 'http://{}/api/trades' }}",
            ports.addr(port)
        );
        let text = flow(name, None, &[generator("rate: 50"), post]);
        text.replace("    stages:", "    instances: 2\n    stages:")
    };
    let server = flow("server", None, &[broadcast(ports.addr(0))]);
    let text = format!("flows:\n{}{}{server}", several("one", 0), several("two", 0));
    let mut running = Pipeline::run_text(&text).spawn();
    running.ready().await;
    let shown = tap(&running, &["http-post", "--flow", "two", "-n", "40"]).await;
    let lines = lines(&shown);
    assert!(lines.iter().all(|line| line["flow"] == "two"));
    for instance in 0..2 {
        assert!(
            lines.iter().any(|line| line["instance"] == instance),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn a_stage_that_does_not_run_is_told_with_those_that_do() {
    let ports = Ports::reserve(2);
    let mut running = Pipeline::run_text(&relay(&ports, 100)).spawn();
    running.ready().await;
    let missing = tap(&running, &["kafka-sink"]).await;
    assert_eq!(missing.status.code(), Some(69));
    let words =
        "no flow has a stage `kafka-sink` (stages that run: `trade-generator`, `ws-broadcast`)";
    assert!(told(&missing).contains(words), "{}", told(&missing));
    let elsewhere = tap(&running, &["ws-broadcast", "--flow", "other"]).await;
    assert_eq!(elsewhere.status.code(), Some(69));
    let words = "flow `other` has no stage `ws-broadcast`";
    assert!(told(&elsewhere).contains(words), "{}", told(&elsewhere));
    for arguments in [
        &["ws-broadcast", "--rate", "0"][..],
        &["ws-broadcast", "-n", "0"],
        &[],
    ] {
        let wrong = tap(&running, arguments).await;
        assert_eq!(wrong.status.code(), Some(64), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_tap_goes_on_when_a_reload_builds_the_flow_anew() {
    let ports = Ports::reserve(3);
    let mut running = Pipeline::run_text(&relay(&ports, 100)).spawn();
    running.ready().await;
    let following = follow(&running, &["-n", "300", "--rate", "100"]);
    let config = running.folder().join("pipeline.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    let second = broadcast(ports.addr(2)).replace("use:", "name: second, use:");
    std::fs::write(&config, text + &format!("      - {{ {second} }}\n")).unwrap();
    running.sighup();
    log_has(&running, "relay/0 built anew").await;
    let shown = tokio::time::timeout(SOON, following).await.unwrap();
    assert_eq!(lines(&shown.unwrap()).len(), 300);
}

#[tokio::test]
async fn a_tap_ends_with_the_pipeline() {
    let ports = Ports::reserve(2);
    let mut running = Pipeline::run_text(&relay(&ports, 100)).spawn();
    running.ready().await;
    let following = follow(&running, &[]);
    running.sigterm();
    assert_eq!(running.exit_code(SOON).await, 0);
    let shown = tokio::time::timeout(SOON, following).await.unwrap();
    let shown = shown.unwrap();
    assert_eq!(shown.status.code(), Some(69));
    assert!(
        told(&shown).contains("control socket `"),
        "{}",
        told(&shown)
    );
}
