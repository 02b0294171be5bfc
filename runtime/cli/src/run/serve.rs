//! Serves HTTP on TCP and on a Unix socket, with every wait bounded: a client that sends or reads slowly, or not at all, costs
//! one of a few connections for a few seconds.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// Connections of one listener at a time; the next ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 64;
/// Until a request's head is there, also the idle time between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// From head to answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A connection's whole life: bounds a client that does not read its answer.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(120);
/// Largest head.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Largest body.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// Wait after a failed accept (out of file descriptors): the listener must not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What accepts connections.
pub(crate) enum Listener {
    /// On an address.
    Tcp(TcpListener),
    /// On a path.
    Unix(UnixListener),
}

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: Listener, router: Router) {
    let router = router
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(
            http::StatusCode::REQUEST_TIMEOUT,
            REQUEST_TIMEOUT,
        ));
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let router = router.clone();
        let accepted = match &listener {
            Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    connection(stream, router).await;
                    drop(place);
                });
            }),
            Listener::Unix(listener) => listener.accept().await.map(|(stream, _)| {
                tokio::spawn(async move {
                    connection(stream, router).await;
                    drop(place);
                });
            }),
        };
        if accepted.is_err() {
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A broken or slow client is its own problem.
    let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn server() -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route(
            "/livez",
            get(|| async { "ok" }).post(|body: String| async move { body }),
        );
        tokio::spawn(serve(Listener::Tcp(listener), router));
        address
    }

    async fn exchange(address: std::net::SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn an_oversized_head_or_body_is_refused() {
        let address = server().await;
        let head = format!(
            "GET /livez HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n",
            "y".repeat(1 << 20)
        );
        assert!(
            exchange(address, head.as_bytes())
                .await
                .starts_with("HTTP/1.1 431")
        );
        let body = format!(
            "POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            100 << 20
        );
        assert!(
            exchange(address, body.as_bytes())
                .await
                .starts_with("HTTP/1.1 413")
        );
        let sound = exchange(
            address,
            b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        )
        .await;
        assert!(sound.starts_with("HTTP/1.1 200") && sound.ends_with("ok"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_finishes_its_head_is_cut_off() {
        let address = server().await;
        let answer = exchange(address, b"GET /livez HTTP/1.1\r\nhost: ").await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
}
