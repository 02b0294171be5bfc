//! A server that sends every trade to a thousand clients.

use std::time::Duration;

use pipeline_testkit::{Pipeline, Ports};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::browsers::{Browsers, Seen};
use crate::limit::Limit;
use crate::paced;
use crate::process::Process;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::process;

/// Trades a second.
const RATE: u64 = 800;
/// Messages that the server keeps: so few that it has all of them when the first client comes, and grows for clients alone.
const RING: u64 = 2 * RATE;

/// What one run came to.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Fanned {
    pub(crate) deliveries_a_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// A delivery.
    pub(crate) cpu_us: f64,
    pub(crate) bytes_a_client: f64,
}

pub(crate) async fn measure(report: &mut Report) {
    let clients = sized(1_000, 50) as usize;
    let (mut limit, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        limit.push(plain(clients).await);
        ours.push(pipeline(clients, RATE).await);
    }
    let row = Row::beside(&limit, &ours);
    report.path(
        &format!("Fan-out: {clients} clients, {RATE} trades a second"),
        "a thread that reads the same feed and writes all that waits to each client in one `write`",
        &[
            row("k deliveries/s", |it| it.deliveries_a_second / 1e3, "800"),
            row("p50, ms", |it| it.p50_ms, "1.5 ×"),
            row("p99, ms", |it| it.p99_ms, ""),
            row("µs of CPU a delivery", |it| it.cpu_us, "1.3"),
            row("KB a client", |it| it.bytes_a_client / 1e3, "8"),
        ],
    );
}

async fn plain(clients: usize) -> Fanned {
    let feed = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let addr = feed.local_addr().expect("an address").to_string();
    let mut limit = Limit::start("broadcast", &[&addr]);
    let server: String = limit.told().await;
    run(feed, &server, Process(limit.pid()), clients, RATE).await
}

/// A run of the real server at so many trades a second.
pub(crate) async fn pipeline(clients: usize, rate: u64) -> Fanned {
    let feed = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let ports = Ports::one();
    let yaml = format!(
        "stages:
           - use: websocket-source
             with: {{ urls: ['ws://{feed}'] }}
           - use: ws-broadcast
             with: {{ listen: '{server}', max_clients_per_address: 5000, ring: {{ messages: {RING} }} }}",
        feed = feed.local_addr().expect("an address"),
        server = ports.addr(0),
    );
    let mut pipeline = Pipeline::run_text(&yaml).spawn();
    pipeline.ready().await;
    run(
        feed,
        &ports.addr(0).to_string(),
        process(&pipeline),
        clients,
        rate,
    )
    .await
}

/// Feeds the server, which `process` runs, and reads as all of its clients.
async fn run(
    feed: TcpListener,
    server: &str,
    process: Process,
    clients: usize,
    rate: u64,
) -> Fanned {
    let feed = paced::send(paced::accept(feed).await, rate);
    tokio::time::sleep(Duration::from_secs(sized(3, 1))).await;
    let before = process.resident();
    let browsers = Browsers::connect(server, clients).await;
    // Buffers grow, code is compiled for what is hot: nothing of that is looked at.
    tokio::time::sleep(Duration::from_secs(sized(2, 1))).await;
    browsers.forget();
    let (since, cpu) = (std::time::Instant::now(), process.cpu());
    tokio::time::sleep(Duration::from_secs(sized(5, 2))).await;
    let (time, cpu) = (since.elapsed(), process.cpu() - cpu);
    let Seen { messages, delays } = browsers.seen();
    let resident = process.resident();
    feed.abort();
    Fanned {
        deliveries_a_second: messages as f64 / time.as_secs_f64(),
        p50_ms: crate::figures::percentile(&delays, 0.5),
        p99_ms: crate::figures::percentile(&delays, 0.99),
        cpu_us: cpu.as_secs_f64() * 1e6 / messages as f64,
        bytes_a_client: resident.saturating_sub(before) as f64 / clients as f64,
    }
}
