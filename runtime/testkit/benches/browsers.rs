//! Many WebSocket clients in one process that cost as little as clients can: they look at the head of each frame, and one
//! in a few reads the trade's number too.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::paced::now_us;
use crate::trades::Trade;

/// Connections are made in groups, as a listener's queue is not endless.
const AT_A_TIME: usize = 50;
/// One client in so many tells delays, the first one among them.
const TIMED: usize = 10;
const ROOM: usize = 64 * 1024;

/// What all clients have seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) messages: u64,
    /// From when a message was due to when it was read, in milliseconds, sorted.
    pub(crate) delays: Vec<f64>,
}

/// Clients that read until this is dropped.
pub(crate) struct Browsers {
    /// One for each client.
    seen: Vec<Arc<Mutex<Seen>>>,
    _reading: JoinSet<()>,
}

impl Browsers {
    /// Connects to `host:port`.
    pub(crate) async fn connect(server: &str, count: usize) -> Self {
        let (mut seen, mut reading) = (Vec::new(), JoinSet::new());
        while seen.len() < count {
            let group = AT_A_TIME.min(count - seen.len());
            for client in join_all((0..group).map(|_| connect(server))).await {
                let own = Arc::<Mutex<Seen>>::default();
                reading.spawn(read(client, own.clone(), seen.len().is_multiple_of(TIMED)));
                seen.push(own);
            }
        }
        Self {
            seen,
            _reading: reading,
        }
    }

    /// Begins anew.
    pub(crate) fn forget(&self) {
        self.seen();
    }

    /// What was seen since the last call.
    pub(crate) fn seen(&self) -> Seen {
        let mut all = Seen::default();
        for client in &self.seen {
            let seen = std::mem::take(&mut *client.lock().expect("a client"));
            all.messages += seen.messages;
            all.delays.extend(seen.delays);
        }
        all.delays.sort_by(f64::total_cmp);
        all
    }
}

/// A connection after its handshake.
async fn connect(server: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).await.expect("a connection");
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "no WebSocket");
    stream
}

/// Reads trades, each in a frame that is not masked and whose length takes two bytes.
async fn read(mut stream: TcpStream, seen: Arc<Mutex<Seen>>, is_timed: bool) {
    let (mut buffer, mut filled) = (vec![0; ROOM], 0);
    while let Ok(read @ 1..) = stream.read(&mut buffer[filled..]).await {
        filled += read;
        let now = now_us();
        let mut at = 0;
        let mut seen = seen.lock().expect("seen messages");
        while let Some(frame) = frame(&buffer[at..filled]) {
            if frame.payload.len() == Trade::LEN {
                seen.messages += 1;
                if is_timed {
                    seen.delays
                        .push(Trade::age_us(frame.payload, now) as f64 / 1e3);
                }
            }
            at += frame.len;
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
    }
}

struct Frame<'a> {
    payload: &'a [u8],
    len: usize,
}

/// The first frame of `bytes`, if it is whole.
fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let (head, len) = match bytes.get(1)? {
        126 => (
            4,
            usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
        ),
        short => (2, usize::from(*short)),
    };
    let payload = bytes.get(head..head + len)?;
    let len = head + len;
    Some(Frame { payload, len })
}
