//! One WebSocket client, from its handshake to its goodbye.
//!
//! Invariant: one task owns the socket. It waits for whichever comes first: bytes of the client, room for its bytes, news
//! of the ring, a ping that is due, or the end of the server; every wait has a bound.

mod liveness;
mod outbox;
mod protocol;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use liveness::Due;
pub(crate) use liveness::Liveness;
use outbox::Step;
pub(crate) use outbox::{Outbox, Pace};
use protocol::{Over, Protocol};

use crate::hub::Hub;
use crate::phase::Phase;

/// Bytes of a client that are read at a time.
const READ: usize = 1024;
/// Time that a client has to take the rest and to answer our goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// Why a client is no longer connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It said goodbye.
    Closed,
    /// Its connection broke.
    Broken,
    /// It broke a rule of the protocol.
    Protocol,
    /// It gave no sign of life.
    Silent,
    /// It was too far behind.
    TooSlow,
    /// The server goes away.
    Drained,
}

impl End {
    pub(crate) const ALL: [End; 6] = [
        Self::Closed,
        Self::Broken,
        Self::Protocol,
        Self::Silent,
        Self::TooSlow,
        Self::Drained,
    ];

    /// Name of the reason in the metric.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Protocol => "protocol",
            Self::Silent => "silent",
            Self::TooSlow => "slow",
            Self::Drained => "drained",
        }
    }
}

/// One WebSocket client.
pub(crate) struct Connection<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    protocol: Protocol,
    outbox: Outbox,
    liveness: Liveness,
    news: watch::Receiver<u64>,
    phase: watch::Receiver<Phase>,
    buffer: [u8; READ],
}

/// What a client is waiting for.
enum Event {
    Read(io::Result<usize>),
    Step(io::Result<Step>),
    Due,
    Leaving,
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    pub(crate) fn new(
        socket: S,
        outbox: Outbox,
        liveness: Liveness,
        hub: &Hub,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let (reader, writer) = tokio::io::split(socket);
        let (protocol, news) = (Protocol::new(), hub.news());
        Self {
            reader,
            writer,
            protocol,
            outbox,
            liveness,
            news,
            phase,
            buffer: [0; READ],
        }
    }

    /// Serves the client until one of the two leaves. `spread` is the time after which it may come back when the server
    /// goes away.
    pub(crate) async fn run(mut self, hub: Arc<Hub>, spread: Duration) -> End {
        let end = self.serve().await;
        match end {
            End::TooSlow => {
                hub.tally.sent_away.fetch_add(1, Ordering::Relaxed);
                self.protocol.close(
                    CloseCode::Policy,
                    "too slow: more waits than the server keeps for one client",
                );
            }
            End::Drained => {
                let reason = format!("drain; reconnect_ms={}", spread.as_millis());
                // What is in the ring is still delivered, to whom takes it in time.
                let _ = timeout(GOODBYE, self.deliver_rest()).await;
                self.protocol.close(CloseCode::Away, &reason);
            }
            End::Silent => self
                .protocol
                .close(CloseCode::Policy, "no answer to a ping"),
            End::Closed | End::Protocol => {}
            End::Broken => return end,
        }
        self.outbox.end();
        let answered = matches!(end, End::Closed | End::Protocol);
        // Whoever does not take the goodbye in time does without.
        let _ = timeout(GOODBYE, self.say_goodbye(answered)).await;
        end
    }

    async fn serve(&mut self) -> End {
        loop {
            let end = match self.next_event().await {
                Event::Read(Ok(0)) | Event::Read(Err(_)) | Event::Step(Err(_)) => Some(End::Broken),
                Event::Read(Ok(length)) => self.heard(length).err(),
                Event::Step(Ok(Step::TooSlow)) => Some(End::TooSlow),
                Event::Step(Ok(_)) => {
                    // One write each: a client that reads fast does not keep the others waiting.
                    tokio::task::yield_now().await;
                    None
                }
                Event::Due => self.due().err(),
                Event::Leaving => Some(End::Drained),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn next_event(&mut self) -> Event {
        let Self {
            reader,
            writer,
            protocol,
            outbox,
            liveness,
            news,
            phase,
            buffer,
        } = self;
        let hears = !protocol.is_full();
        tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase == Phase::Closing) => Event::Leaving,
            () = liveness.due() => Event::Due,
            read = reader.read(buffer), if hears => Event::Read(read),
            step = next_step(outbox, protocol, writer, news) => Event::Step(step),
        }
    }

    fn heard(&mut self, length: usize) -> Result<(), End> {
        self.liveness.heard();
        let received = self.protocol.receive(&self.buffer[..length]);
        if let Some(ping) = self.protocol.take_echo() {
            self.outbox.echoed(ping);
        }
        received.map_err(|over| match over {
            Over::Closed => End::Closed,
            Over::Broken => End::Protocol,
        })
    }

    fn due(&mut self) -> Result<(), End> {
        match self.liveness.next() {
            Due::Ping => self.protocol.ping(),
            Due::Nothing => {}
            Due::GiveUp => return Err(End::Silent),
        }
        Ok(())
    }

    async fn deliver_rest(&mut self) -> io::Result<()> {
        while self
            .outbox
            .step(&mut self.protocol, &mut self.writer)
            .await?
            == Step::Wrote
        {}
        Ok(())
    }

    /// Sends what waits, with our goodbye in it, and then waits for the client's if it has not come yet.
    async fn say_goodbye(&mut self, answered: bool) -> io::Result<()> {
        self.deliver_rest().await?;
        let mut answered = answered;
        while !answered {
            let length = self.reader.read(&mut self.buffer).await?;
            answered = length == 0 || self.protocol.receive(&self.buffer[..length]).is_err();
        }
        self.writer.shutdown().await
    }
}

/// Writes as soon as there is something to write.
async fn next_step<W: AsyncWrite + Unpin>(
    outbox: &mut Outbox,
    protocol: &mut Protocol,
    writer: &mut W,
    news: &mut watch::Receiver<u64>,
) -> io::Result<Step> {
    loop {
        // Marked as seen before looking: what comes meanwhile wakes again.
        news.mark_unchanged();
        match outbox.step(protocol, writer).await? {
            Step::Idle => {}
            step => return Ok(step),
        }
        if news.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
