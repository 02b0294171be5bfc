//! A topic and a group of a test's own, the stages that use them, and what every test asks.

use std::fmt::Display;
use std::time::Duration;

use http::StatusCode;
use pipeline_testkit::kafka::KafkaCluster;
use pipeline_testkit::{Received, Running, V1Client, eventually, unique};
use serde_json::{Value, json};

/// Longer than anything here takes on a slow machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);

/// A topic, its group of consumers, and the topic of its dead letters.
pub(crate) struct Topic<'a> {
    pub(crate) kafka: &'a KafkaCluster,
    pub(crate) name: String,
    pub(crate) group: String,
    partitions: i32,
}

impl<'a> Topic<'a> {
    pub(crate) async fn make(kafka: &'a KafkaCluster, partitions: i32) -> Self {
        let (name, group) = (unique("trades"), unique("group"));
        kafka.create_topic(&name, partitions).await;
        Self {
            kafka,
            name,
            group,
            partitions,
        }
    }

    /// A `kafka-group-source` of one member, with further settings (`, key: value`).
    pub(crate) fn source(&self, more: &str) -> String {
        let (brokers, name, group) = (self.kafka.brokers(), &self.name, &self.group);
        format!(
            "{{ use: kafka-group-source, with: {{ brokers: '{brokers}', topic: {name}, group: {group}{more} }} }}"
        )
    }

    /// Makes the topic of dead letters.
    pub(crate) async fn make_dead_letters(&self) -> String {
        let name = format!("{}.dead", self.name);
        self.kafka.create_topic(&name, 1).await;
        name
    }

    /// A stage `dead-letters`, which writes to [`Topic::make_dead_letters`].
    pub(crate) fn dead_letters(&self) -> String {
        let (brokers, name) = (self.kafka.brokers(), &self.name);
        format!(
            "{{ name: dead-letters, use: kafka-sink, with: {{ brokers: '{brokers}', topic: {name}.dead }} }}"
        )
    }

    /// Writes `count` messages in turn to all partitions; `payload` makes them of their number.
    pub(crate) async fn write(&self, count: i32, payload: impl Fn(i32) -> Value) {
        let record = |number: i32| {
            let partition = number % self.partitions;
            (
                Some(partition),
                format!("key-{number}"),
                payload(number).to_string().into_bytes(),
            )
        };
        self.kafka.produce(&self.name, (0..count).map(record)).await;
    }

    pub(crate) fn ends(&self) -> Vec<i64> {
        self.kafka.end_offsets(&self.name)
    }

    pub(crate) fn committed(&self) -> Vec<i64> {
        let committed = self.kafka.committed(&self.group, &self.name);
        committed
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect()
    }

    /// Waits until `page` was shown the whole topic, and asserts that it was, once and in order.
    pub(crate) async fn is_shown(&self, page: &mut V1Client) {
        let ends = self.ends();
        page.read_until(WITHIN, |seen| seen.reached(&self.name, &ends))
            .await
            .expect("a page that stays connected");
        page.seen().assert_exactly_once(&self.name, &ends);
    }
}

/// A small message.
pub(crate) fn trade(number: i32) -> Value {
    json!({ "n": number })
}

/// Waits until `/readyz` is 503 and names `stage` and `why`.
pub(crate) async fn is_degraded(pipeline: &Running, stage: &str, why: &str) {
    let what = format!("`{stage}` to say `{why}`");
    eventually(WITHIN, &what, async || match pipeline.readyz().await? {
        (StatusCode::SERVICE_UNAVAILABLE, text) if text.contains(stage) && text.contains(why) => {
            Ok(())
        }
        (status, text) => Err(format!("{status}: {text}")),
    })
    .await;
}

/// Returns what the status server at `addr` says of a stage.
pub(crate) async fn stage(
    pipeline: &Running,
    addr: impl Display,
    name: &str,
) -> Result<Value, String> {
    let status = pipeline.status(addr).await?;
    let mut stages = status["stages"].as_array().into_iter().flatten();
    let found = stages.find(|stage| stage["name"] == name);
    found
        .cloned()
        .ok_or_else(|| format!("no `{name}` in {status}"))
}

/// Returns a counter of the metrics page, summed over its labels.
pub(crate) async fn counter(pipeline: &Running, name: &str) -> f64 {
    let page = pipeline.metrics().await;
    let samples = page.lines().filter(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
    });
    samples
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

/// The envelopes of these requests, in their order.
pub(crate) fn envelopes(requests: &[Received]) -> Vec<Value> {
    let lines = requests.iter().flat_map(|request| request.text().lines());
    lines
        .map(|line| serde_json::from_str(line).expect("an envelope"))
        .collect()
}
