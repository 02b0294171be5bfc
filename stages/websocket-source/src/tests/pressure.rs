//! When the stages behind take no more.

use super::*;

/// Sends numbered messages until the stage stops reading; tells how many went through.
async fn fill(client: &mut Client, padding: usize) -> usize {
    let padding = "x".repeat(padding);
    for number in 0.. {
        let send = client
            .socket
            .send(Frame::text(format!("{number} {padding}")));
        if timeout(Duration::from_secs(1), send).await.is_err() {
            return number;
        }
    }
    0
}

#[test]
fn a_full_stage_stops_reading_tells_so_and_loses_nothing() {
    // Silence that the stage causes itself is not held against the server.
    let settings = json!({"idle_timeout": "2s", "stale_after": "2s", "ping": {"every": "100ms"}});
    with_feed(settings, async |server, stage| {
        let mut client = server.accept().await;
        stage.ready().await;
        stage.sent.block(true);
        let written = fill(&mut client, 10_000).await;
        assert!(
            written > 800,
            "{written} messages of 10 kB before it stopped"
        );
        stage
            .trouble("not reading, because the stages behind take no more")
            .await;
        stage.sent.block(false);
        let payloads = stage.payloads(written).await;
        assert!(
            payloads
                .iter()
                .zip(0..)
                .all(|(payload, number)| payload.starts_with(&format!("{number} ")))
        );
        stage.ready().await;
    });
}

#[test]
fn pings_are_answered_while_the_stages_behind_take_nothing() {
    with_feed(json!({}), async |server, stage| {
        let mut client = server.accept().await;
        stage.sent.block(true);
        for number in 0..200 {
            client.send(&number.to_string()).await;
        }
        client
            .socket
            .send(Frame::Ping("alive?".into()))
            .await
            .unwrap();
        assert_eq!(client.next().await, Some(Frame::Pong("alive?".into())));
        stage.sent.block(false);
        assert_eq!(stage.payloads(200).await.len(), 200);
    });
}
