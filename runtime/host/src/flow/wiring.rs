//! From a flow's specification to its edges: built from the bottom to the top, since each stage needs what it leads to.

use super::{FlowSpec, OnReject, StageSpec, StartError};
use crate::edge::{Edge, Limits, Station, Waiter};
use crate::loader::Role;
use crate::port::Exit;
use crate::route::{Branch, FilterNode, Outlet};
use crate::settle::{Ledger, RejectRoute};
use crate::supervise::{Hub, Post, Seat};
use crate::tap::TapPoint;
use std::collections::HashMap;
use std::sync::Arc;

/// The stages of a flow with their sides of the wiring, from the top to the bottom.
pub(super) struct Wiring {
    pub(super) posts: Vec<(StageSpec, Arc<Seat>, Post)>,
}

/// Wires a flow.
pub(super) fn wire(spec: &FlowSpec, hub: &Arc<Hub>) -> Result<Wiring, StartError> {
    check_names(spec)?;
    let order = sort(spec)?;
    let mut builder = Builder {
        spec,
        hub,
        branches: HashMap::new(),
        posts: Vec::new(),
    };
    for stage in order.iter().rev() {
        builder.add(stage)?;
    }
    let mut posts = builder.posts;
    posts.reverse();
    introduce_waiters(&posts);
    Ok(Wiring { posts })
}

/// The stages in the order in which messages pass them; stages that do not depend on each other stay in the file's order.
fn sort(spec: &FlowSpec) -> Result<Vec<&StageSpec>, StartError> {
    let mut left: Vec<&StageSpec> = spec.stages.iter().collect();
    let mut sorted = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let feeds = |above: &StageSpec, below: &StageSpec| {
            below.from.contains(&above.name) || above.on_reject == OnReject::To(below.name.clone())
        };
        let next = left
            .iter()
            .position(|stage| !left.iter().any(|other| feeds(other, stage)));
        let Some(next) = next else {
            let names: Vec<_> = left
                .iter()
                .map(|stage| format!("`{}`", stage.name))
                .collect();
            return Err(StartError::Cycle(names.join(", ")));
        };
        sorted.push(left.remove(next));
    }
    Ok(sorted)
}

fn check_names(spec: &FlowSpec) -> Result<(), StartError> {
    for (index, stage) in spec.stages.iter().enumerate() {
        if spec.stages[..index]
            .iter()
            .any(|other| other.name == stage.name)
        {
            return Err(StartError::Twice(stage.name.clone()));
        }
        let to = if let OnReject::To(name) = &stage.on_reject {
            Some(("on_reject", name))
        } else {
            None
        };
        for (key, name) in stage.from.iter().map(|name| ("from", name)).chain(to) {
            let Some(target) = spec.stages.iter().find(|other| other.name == *name) else {
                return Err(StartError::Unknown {
                    stage: stage.name.clone(),
                    key,
                    name: name.clone(),
                });
            };
            if key == "on_reject" && target.role() == Role::Source {
                return Err(StartError::IntoSource(name.clone()));
            }
        }
        if stage.role() == Role::Source && !stage.from.is_empty() {
            return Err(StartError::IntoSource(stage.name.clone()));
        }
    }
    Ok(())
}

struct Builder<'a> {
    spec: &'a FlowSpec,
    hub: &'a Arc<Hub>,
    /// What leads into the stages that are built, by (from, to).
    branches: HashMap<(String, String), Branch>,
    posts: Vec<(StageSpec, Arc<Seat>, Post)>,
}

