//! `pipeline.v1` between servers.

use super::*;

pub(super) fn message(partition: i32, offset: i64) -> String {
    json!({"type": "message", "from": "a", "topic": "t", "partition": partition, "offset": offset, "timestamp": 100 + offset, "data": {"n": offset}})
        .to_string()
}

fn positions(batch: &Batch) -> Vec<(i32, i64)> {
    batch
        .iter()
        .filter_map(|message| message.position())
        .map(|position| (position.partition, position.offset))
        .collect()
}

pub(super) async fn next_positions(stage: &Stage, count: usize) -> Vec<(i32, i64)> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(positions(&stage.batch().await));
    }
    all
}

#[test]
fn the_first_connection_asks_for_the_past_and_later_ones_for_what_is_new() {
    let settings = json!({"protocol": "pipeline.v1", "local_only": true, "recent": 77});
    with_feed(settings, async |server, stage| {
        let mut client = server.accept().await;
        assert_eq!(client.header("sec-websocket-protocol"), Some("pipeline.v1"));
        assert_eq!(client.path, "/feed?local_only=true&recent=77");
        client
            .send(&json!({"type": "hello", "server": "a", "epoch": "e"}).to_string())
            .await;
        client.send(&message(0, 5)).await;
        client.send(&message(1, 9)).await;
        client.send(&message(0, 6)).await;
        assert_eq!(next_positions(stage, 3).await, [(0, 5), (1, 9), (0, 6)]);
        drop(client);
        let mut client = server.accept().await;
        assert_eq!(
            client.path,
            "/feed?local_only=true&after=t%2F0%3A6%2Ct%2F1%3A9"
        );
        client.send(&message(0, 6)).await;
        client.send(&message(0, 7)).await;
        assert_eq!(next_positions(stage, 1).await, [(0, 7)]);
    });
}

#[test]
fn all_servers_are_read_at_once_and_each_message_comes_once() {
    run(async {
        let (first, second) = (Server::start().await, Server::start().await);
        let stage = Stage::start(
            &[&first.url, &second.url],
            json!({"protocol": "pipeline.v1"}),
        )
        .await;
        let (mut one, mut other) = (first.accept().await, second.accept().await);
        for offset in 0..50 {
            one.send(&message(0, offset)).await;
            other.send(&message(0, offset)).await;
            other.send(&message(1, offset)).await;
        }
        let mut all = next_positions(&stage, 100).await;
        for partition in 0..2 {
            let offsets = all
                .iter()
                .filter(|position| position.0 == partition)
                .map(|position| position.1);
            assert!(offsets.eq(0..50), "partition {partition} in order");
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 100);
        stage.drain().await;
    });
}

#[test]
fn the_others_go_on_when_one_server_is_down() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(
            &["ws://127.0.0.1:1/ws", &server.url],
            json!({"protocol": "pipeline.v1"}),
        )
        .await;
        let mut client = server.accept().await;
        client.send(&message(0, 1)).await;
        assert_eq!(next_positions(&stage, 1).await, [(0, 1)]);
        stage.ready().await;
        drop(client);
        drop(server);
        stage.trouble("cannot connect").await;
        stage.drain().await;
    });
}

#[test]
fn a_server_of_another_kind_is_told() {
    with_feed(json!({"protocol": "pipeline.v1"}), async |server, stage| {
        let stream = server.accept_raw().await;
        let plain = tokio_tungstenite::accept_async(stream).await;
        stage
            .trouble("the server does not speak `pipeline.v1`")
            .await;
        drop(plain);
    });
}

#[test]
fn a_draining_server_says_when_to_come_back() {
    run(async {
        use tokio_tungstenite::tungstenite::protocol::CloseFrame;
        let server = Server::start().await;
        let stage = Stage::start(&[&server.url], json!({"protocol": "pipeline.v1"})).await;
        let mut client = server.accept().await;
        let frame = CloseFrame {
            code: 1001.into(),
            reason: "drain; reconnect_ms=2000".into(),
        };
        client.socket.close(Some(frame)).await.unwrap();
        let closed = tokio::time::Instant::now();
        server.accept().await;
        assert!(closed.elapsed() >= Duration::from_secs(1));
        stage.drain().await;
    });
}

#[test]
fn messages_without_a_position_and_of_several_topics_pass() {
    with_feed(json!({"protocol": "pipeline.v1"}), async |server, stage| {
        let mut client = server.accept().await;
        for text in [
            message(0, 1),
            message(0, 2).replace("\"t\"", "\"u\""),
            json!({"type": "message", "from": "a", "data": 3}).to_string(),
            message(0, 3),
        ] {
            client.send(&text).await;
        }
        let mut topics = Vec::new();
        while topics.len() < 4 {
            let batch = stage.batch().await;
            topics.extend(
                batch
                    .iter()
                    .map(|message| message.position().map(|position| position.topic.to_owned())),
            );
        }
        assert_eq!(
            topics,
            [
                Some("t".to_owned()),
                Some("u".to_owned()),
                None,
                Some("t".to_owned())
            ]
        );
    });
}
