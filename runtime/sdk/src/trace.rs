//! W3C trace context (<https://www.w3.org/TR/trace-context/>) of one message.

use pipeline_abi::{PlStr, PlTrace};
use std::fmt;

/// The trace that a message belongs to and the span that handed it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trace {
    /// Trace id, never all zero.
    pub trace_id: [u8; 16],
    /// Id of the span that handed the message on, never all zero.
    pub span_id: [u8; 8],
    /// Trace flags; bit 0 is `sampled`.
    pub flags: u8,
}

impl Trace {
    /// Whether the trace is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Reads a `traceparent`; `None` for what the specification calls invalid.
    #[must_use]
    pub fn parse(traceparent: &str) -> Option<Self> {
        let text = traceparent.as_bytes();
        let dashes = text.get(2) == Some(&b'-')
            && text.get(35) == Some(&b'-')
            && text.get(52) == Some(&b'-');
        let [version] = hex::<1>(text.get(0..2)?)?;
        // Version 0 has exactly these four fields, later versions may append more behind another dash.
        let length_fits = text.len() == 55 || (version > 0 && text.get(55) == Some(&b'-'));
        if !dashes || !length_fits || version == 0xff {
            return None;
        }
        let trace = Trace {
            trace_id: hex(&text[3..35])?,
            span_id: hex(&text[36..52])?,
            flags: hex::<1>(&text[53..55])?[0],
        };
        (trace.trace_id != [0; 16] && trace.span_id != [0; 8]).then_some(trace)
    }

    /// Writes a `traceparent` of version 0.
    #[must_use]
    pub fn text(&self) -> TraceText {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 55];
        let mut put = |at: usize, bytes: &[u8]| {
            for (pair, byte) in text[at..].chunks_exact_mut(2).zip(bytes) {
                pair.copy_from_slice(&[
                    DIGITS[usize::from(byte >> 4)],
                    DIGITS[usize::from(byte & 15)],
                ]);
            }
        };
        put(0, &[0]);
        put(3, &self.trace_id);
        put(36, &self.span_id);
        put(53, &[self.flags]);
        TraceText(text)
    }

    pub(crate) fn from_abi(trace: &PlTrace) -> Option<Self> {
        let trace = Trace {
            trace_id: trace.trace_id,
            span_id: trace.span_id,
            flags: trace.flags,
        };
        (trace.trace_id != [0; 16]).then_some(trace)
    }

    pub(crate) fn to_abi(self) -> PlTrace {
        PlTrace {
            trace_id: self.trace_id,
            span_id: self.span_id,
            flags: self.flags,
            reserved: [0; 7],
            tracestate: PlStr::EMPTY,
        }
    }
}

impl fmt::Display for Trace {
    /// Writes a `traceparent` of version 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// A `traceparent`, without memory of its own.
#[derive(Clone, Copy)]
pub struct TraceText([u8; 55]);

impl TraceText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits and dashes are UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Lower-case hexadecimal only, as the specification demands.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    (text.len() == 2 * N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_survives_reading_and_writing() {
        let trace = Trace::parse(EXAMPLE).unwrap();
        assert!(trace.is_sampled());
        assert_eq!(trace.to_string(), EXAMPLE);
    }

    #[test]
    fn a_later_version_may_have_more_fields() {
        assert!(
            Trace::parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").is_some()
        );
    }

    #[test]
    fn broken_traceparents_are_refused() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0é4736-00f067aa0ba902b7-0",
        ] {
            assert_eq!(Trace::parse(text), None, "{text}");
        }
    }
}
