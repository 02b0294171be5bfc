//! `http-post`: a sink that POSTs messages to an HTTP receiver.
//!
//! Invariants: one request in flight per partition, so order per partition holds; a message is settled only when the receiver
//! took it (`done`) or can never take it (`reject`); everything else waits and is tried again; a receiver that lost its memory
//! is given again what it had last.
#![forbid(unsafe_code)]

mod answer;
mod config;
mod encode;
mod given;
mod metrics;
mod receiver;
mod retry_after;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
mod trace;
mod verdict;

use pipeline_sdk::prelude::*;

use crate::config::Config;
use crate::receiver::Receiver;

struct HttpPost {
    receiver: Receiver,
    limits: LaneLimits,
}

impl Sink for HttpPost {
    const NAME: &'static str = "http-post";
    type Config = Config;

    fn validate(config: &Config) -> Vec<Invalid> {
        config.problems()
    }

    async fn open(config: Config, context: Context) -> Result<Self> {
        Ok(Self {
            receiver: Receiver::new(&config, &context)?,
            limits: config.lane_limits(),
        })
    }

    async fn run(&mut self, input: &mut Input) -> Result<()> {
        let receiver = &self.receiver;
        input
            .lanes(self.limits, async |chunk: &Chunk| {
                receiver.deliver(chunk).await
            })
            .await
    }
}

export_stage!(sink HttpPost);