impl Builder<'_> {
    /// Adds a stage; everything that it leads to was added before.
    fn add(&mut self, stage: &StageSpec) -> Result<(), StartError> {
        let seat = Seat::new(self.hub.clone(), stage.name.clone());
        let next = self.outlet(stage);
        let post = match stage.role() {
            Role::Source => Post::Source(Arc::new(Exit {
                outlet: next,
                ledger: Arc::new(Ledger::default()),
                waiter: Arc::new(Waiter::default()),
                tap: TapPoint::default(),
            })),
            Role::Filter => self.filter(
                stage,
                FilterNode::new(seat.clone(), next, self.rejects(stage)),
            ),
            Role::Sink => {
                self.sink(stage, Station::new(seat.clone(), next, self.rejects(stage)))?
            }
        };
        self.posts.push((stage.clone(), seat, post));
        Ok(())
    }

    fn outlet(&self, stage: &StageSpec) -> Outlet {
        let consumers = self
            .spec
            .stages
            .iter()
            .filter(|other| other.from.contains(&stage.name));
        Outlet::new(
            consumers
                .filter_map(|consumer| self.branch(&stage.name, &consumer.name))
                .collect(),
        )
    }

    fn rejects(&self, stage: &StageSpec) -> RejectRoute {
        match &stage.on_reject {
            OnReject::Drop => RejectRoute::Drop,
            OnReject::Stop => RejectRoute::Stop,
            OnReject::To(name) => RejectRoute::To(Outlet::new(
                self.branch(&stage.name, name).into_iter().collect(),
            )),
        }
    }

    fn branch(&self, from: &str, to: &str) -> Option<Branch> {
        self.branches
            .get(&(from.to_owned(), to.to_owned()))
            .cloned()
    }

    fn filter(&mut self, stage: &StageSpec, node: Arc<FilterNode>) -> Post {
        for from in self.feeders(stage) {
            self.branches
                .insert((from, stage.name.clone()), Branch::Filter(node.clone()));
        }
        Post::Filter(node)
    }

    fn sink(&mut self, stage: &StageSpec, station: Arc<Station>) -> Result<Post, StartError> {
        let limits = Limits {
            messages: stage.buffer.messages.into(),
            bytes: stage.buffer.bytes,
        };
        let feeders = self.feeders(stage);
        check_inputs(stage, feeders.len())?;
        let edges: Vec<_> = feeders
            .into_iter()
            .map(|from| Edge::new(from, station.clone(), limits))
            .collect();
        station.set_inputs(&edges);
        for edge in &edges {
            let way = (edge.from().to_owned(), stage.name.clone());
            self.branches.insert(way, Branch::Edge(edge.clone()));
        }
        Ok(Post::Sink(edges))
    }

    /// The stages whose messages or rejects come to a stage.
    fn feeders(&self, stage: &StageSpec) -> Vec<String> {
        let rejects = self
            .spec
            .stages
            .iter()
            .filter(|other| other.on_reject == OnReject::To(stage.name.clone()));
        let mut names = stage.from.clone();
        names.extend(rejects.map(|other| other.name.clone()));
        let mut seen = Vec::new();
        names.retain(|name| {
            !seen.contains(name) && {
                seen.push(name.clone());
                true
            }
        });
        names
    }
}

fn check_inputs(stage: &StageSpec, found: usize) -> Result<(), StartError> {
    let Some(kind) = stage.plugin.kind(&stage.kind) else {
        return Ok(());
    };
    let (min, max) = (kind.min_inputs, kind.max_inputs);
    if (min as usize..=max as usize).contains(&found) {
        return Ok(());
    }
    let expected = match (min, max) {
        (min, max) if min == max => min.to_string(),
        (min, u32::MAX) => format!("at least {min}"),
        (min, max) => format!("{min} to {max}"),
    };
    Err(StartError::Inputs {
        stage: stage.name.clone(),
        found,
        expected,
    })
}

/// Tells every edge and filter which sources may be parked there.
fn introduce_waiters(posts: &[(StageSpec, Arc<Seat>, Post)]) {
    let exit = |(_, _, post): &(StageSpec, Arc<Seat>, Post)| match post {
        Post::Source(exit) => Some(exit.clone()),
        Post::Filter(_) | Post::Sink(_) => None,
    };
    let exits: Vec<Arc<Exit>> = posts.iter().filter_map(exit).collect();
    let waiters = |reaches: &dyn Fn(&Outlet) -> bool| {
        let reaching = exits.iter().filter(|exit| reaches(&exit.outlet));
        reaching.map(|exit| exit.waiter.clone()).collect::<Vec<_>>()
    };
    for (_, _, post) in posts {
        if let Post::Filter(filter) = post {
            filter.set_waiters(waiters(&|outlet| contains(outlet.filters(), filter)));
        }
        for edge in post.inputs() {
            edge.set_waiters(waiters(&|outlet| contains(outlet.edges(), edge)));
        }
    }
}

fn contains<T>(all: &[Arc<T>], one: &Arc<T>) -> bool {
    all.iter().any(|other| Arc::ptr_eq(other, one))
}
