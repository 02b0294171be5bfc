//! The whole way of trades that nothing happens to.

use std::collections::HashSet;

use pipeline_testkit::kafka;
use pipeline_testkit::otlp::Span;

use crate::scene::{Scene, WITHIN};
use crate::tree::{chains, text, way};

const TRADES: u64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_is_one_trace_from_the_exchange_to_the_page() {
    let kafka = kafka::cluster().shared();
    let mut scene = Scene::start(&kafka).await;
    scene.trade(0..TRADES).await;

    let topic = scene.deployment.topic().to_owned();
    let names = way(&topic);
    let mut traces = scene
        .until("the traces of all trades", |spans| {
            chains(spans, &names, TRADES as usize)
        })
        .await;
    println!("{}", text(&traces[0]));
    for trace in &traces {
        services_and_kinds(trace);
        times(trace);
        attributes(trace, &topic, scene.deployment.group());
    }
    let ids: HashSet<_> = traces.iter().flatten().map(|span| &span.id).collect();
    assert_eq!(ids.len(), traces.len() * names.len(), "ids are unique");
    let partitions: HashSet<_> = traces
        .iter()
        .map(|trace| trace[2].get("messaging.destination.partition.id"))
        .collect();
    assert_eq!(partitions.len(), 3, "trades of all partitions are traced");

    // Which broker leads a partition is told once a second.
    let is_led = |trace: &Vec<Span>| {
        let mut kafka = trace[1..3].iter();
        kafka.all(|span| span.get("server.address") == Some("127.0.0.1"))
    };
    let mut sent = TRADES;
    while sent < 10 * TRADES && !traces.iter().any(is_led) {
        scene.trade(sent..sent + 1).await;
        sent += 1;
        traces = scene
            .until("the trace of one more", |spans| {
                chains(spans, &names, sent as usize)
            })
            .await;
    }
    let last = traces.iter().max_by_key(|trace| trace[0].start);
    assert!(last.is_some_and(is_led), "{last:?}");

    scene.producer.sigterm();
    assert_eq!(scene.producer.exit_code(WITHIN).await, 0);
    scene.consumer.sigterm();
    assert_eq!(scene.consumer.exit_code(WITHIN).await, 0);
    scene.server.sigterm();
    assert_eq!(scene.server.exit_code(WITHIN).await, 0);
}

fn services_and_kinds(trace: &[Span]) {
    let expected = [
        ("producer", "websocket-source", "Consumer"),
        ("producer", "kafka-sink", "Producer"),
        ("consumer", "kafka-group-source", "Consumer"),
        ("consumer", "http-post", "Client"),
        ("websocket-server", "ws-broadcast", "Server"),
        ("websocket-server", "ws-broadcast", "Producer"),
        ("websocket-server", "ws-broadcast", "Client"),
    ];
    for (span, (service, stage, kind)) in trace.iter().zip(expected) {
        assert_eq!((&*span.service, &*span.stage), (service, stage));
        assert_eq!(format!("{:?}", span.kind), kind, "{}", span.name);
        assert!(
            span.instance
                .rsplit_once('/')
                .is_some_and(|(_, instance)| instance.parse::<u32>().is_ok()),
            "{}",
            span.instance
        );
        assert_eq!(span.error, None, "{}", text(trace));
    }
}

/// One clock: no span begins before its parent, and who waits for another ends after it.
fn times(trace: &[Span]) {
    for pair in trace.windows(2) {
        assert!(pair[0].start <= pair[1].start, "{}", text(trace));
    }
    assert!(trace.iter().all(|span| span.start <= span.end));
    // Jaeger tells begin and length, each cut to microseconds.
    const RESOLUTION_NS: u64 = 2_000;
    let inside = |outer: usize, inner: usize| {
        let latest = trace[outer].end + RESOLUTION_NS;
        assert!(trace[inner].end <= latest, "{}", text(trace));
    };
    inside(0, 1); // a trade is received until Kafka has it
    inside(2, 3); // it is processed until the POST is answered
    inside(4, 5); // the answer comes when it is in the ring
}

fn attributes(trace: &[Span], topic: &str, group: &str) {
    let [receive, send, process, post, server, broadcast, _] = trace else {
        panic!("seven spans, not {}", trace.len());
    };
    let has = |span: &Span, name: &str, value: &str| {
        assert_eq!(span.get(name), Some(value), "`{name}` of `{}`", span.name);
    };
    has(receive, "messaging.operation.type", "receive");
    assert!(receive.has_event("normalised"), "{:?}", receive.events);
    for span in [send, process] {
        has(span, "messaging.system", "kafka");
        has(span, "messaging.destination.name", topic);
        assert!(span.get("messaging.kafka.message.key").is_some());
    }
    has(send, "messaging.operation.type", "send");
    has(process, "messaging.operation.type", "process");
    has(process, "messaging.consumer.group.name", group);
    for name in [
        "messaging.destination.partition.id",
        "messaging.kafka.offset",
    ] {
        assert_eq!(send.get(name), process.get(name));
        assert_eq!(broadcast.get(name), process.get(name));
        assert!(process.get(name).is_some());
    }
    for span in [post, server] {
        has(span, "http.request.method", "POST");
        has(span, "http.response.status_code", "200");
    }
    for span in [post, server] {
        has(span, "server.port", "8080");
        assert!(span.get("server.address").is_some());
    }
    has(server, "http.route", "/api/trades");
    let batch: u32 = post
        .get("messaging.batch.message_count")
        .and_then(|count| count.parse().ok())
        .expect("a count");
    assert!(batch >= 1);
}
