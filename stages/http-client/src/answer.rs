//! The answer of a server, its body bounded by size and by the request's deadline.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::error::chain;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status of the first line.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// As much of the body as may be kept.
    pub body: Body,
}

/// The body of an answer. Its status is known in any case; what a body that is not whole means is for the caller to say.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// It is larger than the limit, and the rest was not read.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The connection broke, or the time was over, before it ended.
    Cut(String),
}

impl Body {
    /// Reads `incoming` up to `limit` bytes and until `deadline`.
    pub(crate) async fn read(mut incoming: Incoming, limit: usize, deadline: Instant) -> Self {
        if incoming.size_hint().lower() > limit as u64 {
            return Self::TooLarge { limit };
        }
        let mut whole = Vec::new();
        loop {
            let frame = match timeout_at(deadline, incoming.frame()).await {
                Err(_) => return Self::Cut("answer did not end in time".to_owned()),
                Ok(None) => return Self::Whole(Bytes::from(whole)),
                Ok(Some(Err(error))) => {
                    return Self::Cut(format!("answer broke off: {}", chain(&error)));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            let Some(data) = frame.data_ref() else {
                continue;
            };
            if whole.len() + data.len() > limit {
                return Self::TooLarge { limit };
            }
            whole.extend_from_slice(data);
        }
    }
}
