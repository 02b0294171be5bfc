//! Asks a machine whether it is ready.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(2);
const LONGEST_ANSWER: u64 = 16 * 1024;

/// Asks `/readyz`; the error says what is missing.
pub(crate) async fn ready(address: &str) -> Result<(), String> {
    let answer = match timeout(TIMEOUT, get(address, "/readyz")).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("no answer".to_owned()),
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status == "200" {
        Ok(())
    } else {
        Err(format!("{status} {}", body.trim()))
    }
}

async fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn asked(answer: &'static str) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream
                .read_buf(&mut Vec::with_capacity(1024))
                .await
                .unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        tokio::join!(ready(&address), server).0
    }

    #[tokio::test]
    async fn a_machine_that_is_not_ready_says_why() {
        assert_eq!(asked("HTTP/1.1 200 OK\r\n\r\n").await, Ok(()));
        assert_eq!(
            asked("HTTP/1.1 503 No\r\n\r\nhttp-post: 401\n").await,
            Err("503 http-post: 401".to_owned())
        );
        assert!(ready("127.0.0.1:1").await.is_err());
    }
}
