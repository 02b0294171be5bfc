//! What goes wrong, and what the stage says of it.

use super::member::{join, local};
use super::offsets::fill;
use pipeline_testkit::{kafka, unique};
use serde_json::json;

#[tokio::test]
async fn a_second_member_of_the_same_id_is_told_that_it_is_fenced() {
    let _shared = kafka::cluster().shared();
    for (protocol, fenced) in [("classic", 0), ("consumer", 1)] {
        local(async {
            let (topic, group) = (unique("fenced"), unique("group"));
            kafka::cluster().create_topic(&topic, 1).await;
            let settings = json!({"group_protocol": protocol, "instance_id": "same"});
            let first = join(
                &kafka::cluster().brokers(),
                &topic,
                &group,
                settings.clone(),
            )
            .await;
            first.ready().await;
            let second = join(&kafka::cluster().brokers(), &topic, &group, settings).await;
            // With `classic` the newer member wins, with `consumer` the older one.
            let mut members = vec![first, second];
            let failure = members.remove(fenced).failure().await;
            assert!(
                failure.contains("fenced") && failure.contains("`same`"),
                "{failure}"
            );
            members.remove(0).crash().await;
        })
        .await;
    }
}

#[tokio::test]
async fn who_was_fenced_joins_again_only_when_the_other_one_has_left() {
    let _shared = kafka::cluster().shared();
    local(async {
        let (topic, group) = (unique("fenced"), unique("group"));
        kafka::cluster().create_topic(&topic, 1).await;
        let settings = json!({"instance_id": "same", "session_timeout": "1s"});
        let brokers = kafka::cluster().brokers();
        let older = join(&brokers, &topic, &group, settings.clone()).await;
        older.ready().await;
        let newer = join(&brokers, &topic, &group, settings.clone()).await;
        older.failure().await;
        let again = join(&brokers, &topic, &group, settings).await;
        again.degraded("fenced").await;
        newer.ready().await;
        fill(&topic, 1, 0..3).await;
        newer.take_exactly(3).await;
        newer.settle();
        newer.leave().await;
        again.ready().await;
        fill(&topic, 1, 3..5).await;
        again.take_exactly(2).await;
        again.settle();
        again.leave().await;
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_does_not_exist_yet_is_told_and_read_when_it_does() {
    let _shared = kafka::cluster().shared();
    local(async {
        let (topic, group) = (unique("later"), unique("group"));
        let member = join(&kafka::cluster().brokers(), &topic, &group, json!({})).await;
        member.degraded("does not exist").await;
        kafka::cluster().create_topic(&topic, 1).await;
        fill(&topic, 1, 0..3).await;
        member.take_exactly(3).await;
        member.settle();
        member.ready().await;
        member.leave().await;
    })
    .await;
}

#[tokio::test]
async fn brokers_that_cannot_be_reached_are_named() {
    local(async {
        let member = join("127.0.0.1:9", "topic", "group", json!({})).await;
        member
            .degraded("no broker of `127.0.0.1:9` is reachable")
            .await;
        member.crash().await;
    })
    .await;
}

#[tokio::test]
async fn a_leader_that_is_killed_costs_no_message() {
    let cluster = kafka::cluster().exclusive();
    local(async {
        let (topic, group) = (unique("killed"), unique("group"));
        cluster.create_topic(&topic, 1).await;
        fill(&topic, 1, 0..100).await;
        let member = join(
            &cluster.brokers(),
            &topic,
            &group,
            json!({"commit_interval": "50ms"}),
        )
        .await;
        let mut seen = member.serve_until("before", |seen| seen.len() == 100).await;
        let leader = cluster.leader(&topic, 0);
        cluster.kill(leader);
        fill(&topic, 1, 100..200).await;
        seen.extend(member.serve_until("after", |seen| seen.len() == 100).await);
        let offsets: Vec<i64> = seen.iter().map(|seen| seen.offset).collect();
        assert_eq!(offsets, (0..200).collect::<Vec<_>>());
        member.leave().await;
        assert_eq!(cluster.committed(&group, &topic), [Some(200)]);
        cluster.start(leader).await;
    })
    .await;
}
