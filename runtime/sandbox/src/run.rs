//! The life of the sandbox: check, start, tell, wait for Ctrl-C, stop in order.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rdkafka::error::KafkaError;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep};

use crate::check::{self, Refused};
use crate::kafka::Kafka;
use crate::keeper::Keeper;
use crate::machine::Deployment;
use crate::{Args, ask, say, summary};

/// How long the machines may take to become ready before the summary is shown in any case.
const READY: Duration = Duration::from_secs(60);

/// Why the sandbox ended otherwise than by being asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// Something is wrong on this machine.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The embedded brokers did not start.
    #[error("cannot start the embedded Kafka")]
    Kafka(#[from] KafkaError),
    /// Signals cannot be received.
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
}

/// Runs the sandbox until it is asked to stop.
pub(crate) async fn run(args: &Args) -> Result<(), Failed> {
    let mut stop = Stop::new().map_err(Failed::Signals)?;
    let launcher = check::launcher()?;
    // Ends last, when it is dropped.
    let embedded = match args.kafka_brokers {
        None => Some(Kafka::start(&args.trades_topic)?),
        Some(_) => None,
    };
    let deployment = deployment(args, embedded.as_ref());
    let machines = deployment.machines();
    check::check(&launcher, &machines).await?;
    // Whoever listens is started before those who connect.
    let numbered = machines.into_iter().enumerate().rev();
    let mut keepers: Vec<Keeper> = numbered
        .map(|(index, machine)| Keeper::start(launcher.clone(), machine, index))
        .collect();
    keepers.reverse();
    tokio::select! {
        () = tell(&deployment, &keepers) => stop.asked().await,
        () = stop.asked() => {}
    }
    stop_all(&keepers, &mut stop).await;
    Ok(())
}

fn deployment(args: &Args, embedded: Option<&Kafka>) -> Deployment {
    let given = args.kafka_brokers.clone().unwrap_or_default();
    Deployment {
        brokers: embedded.map_or(given, Kafka::brokers),
        embedded: embedded.is_some(),
        feed_url: args.feed_url.clone(),
        topic: args.trades_topic.clone(),
        pipelines: args.pipelines.clone(),
    }
}

/// Waits until all machines are ready, and says what runs where.
async fn tell(deployment: &Deployment, keepers: &[Keeper]) {
    let start = Instant::now();
    let mut missing = not_ready(keepers).await;
    while !missing.is_empty() && start.elapsed() < READY {
        sleep(Duration::from_millis(250)).await;
        missing = not_ready(keepers).await;
    }
    let kafka = summary::Kafka {
        brokers: &deployment.brokers,
        embedded: deployment.embedded,
        topic: &deployment.topic,
    };
    say::say(&summary::summary(&kafka, keepers));
    for missing in missing {
        say::say(&format!("Not ready yet: {missing}"));
    }
}

async fn not_ready(keepers: &[Keeper]) -> Vec<String> {
    let mut missing = Vec::new();
    for Keeper { machine, .. } in keepers {
        if let Err(why) = ask::ready(&machine.metrics).await {
            missing.push(format!("{}: {why}", machine.name));
        }
    }
    missing
}

/// Drains all machines; a second signal kills them.
async fn stop_all(keepers: &[Keeper], stop: &mut Stop) {
    say::say("\nStopping in order; Ctrl-C again ends it at once.");
    tokio::select! {
        () = drain(keepers) => {}
        () = stop.asked() => {
            keepers.iter().for_each(Keeper::kill);
            all_ended(keepers.iter()).await;
        }
    }
}

/// Drains rank by rank, so that each machine still has somebody to deliver to.
async fn drain(keepers: &[Keeper]) {
    let ranks: BTreeSet<u8> = keepers.iter().map(|keeper| keeper.machine.rank).collect();
    for rank in ranks {
        let ranked = keepers.iter().filter(|keeper| keeper.machine.rank == rank);
        ranked.clone().for_each(Keeper::drain);
        all_ended(ranked).await;
    }
}

async fn all_ended<'a>(keepers: impl Iterator<Item = &'a Keeper>) {
    for keeper in keepers {
        keeper.ended().await;
    }
}

/// The signals that ask the sandbox to stop.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
