//! An HTTP server that answers as a test says and keeps what it was sent.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::{Ports, eventually};

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method, path and query.
    pub line: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Received {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }
}

/// What to do with a request.
#[derive(Clone, Debug)]
pub struct Answer {
    reply: Reply,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Reply {
    Respond(Response<Bytes>),
    Hang,
    Disconnect,
}

impl Answer {
    /// Answers with this status and no body.
    pub fn status(status: u16) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::from_u16(status).expect("a status code");
        Self {
            reply: Reply::Respond(response),
            delay: Duration::ZERO,
        }
    }

    /// Answers 200 with this JSON.
    pub fn json(value: serde_json::Value) -> Self {
        Self::status(200)
            .header("content-type", "application/json")
            .body(value.to_string())
    }

    /// Never answers.
    pub fn hang() -> Self {
        Self {
            reply: Reply::Hang,
            delay: Duration::ZERO,
        }
    }

    /// Closes the connection in place of an answer.
    pub fn disconnect() -> Self {
        Self {
            reply: Reply::Disconnect,
            delay: Duration::ZERO,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.response()
            .headers_mut()
            .insert(name, value.parse().expect("a header value"));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.response().body_mut() = body.into();
        self
    }

    /// Waits before it answers.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn response(&mut self) -> &mut Response<Bytes> {
        match &mut self.reply {
            Reply::Respond(response) => response,
            Reply::Hang | Reply::Disconnect => panic!("this answer is no response"),
        }
    }
}

type Script = dyn Fn(&Received) -> Answer + Send + Sync;

/// A server that keeps its address while it is down.
pub struct HttpReceiver {
    ports: Ports,
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

struct Shared {
    script: Box<Script>,
    received: Mutex<Vec<Received>>,
}

impl HttpReceiver {
    /// Answers each request as `script` says.
    pub async fn answering(script: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let shared = Shared {
            script: Box::new(script),
            received: Mutex::default(),
        };
        let mut receiver = Self {
            ports: Ports::one(),
            shared: Arc::new(shared),
            serving: None,
        };
        receiver.up().await;
        receiver
    }

    /// Gives these answers in turn, the last one for ever.
    pub async fn scripted(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::answering(move |_| {
            let mut answers = lock(&answers);
            let next = if answers.len() > 1 {
                answers.pop_front()
            } else {
                answers.front().cloned()
            };
            next.expect("at least one answer")
        })
        .await
    }

    /// The address.
    pub fn addr(&self) -> SocketAddr {
        self.ports.addr(0)
    }

    /// What to POST to.
    pub fn url(&self) -> String {
        format!("http://{}/receive", self.addr())
    }

    /// All requests so far, in the order of their last bytes.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// Waits for at least `count` requests and returns all.
    pub async fn wait_for(&self, count: usize, within: Duration) -> Vec<Received> {
        eventually(within, "requests", async || {
            let received = self.received();
            if received.len() < count {
                return Err(format!("{} of {count} requests", received.len()));
            }
            Ok(received)
        })
        .await
    }

    /// Stops listening and cuts all connections.
    pub fn down(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }

    /// Listens again.
    pub async fn up(&mut self) {
        let addr = self.addr();
        let bound = eventually(Duration::from_secs(10), "a free address", async || {
            TcpListener::bind(addr).await
        });
        self.serving = Some(tokio::spawn(serve(bound.await, self.shared.clone())));
    }
}

impl Drop for HttpReceiver {
    fn drop(&mut self) {
        self.down();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // A set of tasks ends with the task that owns it, and with it every connection.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, shared.clone()));
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, &shared));
    // The only errors are those of a peer that left and of `Answer::disconnect`.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Full<Bytes>>, Disconnected> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Disconnected)?.to_bytes();
    let received = Received {
        line: format!("{} {}", head.method, head.uri),
        headers: head.headers,
        body,
    };
    let answer = (shared.script)(&received);
    lock(&shared.received).push(received);
    tokio::time::sleep(answer.delay).await;
    match answer.reply {
        Reply::Respond(response) => Ok(response.map(Full::new)),
        Reply::Hang => std::future::pending().await,
        Reply::Disconnect => Err(Disconnected),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes hyper close the connection without an answer.
#[derive(Debug)]
struct Disconnected;

impl std::fmt::Display for Disconnected {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("disconnected on purpose")
    }
}

impl std::error::Error for Disconnected {}
