//! The running cluster as a test sees it: found by its state file, asked for its health.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::Metadata;

use super::certificates::Certificates;
use super::layout::{Layout, NODES};
use super::settings::Listener;

/// Names the folder of a cluster that lies elsewhere than in this target folder.
const FOLDER_VARIABLE: &str = "PIPELINE_TEST_KAFKA";
const PAUSE: Duration = Duration::from_millis(100);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Three brokers; what disturbs them is only to be had from [`KafkaCluster::exclusive`].
pub struct KafkaCluster {
    layout: Layout,
    brokers: String,
    client: Arc<BaseConsumer>,
}

/// Returns the cluster of this test run.
///
/// # Panics
///
/// When none was started, with the command that does.
pub fn cluster() -> &'static KafkaCluster {
    static CLUSTER: OnceLock<KafkaCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let layout = match std::env::var_os(FOLDER_VARIABLE) {
            Some(folder) => Layout::new(folder),
            None => Layout::of_this_executable(),
        };
        KafkaCluster::open(layout.clone()).unwrap_or_else(|error| {
            panic!(
                "no Kafka cluster runs in `{}` ({error}): `make test` starts one for the whole run, \
                 `cargo run -p pipeline-testkit --bin testkit-kafka -- up` for several runs",
                layout.root().display()
            )
        })
    })
}

impl KafkaCluster {
    /// Reads the state file of `layout`.
    pub(super) fn open(layout: Layout) -> io::Result<Self> {
        let brokers = layout.read_state()?.brokers.join(",");
        let client = Arc::new(client_config(&brokers).create().map_err(io::Error::other)?);
        Ok(Self {
            layout,
            brokers,
            client,
        })
    }

    /// Returns the bootstrap addresses, as the setting `brokers` takes them.
    pub fn brokers(&self) -> String {
        self.brokers.clone()
    }

    /// The same brokers for clients that show a certificate.
    pub fn tls_brokers(&self) -> String {
        self.listening(Listener::Tls)
    }

    /// The same brokers for clients that know a password: [`MASTER`](super::MASTER) and the others.
    pub fn sasl_brokers(&self) -> String {
        self.listening(Listener::Sasl)
    }

    /// The same brokers for clients that know a password and ask for a certificate.
    pub fn sasl_tls_brokers(&self) -> String {
        self.listening(Listener::SaslTls)
    }

    /// The certificates of brokers and clients.
    pub fn certificates(&self) -> Certificates {
        self.layout.certificates()
    }

    /// Returns the node that leads a partition.
    pub fn leader(&self, topic: &str, partition: i32) -> u8 {
        let metadata = self.metadata(Some(topic)).expect("metadata");
        let partitions = metadata.topics()[0].partitions();
        let found = partitions.iter().find(|it| it.id() == partition);
        let leader = found
            .unwrap_or_else(|| panic!("`{topic}` has no partition {partition}"))
            .leader();
        u8::try_from(leader).unwrap_or_else(|_| panic!("`{topic}/{partition}` has no leader"))
    }

    fn listening(&self, listener: Listener) -> String {
        let first = self.brokers.split([':', ',']).nth(1);
        let first = first.and_then(|port| port.parse().ok()).expect("a port");
        NODES.map(|node| listener.address(first, node)).join(",")
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn client(&self) -> Arc<BaseConsumer> {
        self.client.clone()
    }

    pub(super) fn metadata(&self, topic: Option<&str>) -> Result<Metadata, String> {
        fetch_metadata(&self.client, topic)
    }

    pub(super) async fn wait_in_sync(&self, timeout: Duration) {
        crate::eventually(timeout, "every copy in sync", async || self.check_in_sync()).await;
    }

    pub(super) fn block_until_in_sync(&self, timeout: Duration) -> Result<(), String> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.check_in_sync() {
                Err(why) if Instant::now() > deadline => return Err(why),
                Err(_) => std::thread::sleep(PAUSE),
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Asks each broker for its own view: one that was frozen lists all copies as in sync, the others know better.
    fn check_in_sync(&self) -> Result<(), String> {
        self.brokers.split(',').try_for_each(|broker| {
            // A new client has one connection, to the broker that it was given.
            let client: BaseConsumer = client_config(broker)
                .create()
                .map_err(|error| error.to_string())?;
            in_sync(&fetch_metadata(&client, None)?)
        })
    }

    pub(super) fn check_topic_in_sync(&self, topic: &str) -> Result<(), String> {
        in_sync(&self.metadata(Some(topic))?)
    }
}

pub(super) fn fetch_metadata(
    client: &BaseConsumer,
    topic: Option<&str>,
) -> Result<Metadata, String> {
    client
        .fetch_metadata(topic, REQUEST_TIMEOUT)
        .map_err(|error| error.to_string())
}

/// An open port proves nothing: a broker serves when the others list it and its copies follow.
fn in_sync(metadata: &Metadata) -> Result<(), String> {
    if metadata.brokers().len() != NODES.len() {
        return Err(format!(
            "{} of {} brokers",
            metadata.brokers().len(),
            NODES.len()
        ));
    }
    for topic in metadata.topics() {
        if topic.partitions().is_empty() {
            return Err(format!("`{}` has no partitions yet", topic.name()));
        }
        for partition in topic.partitions() {
            let (copies, in_sync) = (partition.replicas().len(), partition.isr().len());
            if partition.leader() < 0 || in_sync < copies {
                return Err(format!(
                    "`{}/{}`: {in_sync} of {copies} in sync",
                    topic.name(),
                    partition.id()
                ));
            }
        }
    }
    Ok(())
}

/// What every client of the testkit has in common.
pub(super) fn client_config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    // A try of ::1 first would cost each connection a refusal. A frozen broker takes connections and answers nothing: its
    // versions, the first question to each, are not waited for as long as librdkafka would (ten seconds).
    config
        .set("bootstrap.servers", brokers)
        .set("broker.address.family", "v4")
        .set("api.version.request.timeout.ms", "2000");
    config
        .set("group.id", "testkit")
        .set("enable.auto.commit", "false")
        .set("reconnect.backoff.max.ms", "500");
    config
}
