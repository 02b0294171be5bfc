//! What goes wrong, and that nothing is lost by it.

use super::sink::{local, open};
use pipeline_sdk::prelude::*;
use pipeline_testkit::{kafka, unique};
use rdkafka::mocking::MockCluster;
use serde_json::json;

fn numbers(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|number| number.to_string()).collect()
}

fn records(payloads: &[String]) -> Vec<Record<'_>> {
    payloads
        .iter()
        .map(|payload| Record::new(payload.as_bytes()))
        .collect()
}

async fn stored(topic: &str) -> Vec<String> {
    let records = kafka::cluster().read_topic(topic).await;
    records
        .into_iter()
        .map(|record| String::from_utf8(record.payload).unwrap())
        .collect()
}

#[tokio::test]
async fn messages_for_a_topic_that_does_not_exist_wait_in_order_until_it_does() {
    let _shared = kafka::cluster().shared();
    local(async {
        let topic = unique("later");
        let sink = open(&kafka::cluster().brokers(), &topic, json!({})).await;
        sink.degraded("does not exist").await;
        let payloads = numbers(0, 300);
        sink.feed.push(&records(&payloads[..200]));
        sink.feed.push(&records(&payloads[200..]));
        sink.degraded("messages wait until it does").await;
        kafka::cluster().create_topic(&topic, 1).await;
        sink.settled(300, 0).await;
        sink.ready().await;
        sink.drain().await;
        assert_eq!(stored(&topic).await, payloads);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_large_for_the_client_is_rejected_alone() {
    let _shared = kafka::cluster().shared();
    local(async {
        let topic = unique("large");
        kafka::cluster().create_topic(&topic, 1).await;
        let sink = open(&kafka::cluster().brokers(), &topic, json!({})).await;
        let large = vec![b'x'; 2_000_000];
        sink.feed
            .push(&[Record::new(b"a"), Record::new(&large), Record::new(b"b")]);
        sink.settled(2, 1).await;
        let rejected = &sink.rejections()[0];
        assert_eq!(rejected.range, 1..2);
        assert!(
            rejected
                .rejected
                .as_deref()
                .unwrap()
                .contains("cannot take the message"),
            "{rejected:?}"
        );
        sink.drain().await;
        assert_eq!(stored(&topic).await, ["a", "b"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_too_large_for_the_topic_takes_no_neighbour_with_it() {
    let _shared = kafka::cluster().shared();
    local(async {
        let topic = unique("large");
        kafka::cluster()
            .create_topic_with(&topic, 1, &[("max.message.bytes", "2000")])
            .await;
        let sink = open(
            &kafka::cluster().brokers(),
            &topic,
            json!({"compression": "none", "linger": "100ms"}),
        )
        .await;
        let large = vec![b'x'; 5_000];
        sink.feed
            .push(&[Record::new(b"a"), Record::new(&large), Record::new(b"b")]);
        sink.settled(2, 1).await;
        assert_eq!(sink.rejections()[0].range, 1..2);
        sink.drain().await;
        assert_eq!(stored(&topic).await, ["a", "b"]);
    })
    .await;
}

#[tokio::test]
async fn brokers_that_are_down_are_named_and_messages_wait_for_them() {
    local(async {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("trades", 1, 1).unwrap();
        let sink = open(&cluster.bootstrap_servers(), "trades", json!({})).await;
        sink.ready().await;
        cluster.broker_down(1).unwrap();
        let payloads = numbers(0, 100);
        sink.feed.push(&records(&payloads));
        sink.degraded("no broker of").await;
        assert_eq!(sink.counts(), (0, 0));
        cluster.broker_up(1).unwrap();
        sink.settled(100, 0).await;
        sink.ready().await;
        sink.drain().await;
    })
    .await;
}

#[tokio::test]
async fn a_queue_that_is_full_holds_the_flow_back_and_loses_nothing() {
    local(async {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("trades", 1, 1).unwrap();
        let small = json!({"properties": {"queue.buffering.max.messages": 10}});
        let sink = open(&cluster.bootstrap_servers(), "trades", small).await;
        sink.feed.push(&records(&numbers(0, 500)));
        sink.settled(500, 0).await;
        sink.drain().await;
    })
    .await;
}

#[tokio::test]
async fn a_leader_that_is_killed_costs_and_doubles_no_message() {
    let cluster = kafka::cluster().exclusive();
    local(async {
        let topic = unique("killed");
        cluster.create_topic(&topic, 1).await;
        let sink = open(&cluster.brokers(), &topic, json!({})).await;
        let payloads = numbers(0, 3000);
        sink.feed.push(&records(&payloads[..1000]));
        sink.settled(1000, 0).await;
        let leader = cluster.leader(&topic, 0);
        sink.feed.push(&records(&payloads[1000..2000]));
        cluster.kill(leader);
        sink.feed.push(&records(&payloads[2000..]));
        sink.settled(3000, 0).await;
        cluster.start(leader).await;
        sink.drain().await;
        assert_eq!(stored(&topic).await, payloads);
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_refuses_the_connection_is_told() {
    let _shared = kafka::cluster().shared();
    local(async {
        // The brokers of the tests speak plain text.
        let sasl = json!({"mechanism": "SCRAM-SHA-256", "username": "u", "password": "hunter2"});
        let sink = open(
            &kafka::cluster().brokers(),
            "trades",
            json!({"tls": {}, "sasl": sasl}),
        )
        .await;
        sink.degraded("connecting to a PLAINTEXT broker listener")
            .await;
        sink.abort().await;
    })
    .await;
}

#[tokio::test]
async fn sinks_that_have_nothing_to_send_are_well_again_after_all_brokers_were_away() {
    let cluster = kafka::cluster().exclusive();
    local(async {
        let topic = unique("idle");
        cluster.create_topic(&topic, 3).await;
        let mut sinks = Vec::new();
        // librdkafka picks at random which of its connections it makes again, and one is enough for it.
        for _ in 0..8 {
            sinks.push(open(&cluster.brokers(), &topic, json!({})).await);
        }
        for sink in &sinks {
            sink.ready().await;
        }
        (1..=3).for_each(|node| cluster.kill(node));
        for sink in &sinks {
            sink.degraded("no broker of").await;
        }
        tokio::join!(cluster.start(1), cluster.start(2), cluster.start(3));
        for sink in &sinks {
            sink.ready().await;
        }
        for sink in sinks {
            sink.drain().await;
        }
    })
    .await;
}
