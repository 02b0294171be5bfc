//! What other stages pass on, and the stage's life as its host sees it.

use std::sync::Arc;

use pipeline_sdk::prelude::*;
use pipeline_sdk::testing::{self, Settled};
use serde_json::{Value, json};
use stage_envelope::{FROM_HEADER, TIMES_HEADER};

use super::frames::decode;
use super::server::{TestServer, envelope};
use crate::WsBroadcast;
use crate::cursor::{Cursor, Start, View};
use crate::hub::tests::hub;
use crate::upstream;

/// Puts one batch into a fresh ring; answers the frames that clients of both views get.
async fn broadcast(topic: &str, records: &[Record<'_>]) -> (Vec<Value>, Vec<String>, Vec<Settled>) {
    let hub = hub();
    let context = Context::detached("ws");
    let (feed, mut input) = testing::input(&context);
    feed.push_topic(topic, records);
    upstream::take(&hub, &input.recv().await.unwrap());
    let written = |view| {
        let mut out = Vec::new();
        hub.look(|ring| {
            Cursor::new(ring, view, Start::Recent(100)).gather(ring, &mut out, usize::MAX)
        });
        decode(&out)
    };
    let frames = written(View::V1 { local_only: false });
    assert_eq!(
        written(View::V1 { local_only: true }),
        [""; 0],
        "what is passed on is not local"
    );
    let frames = frames
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    (frames, written(View::Plain), feed.settled())
}

#[tokio::test]
async fn messages_of_a_consumer_keep_position_trace_and_times() {
    let trace = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let record = Record::new(b"{\"p\":1}")
        .key(b"KRW-BTC".as_slice())
        .position(2, 42)
        .timestamp_ns(5)
        .trace(trace)
        .headers(&[("kafka-timestamp", b"1700000000000")]);
    let (frames, plain, settled) = broadcast("stock_trade", &[record]).await;
    let frame = &frames[0];
    assert_eq!(frame["from"], "server");
    assert_eq!(
        (&frame["topic"], &frame["partition"], &frame["offset"]),
        (&json!("stock_trade"), &json!(2), &json!(42))
    );
    assert_eq!(
        (&frame["timestamp"], &frame["key"]),
        (&json!(5), &json!("KRW-BTC"))
    );
    // The same trace; the parent of what comes next is the broadcast.
    let told = frame["trace"].as_str().and_then(Trace::parse).unwrap();
    let given = trace.unwrap();
    assert_eq!((told.trace_id, told.flags), (given.trace_id, given.flags));
    assert_ne!(told.span_id, given.span_id);
    let times = &frame["times"];
    assert_eq!(
        (&times["received"], &times["produced"]),
        (&json!(5), &json!(1_700_000_000_000_000_000_i64))
    );
    assert!(times["consumed"].is_i64() && times["accepted"].is_i64());
    assert_eq!(plain, ["{\"p\":1}"]);
    assert_eq!(
        settled,
        [Settled {
            batch: 0,
            range: 0..1,
            rejected: None
        }]
    );
}

#[tokio::test]
async fn messages_of_another_server_keep_what_it_told() {
    let headers: &[(&str, &[u8])] = &[
        (FROM_HEADER, b"10.0.0.2:8080"),
        (TIMES_HEADER, br#"{"received":1,"posted":3,"accepted":4}"#),
    ];
    let record = Record::new(b"1")
        .position(0, 7)
        .timestamp_ns(1)
        .headers(headers);
    let (frames, _, _) = broadcast("t", &[record]).await;
    assert_eq!(frames[0]["from"], "10.0.0.2:8080");
    let times = &frames[0]["times"];
    assert_eq!(
        (&times["received"], &times["posted"], times.get("consumed")),
        (&json!(1), &json!(3), None)
    );
    assert!(times["accepted"].as_i64().unwrap() > 4);
}

#[tokio::test]
async fn messages_without_a_position_are_broadcast_and_duplicates_dropped() {
    let loose = Record::new(b"not json");
    let replayed = Record::new(b"2")
        .position(0, 1)
        .timestamp_ns(1)
        .replay(true);
    let (frames, plain, settled) = broadcast("t", &[loose, replayed, replayed]).await;
    assert_eq!(frames.len(), 2);
    assert_eq!(
        (&frames[0]["data_base64"], &frames[0]["topic"]),
        (&json!("bm90IGpzb24="), &json!("t"))
    );
    assert_eq!(frames[1]["replay"], true);
    assert_eq!(plain, ["not json"]);
    assert_eq!(
        settled,
        [Settled {
            batch: 0,
            range: 0..3,
            rejected: None
        }]
    );
}

#[tokio::test]
async fn a_stage_without_inputs_serves_until_it_drains() {
    let server = TestServer::start(json!({})).await;
    let mut client = server.v1("").await;
    server.envelopes(&[envelope(0)]).await;
    let TestServer {
        mut stage, context, ..
    } = server;
    let (feed, mut input) = testing::input(&context);
    feed.push_topic("t", &[Record::new(b"9").position(0, 1).timestamp_ns(1001)]);
    testing::drain(&context);
    let (ran, ()) = tokio::join!(stage.run(&mut input), async {
        assert_eq!((client.offset().await, client.offset().await), (0, 1));
        assert_eq!(client.closed().await.0, 1001);
    });
    ran.unwrap();
    assert_eq!(feed.settled().len(), 1);
}

#[tokio::test]
async fn a_port_in_use_and_a_site_that_is_no_folder_are_named() {
    let server = TestServer::start(json!({})).await;
    let open = async |config: Value| {
        let config = serde_json::from_value(config).unwrap();
        let opened = WsBroadcast::open(config, Context::detached("ws")).await;
        opened
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let taken = open(json!({ "listen": server.address })).await;
    assert!(
        taken.starts_with(&format!("cannot listen on `{}`", server.address)),
        "{taken}"
    );
    let missing = open(json!({ "listen": "127.0.0.1:0", "site": "/nowhere" })).await;
    assert_eq!(missing, "`site`: `/nowhere` is not a folder");
}

#[tokio::test]
async fn tls_is_served_when_it_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = TestServer::start(json!({ "tls": { "cert_file": cert, "key_file": key } })).await;

    let client = pipeline_sdk::tls::ClientTls {
        ca_file: Some(cert),
        ..Default::default()
    };
    let connector = tokio_rustls::TlsConnector::from(client.client_config().unwrap());
    let stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async("wss://localhost/ws", stream)
        .await
        .unwrap();

    // More than a socket takes at once, so that writes are cut and flushed.
    let payload = format!("\"{}\"", "x".repeat(900_000));
    let hub = Arc::clone(&server.stage.hub);
    for offset in 0..5 {
        let message = super::frames::message(0, offset, 1, &payload);
        hub.take(true, |intake| intake.take("server", &message))
            .0
            .unwrap();
    }
    for _ in 0..5 {
        let message = futures_util::StreamExt::next(&mut socket)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(message.len(), payload.len());
    }
}
