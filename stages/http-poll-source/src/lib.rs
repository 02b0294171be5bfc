//! `http-poll-source`: a source that GETs several URLs at an interval.
//!
//! Invariants: one URL has at most one request in flight and one unsent message; each poll gives exactly one message,
//! whether it succeeded or not.
#![forbid(unsafe_code)]

mod config;
mod document;
mod poller;
mod schedule;
#[cfg(test)]
mod tests;

use futures_util::future::join_all;
use pipeline_sdk::prelude::*;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::document::Polled;
use crate::poller::Poller;

struct HttpPollSource {
    pollers: Vec<Poller>,
}

impl Source for HttpPollSource {
    const NAME: &'static str = "http-poll-source";
    type Config = Config;

    fn validate(config: &Config) -> Vec<Invalid> {
        config.problems()
    }

    async fn open(config: Config, context: Context) -> Result<Self> {
        Ok(Self {
            pollers: config.pollers(&context)?,
        })
    }

    async fn run(&mut self, output: &mut Output) -> Result<()> {
        // One place: a poller goes on only when its message is out, so a full edge slows polling down.
        let (sender, mut polled) = mpsc::channel(1);
        let pollers = join_all(
            self.pollers
                .iter_mut()
                .map(|poller| poller.run(sender.clone())),
        );
        tokio::select! {
            _ = pollers => Ok(()),
            ended = hand_out(&mut polled, output) => ended,
        }
    }
}

async fn hand_out(polled: &mut mpsc::Receiver<Polled>, output: &mut Output) -> Result<()> {
    while let Some(Some(first)) = output.until_draining(polled.recv()).await {
        let mut batch = output.batch();
        add(&mut batch, &first);
        while !batch.is_full()
            && let Ok(next) = polled.try_recv()
        {
            add(&mut batch, &next);
        }
        output.send(batch).await?;
    }
    Ok(())
}

fn add(batch: &mut BatchBuilder, polled: &Polled) {
    batch.push(
        Record::new(&polled.document)
            .key(polled.url.as_bytes())
            .timestamp_ns(polled.at_ns),
    );
}

export_stage!(source HttpPollSource);
