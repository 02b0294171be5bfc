//! The client against servers that are a TCP socket and a script, so that each byte is known.

mod answers;
mod connections;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{Answer, Body, Client, Limits, RequestError};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Runs `script` for each connection, which is numbered from 0.
async fn serve<F, Fut>(script: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(script(stream, number));
        }
    });
    address
}

/// Answers every connection's first request with `answer`, then closes it.
async fn serve_once(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = Arc::new(answer.into());
    serve(move |mut stream, _| {
        let answer = answer.clone();
        async move {
            read_request(&mut stream).await;
            // A client that has seen enough may be gone.
            stream.write_all(&answer).await.ok();
        }
    })
    .await
}

/// Reads a request with its body; `None` at the end of the connection.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut seen).await.ok()? == 0 {
            return None;
        }
    }
}

fn client(address: SocketAddr) -> Client {
    limited(
        &format!("http://{address}/in?key=1"),
        None,
        Duration::from_secs(60),
    )
}

fn limited(url: &str, tls: Option<Arc<ClientConfig>>, timeout: Duration) -> Client {
    Client::new(
        url.parse().unwrap(),
        HeaderMap::new(),
        tls,
        Limits {
            timeout,
            body: 1024,
        },
    )
    .unwrap()
}

async fn post(client: &Client, body: impl Into<Bytes>) -> Result<Answer, RequestError> {
    client.send(Method::POST, &[], body.into()).await
}

fn whole(text: &'static str) -> Body {
    Body::Whole(Bytes::from_static(text.as_bytes()))
}
