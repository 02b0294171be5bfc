//! Requests that are wrong: each gets a clear answer, costs little, and disturbs nobody else.

use std::time::{Duration, Instant};

use pipeline_testkit::{V1Client, WsClient};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw::{post_head, send};
use crate::server::{Server, envelope, is_shown};

const NDJSON: &str = "Content-Type: application/x-ndjson\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
/// The largest body that a server takes, 16 MiB, and as much again.
const MAY_GROW: u64 = 32 * 1024 * 1024;

/// A server, and a client that must be shown every good message in between.
struct Scene {
    server: Server,
    witness: V1Client,
    posted: i64,
}

impl Scene {
    async fn open() -> Self {
        Self::with("").await
    }

    /// With further settings of the server (`, key: value`).
    async fn with(settings: &str) -> Self {
        let server = Server::start(settings, "").await;
        let witness = V1Client::connect(&server.socket()).await;
        Self {
            server,
            witness,
            posted: 0,
        }
    }

    /// Sends a body whose length is told, and expects this answer.
    async fn refuses(&mut self, headers: &str, body: &str, status: u16, why: &str) {
        let length = format!("{headers}Content-Length: {}\r\n", body.len());
        let (answered, text) =
            send(self.server.addr(), &post_head(&length), body.as_bytes(), 1).await;
        assert!(
            answered == status && text.contains(why),
            "{status} {why}: {text}"
        );
        self.is_well().await;
    }

    /// The server still takes what is good, and the client is still shown it.
    async fn is_well(&mut self) {
        self.server.post(self.posted..self.posted + 1).await;
        self.posted += 1;
        is_shown(&mut self.witness, self.posted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_messages_are_told_so() {
    let mut scene = Scene::open().await;
    scene
        .refuses(JSON, "{\"price\":", 400, "the body is not JSON")
        .await;
    scene
        .refuses(JSON, "\u{0}\u{1}", 400, "the body is not JSON")
        .await;
    scene.refuses(NDJSON, "hello", 422, "not an envelope").await;
    scene.refuses(NDJSON, "[1,2]", 422, "not an envelope").await;
    scene
        .refuses(
            "Content-Type: text/html\r\n",
            "<p>",
            415,
            "application/x-ndjson",
        )
        .await;
    for (key, value, why) in [
        ("offset", json!(-1), "impossible `offset` -1"),
        (
            "offset",
            json!(u64::MAX),
            "`offset`: invalid value: integer",
        ),
        ("offset", json!("5"), "`offset`: invalid type: string"),
        ("offset", json!(null), "`partition` without `offset`"),
        ("partition", json!(-7), "impossible `partition` -7"),
        ("partition", json!(1_u64 << 40), "impossible `partition`"),
        ("topic", json!("no/such topic"), "impossible `topic`"),
    ] {
        let mut impossible = envelope(5);
        impossible[key] = value;
        scene
            .refuses(NDJSON, &impossible.to_string(), 422, why)
            .await;
    }
    // Beside good ones, a bad line is named by its place.
    let lines = format!("{}\nhello\n", envelope(scene.posted));
    scene.posted += 1;
    scene
        .refuses(NDJSON, &lines, 200, "\"rejected\":[{\"index\":1,")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_web_pages_are_refused() {
    let mut scene = Scene::open().await;
    let origin = ("origin", "https://strange.example");
    let refused = WsClient::try_connect(&scene.server.socket(), &[origin]).await;
    assert_eq!(refused.err().as_deref(), Some("refused with 403 Forbidden"));
    let headers = format!("{JSON}Origin: {}\r\n", origin.1);
    scene.refuses(&headers, "1", 403, "`Origin`").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_much_too_large_costs_a_bounded_amount_of_memory() {
    let mut scene = Scene::open().await;
    scene.is_well().await;
    let (addr, before) = (scene.server.addr(), scene.server.peak_bytes());
    let megabyte = vec![b'x'; 1_000_000];

    let told = post_head(&format!("{JSON}Content-Length: 100000000\r\n"));
    let (status, text) = send(addr, &told, &megabyte, 100).await;
    assert!(status == 413 && text.contains("expected at most"), "{text}");

    let untold = post_head(&format!("{JSON}Transfer-Encoding: chunked\r\n"));
    let chunk = [b"f4240\r\n", megabyte.as_slice(), b"\r\n"].concat();
    let (status, text) = send(addr, &untold, &chunk, 100).await;
    assert!(status == 413 && text.contains("expected at most"), "{text}");

    let head = b"GET /ws HTTP/1.1\r\nHost: pipeline\r\nX-Long: ";
    let (status, _) = send(addr, head, &megabyte, 1).await;
    assert_eq!(status, 431);

    let grown = scene.server.peak_bytes() - before;
    eprintln!("resident: {before} bytes, grown by {grown}");
    assert!(grown < MAY_GROW, "grown by {grown} bytes");
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_come_a_byte_at_a_time_are_given_up() {
    let mut scene = Scene::with(", request_timeout: 2s").await;
    let since = Instant::now();
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(scene.server.addr()).await.unwrap();
        slow.spawn(async move {
            let mut part = [0; 512];
            // A byte is always soon to come; only the head as a whole takes too long.
            for byte in b"GET /ws HTTP/1.1\r\nX: "
                .iter()
                .chain(std::iter::repeat(&b'x'))
            {
                let pause = Duration::from_millis(100);
                let ended = match tokio::time::timeout(pause, stream.read(&mut part)).await {
                    Ok(Ok(0) | Err(_)) => true,
                    Ok(Ok(_)) => false,
                    Err(_) => stream.write_all(&[*byte]).await.is_err(),
                };
                if ended {
                    break;
                }
            }
        });
    }
    scene.is_well().await;
    assert_eq!(slow.len(), 50);
    while let Some(ended) = slow.join_next().await {
        ended.unwrap();
        assert!(since.elapsed() < Duration::from_secs(60), "still connected");
    }
    scene.is_well().await;
}
