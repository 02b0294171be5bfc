//! The flows that run, in the order of the files.
//!
//! They start from the bottom to the top and stop from the top to the bottom, each fully drained before the next, so that
//! whoever is sent to outlives whoever sends. These calls block: they are made off the async threads, one at a time.

use crate::exit::Exit;
use crate::logs::Logger;
use parking_lot::Mutex;
use pipeline_host::{FlowHandle, FlowSpec, Host, OnReject, Restart, StageState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a stage may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a flow that a reload removes may take to drain.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(20);

/// One running copy of a flow.
#[derive(Clone)]
pub(super) struct Copy {
    /// The flow's name.
    pub(super) flow: String,
    /// Index of the copy.
    pub(super) instance: u32,
    /// What it was started with.
    spec: Arc<FlowSpec>,
    /// The host's end.
    pub(super) handle: Arc<FlowHandle>,
}

/// All running copies.
pub(super) struct Fleet {
    host: Arc<Host>,
    logger: Arc<Logger>,
    copies: Mutex<Vec<Copy>>,
}

impl Fleet {
    /// A fleet without flows.
    pub(super) fn new(host: Arc<Host>, logger: Arc<Logger>) -> Arc<Self> {
        Arc::new(Fleet {
            host,
            logger,
            copies: Mutex::default(),
        })
    }

    /// The running copies, in the order of the files.
    pub(super) fn copies(&self) -> Vec<Copy> {
        self.copies.lock().clone()
    }

    /// The copy of that name and index.
    pub(super) fn find(&self, flow: &str, instance: u32) -> Option<Copy> {
        let copies = self.copies.lock();
        copies
            .iter()
            .find(|copy| copy.flow == flow && copy.instance == instance)
            .cloned()
    }

    /// Why the process is not ready; nothing when it is.
    pub(super) fn reasons(&self) -> Vec<String> {
        self.copies().iter().flat_map(Copy::reasons).collect()
    }

    /// Whether every stage is open.
    pub(super) fn is_open(&self) -> bool {
        self.copies().iter().all(|copy| copy.handle.is_open())
    }

    /// Starts flows, the last one first. A stage that does not open is an error: it would not open later either.
    pub(super) fn start(&self, specs: Vec<FlowSpec>) -> Result<(), String> {
        for spec in specs.into_iter().rev() {
            let copy = self.start_one(spec)?;
            self.copies.lock().insert(0, copy.clone());
            copy.check_opened()?;
        }
        Ok(())
    }

    fn start_one(&self, spec: FlowSpec) -> Result<Copy, String> {
        let handle = self
            .host
            .start(spec.clone())
            .map_err(|error| format!("flow `{}`: {error}", spec.name))?;
        Ok(Copy {
            flow: spec.name.clone(),
            instance: spec.instance,
            spec: Arc::new(spec),
            handle: Arc::new(handle),
        })
    }

    /// Makes the running flows those of `specs`, from the bottom to the top, and says what was done. Errors are collected:
    /// what cannot be changed goes on as it was.
    pub(super) fn adopt(&self, specs: Vec<FlowSpec>) -> Result<String, String> {
        let (mut copies, mut report) = (Vec::new(), Report::default());
        for spec in specs.into_iter().rev() {
            match self.find(&spec.name, spec.instance) {
                Some(copy) => copies.insert(0, copy.reload(spec, &mut report)),
                None => copies
                    .splice(0..0, self.add(spec, &mut report))
                    .for_each(drop),
            }
        }
        let kept = |old: &Copy| {
            copies
                .iter()
                .any(|copy| copy.flow == old.flow && copy.instance == old.instance)
        };
        let gone: Vec<_> = self.copies().into_iter().filter(|old| !kept(old)).collect();
        for copy in &gone {
            report
                .done
                .push(format!("{}/{} stopped", copy.flow, copy.instance));
        }
        self.each(&gone, |copy| {
            self.drain(copy, Instant::now() + REMOVE_TIMEOUT)
        });
        self.each(&gone, |copy| self.close(copy));
        *self.copies.lock() = copies;
        report.finish()
    }

    fn add(&self, spec: FlowSpec, report: &mut Report) -> Option<Copy> {
        let name = format!("{}/{}", spec.name, spec.instance);
        let started = self
            .start_one(spec)
            .and_then(|copy| match copy.check_opened() {
                Ok(()) => Ok(copy),
                Err(why) => {
                    self.close(&copy);
                    Err(why)
                }
            });
        match started {
            Ok(copy) => {
                report.done.push(format!("{name} started"));
                Some(copy)
            }
            Err(why) => {
                report
                    .failed
                    .push(format!("{why} (the flow was not started)"));
                None
            }
        }
    }

    /// Drains all flows from the top to the bottom until `until`, then closes them.
    pub(super) fn stop(&self, until: Instant) -> Exit {
        let copies = self.copies();
        let mut exit = Exit::Clean;
        for flow in copies.chunk_by(|a, b| a.flow == b.flow) {
            exit = worse(exit, self.each(flow, |copy| self.drain(copy, until)));
        }
        worse(exit, self.each(&copies, |copy| self.close(copy)))
    }

    fn drain(&self, copy: &Copy, until: Instant) -> Exit {
        let drained = copy
            .handle
            .drain(until.saturating_duration_since(Instant::now()));
        let left = drained
            .left
            .into_iter()
            .map(|left| (left.stage, left.messages, left.replayable));
        self.account(copy, left)
    }

    fn close(&self, copy: &Copy) -> Exit {
        match copy.handle.close(CLOSE_TIMEOUT) {
            Ok(()) => Exit::Clean,
            Err(stuck) => {
                self.logger.error(format!(
                    "flow `{}`, copy {}: {stuck}",
                    copy.flow, copy.instance
                ));
                Exit::Software
            }
        }
    }

    /// What would be lost if the process ended now.
    pub(super) fn left(&self) -> Exit {
        let left = |copy: &Copy| {
            let stages = copy.handle.status().stages.into_iter();
            let left = stages.filter_map(|stage| {
                Some((
                    stage.name,
                    stage.unsettled.filter(|unsettled| *unsettled > 0)?,
                ))
            });
            let left: Vec<_> = left
                .map(|(stage, messages)| (copy.is_replayable(&stage), stage, messages))
                .collect();
            self.account(
                copy,
                left.into_iter()
                    .map(|(replayable, stage, messages)| (stage, messages, replayable)),
            )
        };
        self.copies().iter().map(left).fold(Exit::Clean, worse)
    }

    fn account(&self, copy: &Copy, left: impl Iterator<Item = (String, u64, bool)>) -> Exit {
        let mut exit = Exit::Clean;
        for (stage, messages, replayable) in left {
            let words = format!(
                "flow `{}`, copy {}: {messages} messages of `{stage}` were not delivered",
                copy.flow, copy.instance
            );
            if replayable {
                self.logger
                    .info(format!("{words}; it delivers them again in the next run"));
            } else {
                self.logger.error(format!("{words} and are lost"));
                exit = Exit::Undelivered;
            }
        }
        exit
    }

    /// What the end of a flow means for the process.
    pub(super) fn code_of_failure(&self, flow: &str, instance: u32, stage: &str) -> Exit {
        let copy = self.find(flow, instance);
        let spec = copy
            .as_ref()
            .and_then(|copy| copy.spec.stages.iter().find(|spec| spec.name == stage));
        match spec.map(|spec| (&spec.on_reject, spec.restart)) {
            Some((OnReject::Stop, Restart::Always)) => Exit::Rejected,
            _ => Exit::Unavailable,
        }
    }

    /// Does the same with several copies at once: the copies of a flow share a consumer group and leave it together.
    fn each(&self, copies: &[Copy], act: impl Fn(&Copy) -> Exit + Sync) -> Exit {
        std::thread::scope(|scope| {
            let threads: Vec<_> = copies
                .iter()
                .map(|copy| scope.spawn(|| act(copy)))
                .collect();
            let ends = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or(Exit::Software));
            ends.fold(Exit::Clean, worse)
        })
    }
}

