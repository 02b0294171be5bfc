//! Idle connections, kept for the next request.
//!
//! Invariant: a connection is in the pool only after its last answer was read whole, so no request can meet the rest of
//! another one's answer. The most recently used connection is taken first: those that are too many grow old and go.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::{Instant, timeout};

pub(crate) type Connection = SendRequest<Full<Bytes>>;

const MOST_IDLE: usize = 64;
const OLDEST: Duration = Duration::from_secs(60);
/// A server may answer before it has read the request; then the connection stays busy and is not worth waiting for.
const BECOMES_READY: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Pool {
    /// Takes an idle connection that was still open when last heard of.
    pub(crate) fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(connection, since)| connection.is_ready() && since.elapsed() < OLDEST);
        idle.pop().map(|(connection, _)| connection)
    }

    /// Keeps a connection whose answer was read whole, unless the server closes it or there are enough.
    pub(crate) async fn give(&self, mut connection: Connection) {
        if !matches!(timeout(BECOMES_READY, connection.ready()).await, Ok(Ok(()))) {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push((connection, Instant::now()));
        }
    }
}
