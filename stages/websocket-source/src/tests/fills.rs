//! A relay and the server that it fills, which starts anew alone.

use super::relay::{message, next_positions};
use super::*;

/// A stage that reads one server of another pipeline and fills one of its own.
struct Scene {
    peer: Server,
    own: Server,
    stage: Stage,
}

impl Scene {
    async fn start() -> Scene {
        let (peer, own) = (Server::start().await, Server::start().await);
        let settings =
            json!({"protocol": "pipeline.v1", "local_only": true, "recent": 7, "fills": own.url});
        let stage = Stage::start(&[&peer.url], settings).await;
        Scene { peer, own, stage }
    }

    /// The own server lets the stage in, in this epoch.
    async fn own(&self, epoch: &str) -> Client {
        let mut own = self.own.accept().await;
        assert_eq!(own.path, "/feed?hello_only=true");
        own.send(&json!({"type": "hello", "server": "own", "epoch": epoch}).to_string())
            .await;
        own
    }
}

#[test]
fn the_past_is_asked_for_again_when_the_own_server_starts_anew() {
    run(async {
        let scene = Scene::start().await;
        let own = scene.own("1").await;
        let mut peer = scene.peer.accept().await;
        peer.send(&message(0, 1)).await;
        peer.send(&message(0, 2)).await;
        assert_eq!(next_positions(&scene.stage, 2).await, [(0, 1), (0, 2)]);
        drop(own);
        assert_eq!(peer.next().await, None, "nothing is read meanwhile");
        let _own = scene.own("2").await;
        let mut peer = scene.peer.accept().await;
        assert_eq!(peer.path, "/feed?local_only=true&recent=7");
        peer.send(
            &json!({"type": "hello", "server": "a", "epoch": "e", "head": "t/0:2"}).to_string(),
        )
        .await;
        peer.send(&message(0, 1)).await;
        peer.send(&message(0, 2)).await;
        let mut replays = Vec::new();
        while replays.len() < 2 {
            let batch = scene.stage.batch().await;
            replays.extend(batch.iter().map(|message| message.is_replay()));
        }
        assert_eq!(replays, [true, true]);
        scene.stage.drain().await;
    });
}

#[test]
fn an_own_server_that_has_its_ring_still_costs_nothing() {
    run(async {
        let scene = Scene::start().await;
        let own = scene.own("1").await;
        let mut peer = scene.peer.accept().await;
        peer.send(&message(0, 1)).await;
        assert_eq!(next_positions(&scene.stage, 1).await, [(0, 1)]);
        drop(own);
        let _own = scene.own("1").await;
        let mut peer = scene.peer.accept().await;
        assert_eq!(peer.path, "/feed?local_only=true&after=t%2F0%3A1");
        peer.send(&message(0, 2)).await;
        assert_eq!(next_positions(&scene.stage, 1).await, [(0, 2)]);
        scene.stage.drain().await;
    });
}

#[test]
fn messages_pass_while_the_own_server_was_never_there() {
    run(async {
        let peer = Server::start().await;
        let settings =
            json!({"protocol": "pipeline.v1", "local_only": true, "fills": "ws://127.0.0.1:1/ws"});
        let stage = Stage::start(&[&peer.url], settings).await;
        let mut client = peer.accept().await;
        client.send(&message(0, 1)).await;
        assert_eq!(next_positions(&stage, 1).await, [(0, 1)]);
        stage.drain().await;
    });
}