/// What a reload did and what it could not do.
#[derive(Default)]
struct Report {
    done: Vec<String>,
    failed: Vec<String>,
}

impl Report {
    fn finish(self) -> Result<String, String> {
        let done = match self.done.is_empty() {
            true => "reloaded: nothing differs".to_owned(),
            false => format!("reloaded: {}", self.done.join(", ")),
        };
        if self.failed.is_empty() {
            Ok(done)
        } else {
            Err(format!("{}\n{done}", self.failed.join("\n")))
        }
    }
}

impl Copy {
    /// Why this copy is not ready, each with its flow.
    pub(super) fn reasons(&self) -> Vec<String> {
        let reasons = self.handle.is_ready().err().unwrap_or_default();
        reasons
            .into_iter()
            .map(|why| format!("{}/{}: {why}", self.flow, self.instance))
            .collect()
    }

    /// Tells about stages that failed to open.
    fn check_opened(&self) -> Result<(), String> {
        let status = self.handle.status();
        let failed = status
            .stages
            .into_iter()
            .filter(|stage| stage.state == StageState::Failed);
        let told: Vec<_> = failed
            .map(|stage| {
                format!(
                    "flow `{}`: stage `{}`: {}",
                    self.flow,
                    stage.name,
                    stage.reason.unwrap_or_default()
                )
            })
            .collect();
        if told.is_empty() {
            Ok(())
        } else {
            Err(told.join("\n"))
        }
    }

    fn is_replayable(&self, stage: &str) -> bool {
        let spec = self.spec.stages.iter().find(|spec| spec.name == stage);
        spec.and_then(|spec| spec.plugin.kind(&spec.kind))
            .is_some_and(|kind| kind.replayable)
    }

    /// The copy after a change to `spec`; it is the old one where that fails.
    fn reload(self, spec: FlowSpec, report: &mut Report) -> Copy {
        match self.handle.reload(spec.clone()) {
            Ok(done) => {
                if done.rebuilt {
                    report
                        .done
                        .push(format!("{}/{} built anew", self.flow, self.instance));
                }
                report.done.extend(
                    done.changed
                        .iter()
                        .map(|stage| format!("{}/{} {stage} changed", self.flow, self.instance)),
                );
                Copy {
                    spec: Arc::new(spec),
                    ..self
                }
            }
            Err(error) => {
                report.failed.push(format!(
                    "flow `{}`, copy {}: {error}",
                    self.flow, self.instance
                ));
                self
            }
        }
    }
}

/// The code that says more.
fn worse(a: Exit, b: Exit) -> Exit {
    if a.code() >= b.code() { a } else { b }
}
