//! The host: what all flows of the process share.

use super::watchdog::Watchdog;
use crate::callbacks::{self, Level, LogRecord, LogSink, Notes, SpanSink};
use crate::flow::{Flow, FlowHandle, FlowSpec, StartError};
use crate::metrics::{Registry, Snapshot, collect};
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

/// Something that the program around the host must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// All sources of a flow have reached their end and everything is settled.
    Finished {
        /// The flow.
        flow: String,
        /// Index of the copy.
        instance: u32,
    },
    /// A flow cannot go on: a stage with `restart: never` failed, or one with `on_reject: stop` rejected a message.
    Failed {
        /// The flow.
        flow: String,
        /// Index of the copy.
        instance: u32,
        /// The stage.
        stage: String,
        /// How it failed.
        error: String,
    },
    /// A stage ignored `close` for longer than its time: its threads cannot be ended, so the process should.
    Stuck {
        /// The flow.
        flow: String,
        /// Index of the copy.
        instance: u32,
        /// The stage.
        stage: String,
    },
}

/// Which messages begin a trace where they enter the system.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sampling {
    /// Share of the messages, 0 to 1.
    pub ratio: f64,
    /// Messages that each source picks each second at least; 0: none.
    pub per_second: f64,
}

/// What the host needs of the program around it.
pub struct HostOptions {
    /// Takes log events, the plugins' and the host's own.
    pub log: Arc<dyn LogSink>,
    /// Takes finished spans.
    pub spans: Arc<dyn SpanSink>,
    /// Which messages begin a trace.
    pub sampling: Sampling,
    /// The most detailed log level that is wanted; none: no logs.
    pub level: Option<Level>,
    /// Takes events; called on the host's threads, and must not block.
    pub events: Arc<dyn Fn(HostEvent) + Send + Sync>,
}

/// Runs flows. One per process.
pub struct Host {
    shared: Arc<HostShared>,
}

/// What flows, stages and callbacks need of the host.
pub(crate) struct HostShared {
    pub(crate) log: Arc<dyn LogSink>,
    pub(crate) spans: Arc<dyn SpanSink>,
    pub(crate) sampling: Sampling,
    pub(crate) notes: Notes,
    events: Arc<dyn Fn(HostEvent) + Send + Sync>,
    pub(crate) registry: Registry,
    pub(super) watchdog: Watchdog,
    flows: Mutex<Vec<Weak<Flow>>>,
}

impl HostShared {
    pub(crate) fn log(&self, record: &LogRecord<'_>) {
        if callbacks::is_wanted(record.level) {
            self.log.log(record);
        }
    }

    pub(crate) fn tell(&self, event: HostEvent) {
        (self.events)(event);
    }

    /// Enters a flow, so that its numbers are in the snapshots.
    pub(crate) fn enter(&self, flow: &Arc<Flow>) {
        let mut flows = self.flows.lock();
        flows.retain(|flow| flow.strong_count() > 0);
        flows.push(Arc::downgrade(flow));
    }
}

impl Host {
    /// A host without flows.
    #[must_use]
    pub fn new(options: HostOptions) -> Arc<Self> {
        let shared = Arc::new(HostShared {
            log: options.log,
            spans: options.spans,
            sampling: options.sampling,
            notes: Notes::default(),
            events: options.events,
            registry: Registry::default(),
            watchdog: Watchdog::default(),
            flows: Mutex::default(),
        });
        callbacks::set_level(options.level);
        callbacks::set_default(&shared);
        Arc::new(Host { shared })
    }

    /// Changes the most detailed log level that is wanted.
    pub fn set_level(&self, level: Option<Level>) {
        callbacks::set_level(level);
    }

    /// Starts a flow: opens its stages from the bottom to the top. Returns when `open` of each was called and answered, or
    /// took too long to wait for; [`FlowHandle::is_ready`] tells later.
    ///
    /// # Errors
    /// When the flow cannot be wired, or when a stage did not open: then all are closed again. (A stage that fails later is
    /// opened again as often as it takes.)
    pub fn start(&self, spec: FlowSpec) -> Result<FlowHandle, StartError> {
        FlowHandle::start(self.shared.clone(), spec)
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<HostShared> {
        &self.shared
    }

    /// All numbers now.
    #[must_use]
    pub fn metrics(&self) -> Snapshot {
        let flows: Vec<_> = self
            .shared
            .flows
            .lock()
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        let mut snapshot = collect(&flows);
        self.shared.registry.collect(&mut snapshot);
        snapshot.families.sort_by(|a, b| a.name.cmp(&b.name));
        snapshot
    }
}
