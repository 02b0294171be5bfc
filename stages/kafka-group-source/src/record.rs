//! From a Kafka record to a message of the pipeline.

use crate::trace::{Polled, Tracer};
use pipeline_sdk::prelude::*;
use rdkafka::Message as _;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// When the message entered the system, decimal nanoseconds.
const ENTERED: &str = "pipeline-timestamp";
/// The record's own timestamp, decimal milliseconds; only on messages that come from this stage.
const RECORDED: &str = "kafka-timestamp";
const TRACEPARENT: &str = "traceparent";

/// Headers that fit without memory of their own.
const INLINE: usize = 16;

/// What a record carries besides key and payload.
#[derive(Debug, Default, PartialEq)]
struct Meta {
    entered_ns: Option<i64>,
    trace: Option<Trace>,
}

/// Adds a record to a batch. A tombstone becomes an empty payload.
pub(crate) fn push(
    batch: &mut BatchBuilder,
    message: &BorrowedMessage<'_>,
    replay: bool,
    tracer: &mut Tracer,
) {
    let timestamp_ms = timestamp_ms(message);
    let mut digits = Digits::default();
    let recorded = timestamp_ms.map(|millis| (RECORDED, digits.write(millis)));
    let headers = message.headers();
    let count = headers.map_or(0, Headers::count);

    let mut inline = [("", &[][..]); INLINE];
    let mut spilled = Vec::new();
    let slots = if count < INLINE {
        &mut inline[..]
    } else {
        spilled.resize(count + 1, ("", &[][..]));
        &mut spilled[..]
    };
    let (meta, mut used) = headers.map_or_else(Default::default, |headers| read(headers, slots));
    if let Some(recorded) = recorded {
        slots[used] = recorded;
        used += 1;
    }
    let entered = meta
        .entered_ns
        .or(timestamp_ms.map(|millis| millis.saturating_mul(1_000_000)));
    let record = Record::new(message.payload().unwrap_or_default())
        .key(message.key())
        .headers(&slots[..used])
        .position(message.partition(), message.offset())
        .trace(meta.trace)
        .replay(replay);
    let record = match entered {
        Some(entered) => record.timestamp_ns(entered),
        None => record,
    };
    if !tracer.is_recorded(meta.trace, meta.entered_ns.is_some()) {
        batch.push(record);
        return;
    }
    let polled = Polled {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key(),
        size: message.payload_len(),
        replay,
    };
    batch.push_in(record, tracer.process(meta.trace, &polled));
}

/// The record's timestamp, if it has one.
pub(crate) fn timestamp_ms(message: &BorrowedMessage<'_>) -> Option<i64> {
    message
        .timestamp()
        .to_millis()
        .filter(|millis| *millis >= 0)
}

/// Reads the headers: those that become fields of the message into the result, the others into `slots`.
fn read<'a>(headers: &'a BorrowedHeaders, slots: &mut [(&'a str, &'a [u8])]) -> (Meta, usize) {
    let (mut meta, mut used) = (Meta::default(), 0);
    for index in 0..headers.count() {
        let Some((name, value)) = header(headers, index) else {
            continue;
        };
        match name {
            ENTERED => {
                meta.entered_ns = text(value)
                    .and_then(|text| text.parse().ok())
                    .filter(|ns| *ns > 0)
            }
            TRACEPARENT => meta.trace = text(value).and_then(Trace::parse),
            RECORDED => {}
            _ => {
                slots[used] = (name, value);
                used += 1;
            }
        }
    }
    (meta, used)
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}

/// A header; `None` if its name is not UTF-8, which Kafka does not forbid but the client library answers with a panic.
fn header(headers: &BorrowedHeaders, index: usize) -> Option<(&str, &[u8])> {
    let header = catch_unwind(AssertUnwindSafe(|| headers.try_get(index))).ok()??;
    Some((header.key, header.value.unwrap_or_default()))
}

/// A decimal number without memory of its own.
#[derive(Default)]
struct Digits([u8; 19]);

impl Digits {
    /// The digits of a number that is not negative.
    fn write(&mut self, mut number: i64) -> &[u8] {
        let mut at = self.0.len();
        loop {
            at -= 1;
            self.0[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return &self.0[at..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::{Header, OwnedHeaders};

    fn headers(list: &[(&str, Option<&[u8]>)]) -> OwnedHeaders {
        list.iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: *value })
            })
    }

    fn reading(list: &[(&str, Option<&[u8]>)]) -> (Meta, Vec<(String, Vec<u8>)>) {
        let owned = headers(list);
        let mut slots = [("", &[][..]); INLINE];
        let (meta, used) = read(owned.as_borrowed(), &mut slots);
        (
            meta,
            slots[..used]
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
                .collect(),
        )
    }

    #[test]
    fn entry_time_and_trace_become_fields_and_the_rest_stays() {
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let (meta, rest) = reading(&[
            ("pipeline-timestamp", Some(b"1700000000123456789")),
            ("traceparent", Some(traceparent.as_bytes())),
            ("tracestate", Some(b"a=b")),
            ("kafka-timestamp", Some(b"1")),
            ("empty", None),
        ]);
        assert_eq!(
            meta,
            Meta {
                entered_ns: Some(1_700_000_000_123_456_789),
                trace: Trace::parse(traceparent)
            }
        );
        assert_eq!(
            rest,
            [
                ("tracestate".to_owned(), b"a=b".to_vec()),
                ("empty".to_owned(), Vec::new())
            ]
        );
    }

    #[test]
    fn headers_that_cannot_be_read_are_as_if_they_were_missing() {
        for value in [
            &b"soon"[..],
            b"-5",
            b"",
            b"\xff",
            b"99999999999999999999999",
        ] {
            let (meta, rest) = reading(&[
                ("pipeline-timestamp", Some(value)),
                ("traceparent", Some(value)),
            ]);
            assert_eq!((meta, rest.len()), (Meta::default(), 0));
        }
    }

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 7, 10, 1_700_000_000_123, i64::MAX] {
            assert_eq!(
                Digits::default().write(number),
                number.to_string().as_bytes()
            );
        }
    }
}
