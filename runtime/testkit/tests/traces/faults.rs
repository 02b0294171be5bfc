//! The whole way when requests carry many messages.

use std::collections::HashSet;

use pipeline_testkit::kafka;
use pipeline_testkit::otlp::Span;

use crate::scene::Scene;
use crate::tree::{chains, text, way};

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
        .until(
            crate::scene::WITHIN,
            "all trades in Kafka",
            |spans| match spans.iter().filter(|span| span.name == sent).count() {
                count if count as u64 == TRADES => Ok(()),
                count => Err(format!("{count} of {TRADES}")),
            },
        )
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

/// Messages in the request of a `POST`.
fn batch(post: &Span) -> u32 {
    let count = post.get("messaging.batch.message_count");
    count.and_then(|count| count.parse().ok()).expect("a count")
}
