//! What a failed delivery means for the message.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What to do with a message that was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The fault lies elsewhere: try again.
    Retry,
    /// The brokers refused a request that held this message among others: try it alone, and reject it if that is refused too.
    Suspect,
    /// The client cannot go on.
    Fatal,
}

/// Judges an error of the client or the brokers. What is not known is tried again: nothing is lost by that.
pub(crate) fn judge(error: &KafkaError) -> Outcome {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::Fatal) => Outcome::Fatal,
        Some(
            Code::MessageSizeTooLarge
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::InvalidTimestamp
            | Code::UnsupportedForMessageFormat
            | Code::BadMessage,
        ) => Outcome::Suspect,
        _ => Outcome::Retry,
    }
}

/// Why messages wait, in the operator's words.
pub(crate) fn explain(error: &KafkaError, topic: &str) -> String {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
            format!("topic `{topic}` does not exist; messages wait until it does")
        }
        Some(Code::TopicAuthorizationFailed) => {
            format!("not allowed to write to topic `{topic}`; messages wait")
        }
        _ => format!("messages for topic `{topic}` are not taken and wait: {error}"),
    }
}

/// Why the producer cannot go on, in the operator's words.
pub(crate) fn explain_end(code: RDKafkaErrorCode, why: &str, topic: &str) -> String {
    match code {
        // Brokers give a producer id to who may write to some topic.
        RDKafkaErrorCode::ClusterAuthorizationFailed => format!(
            "this user may write to no topic at all, expected the permission to write to topic `{topic}`: {why}"
        ),
        _ => format!("the producer cannot go on and starts anew: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(code: RDKafkaErrorCode) -> Outcome {
        judge(&KafkaError::MessageProduction(code))
    }

    #[test]
    fn faults_of_the_cluster_or_its_settings_are_tried_again() {
        for code in [
            RDKafkaErrorCode::UnknownTopic,
            RDKafkaErrorCode::UnknownTopicOrPartition,
            RDKafkaErrorCode::TopicAuthorizationFailed,
            RDKafkaErrorCode::NotEnoughReplicas,
            RDKafkaErrorCode::PolicyViolation,
        ] {
            assert_eq!(judged(code), Outcome::Retry, "{code}");
        }
    }

    #[test]
    fn faults_of_a_message_make_it_suspect() {
        for code in [
            RDKafkaErrorCode::MessageSizeTooLarge,
            RDKafkaErrorCode::InvalidRecord,
            RDKafkaErrorCode::InvalidTimestamp,
        ] {
            assert_eq!(judged(code), Outcome::Suspect, "{code}");
        }
    }

    #[test]
    fn a_broken_idempotent_producer_is_fatal() {
        assert_eq!(judged(RDKafkaErrorCode::Fatal), Outcome::Fatal);
    }
}
