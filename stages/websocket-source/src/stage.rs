//! The stage: starts the connections and makes batches of what they read.

use std::sync::Arc;

use pipeline_sdk::prelude::*;
use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::address::Address;
use crate::config::{Config, Protocol};
use crate::fills::{self, Filled, Watcher};
use crate::inbox::now_ns;
use crate::link::Link;
use crate::plain::Plain;
use crate::relay::Relay;
use crate::report;
use crate::session::Group;
use crate::shared::Shared;
use crate::trace::Tracer;

pub(crate) struct WebsocketSource {
    config: Arc<Config>,
    context: Context,
    /// The addresses of each connection.
    links: Vec<Vec<Address>>,
    /// The server that the messages end up in.
    filled: Option<Address>,
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
        let (addresses, filled) = (config.addresses()?, config.filled()?);
        let is_tls = addresses.iter().chain(&filled).any(Address::is_tls);
        let tls = is_tls.then(|| config.tls.client_config()).transpose()?;
        if is_tls {
            config.tls.show_expiry(&context);
        }
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
        let shown = filled.as_ref().map(ToString::to_string);
        let shared = Arc::new(Shared::new(&context, urls).filling(shown));
        if links.is_empty() {
            context.ready();
        }
        Ok(WebsocketSource {
            config: Arc::new(config),
            context,
            links,
            filled,
            tls,
            shared,
        })
    }

    async fn run(&mut self, output: &mut Output) -> Result<()> {
        if self.links.is_empty() {
            self.context.draining().await;
            return Ok(());
        }
        self.report();
        let mut filled = fills::watch(&self.context, self.watcher());
        let mut reader = Reader::new(&self.config, now_ns());
        let mut tracer = Tracer::new(&self.context);
        loop {
            let mut round = self.connect();
            while let Some(group) = round.next(&mut filled).await {
                for batch in reader.batches(&group, &self.shared, &mut tracer, output) {
                    self.shared.messages.add(batch.len() as u64);
                    output.send(batch).await?;
                }
            }
            drop(round);
            let lost_ns = now_ns();
            let Some(has_all) = output.until_draining(filled.back()).await else {
                return Ok(());
            };
            self.shared.given_up(!has_all);
            if !has_all {
                tracing::info!("`fills` started anew: asking the others for their past again");
                reader = Reader::new(&self.config, lost_ns);
            }
        }
    }
}

/// Connections that are kept up until this is dropped, and what they read.
struct Round {
    groups: mpsc::Receiver<Group>,
    links: Vec<JoinHandle<()>>,
}

impl Round {
    /// The next frames; `None` when the server that is filled is lost, or the stage was asked to drain. Those who take them
    /// hand them on as a whole: what was read is noted as told.
    async fn next(&mut self, filled: &mut Filled) -> Option<Group> {
        tokio::select! {
            biased;
            () = filled.lost() => None,
            group = self.groups.recv() => group,
        }
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        self.links.iter().for_each(JoinHandle::abort);
    }
}

impl WebsocketSource {
    /// Starts the connections; they end when the stage is asked to drain.
    fn connect(&self) -> Round {
        let (sender, groups) = mpsc::channel(1);
        let links = self.links.iter().enumerate().map(|(index, addresses)| {
            let link = Link {
                index,
                addresses: addresses.clone(),
                config: Arc::clone(&self.config),
                tls: self.tls.clone(),
                context: self.context.clone(),
                shared: Arc::clone(&self.shared),
                groups: sender.clone(),
            };
            self.context.spawn(link.run())
        });
        let links = links.collect();
        Round { groups, links }
    }

    fn report(&self) {
        let (context, shared) = (self.context.clone(), Arc::clone(&self.shared));
        let report = report::run(context, shared, Arc::clone(&self.config));
        self.context.spawn(report);
    }

    fn watcher(&self) -> Option<Watcher> {
        let address = self.filled.clone()?;
        Some(Watcher {
            address,
            config: Arc::clone(&self.config),
            tls: self.tls.clone(),
            context: self.context.clone(),
            shared: Arc::clone(&self.shared),
        })
    }
}

/// Makes messages of frames, as the protocol asks for it.
enum Reader {
    Plain(Box<Plain>),
    Relay(Box<Relay>),
}

impl Reader {
    fn new(config: &Config, begun_ns: i64) -> Self {
        match config.protocol {
            Protocol::Plain => Reader::Plain(Box::new(Plain::new(config))),
            Protocol::PipelineV1 => {
                Reader::Relay(Box::new(Relay::new(begun_ns, config.local_only)))
            }
        }
    }

    /// The messages of a group, in as few batches as they fit into.
    fn batches(
        &mut self,
        group: &Group,
        shared: &Shared,
        tracer: &mut Tracer,
        output: &Output,
    ) -> Vec<BatchBuilder> {
        let mut batches = Batches {
            output,
            tracer,
            received_ns: 0,
            link: (group.link, shared),
            filled: Vec::new(),
            current: output.batch(),
            topic: String::new(),
        };
        for frame in &group.frames {
            batches.received_ns = frame.received_ns;
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
    tracer: &'o mut Tracer,
    /// When the frame that is being read came, and by which connection.
    received_ns: i64,
    link: (usize, &'o Shared),
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
        match self
            .tracer
            .receive(&record, self.received_ns, topic, self.link)
        {
            Some(span) => self.current.push_in(record, span),
            None => self.current.push(record),
        };
    }
}

export_stage!(source WebsocketSource);
