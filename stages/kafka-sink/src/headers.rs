//! The headers of a record.

use pipeline_sdk::{Message, Trace};
use rdkafka::message::{Header, OwnedHeaders};
use std::io::Write as _;

/// When the message entered the system, decimal nanoseconds.
const ENTERED: &str = "pipeline-timestamp";
const TRACEPARENT: &str = "traceparent";

/// The message's own headers, but for those that are written anew here, the trace and the message's entry time.
pub(crate) fn of(message: Message<'_>, trace: Option<Trace>) -> OwnedHeaders {
    let own = message
        .headers()
        .filter(|(name, _)| !matches!(*name, ENTERED | TRACEPARENT));
    write(own, message.headers().len(), trace, message.timestamp_ns())
}

fn write<'a>(
    own: impl Iterator<Item = (&'a str, &'a [u8])>,
    count: usize,
    trace: Option<Trace>,
    entered_ns: i64,
) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(count + 2);
    for (key, value) in own {
        headers = headers.insert(Header {
            key,
            value: Some(value),
        });
    }
    let mut text = Text::default();
    if let Some(trace) = trace {
        headers = headers.insert(Header {
            key: TRACEPARENT,
            value: Some(text.write(trace.text().as_str())),
        });
    }
    headers.insert(Header {
        key: ENTERED,
        value: Some(text.write(entered_ns)),
    })
}

/// Text on the stack; long enough for a `traceparent` and for any number.
struct Text([u8; 64]);

impl Default for Text {
    fn default() -> Self {
        Text([0; 64])
    }
}

impl Text {
    fn write(&mut self, value: impl std::fmt::Display) -> &[u8] {
        let mut rest = &mut self.0[..];
        // What does not fit would be cut off; both values fit.
        let _ = write!(rest, "{value}");
        let left = rest.len();
        &self.0[..self.0.len() - left]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::Headers as _;

    #[test]
    fn own_headers_stay_and_trace_and_entry_time_are_added() {
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let own = [("a", &b"1"[..]), ("tracestate", b"x=y"), ("a", b"")];
        let written = write(
            own.into_iter(),
            own.len(),
            Trace::parse(traceparent),
            i64::MAX,
        );
        let seen: Vec<(&str, &[u8])> = written
            .iter()
            .map(|header| (header.key, header.value.unwrap()))
            .collect();
        let max = i64::MAX.to_string();
        let expected = [
            own[0],
            own[1],
            own[2],
            ("traceparent", traceparent.as_bytes()),
            ("pipeline-timestamp", max.as_bytes()),
        ];
        assert_eq!(seen, expected);
    }
}
