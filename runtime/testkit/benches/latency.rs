//! From a producer through Kafka to browsers, at a quiet pace.

use std::time::{Duration, Instant};

use pipeline_testkit::{Pipeline, Ports, unique};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::browsers::Browsers;
use crate::consumer_vm::{consumer_vm, members_share};
use crate::figures::percentile;
use crate::limit::Limit;
use crate::paced::now_us;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::{Topic, process};
use crate::trades::Trade;

const RATE: u64 = 200;
const BROWSERS: usize = 10;

/// What one run came to.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Delayed {
    p50_ms: f64,
    p99_ms: f64,
    /// Of a core.
    share: f64,
}

impl Delayed {
    /// Over this time, `process` spent so much; `delays` are in milliseconds.
    pub(crate) fn new(mut delays: Vec<f64>, cpu: Duration, time: Duration) -> Self {
        delays.sort_by(f64::total_cmp);
        Self {
            p50_ms: percentile(&delays, 0.5),
            p99_ms: percentile(&delays, 0.99),
            share: cpu.as_secs_f64() / time.as_secs_f64(),
        }
    }
}

/// How long nothing is looked at, and then how long something is.
pub(crate) fn times() -> (Duration, Duration) {
    let seconds = |full, quick| Duration::from_secs(sized(full, quick));
    (seconds(2, 1), seconds(6, 2))
}

pub(crate) async fn measure(report: &mut Report) {
    let topic = Topic::make(3).await;
    let (mut limit, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        limit.push(consumer(&topic).await);
        ours.push(pipeline(&topic).await);
    }
    topic.delete().await;
    let row = Row::beside(&limit, &ours);
    report.path(
        &format!(
            "Kafka → POST → ring → {BROWSERS} browsers, {RATE} trades a second, from produce to receive"
        ),
        "a consumer of librdkafka; it has no second hop",
        &[
            row("p50, ms", |it| it.p50_ms, "1.5 ×"),
            row("p99, ms", |it| it.p99_ms, "1.3 ×"),
            row("CPU, % of a core", |it| it.share * 100.0, "5"),
        ],
    );
}

async fn consumer(topic: &Topic) -> Delayed {
    let (brokers, group) = (topic.kafka.brokers(), unique("bench"));
    let mut limit = Limit::start("delays", &[&brokers, &topic.name, &group]);
    let _: bool = limit.told().await;
    let producing = produce(topic);
    let delayed = limit.told().await;
    producing.abort();
    delayed
}

async fn pipeline(topic: &Topic) -> Delayed {
    let ports = Ports::reserve(5);
    let mut pipeline = Pipeline::run_text(&consumer_vm(topic, &ports)).spawn();
    pipeline.ready().await;
    members_share(&pipeline, &ports).await;
    let browsers = Browsers::connect(&ports.addr(0).to_string(), BROWSERS).await;
    let producing = produce(topic);
    let (warm_up, time) = times();
    // Nothing is looked at before all of this flows.
    while browsers.seen().messages == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(warm_up).await;
    browsers.forget();
    let (process, since) = (process(&pipeline), Instant::now());
    let before = process.cpu();
    tokio::time::sleep(time).await;
    let (spent, time) = (process.cpu() - before, since.elapsed());
    let delays = browsers.seen().delays;
    producing.abort();
    Delayed::new(delays, spent, time)
}

/// Produces at the pace until it is aborted; the number of each trade is the time when it was due, in microseconds.
fn produce(topic: &Topic) -> JoinHandle<()> {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", topic.kafka.brokers())
        .set("broker.address.family", "v4")
        .set("acks", "all")
        .set("linger.ms", "0")
        .create()
        .expect("producer");
    let name = topic.name.clone();
    tokio::spawn(async move {
        let (start, mut trade) = (tokio::time::Instant::now(), Trade::new());
        for sent in 0.. {
            tokio::time::sleep_until(start + Duration::from_micros(sent * 1_000_000 / RATE)).await;
            let payload = trade.dated(now_us());
            let record = BaseRecord::<[u8], [u8]>::to(&name).payload(payload);
            producer
                .send(record)
                .map_err(|(error, _)| error)
                .expect("room in the queue");
        }
    })
}
