//! What a client that reads nothing costs the server and the other clients.

use std::time::{Duration, Instant};

use pipeline_testkit::{Pipeline, Ports, WsClient};
use tokio::net::TcpListener;

use crate::browsers::Browsers;
use crate::figures::percentile;
use crate::paced;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::process;

/// Trades a second.
const RATE: u64 = 20_000;
const BROWSERS: usize = 10;
/// The ring is full, and has turned over.
const RING: u64 = 20_000;
const PAUSE: Duration = Duration::from_millis(100);

struct Served {
    grown: u64,
    p99_ms: f64,
}

pub(crate) async fn measure(report: &mut Report) {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        without.push(run(false).await);
        with.push(run(true).await);
    }
    let row = Row::beside(&without, &with);
    report.path(
        &format!("One client of {BROWSERS} more reads nothing, {RATE} trades a second"),
        "the same server without that client",
        &[
            row(
                "memory grows by, MB",
                |it| it.grown as f64 / 1e6,
                "less than 8",
            ),
            row("p99 of the others, ms", |it| it.p99_ms, "1 ×"),
        ],
    );
}

async fn run(is_one_stalled: bool) -> Served {
    let feed = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let ports = Ports::one();
    let yaml = format!(
        "stages:
           - use: websocket-source
             with: {{ urls: ['ws://{feed}'] }}
           - use: ws-broadcast
             with: {{ listen: '{server}', ring: {{ messages: {RING} }} }}",
        feed = feed.local_addr().expect("an address"),
        server = ports.addr(0),
    );
    let mut pipeline = Pipeline::run_text(&yaml).spawn();
    pipeline.ready().await;
    let feed = paced::send(paced::accept(feed).await, RATE);
    let server = ports.addr(0).to_string();
    let browsers = Browsers::connect(&server, BROWSERS).await;
    tokio::time::sleep(Duration::from_secs(sized(2 * RING / RATE, 1))).await;
    let stalled = if is_one_stalled {
        Some(WsClient::connect(&format!("ws://{server}/ws")).await)
    } else {
        None
    };
    browsers.forget();
    let before = process(&pipeline).resident();
    let (since, mut most) = (Instant::now(), before);
    while since.elapsed() < Duration::from_secs(sized(8, 2)) {
        tokio::time::sleep(PAUSE).await;
        most = most.max(process(&pipeline).resident());
    }
    let p99_ms = percentile(&browsers.seen().delays, 0.99);
    drop(stalled);
    feed.abort();
    let grown = most - before;
    Served { grown, p99_ms }
}
