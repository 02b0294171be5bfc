//! How a topic lies on the brokers, and the state of the group that reads it: asked for again every few seconds.
//!
//! Invariant: whoever looks at it never waits for a broker.

use crate::ask::{ANSWER, ask_again};
use crate::metrics::LayoutGauges;
use parking_lot::Mutex;
use pipeline_sdk::prelude::*;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::groups::GroupList;
use rdkafka::metadata::{Metadata, MetadataPartition};
use serde::Serialize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long until the brokers are asked again.
const PAUSE: Duration = Duration::from_secs(3);
/// Most partitions that are shown.
const SHOWN: usize = 256;

/// Where the partitions of a topic are, as one broker knew it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// When the broker told it, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The brokers that are in the cluster now.
    pub brokers: Vec<BrokerPlace>,
    /// The topic's partitions.
    pub partitions: Vec<PartitionPlace>,
    /// The group, unless this user may not look at it or its coordinator does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupPlace>,
}

/// A broker of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokerPlace {
    /// Its id.
    pub id: i32,
    /// `host:port`.
    pub address: String,
}

/// A partition of the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionPlace {
    /// Its number.
    pub partition: i32,
    /// The broker that serves it; none while it is offline.
    pub leader: Option<i32>,
    /// The brokers that are to have it.
    pub replicas: Vec<i32>,
    /// Those of them that have all of it.
    pub isr: Vec<i32>,
    /// What is wrong with it, in the brokers' words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A consumer group, as its coordinator tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupPlace {
    /// `Stable`, `PreparingRebalance`, `Empty`, …
    pub state: String,
    /// How many members it has, in whatever program.
    pub members: usize,
}

/// The layout as last told.
#[derive(Clone, Debug, Default)]
pub struct LayoutWatch {
    last: Arc<Mutex<Option<Layout>>>,
}

impl LayoutWatch {
    /// The layout as last told, if it ever was.
    #[must_use]
    pub fn last(&self) -> Option<Layout> {
        self.last.lock().clone()
    }

    /// Asks the client again and again until the stage closes or the client is gone. `ask` waits for no longer than it is told to.
    pub fn start<C: Send + Sync + 'static>(
        &self,
        context: &Context,
        topic: &str,
        client: &Arc<C>,
        mut ask: impl FnMut(&C, Duration) -> KafkaResult<Layout> + Send + 'static,
    ) {
        let last = self.last.clone();
        let gauges = LayoutGauges::new(context, topic);
        ask_again(context, client, PAUSE, move |client| {
            match ask(client, ANSWER) {
                Ok(layout) => {
                    gauges.show(&layout);
                    *last.lock() = Some(layout);
                }
                Err(error) => tracing::debug!(%error, "the layout is not known"),
            }
            ControlFlow::Continue(())
        });
    }
}

impl Layout {
    /// The part of an answer that is about `topic`; nothing if the brokers do not know it.
    #[must_use]
    pub fn of(metadata: &Metadata, topic: &str) -> Self {
        let known = metadata.topics().iter().find(|one| one.name() == topic);
        let partitions = known.map_or(&[][..], |topic| topic.partitions());
        Layout {
            at_ms: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as u64),
            brokers: metadata
                .brokers()
                .iter()
                .map(|broker| BrokerPlace {
                    id: broker.id(),
                    address: format!("{}:{}", broker.host(), broker.port()),
                })
                .collect(),
            partitions: partitions.iter().take(SHOWN).map(place).collect(),
            group: None,
        }
    }

    /// Adds what is known of `group`: nothing when the question failed, an empty one when no broker has it.
    #[must_use]
    pub fn with_group(mut self, group: &str, list: Result<GroupList, KafkaError>) -> Self {
        let list = list.inspect_err(|error| tracing::debug!(%error, "the group is not known"));
        self.group = list.ok().and_then(|list| {
            let known = list.groups().iter().find(|one| one.name() == group)?;
            Some(GroupPlace {
                state: known.state().to_owned(),
                members: known.members().len(),
            })
        });
        self
    }
}

fn place(partition: &MetadataPartition) -> PartitionPlace {
    PartitionPlace {
        partition: partition.id(),
        leader: (partition.leader() >= 0).then(|| partition.leader()),
        replicas: partition.replicas().to_vec(),
        isr: partition.isr().to_vec(),
        error: partition
            .error()
            .map(|error| RDKafkaErrorCode::from(error).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    fn layout() -> Layout {
        Layout {
            at_ms: 1,
            brokers: Vec::new(),
            partitions: Vec::new(),
            group: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_stays_when_a_later_question_fails() {
        let (context, watch) = (Context::detached("test"), LayoutWatch::default());
        let failed = KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut);
        let mut answers = [Ok(layout()), Err(failed)].into_iter();
        let (client, (asking, mut asked)) = (Arc::new(()), unbounded_channel());
        watch.start(&context, "t", &client, move |(), _| {
            asking.send(()).unwrap();
            answers.next().unwrap()
        });
        asked.recv().await.unwrap();
        asked.recv().await.unwrap();
        drop(client);
        assert_eq!(asked.recv().await, None);
        assert_eq!(watch.last(), Some(layout()));
    }

    #[test]
    fn what_is_not_known_of_a_group_is_left_out() {
        let failed = Err(KafkaError::GroupListFetch(
            RDKafkaErrorCode::GroupAuthorizationFailed,
        ));
        assert_eq!(layout().with_group("g", failed), layout());
    }
}
