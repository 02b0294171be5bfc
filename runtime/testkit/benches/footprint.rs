//! What the process of a consumer VM costs while nothing comes: start, memory, processor time, and size on disk.

use std::fs;
use std::time::{Duration, Instant};

use http::StatusCode;
use pipeline_testkit::{Pipeline, Ports, profile_folder};

use crate::consumer_vm::{consumer_vm, members_share, websocket_server};
use crate::figures::Figure;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::{Topic, process};

/// Between two questions whether it is ready.
const PAUSE: Duration = Duration::from_millis(1);
/// After the start: the group has settled, caches are warm.
const SETTLED: Duration = Duration::from_secs(3);

struct Idle {
    /// Of the WebSocket server alone.
    ready: Duration,
    joined: Duration,
    resident: u64,
    share: f64,
}

pub(crate) async fn measure(report: &mut Report) {
    let topic = Topic::make(3).await;
    let mut runs = Vec::new();
    for _ in 0..rounds() {
        runs.push(run(&topic).await);
    }
    topic.delete().await;
    let row = |figure, of: fn(&Idle) -> f64, target| Row {
        figure,
        limit: None,
        ours: Figure::of(&runs, of),
        target,
    };
    report.path(
        "A consumer VM's process while nothing comes",
        "none; three members of the group and the WebSocket server, as in `pipelines/consumer-vm.yaml`",
        &[
            row("start to ready without Kafka, ms", |it| it.ready.as_secs_f64() * 1e3, "20"),
            row("start to a group that has settled, ms", |it| it.joined.as_secs_f64() * 1e3, ""),
            row("resident memory, MB", |it| it.resident as f64 / 1e6, "15"),
            row("CPU, % of a core", |it| it.share * 100.0, "1"),
            Row {
                figure: "the command and all stages on disk, MB",
                limit: None,
                ours: Figure::new([size() as f64 / 1e6]),
                target: "30",
            },
        ],
    );
}

async fn run(topic: &Topic) -> Idle {
    let ready = start_to_ready().await;
    // The server, four status servers.
    let ports = Ports::reserve(5);
    let yaml = consumer_vm(topic, &ports);
    let start = Instant::now();
    let pipeline = Pipeline::run_text(&yaml).spawn();
    members_share(&pipeline, &ports).await;
    let joined = start.elapsed();
    tokio::time::sleep(SETTLED).await;
    let (since, before) = (Instant::now(), process(&pipeline).cpu());
    tokio::time::sleep(Duration::from_secs(sized(5, 2))).await;
    let spent = process(&pipeline).cpu() - before;
    Idle {
        ready,
        joined,
        resident: process(&pipeline).resident(),
        share: spent.as_secs_f64() / since.elapsed().as_secs_f64(),
    }
}

async fn start_to_ready() -> Duration {
    let ports = Ports::reserve(2);
    let yaml = format!(
        "flows:
           websocket-server:{}",
        websocket_server(&ports.addr(0).to_string(), &ports.addr(1).to_string())
    );
    let start = Instant::now();
    let pipeline = Pipeline::run_text(&yaml).spawn();
    while !matches!(pipeline.readyz().await, Ok((StatusCode::OK, _))) {
        tokio::time::sleep(PAUSE).await;
    }
    start.elapsed()
}

/// Of the command and every stage, as they are shipped.
fn size() -> u64 {
    let files = fs::read_dir(profile_folder()).expect("the folder of this profile");
    let is_shipped =
        |name: &str| name == "pipeline" || name.starts_with("libstage_") && name.ends_with(".so");
    files
        .map(|file| file.expect("a file"))
        .filter(|file| file.file_name().to_str().is_some_and(is_shipped))
        .map(|file| file.metadata().expect("a size").len())
        .sum()
}
