//! How the server goes away.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use super::server::{TestServer, envelope};
use crate::phase::Phase;

#[tokio::test]
async fn clients_get_the_rest_and_are_told_when_to_come_back() {
    let server = TestServer::start(json!({ "reconnect_spread": "2s" })).await;
    let mut client = server.v1("").await;
    server.envelopes(&[envelope(0), envelope(1)]).await;
    server.stage.end(Phase::Closing);
    assert_eq!((client.offset().await, client.offset().await), (0, 1));
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1001);
    let wait: u64 = reason
        .strip_prefix("drain; reconnect_ms=")
        .unwrap()
        .parse()
        .unwrap();
    assert!(wait <= 2000);
}

#[tokio::test]
async fn while_draining_nothing_new_comes_in() {
    let server = TestServer::start(json!({})).await;
    let mut client = server.v1("").await;
    server.stage.end(Phase::Draining);
    // What was connected before is still served; a new connection is told to come back.
    let response = server.post("application/json", "", b"1").await;
    assert_eq!(response.status, 503, "{response:?}");
    assert!(
        response
            .head
            .to_ascii_lowercase()
            .contains("retry-after: 1")
    );
    let refused = server.try_client("", true, None).await;
    assert!(matches!(refused, Err(Error::Http(response)) if response.status() == 503));
    let quiet = tokio::time::timeout(Duration::from_millis(50), client.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}
