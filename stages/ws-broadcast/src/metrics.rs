//! What the stage counts.

use pipeline_sdk::prelude::*;

use crate::intake::Taken;

/// Every counter and gauge of the stage, registered once.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) posted: Counter,
    pub(crate) passed_on: Counter,
    pub(crate) duplicates: Counter,
    pub(crate) out_of_order: Counter,
    pub(crate) resets: Counter,
    pub(crate) rejected: Counter,
    pub(crate) sent: Counter,
    pub(crate) sent_bytes: Counter,
    pub(crate) writes: Counter,
    pub(crate) gaps: Counter,
    pub(crate) skipped: Counter,
    pub(crate) plain_clients: Gauge,
    pub(crate) v1_clients: Gauge,
    pub(crate) ring_messages: Gauge,
    pub(crate) ring_bytes: Gauge,
    pub(crate) slowest: Gauge,
    context: Context,
}

impl Metrics {
    pub(crate) fn new(context: &Context) -> Self {
        let counter = |name: &str, help: &str| context.counter(name, help, &[]);
        let accepted = |via| {
            context.counter(
                "pipeline_ws_accepted",
                "messages put into the ring",
                &[("via", via)],
            )
        };
        let clients = |protocol| {
            context.gauge(
                "pipeline_ws_clients",
                "",
                "clients that are connected",
                &[("protocol", protocol)],
            )
        };
        let gauge = |name: &str, unit: &str, help: &str| context.gauge(name, unit, help, &[]);
        Self {
            posted: accepted("post"),
            passed_on: accepted("input"),
            duplicates: counter(
                "pipeline_ws_duplicates",
                "messages that were in the ring already",
            ),
            out_of_order: counter(
                "pipeline_ws_out_of_order",
                "messages behind a newer one of their partition",
            ),
            resets: counter("pipeline_ws_resets", "partitions that began again"),
            rejected: counter("pipeline_ws_rejected", "messages that cannot be taken"),
            sent: counter("pipeline_ws_sent", "messages written to clients"),
            sent_bytes: counter("pipeline_ws_sent_bytes", "bytes written to clients"),
            writes: counter(
                "pipeline_ws_writes",
                "writes to clients, each with all that waited",
            ),
            gaps: counter("pipeline_ws_gaps", "gaps told to clients"),
            skipped: counter(
                "pipeline_ws_skipped",
                "messages that slow clients were moved over",
            ),
            plain_clients: clients("plain"),
            v1_clients: clients(stage_envelope::SUBPROTOCOL),
            ring_messages: gauge("pipeline_ws_ring_messages", "", "messages in the ring"),
            ring_bytes: gauge("pipeline_ws_ring", "bytes", "memory of the ring"),
            slowest: gauge(
                "pipeline_ws_slowest_client",
                "",
                "messages that wait for the slowest client",
            ),
            context: context.clone(),
        }
    }

    /// Counts what became of messages.
    pub(crate) fn took(&self, taken: Taken, local: bool) {
        let accepted = if local { &self.posted } else { &self.passed_on };
        accepted.add(taken.accepted);
        self.duplicates.add(taken.duplicates);
        self.out_of_order.add(taken.out_of_order);
        self.resets.add(taken.resets);
    }

    /// Counts a client that left, or was sent away.
    pub(crate) fn left(&self, reason: &'static str) {
        self.context
            .counter(
                "pipeline_ws_disconnects",
                "clients that left",
                &[("reason", reason)],
            )
            .add(1);
    }

    /// Counts a request or a connection that was refused.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.context
            .counter(
                "pipeline_ws_refused",
                "clients and writers that were refused",
                &[("reason", reason)],
            )
            .add(1);
    }
}
