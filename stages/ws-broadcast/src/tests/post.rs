//! `POST /api/trades`: what is taken, what is refused, and that nothing else is disturbed.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::server::{TestServer, envelope, read_response};

const NDJSON: &str = "application/x-ndjson";

#[tokio::test]
async fn posted_envelopes_reach_plain_and_v1_clients() {
    let server = TestServer::start(json!({})).await;
    let mut plain = server.client("", false).await;
    let mut v1 = server.v1("").await;

    let answer = server
        .envelopes(&[envelope(0), envelope(1), envelope(0)])
        .await;
    assert_eq!(
        answer,
        json!({ "accepted": 2, "duplicates": 1, "rejected": [] })
    );

    assert_eq!(plain.text().await, r#"{"n":0}"#);
    assert_eq!(plain.text().await, r#"{"n":1}"#);
    let frame = v1.json().await;
    assert_eq!(frame["type"], "message");
    assert_eq!(frame["from"], "test");
    assert_eq!(
        (&frame["topic"], &frame["partition"], &frame["offset"]),
        (&json!("t"), &json!(0), &json!(0))
    );
    assert_eq!(frame["timestamp"], 1000);
    assert!(frame["times"]["accepted"].as_i64().unwrap() > 1_600_000_000_000_000_000);
    assert_eq!(v1.offset().await, 1);
}

#[tokio::test]
async fn a_plain_payload_is_broadcast_and_not_deduplicated() {
    let server = TestServer::start(json!({})).await;
    let mut plain = server.client("", false).await;
    for _ in 0..2 {
        let response = server
            .post("application/json; charset=utf-8", "", b" {\"p\": 1}\n")
            .await;
        assert_eq!(
            (response.status, response.json()["accepted"].as_u64()),
            (200, Some(1))
        );
        assert_eq!(plain.text().await, "{\"p\": 1}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_json_arrive_as_they_were() {
    let server = TestServer::start(json!({})).await;
    let mut plain = server.client("", false).await;
    server
        .envelopes(&[
            json!({ "data_base64": "aGk=" }),
            json!({ "data_base64": "/w==" }),
        ])
        .await;
    assert_eq!(plain.text().await, "hi");
    assert_eq!(plain.next().await.into_data().as_ref(), [0xff]);
}

#[tokio::test]
async fn each_bad_line_is_named_and_the_others_are_taken() {
    let server = TestServer::start(json!({})).await;
    let body = format!(
        "{}\n\nnot json\n{{\"offset\":1,\"data\":1}}\n{}\n",
        envelope(0),
        envelope(1)
    );
    let response = server.post(NDJSON, "", body.as_bytes()).await;
    assert_eq!(response.status, 200);
    let answer = response.json();
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(answer["rejected"][0]["index"], 1);
    assert_eq!(
        answer["rejected"][0]["reason"],
        "not an envelope: expected a JSON object"
    );
    assert_eq!(answer["rejected"][1]["index"], 2);
    assert!(
        answer["rejected"][1]["reason"]
            .as_str()
            .unwrap()
            .starts_with("`offset` without `partition`")
    );
}

#[tokio::test]
async fn a_body_of_nothing_good_is_422_with_the_same_answer() {
    let server = TestServer::start(json!({})).await;
    let response = server.post(NDJSON, "", b"{}\n").await;
    assert_eq!(response.status, 422);
    assert_eq!(
        response.json()["rejected"][0]["reason"],
        "no payload: expected `data` or `data_base64`"
    );
    // What is in the ring already is good.
    server.envelopes(&[envelope(0)]).await;
    assert_eq!(server.envelopes(&[envelope(0)]).await["duplicates"], 1);
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let server = TestServer::start(json!({ "max_body": "1KiB" })).await;
    let big = vec![b'x'; 2000];
    for (content_type, body, status, why) in [
        ("application/json", &b"{"[..], 400, "the body is not JSON"),
        ("application/json", b"", 400, "the body is not JSON"),
        (
            NDJSON,
            b"\n \n",
            400,
            "no envelope: expected at least one line",
        ),
        (
            "text/plain",
            b"1",
            415,
            "expected `Content-Type: application/x-ndjson`",
        ),
        ("", b"1", 415, "expected `Content-Type"),
        (
            NDJSON,
            &big,
            413,
            "the body is too large: expected at most 1024 bytes",
        ),
    ] {
        let response = server.post(content_type, "", body).await;
        assert_eq!(response.status, status, "{response:?}");
        assert!(
            response.json()["error"].as_str().unwrap().starts_with(why),
            "{response:?}"
        );
    }
    assert_eq!(server.envelopes(&[envelope(0)]).await["accepted"], 1);
}

#[tokio::test]
async fn a_chunked_body_is_bounded_too() {
    let server = TestServer::start(json!({ "max_body": "1KiB" })).await;
    let mut request = format!(
        "POST /api/trades HTTP/1.1\r\nHost: a\r\nContent-Type: {NDJSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for _ in 0..20 {
        request.push_str(&format!("64\r\n{}\r\n", "x".repeat(100)));
    }
    assert_eq!(server.raw(request.as_bytes()).await.status, 413);
}

#[tokio::test]
async fn a_writer_hears_of_a_new_ring_before_anything_is_taken() {
    let server = TestServer::start(json!({})).await;
    let mut v1 = server.v1("").await;
    let body = format!("{}\n", envelope(0));
    let refused = server
        .post(NDJSON, "If-Match: \"of before\"\r\n", body.as_bytes())
        .await;
    assert_eq!(refused.status, 412);
    let tag = refused
        .head
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let headers = format!("If-Match: {tag}\r\nPipeline-Replay: true\r\n");
    let taken = server.post(NDJSON, &headers, body.as_bytes()).await;
    assert_eq!(taken.json()["accepted"], 1, "the refused one took nothing");
    assert!(taken.head.contains(tag));
    let frame = v1.json().await;
    assert_eq!(
        (&frame["offset"], &frame["replay"]),
        (&json!(0), &json!(true))
    );
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let server = TestServer::start(json!({})).await;
    let response = server.get("/api/trades", "").await;
    assert_eq!(response.status, 405);
    assert!(
        response.head.to_ascii_lowercase().contains("allow: post"),
        "{response:?}"
    );
    assert_eq!(server.get("/other", "").await.status, 404);
}

#[tokio::test]
async fn without_a_token_only_programs_of_this_machine_may_write() {
    let server = TestServer::start(json!({})).await;
    for header in [
        "Origin: http://evil\r\n",
        "Forwarded: for=1.2.3.4\r\n",
        "X-Forwarded-For: 1.2.3.4\r\n",
    ] {
        let response = server.post(NDJSON, header, b"{\"data\":1}").await;
        assert_eq!(response.status, 403, "{header}");
    }
}

#[tokio::test]
async fn with_a_token_who_bears_it_may_write() {
    let server = TestServer::start(json!({ "token": "s3cret" })).await;
    for (header, status) in [
        ("", 401),
        ("Authorization: Bearer wrong\r\n", 401),
        ("Authorization: Basic s3cret\r\n", 401),
        (
            "Authorization: bearer s3cret\r\nOrigin: http://app\r\n",
            200,
        ),
    ] {
        let response = server.post(NDJSON, header, b"{\"data\":1}").await;
        assert_eq!(response.status, status, "{header}");
        assert_eq!(
            response
                .head
                .to_ascii_lowercase()
                .contains("www-authenticate: bearer"),
            status == 401
        );
        assert!(!response.body.contains("s3cret"));
    }
}

#[tokio::test]
async fn one_connection_carries_many_posts() {
    let server = TestServer::start(json!({})).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for offset in 0..3 {
        let body = envelope(offset).to_string();
        let request = format!(
            "POST /api/trades HTTP/1.1\r\nHost: a\r\nContent-Type: {NDJSON}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(read_response(&mut stream).await.json()["accepted"], 1);
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let server = TestServer::start(json!({ "request_timeout": "500ms" })).await;
    let request = format!(
        "POST /api/trades HTTP/1.1\r\nHost: a\r\nContent-Type: {NDJSON}\r\nContent-Length: 10\r\n\r\nx"
    );
    let response = server.raw(request.as_bytes()).await;
    assert_eq!(response.status, 408, "{response:?}");
}
