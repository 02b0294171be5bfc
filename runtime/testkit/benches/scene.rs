//! What the paths over Kafka share: topics, the limits as processes, and the cost of a `pipeline`.

use std::time::{Duration, Instant};

use pipeline_testkit::{
    Running,
    kafka::{KafkaCluster, cluster},
    unique,
};

use crate::figures::Run;
use crate::limit::Limit;
use crate::process::Process;

/// How long a run may take: far longer than it does, so that one that hangs ends.
pub(crate) const WITHIN: Duration = Duration::from_secs(300);
/// How often Kafka is asked how far a run is.
const PAUSE: Duration = Duration::from_millis(5);

/// A topic with three copies, which goes when the run is over.
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) kafka: &'static KafkaCluster,
}

impl Topic {
    pub(crate) async fn make(partitions: i32) -> Self {
        let (name, kafka) = (unique("bench"), cluster());
        kafka.create_topic(&name, partitions).await;
        Self { name, kafka }
    }

    /// A topic that holds so many trades.
    pub(crate) async fn filled(partitions: i32, messages: u64) -> Self {
        let topic = Self::make(partitions).await;
        topic.produce(messages).await;
        topic
    }

    /// Writes trades as the plain producer does.
    pub(crate) async fn produce(&self, messages: u64) -> Run {
        let arguments = [&*self.kafka.brokers(), &self.name, &messages.to_string()];
        Limit::start("produce", &arguments).told().await
    }

    /// Waits until the topic holds so many messages, each on all copies.
    pub(crate) async fn holds(&self, messages: u64) {
        let deadline = Instant::now() + WITHIN;
        loop {
            let ends = self.kafka.end_offsets(&self.name);
            let held = ends.iter().sum::<i64>().unsigned_abs();
            if held >= messages {
                assert_eq!(held, messages, "messages in `{}`", self.name);
                return;
            }
            assert!(Instant::now() < deadline, "{held} of {messages} messages");
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn delete(self) {
        self.kafka.delete_topic(&self.name).await;
    }
}

/// The process of a pipeline.
pub(crate) fn process(pipeline: &Running) -> Process {
    Process(pipeline.pid())
}
