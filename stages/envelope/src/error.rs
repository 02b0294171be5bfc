//! Why a line is not an envelope.

use thiserror::Error;

/// Why a line is not an envelope, or a text not a message frame.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The line is no JSON object of the right shape.
    #[error("not an envelope: {0}")]
    Json(String),
    /// There is no payload.
    #[error("no payload: expected `data` or `data_base64`")]
    NoData,
    /// There are two payloads.
    #[error("both `data` and `data_base64`: expected one of them")]
    TwoPayloads,
    /// There are two keys.
    #[error("both `key` and `key_base64`: expected one of them")]
    TwoKeys,
    /// A base64 field cannot be decoded.
    #[error("`{field}` is not base64: {why}")]
    Base64 {
        /// Name of the field.
        field: &'static str,
        /// What the decoder says.
        why: String,
    },
    /// Kafka would not accept the topic's name.
    #[error("impossible `topic` \"{0}\": expected 1 to 249 of a-z, A-Z, 0-9, `.`, `_` and `-`")]
    Topic(String),
    /// Part of a position is missing.
    #[error("`{has}` without `{lacks}`: a position is `topic`, `partition` and `offset`")]
    Incomplete {
        /// A part that is there.
        has: &'static str,
        /// The part that is missing.
        lacks: &'static str,
    },
    /// The partition cannot exist.
    #[error("impossible `partition` {0}: expected 0 to 2147483647")]
    Partition(i64),
    /// The offset cannot exist.
    #[error("impossible `offset` {0}: expected 0 to 9223372036854775806")]
    Offset(i64),
    /// A time lies before 1970.
    #[error("impossible `{field}` {value}: expected nanoseconds since 1970")]
    Time {
        /// Name of the field.
        field: &'static str,
        /// What it held.
        value: i64,
    },
}
