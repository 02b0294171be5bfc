//! The whole way while something is away: requests of many messages, a consumer that is killed.

use std::collections::HashSet;

use pipeline_testkit::otlp::Span;
use pipeline_testkit::{eventually, kafka};

use crate::scene::{Scene, WITHIN, traced};
use crate::tree::{chain, chains, text, traces, way};

const TRADES: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_request_is_told_in_each_trace_of_it() {
    let kafka = kafka::cluster().shared();
    let mut scene = Scene::start(&kafka).await;
    let names = way(scene.deployment.topic());
    scene.trade(0..1).await;
    scene
        .until("the trace of a single request", |spans| {
            let found = chains(spans, &names, 1)?;
            assert_eq!(batch(&found[0][3]), 1);
            Ok(())
        })
        .await;

    // What comes meanwhile waits behind one request a partition.
    scene.server.freeze();
    scene.send(1..TRADES).await;
    let sent = names[1].clone();
    scene
        .collector
        .until(WITHIN, "all trades in Kafka", |spans| {
            match spans.iter().filter(|span| span.name == sent).count() {
                count if count as u64 == TRADES => Ok(()),
                count => Err(format!("{count} of {TRADES}")),
            }
        })
        .await;
    scene.server.thaw();
    scene.shown(TRADES as i64).await;

    let whole = scene
        .until("the traces of all trades", |spans| {
            chains(spans, &names, TRADES as usize)
        })
        .await;
    let partitions: HashSet<_> = whole
        .iter()
        .map(|trace| trace[2].get("messaging.destination.partition.id"))
        .collect();
    assert_eq!(partitions.len(), 3, "trades of all partitions are traced");
    let shared = whole.iter().filter(|trace| batch(&trace[3]) > 1).count();
    assert!(shared > 1, "{}", text(&whole[0]));
    // Each message of a request has a span of its own for it, on both sides.
    let ids: HashSet<_> = whole.iter().flatten().map(|span| &span.id).collect();
    assert_eq!(ids.len(), whole.len() * names.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_consumer_leaves_whole_traces_and_what_is_read_again_is_a_replay() {
    let kafka = kafka::cluster().shared();
    let mut scene = Scene::start(&kafka).await;
    let names = way(scene.deployment.topic());
    scene.trade(0..TRADES / 2).await;
    scene
        .until("the traces before", |spans| {
            chains(spans, &names, TRADES as usize / 2)
        })
        .await;

    // Only what was committed is a replay when it is read again.
    eventually(WITHIN, "commits of the trades before", async || {
        let committed = kafka.committed(scene.deployment.group(), scene.deployment.topic());
        match committed.iter().flatten().sum::<i64>() {
            count if count == TRADES as i64 / 2 => Ok(()),
            _ => Err(format!("{committed:?}")),
        }
    })
    .await;
    scene.consumer.kill9();
    scene.send(TRADES / 2..TRADES).await;
    scene.consumer = traced(scene.deployment.consumer(1), &scene.collector)
        .flow("consumer")
        .spawn();
    scene.consumer.ready().await;
    scene.shown(TRADES as i64).await;

    let replayed = scene
        .until("all traces, and replays in those before", |spans| {
            chains(spans, &names, TRADES as usize)?;
            let replayed: Vec<_> = traces(spans)
                .into_iter()
                .filter_map(|trace| replay(&trace, &names))
                .collect();
            match replayed.len() {
                0 => Err("nothing was replayed".to_owned()),
                _ => Ok(replayed),
            }
        })
        .await;
    for way in replayed {
        let broadcast = &way[3];
        assert_eq!(way[0].get("pipeline.replay"), Some("true"));
        assert!(broadcast.has_event("replayed"), "{}", text(&way));
        assert!(broadcast.has_event("duplicate"), "{}", text(&way));
        assert!(way.iter().all(|span| span.error.is_none()));
    }
}

/// From a second `process` that is a replay to its `broadcast`, if the trace has one.
fn replay(trace: &[Span], names: &[String]) -> Option<Vec<Span>> {
    let send = chain(trace, &names[..2]).ok()?[1];
    let again = trace
        .iter()
        .find(|span| span.parent == send.id && span.has_event("replayed"))?;
    let mut way = vec![again.clone()];
    for name in &names[3..6] {
        let parent = way.last()?.id.clone();
        let next = trace
            .iter()
            .find(|span| span.parent == parent && span.name == *name)?;
        way.push(next.clone());
    }
    Some(way)
}

/// Messages in the request of a `POST`.
fn batch(post: &Span) -> u32 {
    let count = post.get("messaging.batch.message_count");
    count.and_then(|count| count.parse().ok()).expect("a count")
}
