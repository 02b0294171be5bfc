//! Asks a running pipeline over its control socket.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixStream;

/// From connect to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer.
const MAX_ANSWER_BYTES: usize = 32 << 20;

/// The body of `GET uri`; an error says why there is none.
pub(crate) async fn get(socket: &Path, uri: &str) -> Result<Bytes, String> {
    match tokio::time::timeout(TIMEOUT, exchange(socket, uri)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => Err(format!("no answer in {} s", TIMEOUT.as_secs())),
    }
}

async fn exchange(
    socket: &Path,
    uri: &str,
) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = http::Request::get(uri)
        .header("host", "pipeline")
        .body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await?
        .to_bytes();
    connection.abort();
    if !status.is_success() {
        return Err(format!("answer {status}").into());
    }
    Ok(body)
}
