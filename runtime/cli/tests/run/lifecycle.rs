//! Start, drain, signals, ends and exit codes.

use crate::support::{SOON, broadcast, flow, generator, log_has, relay, stalled};
use pipeline_testkit::{Pipeline, Ports};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// How long a drain takes at most by default: what ends sooner did not wait for it.
const DRAIN: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_term_drains_and_exits_clean() {
    let ports = Ports::reserve(2);
    let mut running = Pipeline::run_text(&relay(&ports, 200)).spawn();
    running.ready().await;
    let status = running.status(ports.addr(1)).await.unwrap();
    assert_eq!(status["flow"], "relay");
    assert_eq!(status["ready"], true);
    assert!(running.openmetrics().await.ends_with("# EOF\n"));
    let socket = running.folder().join("control.sock");
    assert_eq!(
        std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o660
    );
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.pid())).unwrap();
    let files: Vec<_> = limits
        .lines()
        .filter_map(|line| line.strip_prefix("Max open files"))
        .collect();
    let (soft, hard) = files[0].trim().split_once(' ').unwrap();
    assert!(
        hard.trim().starts_with(soft),
        "the limit of open files is not raised: {files:?}"
    );
    running.sigterm();
    assert_eq!(running.exit_code(SOON).await, 0);
    assert!(!socket.exists(), "the control socket is left behind");
}

#[tokio::test]
async fn a_second_signal_ends_at_once_and_tells_what_is_lost() {
    let mut running = Pipeline::run_text(&stalled()).spawn();
    log_has(&running, "degraded").await;
    running.sigterm();
    log_has(&running, "draining").await;
    let asked = Instant::now();
    running.sigterm();
    assert_eq!(running.exit_code(SOON).await, 74);
    assert!(asked.elapsed() < DRAIN, "{:?}", asked.elapsed());
    log_has(&running, "were not delivered and are lost").await;
}

#[tokio::test]
async fn a_drain_ends_in_its_time() {
    let mut running = Pipeline::run_text(&stalled())
        .arg("--drain-timeout")
        .arg("500ms")
        .spawn();
    log_has(&running, "degraded").await;
    let asked = Instant::now();
    running.sigterm();
    assert_eq!(running.exit_code(SOON).await, 74);
    assert!(asked.elapsed() < DRAIN, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn the_end_of_all_sources_ends_the_process() {
    let ports = Ports::reserve(2);
    let ending = |name: &str, count: u32, port: u16| {
        let source = generator(&format!("rate: 1000, count: {count}"));
        flow(name, None, &[source, broadcast(ports.addr(port))])
    };
    let text = format!(
        "flows:\n{}{}",
        ending("short", 1, 0),
        ending("long", 500, 1)
    );
    let mut running = Pipeline::run_text(&text).spawn();
    assert_eq!(running.exit_code(SOON).await, 0);
    assert!(
        running
            .stderr()
            .contains("flow `long`, copy 0: all sources have ended"),
        "{}",
        running.stderr()
    );
}

#[tokio::test]
async fn a_port_in_use_is_named_and_ends_the_start() {
    let ports = Ports::reserve(2);
    let taken = std::net::TcpListener::bind(ports.addr(0)).unwrap();
    let mut stage_port = Pipeline::run_text(&relay(&ports, 1)).spawn();
    assert_eq!(stage_port.exit_code(SOON).await, 69);
    let words = format!(
        "stage `ws-broadcast`: cannot listen on `{}`",
        taken.local_addr().unwrap()
    );
    assert!(
        stage_port.stderr().contains(&words),
        "{}",
        stage_port.stderr()
    );

    let _status = std::net::TcpListener::bind(ports.addr(1)).unwrap();
    let mut status_port = Pipeline::run_text(&relay(&ports, 1)).spawn();
    assert_eq!(status_port.exit_code(SOON).await, 69);
    assert!(
        status_port
            .stderr()
            .contains("for the status of flow `relay`"),
        "{}",
        status_port.stderr()
    );
}

#[tokio::test]
async fn a_rejected_message_ends_the_process_if_told_so() {
    let ports = Ports::one();
    let folder = tempfile::tempdir().unwrap();
    let feed = folder.path().join("feed.ndjson");
    std::fs::write(&feed, "{\"at\": 0, \"frame\": \"no trade\"}\n").unwrap();
    let stages = [
        generator(&format!("file: '{}'", feed.display())),
        "use: trade-normalizer, on_reject: stop".to_owned(),
        broadcast(ports.addr(0)),
    ];
    let text = format!("flows:\n{}", flow("strict", None, &stages));
    let mut running = Pipeline::run_text(&text)
        .arg("--drain-timeout")
        .arg("1s")
        .spawn();
    assert_eq!(running.exit_code(SOON).await, 65);
    assert!(
        running
            .stderr()
            .contains("stage `trade-normalizer` ends the process"),
        "{}",
        running.stderr()
    );
}
