//! The stage against real sockets, whose other end does what servers do, and what they should not do.

mod drain;
mod faults;
mod feed;
mod fills;
mod pressure;
mod relay;
mod tls;

use std::future::Future;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use pipeline_sdk::prelude::*;
use pipeline_sdk::testing::{self, Sent};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::Message as Frame;

use crate::config::Config;
use crate::stage::WebsocketSource;

/// Longest time that anything in a test may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test on one thread, as a stage runs.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(
        LocalSet::new()
            .run_until(async { timeout(PATIENCE * 2, test).await.expect("the test hangs") }),
    );
}

/// Runs a test of a stage with one server, and drains the stage when it has passed.
fn with_feed(settings: Value, test: impl AsyncFnOnce(&Server, &Stage)) {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(&[&server.url], settings).await;
        test(&server, &stage).await;
        stage.drain().await;
    });
}

/// Waits until `look` finds something.
async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "waited in vain: {what}"
        );
        sleep(Duration::from_millis(2)).await;
    }
}

/// A running stage.
struct Stage {
    context: Context,
    sent: Sent,
    task: JoinHandle<Result<(), String>>,
}

impl Stage {
    /// Starts the stage with quick timers, unless the settings say otherwise.
    async fn start(urls: &[&str], mut settings: Value) -> Stage {
        settings["urls"] = json!(urls);
        if settings.get("reconnect").is_none() {
            settings["reconnect"] = json!({"initial": "10ms", "max": "50ms"});
        }
        let config: Config = serde_json::from_value(settings).unwrap();
        assert_eq!(config.problems(), [], "the settings are wrong");
        let context = Context::detached("feed");
        let (mut output, sent) = testing::output(&context);
        let mut source = WebsocketSource::open(config, context.clone())
            .await
            .unwrap();
        let task = tokio::task::spawn_local(async move {
            source
                .run(&mut output)
                .await
                .map_err(|error| error.to_string())
        });
        Stage {
            context,
            sent,
            task,
        }
    }

    /// The next batch.
    async fn batch(&self) -> Batch {
        eventually("a batch", || self.sent.next()).await
    }

    /// Payloads of the next messages, in however many batches.
    async fn payloads(&self, count: usize) -> Vec<String> {
        let mut payloads = Vec::new();
        while payloads.len() < count {
            let batch = self.batch().await;
            payloads.extend(
                batch
                    .iter()
                    .map(|message| String::from_utf8_lossy(message.payload()).into_owned()),
            );
        }
        payloads
    }

    /// Waits until the stage is degraded for a reason that contains `part`.
    async fn trouble(&self, part: &str) -> String {
        let mut last = None;
        let found = timeout(PATIENCE, async {
            loop {
                last = testing::trouble(&self.context);
                match &last {
                    Some(reason) if reason.contains(part) => return reason.clone(),
                    _ => sleep(Duration::from_millis(2)).await,
                }
            }
        });
        let found = found.await.ok();
        found.unwrap_or_else(|| panic!("expected `{part}`, last heard {last:?}"))
    }

    /// Waits until the stage is ready.
    async fn ready(&self) {
        eventually("ready", || {
            testing::trouble(&self.context).is_none().then_some(())
        })
        .await;
    }

    /// Drains the stage and waits until it has ended.
    async fn drain(self) -> Sent {
        testing::drain(&self.context);
        timeout(PATIENCE, self.task)
            .await
            .expect("the stage does not end")
            .unwrap()
            .unwrap();
        testing::close(&self.context);
        self.sent
    }
}

/// A server whose connections the test plays itself.
struct Server {
    listener: TcpListener,
    url: String,
}

/// A connection of a server, and the request that opened it.
struct Client {
    socket: WebSocketStream<TcpStream>,
    path: String,
    headers: Vec<(String, String)>,
}

impl Server {
    async fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/feed", listener.local_addr().unwrap());
        Server { listener, url }
    }

    /// The next TCP connection.
    async fn accept_raw(&self) -> TcpStream {
        timeout(PATIENCE, self.listener.accept())
            .await
            .expect("nobody connects")
            .unwrap()
            .0
    }

    /// The next WebSocket connection.
    async fn accept(&self) -> Client {
        let mut opened = (String::new(), Vec::new());
        let stream = self.accept_raw().await;
        #[expect(clippy::result_large_err, reason = "the callback's type")]
        let answer = |request: &Request, mut response: Response| {
            let text =
                |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)));
            opened = (request.uri().to_string(), headers.collect());
            if let Some(protocol) = request.headers().get("sec-websocket-protocol") {
                response
                    .headers_mut()
                    .insert("sec-websocket-protocol", protocol.clone());
            }
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, answer)
            .await
            .unwrap();
        Client {
            socket,
            path: opened.0,
            headers: opened.1,
        }
    }

    /// Answers the next request with `answer` in place of a WebSocket.
    async fn refuse(&self, answer: &str) {
        let mut stream = self.accept_raw().await;
        read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.shutdown().await;
    }
}

impl Client {
    async fn send(&mut self, text: &str) {
        self.socket.send(Frame::text(text)).await.unwrap();
    }

    /// The next message of the stage, answering pings meanwhile; `None` when the connection is over.
    async fn next(&mut self) -> Option<Frame> {
        timeout(PATIENCE, self.socket.next())
            .await
            .expect("the stage says nothing")?
            .ok()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads up to the end of a request's head.
async fn read_request(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}
