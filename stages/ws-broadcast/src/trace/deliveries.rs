//! The spans `deliver` of one client: a ping goes out behind the write, and its echo says that the client has all before it.
//! Every WebSocket client answers pings, so browsers need no code for it.
//!
//! Invariant: a bounded number is open; what a client has not echoed when it leaves has failed.

use std::collections::VecDeque;

use pipeline_sdk::prelude::*;

/// Most messages of one client whose echo is waited for.
const OPEN_MAX: usize = 256;

/// Deliveries to one client whose echo is waited for.
#[derive(Default)]
pub(crate) struct Deliveries {
    /// With the number of the ping behind each.
    open: VecDeque<(u64, Span)>,
    pings: u64,
}

impl Deliveries {
    /// How many more can be waited for.
    pub(crate) fn room(&self) -> usize {
        OPEN_MAX - self.open.len()
    }

    /// Starts the spans of messages that are about to be written; answers what the ping behind them has to carry.
    pub(crate) fn begin(&mut self, context: &Context, traces: Vec<Trace>) -> Option<[u8; 8]> {
        if traces.is_empty() {
            return None;
        }
        self.pings += 1;
        for trace in traces {
            let span = context.span(SpanKind::Client, "deliver", trace);
            let span = span.with("network.protocol.name", "websocket");
            self.open.push_back((self.pings, span));
        }
        Some(self.pings.to_be_bytes())
    }

    /// Ends the spans before the ping that was echoed.
    pub(crate) fn echoed(&mut self, ping: u64) {
        while self.open.front().is_some_and(|(behind, _)| *behind <= ping) {
            self.open.pop_front();
        }
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        for (_, span) in &mut self.open {
            span.fail("client_left", "the client left before it answered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn an_echo_ends_all_before_it() {
        let context = Context::detached("ws-broadcast");
        let trace = Trace::parse(TRACE).unwrap();
        let mut deliveries = Deliveries::default();
        assert_eq!(deliveries.begin(&context, Vec::new()), None);
        let pings: Vec<u64> = (0..3)
            .filter_map(|_| deliveries.begin(&context, vec![trace; 2]))
            .map(u64::from_be_bytes)
            .collect();
        assert_eq!(deliveries.room(), OPEN_MAX - 6);
        deliveries.echoed(pings[1]);
        assert_eq!(deliveries.room(), OPEN_MAX - 2);
        deliveries.echoed(u64::MAX);
        assert_eq!(deliveries.room(), OPEN_MAX);
    }
}
