//! The embedded Kafka: librdkafka's mock cluster, three brokers on ports of their own.
//!
//! It knows no admin calls, keeps 5 MB a partition, and forgets everything when the sandbox ends.

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

const BROKERS: i32 = 3;
const PARTITIONS: i32 = 3;

/// A running cluster; dropping it ends it.
pub(crate) struct Kafka(MockCluster<'static, DefaultProducerContext>);

impl Kafka {
    /// Starts the brokers and makes `topic` and its dead letter topic.
    pub(crate) fn start(topic: &str) -> Result<Self, KafkaError> {
        let cluster = MockCluster::new(BROKERS)?;
        cluster.create_topic(topic, PARTITIONS, BROKERS)?;
        cluster.create_topic(&dead_letters(topic), 1, BROKERS)?;
        Ok(Self(cluster))
    }

    /// Addresses of the brokers, separated by commas.
    pub(crate) fn brokers(&self) -> String {
        self.0.bootstrap_servers()
    }
}

/// Where rejected trades go.
pub(crate) fn dead_letters(topic: &str) -> String {
    format!("{topic}.dead")
}
