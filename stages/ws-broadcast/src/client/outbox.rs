//! What goes to one client: everything that waits for it in one write.
//!
//! Invariant: a write begins at a frame boundary and holds whole frames. What the socket does not take at once is kept,
//! at most one write of it, and nothing else is collected before it is gone. So a client that does not read costs that
//! much, and its place in the ring.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::protocol::Protocol;
use crate::config::SlowClient;
use crate::cursor::{Cursor, Gathered};
use crate::hub::{Hub, Reader};
use crate::ring::{Lag, Ring};
use crate::trace::Deliveries;

/// Where a write stops collecting; a larger message makes a larger write.
const WRITE: usize = 64 * 1024;

/// How a client that falls behind is treated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) slow: SlowClient,
    pub(crate) max_lag: Lag,
}

/// What a step did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Bytes were written; more may wait.
    Wrote,
    /// Nothing waits.
    Idle,
    /// The client is too far behind, and must go.
    TooSlow,
}

/// What goes to one client.
pub(crate) struct Outbox {
    hub: Arc<Hub>,
    cursor: Cursor,
    reader: Reader,
    pace: Pace,
    /// Begun writes: what the socket has not taken yet, from `taken` on.
    pending: Vec<u8>,
    taken: usize,
    flush: bool,
    /// The client has not been near the head yet: it began in the past, and is not late.
    catching_up: bool,
    deliveries: Deliveries,
    /// Nothing more of the ring is sent.
    ended: bool,
}

/// What was collected for one write.
struct Collected {
    gathered: Gathered,
    too_slow: bool,
}

impl Outbox {
    /// `first` is sent before anything else.
    pub(crate) fn new(hub: Arc<Hub>, cursor: Cursor, pace: Pace, first: &[u8]) -> Self {
        let reader = hub.reader(cursor.next());
        Self {
            hub,
            cursor,
            reader,
            pace,
            pending: first.to_vec(),
            taken: 0,
            flush: false,
            catching_up: true,
            deliveries: Deliveries::default(),
            ended: false,
        }
    }

    /// Sends nothing more of the ring.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Writes once, if anything waits. Dropping the future loses nothing.
    pub(crate) fn step(
        &mut self,
        protocol: &mut Protocol,
        socket: &mut (impl AsyncWrite + Unpin),
    ) -> impl Future<Output = io::Result<Step>> {
        std::future::poll_fn(move |cx| self.poll_step(protocol, socket, cx))
    }

    fn poll_step(
        &mut self,
        protocol: &mut Protocol,
        socket: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Step>> {
        if !self.pending.is_empty() {
            ready!(self.poll_pending(socket, cx))?;
            return Poll::Ready(Ok(Step::Wrote));
        }
        if self.flush {
            ready!(Pin::new(&mut *socket).poll_flush(cx))?;
            self.flush = false;
        }
        let hub = Arc::clone(&self.hub);
        hub.with_scratch(|scratch| {
            protocol.take_outgoing(scratch);
            let collected = if self.ended {
                Collected::NOTHING
            } else {
                self.collect(scratch)
            };
            self.count(&collected.gathered);
            self.trace(protocol, scratch);
            if scratch.is_empty() {
                return Poll::Ready(Ok(if collected.too_slow {
                    Step::TooSlow
                } else {
                    Step::Idle
                }));
            }
            self.write(scratch, socket, cx)?;
            Poll::Ready(Ok(if collected.too_slow {
                Step::TooSlow
            } else {
                Step::Wrote
            }))
        })
    }

    fn poll_pending(
        &mut self,
        socket: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.taken < self.pending.len() {
            let written =
                ready!(Pin::new(&mut *socket).poll_write(cx, &self.pending[self.taken..]))?;
            self.wrote(written)?;
            self.taken += written;
        }
        self.pending = Vec::new();
        self.taken = 0;
        Poll::Ready(Ok(()))
    }

    /// Hands whole frames to the socket and keeps what it does not take.
    fn write(
        &mut self,
        frames: &[u8],
        socket: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> io::Result<()> {
        let written = match Pin::new(socket).poll_write(cx, frames) {
            Poll::Ready(written) => {
                written.and_then(|written| self.wrote(written).map(|()| written))?
            }
            Poll::Pending => 0,
        };
        self.pending.extend_from_slice(&frames[written..]);
        Ok(())
    }

    fn wrote(&mut self, bytes: usize) -> io::Result<()> {
        if bytes == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.flush = true;
        self.hub.metrics.writes.add(1);
        self.hub.metrics.sent_bytes.add(bytes as u64);
        Ok(())
    }

    /// Puts a ping behind what is traced: its echo says that the client has it.
    fn trace(&mut self, protocol: &mut Protocol, out: &mut Vec<u8>) {
        let claimed = self.cursor.claimed();
        if let Some(carried) = self.deliveries.begin(&self.hub.context, claimed) {
            protocol.ping_with(carried);
            protocol.take_outgoing(out);
        }
    }

    /// The client has all that was written before this ping.
    pub(crate) fn echoed(&mut self, ping: u64) {
        self.deliveries.echoed(ping);
    }

    fn collect(&mut self, out: &mut Vec<u8>) -> Collected {
        let hub = Arc::clone(&self.hub);
        self.cursor.may_claim(self.deliveries.room());
        let collected = hub.look(|ring| match self.is_late(ring) {
            true if self.pace.slow == SlowClient::Disconnect => Collected::TOO_SLOW,
            late => {
                let skipped = if late { self.cursor.skip(ring, out) } else { 0 };
                hub.metrics.skipped.add(skipped);
                hub.tally.skipped.fetch_add(skipped, Ordering::Relaxed);
                Collected {
                    gathered: self.cursor.gather(ring, out, WRITE),
                    too_slow: false,
                }
            }
        });
        self.reader.at(self.cursor.next());
        collected
    }

    /// Tells whether the client is too far behind. One that began in the past is not until it was near the head once:
    /// it may take the whole ring at its own pace.
    fn is_late(&mut self, ring: &Ring) -> bool {
        let late = ring.lag(self.cursor.next()).exceeds(self.pace.max_lag);
        self.catching_up &= late;
        late && !self.catching_up
    }

    fn count(&self, gathered: &Gathered) {
        self.hub.metrics.sent.add(gathered.messages);
        self.hub.metrics.gaps.add(gathered.gaps);
    }
}

impl Collected {
    const NOTHING: Self = Self {
        gathered: Gathered {
            messages: 0,
            gaps: 0,
        },
        too_slow: false,
    };
    const TOO_SLOW: Self = Self {
        gathered: Gathered {
            messages: 0,
            gaps: 0,
        },
        too_slow: true,
    };
}

#[cfg(test)]
mod tests;
