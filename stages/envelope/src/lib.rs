//! The words that `http-post`, `ws-broadcast` and `websocket-source` speak with each other.
//!
//! * [`envelope`]: one message on its way from `http-post` to `ws-broadcast`, a line of `application/x-ndjson`.
//! * [`answer`]: what `POST /api/trades` answers.
//! * [`frame`]: what a WebSocket client of the subprotocol [`SUBPROTOCOL`] is sent.
//! * [`after`]: the positions that such a client resumes from, `?after=topic/partition:offset,…`.
//!
//! **Times are integers: nanoseconds since 1970 UTC**, everywhere (`timestamp` and each of `times`). A JavaScript
//! number holds them to 256 ns, which is enough to show and to compare for equality.
//!
//! **A payload arrives byte for byte.** JSON travels as it is in `data`; what is not JSON, or would not survive on
//! one line, travels in `data_base64`.
#![forbid(unsafe_code)]

pub mod after;
pub mod answer;
pub mod data;
pub mod envelope;
mod error;
pub mod frame;
mod position;
mod read;
#[cfg(test)]
mod tests;
mod times;
mod write;

pub use after::{After, AfterError};
pub use answer::{Answer, Rejected};
pub use data::Data;
pub use envelope::{Envelope, lines, parse_line};
pub use error::EnvelopeError;
pub use frame::{Frame, FrameError, Gap, GapReason, Hello, MessageFrame, parse_frame};
pub use position::{Position, is_topic};
pub use times::Times;
pub use write::{EnvelopeFields, write_envelope, write_gap, write_hello, write_message};

/// The WebSocket subprotocol whose clients know positions.
pub const SUBPROTOCOL: &str = "pipeline.v1";

/// Content type of a body that holds one envelope a line.
pub const NDJSON: &str = "application/x-ndjson";

/// Request header that says `true` when all of a body was given to a server before, and comes again to refill its ring.
pub const REPLAY_HEADER: &str = "pipeline-replay";

/// Message header in which a message inside a pipeline carries its [`Times`] as JSON.
pub const TIMES_HEADER: &str = "pipeline-times";

/// Message header that names the server which a message first came in by.
pub const FROM_HEADER: &str = "pipeline-from";
