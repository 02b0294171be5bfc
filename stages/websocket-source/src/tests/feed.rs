//! What a plain feed is: subscriptions, headers, texts and binaries, groups.

use super::*;

#[test]
fn texts_and_binaries_pass_in_order_with_their_receive_time() {
    with_feed(json!({}), async |server, stage| {
        let mut client = server.accept().await;
        client.send("{\"a\":1}").await;
        client
            .socket
            .send(Frame::binary(b"{\"b\":2}".to_vec()))
            .await
            .unwrap();
        client.socket.send(Frame::Ping("x".into())).await.unwrap();
        client.send("").await;
        assert_eq!(stage.payloads(3).await, ["{\"a\":1}", "{\"b\":2}", ""]);
        assert_eq!(client.next().await, Some(Frame::Pong("x".into())));
        client.send("now").await;
        let received = stage.batch().await.get(0).timestamp_ns();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_nanos() as i64;
        assert!((now - 60_000_000_000..=now).contains(&received));
        stage.ready().await;
    });
}

#[test]
fn frames_that_are_ready_come_as_one_batch() {
    with_feed(json!({}), async |server, stage| {
        let mut client = server.accept().await;
        for number in 0..500 {
            client
                .socket
                .feed(Frame::text(number.to_string()))
                .await
                .unwrap();
        }
        client.socket.flush().await.unwrap();
        let batch = stage.batch().await;
        assert!(
            batch.len() > 100,
            "{} messages in the first batch",
            batch.len()
        );
    });
}

#[test]
fn subscriptions_are_sent_in_order_paced_and_again_on_every_connection() {
    let settings = json!({"subscribe": [[{"ticket": "t"}, {"type": "trade"}], "plain text"], "subscribe_interval": "1s"});
    with_feed(settings, async |server, _| {
        for _ in 0..2 {
            let mut client = server.accept().await;
            assert_eq!(
                client.next().await,
                Some(Frame::text(r#"[{"ticket":"t"},{"type":"trade"}]"#))
            );
            let first = tokio::time::Instant::now();
            assert_eq!(client.next().await, Some(Frame::text("plain text")));
            assert!(first.elapsed() >= Duration::from_millis(500));
            client.socket.close(None).await.unwrap();
        }
    });
}

#[test]
fn headers_and_credentials_are_sent_and_never_told() {
    run(async {
        let server = Server::start().await;
        let url = server
            .url
            .replace("ws://", "ws://me:secret@")
            .replace("/feed", "/feed?token=secret");
        let stage = Stage::start(&[&url], json!({"headers": {"X-Api-Key": "secret"}})).await;
        let client = server.accept().await;
        assert_eq!(client.header("authorization"), Some("Basic bWU6c2VjcmV0"));
        assert_eq!(
            (client.header("x-api-key"), client.path.as_str()),
            (Some("secret"), "/feed?token=secret")
        );
        drop(client);
        drop(server);
        assert!(!stage.trouble("cannot connect").await.contains("secret"));
        stage.drain().await;
    });
}

#[test]
fn fragments_become_one_message_even_around_a_ping() {
    run(async {
        use tokio_tungstenite::tungstenite::protocol::frame::Frame as Part;
        use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
        let server = Server::start().await;
        let stage = Stage::start(&[&server.url], json!({})).await;
        let mut client = server.accept().await;
        let part = |text: &str, code, last| {
            Frame::Frame(Part::message(
                text.as_bytes().to_vec(),
                OpCode::Data(code),
                last,
            ))
        };
        client
            .socket
            .send(part("{\"whole\":", Data::Text, false))
            .await
            .unwrap();
        client
            .socket
            .send(Frame::Ping("between".into()))
            .await
            .unwrap();
        client
            .socket
            .send(part("tr", Data::Continue, false))
            .await
            .unwrap();
        client
            .socket
            .send(part("ue}", Data::Continue, true))
            .await
            .unwrap();
        assert_eq!(stage.payloads(1).await, ["{\"whole\":true}"]);
        assert_eq!(client.next().await, Some(Frame::Pong("between".into())));
        stage.drain().await;
    });
}

#[test]
fn pings_are_texts_or_frames() {
    run(async {
        for (ping, expected) in [
            (
                json!({"every": "20ms", "text": "{\"method\":\"ping\"}"}),
                Frame::text("{\"method\":\"ping\"}"),
            ),
            (
                json!({"every": "20ms", "frame": "hi"}),
                Frame::Ping("hi".into()),
            ),
            (json!({"every": "20ms"}), Frame::Ping("".into())),
        ] {
            let server = Server::start().await;
            let stage = Stage::start(&[&server.url], json!({"ping": ping})).await;
            let mut client = server.accept().await;
            assert_eq!(client.next().await, Some(expected.clone()));
            assert_eq!(client.next().await, Some(expected));
            stage.drain().await;
        }
    });
}

#[test]
fn split_key_dedupe_and_sequence_work_together() {
    let settings = json!({
        "split": "/data", "key": "/s", "dedupe": {"pointer": "/id", "key": "/s"}, "sequence": {"pointer": "/id", "key": "/s"},
    });
    with_feed(settings, async |server, stage| {
        let mut client = server.accept().await;
        client
            .send(r#"{"data":[{"s":"A","id":1},{"s":"A","id":1},{"s":"A","id":3}]}"#)
            .await;
        let batch = stage.batch().await;
        let messages: Vec<_> = batch
            .iter()
            .map(|message| {
                (
                    message.payload().to_vec(),
                    message.key().map(<[u8]>::to_vec),
                )
            })
            .collect();
        let key = Some(b"A".to_vec());
        assert_eq!(
            messages,
            [
                (br#"{"s":"A","id":1}"#.to_vec(), key.clone()),
                (br#"{"s":"A","id":3}"#.to_vec(), key)
            ]
        );
    });
}

#[test]
fn more_messages_than_a_batch_holds_become_several_batches() {
    with_feed(json!({"split": ""}), async |server, stage| {
        let mut client = server.accept().await;
        let numbers: Vec<u32> = (0..10_000).collect();
        client.send(&json!(numbers).to_string()).await;
        let payloads = stage.payloads(10_000).await;
        assert!(
            payloads
                .iter()
                .zip(0..)
                .all(|(payload, number)| *payload == number.to_string())
        );
    });
}

#[test]
fn without_an_address_the_stage_is_ready_and_idles() {
    run(async {
        let stage = Stage::start(&[], json!({})).await;
        stage.ready().await;
        sleep(Duration::from_millis(20)).await;
        assert!(!stage.task.is_finished());
        stage.drain().await;
    });
}
