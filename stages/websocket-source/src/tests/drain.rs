//! What is left in order when the stage drains.

use super::*;

#[test]
fn what_was_read_is_handed_over_and_the_server_is_told() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(&[&server.url], json!({})).await;
        let mut client = server.accept().await;
        stage.sent.block(true);
        for number in 0..100 {
            client.send(&number.to_string()).await;
        }
        client
            .socket
            .send(Frame::Ping("all read".into()))
            .await
            .unwrap();
        assert_eq!(client.next().await, Some(Frame::Pong("all read".into())));
        testing::drain(&stage.context);
        stage.sent.block(false);
        let sent = stage.drain().await;
        let count: usize = std::iter::from_fn(|| sent.next())
            .map(|batch| batch.len())
            .sum();
        assert_eq!(count, 100);
        match client.next().await {
            Some(Frame::Close(Some(frame))) => assert_eq!(u16::from(frame.code), 1001),
            other => panic!("expected a close frame, not {other:?}"),
        }
    });
}

#[test]
fn draining_does_not_wait_for_servers() {
    run(async {
        let server = Server::start().await;
        let connecting = Stage::start(&[&server.url], json!({"connect_timeout": "60s"})).await;
        let silent = server.accept_raw().await;
        let waiting = Stage::start(
            &["ws://127.0.0.1:1/"],
            json!({"reconnect": {"initial": "60s", "max": "60s"}}),
        )
        .await;
        waiting.trouble("cannot connect").await;
        let asked = tokio::time::Instant::now();
        connecting.drain().await;
        waiting.drain().await;
        // Both waits were longer.
        assert!(asked.elapsed() < Duration::from_secs(30));
        drop(silent);
    });
}
