//! A client of hyper on each of several connections: a request, its answer, the next request.

use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::figures::Run;
use crate::limit::tell;
use crate::process::Process;
use crate::trades::Trade;

pub(super) async fn run(addr: &str, connections: u64, messages: u64) {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..connections {
        let ids = messages * client / connections..messages * (client + 1) / connections;
        clients.spawn(send(addr.to_owned(), ids));
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("a client that ends in order");
    }
    tell(&Run::of(Process::own(), messages, start.elapsed()));
}

async fn send(addr: String, ids: std::ops::Range<u64>) {
    let stream = TcpStream::connect(&addr).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut client, connection) = handshake.expect("a client");
    tokio::spawn(connection);
    let mut trade = Trade::new();
    for id in ids {
        let body = Bytes::copy_from_slice(trade.numbered(id));
        let request = Request::post("/")
            .header(HOST, &addr)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body));
        let answer = client.send_request(request.expect("a request")).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body().collect().await.expect("a whole answer");
    }
}
