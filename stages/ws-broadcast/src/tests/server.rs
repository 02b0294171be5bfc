//! A server as the stage opens it, and clients that talk to it.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pipeline_sdk::{Context, Sink};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::WsBroadcast;

/// Bound of every wait of a test.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs until the test ends.
pub(super) struct TestServer {
    pub(super) address: SocketAddr,
    pub(super) stage: WsBroadcast,
    pub(super) context: Context,
}

/// What came back over HTTP.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Response {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl TestServer {
    /// Starts a server on a free port; `more` are settings beside `listen`.
    pub(super) async fn start(more: Value) -> Self {
        let mut config = json!({ "listen": "127.0.0.1:0", "name": "test" });
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let config = serde_json::from_value(config).unwrap();
        let context = Context::detached("ws");
        let mut stage = WsBroadcast::open(config, context.clone()).await.unwrap();
        let address = stage.serve().unwrap();
        Self {
            address,
            stage,
            context,
        }
    }

    /// Sends bytes and reads until the server closes or, with a length, has answered in full.
    pub(super) async fn raw(&self, request: &[u8]) -> Response {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        read_response(&mut stream).await
    }

    pub(super) async fn post(&self, content_type: &str, headers: &str, body: &[u8]) -> Response {
        let mut request = format!(
            "POST /api/trades HTTP/1.1\r\nHost: test\r\nContent-Type: {content_type}\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.raw(&request).await
    }

    /// POSTs envelopes and returns the answer.
    pub(super) async fn envelopes(&self, envelopes: &[Value]) -> Value {
        let body: String = envelopes
            .iter()
            .map(|envelope| format!("{envelope}\n"))
            .collect();
        let response = self.post("application/x-ndjson", "", body.as_bytes()).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    }

    pub(super) async fn get(&self, path: &str, headers: &str) -> Response {
        self.raw(
            format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n")
                .as_bytes(),
        )
        .await
    }

    pub(super) async fn client(&self, query: &str, v1: bool) -> Client {
        self.try_client(query, v1, None).await.unwrap()
    }

    /// A client of `pipeline.v1` that was greeted.
    pub(super) async fn v1(&self, query: &str) -> Client {
        let mut client = self.client(query, true).await;
        let hello = client.json().await;
        assert_eq!(
            (&hello["type"], &hello["server"]),
            (&json!("hello"), &json!("test"))
        );
        client
    }

    pub(super) async fn try_client(
        &self,
        query: &str,
        v1: bool,
        origin: Option<&str>,
    ) -> Result<Client, Error> {
        let mut request = format!("ws://{}/ws{query}", self.address).into_client_request()?;
        if v1 {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", "pipeline.v1".parse().unwrap());
        }
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        let (socket, _) = connect_async(request).await?;
        Ok(Client(socket))
    }
}

/// A WebSocket client.
#[derive(Debug)]
pub(super) struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// The next message of any kind but ping and pong.
    pub(super) async fn next(&mut self) -> Message {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("nothing came");
            match next.expect("the connection ended").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    pub(super) async fn text(&mut self) -> String {
        self.next().await.into_text().unwrap().to_string()
    }

    pub(super) async fn json(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The next frame, which must be a message: its offset.
    pub(super) async fn offset(&mut self) -> i64 {
        let frame = self.json().await;
        assert_eq!(frame["type"], "message", "{frame}");
        frame["offset"].as_i64().unwrap()
    }

    /// What the next pong says.
    pub(super) async fn pong(&mut self) -> String {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("nothing came");
            if let Message::Pong(said) = next.expect("the connection ended").unwrap() {
                return String::from_utf8(said.to_vec()).unwrap();
            }
        }
    }

    pub(super) async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// Close code and reason.
    pub(super) async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(Some(frame)) = self.next().await {
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }
}

/// An envelope of partition 0 of topic `t`.
pub(super) fn envelope(offset: i64) -> Value {
    json!({ "topic": "t", "partition": 0, "offset": offset, "timestamp": 1000 + offset, "data": { "n": offset } })
}

/// Reads one response: to the end, or as long as it says it is.
pub(super) async fn read_response(stream: &mut TcpStream) -> Response {
    let mut bytes = Vec::new();
    loop {
        if let Some(response) = whole(&bytes) {
            return response;
        }
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut bytes))
            .await
            .expect("no answer");
        if !matches!(read, Ok(length) if length > 0) {
            break;
        }
    }
    parse(&bytes)
}

fn whole(bytes: &[u8]) -> Option<Response> {
    let response = parse(bytes);
    let head = response.head.to_ascii_lowercase();
    let length: usize = head
        .split("content-length: ")
        .nth(1)?
        .split("\r\n")
        .next()?
        .parse()
        .ok()?;
    (response.body.len() >= length && head.ends_with("\r\n\r\n")).then_some(response)
}

fn parse(bytes: &[u8]) -> Response {
    let text = String::from_utf8_lossy(bytes);
    let end = text.find("\r\n\r\n").map_or(text.len(), |end| end + 4);
    let status = text
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Response {
        status,
        head: text[..end].to_owned(),
        body: text[end..].to_owned(),
    }
}
