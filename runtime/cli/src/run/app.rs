//! What the HTTP servers of a running process share.

use super::fleet::{Fleet, FlowCopy};
use super::numbers::{self, Reloads};
use crate::logs::{Filter, Logger};
use crate::telemetry::Telemetry;
use pipeline_host::{Family, Host, Snapshot};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Where the process is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Flows are being opened.
    Starting,
    /// All flows were started.
    Running,
    /// A stop has begun.
    Draining,
}

/// A wish to reload, with where to tell how it ended.
pub(crate) type ReloadRequest = oneshot::Sender<Result<String, String>>;

/// The shared state.
pub(crate) struct App {
    /// The flows.
    pub(crate) fleet: Arc<Fleet>,
    /// The log.
    pub(crate) logger: Arc<Logger>,
    host: Arc<Host>,
    telemetry: Arc<Telemetry>,
    files: Vec<String>,
    started: Instant,
    phase: AtomicU8,
    /// What became of reloads.
    pub(crate) reloads: Reloads,
    reload: mpsc::Sender<ReloadRequest>,
}

impl App {
    /// State of a process that starts now.
    pub(crate) fn new(
        host: Arc<Host>,
        fleet: Arc<Fleet>,
        logger: Arc<Logger>,
        telemetry: Arc<Telemetry>,
        files: Vec<String>,
        reload: mpsc::Sender<ReloadRequest>,
    ) -> Arc<Self> {
        Arc::new(App {
            fleet,
            logger,
            host,
            telemetry,
            files,
            started: Instant::now(),
            phase: AtomicU8::new(Phase::Starting as u8),
            reloads: Reloads::default(),
            reload,
        })
    }

    /// Enters the next part of life.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Running,
            _ => Phase::Draining,
        }
    }

    /// Why the process is not ready; nothing when it is.
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.with_phase(self.fleet.reasons())
    }

    fn with_phase(&self, mut reasons: Vec<String>) -> Vec<String> {
        match self.phase() {
            Phase::Starting => reasons.insert(0, "starting".to_owned()),
            Phase::Running => {}
            Phase::Draining => reasons.insert(0, "draining".to_owned()),
        }
        reasons
    }

    /// Why one copy of a flow is not ready.
    pub(crate) fn copy_reasons(&self, flow: &str, instance: u32) -> Vec<String> {
        match self.fleet.find(flow, instance) {
            Some(copy) => self.with_phase(copy.reasons()),
            None => vec![format!("{flow}/{instance}: not running")],
        }
    }

    /// Everything about the process.
    pub(crate) fn status(&self) -> Json {
        let reasons = self.reasons();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
            "uptime_seconds": self.started.elapsed().as_secs(),
            "phase": format!("{:?}", self.phase()).to_lowercase(),
            "files": self.files,
            "ready": reasons.is_empty(),
            "reasons": reasons,
            "flows": self.fleet.copies().iter().map(copy_status).collect::<Vec<_>>(),
        })
    }

    /// Everything about one copy of a flow.
    pub(crate) fn copy_status(&self, flow: &str, instance: u32) -> Option<Json> {
        self.fleet
            .find(flow, instance)
            .map(|copy| copy_status(&copy))
    }

    /// All numbers.
    pub(crate) fn metrics(&self) -> Snapshot {
        let mut own = Snapshot::default();
        self.telemetry.add_to(&mut own);
        let (phase, is_ready) = (self.phase(), self.reasons().is_empty());
        numbers::add_to(&mut own, phase, is_ready, &self.reloads);
        let mut snapshot = self.host.metrics();
        // A stage that takes one of these names is not heard.
        let is_free = |family: &Family| own.families.iter().all(|one| one.name != family.name);
        snapshot.families.retain(is_free);
        snapshot.families.append(&mut own.families);
        snapshot.families.sort_by(|a, b| a.name.cmp(&b.name));
        snapshot
    }

    /// Reloads the files and waits for the end of it.
    pub(crate) async fn reload(&self) -> Result<String, String> {
        let (tell, told) = oneshot::channel();
        self.reload
            .try_send(tell)
            .map_err(|_| "another reload is waiting".to_owned())?;
        told.await
            .unwrap_or_else(|_| Err("the process is stopping".to_owned()))
    }

    /// Changes what is logged.
    pub(crate) fn set_log(&self, filter: &str) -> Result<(), String> {
        let level = self.logger.set_filter(Filter::parse(filter)?);
        self.host.set_level(level.map(Into::into));
        Ok(())
    }
}

fn copy_status(copy: &FlowCopy) -> Json {
    let reasons = copy.reasons();
    let mut status = serde_json::to_value(copy.handle.status()).unwrap_or_default();
    if let Json::Object(map) = &mut status {
        map.insert("ready".to_owned(), reasons.is_empty().into());
        map.insert("reasons".to_owned(), reasons.into());
    }
    status
}
