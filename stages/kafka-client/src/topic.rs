//! The topic of a stage: its name, and whether it exists.

use crate::ask::ANSWER;
use crate::monitor::BROKERS;
use crate::{Health, ask_again};
use pipeline_sdk::prelude::*;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// The subject of [`Health`] that [`watch_topic`] answers for.
pub const TOPIC: &str = "topic";

/// How long until the brokers are asked again.
const PAUSE: Duration = Duration::from_secs(2);

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

/// Asks the brokers for the topic until they know it; while they say that they do not, the stage is degraded. `fetch` asks the
/// client for a topic's metadata and waits for no longer than it is told to.
pub fn watch_topic<C: Send + Sync + 'static>(
    context: &Context,
    client: &Arc<C>,
    health: Arc<Health>,
    topic: &str,
    fetch: impl Fn(&C, &str, Duration) -> KafkaResult<Metadata> + Send + 'static,
) {
    let topic = topic.to_owned();
    ask_again(context, client, PAUSE, move |client| {
        let answer = fetch(client, &topic, ANSWER).map(|metadata| refusal(&metadata, &topic));
        if answer.is_ok() {
            // Whatever it says: a broker said it.
            health.good(BROKERS);
        }
        match answer {
            Ok(None) => {
                health.good(TOPIC);
                return ControlFlow::Break(());
            }
            Ok(Some(refusal)) => health.bad(TOPIC, refusal),
            Err(error) => tracing::debug!(%error, topic, "the topic is not known yet"),
        }
        ControlFlow::Continue(())
    });
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
