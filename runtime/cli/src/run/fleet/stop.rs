//! Stopping flows, and what is said about messages that are left.

use super::{Fleet, FlowCopy, flow_span};
use crate::exit::Exit;
use pipeline_host::{Left, OnReject, Restart};
use std::time::{Duration, Instant};
use tracing::Span;

/// How long a stage may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

impl Fleet {
    /// Drains all flows from the top to the bottom until `until`, then closes them.
    pub(crate) fn stop(&self, until: Instant) -> Exit {
        let copies = self.copies();
        let mut exit = Exit::Clean;
        for flow in copies.chunk_by(|a, b| a.flow == b.flow) {
            exit = worse(exit, self.each(flow, |copy| self.drain(copy, until)));
        }
        worse(exit, self.each(&copies, |copy| self.close(copy)))
    }

    pub(super) fn drain(&self, copy: &FlowCopy, until: Instant) -> Exit {
        let _drain = flow_span("drain", &copy.spec).entered();
        let within = until.saturating_duration_since(Instant::now());
        self.account(copy, copy.handle.drain(within).left)
    }

    pub(super) fn close(&self, copy: &FlowCopy) -> Exit {
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
    pub(crate) fn left(&self) -> Exit {
        let copies = self.copies();
        let left = copies
            .iter()
            .map(|copy| self.account(copy, copy.handle.left()));
        left.fold(Exit::Clean, worse)
    }

    fn account(&self, copy: &FlowCopy, left: Vec<Left>) -> Exit {
        let mut exit = Exit::Clean;
        for Left {
            stage,
            messages,
            replayable,
        } in left
        {
            let (flow, instance) = (&copy.flow, copy.instance);
            let words = format!(
                "flow `{flow}`, copy {instance}: {messages} messages of `{stage}` were not delivered"
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
    pub(crate) fn code_of_failure(&self, flow: &str, instance: u32, stage: &str) -> Exit {
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
    pub(super) fn each(&self, copies: &[FlowCopy], act: impl Fn(&FlowCopy) -> Exit + Sync) -> Exit {
        let (span, act) = (Span::current(), &act);
        let act = |copy| span.in_scope(|| act(copy));
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

/// The code that says more.
fn worse(a: Exit, b: Exit) -> Exit {
    if a.code() >= b.code() { a } else { b }
}
