//! What the stages of a flow share.

use super::{HostEvent, HostShared};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A flow, as its stages see it.
pub(crate) struct Hub {
    pub(crate) host: Arc<HostShared>,
    pub(crate) flow: String,
    pub(crate) instance: u32,
    pub(crate) instances: u32,
    failed: AtomicBool,
    /// Sources that have not reached their end.
    running_sources: AtomicUsize,
    at_end: Box<dyn Fn() + Send + Sync>,
}

impl Hub {
    /// `at_end` is called when the last of `sources` sources has reached its end.
    pub(crate) fn new(
        host: Arc<HostShared>,
        (flow, instance, instances): (String, u32, u32),
        sources: usize,
        at_end: Box<dyn Fn() + Send + Sync>,
    ) -> Arc<Self> {
        let running_sources = AtomicUsize::new(sources);
        Arc::new(Hub {
            host,
            flow,
            instance,
            instances,
            failed: AtomicBool::new(false),
            running_sources,
            at_end,
        })
    }

    /// The flow cannot go on; told once.
    pub(super) fn fail(&self, stage: &str, error: &str) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            self.host.tell(HostEvent::Failed {
                flow: self.flow.clone(),
                instance: self.instance,
                stage: stage.to_owned(),
                error: error.to_owned(),
            });
        }
    }

    pub(super) fn source_resumed(&self) {
        self.running_sources.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn source_finished(&self) {
        if self.running_sources.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.at_end)();
        }
    }
}
