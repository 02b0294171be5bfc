//! Errors after which the client cannot go on, in words that say what to do.

use crate::listener::Listener;
use crate::settings::Settings;
use pipeline_sdk::Error;
use rdkafka::client::Client;
use rdkafka::error::RDKafkaErrorCode;

/// What ended the membership; `None` while it can go on.
pub(crate) fn error(client: &Client<Listener>, settings: &Settings, member: &str) -> Option<Error> {
    let (code, text) = client.fatal_error()?;
    let group = &settings.group;
    let why = match code {
        RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::UnreleasedInstanceId => {
            format!(
                "fenced: another member of group `{group}` has the instance id `{member}`; give each member its own `instance_id`"
            )
        }
        _ => format!("the membership in group `{group}` ended: {text}"),
    };
    Some(why.into())
}
