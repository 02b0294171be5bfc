//! `POST /api/trades`.

use serde_json::json;

use super::server::{TestServer, envelope};

#[tokio::test]
async fn posted_envelopes_reach_plain_and_v1_clients() {
    let server = TestServer::start(json!({})).await;
    let mut plain = server.client("", false).await;
    let mut v1 = server.client("", true).await;
    let hello = v1.json().await;
    assert_eq!(
        (&hello["type"], &hello["server"]),
        (&json!("hello"), &json!("test"))
    );

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
    assert!(frame["times"]["accepted"].as_i64().unwrap() > 1_600_000_000_000_000_000);
    assert_eq!(v1.offset().await, 1);
}
