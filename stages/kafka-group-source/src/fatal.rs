//! Errors after which the client cannot go on, in words that say what to do.

use crate::listener::Listener;
use crate::settings::Settings;
use pipeline_sdk::Error;
use rdkafka::client::Client;
use rdkafka::error::RDKafkaErrorCode;

/// What ended the membership.
pub(crate) fn explain(client: &Client<Listener>, settings: &Settings, member: &str) -> Error {
    let Some((code, text)) = client.fatal_error() else {
        return "the Kafka client failed for an unknown reason".into();
    };
    let group = &settings.group;
    match code {
        RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::UnreleasedInstanceId => format!(
            "fenced: another member of group `{group}` has the instance id `{member}`; give each member its own `instance_id`"
        ),
        _ => format!("the membership in group `{group}` ended: {text}"),
    }
    .into()
}
