//! A `pipeline` process that serves WebSocket clients.

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use pipeline_testkit::{Pipeline, Ports, Running, V1Client, http as client};
use serde_json::{Value, json};

/// Longer than anything here takes on a slow machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);

/// Held by tests of which one would disturb what the other measures.
pub(crate) static QUIET: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Port 0 listens, port 1 tells the status.
pub(crate) struct Server {
    pub(crate) process: Running,
    ports: Ports,
}

impl Server {
    /// Starts `ws-broadcast` with further settings (`, key: value`) behind these stages (`- …`, if any), which may name the
    /// server's address as `OWN`.
    pub(crate) async fn start(settings: &str, before: &str) -> Self {
        let ports = Ports::reserve(2);
        let yaml = format!(
            "flows:
               server:
                 status: {status}
                 stages:
                   {before}
                   - {{ use: ws-broadcast, with: {{ listen: '{listen}'{settings} }} }}",
            before = before.replace("OWN", &ports.addr(0).to_string()),
            listen = ports.addr(0),
            status = ports.addr(1),
        );
        let mut process = Pipeline::run_text(&yaml).spawn();
        process.ready().await;
        Self { process, ports }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.ports.addr(0)
    }

    pub(crate) fn socket(&self) -> String {
        format!("ws://{}/ws", self.addr())
    }

    /// The status document of `ws-broadcast`.
    pub(crate) async fn document(&self) -> Value {
        self.document_of("ws-broadcast").await
    }

    /// The status document of a stage.
    pub(crate) async fn document_of(&self, name: &str) -> Value {
        let status = self.process.status(self.ports.addr(1)).await.unwrap();
        let mut stages = status["stages"].as_array().into_iter().flatten();
        let stage = stages.find(|stage| stage["name"] == name);
        stage.map_or(Value::Null, |stage| stage["document"].clone())
    }

    /// The most memory that the process ever had.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let file = format!("/proc/{}/status", self.process.pid());
        let text = std::fs::read_to_string(file).unwrap();
        let mut lines = text.lines();
        let peak = lines.find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = peak.unwrap().trim().trim_end_matches(" kB");
        kibibytes.parse::<u64>().unwrap() * 1024
    }

    /// POSTs envelopes of partition 0 with these offsets.
    pub(crate) async fn post(&self, offsets: std::ops::Range<i64>) {
        let lines: String = offsets
            .map(|offset| format!("{}\n", envelope(offset)))
            .collect();
        let url = format!("http://{}/api/trades", self.addr());
        let answer = client::post(&url, "application/x-ndjson", lines).await;
        assert_eq!(answer.unwrap().0, StatusCode::OK);
    }
}

/// An envelope as `http-post` sends it.
pub(crate) fn envelope(offset: i64) -> Value {
    json!({ "topic": "t", "partition": 0, "offset": offset, "timestamp": 1000 + offset, "data": { "n": offset } })
}

/// Waits until `client` was shown all of partition 0 up to `end`, and asserts that it was, once and in order.
pub(crate) async fn is_shown(client: &mut V1Client, end: i64) {
    client
        .read_until(WITHIN, |seen| seen.reached("t", &[end]))
        .await
        .unwrap();
    client.seen().assert_exactly_once("t", &[end]);
}
