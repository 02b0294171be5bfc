//! What one client is written, down to the byte, and what it costs when it does not read.

use super::*;
use crate::cursor::{Start, View};
use crate::hub::tests::hub;
use stage_envelope::{Data, Envelope, Times};

/// A socket that takes so many bytes and then no more, and remembers each write.
#[derive(Default)]
struct Narrow {
    room: usize,
    writes: Vec<Vec<u8>>,
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Poll::Pending;
        }
        self.room -= taken;
        self.writes.push(bytes[..taken].to_vec());
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn outbox(hub: &Arc<Hub>, slow: SlowClient, messages: u64) -> Outbox {
    let cursor = hub.look(|ring| Cursor::new(ring, View::Plain, Start::Now));
    let pace = Pace {
        slow,
        max_lag: Lag {
            messages,
            bytes: u64::MAX,
        },
    };
    Outbox::new(Arc::clone(hub), cursor, pace, &[])
}

fn put(hub: &Hub, payloads: &[&str]) {
    for payload in payloads {
        let envelope = Envelope {
            topic: None,
            position: None,
            timestamp: None,
            key: None,
            traceparent: None,
            times: Times::default(),
            replay: false,
            data: Data::of(payload.as_bytes()),
        };
        let (taken, _) = hub.take(true, |intake| intake.take("server", &envelope));
        taken.unwrap();
    }
}

fn step(outbox: &mut Outbox, protocol: &mut Protocol, socket: &mut Narrow) -> Poll<Step> {
    let mut cx = Context::from_waker(std::task::Waker::noop());
    outbox
        .poll_step(protocol, socket, &mut cx)
        .map(Result::unwrap)
}

#[test]
fn all_that_waits_goes_in_one_write() {
    let hub = hub();
    let (mut outbox, mut protocol) = (outbox(&hub, SlowClient::Disconnect, 100), Protocol::new());
    let mut socket = Narrow {
        room: 1000,
        ..Narrow::default()
    };
    put(&hub, &["1", "22", "333"]);
    protocol.ping();
    assert_eq!(
        step(&mut outbox, &mut protocol, &mut socket),
        Poll::Ready(Step::Wrote)
    );
    assert_eq!(socket.writes, [b"\x89\x00\x81\x011\x81\x0222\x81\x03333"]);
    assert_eq!(
        step(&mut outbox, &mut protocol, &mut socket),
        Poll::Ready(Step::Idle)
    );
}

#[test]
fn control_frames_never_stand_inside_a_message() {
    let hub = hub();
    let (mut outbox, mut protocol) = (outbox(&hub, SlowClient::Disconnect, 100), Protocol::new());
    let mut socket = Narrow {
        room: 4,
        ..Narrow::default()
    };
    put(&hub, &["\"long payload\""]);
    assert_eq!(
        step(&mut outbox, &mut protocol, &mut socket),
        Poll::Ready(Step::Wrote)
    );
    protocol.ping();
    assert_eq!(step(&mut outbox, &mut protocol, &mut socket), Poll::Pending);
    socket.room = 1000;
    assert_eq!(
        step(&mut outbox, &mut protocol, &mut socket),
        Poll::Ready(Step::Wrote)
    );
    assert_eq!(
        step(&mut outbox, &mut protocol, &mut socket),
        Poll::Ready(Step::Wrote)
    );
    assert_eq!(socket.writes.concat(), b"\x81\x0e\"long payload\"\x89\x00");
}

#[test]
fn a_client_that_does_not_read_costs_one_write() {
    let hub = hub();
    let (mut outbox, mut protocol) = (
        outbox(&hub, SlowClient::Disconnect, 10_000),
        Protocol::new(),
    );
    let mut socket = Narrow::default();
    let payload = format!("\"{}\"", "x".repeat(1000));
    for _ in 0..500 {
        put(&hub, &[&payload]);
        let _ = step(&mut outbox, &mut protocol, &mut socket);
    }
    assert!(
        outbox.pending.capacity() <= WRITE + payload.len() + 4,
        "{}",
        outbox.pending.capacity()
    );
}

#[test]
fn a_client_that_is_too_far_behind_must_go() {
    let hub = hub();
    let (mut outbox, mut protocol) = (outbox(&hub, SlowClient::Disconnect, 2), Protocol::new());
    let mut socket = Narrow {
        room: 1000,
        ..Narrow::default()
    };
    put(&hub, &["1", "2"]);
    assert_eq!(
        step(&mut outbox, &mut protocol, &mut socket),
        Poll::Ready(Step::Wrote)
    );
    put(&hub, &["3", "4", "5"]);
    assert_eq!(
        step(&mut outbox, &mut protocol, &mut socket),
        Poll::Ready(Step::TooSlow)
    );
}

#[test]
fn a_client_that_may_skip_goes_on_with_what_comes_next() {
    let hub = hub();
    let (mut outbox, mut protocol) = (outbox(&hub, SlowClient::Skip, 2), Protocol::new());
    let mut socket = Narrow {
        room: 1000,
        ..Narrow::default()
    };
    put(&hub, &["1"]);
    let _ = step(&mut outbox, &mut protocol, &mut socket);
    put(&hub, &["2", "3", "4"]);
    assert_eq!(
        step(&mut outbox, &mut protocol, &mut socket),
        Poll::Ready(Step::Idle)
    );
    put(&hub, &["5"]);
    let _ = step(&mut outbox, &mut protocol, &mut socket);
    assert_eq!(socket.writes.concat(), b"\x81\x011\x81\x015");
    assert_eq!(hub.tally.skipped.load(Ordering::Relaxed), 3);
}
