//! Why a request got no answer.

use std::error::Error as StdError;
use std::time::Duration;

/// A request that ended without the head of an answer. None of the texts holds a header, a body or a query.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Name look-up or TCP connect failed.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The endpoint is `https://`, and the client has no TLS.
    #[error("an `https://` URL needs TLS settings")]
    NoTls,
    /// The TLS handshake failed.
    #[error("TLS handshake failed: {0}")]
    Tls(#[source] std::io::Error),
    /// No connection came about in the request's time.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// The connection stood, but the head of an answer did not come in the request's time.
    #[error("no answer within {0:?}")]
    AnswerTimeout(Duration),
    /// The server closed the connection before it answered.
    #[error("connection closed before the answer")]
    Closed,
    /// The head of the answer is larger than the limit.
    #[error("answer's headers are larger than {0} bytes or more than 100")]
    HeadTooLarge(usize),
    /// What came is no HTTP/1.1 answer, or the connection broke.
    #[error("{0}")]
    Broken(String),
}

/// Joins an error and its sources, leaving out a source that its parent already told.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let part = inner.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        source = inner.source();
    }
    text
}
