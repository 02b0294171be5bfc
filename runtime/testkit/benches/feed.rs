//! A WebSocket feed that sends as fast as it is read, into Kafka: with the normalizer and without it.

use std::time::Instant;

use pipeline_testkit::Pipeline;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::figures::{Figure, Run};
use crate::paced;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::{Topic, process};
use crate::telemetry;
use crate::trades::{Trade, frame, write_number};

/// Bytes in one write, but for a larger message: an exchange that has much to tell fills its segments.
const WRITE: usize = 52_224;

/// What a run is like.
#[derive(Clone, Copy)]
pub(crate) struct Feed<'a> {
    pub(crate) messages: u64,
    /// Bytes a message.
    pub(crate) bytes: usize,
    pub(crate) partitions: i32,
    pub(crate) is_normalised: bool,
    /// Where traces go.
    pub(crate) collector: Option<&'a str>,
}

impl Feed<'_> {
    /// Trades as they come.
    pub(crate) fn plain(messages: u64) -> Self {
        Feed {
            messages,
            bytes: Trade::LEN,
            partitions: 3,
            is_normalised: false,
            collector: None,
        }
    }
}

pub(crate) async fn measure(report: &mut Report) {
    let messages = sized(1_000_000, 50_000);
    let (mut limit, mut plain, mut normalised) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let feed = Feed::plain(messages);
        let topic = Topic::make(feed.partitions).await;
        limit.push(topic.produce(messages).await);
        topic.delete().await;
        plain.push(run(feed).await);
        normalised.push(
            run(Feed {
                is_normalised: true,
                ..feed
            })
            .await,
        );
    }
    let rate = |runs: &[Run]| Figure::of(runs, Run::thousands_a_second);
    let cpu = |runs: &[Run]| Figure::of(runs, Run::cpu_us);
    let memory = |runs: &[Run]| Figure::of(runs, Run::peak_mb);
    for (title, ours, targets) in [
        ("as it comes", &plain, ["0.6 ×", "", ""]),
        ("normalised", &normalised, ["300", "4", ""]),
    ] {
        let row = |figure, of: &dyn Fn(&[Run]) -> Figure, target| Row {
            figure,
            limit: Some(of(&limit)),
            ours: of(ours),
            target,
        };
        report.path(
            &format!(
                "WebSocket feed → Kafka, {title} ({messages} trades of {} bytes)",
                Trade::LEN
            ),
            "a producer of librdkafka that makes its messages itself, with the same settings but several requests in flight",
            &[
                row("k messages/s", &rate, targets[0]),
                row("µs of CPU a message", &cpu, targets[1]),
                row("peak memory, MB", &memory, targets[2]),
            ],
        );
    }
}

/// One run; the process is measured when Kafka has all.
pub(crate) async fn run(feed: Feed<'_>) -> Run {
    let topic = Topic::make(feed.partitions).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let pipeline = stages(&feed, &topic, &listener).spawn();
    let stream = paced::accept(listener).await;
    let start = Instant::now();
    let stream = send(stream, &feed).await;
    topic.holds(feed.messages).await;
    let run = Run::of(process(&pipeline), feed.messages, start.elapsed());
    drop((stream, pipeline));
    topic.delete().await;
    run
}

/// The pipeline of a run.
pub(crate) fn stages(feed: &Feed<'_>, topic: &Topic, listener: &TcpListener) -> Pipeline {
    let (between, key) = if feed.is_normalised {
        (
            "- { use: trade-normalizer, with: { venue: upbit } }",
            "/trade_id",
        )
    } else {
        ("", "/sid")
    };
    let yaml = format!(
        "
         {telemetry}
         stages:
           - use: websocket-source
             with: {{ urls: ['ws://{feed}'] }}
           {between}
           - use: kafka-sink
             with: {{ brokers: '{brokers}', topic: {topic}, key: {key}, address_family: v4 }}",
        telemetry = telemetry::settings(feed.collector),
        feed = listener.local_addr().expect("an address"),
        brokers = topic.kafka.brokers(),
        topic = topic.name,
    );
    Pipeline::run_text(&yaml)
}

/// Writes all messages, and keeps the connection.
pub(crate) async fn send(mut stream: TcpStream, feed: &Feed<'_>) -> TcpStream {
    let (one, head) = frame(feed.bytes);
    let in_a_write = (WRITE / one.len()).max(1);
    let mut frames = one.repeat(in_a_write);
    let mut next = 0;
    while next < feed.messages {
        let count = (feed.messages - next).min(in_a_write as u64);
        let used = count as usize * one.len();
        for (frame, id) in frames[..used].chunks_exact_mut(one.len()).zip(next..) {
            write_number(&mut frame[head..][Trade::ID], Trade::FIRST_ID + id);
        }
        stream
            .write_all(&frames[..used])
            .await
            .expect("a feed that is read");
        next += count;
    }
    stream
}
