//! One open connection: reads, subscribes, pings, and notices when it is dead.
//!
//! Whatever is ready in the socket is handed on at once as one group; nothing waits for more. While the stages behind take no
//! more, reading goes on until the [`Inbox`] is full and then stops; pings are still sent, and silence is not held against
//! the server.

use std::time::Duration;

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use pipeline_sdk::prelude::*;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{Bytes, Error as WebSocketError, Message as WebSocketMessage};

use crate::config::Config;
use crate::connect::Socket;
use crate::failure::Failure;
use crate::inbox::{Frame, Inbox};
use crate::report::PARKED_LONG;
use crate::shared::Shared;
use crate::timers::{Overdue, Timers};
use crate::transport::Meter;

/// Longest time to write one message.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for a farewell.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Frames of one connection, in order.
pub(crate) struct Group {
    /// Which of the stage's connections.
    pub(crate) link: usize,
    /// How many connections this one made so far: a new one may begin anew.
    pub(crate) connection: u64,
    /// The frames.
    pub(crate) frames: Vec<Frame>,
}

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The stage is asked to drain, or nobody takes frames any more.
    Drained,
    /// Something went wrong.
    Failed(Failure),
}

/// What a session belongs to.
pub(crate) struct Surroundings<'a> {
    pub(crate) config: &'a Config,
    pub(crate) context: &'a Context,
    pub(crate) shared: &'a Shared,
    pub(crate) groups: &'a mpsc::Sender<Group>,
    pub(crate) link: usize,
    pub(crate) connection: u64,
}

/// One open connection.
pub(crate) struct Session<'a> {
    around: Surroundings<'a>,
    socket: Socket,
    meter: Meter,
    inbox: Inbox,
    timers: Timers,
    subscribed: usize,
    /// Since when it is read; `None` while the inbox is full.
    reading: Option<Instant>,
    last_data: Option<Instant>,
}

impl<'a> Session<'a> {
    /// A session over a connection that was just opened.
    pub(crate) fn new(around: Surroundings<'a>, socket: Socket, meter: Meter) -> Self {
        let timers = Timers::new(around.config);
        let reading = Some(Instant::now());
        Session {
            around,
            socket,
            meter,
            inbox: Inbox::default(),
            timers,
            subscribed: 0,
            reading,
            last_data: None,
        }
    }

    /// Keeps the connection until it ends; then tells why, and whether it brought any data.
    pub(crate) async fn run(mut self) -> (End, bool) {
        let end = self.live().await;
        let rest = self.inbox.take();
        if !rest.is_empty() {
            // An error means that nobody takes anything any more.
            let _ = self.around.groups.send(self.group(rest)).await;
        }
        self.close().await;
        (end, self.last_data.is_some())
    }

