//! `pipeline-sandbox`: everything on one machine, from the files in `pipelines/`.
//!
//! It embeds a three-broker Kafka (librdkafka's mock cluster, which is no broker to trust data to) and starts the real
//! `pipeline` command once for each machine of a deployment: exchange, producer, three consumer VMs and the dashboard.
//!
//! Invariants: a machine that ends is started again until the sandbox is asked to stop; when the sandbox is gone, however it
//! ended, so is every process that it started.
#![forbid(unsafe_code)]

mod ask;
mod check;
mod kafka;
mod keeper;
mod leash;
mod machine;
mod ports;
mod process;
mod run;
mod say;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Runs everything on this machine: an embedded three-broker Kafka, a simulated exchange, the producer, three consumer
/// "VMs" on 127.0.1.1 to 127.0.1.3, and the dashboard on 127.0.0.1:3000, all from the files in `pipelines/`.
#[derive(Debug, Parser)]
#[command(name = "pipeline-sandbox", version, about, max_term_width = 120)]
pub(crate) struct Args {
    /// Brokers of a real Kafka, separated by commas, in place of the embedded one; its topics must exist
    #[arg(long, value_name = "HOST:PORT,…", env = "KAFKA_BROKERS")]
    kafka_brokers: Option<String>,
    /// WebSocket of a real exchange in place of the simulated one
    #[arg(long, value_name = "URL", env = "FEED_URL")]
    feed_url: Option<String>,
    /// Topic of the trades
    #[arg(
        long,
        value_name = "TOPIC",
        env = "TRADES_TOPIC",
        default_value = "stock_trade"
    )]
    trades_topic: String,
    /// Folder of the pipeline files
    #[arg(long, value_name = "DIR", default_value = "pipelines")]
    pipelines: PathBuf,
}

fn main() -> ExitCode {
    if let Some(leashed) = leash::requested() {
        return leash::run(leashed);
    }
    let args = Args::parse();
    // One thread for all: a process that is to die with its parent dies with the thread that started it.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run::run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    say::error(error);
    ExitCode::FAILURE
}
