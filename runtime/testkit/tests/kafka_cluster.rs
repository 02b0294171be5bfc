//! The cluster itself: what a test writes is there, and a fault test leaves no damage.

use pipeline_testkit::{kafka, unique};

fn trades(count: usize) -> impl Iterator<Item = (Option<i32>, String, Vec<u8>)> {
    (0..count).map(|i| {
        (
            None,
            format!("trade-{i}"),
            format!(r#"{{"trade_id":{i}}}"#).into_bytes(),
        )
    })
}

#[tokio::test]
async fn a_topic_keeps_what_was_written() {
    let kafka = kafka::cluster().shared();
    let topic = unique("trades");
    kafka.create_topic(&topic, 3).await;
    kafka.produce(&topic, trades(100)).await;

    let stored = kafka.read_topic(&topic).await;
    assert_eq!(stored.len(), 100);
    assert_eq!(kafka.end_offsets(&topic).iter().sum::<i64>(), 100);
    let mut keys: Vec<_> = stored.into_iter().filter_map(|record| record.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 100);
}

#[tokio::test]
async fn a_topic_made_again_begins_at_zero() {
    let kafka = kafka::cluster().shared();
    let topic = unique("trades");
    kafka.create_topic(&topic, 1).await;
    kafka.produce(&topic, trades(10)).await;
    kafka.delete_topic(&topic).await;
    kafka.create_topic(&topic, 1).await;
    assert_eq!(kafka.end_offsets(&topic), [0]);
}

#[tokio::test]
async fn writes_go_on_without_the_leader_and_the_lease_heals_the_cluster() {
    let topic = unique("trades");
    {
        let kafka = kafka::cluster().exclusive();
        kafka.create_topic(&topic, 1).await;
        kafka.kill(kafka.leader(&topic, 0));
        kafka.produce(&topic, trades(100)).await;
    }
    let kafka = kafka::cluster().shared();
    assert_eq!(kafka.read_topic(&topic).await.len(), 100);
}

#[tokio::test]
async fn a_frozen_broker_is_replaced_and_comes_back() {
    let kafka = kafka::cluster().exclusive();
    let topic = unique("trades");
    kafka.create_topic(&topic, 1).await;
    let leader = kafka.leader(&topic, 0);
    kafka.freeze(leader);
    kafka.produce(&topic, trades(100)).await;
    kafka.thaw(leader);
    kafka.in_sync().await;
    assert_eq!(kafka.read_topic(&topic).await.len(), 100);
}
