//! What each path of the system costs, beside the simplest honest program that does the same part of the work.
//!
//! `cargo bench -p pipeline-testkit --bench paths [PATH…]` runs the real `pipeline` of this profile over the Kafka cluster that
//! is up, and writes `target/bench/report.md`. `BENCH_QUICK=1` makes every run small, to see that all of it works.
//! A limit and our own figure are measured in turn, so that what else happens on the machine meets both.
#![forbid(unsafe_code)]

mod allocations;
mod browsers;
mod consumer_vm;
mod fanout;
mod feed;
mod figures;
mod footprint;
mod hop;
mod latency;
mod limit;
mod limits;
mod paced;
mod post;
mod process;
mod receiver;
mod report;
mod scale;
mod scene;
mod single;
mod stalled;
mod sweeps;
mod telemetry;
mod trades;

use std::process::ExitCode;

use report::Report;

const PATHS: [&str; 11] = [
    "hop",
    "feed",
    "post",
    "single",
    "latency",
    "fanout",
    "stalled",
    "footprint",
    "allocations",
    "telemetry",
    "sweeps",
];

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo itself adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| it != "--bench")
        .collect();
    if let Some((limit::WORD, arguments)) = arguments.split_first().map(|(a, b)| (a.as_str(), b)) {
        limits::run(arguments).await;
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = arguments.iter().find(|it| !PATHS.contains(&it.as_str())) {
        eprintln!("unknown path `{unknown}`: expected one of {PATHS:?}");
        return ExitCode::from(64);
    }
    let mut report = Report::new();
    for path in PATHS {
        if !arguments.is_empty() && !arguments.iter().any(|it| it == path) {
            continue;
        }
        match path {
            "hop" => hop::measure(&mut report).await,
            "feed" => feed::measure(&mut report).await,
            "post" => post::measure(&mut report).await,
            "single" => single::measure(&mut report).await,
            "latency" => latency::measure(&mut report).await,
            "fanout" => fanout::measure(&mut report).await,
            "stalled" => stalled::measure(&mut report).await,
            "footprint" => footprint::measure(&mut report).await,
            "allocations" => allocations::measure(&mut report).await,
            "telemetry" => telemetry::measure(&mut report).await,
            "sweeps" => sweeps::measure(&mut report).await,
            other => unreachable!("path `{other}` has no measurement"),
        }
    }
    report.write();
    ExitCode::SUCCESS
}
