//! The SDK's error types.

use std::fmt;

/// Any error. Messages are lowercase fragments without a full stop; each level says only its own part.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A result with [`Error`] unless told otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The other end of an edge is gone for good: nothing that is sent will ever be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stages behind this one are closed")
    }
}

impl std::error::Error for Closed {}

/// A finding about a stage's settings that its schema cannot express.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Invalid {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

impl Invalid {
    /// Points at a value by JSON pointer (`/tls/ca_file`, empty for the whole) and says what was expected.
    pub fn new(pointer: impl Into<String>, message: impl fmt::Display) -> Self {
        Invalid {
            pointer: pointer.into(),
            message: message.to_string(),
        }
    }
}

/// The error and its causes, joined by `: `.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Some libraries repeat their cause in their own text.
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_joined_once() {
        let inner = std::io::Error::other("connection refused");
        let outer = std::io::Error::other(inner);
        assert_eq!(chain(&outer), "connection refused");
    }
}
