//! An exchange that does what a test says: each step of each connection, wrong ones too.
//!
//! The test holds the connection, so "goes silent" is a connection that is held and not used: the peer's data is taken
//! in by the kernel and nothing ever comes back, which is what a half-open socket looks like from the other side.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, Uri};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use crate::Ports;

/// How long a test waits for what the pipeline should do next.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that keeps its address while it is down.
pub struct Exchange {
    ports: Ports,
    listener: Option<TcpListener>,
}

impl Exchange {
    /// Listens on an address of its own.
    pub async fn listen() -> Self {
        let mut exchange = Self {
            ports: Ports::one(),
            listener: None,
        };
        exchange.up().await;
        exchange
    }

    /// What a client connects to.
    pub fn url(&self) -> String {
        format!("ws://{}/feed", self.addr())
    }

    /// The address.
    pub fn addr(&self) -> SocketAddr {
        self.ports.addr(0)
    }

    /// Stops listening: connections are refused from now on.
    pub fn down(&mut self) {
        self.listener = None;
    }

    /// Listens again.
    pub async fn up(&mut self) {
        self.listener = Some(
            TcpListener::bind(self.addr())
                .await
                .expect("address of the exchange"),
        );
    }

    /// Waits for the next TCP connection.
    pub async fn arrival(&self) -> Arrival {
        let listener = self.listener.as_ref().expect("an exchange that is up");
        let accepted = timeout(PATIENCE, listener.accept())
            .await
            .expect("a connection to the exchange");
        Arrival {
            stream: accepted.expect("accepted connection").0,
        }
    }

    /// Waits for the next connection and makes it a WebSocket.
    pub async fn accept(&self) -> Connection {
        self.arrival().await.upgrade().await
    }
}

/// A TCP connection on which the client asks, or will ask, for a WebSocket.
pub struct Arrival {
    stream: TcpStream,
}

impl Arrival {
    /// Answers as a good server does, with the subprotocol that the client asks for.
    pub async fn upgrade(self) -> Connection {
        let (mut uri, mut headers) = (Uri::default(), HeaderMap::new());
        // The error type is tungstenite's; this callback has none to give.
        #[allow(clippy::result_large_err)]
        let keep = |request: &Request, mut response: Response| {
            (uri, headers) = (request.uri().clone(), request.headers().clone());
            if let Some(protocol) = headers.get(SEC_WEBSOCKET_PROTOCOL) {
                response
                    .headers_mut()
                    .insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
            }
            Ok(response)
        };
        let upgraded = timeout(PATIENCE, accept_hdr_async(self.stream, keep)).await;
        let socket = upgraded
            .expect("a handshake in time")
            .expect("a WebSocket handshake");
        Connection {
            socket,
            uri,
            headers,
        }
    }

    /// Answers with another status, for example `429 Too Many Requests` and a `retry-after`.
    pub async fn refuse(mut self, status: &str, headers: &[(&str, &str)]) {
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let answer =
            format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n");
        self.stream
            .write_all(answer.as_bytes())
            .await
            .expect("refusal written");
        self.stream.shutdown().await.expect("refusal sent");
    }

    /// Cuts the connection without a word.
    pub fn reset(self) {
        reset(&self.stream);
    }
}

/// One WebSocket connection, from the server's side.
pub struct Connection {
    socket: WebSocketStream<TcpStream>,
    uri: Uri,
    headers: HeaderMap,
}

impl Connection {
    /// What the client asked for.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The headers of the client's handshake.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Sends one text message.
    pub async fn send(&mut self, text: impl Into<Utf8Bytes>) {
        self.write(Message::Text(text.into())).await;
    }

    /// Sends one binary message.
    pub async fn send_binary(&mut self, data: impl Into<bytes::Bytes>) {
        self.write(Message::Binary(data.into())).await;
    }

    /// Sends one text message as several frames.
    pub async fn send_fragments(&mut self, pieces: &[&str]) {
        for (index, piece) in pieces.iter().enumerate() {
            let data = if index == 0 {
                Data::Text
            } else {
                Data::Continue
            };
            let last = index + 1 == pieces.len();
            self.write(Message::Frame(frame(piece.as_bytes(), data, last)))
                .await;
        }
    }

    /// Sends a text frame of any bytes, which need not be UTF-8.
    pub async fn send_text_bytes(&mut self, bytes: &[u8]) {
        self.write(Message::Frame(frame(bytes, Data::Text, true)))
            .await;
    }

    /// Sends a text frame that claims to be compressed, which no client here has agreed to.
    pub async fn send_compressed(&mut self, bytes: &[u8]) {
        let mut frame = frame(bytes, Data::Text, true);
        frame.header_mut().rsv1 = true;
        self.write(Message::Frame(frame)).await;
    }

    /// Sends a ping.
    pub async fn ping(&mut self, payload: &'static [u8]) {
        self.write(Message::Ping(payload.into())).await;
    }

    /// Says goodbye with a close code.
    pub async fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        };
        self.write(Message::Close(Some(frame))).await;
        // Dropped with unread data, the socket would send a RST, which can overtake the close frame.
        tokio::spawn(timeout(PATIENCE, async move {
            while let Some(Ok(_)) = self.socket.next().await {}
        }));
    }

    /// Cuts the connection without a word.
    pub fn reset(self) {
        reset(self.socket.get_ref());
    }

    /// Waits for the next message of the client; pings are answered and not returned.
    pub async fn receive(&mut self) -> Message {
        loop {
            let next = timeout(PATIENCE, self.socket.next())
                .await
                .expect("a message to the exchange");
            match next
                .expect("an open connection")
                .expect("a WebSocket message")
            {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// Waits for the next text of the client, for example what it subscribes to.
    pub async fn receive_text(&mut self) -> String {
        match self.receive().await {
            Message::Text(text) => text.as_str().to_owned(),
            other => panic!("expected a text message, got {other:?}"),
        }
    }

    /// Waits until the client has ended the connection and returns the close code, if it sent one.
    pub async fn closed(mut self) -> Option<u16> {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .expect("the end of the connection")
            {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Stays connected, answers pings and sends nothing, until the returned value is dropped.
    pub fn stay_silent(mut self) -> Silent {
        Silent(tokio::spawn(async move {
            while let Some(Ok(_)) = self.socket.next().await {}
        }))
    }

    async fn write(&mut self, message: Message) {
        timeout(PATIENCE, self.socket.send(message))
            .await
            .expect("room in the socket")
            .expect("message sent");
    }
}

/// A connection that lives and says nothing.
pub struct Silent(JoinHandle<()>);

impl Drop for Silent {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn frame(bytes: &[u8], data: Data, last: bool) -> Frame {
    Frame::message(bytes.to_vec(), OpCode::Data(data), last)
}

/// Makes the kernel send RST in place of FIN when the socket is dropped.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().expect("linger time");
}
