//! What is committed, and where reading begins.

use super::member::{SOON, Seen, join, local};
use pipeline_testkit::{eventually, kafka, unique};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::json;

async fn topic(partitions: i32, each: usize) -> String {
    let topic = unique("source");
    kafka::cluster().create_topic(&topic, partitions).await;
    fill(&topic, partitions, 0..each).await;
    topic
}

pub(super) async fn fill(topic: &str, partitions: i32, numbers: std::ops::Range<usize>) {
    let record = |number: usize, partition| {
        (
            Some(partition),
            "key".to_owned(),
            number.to_string().into_bytes(),
        )
    };
    let records =
        numbers.flat_map(|number| (0..partitions).map(move |partition| record(number, partition)));
    kafka::cluster().produce(topic, records).await;
}

async fn committed(group: &str, topic: &str, expected: &[Option<i64>]) {
    eventually(SOON, "committed", async || {
        let committed = kafka::cluster().committed(group, topic);
        if committed == expected {
            Ok(())
        } else {
            Err(format!("{committed:?} in place of {expected:?}"))
        }
    })
    .await;
}

fn offsets(seen: &[Seen]) -> Vec<(i64, bool)> {
    seen.iter().map(|seen| (seen.offset, seen.replay)).collect()
}

#[tokio::test]
async fn what_is_settled_is_committed_and_the_next_member_goes_on_there() {
    let _shared = kafka::cluster().shared();
    for protocol in ["classic", "consumer"] {
        local(async {
            let (topic, group) = (topic(1, 10).await, unique("group"));
            let settings = json!({"group_protocol": protocol, "commit_interval": "50ms"});
            let member = join(
                &kafka::cluster().brokers(),
                &topic,
                &group,
                settings.clone(),
            )
            .await;
            member.ready().await;
            let seen = member.take_exactly(10).await;
            assert_eq!(
                offsets(&seen),
                (0..10).map(|offset| (offset, false)).collect::<Vec<_>>()
            );
            committed(&group, &topic, &[Some(0)]).await;
            member.settle();
            committed(&group, &topic, &[Some(10)]).await;
            member.crash().await;

            fill(&topic, 1, 10..13).await;
            let member = join(&kafka::cluster().brokers(), &topic, &group, settings).await;
            let seen = member.take_exactly(3).await;
            assert_eq!(offsets(&seen), [(10, false), (11, false), (12, false)]);
            member.settle();
            member.leave().await;
            assert_eq!(kafka::cluster().committed(&group, &topic), [Some(13)]);
        })
        .await;
    }
}

