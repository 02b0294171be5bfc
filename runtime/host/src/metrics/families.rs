//! The table of the host's own metrics.

use super::FamilyKind;

/// One of the host's metrics.
#[derive(Clone, Copy, Debug)]
pub struct HostFamily {
    /// Without unit and without `_total`.
    pub name: &'static str,
    /// `seconds`, `bytes` or empty.
    pub unit: &'static str,
    /// Kind.
    pub kind: FamilyKind,
    /// One line for people.
    pub help: &'static str,
}

const fn family(
    name: &'static str,
    unit: &'static str,
    kind: FamilyKind,
    help: &'static str,
) -> HostFamily {
    HostFamily {
        name,
        unit,
        kind,
        help,
    }
}

use FamilyKind::{Counter, Gauge, Histogram};

/// Every metric that the host itself has. All carry `flow`, `instance` and `stage`; those of an edge also `from`.
pub const HOST_FAMILIES: &[HostFamily] = &[
    family(
        "pipeline_edge_messages",
        "",
        Counter,
        "Messages that came into the edge.",
    ),
    family(
        "pipeline_edge_payload",
        "bytes",
        Counter,
        "Payload and key bytes that came into the edge.",
    ),
    family(
        "pipeline_edge_batches",
        "",
        Counter,
        "Batches that came into the edge.",
    ),
    family(
        "pipeline_edge_queued_messages",
        "",
        Gauge,
        "Messages that wait for the stage.",
    ),
    family(
        "pipeline_edge_unsettled_messages",
        "",
        Gauge,
        "Messages that are not settled.",
    ),
    family(
        "pipeline_edge_unsettled",
        "bytes",
        Gauge,
        "Bytes of the messages that are not settled.",
    ),
    family(
        "pipeline_edge_limit_messages",
        "",
        Gauge,
        "Messages that may be unsettled.",
    ),
    family(
        "pipeline_edge_done_messages",
        "",
        Counter,
        "Messages that the stage delivered.",
    ),
    family(
        "pipeline_edge_rejected_messages",
        "",
        Counter,
        "Messages that the stage rejected.",
    ),
    family(
        "pipeline_edge_redelivered_messages",
        "",
        Counter,
        "Messages given again after the stage failed.",
    ),
    family(
        "pipeline_edge_ignored_settles",
        "",
        Counter,
        "Settles of what was settled before or is not there.",
    ),
    family(
        "pipeline_edge_queue",
        "seconds",
        Histogram,
        "Time of a batch in the queue.",
    ),
    family(
        "pipeline_edge_settle",
        "seconds",
        Histogram,
        "Time from taking a batch to a word about it.",
    ),
    family(
        "pipeline_message_age",
        "seconds",
        Histogram,
        "Time from a message's entry to done by the stage.",
    ),
    family(
        "pipeline_source_messages",
        "",
        Counter,
        "Messages that the source sent.",
    ),
    family(
        "pipeline_source_unsettled_messages",
        "",
        Gauge,
        "Messages that the source sent and that are not done.",
    ),
    family(
        "pipeline_filter_messages",
        "",
        Counter,
        "Messages that came into the filter.",
    ),
    family(
        "pipeline_filter_passed_messages",
        "",
        Counter,
        "Messages that came out of the filter.",
    ),
    family(
        "pipeline_filter_redelivered_messages",
        "",
        Counter,
        "Messages given again after the filter failed.",
    ),
    family(
        "pipeline_filter_process",
        "seconds",
        Histogram,
        "Time of one call of the filter.",
    ),
    family(
        "pipeline_stage_rejected_messages",
        "",
        Counter,
        "Messages that the stage rejected.",
    ),
    family(
        "pipeline_stage_restarts",
        "",
        Counter,
        "Times that the stage was opened again.",
    ),
    family(
        "pipeline_stage_up",
        "",
        Gauge,
        "1 while the stage is open, 0 while it is not.",
    ),
    family(
        "pipeline_stage_degraded",
        "",
        Gauge,
        "1 while the stage says that something is wrong, else 0.",
    ),
];
