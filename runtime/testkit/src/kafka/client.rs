//! Topics, records and groups: what a test prepares in Kafka and what it finds there afterwards.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::groups::GroupList;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};

use super::cluster::{KafkaCluster, client_config, fetch_metadata};
use crate::eventually;

const ADMIN_TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_secs(30);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// One record as it lies in a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The partition it lies in.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// The key, if it has one.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub payload: Vec<u8>,
    /// Headers in their order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl KafkaCluster {
    /// Makes a topic with three copies and returns when all are in sync.
    pub async fn create_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]).await;
    }

    /// Makes a topic with settings of its own (`retention.bytes`, …).
    pub async fn create_topic_with(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(3));
        let topic = settings
            .iter()
            .fold(topic, |topic, (key, value)| topic.set(key, value));
        let made = self
            .admin()
            .create_topics(&[topic], &options())
            .await
            .expect("topic request");
        made.into_iter()
            .for_each(|topic| drop(topic.expect("topic made")));
        eventually(ADMIN_TIMEOUT, "a new topic in sync", async || {
            self.check_topic_in_sync(name)
        })
        .await;
    }

    /// Deletes a topic and returns when no broker knows it any more, so that it can be made again.
    pub async fn delete_topic(&self, name: &str) {
        let gone = self
            .admin()
            .delete_topics(&[name], &options())
            .await
            .expect("topic request");
        gone.into_iter()
            .for_each(|topic| drop(topic.expect("topic deleted")));
        eventually(ADMIN_TIMEOUT, "a deleted topic gone", async || {
            let metadata = self.metadata(None)?;
            let listed = metadata.topics().iter().any(|topic| topic.name() == name);
            if listed {
                Err("still listed".to_owned())
            } else {
                Ok(())
            }
        })
        .await;
    }

    /// Writes records one after another, each acknowledged by all copies; `None` lets the key choose the partition.
    pub async fn produce(
        &self,
        topic: &str,
        records: impl IntoIterator<Item = (Option<i32>, String, Vec<u8>)>,
    ) {
        let mut config = client_config(&self.brokers());
        let producer: FutureProducer = config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .create()
            .expect("producer");
        let mut deliveries = Vec::new();
        for (partition, key, payload) in records {
            let mut record = FutureRecord::to(topic).key(&key).payload(&payload);
            record.partition = partition;
            deliveries.push(
                producer
                    .send_result(record)
                    .map_err(|(error, _)| error)
                    .expect("record queued"),
            );
        }
        for delivery in deliveries {
            delivery
                .await
                .expect("delivery report")
                .map_err(|(error, _)| error)
                .expect("record delivered");
        }
    }

    /// Writes one record with headers to partition 0.
    pub async fn produce_with_headers(
        &self,
        topic: &str,
        payload: Vec<u8>,
        headers: &[(&str, &[u8])],
    ) {
        let producer: FutureProducer = client_config(&self.brokers()).create().expect("producer");
        let headers = headers
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header {
                    key,
                    value: Some(*value),
                })
            });
        let record = FutureRecord::<(), _>::to(topic)
            .payload(&payload)
            .partition(0)
            .headers(headers);
        let delivered = producer.send(record, POLL).await;
        delivered
            .map_err(|(error, _)| error)
            .expect("record delivered");
    }

    /// Returns the offset after the last record of each partition.
    pub fn end_offsets(&self, topic: &str) -> Vec<i64> {
        self.watermarks(topic)
            .into_iter()
            .map(|(_, end)| end)
            .collect()
    }

    /// Reads the whole topic as it is now: partition by partition, in order of offsets.
    pub async fn read_topic(&self, topic: &str) -> Vec<Stored> {
        let watermarks = self.watermarks(topic);
        let consumer: BaseConsumer = client_config(&self.brokers()).create().expect("consumer");
        let topic = topic.to_owned();
        let read = tokio::task::spawn_blocking(move || {
            (0..)
                .zip(watermarks)
                .flat_map(|(partition, range)| read_partition(&consumer, &topic, partition, range))
                .collect()
        });
        read.await.expect("topic read")
    }

    /// Returns what a group has committed for each partition (`None`: nothing).
    pub fn committed(&self, group: &str, topic: &str) -> Vec<Option<i64>> {
        let mut config = client_config(&self.brokers());
        let consumer: BaseConsumer = config.set("group.id", group).create().expect("consumer");
        let mut partitions = TopicPartitionList::new();
        for partition in 0..self.watermarks(topic).len() {
            partitions.add_partition(topic, i32::try_from(partition).expect("partition number"));
        }
        let answer = self.asked("committed offsets", |_| {
            let answer = consumer.committed_offsets(partitions.clone(), REQUEST_TIMEOUT);
            answer.map_err(|error| error.to_string())
        });
        answer
            .elements()
            .iter()
            .map(|it| it.offset().to_raw().filter(|offset| *offset >= 0))
            .collect()
    }

    /// Returns the client ids of the members of a classic group.
    pub fn members(&self, group: &str) -> Vec<String> {
        let list = self.group_list(group);
        let members = list.groups().iter().flat_map(|group| group.members());
        members
            .map(|member| member.client_id().to_owned())
            .collect()
    }

    /// Returns the state of a classic group, such as `Stable` or `PreparingRebalance`; empty if there is none.
    pub fn group_state(&self, group: &str) -> String {
        let list = self.group_list(group);
        let group = list.groups().first();
        group.map_or_else(String::new, |group| group.state().to_owned())
    }

    fn group_list(&self, group: &str) -> GroupList {
        self.asked("group list", |client| {
            let list = client.fetch_group_list(Some(group), REQUEST_TIMEOUT);
            list.map_err(|error| error.to_string())
        })
    }

    fn watermarks(&self, topic: &str) -> Vec<(i64, i64)> {
        self.asked("watermarks", |client| {
            let metadata = fetch_metadata(client, Some(topic))?;
            let partitions = 0..metadata.topics()[0].partitions().len();
            let one = |partition| client.fetch_watermarks(topic, partition as i32, REQUEST_TIMEOUT);
            let all: Result<_, KafkaError> = partitions.map(one).collect();
            all.map_err(|error| error.to_string())
        })
    }

    /// Asks until there is an answer: a request dies with the broker that it was sent to, and leaders move. After a failure
    /// it is asked over new connections.
    fn asked<T>(&self, what: &str, ask: impl Fn(&BaseConsumer) -> Result<T, String>) -> T {
        let deadline = Instant::now() + ADMIN_TIMEOUT;
        let mut client = self.client();
        loop {
            match ask(&client) {
                Ok(answer) => return answer,
                Err(why) if Instant::now() > deadline => panic!("{what}: {why}"),
                Err(_) => thread::sleep(PAUSE),
            }
            client = Arc::new(client_config(&self.brokers()).create().expect("client"));
        }
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        client_config(&self.brokers())
            .create()
            .expect("admin client")
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(ADMIN_TIMEOUT))
        .request_timeout(Some(ADMIN_TIMEOUT))
}

fn read_partition(
    consumer: &BaseConsumer,
    topic: &str,
    partition: i32,
    (low, end): (i64, i64),
) -> Vec<Stored> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(low))
        .expect("offset");
    consumer.assign(&list).expect("assignment");
    let mut records = Vec::new();
    while records.last().map_or(low, |it: &Stored| it.offset + 1) < end {
        let message = consumer
            .poll(POLL)
            .unwrap_or_else(|| panic!("nothing from `{topic}/{partition}` in {POLL:?}"));
        records.push(stored(&message.expect("record")));
    }
    records
}

fn stored(message: &BorrowedMessage<'_>) -> Stored {
    let headers = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    Stored {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        payload: message.payload().unwrap_or_default().to_vec(),
        headers: headers
            .map(|it| (it.key.to_owned(), it.value.unwrap_or_default().to_vec()))
            .collect(),
    }
}
