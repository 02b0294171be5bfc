//! A receiver for tests: a TCP socket and a script, so that each byte is known.

use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Number of its connection, from 0.
    pub(crate) connection: usize,
    /// Head and body.
    pub(crate) text: String,
}

impl Request {
    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().1
    }
}

/// Answers each request with what `script` says, on a thread of its own. After an answer that ends in `CUT` the
/// connection is closed.
pub(crate) fn serve(script: impl AsyncFn(Request) -> String + Send + 'static) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, accept(listener, Rc::new(script)))
    });
    address
}

async fn accept(
    listener: std::net::TcpListener,
    script: Rc<impl AsyncFn(Request) -> String + 'static>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    for connection in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::task::spawn_local(converse(stream, connection, script.clone()));
    }
}

/// An answer with a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn converse(
    mut stream: TcpStream,
    connection: usize,
    script: Rc<impl AsyncFn(Request) -> String>,
) {
    while let Some(text) = read_request(&mut stream).await {
        let answer = script(Request { connection, text }).await;
        stream
            .write_all(answer.trim_end_matches("CUT").as_bytes())
            .await
            .ok();
        if answer.ends_with("CUT") {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() >= length.parse().unwrap() {
                return Some(text);
            }
        }
        if stream.read_buf(&mut seen).await.ok()? == 0 {
            return None;
        }
    }
}
