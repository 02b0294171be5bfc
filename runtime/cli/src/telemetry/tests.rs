use super::*;
use crate::logs::Filter;
use pipeline_testkit::{Answer, HttpReceiver, eventually};
use settings::Export;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

fn start(endpoint: String, queue: usize) -> Arc<Telemetry> {
    exporting(Export {
        endpoint: Some(endpoint),
        service_name: None,
        queue,
        batch: queue,
        delay: Duration::from_millis(10),
        timeout: Duration::from_millis(500),
    })
}

fn exporting(export: Export) -> Arc<Telemetry> {
    let logger = Logger::start(None, Filter::parse("off").unwrap()).unwrap();
    let settings = TraceSettings {
        export: Some(export),
        ..TraceSettings::default()
    };
    Telemetry::start(settings, logger).unwrap()
}

fn record(instance: u32) -> SpanRecord<'static> {
    SpanRecord {
        stage: Some(("consumer", "http-post", instance)),
        kind: 3,
        trace_id: [1; 16],
        span_id: [2; 8],
        parent_span_id: [0; 8],
        parent_is_remote: false,
        status: 0,
        start_ns: 1,
        end_ns: 2,
        name: "POST",
        status_message: "",
        tracestate: "",
        fields: Vec::new(),
        events: Vec::new(),
    }
}

/// Exported, dropped before a queue that was full, and not taken by the collector.
fn counts(telemetry: &Telemetry) -> (u64, u64, u64) {
    let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let counts = &telemetry.counts;
    (
        get(&counts.exported),
        get(&counts.queue_full),
        get(&counts.not_taken),
    )
}

async fn finish(telemetry: &Arc<Telemetry>) {
    let telemetry = telemetry.clone();
    tokio::task::spawn_blocking(move || telemetry.finish())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_at_the_end_is_exported_for_each_service_instance() {
    let collector = HttpReceiver::scripted([Answer::status(200)]).await;
    let telemetry = start(collector.url(), 100);
    for instance in [0, 1, 0] {
        telemetry.span(&record(instance));
    }
    finish(&telemetry).await;
    assert_eq!(counts(&telemetry), (3, 0, 0));
    let received = collector.received();
    assert!(received.len() >= 2, "one request an instance");
    assert_eq!(
        received[0].headers["content-type"],
        "application/x-protobuf"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_exported_when_it_is_full_and_not_before() {
    const BATCH: usize = 8;
    const ROUNDS: usize = 50;
    let collector = HttpReceiver::scripted([Answer::status(200)]).await;
    let telemetry = exporting(Export {
        endpoint: Some(collector.url()),
        service_name: None,
        queue: BATCH,
        batch: BATCH,
        delay: Duration::from_secs(3600),
        timeout: Duration::from_secs(60),
    });
    for round in 1..=ROUNDS {
        for _ in 0..BATCH {
            telemetry.span(&record(0));
        }
        let exported = (round * BATCH) as u64;
        eventually(Duration::from_secs(60), "a batch", async || {
            match counts(&telemetry) {
                (count, ..) if count == exported => Ok(()),
                counts => Err(format!("{counts:?}")),
            }
        })
        .await;
    }
    assert_eq!(collector.received().len(), ROUNDS);
    finish(&telemetry).await;
    assert_eq!(counts(&telemetry), ((ROUNDS * BATCH) as u64, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_refuses_costs_only_spans() {
    let collector = HttpReceiver::scripted([Answer::status(400)]).await;
    let telemetry = start(collector.url(), 100);
    telemetry.span(&record(0));
    finish(&telemetry).await;
    assert_eq!(counts(&telemetry), (0, 0, 1));
    let mut snapshot = Snapshot::default();
    telemetry.add_to(&mut snapshot);
    let dropped = snapshot.get("pipeline_spans_dropped", &[("reason", "not_taken")]);
    assert_eq!(dropped, Some(&Value::Counter(1)));
}

/// Answers the first request with this text, and then says nothing more.
async fn talks(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    endpoint
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_and_nonsense_cost_only_spans() {
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of it",
        "HTTP/1.1 200",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\u{7f}\u{7f}\u{7f}\u{7f}",
    ] {
        let telemetry = start(talks(text).await, 100);
        telemetry.span(&record(0));
        finish(&telemetry).await;
        let (exported, queue_full, not_taken) = counts(&telemetry);
        assert_eq!((exported + not_taken, queue_full), (1, 0), "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_makes_nobody_wait() {
    let collector = HttpReceiver::scripted([Answer::hang()]).await;
    let telemetry = start(collector.url(), 10);
    telemetry.span(&record(0));
    collector.wait_for(1, Duration::from_secs(60)).await;
    // One batch is on its way, ten spans wait, the others find no room.
    for _ in 0..100 {
        telemetry.span(&record(0));
    }
    assert!(counts(&telemetry).1 >= 80, "{:?}", counts(&telemetry));
    finish(&telemetry).await;
    assert_eq!(counts(&telemetry).0, 0);
}
