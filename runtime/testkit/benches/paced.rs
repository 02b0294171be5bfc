//! A feed at a pace: each trade says when it was due, so that a sender that is late hides nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::accept_async;

use crate::trades::{HEAD, Trade};

/// How long a pipeline may take to connect.
const CONNECTS: Duration = Duration::from_secs(60);

/// The connection of the one client of a feed.
pub(crate) async fn accept(listener: TcpListener) -> TcpStream {
    let accepted = tokio::time::timeout(CONNECTS, listener.accept()).await;
    let (stream, _) = accepted.expect("a client in time").expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    accept_async(stream)
        .await
        .expect("a handshake")
        .into_inner()
}

/// Sends so many trades a second until it is aborted. The number of each is the time when it was due, in microseconds.
pub(crate) fn send(mut stream: TcpStream, rate: u64) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (start, start_us) = (Instant::now(), now_us());
        let (mut trade, mut frame) = (Trade::new(), [0; HEAD.len() + Trade::LEN]);
        frame[..HEAD.len()].copy_from_slice(&HEAD);
        for sent in 0.. {
            let due = Duration::from_micros(sent * 1_000_000 / rate);
            tokio::time::sleep_until(start + due).await;
            let due_us = start_us + due.as_micros() as u64;
            frame[HEAD.len()..].copy_from_slice(trade.dated(due_us));
            if stream.write_all(&frame).await.is_err() {
                return;
            }
        }
    })
}

/// Microseconds since the Unix epoch.
pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time after 1970").as_micros() as u64
}
