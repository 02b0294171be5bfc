//! Starts and stops the Kafka cluster that a test run shares.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pipeline_testkit::kafka::{self, Layout};

/// Three Apache Kafka brokers on this machine, for tests
#[derive(Parser)]
struct Arguments {
    /// Folder of the cluster [default: `kafka` in this target folder]
    #[arg(long, global = true, env = "PIPELINE_TEST_KAFKA")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Start the brokers on fresh data and return when all serve
    Up,
    /// Stop them
    Down,
    /// Print the environment of a test or a pipeline that is to use them
    Env,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testkit-kafka: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> std::io::Result<()> {
    let layout = match arguments.folder {
        Some(folder) => Layout::new(std::path::absolute(folder)?),
        None => Layout::of_this_executable(),
    };
    match arguments.command {
        Command::Up => eprintln!("Kafka serves on {}", kafka::up(&layout).await?),
        Command::Down => kafka::down(&layout)?,
        Command::Env => {
            println!("PIPELINE_TEST_KAFKA={}", layout.root().display());
            println!("KAFKA_BROKERS={}", kafka::brokers(&layout)?);
        }
    }
    Ok(())
}
