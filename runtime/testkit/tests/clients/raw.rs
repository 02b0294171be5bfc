//! HTTP by hand: requests that no proper client sends.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// Head of a POST of trades.
pub(crate) fn post_head(headers: &str) -> Vec<u8> {
    format!("POST /api/trades HTTP/1.1\r\nHost: pipeline\r\n{headers}\r\n").into_bytes()
}

/// Sends `head`, then `part` up to `times` times, for as long as the server takes it; returns status and text of its answer.
pub(crate) async fn send(
    addr: SocketAddr,
    head: &[u8],
    part: &[u8],
    times: usize,
) -> (u16, String) {
    let (mut answers, mut requests) = TcpStream::connect(addr).await.unwrap().into_split();
    let write = async {
        // The server may answer and close before it was sent everything.
        let mut result = requests.write_all(head).await;
        for _ in 0..times {
            if result.is_ok() {
                result = requests.write_all(part).await;
            }
        }
    };
    let exchange = async { tokio::join!(read_answer(&mut answers), write).0 };
    timeout(PATIENCE, exchange)
        .await
        .expect("an answer in time")
}

/// Reads to the end of the connection, or to the end of what the head of the answer says.
async fn read_answer(stream: &mut (impl AsyncReadExt + Unpin)) -> (u16, String) {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    while !is_whole(&bytes) {
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer, but {text:?}"));
    (status, text)
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| {
        length
            .parse::<usize>()
            .is_ok_and(|length| body.len() >= length)
    })
}
