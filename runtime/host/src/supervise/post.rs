//! What the host keeps for a stage between two of its instances.

use crate::edge::{Edge, Limits};
use crate::loader::Role;
use crate::port::{Exit, InputPort, OutputPort};
use crate::route::{FilterNode, Processor};
use crate::supervise::Seat;
use crate::tap::TapPoint;
use std::sync::Arc;

/// A stage's side of the wiring.
#[derive(Clone)]
pub(crate) enum Post {
    /// Where a source sends.
    Source(Arc<Exit>),
    /// A filter's place between its neighbours.
    Filter(Arc<FilterNode>),
    /// A sink's inputs.
    Sink(Vec<Arc<Edge>>),
}

impl Post {
    pub(crate) fn role(&self) -> Role {
        match self {
            Post::Source(_) => Role::Source,
            Post::Filter(_) => Role::Filter,
            Post::Sink(..) => Role::Sink,
        }
    }

    /// The edges into the stage.
    pub(crate) fn inputs(&self) -> &[Arc<Edge>] {
        match self {
            Post::Sink(edges) => edges,
            Post::Source(_) | Post::Filter(_) => &[],
        }
    }

    /// Where messages pass that concern the stage: what comes in, or of a source what goes out.
    pub(crate) fn taps(&self) -> Vec<&TapPoint> {
        match self {
            Post::Source(exit) => vec![&exit.tap],
            Post::Filter(node) => vec![&node.tap],
            Post::Sink(edges) => edges.iter().map(|edge| &edge.tap).collect(),
        }
    }

    /// Names of what a source sends to.
    pub(super) fn behind(&self) -> String {
        match self {
            Post::Source(exit) => exit.outlet.names().join(","),
            Post::Filter(_) | Post::Sink(..) => String::new(),
        }
    }

    /// Most unsettled work that a source can have on its way: the smallest window that it reaches.
    pub(super) fn window(&self) -> Limits {
        let edges = match self {
            Post::Source(exit) => exit.outlet.edges(),
            Post::Filter(_) | Post::Sink(..) => &[],
        };
        let limits = edges.iter().map(|edge| edge.window().limits());
        let smallest = |a: Limits, b: Limits| Limits {
            messages: a.messages.min(b.messages),
            bytes: a.bytes.min(b.bytes),
        };
        limits.reduce(smallest).unwrap_or(Limits {
            messages: 0,
            bytes: 0,
        })
    }

    /// Ports for a new instance.
    pub(super) fn ports(&self, seat: &Arc<Seat>) -> (Vec<Arc<InputPort>>, Option<Arc<OutputPort>>) {
        let output = match self {
            Post::Source(exit) => Some(OutputPort::new(exit.clone(), seat.clone())),
            Post::Filter(_) | Post::Sink(..) => None,
        };
        (
            self.inputs().iter().cloned().map(InputPort::new).collect(),
            output,
        )
    }

    /// An instance was started.
    pub(super) fn attach(&self, processor: Option<Processor>) {
        self.hold(false);
        if let (Post::Filter(filter), Some(processor)) = (self, processor) {
            filter.attach(processor);
        }
    }

    /// The instance is about to be closed.
    pub(super) fn detach(&self) {
        if let Post::Filter(filter) = self {
            filter.detach();
        }
    }

    /// Says whether the instance gets anything more.
    pub(super) fn hold(&self, held: bool) {
        self.inputs().iter().for_each(|edge| edge.hold(held));
    }

    /// Says whether anything more will come from above.
    pub(super) fn finish(&self, finished: bool) {
        for edge in self.inputs() {
            if finished {
                edge.finish()
            } else {
                edge.unfinish()
            }
        }
    }

    /// Queues for the next instance what a closed one left unsettled. `error`: how it failed, if it did.
    pub(super) fn recover(&self, error: Option<&str>) -> u64 {
        self.inputs().iter().map(|edge| edge.recover(error)).sum()
    }

    /// Whether the stage has given its word about everything that reached it.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Post::Source(_) => true,
            Post::Filter(filter) => filter.is_idle(),
            Post::Sink(edges) => edges.iter().all(|edge| edge.is_consumed()),
        }
    }

    /// Whether the instance has given its word about everything that it holds.
    pub(super) fn owes_nothing(&self) -> bool {
        match self {
            Post::Source(_) | Post::Filter(_) => true,
            Post::Sink(edges) => edges.iter().all(|edge| !edge.owes()),
        }
    }

    /// Whether everything that a source sent is done.
    pub(super) fn is_sent_settled(&self) -> bool {
        match self {
            Post::Source(exit) => exit.ledger.unsettled() == 0,
            Post::Filter(_) | Post::Sink(..) => true,
        }
    }
}