    async fn live(&mut self) -> End {
        loop {
            if let Err(failure) = self.keep_time().await {
                return End::Failed(failure);
            }
            let deadline = self.deadline();
            tokio::select! {
                biased;
                () = self.around.context.draining() => return End::Drained,
                room = self.around.groups.reserve(), if !self.inbox.is_empty() => match room {
                    Ok(room) => {
                        let frames = self.inbox.take();
                        room.send(self.group(frames));
                    }
                    Err(_) => return End::Drained,
                },
                frame = self.socket.next(), if self.inbox.has_room() => {
                    if let Err(failure) = self.read(frame).await {
                        return End::Failed(failure);
                    }
                }
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }

    /// Takes a frame and all that are ready behind it.
    async fn read(
        &mut self,
        first: Option<Result<WebSocketMessage, WebSocketError>>,
    ) -> Result<(), Failure> {
        let (mut next, mut answer, mut data) = (Some(first), false, false);
        while let Some(frame) = next {
            match frame {
                Some(Ok(WebSocketMessage::Text(text))) => self.inbox.push(text.into(), true),
                Some(Ok(WebSocketMessage::Binary(bytes))) => self.inbox.push(bytes, false),
                Some(Ok(WebSocketMessage::Ping(_))) => answer = true,
                Some(Ok(WebSocketMessage::Close(frame))) => {
                    return Err(Failure::closed(frame.as_ref()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Failure::from_websocket(&error)),
                None => return Err(Failure::from_websocket(&WebSocketError::ConnectionClosed)),
            }
            data |= !self.inbox.is_empty();
            next = if self.inbox.has_room() {
                self.socket.next().now_or_never()
            } else {
                None
            };
        }
        if data {
            self.note_data();
        }
        // The library answers a ping when it is read or flushed next, and reading may stop now.
        if answer {
            within(self.socket.flush()).await
        } else {
            Ok(())
        }
    }

    fn note_data(&mut self) {
        let now = Instant::now();
        self.last_data = Some(now);
        let mut link = self.around.shared.link(self.around.link);
        link.last_data = Some(now);
        if std::mem::take(&mut link.stale) {
            self.around.shared.changed.notify_one();
        }
    }

    /// Does what is due: notices silence and a full inbox, subscribes, pings.
    async fn keep_time(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        self.note_reading(now);
        if let Some(reading) = self.reading {
            let (byte, data) = self.signs_of_life(reading);
            match self.timers.overdue(now, byte, data) {
                Some(Overdue::Bytes(limit)) => {
                    return Err(Failure::new(format!(
                        "no byte for {limit:?} (`idle_timeout`), the connection is half-open"
                    )));
                }
                Some(Overdue::Data(limit)) => {
                    self.around.shared.link(self.around.link).stale = true;
                    return Err(Failure::new(format!(
                        "no message for {limit:?} (`stale_after`)"
                    )));
                }
                None => {}
            }
        }
        if self.timers.subscribe.is_some_and(|at| at <= now) {
            self.subscribe(now).await?;
        }
        if self.timers.ping_due(now) {
            self.ping().await?;
        }
        Ok(())
    }

    /// Notes when reading stops or goes on.
    fn note_reading(&mut self, now: Instant) {
        let room = self.inbox.has_room();
        if room != self.reading.is_some() {
            self.reading = room.then_some(now);
            self.around.shared.link(self.around.link).parked = (!room).then_some(now);
            self.around.shared.changed.notify_one();
        }
    }

    /// When the last byte and the last message came; silence before `reading` does not count.
    fn signs_of_life(&self, reading: Instant) -> (Instant, Instant) {
        (
            self.meter.last_byte().max(reading),
            self.last_data.unwrap_or(reading).max(reading),
        )
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        match self.reading {
            Some(reading) => {
                let (byte, data) = self.signs_of_life(reading);
                self.timers.next(now, byte, data)
            }
            None => self.timers.next_sending(now).min(now + PARKED_LONG),
        }
    }

    /// Sends the next message of `subscribe`.
    async fn subscribe(&mut self, now: Instant) -> Result<(), Failure> {
        let messages = &self.around.config.subscribe;
        if let Some(message) = messages.get(self.subscribed) {
            let text = message
                .as_str()
                .map_or_else(|| message.to_string(), str::to_owned);
            self.subscribed += 1;
            let more = self.subscribed < messages.len();
            self.timers.subscribe = more.then_some(now + *self.around.config.subscribe_interval);
            self.send(WebSocketMessage::text(text)).await?;
        }
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), Failure> {
        let Some(ping) = &self.around.config.ping else {
            return Ok(());
        };
        let message = match &ping.text {
            Some(text) => WebSocketMessage::text(text.clone()),
            None => WebSocketMessage::Ping(Bytes::from(ping.frame.clone().unwrap_or_default())),
        };
        self.send(message).await?;
        if self.reading.is_none() {
            // The server's own pings are stuck behind what is not read: a pong that nobody asked for is a sign of life.
            self.send(WebSocketMessage::Pong(Bytes::new())).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: WebSocketMessage) -> Result<(), Failure> {
        within(self.socket.send(message)).await
    }

    fn group(&self, frames: Vec<Frame>) -> Group {
        Group {
            link: self.around.link,
            connection: self.around.connection,
            frames,
        }
    }

    /// Says farewell, without waiting for the server's.
    async fn close(&mut self) {
        let farewell = CloseFrame {
            code: CloseCode::Away,
            reason: "".into(),
        };
        // The connection may be dead already; the farewell is a courtesy.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.socket.close(Some(farewell))).await;
    }
}

/// Bounds a write: a dead peer takes nothing once the buffers in between are full.
async fn within(write: impl Future<Output = Result<(), WebSocketError>>) -> Result<(), Failure> {
    match tokio::time::timeout(WRITE_TIMEOUT, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::from_websocket(&error)),
        Err(_) => Err(Failure::new(format!(
            "the server took nothing for {WRITE_TIMEOUT:?}"
        ))),
    }
}
