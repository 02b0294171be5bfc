//! Who is let in, and what a stranger can cost.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;

use super::server::{Client, PATIENCE, TestServer, envelope};

fn status(refused: Result<Client, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => 101,
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let settings = json!({ "origins": ["https://good.example"], "peers": ["ws://peer:1/ws"] });
    let server = TestServer::start(settings).await;
    let own = format!("http://{}", server.address);
    for (origin, expected) in [
        ("https://evil.example", 403),
        ("null", 403),
        ("https://good.example", 101),
        ("HTTPS://GOOD.example", 101),
        ("http://peer:1", 101),
        (own.as_str(), 101),
    ] {
        assert_eq!(
            status(server.try_client("", true, Some(origin)).await),
            expected,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn a_page_whose_name_was_pointed_at_this_machine_is_refused() {
    let server = TestServer::start(json!({})).await;
    let upgrade = "GET /ws HTTP/1.1\r\nHost: evil.example:8080\r\nOrigin: http://evil.example:8080\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let post = "POST /api/trades HTTP/1.1\r\nHost: evil.example:8080\r\nContent-Type: application/json\r\n\
                Content-Length: 1\r\n\r\n1";
    for request in [upgrade, post] {
        let response = server.raw(request.as_bytes()).await;
        assert_eq!(response.status, 403, "{response:?}");
    }
}

#[tokio::test]
async fn any_origin_may_be_allowed() {
    let server = TestServer::start(json!({ "origins": ["*"] })).await;
    assert_eq!(
        status(
            server
                .try_client("", true, Some("https://any.example"))
                .await
        ),
        101
    );
}

#[tokio::test]
async fn the_number_of_clients_is_limited() {
    let server = TestServer::start(json!({ "max_clients": 2 })).await;
    let first = server.v1("").await;
    let _second = server.v1("").await;
    assert_eq!(status(server.try_client("", true, None).await), 503);
    drop(first);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while status(server.try_client("", true, None).await) != 101 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_number_of_clients_of_one_address_is_limited() {
    let server = TestServer::start(json!({ "max_clients_per_address": 1 })).await;
    let _first = server.v1("").await;
    assert_eq!(status(server.try_client("", true, None).await), 429);
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_told_so() {
    let server = TestServer::start(json!({})).await;
    let response = server.get("/ws", "").await;
    assert_eq!(response.status, 426);
    assert!(
        response.json()["error"]
            .as_str()
            .unwrap()
            .starts_with("expected a WebSocket handshake")
    );
}

#[tokio::test]
async fn what_a_client_cannot_ask_for_is_refused() {
    let server = TestServer::start(json!({})).await;
    assert_eq!(
        status(server.try_client("?after=nonsense", true, None).await),
        400
    );
    assert_eq!(
        status(server.try_client("?recent=5", false, None).await),
        400
    );
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let server = TestServer::start(json!({ "request_timeout": "300ms" })).await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /ws HT").await.unwrap();
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    for stream in [&mut slow, &mut idle] {
        let mut bytes = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes))
            .await
            .expect("still connected")
            .unwrap();
    }
}

#[tokio::test]
async fn a_huge_head_is_refused_and_nothing_else_disturbed() {
    let server = TestServer::start(json!({})).await;
    for size in [100_000, 1_000_000] {
        let huge = format!(
            "GET /ws HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
            "x".repeat(size)
        );
        // The answer may be lost with what was not read of the request.
        let response = server.raw(huge.as_bytes()).await;
        assert!(matches!(response.status, 431 | 0), "{response:?}");
    }
    assert_eq!(server.envelopes(&[envelope(0)]).await["accepted"], 1);
}
