//! Several members of one group, and one that holds more than its share.

use super::member::{Member, SOON, Seen, join, local};
use super::offsets::fill;
use pipeline_testkit::{eventually, kafka, unique};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

async fn member(topic: &str, group: &str, name: &str, protocol: &str) -> Member {
    let settings: Value =
        json!({"group_protocol": protocol, "instance_id": name, "commit_interval": "50ms"});
    join(&kafka::cluster().brokers(), topic, group, settings).await
}

fn positions(seen: &[Seen]) -> BTreeSet<(i32, i64)> {
    seen.iter()
        .map(|seen| (seen.partition, seen.offset))
        .collect()
}

#[tokio::test]
async fn partitions_move_to_a_second_member_without_a_loss() {
    let _shared = kafka::cluster().shared();
    for protocol in ["classic", "consumer"] {
        local(async {
            let (topic, group) = (unique("shared"), unique("group"));
            kafka::cluster().create_topic(&topic, 4).await;
            fill(&topic, 4, 0..50).await;
            let first = member(&topic, &group, "a", protocol).await;
            let mut seen = first
                .serve_until("the first member reads all", |seen| seen.len() == 200)
                .await;

            let second = member(&topic, &group, "b", protocol).await;
            let mut moved = BTreeSet::new();
            let mut next = 50;
            eventually(SOON, "the second member has its half", async || {
                fill(&topic, 4, next..next + 1).await;
                next += 1;
                seen.extend(first.take());
                first.settle();
                let taken = second.take();
                second.settle();
                moved.extend(taken.iter().map(|seen| seen.partition));
                seen.extend(taken);
                if moved.len() == 2 {
                    Ok(())
                } else {
                    Err(format!("{moved:?}"))
                }
            })
            .await;
            eventually(SOON, "everything is read", async || {
                for member in [&first, &second] {
                    seen.extend(member.take());
                    member.settle();
                }
                let (read, written) = (positions(&seen).len(), 4 * next);
                if read == written {
                    Ok(())
                } else {
                    Err(format!("{read} of {written}"))
                }
            })
            .await;
            assert_eq!(
                seen.len(),
                4 * next,
                "handed over in order, nothing is read twice"
            );
            first.leave().await;
            second.leave().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_revocation_does_not_wait_for_a_sink_that_stalls() {
    let _shared = kafka::cluster().shared();
    local(async {
        let (topic, group) = (unique("stalled"), unique("group"));
        kafka::cluster().create_topic(&topic, 2).await;
        fill(&topic, 2, 0..10).await;
        let first = member(&topic, &group, "a", "consumer").await;
        first.take_exactly(20).await;
        let second = member(&topic, &group, "b", "consumer").await;
        let again = second.take_exactly(10).await;
        // What the first did not settle comes again, and its late settles do not count.
        assert_eq!(positions(&again).len(), 10);
        first.settle();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let lost = again[0].partition as usize;
        assert_eq!(kafka::cluster().committed(&group, &topic)[lost], Some(0));
        first.leave().await;
        second.crash().await;
    })
    .await;
}

#[tokio::test]
async fn a_member_without_partitions_is_ready() {
    let _shared = kafka::cluster().shared();
    for protocol in ["classic", "consumer"] {
        local(async {
            let (topic, group) = (unique("idle"), unique("group"));
            kafka::cluster().create_topic(&topic, 1).await;
            let first = member(&topic, &group, "a", protocol).await;
            first.ready().await;
            let second = member(&topic, &group, "b", protocol).await;
            second.ready().await;
            first.leave().await;
            second.leave().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_stalled_partition_keeps_to_its_share_and_the_others_go_on() {
    let _shared = kafka::cluster().shared();
    local(async {
        let (topic, group) = (unique("window"), unique("group"));
        kafka::cluster().create_topic(&topic, 2).await;
        fill(&topic, 2, 0..6000).await;
        let member = member(&topic, &group, "a", "consumer").await;
        let (mut held, mut stalled, mut other) = (Vec::new(), 0, 0);
        eventually(
            Duration::from_secs(20),
            "the other partition is read to its end",
            async || {
                while let Some(batch) = member.sent.next() {
                    if batch.get(0).position().unwrap().partition == 0 {
                        stalled += batch.len();
                        held.push(batch);
                    } else {
                        other += batch.len();
                        batch.done();
                    }
                }
                if other == 6000 {
                    Ok(())
                } else {
                    Err(format!("{other}"))
                }
            },
        )
        .await;
        assert!((1..=2048).contains(&stalled), "{stalled}");
        held.drain(..).for_each(|batch| batch.done());
        member
            .serve_until("the stalled partition goes on", |seen| {
                stalled + seen.len() == 6000
            })
            .await;
        member.leave().await;
    })
    .await;
}

/// While a group rebalances it refuses commits, here for as long as the slower member's heartbeat takes.
#[tokio::test]
async fn what_is_done_is_committed_although_the_member_stops_in_a_rebalance() {
    for pause_ms in [0, 250, 500, 1000] {
        local(async {
            let (topic, group) = (unique("stops"), unique("group"));
            kafka::cluster().create_topic(&topic, 4).await;
            fill(&topic, 4, 0..50).await;
            let settings = |name| json!({"instance_id": name, "session_timeout": "6s", "commit_interval": "1h"});
            let brokers = kafka::cluster().brokers();
            let first = join(&brokers, &topic, &group, settings("a")).await;
            first
                .serve_until("the first member reads all", |seen| seen.len() == 200)
                .await;
            let second = join(&brokers, &topic, &group, settings("b")).await;
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            first.leave().await;
            let committed = kafka::cluster().committed(&group, &topic);
            assert_eq!(committed, [Some(50); 4], "{pause_ms} ms after the second joined");
            second.leave().await;
        })
        .await;
    }
}
