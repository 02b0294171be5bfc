//! The topic of a stage: its name, and whether it exists.

use crate::Health;
use crate::monitor::BROKERS;
use pipeline_sdk::prelude::*;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The subject of [`Health`] that [`watch_topic`] answers for.
pub const TOPIC: &str = "topic";

/// How long the brokers are waited for, and how long until they are asked again.
const ANSWER: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(2);
/// How soon a closing stage is noticed.
const GLANCE: Duration = Duration::from_millis(50);

/// Says what is wrong with a topic's name, at the setting `topic`. A name such as `^a.*`, which librdkafka would take as a
/// pattern, is none.
#[must_use]
pub fn check_topic(topic: &str) -> Option<Invalid> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let good = (1..=249).contains(&topic.len())
        && topic.bytes().all(legal)
        && topic != "."
        && topic != "..";
    (!good).then(|| {
        Invalid::new(
            "/topic",
            "expected 1 to 249 letters, digits, `.`, `_` or `-`",
        )
    })
}

/// Asks the brokers for the topic until they know it; while they say that they do not, the stage is degraded. `fetch` asks for a
/// topic's metadata and waits for no longer than it is told to; it runs on a thread of its own.
///
/// # Errors
/// When the system has no thread to give.
pub fn watch_topic(
    context: &Context,
    health: Arc<Health>,
    topic: &str,
    fetch: impl Fn(&str, Duration) -> KafkaResult<Metadata> + Send + 'static,
) -> Result<()> {
    let (watched, topic) = (context.clone(), topic.to_owned());
    context.thread("kafka-topic", move || {
        while !watched.is_closing() {
            let answer = fetch(&topic, ANSWER).map(|metadata| refusal(&metadata, &topic));
            if answer.is_ok() {
                // Whatever it says: a broker said it.
                health.good(BROKERS);
            }
            match answer {
                Ok(None) => return health.good(TOPIC),
                Ok(Some(refusal)) => health.bad(TOPIC, refusal),
                Err(error) => tracing::debug!(%error, topic, "the topic is not known yet"),
            }
            let until = Instant::now() + PAUSE;
            while !watched.is_closing() && Instant::now() < until {
                std::thread::sleep(GLANCE);
            }
        }
    })?;
    Ok(())
}

/// Why the topic cannot be used, if the brokers said so.
fn refusal(metadata: &Metadata, topic: &str) -> Option<String> {
    let error = metadata
        .topics()
        .iter()
        .find(|one| one.name() == topic)?
        .error()?;
    match RDKafkaErrorCode::from(error) {
        RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition => {
            Some(format!("topic `{topic}` does not exist"))
        }
        RDKafkaErrorCode::TopicAuthorizationFailed => {
            Some(format!("topic `{topic}` may not be used by this user"))
        }
        // A leader is being elected, or such: it exists.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_kafka_refuses_are_errors() {
        for name in [
            "",
            ".",
            "..",
            "^stock.*",
            "a b",
            "a/b",
            "ä",
            &"x".repeat(250),
        ] {
            assert!(check_topic(name).is_some(), "{name}");
        }
        for name in ["stock_trade", "stock_trade.dead", "a-1"] {
            assert!(check_topic(name).is_none(), "{name}");
        }
    }
}
