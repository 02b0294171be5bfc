//! What the stage counts.

use std::collections::BTreeMap;

use pipeline_sdk::prelude::*;

use crate::client::End;
use crate::intake::Taken;
use crate::ring::Limits;

/// Reason of a client whose handshake was not completed.
pub(crate) const HANDSHAKE: &str = "handshake";

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
    pub(crate) slowest_bytes: Gauge,
    /// By reason.
    left: BTreeMap<&'static str, Counter>,
    context: Context,
}

impl Metrics {
    pub(crate) fn new(context: &Context, limits: Limits) -> Self {
        let counter = |name: &str, help: &str| context.counter(name, "", help, &[]);
        let accepted = |via| {
            context.counter(
                "pipeline_ws_accepted_messages",
                "",
                "Messages put into the ring",
                &[("via", via)],
            )
        };
        let clients = |protocol| {
            context.gauge(
                "pipeline_ws_clients",
                "",
                "Clients that are connected",
                &[("protocol", protocol)],
            )
        };
        let gauge = |name: &str, unit: &str, help: &str| context.gauge(name, unit, help, &[]);
        let limit = gauge(
            "pipeline_ws_ring_limit_messages",
            "",
            "Messages that the ring may hold",
        );
        limit.set(limits.messages as f64);
        let limit = gauge(
            "pipeline_ws_ring_limit",
            "bytes",
            "Memory that the ring may have",
        );
        limit.set(limits.bytes as f64);
        Self {
            posted: accepted("post"),
            passed_on: accepted("input"),
            duplicates: counter(
                "pipeline_ws_duplicate_messages",
                "Messages that were in the ring already",
            ),
            out_of_order: counter(
                "pipeline_ws_out_of_order_messages",
                "Messages behind a newer one of their partition",
            ),
            resets: counter("pipeline_ws_resets", "Partitions that began again"),
            rejected: counter(
                "pipeline_ws_rejected_messages",
                "Messages that cannot be taken",
            ),
            sent: counter("pipeline_ws_sent_messages", "Messages written to clients"),
            sent_bytes: context.counter(
                "pipeline_ws_sent",
                "bytes",
                "Bytes written to clients",
                &[],
            ),
            writes: counter(
                "pipeline_ws_writes",
                "Writes to clients, each with all that waited",
            ),
            gaps: counter("pipeline_ws_gaps", "Gaps told to clients"),
            skipped: counter(
                "pipeline_ws_skipped_messages",
                "Messages that slow clients were moved over",
            ),
            plain_clients: clients("plain"),
            v1_clients: clients(stage_envelope::SUBPROTOCOL),
            ring_messages: gauge("pipeline_ws_ring_messages", "", "Messages in the ring"),
            ring_bytes: gauge("pipeline_ws_ring", "bytes", "Memory of the ring"),
            slowest: gauge(
                "pipeline_ws_slowest_client_messages",
                "",
                "Messages that wait for the slowest client",
            ),
            slowest_bytes: gauge(
                "pipeline_ws_slowest_client",
                "bytes",
                "Bytes that wait for the slowest client",
            ),
            left: left(context),
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
        if let Some(counter) = self.left.get(reason) {
            counter.add(1);
        }
    }

    /// Counts a request or a connection that was refused.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.context
            .counter(
                "pipeline_ws_refused",
                "",
                "Clients and writers that were refused",
                &[("reason", reason)],
            )
            .add(1);
    }
}

/// The counters of clients that left, so that each reason is there from the beginning.
fn left(context: &Context) -> BTreeMap<&'static str, Counter> {
    let counter = |reason| {
        let help = "Clients that left, or were sent away";
        let counter = context.counter("pipeline_ws_disconnects", "", help, &[("reason", reason)]);
        (reason, counter)
    };
    let reasons = End::ALL.map(End::name).into_iter().chain([HANDSHAKE]);
    reasons.map(counter).collect()
}
