//! Errors after which the client cannot go on, in words that say what to do.

use crate::fence;
use crate::listener::Listener;
use crate::settings::{GroupProtocol, Settings};
use pipeline_sdk::Error;
use rdkafka::client::Client;
use rdkafka::error::RDKafkaErrorCode;

/// What ended the membership; `None` while it can go on.
pub(crate) fn error(client: &Client<Listener>, settings: &Settings, member: &str) -> Option<Error> {
    let (code, text) = client.fatal_error()?;
    let group = &settings.group;
    let why = match code {
        RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::UnreleasedInstanceId => {
            if settings.group_protocol == GroupProtocol::Classic {
                fence::close(group, member);
            }
            fenced(group, member)
        }
        _ => format!("the membership in group `{group}` ended: {text}"),
    };
    Some(why.into())
}

/// What a member is told whose id somebody else has.
pub(crate) fn fenced(group: &str, member: &str) -> String {
    format!(
        "fenced: another member of group `{group}` has the instance id `{member}`; give each member its own `instance_id`"
    )
}
