//! The way back: whom to tell that messages are done, and what keeps their memory alive meanwhile.

use crate::batch::Held;
use crate::edge::DeliveryRef;
use std::ops::Range;
use std::sync::Arc;

/// Something between a producer's batch and the deliveries that were made of it.
pub(crate) trait Node: Send + Sync {
    /// Messages of what this node handed on are done. Each message is told once.
    fn done(&self, range: Range<u32>);
}

/// The duty to tell upstream about a run of messages, and a hold on their memory. Cloned and narrowed when the run is
/// split; whoever settles a message tells exactly one of the pieces.
#[derive(Clone)]
pub(crate) struct Claim {
    upstream: Upstream,
    first: u32,
}

#[derive(Clone)]
enum Upstream {
    /// The producer itself.
    Batch(Held),
    /// A fan-out, a filter, a dead letter.
    Node(Arc<dyn Node>),
    /// A delivery to a sink that passes on what it delivered, or that rejected it.
    Delivery(DeliveryRef),
}

impl Claim {
    /// On a batch as its producer made it.
    pub(crate) fn batch(held: Held) -> Self {
        Claim {
            upstream: Upstream::Batch(held),
            first: 0,
        }
    }

    /// On what a node handed on.
    pub(crate) fn node(node: Arc<dyn Node>) -> Self {
        Claim {
            upstream: Upstream::Node(node),
            first: 0,
        }
    }

    /// On a delivery from message `first` on.
    pub(crate) fn delivery(delivery: DeliveryRef, first: u32) -> Self {
        Claim {
            upstream: Upstream::Delivery(delivery),
            first,
        }
    }

    /// The same claim on the messages from `first` on.
    pub(crate) fn from(&self, first: u32) -> Self {
        let mut part = self.clone();
        part.first += first;
        part
    }

    /// Tells upstream that messages, counted from where this claim begins, are done.
    pub(crate) fn done(&self, range: Range<u32>) {
        let range = self.first + range.start..self.first + range.end;
        match &self.upstream {
            Upstream::Batch(held) => held.done(range.start, range.len() as u32),
            Upstream::Node(node) => node.done(range),
            Upstream::Delivery(delivery) => delivery.finish(range),
        }
    }
}
