//! Changing the flows that run into those of another configuration.

use super::{Fleet, FlowCopy};
use pipeline_host::FlowSpec;
use std::time::{Duration, Instant};

/// How long a flow that is removed may take to drain.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(20);

impl Fleet {
    /// Makes the running flows those of `specs` and says what was done: first those that are gone end, so that their ports
    /// are free, then the others change or start from the bottom to the top. Errors are collected: what cannot be changed
    /// goes on as it was.
    pub(crate) fn adopt(&self, specs: Vec<FlowSpec>) -> Result<String, String> {
        let mut report = Report::default();
        self.remove_all_but(&specs, &mut report);
        let mut copies = Vec::new();
        for spec in specs.into_iter().rev() {
            let copy = match self.find(&spec.name, spec.instance) {
                Some(copy) => Some(copy.reload(spec, &mut report)),
                None => self.add(spec, &mut report),
            };
            copies.extend(copy);
        }
        copies.reverse();
        *self.copies.lock() = copies;
        report.finish()
    }

    fn remove_all_but(&self, specs: &[FlowSpec], report: &mut Report) {
        let is_wanted = |copy: &FlowCopy| {
            specs
                .iter()
                .any(|spec| spec.name == copy.flow && spec.instance == copy.instance)
        };
        let gone: Vec<_> = self
            .copies()
            .into_iter()
            .filter(|copy| !is_wanted(copy))
            .collect();
        let until = Instant::now() + REMOVE_TIMEOUT;
        self.each(&gone, |copy| self.drain(copy, until));
        self.each(&gone, |copy| self.close(copy));
        self.copies.lock().retain(is_wanted);
        report.done.extend(
            gone.iter()
                .map(|copy| format!("{}/{} stopped", copy.flow, copy.instance)),
        );
    }

    fn add(&self, spec: FlowSpec, report: &mut Report) -> Option<FlowCopy> {
        let name = format!("{}/{}", spec.name, spec.instance);
        match self.start_one(spec) {
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
}

/// What a reload did and what it could not do.
#[derive(Default)]
pub(super) struct Report {
    pub(super) done: Vec<String>,
    pub(super) failed: Vec<String>,
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
