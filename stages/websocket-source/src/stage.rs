//! The stage: starts the connections and makes batches of what they read.

use std::sync::Arc;

use pipeline_sdk::prelude::*;
use rustls::ClientConfig;
use tokio::sync::mpsc;

use crate::address::Address;
use crate::config::{Config, Protocol};
use crate::inbox::now_ns;
use crate::link::Link;
use crate::plain::Plain;
use crate::relay::Relay;
use crate::report;
use crate::session::Group;
use crate::shared::Shared;

pub(crate) struct WebsocketSource {
    config: Arc<Config>,
    context: Context,
    /// The addresses of each connection.
    links: Vec<Vec<Address>>,
    tls: Option<Arc<ClientConfig>>,
    shared: Arc<Shared>,
}

impl Source for WebsocketSource {
    const NAME: &'static str = "websocket-source";
    type Config = Config;

    fn validate(config: &Config) -> Vec<Invalid> {
        config.problems()
    }

    async fn open(config: Config, context: Context) -> Result<Self> {
        let addresses = config.addresses()?;
        let is_tls = addresses.iter().any(Address::is_tls);
        let tls = is_tls.then(|| config.tls.client_config()).transpose()?;
        let links: Vec<_> = match config.protocol {
            Protocol::Plain => (!addresses.is_empty())
                .then_some(addresses)
                .into_iter()
                .collect(),
            Protocol::PipelineV1 => addresses.into_iter().map(|address| vec![address]).collect(),
        };
        let urls = links.iter().map(|addresses| {
            addresses
                .first()
                .map(ToString::to_string)
                .unwrap_or_default()
        });
        let shared = Arc::new(Shared::new(&context, urls));
        if links.is_empty() {
            context.ready();
        }
        Ok(WebsocketSource {
            config: Arc::new(config),
            context,
            links,
            tls,
            shared,
        })
    }

    async fn run(&mut self, output: &mut Output) -> Result<()> {
        if self.links.is_empty() {
            self.context.draining().await;
            return Ok(());
        }
        let mut groups = self.connect();
        let mut reader = Reader::new(&self.config);
        while let Some(group) = groups.recv().await {
            for batch in reader.batches(&group, &self.shared, output) {
                self.shared.messages.add(batch.len() as u64);
                output.send(batch).await?;
            }
        }
        Ok(())
    }
}

impl WebsocketSource {
    /// Starts the connections and the report on them; they end when the stage is asked to drain.
    fn connect(&self) -> mpsc::Receiver<Group> {
        let (sender, receiver) = mpsc::channel(1);
        for (index, addresses) in self.links.iter().enumerate() {
            let link = Link {
                index,
                addresses: addresses.clone(),
                config: Arc::clone(&self.config),
                tls: self.tls.clone(),
                context: self.context.clone(),
                shared: Arc::clone(&self.shared),
                groups: sender.clone(),
            };
            self.context.spawn(link.run());
        }
        self.context.spawn(report::run(
            self.context.clone(),
            Arc::clone(&self.shared),
            self.config.protocol,
        ));
        receiver
    }
}

/// Makes messages of frames, as the protocol asks for it.
enum Reader {
    Plain(Box<Plain>),
    Relay(Relay),
}

impl Reader {
    fn new(config: &Config) -> Self {
        match config.protocol {
            Protocol::Plain => Reader::Plain(Box::new(Plain::new(config))),
            Protocol::PipelineV1 => Reader::Relay(Relay::new(now_ns())),
        }
    }

    /// The messages of a group, in as few batches as they fit into.
    fn batches(&mut self, group: &Group, shared: &Shared, output: &Output) -> Vec<BatchBuilder> {
        let mut batches = Batches {
            output,
            filled: Vec::new(),
            current: output.batch(),
            topic: String::new(),
        };
        for frame in &group.frames {
            match self {
                Reader::Plain(plain) => {
                    plain.messages(frame, group.connection, shared, &mut |record| {
                        batches.push(None, record)
                    })
                }
                Reader::Relay(relay) => {
                    relay.messages(frame, group.link, shared, &mut |topic, record| {
                        batches.push(topic, record)
                    })
                }
            }
        }
        batches.filled.push(batches.current);
        batches.filled
    }
}

/// Batches being filled; each holds positions of one topic.
struct Batches<'o> {
    output: &'o Output,
    filled: Vec<BatchBuilder>,
    current: BatchBuilder,
    topic: String,
}

impl Batches<'_> {
    fn push(&mut self, topic: Option<&str>, record: Record<'_>) {
        let other_topic = topic.is_some_and(|topic| topic != self.topic);
        if self.current.is_full() || (other_topic && !self.current.is_empty()) {
            self.filled
                .push(std::mem::replace(&mut self.current, self.output.batch()));
            self.current.topic(&self.topic);
        }
        if let Some(topic) = topic.filter(|_| other_topic) {
            topic.clone_into(&mut self.topic);
            self.current.topic(topic);
        }
        self.current.push(record);
    }
}

export_stage!(source WebsocketSource);
