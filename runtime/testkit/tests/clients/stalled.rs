//! A client that reads nothing while much goes by.

use std::time::{Duration, Instant};

use pipeline_testkit::{WsClient, eventually};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::server::{QUIET, Server, WITHIN};

const RATE: u64 = 10_000;
const STALLED: Duration = Duration::from_secs(20);
/// With and without a stalled client the process grows by some 4 MB in this time; the client is not to be seen in it.
const MAY_GROW: u64 = 8 * 1024 * 1024;
/// Enough for readers that a busy machine holds up for some seconds.
const RING: u64 = 40_000;

#[derive(Deserialize)]
struct Trade {
    sequential_id: u64,
}

/// Reads for ever, and returns at the first trade that is not the next one, or at the end.
fn reader(mut client: WsClient, shown: tokio::sync::watch::Sender<u64>) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut last = None;
        while let Some(text) = client.text().await {
            let Trade { sequential_id: id } = serde_json::from_str(&text).unwrap();
            if last.is_some_and(|last| last + 1 != id) {
                return format!("{id} after {last:?}");
            }
            last = Some(id);
            shown.send_modify(|shown| *shown += 1);
        }
        "the connection ended".to_owned()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_client_costs_a_bounded_amount_of_memory_and_disturbs_nobody() {
    let _quiet = QUIET.lock().await;
    let generator = format!("- {{ use: trade-generator, with: {{ rate: {RATE} }} }}");
    let settings = format!(
        ", slow_client: skip, ring: {{ messages: {RING} }}, max_lag: {{ messages: {RING}, bytes: 64MiB }}"
    );
    let mut server = Server::start(&settings, &generator).await;
    let readers: Vec<_> = [(); 3]
        .map(|()| tokio::sync::watch::channel(0))
        .into_iter()
        .collect();
    let mut reading = Vec::new();
    for (shown, _) in &readers {
        reading.push(reader(
            WsClient::connect(&server.socket()).await,
            shown.clone(),
        ));
    }
    let counts = || {
        readers
            .iter()
            .map(|(_, shown)| *shown.borrow())
            .collect::<Vec<_>>()
    };
    // What grows once is to have grown: there were bursts, as after pauses of the machine, and the ring has turned over.
    for _ in 0..5 {
        server.process.freeze();
        tokio::time::sleep(Duration::from_millis(600)).await;
        server.process.thaw();
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    eventually(WITHIN, "a ring that has turned over", async || {
        let document = server.document().await;
        let full = document["ring"]["messages"] == json!(RING);
        let turned = counts().iter().all(|&shown| shown > 5 * RING / 2);
        (full && turned).then_some(()).ok_or(document.to_string())
    })
    .await;

    let (before, shown_before) = (server.process.resident_bytes(), counts());
    let mut stalled = WsClient::connect(&server.socket()).await;
    let since = Instant::now();
    let mut most = before;
    while since.elapsed() < STALLED {
        tokio::time::sleep(Duration::from_millis(250)).await;
        most = most.max(server.process.resident_bytes());
    }
    let grown = most - before;
    eprintln!("resident: {before} bytes, grown by {grown}");
    assert!(grown < MAY_GROW, "grown by {grown} bytes from {before}");

    let document = server.document().await;
    let behind = document["slowest_client"]["messages"].as_u64();
    assert!(behind > Some(RING), "it was never behind: {document}");
    assert_eq!(document["clients"]["plain"], 4, "{document}");
    for (reader, (before, after)) in reading.iter().zip(shown_before.into_iter().zip(counts())) {
        assert!(!reader.is_finished(), "a reader was disturbed");
        let expected = RATE * STALLED.as_secs() * 8 / 10;
        assert!(
            after - before >= expected,
            "only {} of {expected} trades",
            after - before
        );
    }
    // It reads again, and goes on with what is new.
    assert!(stalled.text().await.is_some());
}
