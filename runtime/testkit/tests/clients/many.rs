//! A thousand clients of one server.

use futures_util::future::join_all;
use pipeline_testkit::{V1Client, WsClient};
use serde_json::json;

use crate::server::{QUIET, Server, is_shown};

const CLIENTS: usize = 1000;
const MESSAGES: i64 = 200;
const POST: i64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_each_get_every_message() {
    let _quiet = QUIET.lock().await;
    let server = Server::start("", "").await;
    let url = server.socket();
    let (mut plain, mut v1) = (Vec::new(), Vec::new());
    // In groups, as a listener's queue is not endless.
    while plain.len() + v1.len() < CLIENTS {
        plain.extend(join_all((0..50).map(|_| WsClient::connect(&url))).await);
        v1.extend(join_all((0..50).map(|_| V1Client::connect(&url))).await);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for mut client in plain {
        tasks.spawn(async move {
            for offset in 0..MESSAGES {
                let text = client.text().await.expect("a message");
                assert_eq!(text.as_str(), json!({ "n": offset }).to_string());
            }
        });
    }
    for mut client in v1 {
        tasks.spawn(async move { is_shown(&mut client, MESSAGES).await });
    }
    for first in (0..MESSAGES).step_by(POST as usize) {
        server.post(first..first + POST).await;
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}
