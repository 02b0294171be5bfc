//! What a client would make of the bytes that a cursor gives it.

use std::io::Cursor as Bytes;

use stage_envelope::{Data, Envelope, Frame, GapReason, Position, Times, parse_frame};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

use crate::cursor::Cursor;
use crate::intake::{Intake, Taken};
use crate::ring::{Limits, Ring};

/// One frame, as far as the tests care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Partition, offset and payload.
    Message(i32, i64, String),
    /// A message without a position.
    Loose(String),
    /// Partition, first and last missing offset.
    Gap(i32, i64, i64, GapReason),
    /// The partition began again.
    Reset(i32),
}

/// Makes a ring of so many messages.
pub(super) fn ring(messages: usize) -> Ring {
    Ring::new(Limits {
        messages,
        bytes: 1 << 40,
    })
}

/// A message of topic `t`.
pub(super) fn message<'a>(
    partition: i32,
    offset: i64,
    timestamp: i64,
    payload: &'a str,
) -> Envelope<'a> {
    Envelope {
        position: Some(Position {
            topic: "t".into(),
            partition,
            offset,
        }),
        timestamp: Some(timestamp),
        ..loose(payload)
    }
}

/// A message without a position.
pub(super) fn loose(payload: &str) -> Envelope<'_> {
    Envelope {
        topic: Some("t".into()),
        position: None,
        timestamp: None,
        key: None,
        traceparent: None,
        times: Times::default(),
        replay: false,
        data: Data::of(payload.as_bytes()),
    }
}

/// Puts a message into the ring; `local` says that it came by POST.
pub(super) fn put(ring: &mut Ring, message: &Envelope<'_>, local: bool) -> Taken {
    let mut scratch = Vec::new();
    let mut intake = Intake::new(ring, &mut scratch, local);
    intake.take("server", message).unwrap();
    intake.taken()
}

/// Puts messages `from..to` of a partition into the ring, with timestamps that are their offsets.
pub(super) fn fill(ring: &mut Ring, partition: i32, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        put(
            ring,
            &message(partition, offset, offset, &offset.to_string()),
            true,
        );
    }
}

/// All that a cursor still gives, in as many writes as it takes.
pub(super) fn rest(cursor: &mut Cursor, ring: &Ring) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        let write = write(cursor, ring, 100);
        if write.is_empty() {
            return seen;
        }
        seen.extend(write);
    }
}

/// What a cursor gives in one write.
pub(super) fn write(cursor: &mut Cursor, ring: &Ring, limit: usize) -> Vec<Seen> {
    let mut out = Vec::new();
    cursor.gather(ring, &mut out, limit);
    decode(&out).iter().map(|text| seen(text)).collect()
}

/// The payloads of the frames of one write.
pub(super) fn decode(bytes: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut at = Bytes::new(bytes);
    while let Some((header, length)) = FrameHeader::parse(&mut at).unwrap() {
        assert!(header.is_final && header.mask.is_none());
        let start = usize::try_from(at.position()).unwrap();
        let end = start + usize::try_from(length).unwrap();
        texts.push(String::from_utf8(bytes[start..end].to_vec()).unwrap());
        at.set_position(end as u64);
    }
    assert_eq!(
        usize::try_from(at.position()).unwrap(),
        bytes.len(),
        "half a frame"
    );
    texts
}

/// Reads one text frame.
pub(super) fn seen(text: &str) -> Seen {
    match parse_frame(text).unwrap() {
        Frame::Message(frame) => {
            let payload = String::from_utf8(frame.message.data.as_bytes().to_vec()).unwrap();
            match &frame.message.position {
                Some(at) => Seen::Message(at.partition, at.offset, payload),
                None => Seen::Loose(payload),
            }
        }
        Frame::Gap(gap) if gap.reason == GapReason::Reset => Seen::Reset(gap.partition),
        Frame::Gap(gap) => Seen::Gap(gap.partition, gap.from, gap.to.unwrap(), gap.reason),
        frame => panic!("{frame:?}"),
    }
}
