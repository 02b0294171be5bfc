//! The flows that run, in the order of the files.
//!
//! They start from the bottom to the top and stop from the top to the bottom, each fully drained before the next, so that
//! whoever is sent to outlives whoever sends. These calls block: they are made off the async threads, one at a time.

mod adopt;
mod copy;
mod stop;

pub(crate) use copy::FlowCopy;

use crate::logs::Logger;
use parking_lot::Mutex;
use pipeline_host::{FlowSpec, Host};
use std::sync::Arc;
use tracing::Span;

/// All running copies.
pub(crate) struct Fleet {
    host: Arc<Host>,
    logger: Arc<Logger>,
    copies: Mutex<Vec<FlowCopy>>,
}

impl Fleet {
    /// A fleet without flows.
    pub(crate) fn new(host: Arc<Host>, logger: Arc<Logger>) -> Arc<Self> {
        Arc::new(Fleet {
            host,
            logger,
            copies: Mutex::default(),
        })
    }

    /// The running copies, in the order of the files.
    pub(crate) fn copies(&self) -> Vec<FlowCopy> {
        self.copies.lock().clone()
    }

    /// The copy of that name and index.
    pub(crate) fn find(&self, flow: &str, instance: u32) -> Option<FlowCopy> {
        let copies = self.copies.lock();
        copies
            .iter()
            .find(|copy| copy.flow == flow && copy.instance == instance)
            .cloned()
    }

    /// Why the process is not ready; nothing when it is.
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.copies().iter().flat_map(FlowCopy::reasons).collect()
    }

    /// Whether every stage is open.
    pub(crate) fn is_open(&self) -> bool {
        self.copies().iter().all(|copy| copy.handle.is_open())
    }

    /// Starts flows, the last one first. A stage that does not open is an error: it would not open later either.
    pub(crate) fn start(&self, specs: Vec<FlowSpec>) -> Result<(), String> {
        for spec in specs.into_iter().rev() {
            let copy = self.start_one(spec)?;
            self.copies.lock().insert(0, copy);
        }
        Ok(())
    }

    fn start_one(&self, spec: FlowSpec) -> Result<FlowCopy, String> {
        let _start = flow_span("start", &spec).entered();
        let handle = self.host.start(spec.clone()).map_err(|error| {
            tracing::error!(error = %error);
            format!("flow `{}`: {error}", spec.name)
        })?;
        Ok(FlowCopy {
            flow: spec.name.clone(),
            instance: spec.instance,
            spec: Arc::new(spec),
            handle: Arc::new(handle),
        })
    }
}

/// What is done with one copy of a flow.
fn flow_span(what: &str, spec: &FlowSpec) -> Span {
    tracing::info_span!(
        "flow",
        otel.name = format!("{what} {}", spec.name),
        pipeline.flow = spec.name,
        pipeline.instance = spec.instance,
    )
}
