//! Changing the flows that run into those of another configuration.

use super::{Fleet, FlowCopy};
use pipeline_host::FlowSpec;
use std::time::{Duration, Instant};

/// How long a flow that is removed may take to drain.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(20);

impl Fleet {
    /// Makes the running flows those of `specs`, from the bottom to the top, and says what was done. Errors are collected:
    /// what cannot be changed goes on as it was.
    pub(crate) fn adopt(&self, specs: Vec<FlowSpec>) -> Result<String, String> {
        let (mut copies, mut report) = (Vec::new(), Report::default());
        for spec in specs.into_iter().rev() {
            match self.find(&spec.name, spec.instance) {
                Some(copy) => copies.insert(0, copy.reload(spec, &mut report)),
                None => copies
                    .splice(0..0, self.add(spec, &mut report))
                    .for_each(drop),
            }
        }
        let kept = |old: &FlowCopy| {
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

    fn add(&self, spec: FlowSpec, report: &mut Report) -> Option<FlowCopy> {
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
