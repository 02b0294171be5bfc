//! One way through everything that is real: exchange, producer VM, Kafka, consumer VM, browsers.

use std::time::Duration;

use pipeline_testkit::{Deployment, Exchange, V1Client, WsClient, kafka, upbit_trade};
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_reaches_browsers_with_its_position() {
    let kafka = kafka::cluster().shared();
    let deployment = Deployment::new(&kafka, 1).await;
    let exchange = Exchange::listen().await;
    let mut consumer = deployment.consumer(1).spawn();
    consumer.ready().await;
    let mut producer = deployment.producer(&exchange.url()).spawn();
    let mut feed = exchange.accept().await;
    assert!(
        feed.receive_text().await.contains("KRW-BTC"),
        "the subscription names the markets"
    );

    let mut browser = WsClient::connect(&deployment.socket(1)).await;
    let mut page = V1Client::connect(&deployment.socket(1)).await;
    for sequence in 0..30 {
        feed.send(upbit_trade(sequence)).await;
    }

    page.read_until(WITHIN, |seen| seen.count() == 30)
        .await
        .unwrap();
    page.seen()
        .assert_exactly_once(deployment.topic(), &kafka.end_offsets(deployment.topic()));
    let plain: Value = serde_json::from_str(&browser.text().await.unwrap()).unwrap();
    assert_eq!(
        (&plain["venue"], &plain["symbol"], &plain["price"]),
        (&json!("upbit"), &json!("KRW-BTC"), &json!("50000000"))
    );

    producer.sigterm();
    assert_eq!(producer.exit_code(WITHIN).await, 0);
    consumer.sigterm();
    assert_eq!(consumer.exit_code(WITHIN).await, 0);
    let committed: i64 = kafka
        .committed(deployment.group(), deployment.topic())
        .into_iter()
        .flatten()
        .sum();
    assert_eq!(committed, 30);
}
