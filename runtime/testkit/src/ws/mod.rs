//! WebSocket clients: a plain one as any page has, and one of `pipeline.v1` that checks what it is sent.

mod browser;
mod seen;
mod v1;

pub use browser::Browser;
pub use seen::Seen;
pub use v1::V1Client;

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(30);

/// A client without a subprotocol; one that is held and not read is a stalled browser.
pub struct WsClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl WsClient {
    /// Connects to `ws://…`.
    pub async fn connect(url: &str) -> Self {
        Self::try_connect(url, &[])
            .await
            .unwrap_or_else(|error| panic!("cannot connect to {url}: {error}"))
    }

    /// Connects with these headers in the handshake; a refusal is the error.
    pub async fn try_connect(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, String> {
        let mut request = url
            .into_client_request()
            .map_err(|error| error.to_string())?;
        for (name, value) in headers {
            request.headers_mut().insert(
                *name,
                HeaderValue::from_str(value).map_err(|error| error.to_string())?,
            );
        }
        let connected = timeout(PATIENCE, connect_async(request))
            .await
            .map_err(|_| "no answer".to_owned())?;
        connected
            .map(|(socket, _)| Self { socket })
            .map_err(refusal)
    }

    /// Waits for the next message; `None` is the end of the connection.
    pub async fn next(&mut self) -> Option<Message> {
        let next = timeout(PATIENCE, self.socket.next()).await;
        next.unwrap_or_else(|_| panic!("no message within {PATIENCE:?}"))?
            .ok()
    }

    /// Waits for the next text; `None` is the end of the connection.
    pub async fn text(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.next().await? {
                Message::Text(text) => return Some(text),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// Waits for the server's close frame and returns its code; `None` is an end without one.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Message::Close(frame) = self.next().await? {
                return frame.map(|frame| frame.code.into());
            }
        }
    }

    /// Sends one text.
    pub async fn send(&mut self, text: impl Into<Utf8Bytes>) {
        self.socket
            .send(Message::Text(text.into()))
            .await
            .expect("message sent");
    }

    /// Sends a ping.
    pub async fn ping(&mut self) {
        self.socket
            .send(Message::Ping(Bytes::new()))
            .await
            .expect("ping sent");
    }
}

fn refusal(error: Error) -> String {
    match error {
        Error::Http(response) => format!("refused with {}", response.status()),
        other => other.to_string(),
    }
}
