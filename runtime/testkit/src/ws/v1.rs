//! A `pipeline.v1` client that resumes where it was cut off, on the same server or on another.

use std::time::Duration;

use serde_json::Value;

use super::{Seen, WsClient};

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "pipeline.v1");

/// A client that keeps account of every frame over all its connections.
pub struct V1Client {
    socket: WsClient,
    seen: Seen,
    hello: Value,
}

impl V1Client {
    /// Connects to `ws://HOST:PORT/ws`, with a query of its own if it likes, and waits for the hello.
    pub async fn connect(url: &str) -> Self {
        Self::try_connect(url)
            .await
            .unwrap_or_else(|error| panic!("cannot connect to {url}: {error}"))
    }

    /// Connects; a refusal is the error.
    pub async fn try_connect(url: &str) -> Result<Self, String> {
        let mut socket = WsClient::try_connect(url, &[PROTOCOL]).await?;
        let hello = frame(&socket.text().await.ok_or("closed before the hello")?);
        assert_eq!(hello["type"], "hello", "the first frame is {hello}");
        Ok(Self {
            socket,
            seen: Seen::default(),
            hello,
        })
    }

    /// Connects anew, to any server, and asks for what came after the last positions.
    pub async fn resume(&mut self, url: &str) -> Result<(), String> {
        let next = Self::try_connect(&format!("{url}?after={}", self.seen.after())).await?;
        (self.socket, self.hello) = (next.socket, next.hello);
        Ok(())
    }

    /// The server's first frame.
    pub fn hello(&self) -> &Value {
        &self.hello
    }

    /// What was shown so far.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Waits for the next frame; `None` is the end of the connection.
    pub async fn next(&mut self) -> Option<Value> {
        let frame = frame(&self.socket.text().await?);
        self.seen.observe(&frame);
        Some(frame)
    }

    /// Reads until `enough`; an end of the connection is the error.
    ///
    /// # Panics
    ///
    /// When that takes longer than `within`.
    pub async fn read_until(
        &mut self,
        within: Duration,
        enough: impl Fn(&Seen) -> bool,
    ) -> Result<(), String> {
        let read = async {
            while !enough(&self.seen) {
                self.next().await.ok_or("the connection ended")?;
            }
            Ok(())
        };
        let result = tokio::time::timeout(within, read).await;
        result.unwrap_or_else(|_| panic!("not within {within:?}: seen {:?}", self.seen))
    }
}

fn frame(text: &str) -> Value {
    serde_json::from_str(text)
        .unwrap_or_else(|error| panic!("a frame that is not JSON ({error}): {text}"))
}
