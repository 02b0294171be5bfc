//! A server and the relay in its process, which listens to another server.

use std::fs;

use http::StatusCode;
use pipeline_testkit::{V1Client, eventually};

use crate::server::{Server, WITHIN, is_shown};

/// A server that is fed by what `peer` is POSTed, as on a consumer VM.
async fn relaying(peer: &Server) -> Server {
    let relay = format!(
        "- {{ use: websocket-source, with: {{ urls: ['{}'], protocol: pipeline.v1, local_only: true, fills: 'ws://OWN/ws', \
         recent: 1000, reconnect: {{ initial: 10ms, max: 100ms }} }} }}",
        peer.socket()
    );
    Server::start(", max_clients: 100", &relay).await
}

/// Starts the server alone anew, by a reload of its settings, and waits until it serves from an empty ring.
async fn start_anew(server: &mut Server) {
    let epoch = V1Client::connect(&server.socket()).await.hello()["epoch"].clone();
    let file = server.process.folder().join("pipeline.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("max_clients: 100", "max_clients: 101")).unwrap();
    server.process.sighup();
    eventually(WITHIN, "another epoch", async || {
        let client = V1Client::try_connect(&server.socket()).await?;
        match client.hello()["epoch"] == epoch {
            true => Err("the same ring".to_owned()),
            false => Ok(()),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_anew_alone_is_given_what_its_peers_told() {
    let peer = Server::start("", "").await;
    let mut server = relaying(&peer).await;
    peer.post(0..50).await;
    let mut client = V1Client::connect(&format!("{}?recent=1000", server.socket())).await;
    is_shown(&mut client, 50).await;

    start_anew(&mut server).await;
    peer.post(50..60).await;
    let mut newcomer = V1Client::connect(&format!("{}?recent=1000", server.socket())).await;
    is_shown(&mut newcomer, 60).await;
    client.resume(&server.socket()).await.unwrap();
    is_shown(&mut client, 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_peers_are_dead_stays_in_service() {
    let mut peer = Server::start("", "").await;
    let server = relaying(&peer).await;
    let connected = async |expected: bool| {
        eventually(WITHIN, "the relay's word on its peer", async || {
            let document = server.document_of("websocket-source").await;
            match document["servers"][0]["connected"] == expected {
                true => Ok(()),
                false => Err(document.to_string()),
            }
        })
        .await;
    };
    connected(true).await;
    peer.process.kill9();
    connected(false).await;
    assert_eq!(server.process.readyz().await.unwrap().0, StatusCode::OK);
    server.post(0..3).await;
    let mut client = V1Client::connect(&format!("{}?recent=3", server.socket())).await;
    is_shown(&mut client, 3).await;
}
