//! What `POST /api/trades` answers.

use serde::{Deserialize, Serialize};

/// What became of each message of a POST: `accepted + duplicates + rejected.len()` is the number of messages in it.
///
/// The status is 200 when at least one message is in the ring (now or already before), and 422 with the same body
/// when every one was rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Messages that are now in the ring.
    pub accepted: u64,
    /// Messages that were in the ring already.
    pub duplicates: u64,
    /// Messages that can never be taken, each with its reason.
    #[serde(default)]
    pub rejected: Vec<Rejected>,
}

/// One message that can never be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Place of the message in the body, from 0; blank lines do not count.
    pub index: usize,
    /// Why.
    pub reason: String,
}
