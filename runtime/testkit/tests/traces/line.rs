//! A consumer group that hands what it reads to one stage, in a process that traces everything.

use pipeline_testkit::kafka::KafkaCluster;
use pipeline_testkit::otlp::{Collector, Span};
use pipeline_testkit::{Pipeline, Running, profile_folder, unique};
use serde_json::Value;

use crate::scene::{WITHIN, traced};

/// A running line.
pub(crate) struct Line<'a> {
    pub(crate) kafka: &'a KafkaCluster,
    pub(crate) topic: String,
    collector: Collector,
    running: Running,
}

impl<'a> Line<'a> {
    /// Starts it with this stage, whose rejects become dead letters.
    pub(crate) async fn start(kafka: &'a KafkaCluster, stage: &str) -> Self {
        let topic = unique("traced");
        kafka.create_topic(&topic, 1).await;
        kafka.create_topic(&format!("{topic}.dead"), 1).await;
        let (brokers, group) = (kafka.brokers(), unique("group"));
        let yaml = format!(
            "stages:
               - {{ use: kafka-group-source, with: {{ brokers: '{brokers}', topic: {topic}, group: {group} }} }}
               - {stage}
               - {{ name: dead-letters, use: kafka-sink, with: {{ brokers: '{brokers}', topic: {topic}.dead }} }}",
        );
        let collector = Collector::listen().await;
        let fixtures = profile_folder().join("examples");
        let pipeline = Pipeline::run_text(&yaml).env("PIPELINE_PLUGIN_PATH", fixtures.display());
        let mut running = traced(pipeline, &collector).spawn();
        running.ready().await;
        Line {
            kafka,
            topic,
            collector,
            running,
        }
    }

    /// Writes messages.
    pub(crate) async fn write(&self, payloads: &[Value]) {
        let record = |(number, payload): (usize, &Value)| {
            let payload = payload.to_string().into_bytes();
            (Some(0), format!("key-{number}"), payload)
        };
        let records = payloads.iter().enumerate().map(record);
        self.kafka.produce(&self.topic, records).await;
    }

    /// Waits for the span `process` of the message at `offset` and all spans of its trace.
    pub(crate) async fn processed(&self, offset: u64) -> (Span, Vec<Span>) {
        let name = format!("process {}", self.topic);
        let what = format!("the trace of message {offset}");
        let probe = |spans: &[Span]| {
            let is_it = |span: &&Span| {
                span.name == name && span.get("messaging.kafka.offset") == Some(&offset.to_string())
            };
            let process = spans.iter().find(is_it).ok_or("no such span")?;
            let trace = spans.iter().filter(|span| span.trace == process.trace);
            Ok((process.clone(), trace.cloned().collect()))
        };
        self.collector.until(WITHIN, &what, probe).await
    }

    /// Ends it in an orderly way.
    pub(crate) async fn stop(mut self) {
        self.running.sigterm();
        assert_eq!(self.running.exit_code(WITHIN).await, 0);
    }
}

/// The children of a span, in the order of their begin.
pub(crate) fn children<'a>(trace: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    let mut children: Vec<_> = trace
        .iter()
        .filter(|span| span.parent == parent.id)
        .collect();
    children.sort_by_key(|span| span.start);
    children
}
