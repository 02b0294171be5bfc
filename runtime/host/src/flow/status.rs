//! The status of a flow, for people and programs.

use super::running::{Flow, Member};
use crate::edge::{Edge, EdgeCounts};
use crate::loader::Role;
use crate::supervise::{Health, Post, StageState};
use serde::Serialize;
use serde_json::Value;
use std::sync::atomic::Ordering;

/// One copy of a flow.
#[derive(Clone, Debug, Serialize)]
pub struct FlowStatus {
    /// Name of the flow.
    pub flow: String,
    /// Index of this copy.
    pub instance: u32,
    /// Number of copies.
    pub instances: u32,
    /// The stages, in the order in which messages pass them.
    pub stages: Vec<StageStatus>,
}

/// One stage.
#[derive(Clone, Debug, Serialize)]
pub struct StageStatus {
    /// Its name.
    pub name: String,
    /// The word of `use:`.
    pub kind: String,
    /// What it does with messages.
    pub role: Role,
    /// Where it is in its life.
    pub state: StageState,
    /// For how long, seconds.
    pub state_seconds: f64,
    /// What it says about itself.
    pub health: Health,
    /// Why it is degraded or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was opened again.
    pub restarts: u64,
    /// Messages that it rejected.
    pub rejected: u64,
    /// The edges into it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<EdgeStatus>,
    /// Of a source: messages that it sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// Of a source: messages that it sent and that are not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<u64>,
    /// Of a filter: messages that came in and that went on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<(u64, u64)>,
    /// Its own status document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Value>,
}

/// One edge.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeStatus {
    /// The stage that it comes from.
    pub from: String,
    /// The counters.
    #[serde(flatten)]
    pub counts: EdgeCounts,
    /// Messages that are not settled.
    pub unsettled_messages: u64,
    /// Their bytes.
    pub unsettled_bytes: u64,
    /// How many may be unsettled.
    pub limit_messages: u64,
    /// How many of their bytes.
    pub limit_bytes: u64,
}

impl Flow {
    pub(super) fn status(&self) -> FlowStatus {
        FlowStatus {
            flow: self.hub.flow.clone(),
            instance: self.hub.instance,
            instances: self.hub.instances,
            stages: self.members.iter().map(status_of).collect(),
        }
    }
}

fn status_of(member: &Member) -> StageStatus {
    let board = member.seat.board();
    let (mut sent, mut unsettled, mut filtered) = (None, None, None);
    match &member.post {
        Post::Source(exit) => {
            (sent, unsettled) = (Some(exit.ledger.taken()), Some(exit.ledger.unsettled()))
        }
        Post::Filter(node) => {
            let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
            filtered = Some((get(&node.stats.messages), get(&node.stats.passed)));
        }
        Post::Sink(..) => {}
    }
    // A plugin's document is parsed only when somebody asks; one that is not JSON is shown as the text that it is.
    let document = board
        .document
        .as_deref()
        .map(|text| serde_json::from_str(text).unwrap_or_else(|_| text.into()));
    StageStatus {
        name: member.seat.name().to_owned(),
        kind: member.spec.lock().kind.clone(),
        role: member.post.role(),
        state: board.state,
        state_seconds: board.since.elapsed().as_secs_f64(),
        health: board.health,
        reason: board.reason().map(str::to_owned),
        restarts: board.restarts,
        rejected: member.seat.rejected(),
        inputs: member
            .post
            .inputs()
            .iter()
            .map(|edge| edge_status(edge))
            .collect(),
        sent,
        unsettled,
        filtered,
        document,
    }
}

fn edge_status(edge: &Edge) -> EdgeStatus {
    let (in_flight, limits) = (edge.window().in_flight(), edge.window().limits());
    EdgeStatus {
        from: edge.from().to_owned(),
        counts: edge.stats.counts(),
        unsettled_messages: in_flight.messages,
        unsettled_bytes: in_flight.bytes,
        limit_messages: limits.messages,
        limit_bytes: limits.bytes,
    }
}
