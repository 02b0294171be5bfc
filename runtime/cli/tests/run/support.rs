//! Flows of stages that need no peer, and waiting.

use pipeline_testkit::{Ports, Running, eventually};
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A flow of these stages.
pub(crate) fn flow(name: &str, status: Option<SocketAddr>, stages: &[String]) -> String {
    let status = status
        .map(|address| format!("    status: {address}\n"))
        .unwrap_or_default();
    let stages: String = stages
        .iter()
        .map(|stage| format!("      - {{ {stage} }}\n"))
        .collect();
    format!("  {name}:\n{status}    stages:\n{stages}")
}

pub(crate) fn generator(settings: &str) -> String {
    format!("use: trade-generator, with: {{ {settings} }}")
}

pub(crate) fn broadcast(listen: SocketAddr) -> String {
    format!("use: ws-broadcast, with: {{ listen: '{listen}' }}")
}

/// Trades that a WebSocket server broadcasts: port 0 is its listener, port 1 its status server.
pub(crate) fn relay(ports: &Ports, rate: u32) -> String {
    let stages = [
        generator(&format!("rate: {rate}")),
        broadcast(ports.addr(0)),
    ];
    format!("flows:\n{}", flow("relay", Some(ports.addr(1)), &stages))
}

/// Trades that nobody takes.
pub(crate) fn stalled() -> String {
    let nobody = Ports::one().addr(0);
    let post = format!("use: http-post, with: {{ url: 'http://{nobody}/trades' }}");
    format!(
        "flows:\n{}",
        flow("stalled", None, &[generator("rate: 100"), post])
    )
}

pub(crate) async fn log_has(running: &Running, words: &str) {
    eventually(SOON, words, async || {
        let log = running.stderr();
        if log.contains(words) {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
}
