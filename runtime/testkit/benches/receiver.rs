//! An HTTP server that takes every message and keeps none.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::scene::WITHIN;

/// A server that counts messages until it is dropped.
pub(crate) struct Receiver {
    addr: SocketAddr,
    counted: watch::Receiver<Option<Duration>>,
    serving: tokio::task::JoinHandle<()>,
}

struct Count {
    taken: AtomicU64,
    expected: u64,
    since: std::sync::OnceLock<Instant>,
    whole: watch::Sender<Option<Duration>>,
}

impl Receiver {
    /// Listens for `expected` messages.
    pub(crate) async fn expecting(expected: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let addr = listener.local_addr().expect("an address");
        let (whole, counted) = watch::channel(None);
        let count = Arc::new(Count {
            taken: AtomicU64::new(0),
            expected,
            since: std::sync::OnceLock::new(),
            whole,
        });
        Self {
            addr,
            counted,
            serving: tokio::spawn(serve(listener, count)),
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits for all; returns the time from the first request to the last.
    pub(crate) async fn all(&mut self) -> Duration {
        let whole = self.counted.wait_for(Option::is_some);
        let whole = tokio::time::timeout(WITHIN, whole).await;
        whole
            .expect("all in time")
            .expect("a server")
            .expect("a time")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, count: Arc<Count>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("a socket");
        let count = count.clone();
        let service = service_fn(move |request| take(request, count.clone()));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn take(
    request: Request<Incoming>,
    count: Arc<Count>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let since = *count.since.get_or_init(Instant::now);
    let is_lines = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|it| it == "application/x-ndjson");
    let body = request
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let messages = if is_lines {
        body.iter().filter(|byte| **byte == b'\n').count() as u64
    } else {
        1
    };
    let taken = count.taken.fetch_add(messages, Ordering::Relaxed) + messages;
    if taken >= count.expected {
        count.whole.send_replace(Some(since.elapsed()));
    }
    let answer = format!("{{\"accepted\":{messages},\"duplicates\":0,\"rejected\":[]}}");
    Ok(Response::new(Full::new(answer.into())))
}
