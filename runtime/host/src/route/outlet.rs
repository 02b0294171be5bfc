//! Where the messages of one producer go.

use super::FilterNode;
use crate::batch::View;
use crate::edge::{Edge, Waiter};
use crate::settle::{Claim, Tee};
use std::sync::Arc;

/// A consumer of an outlet.
#[derive(Clone)]
pub(crate) enum Branch {
    /// A stage with a queue.
    Edge(Arc<Edge>),
    /// A filter, which is called at once.
    Filter(Arc<FilterNode>),
}

/// All consumers of one producer. A batch goes to all of them or to none: a producer is parked while any edge that it reaches,
/// directly or through filters, has no credit.
#[derive(Default)]
pub(crate) struct Outlet {
    branches: Vec<Branch>,
    edges: Vec<Arc<Edge>>,
    filters: Vec<Arc<FilterNode>>,
}

impl Outlet {
    pub(crate) fn new(branches: Vec<Branch>) -> Self {
        let mut outlet = Outlet {
            branches,
            ..Outlet::default()
        };
        for branch in outlet.branches.clone() {
            outlet.reach(&branch);
        }
        outlet
    }

    /// Enters what a branch leads to; a filter or edge that is reached on two ways is entered once.
    fn reach(&mut self, branch: &Branch) {
        match branch {
            Branch::Edge(edge) => {
                if !self.edges.iter().any(|known| Arc::ptr_eq(known, edge)) {
                    self.edges.push(edge.clone());
                }
            }
            Branch::Filter(filter) => {
                if !self.filters.iter().any(|known| Arc::ptr_eq(known, filter)) {
                    self.filters.push(filter.clone());
                    filter
                        .outlet()
                        .branches
                        .iter()
                        .for_each(|branch| self.reach(branch));
                }
            }
        }
    }

    /// Whether nobody consumes what comes this way.
    pub(crate) fn is_empty(&self) -> bool {
        self.branches.is_empty()
    }

    /// Names of the consumers.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.branches.iter().map(Branch::name).collect()
    }

    /// The edges that are reached.
    pub(crate) fn edges(&self) -> &[Arc<Edge>] {
        &self.edges
    }

    /// The filters that are reached.
    pub(crate) fn filters(&self) -> &[Arc<FilterNode>] {
        &self.filters
    }

    /// Whether a batch is admitted now. Only this producer takes credit of its edges (but for other producers that share a
    /// filter with it, each of which may overshoot by one batch), so a yes stays true until it sends.
    pub(crate) fn admits(&self) -> bool {
        self.edges.iter().all(|edge| edge.has_credit())
            && self.filters.iter().all(|filter| filter.is_available())
    }

    /// After [`Outlet::admits`] said no: parks the producer where it is blocked. Answers no if it may go on after all.
    pub(crate) fn park(&self, waiter: &Waiter) -> bool {
        waiter.arm();
        let edges: Vec<_> = self
            .edges
            .iter()
            .filter(|edge| !edge.has_credit())
            .collect();
        edges.iter().for_each(|edge| edge.park());
        let filters: Vec<_> = self
            .filters
            .iter()
            .filter(|filter| !filter.is_available())
            .collect();
        filters.iter().for_each(|filter| filter.park());
        // Order: the flags are up, now look again; see the `edge` module.
        let resumable = edges.iter().all(|edge| edge.is_resumable())
            && filters.iter().all(|filter| filter.is_available());
        if resumable {
            waiter.disarm();
        }
        !resumable
    }

    /// Hands messages to every consumer. Never refuses and never waits; see [`Edge::push`].
    pub(crate) fn offer(&self, view: View, claim: Claim) {
        match self.branches.as_slice() {
            [] => claim.done(0..view.len()),
            [one] => one.offer(view, claim),
            several => {
                let tee = Arc::new(Tee::new(claim, several.len() as u16, view.len()));
                several
                    .iter()
                    .for_each(|branch| branch.offer(view, Claim::node(tee.clone())));
            }
        }
    }
}

impl Branch {
    fn offer(&self, view: View, claim: Claim) {
        match self {
            Branch::Edge(edge) => edge.push(view, claim),
            Branch::Filter(filter) => filter.offer(view, claim),
        }
    }

    /// Name of the consumer.
    fn name(&self) -> &str {
        match self {
            Branch::Edge(edge) => edge.station().name(),
            Branch::Filter(filter) => filter.name(),
        }
    }
}
