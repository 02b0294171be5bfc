//! When a message passed each place on its way.

use serde::{Deserialize, Serialize};

use crate::read::whole;

/// When a message passed each place on its way, in nanoseconds since 1970 UTC. What is not known is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// It entered the first pipeline (received from the exchange).
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub received: Option<i64>,
    /// It was given to Kafka: the timestamp of the Kafka record.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub produced: Option<i64>,
    /// A consumer polled it from Kafka.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub consumed: Option<i64>,
    /// It was written into the body of a POST.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub posted: Option<i64>,
    /// The WebSocket server took it in.
    #[serde(
        default,
        deserialize_with = "whole",
        skip_serializing_if = "Option::is_none"
    )]
    pub accepted: Option<i64>,
}

impl Times {
    /// True when no time is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
