//! A client that reads nothing while much goes by.

use std::time::{Duration, Instant};

use pipeline_testkit::{WsClient, eventually};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::server::{QUIET, Server, WITHIN};

const RATE: u64 = 10_000;
const STALLED: Duration = Duration::from_secs(20);
/// With and without a stalled client the process grows by some 4 MB in this time; the client is not to be seen in it.
const MAY_GROW: u64 = 8 * 1024 * 1024;
const RING: u64 = 40_000;
const READERS: usize = 3;

#[derive(Deserialize)]
struct Trade {
    sequential_id: u64,
}

/// Tells the newest trade that a client was shown, for ever; returns at one that is not newer than the one before, or at the
/// end. On a machine too busy to read all in time a reader may be moved on, as any slow client is.
fn reader(mut client: WsClient, newest: watch::Sender<u64>) -> JoinHandle<String> {
    tokio::spawn(async move {
        while let Some(text) = client.text().await {
            let Trade { sequential_id: id } = serde_json::from_str(&text).unwrap();
            let before = newest.send_replace(id);
            if id <= before {
                return format!("{id} after {before}");
            }
        }
        "the connection ended".to_owned()
    })
}

/// How many trades the server has taken, by its status document.
fn taken(document: &Value) -> u64 {
    document["accepted"]["input"].as_u64().unwrap_or(0)
}

/// Lets grow what grows once: there were bursts, as after pauses of the machine, and the ring has turned over.
async fn warm_up(server: &mut Server) {
    for _ in 0..5 {
        server.process.freeze();
        tokio::time::sleep(Duration::from_millis(600)).await;
        server.process.thaw();
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    eventually(WITHIN, "a ring that has turned over", async || {
        let document = server.document().await;
        let full = document["ring"]["messages"] == RING;
        let turned = taken(&document) > 5 * RING / 2;
        (full && turned).then_some(()).ok_or(document.to_string())
    })
    .await;
}

/// How much the process grows until a client that reads nothing has been far behind for a while.
async fn growth(server: &Server) -> u64 {
    let before = server.process.resident_bytes();
    let (since, mut most, mut is_behind) = (Instant::now(), before, false);
    while since.elapsed() < STALLED || !is_behind {
        tokio::time::sleep(Duration::from_millis(250)).await;
        most = most.max(server.process.resident_bytes());
        let document = server.document().await;
        is_behind = document["slowest_client"]["messages"].as_u64() > Some(RING);
        assert!(
            since.elapsed() < STALLED + WITHIN,
            "never behind: {document}"
        );
    }
    eprintln!("resident: {before} bytes, grown by {}", most - before);
    most - before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_client_costs_a_bounded_amount_of_memory_and_disturbs_nobody() {
    let _quiet = QUIET.lock().await;
    let generator = format!("- {{ use: trade-generator, with: {{ rate: {RATE} }} }}");
    let settings = format!(
        ", slow_client: skip, ring: {{ messages: {RING} }}, max_lag: {{ messages: {RING}, bytes: 64MiB }}"
    );
    let mut server = Server::start(&settings, &generator).await;
    let (mut readers, mut newest) = (Vec::new(), Vec::new());
    for _ in 0..READERS {
        let (sender, receiver) = watch::channel(0);
        readers.push(reader(WsClient::connect(&server.socket()).await, sender));
        newest.push(receiver);
    }
    warm_up(&mut server).await;

    let mut stalled = WsClient::connect(&server.socket()).await;
    let grown = growth(&server).await;
    assert!(grown < MAY_GROW, "grown by {grown} bytes");

    // The others are still there, and are shown what came meanwhile.
    let document = server.document().await;
    assert_eq!(document["clients"]["plain"], READERS + 1, "{document}");
    for (reader, newest) in readers.iter().zip(&mut newest) {
        let shown = newest.wait_for(|&newest| newest >= taken(&document));
        let shown = tokio::time::timeout(WITHIN, shown).await;
        assert!(
            shown.is_ok_and(|shown| shown.is_ok()),
            "a reader was disturbed"
        );
        assert!(!reader.is_finished(), "a reader was disturbed");
    }
    // It reads again, and goes on with what is new.
    assert!(stalled.text().await.is_some());
}
