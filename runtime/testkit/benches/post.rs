//! A topic, read by a member of a group and POSTed in batches.

use pipeline_testkit::{Pipeline, unique};

use crate::figures::Run;
use crate::limit::Limit;
use crate::receiver::Receiver;
use crate::report::{Report, Row};
use crate::scale::{rounds, sized};
use crate::scene::{Topic, process};
use crate::telemetry;
use crate::trades::Trade;

const PARTITIONS: i32 = 3;

/// What a run is like.
#[derive(Clone, Copy)]
pub(crate) struct Posting<'a> {
    pub(crate) messages: u64,
    pub(crate) encoding: &'a str,
    /// Members of the group.
    pub(crate) members: usize,
    /// Where traces go.
    pub(crate) collector: Option<&'a str>,
}

impl Posting<'_> {
    /// One member that sends as the consumers do.
    pub(crate) fn batched(messages: u64) -> Self {
        Posting {
            messages,
            encoding: "envelope",
            members: 1,
            collector: None,
        }
    }
}

pub(crate) async fn measure(report: &mut Report) {
    let messages = sized(1_000_000, 50_000);
    let topic = Topic::filled(PARTITIONS, messages).await;
    let (mut limit, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        limit.push(consume(&topic, messages).await);
        ours.push(run(&topic, Posting::batched(messages)).await);
    }
    topic.delete().await;
    let row = Row::beside(&limit, &ours);
    report.path(
        &format!(
            "Kafka → POST, batched ({messages} trades of {} bytes)",
            Trade::LEN
        ),
        "a consumer of librdkafka that looks at each message",
        &[
            row("k messages/s", Run::thousands_a_second, "0.75 ×"),
            row("µs of CPU a message", Run::cpu_us, "2"),
            row("peak memory, MB", Run::peak_mb, ""),
        ],
    );
}

/// The whole topic, read by a plain consumer.
async fn consume(topic: &Topic, messages: u64) -> Run {
    let (brokers, group) = (topic.kafka.brokers(), unique("bench"));
    let arguments = [&*brokers, &topic.name, &group, &messages.to_string()];
    Limit::start("consume", &arguments).told().await
}

/// The whole topic, through a pipeline.
pub(crate) async fn run(topic: &Topic, posting: Posting<'_>) -> Run {
    let mut receiver = Receiver::expecting(posting.messages).await;
    let pipeline = stages(&posting, topic, &receiver).spawn();
    let time = receiver.all().await;
    Run::of(process(&pipeline), posting.messages, time)
}

/// The pipeline of a run.
pub(crate) fn stages(posting: &Posting<'_>, topic: &Topic, receiver: &Receiver) -> Pipeline {
    let yaml = format!(
        "
         {telemetry}
         flows:
           consumer:
             instances: {members}
             stages:
               - use: kafka-group-source
                 with: {{ brokers: '{brokers}', topic: {topic}, group: {group}, address_family: v4 }}
               - use: http-post
                 with: {{ url: 'http://{addr}/', encoding: {encoding} }}",
        telemetry = telemetry::settings(posting.collector),
        members = posting.members,
        brokers = topic.kafka.brokers(),
        topic = topic.name,
        group = unique("bench"),
        addr = receiver.addr(),
        encoding = posting.encoding,
    );
    Pipeline::run_text(&yaml)
}