#[tokio::test]
async fn rewound_messages_are_replayed_and_never_move_the_commit() {
    let _shared = kafka::cluster().shared();
    local(async {
        let (topic, group) = (topic(1, 10).await, unique("group"));
        let settings = json!({"rewind": 4, "commit_interval": "50ms"});
        let first = join(
            &kafka::cluster().brokers(),
            &topic,
            &group,
            settings.clone(),
        )
        .await;
        first.take_exactly(10).await;
        first.settle();
        first.leave().await;

        fill(&topic, 1, 10..12).await;
        let second = join(&kafka::cluster().brokers(), &topic, &group, settings).await;
        let seen = second.take_exactly(6).await;
        assert_eq!(
            offsets(&seen),
            [
                (6, true),
                (7, true),
                (8, true),
                (9, true),
                (10, false),
                (11, false)
            ]
        );
        second.crash().await;
        assert_eq!(kafka::cluster().committed(&group, &topic), [Some(10)]);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_settled_is_not_committed_when_the_member_leaves() {
    let _shared = kafka::cluster().shared();
    local(async {
        let (topic, group) = (topic(1, 10).await, unique("group"));
        let member = join(&kafka::cluster().brokers(), &topic, &group, json!({})).await;
        member.take_exactly(10).await;
        member.crash().await;
        assert_eq!(kafka::cluster().committed(&group, &topic), [Some(0)]);
    })
    .await;
}

#[tokio::test]
async fn without_a_committed_offset_the_start_is_the_settings_and_is_committed_at_once() {
    let _shared = kafka::cluster().shared();
    local(async {
        for (reset, expected) in [("earliest", 0), ("latest", 10)] {
            let (topic, group) = (topic(1, 10).await, unique("group"));
            let member = join(
                &kafka::cluster().brokers(),
                &topic,
                &group,
                json!({"offset_reset": reset}),
            )
            .await;
            committed(&group, &topic, &[Some(expected)]).await;
            member.crash().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_offset_beyond_the_end_is_reset_by_the_setting() {
    let _shared = kafka::cluster().shared();
    local(async {
        let (topic, group) = (topic(1, 50).await, unique("group"));
        let first = join(&kafka::cluster().brokers(), &topic, &group, json!({})).await;
        first.take_exactly(50).await;
        first.settle();
        // The topic is made again, shorter, while the member is there.
        kafka::cluster().delete_topic(&topic).await;
        kafka::cluster().create_topic(&topic, 1).await;
        fill(&topic, 1, 0..5).await;
        let seen = first
            .serve_until("the new topic is read from its start", |seen| {
                seen.len() >= 5
            })
            .await;
        assert_eq!(
            offsets(&seen),
            (0..5).map(|offset| (offset, false)).collect::<Vec<_>>()
        );
        committed(&group, &topic, &[Some(5)]).await;
        first.leave().await;
    })
    .await;
}

#[tokio::test]
async fn an_offset_whose_messages_were_deleted_is_reset_by_the_setting() {
    let _shared = kafka::cluster().shared();
    for (reset, goes_on) in [("earliest", Some(900)), ("latest", None)] {
        local(async {
            let (topic, group) = (unique("deleted"), unique("group"));
            kafka::cluster().create_topic(&topic, 1).await;
            fill_in_small_requests(&topic, 1000).await;
            commit_first(&group, &topic);
            // A client that fetches little ahead, held back at the first message.
            let small = json!({"fetch.message.max.bytes": 1000, "queued.min.messages": 1, "fetch.wait.max.ms": 50});
            let settings = json!({"offset_reset": reset, "commit_interval": "50ms", "properties": small});
            let member = join(&kafka::cluster().brokers(), &topic, &group, settings).await;
            member.sent.block(true);
            eventually(SOON, "the first messages wait", async || {
                member.sent.is_waited_for().then_some(()).ok_or("none")
            })
            .await;
            delete_before(&topic, 900).await;
            member.sent.block(false);
            let seen = member
                .serve_until("all is committed", |_| committed_now(&group, &topic) == 1000)
                .await;
            assert_eq!(seen[0].offset, 0);
            assert!(seen.len() < 900, "nothing was deleted before it was fetched");
            let next = seen.iter().map(|seen| seen.offset).find(|offset| *offset >= 900);
            assert_eq!(next, goes_on, "{reset}");
            assert!(seen.iter().all(|seen| !seen.replay));
            member.leave().await;
        })
        .await;
    }
}

/// Commits the first offset, as somebody who has read nothing.
fn commit_first(group: &str, topic: &str) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka::cluster().brokers())
        .set("group.id", group)
        .create()
        .unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets
        .add_partition_offset(topic, 0, Offset::Offset(0))
        .unwrap();
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
}

fn committed_now(group: &str, topic: &str) -> i64 {
    kafka::cluster().committed(group, topic)[0].unwrap_or(-1)
}

async fn delete_before(topic: &str, offset: i64) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", kafka::cluster().brokers())
        .create()
        .unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets
        .add_partition_offset(topic, 0, Offset::Offset(offset))
        .unwrap();
    admin
        .delete_records(&offsets, &AdminOptions::new())
        .await
        .unwrap();
}

/// A fetch takes whole requests of the producer: many small ones can be fetched in part.
async fn fill_in_small_requests(topic: &str, count: usize) {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", kafka::cluster().brokers())
        .set("batch.num.messages", "20");
    let producer: FutureProducer = config.create().unwrap();
    let payloads: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let record = |payload| {
        FutureRecord::<(), str>::to(topic)
            .partition(0)
            .payload(payload)
    };
    let sent: Vec<_> = payloads
        .iter()
        .map(|payload| producer.send_result(record(payload)).unwrap())
        .collect();
    for report in sent {
        report.await.unwrap().unwrap();
    }
}
