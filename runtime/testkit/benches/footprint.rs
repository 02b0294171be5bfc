//! What the process of a consumer VM costs while nothing comes: start, memory, processor time, and size on disk.

use std::fs;
use std::time::{Duration, Instant};

use http::StatusCode;
use pipeline_testkit::{Pipeline, Ports, profile_folder, unique};

use crate::figures::Figure;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::{Topic, process};

/// Between two questions whether it is ready.
const PAUSE: Duration = Duration::from_millis(1);
/// After the start: the group has settled, caches are warm.
const SETTLED: Duration = Duration::from_secs(3);

struct Idle {
    ready: Duration,
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
            row("start to ready, ms", |it| it.ready.as_secs_f64() * 1e3, "20"),
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
    // The server, four status servers.
    let ports = Ports::reserve(5);
    let yaml = consumer_vm(topic, &ports);
    let start = Instant::now();
    let pipeline = Pipeline::run_text(&yaml).spawn();
    while !matches!(pipeline.readyz().await, Ok((StatusCode::OK, _))) {
        tokio::time::sleep(PAUSE).await;
    }
    let ready = start.elapsed();
    tokio::time::sleep(SETTLED).await;
    let (since, before) = (Instant::now(), process(&pipeline).cpu());
    tokio::time::sleep(Duration::from_secs(sized(5, 2))).await;
    let spent = process(&pipeline).cpu() - before;
    Idle {
        ready,
        resident: process(&pipeline).resident(),
        share: spent.as_secs_f64() / since.elapsed().as_secs_f64(),
    }
}

/// The flows of `pipelines/consumer-vm.yaml`; port 0 is the server's.
pub(crate) fn consumer_vm(topic: &Topic, ports: &Ports) -> String {
    format!(
        "flows:
           consumer:
             instances: 3
             status: {status}
             stages:
               - use: kafka-group-source
                 with:
                   brokers: '{brokers}'
                   topic: {name}
                   group: {group}
                   address_family: v4
                   offset_reset: latest
               - use: http-post
                 with: {{ url: 'http://{server}/api/trades' }}
           websocket-server:
             status: {own_status}
             stages:
               - use: websocket-source
                 with: {{ urls: [], protocol: pipeline.v1 }}
               - use: ws-broadcast
                 with: {{ listen: '{server}' }}",
        status = ports.addr(1),
        own_status = ports.addr(4),
        brokers = topic.kafka.brokers(),
        name = topic.name,
        group = unique("bench"),
        server = ports.addr(0),
    )
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
