//! `GET /ws`: many clients, slow clients, clients that break rules, clients that are gone.

use std::time::Duration;

use serde_json::{Value, json};
use stage_envelope::SUBPROTOCOL;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::server::{PATIENCE, TestServer, envelope};

/// Envelopes of partition 0 with payloads of about `size` bytes.
fn envelopes(offsets: std::ops::Range<i64>, size: usize) -> Vec<Value> {
    let fill = "x".repeat(size);
    let sized = |offset| {
        let mut envelope = envelope(offset);
        envelope["data"]["fill"] = json!(fill);
        envelope
    };
    offsets.map(sized).collect()
}

/// A client that was let in and reads nothing from then on.
async fn deaf_client(server: &TestServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    stream
}

#[tokio::test]
async fn a_thousand_clients_each_get_every_message() {
    let server = TestServer::start(json!({})).await;
    let mut clients = Vec::new();
    for index in 0..1000 {
        clients.push(if index % 2 == 0 {
            server.v1("").await
        } else {
            server.client("", false).await
        });
    }
    for start in (0..200).step_by(10) {
        server.envelopes(&envelopes(start..start + 10, 100)).await;
    }
    let readers = clients.into_iter().enumerate().map(|(index, mut client)| {
        tokio::spawn(async move {
            for offset in 0..200 {
                let frame = client.json().await;
                let got = if index % 2 == 0 {
                    &frame["offset"]
                } else {
                    &frame["n"]
                };
                assert_eq!(got, offset);
            }
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn a_client_is_greeted_with_where_the_server_stands() {
    let server = TestServer::start(json!({ "peers": ["ws://b:1/ws"] })).await;
    let mut first = server.client("", true).await;
    let hello = first.json().await;
    assert_eq!(
        (&hello["type"], &hello["server"]),
        (&json!("hello"), &json!("test"))
    );
    assert_eq!(
        (&hello["peers"], hello.get("head")),
        (&json!(["ws://b:1/ws"]), None)
    );
    server.envelopes(&[envelope(7), envelope(5)]).await;
    let second = server.client("", true).await.json().await;
    assert_eq!(
        (&second["head"], &second["epoch"]),
        (&json!("t/0:7"), &hello["epoch"])
    );
}

#[tokio::test]
async fn a_client_resumes_without_a_hole() {
    let server = TestServer::start(json!({})).await;
    let mut first = server.v1("").await;
    server.envelopes(&envelopes(0..5, 10)).await;
    for offset in 0..5 {
        assert_eq!(first.offset().await, offset);
    }
    drop(first);
    server.envelopes(&envelopes(5..8, 10)).await;
    let mut second = server.v1("?after=t/0:4").await;
    server.envelopes(&envelopes(8..9, 10)).await;
    for offset in 5..9 {
        assert_eq!(second.offset().await, offset);
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_disturbs_nobody_and_is_sent_away() {
    let settings = json!({ "max_lag": { "messages": 500 }, "ring": { "messages": 2000 } });
    let server = TestServer::start(settings).await;
    let mut deaf = deaf_client(&server).await;
    let mut good = server.v1("").await;
    for start in (0..10_000).step_by(100) {
        server.envelopes(&envelopes(start..start + 100, 1000)).await;
        for offset in start..start + 100 {
            assert_eq!(good.offset().await, offset);
        }
    }
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, deaf.read_to_end(&mut bytes))
        .await
        .expect("still connected");
    // What the system held is all that it ever got: far from the ten megabytes that went by.
    assert!(bytes.len() < 6_000_000, "{} bytes, {read:?}", bytes.len());
}

#[tokio::test]
async fn a_slow_client_is_told_why_it_is_sent_away() {
    let settings = json!({ "max_lag": { "messages": 50 }, "ring": { "messages": 1000 } });
    let server = TestServer::start(settings).await;
    let mut slow = server.v1("").await;
    // More at once than the limit, and more than the system holds.
    server.envelopes(&envelopes(0..1000, 8000)).await;
    let (code, reason) = slow.closed().await;
    assert_eq!(code, 1008);
    assert!(reason.starts_with("too slow"), "{reason}");
}

#[tokio::test]
async fn a_slow_client_that_may_skip_goes_on_with_the_newest() {
    let settings = json!({ "slow_client": "skip", "max_lag": { "messages": 50 }, "ring": { "messages": 1000 } });
    let server = TestServer::start(settings).await;
    let mut slow = server.v1("").await;
    server.envelopes(&envelopes(0..1, 10)).await;
    assert_eq!(slow.offset().await, 0);
    server.envelopes(&envelopes(1..1000, 8000)).await;
    // What it is given now it has not missed.
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.envelopes(&envelopes(1000..1001, 10)).await;
    let (mut last, mut told) = (0, 0);
    while last < 1000 {
        let frame = slow.json().await;
        if frame["type"] == "gap" {
            assert_eq!(
                (frame["reason"].as_str(), frame["from"].as_i64()),
                (Some("skipped"), Some(last + 1))
            );
            last = frame["to"].as_i64().unwrap();
            told += 1;
        } else {
            assert_eq!(frame["offset"], last + 1);
            last += 1;
        }
    }
    assert!(told > 0);
}

#[tokio::test]
async fn a_client_that_resumes_may_take_the_whole_ring() {
    let settings = json!({ "max_lag": { "messages": 10 }, "ring": { "messages": 1000 } });
    let server = TestServer::start(settings).await;
    server.envelopes(&envelopes(0..1000, 1000)).await;
    let mut client = server.v1("?after=t/0:0").await;
    for offset in 1..1000 {
        assert_eq!(client.offset().await, offset);
    }
}

#[tokio::test]
async fn a_ping_is_answered_and_words_are_ignored() {
    let server = TestServer::start(json!({})).await;
    let mut client = server.v1("").await;
    client.send(Message::Text("hello".into())).await;
    client.send(Message::Ping("x".into())).await;
    assert_eq!(client.pong().await, "x");
    server.envelopes(&[envelope(0)]).await;
    assert_eq!(client.offset().await, 0);
}

#[tokio::test]
async fn a_goodbye_is_answered() {
    let server = TestServer::start(json!({})).await;
    let mut client = server.v1("").await;
    client.send(Message::Close(None)).await;
    assert!(matches!(client.next().await, Message::Close(_)));
}

#[tokio::test]
async fn who_does_not_answer_pings_is_disconnected() {
    let server = TestServer::start(json!({ "ping": { "every": "100ms", "timeout": "3s" } })).await;
    let mut deaf = deaf_client(&server).await;
    let mut alive = server.v1("").await;
    let mut bytes = Vec::new();
    let read = deaf.read_to_end(&mut bytes);
    tokio::select! {
        read = tokio::time::timeout(PATIENCE, read) => drop(read.expect("still connected")),
        frame = alive.next() => panic!("{frame:?}"),
    }
    let goodbye = b"no answer to a ping";
    assert!(bytes.windows(goodbye.len()).any(|window| window == goodbye));
    server.envelopes(&[envelope(0)]).await;
    assert_eq!(alive.offset().await, 0);
}

#[tokio::test]
async fn a_message_that_is_too_big_is_told_by_close_code() {
    let server = TestServer::start(json!({})).await;
    let mut client = server.v1("").await;
    client.send(Message::Binary(vec![0; 100_000].into())).await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn a_large_message_arrives_whole() {
    let server = TestServer::start(json!({})).await;
    let mut client = server.v1("").await;
    server.envelopes(&envelopes(0..2, 3_000_000)).await;
    assert_eq!(client.offset().await, 0);
    assert_eq!(client.offset().await, 1);
}
