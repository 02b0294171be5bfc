//! Pollers against servers that are a TCP socket and a script.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline_sdk::prelude::*;
use pipeline_sdk::testing;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::HttpPollSource;
use crate::config::Config;
use crate::document::Polled;
use crate::poller::Poller;

/// Answers each request on each connection with what `answer` makes of its number and text.
async fn serve<F, Fut>(answer: F) -> SocketAddr
where
    F: Fn(usize, String) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = String> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream, answer.clone()));
        }
    });
    address
}

async fn converse<F, Fut>(mut stream: TcpStream, answer: F)
where
    F: Fn(usize, String) -> Fut,
    Fut: Future<Output = String>,
{
    let mut seen = Vec::new();
    for number in 0.. {
        while !seen.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let request = String::from_utf8(std::mem::take(&mut seen)).unwrap();
        stream
            .write_all(answer(number, request).await.as_bytes())
            .await
            .ok();
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn poller(mut settings: Value, address: SocketAddr) -> Poller {
    settings["urls"] = json!([format!("http://{address}/status")]);
    let config: Config = serde_json::from_value(settings).unwrap();
    assert_eq!(config.problems(), []);
    config
        .pollers(&Context::detached("test"))
        .unwrap()
        .remove(0)
}

fn document(polled: &Polled) -> Value {
    serde_json::from_slice(&polled.document).unwrap()
}

#[tokio::test]
async fn an_answer_is_a_message_with_its_url_as_key() {
    let address = serve(async |_, request| {
        assert!(request.starts_with("GET /status HTTP/1.1\r\n"), "{request}");
        assert!(
            request.contains("authorization: Bearer hush\r\n"),
            "{request}"
        );
        ok("{\"lag\":3}")
    })
    .await;
    let polled = poller(json!({"token": "hush"}), address).poll().await;
    assert_eq!(polled.url, format!("http://{address}/status"));
    let document = document(&polled);
    assert_eq!(
        (&document["status"], &document["body"]),
        (&json!(200), &json!({"lag": 3}))
    );
    assert_eq!(document["at"], json!(polled.at_ns));
    assert!(
        document["took_ms"].is_u64() && document["error"].is_null(),
        "{document}"
    );
}

#[tokio::test]
async fn an_error_status_is_an_answer() {
    let address =
        serve(async |_, _| "HTTP/1.1 503 No\r\ncontent-length: 4\r\n\r\nbusy".to_owned()).await;
    let document = document(&poller(json!({}), address).poll().await);
    assert_eq!(
        (&document["status"], &document["body"]),
        (&json!(503), &json!("busy"))
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let moved = "HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let address = serve(async |_, _| moved.to_owned()).await;
    assert_eq!(
        document(&poller(json!({}), address).poll().await)["status"],
        json!(301)
    );
}

#[tokio::test]
async fn a_failure_is_a_message() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let document = document(&poller(json!({}), free).poll().await);
    assert!(
        document["error"]
            .as_str()
            .unwrap()
            .starts_with("cannot connect: "),
        "{document}"
    );
    assert!(
        document["status"].is_null() && document["body"].is_null(),
        "{document}"
    );
}

#[tokio::test]
async fn a_server_that_hangs_is_a_failure_after_the_timeout() {
    let address = serve(async |_, _| std::future::pending::<String>().await).await;
    let document = document(&poller(json!({"timeout": "50ms"}), address).poll().await);
    assert_eq!(document["error"], json!("no answer within 50ms"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_failure_with_its_status() {
    let address = serve(async |_, _| ok(&"x".repeat(100))).await;
    let document = document(&poller(json!({"max_body": "99B"}), address).poll().await);
    assert_eq!(document["status"], json!(200));
    assert_eq!(
        document["error"],
        json!("body is larger than 99 bytes (`max_body`)")
    );
}

#[tokio::test]
async fn half_a_body_is_a_failure_with_its_status() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut poller = poller(json!({}), listener.local_addr().unwrap());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .read_buf(&mut Vec::with_capacity(1024))
            .await
            .unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
            .await
            .unwrap();
    };
    let (polled, ()) = tokio::join!(poller.poll(), server);
    let document = document(&polled);
    assert_eq!(document["status"], json!(200));
    assert!(
        document["error"]
            .as_str()
            .unwrap()
            .starts_with("answer broke off"),
        "{document}"
    );
}

#[tokio::test]
async fn polls_of_a_url_share_a_connection_and_never_overlap() {
    // Each answer takes ten intervals and tells the number of its request on its connection.
    let address = serve(async |number, _| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        ok(&number.to_string())
    })
    .await;
    let mut poller = poller(json!({"interval": "5ms"}), address);
    let (sender, mut polled) = mpsc::channel(1);
    let take = async {
        for number in 0..4 {
            assert_eq!(
                document(&polled.recv().await.unwrap())["body"],
                json!(number)
            );
        }
        drop(polled);
    };
    tokio::join!(poller.run(sender), take);
}

/// Runs the whole stage until it was asked to drain, which happens after `before`.
async fn drain_after(
    address: SocketAddr,
    blocked: bool,
    before: impl Future<Output = ()>,
) -> Vec<Value> {
    let settings = json!({"urls": [format!("http://{address}/status")], "interval": "1ms"});
    let context = Context::detached("test");
    let (mut output, sent) = testing::output(&context);
    sent.block(blocked);
    let config = serde_json::from_value(settings).unwrap();
    let mut stage = HttpPollSource::open(config, context.clone()).await.unwrap();
    let asked = async {
        before.await;
        testing::drain(&context);
        sent.block(false);
    };
    let run = async { tokio::join!(stage.run(&mut output), asked).0.unwrap() };
    tokio::time::timeout(Duration::from_secs(60), run)
        .await
        .unwrap();
    let batches = std::iter::from_fn(|| sent.next());
    let payloads = batches.flat_map(|batch| {
        let payload = |message: Message<'_>| serde_json::from_slice(message.payload()).unwrap();
        batch.iter().map(payload).collect::<Vec<Value>>()
    });
    payloads.collect()
}

#[tokio::test]
async fn a_server_that_hangs_does_not_delay_the_drain() {
    let (asked, was_asked) = oneshot::channel();
    let asked = Arc::new(Mutex::new(Some(asked)));
    let address = serve(move |_, _| {
        asked.lock().unwrap().take().unwrap().send(()).unwrap();
        std::future::pending::<String>()
    })
    .await;
    assert_eq!(
        drain_after(address, false, async { was_asked.await.unwrap() })
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn a_full_edge_slows_polling_down() {
    let polls = Arc::new(AtomicUsize::new(0));
    let count = polls.clone();
    let address = serve(move |number, _| {
        count.fetch_add(1, Ordering::SeqCst);
        async move { ok(&number.to_string()) }
    })
    .await;
    // One waits for credit, one in the channel, one at the poller.
    let full = async {
        while polls.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let payloads = drain_after(address, true, full).await;
    assert_eq!(polls.load(Ordering::SeqCst), 3);
    assert_eq!(payloads[0]["body"], json!(0));
}
