//! What the program holds of a flow.

use super::drain::{Drained, Left};
use super::running::{Flow, Member};
use super::{FlowSpec, FlowStatus, ReloadError, ReloadReport, StartError};
use crate::loader::Role;
use crate::supervise::{HostEvent, HostShared, Hub};
use crate::tap::Tap;
use parking_lot::{Mutex, RwLock};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How long the flow of sources that have reached their end may take to settle the rest.
const END_DRAIN: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long each stage of a flow that did not open may take to close.
const CLOSE: Duration = Duration::from_secs(10);

/// A running flow. Dropping it without [`FlowHandle::close`] leaves the flow running.
pub struct FlowHandle {
    inner: Arc<Handle>,
}

/// Stages that ignored `close` for longer than their time: the process should end now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stuck in `close`: {}", stages.join(", "))]
pub struct Stuck {
    /// Their names.
    pub stages: Vec<String>,
}

/// What outlives a rebuild of the flow.
pub(super) struct Handle {
    host: Arc<HostShared>,
    flow: RwLock<Arc<Flow>>,
    /// Held while the flow is drained or changed: one at a time. Closing does not wait for it.
    pub(super) control: Mutex<FlowSpec>,
}

impl FlowHandle {
    pub(crate) fn start(host: Arc<HostShared>, spec: FlowSpec) -> Result<Self, StartError> {
        let mut failed = None;
        let inner = Arc::new_cyclic(|handle: &Weak<Handle>| {
            let flow = build(&host, &spec, handle.clone()).unwrap_or_else(|error| {
                failed = Some(error);
                empty(&host, &spec)
            });
            Handle {
                host: host.clone(),
                flow: RwLock::new(flow),
                control: Mutex::new(spec),
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let flow = inner.flow();
        host.enter(&flow);
        if let Err(error) = flow.open() {
            flow.close(CLOSE);
            return Err(error);
        }
        Ok(FlowHandle { inner })
    }

    /// What is known now.
    #[must_use]
    pub fn status(&self) -> FlowStatus {
        self.inner.flow().status()
    }

    /// Whether every stage is open, healthy or not: the listeners listen.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.inner
            .flow()
            .members()
            .iter()
            .all(|member| member.seat.board().is_open())
    }

    /// Whether every stage is open and none is degraded.
    ///
    /// # Errors
    /// The reasons why not, one for each stage that is not.
    pub fn is_ready(&self) -> Result<(), Vec<String>> {
        let flow = self.inner.flow();
        let reasons: Vec<_> = flow
            .members()
            .iter()
            .filter_map(Member::not_ready)
            .collect();
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }

    /// Shows what comes into a stage from now on, or what a source hands on. The answer is no if there is no such stage.
    /// When a reload builds the flow anew, the host drops all its references to the tap.
    pub fn tap(&self, stage: &str, tap: &Arc<Tap>) -> bool {
        let flow = self.inner.flow();
        let member = flow
            .members()
            .iter()
            .find(|member| member.seat.name() == stage);
        for point in member.iter().flat_map(|member| member.post.taps()) {
            point.attach(tap.clone());
        }
        member.is_some()
    }

    /// Asks the stages from the top to the bottom to hand out nothing new and to settle what they have.
    pub fn drain(&self, within: Duration) -> Drained {
        let until = Instant::now() + within;
        let _control = self.inner.control.lock();
        self.inner.flow().drain(until)
    }

    /// What is unsettled now, per source that has any.
    #[must_use]
    pub fn left(&self) -> Vec<Left> {
        self.inner.flow().left()
    }

    /// Closes the stages from the top to the bottom, each within `timeout`, drained or not. May be called while another
    /// thread drains or reloads: that ends early then.
    ///
    /// # Errors
    /// Names the stages that are stuck; the process should end.
    pub fn close(&self, timeout: Duration) -> Result<(), Stuck> {
        let stages = self.inner.flow().close(timeout);
        if stages.is_empty() {
            Ok(())
        } else {
            Err(Stuck { stages })
        }
    }

    /// Changes the flow: stages that stay the same are not touched; those with other settings or another plugin are drained,
    /// closed and opened anew; if the structure differs, the whole flow is drained and built anew.
    ///
    /// # Errors
    /// When something did not open with its new settings; it runs with the old ones again.
    pub fn reload(&self, spec: FlowSpec) -> Result<ReloadReport, ReloadError> {
        self.inner.reload(spec)
    }
}

impl Handle {
    pub(super) fn flow(&self) -> Arc<Flow> {
        self.flow.read().clone()
    }

    /// Puts a flow in the place of the old one, and opens it.
    pub(super) fn replace(&self, flow: Arc<Flow>) -> Result<(), StartError> {
        self.host.enter(&flow);
        *self.flow.write() = flow.clone();
        flow.open().inspect_err(|_| drop(flow.close(CLOSE)))
    }

    /// Wires another flow for this handle; nothing of it is opened.
    pub(super) fn build(self: &Arc<Self>, spec: &FlowSpec) -> Result<Arc<Flow>, StartError> {
        build(&self.host, spec, Arc::downgrade(self))
    }

    /// All sources have reached their end: everything is settled, and the program is told. Somebody else may drain, close
    /// or rebuild the flow meanwhile: then this is not its end.
    fn end(&self) {
        let flow = self.flow();
        let drained = flow.drain(Instant::now() + END_DRAIN);
        if drained.clean && flow.is_running() && Arc::ptr_eq(&flow, &self.flow()) {
            self.host.tell(HostEvent::Finished {
                flow: flow.hub.flow.clone(),
                instance: flow.hub.instance,
            });
        }
    }
}

/// Wires a flow. Its end is told through `handle`, on a thread of its own: it is announced on a supervisor's.
fn build(
    host: &Arc<HostShared>,
    spec: &FlowSpec,
    handle: Weak<Handle>,
) -> Result<Arc<Flow>, StartError> {
    let sources = spec
        .stages
        .iter()
        .filter(|stage| stage.role() == Role::Source)
        .count();
    let at_end = move || {
        let handle = handle.clone();
        let _ = std::thread::Builder::new()
            .name("flow-end".into())
            .spawn(move || {
                if let Some(handle) = handle.upgrade() {
                    handle.end();
                }
            });
    };
    let identity = (spec.name.clone(), spec.instance, spec.instances);
    Ok(Arc::new(Flow::new(
        spec,
        Hub::new(host.clone(), identity, sources, Box::new(at_end)),
    )?))
}

fn empty(host: &Arc<HostShared>, spec: &FlowSpec) -> Arc<Flow> {
    let identity = (spec.name.clone(), spec.instance, spec.instances);
    let hub = Hub::new(host.clone(), identity, 0, Box::new(|| ()));
    Arc::new(Flow {
        hub,
        members: Vec::new(),
    })
}
