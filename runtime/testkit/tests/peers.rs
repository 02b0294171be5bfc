//! The peers do what their names say: a fault that does not happen would prove nothing.

use std::time::Duration;

use pipeline_testkit::{Answer, Exchange, HttpReceiver, V1Client, WsClient, http};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

async fn connected(exchange: &Exchange) -> (WsClient, pipeline_testkit::Connection) {
    let url = exchange.url();
    tokio::join!(WsClient::connect(&url), exchange.accept())
}

#[tokio::test]
async fn the_exchange_hears_what_a_client_subscribes_to() {
    let exchange = Exchange::listen().await;
    let (mut client, mut connection) = connected(&exchange).await;
    client.send("subscribe").await;
    assert_eq!(connection.receive_text().await, "subscribe");
    assert_eq!(connection.uri().path(), "/feed");
    connection.send_fragments(&["one ", "message"]).await;
    assert_eq!(client.text().await.unwrap().as_str(), "one message");
}

#[tokio::test]
async fn frames_against_the_protocol_end_a_client() {
    let exchange = Exchange::listen().await;
    let (mut client, mut connection) = connected(&exchange).await;
    connection.send_text_bytes(&[0xff, 0xfe]).await;
    assert!(client.next().await.is_none());

    let (mut client, mut connection) = connected(&exchange).await;
    connection.send_compressed(b"{}").await;
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn a_close_code_arrives_and_a_reset_has_none() {
    let exchange = Exchange::listen().await;
    let (mut client, connection) = connected(&exchange).await;
    let (code, ()) = tokio::join!(client.close_code(), connection.close(1012, "restart"));
    assert_eq!(code, Some(1012));

    let (mut client, connection) = connected(&exchange).await;
    connection.reset();
    assert_eq!(client.close_code().await, None);
}

#[tokio::test]
async fn a_silent_exchange_answers_pings_only() {
    let exchange = Exchange::listen().await;
    let (mut client, connection) = connected(&exchange).await;
    let _silent = connection.stay_silent();
    client.ping().await;
    assert!(matches!(client.next().await, Some(Message::Pong(_))));
}

#[tokio::test]
async fn a_refused_upgrade_shows_its_status() {
    let exchange = Exchange::listen().await;
    let url = exchange.url();
    let refuse = async {
        exchange
            .arrival()
            .await
            .refuse("429 Too Many Requests", &[("retry-after", "1")])
            .await;
    };
    let (client, ()) = tokio::join!(WsClient::try_connect(&url, &[]), refuse);
    assert_eq!(
        client.err().as_deref(),
        Some("refused with 429 Too Many Requests")
    );
}

#[tokio::test]
async fn an_exchange_that_was_down_has_its_address_again() {
    let mut exchange = Exchange::listen().await;
    exchange.down();
    assert!(WsClient::try_connect(&exchange.url(), &[]).await.is_err());
    exchange.up().await;
    connected(&exchange).await;
}

#[tokio::test]
async fn a_pipeline_v1_client_resumes_after_what_it_saw() {
    let exchange = Exchange::listen().await;
    let url = exchange.url();
    let hello = json!({"type": "hello", "server": "s", "epoch": "1"}).to_string();
    let server = async {
        let mut connection = exchange.accept().await;
        assert_eq!(
            connection.headers()["sec-websocket-protocol"],
            "pipeline.v1"
        );
        connection.send(hello.as_str()).await;
        let message =
            json!({"type": "message", "topic": "t", "partition": 0, "offset": 0, "data": 1});
        connection.send(message.to_string()).await;
        connection.reset();
        let mut connection = exchange.accept().await;
        connection.send(hello.as_str()).await;
        connection.uri().query().map(str::to_owned)
    };
    let client = async {
        let mut client = V1Client::connect(&url).await;
        client
            .read_until(Duration::from_secs(60), |seen| seen.count() == 1)
            .await
            .unwrap();
        client.resume(&url).await.unwrap();
    };
    let (query, ()) = tokio::join!(server, client);
    assert_eq!(query.as_deref(), Some("after=t/0:0"));
}

#[tokio::test]
async fn the_receiver_follows_its_script_and_keeps_the_requests() {
    let busy = Answer::status(503).header("retry-after", "1");
    let receiver =
        HttpReceiver::scripted([busy, Answer::disconnect(), Answer::json(json!({}))]).await;
    let url = receiver.url();
    assert_eq!(http::post(&url, "text/plain", "a").await.unwrap().0, 503);
    assert!(http::post(&url, "text/plain", "b").await.is_err());
    assert_eq!(
        http::post(&url, "text/plain", "c").await.unwrap(),
        (http::StatusCode::OK, "{}".into())
    );
    assert_eq!(http::post(&url, "text/plain", "d").await.unwrap().0, 200);

    let received = receiver.wait_for(4, Duration::from_secs(60)).await;
    assert_eq!(received[0].line, "POST /receive");
    assert_eq!(
        received.iter().map(|it| it.text()).collect::<String>(),
        "abcd"
    );
}

#[tokio::test]
async fn a_receiver_that_hangs_does_not_answer() {
    let receiver = HttpReceiver::scripted([Answer::hang()]).await;
    let url = receiver.url();
    let asked = tokio::spawn(async move { http::get(&url).await });
    receiver.wait_for(1, Duration::from_secs(60)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!asked.is_finished());
}
